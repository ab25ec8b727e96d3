"""The feed of somebody's appointments, for the program of their calendar: nobody logs in there, so the address is the key."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import calendars
from crm.web import access, limits
from crm.web.page import Request

MOST, WITHIN = 600, 600
"""So often one address may ask in so many seconds: a provider reads many people's feeds from one, and a guesser needs far more."""


@login_not_required
@require_safe
def feed(request: HttpRequest, key: str) -> HttpResponseBase:
    if not limits.may(request, "feed", most=MOST, seconds=WITHIN):
        return HttpResponse(_("Too often. Ask again in ten minutes."), status=429, headers={"Retry-After": str(WITHIN)})
    text = calendars.feed_of(access.user_of_feed(key), at=timezone.now())
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()}"'
    whole = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response = get_conditional_response(request, etag=etag, response=whole) or whole
    said = {"ETag": etag, "Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex, nofollow"}
    for name, value in said.items():
        response[name] = value
    return response


@require_POST
def renew(request: Request) -> HttpResponse:
    calendars.renew_feed(user=request.user, at=timezone.now())
    messages.success(request, _("Copy your new address and subscribe to it. One before it leads nowhere any more."))
    return redirect("crm:calendars")


@require_POST
def revoke(request: Request) -> HttpResponse:
    calendars.revoke_feed(user=request.user, at=timezone.now())
    messages.success(request, _("Your feed is switched off; its address leads nowhere any more."))
    return redirect("crm:calendars")
