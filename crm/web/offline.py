"""When there is no connection at all: a small service worker keeps one page, and shows it in place of the browser's own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "offline.html")


@login_not_required
@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root of the site, since a worker serves only addresses below its own."""
    return render(request, "crm/service_worker.js", content_type="text/javascript; charset=utf-8")
