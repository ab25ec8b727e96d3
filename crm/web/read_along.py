"""The script that remembers in a visitor's own browser what they read of ours, at an address that other sites can name for years."""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

SCRIPT = settings.BASE_DIR / "static" / "js" / "read-along.js"
A_DAY = 24 * 60 * 60
A_WEEK = 7 * A_DAY


@cache
def _script() -> bytes:
    return SCRIPT.read_bytes()


def _mark(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_script()).hexdigest()[:16]}"'


@login_not_required
@require_safe
@cache_control(public=True, max_age=A_DAY, stale_while_revalidate=A_WEEK)
@condition(etag_func=_mark)
def script(request: HttpRequest) -> HttpResponse:
    """A page of any site may use it: it knows nothing and sends nothing. A day after a new version every browser has it."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
