"""The settings of Kring as the tests see them: servers of their own below `var/test`, plain static files, cheap passwords. Whoever
names a DATABASE_URL or REDIS_URL has the tests use those."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["KRING_VAR"] = os.environ.get("KRING_TEST_VAR") or str(
    Path(__file__).resolve().parent.parent / "var" / "test"
)
os.environ["KRING_DEBUG"] = "no"

from config.settings import *  # noqa: E402, F403
from config.settings import STORAGES  # noqa: E402

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
