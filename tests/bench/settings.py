"""The settings of production, with two pages more: the floors that the bench measures beside the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import *  # noqa: F403
from config.settings import TEMPLATES as PRODUCTION

ROOT_URLCONF = "tests.bench.urls"
_engine: dict[str, Any] = PRODUCTION[0]
TEMPLATES = [_engine | {"DIRS": [*_engine["DIRS"], Path(__file__).resolve().parent / "templates"]}]
# One visitor posts the form again and again; it would be told to wait.
FORM_LIMIT = 0
