"""The settings of Kring as the tests see them: servers of their own below `var/test`, plain static files, cheap passwords. Whoever
names a DATABASE_URL or REDIS_URL has the tests use those.

Several runs of the tests may go on at the same time (two terminals, `pytest -n 2`): they share the servers, and each takes a slot, which gives it a
database, a part of the broker and a scratch folder of its own."""

from __future__ import annotations

import atexit
import fcntl
import os
from pathlib import Path
from typing import IO

os.environ["KRING_VAR"] = os.environ.get("KRING_TEST_VAR") or str(
    Path(__file__).resolve().parent.parent / "var" / "test"
)
os.environ["KRING_DEBUG"] = "no"

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, EMBEDDED, EMBEDDED_REDIS, STATIC_ROOT, STORAGES, VAR  # noqa: E402

SLOTS = 16
# The broker's databases of one slot: for the tests' own process, for the live stack, for the programs of the compose file.
BROKER_DATABASES = 3


def _take_slot() -> tuple[int, IO[str]]:
    """The first slot that no other run holds. The lock is the system's: it ends with this process, however it ends."""
    (VAR / "slots").mkdir(parents=True, exist_ok=True)
    for number in range(SLOTS):
        lock = (VAR / "slots" / str(number)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return number, lock
    raise RuntimeError(f"{SLOTS} runs of the tests are going on already.")


SLOT, _slot_lock = _take_slot()
atexit.register(_slot_lock.close)
SCRATCH = VAR / f"slot-{SLOT}"
DATABASES["default"]["TEST"] = {"NAME": f"test_kring_{SLOT}"}
if EMBEDDED_REDIS:
    REDIS_URL = EMBEDDED.redis_url(BROKER_DATABASES * SLOT)
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Attempts are counted in this process; `tests/web/test_security.py` looks at the count that the web processes share.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
