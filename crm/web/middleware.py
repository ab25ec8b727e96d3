"""What every request gets before its view: the language and time zone of the user who sent it, and a way to the login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django_htmx.http import HttpResponseClientRedirect

GetResponse = Callable[[HttpRequest], HttpResponse]


class PreferencesMiddleware:
    """A logged-in user reads in the language and time zone of the profile; anyone else in what cookie and browser say.

    Stands after LocaleMiddleware, which has chosen the language of a visitor, and after AuthenticationMiddleware.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
        try:
            zone = user.zone
        except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine's data no longer knows
            zone = timezone.get_default_timezone()
        with timezone.override(zone):
            return self.get_response(request)


class LoginMiddleware(LoginRequiredMiddleware):
    """Every view but the public ones asks for a login. For htmx the browser itself goes there, and comes back to its page."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseBase:  # type: ignore[override]
        if not request.htmx:  # type: ignore[attr-defined]
            return super().handle_no_permission(request, view_func)
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        query = QueryDict(mutable=True)
        query["next"] = page.path + (f"?{page.query}" if page.query else "")
        return HttpResponseClientRedirect(f"{resolve_url(self.get_login_url(view_func))}?{query.urlencode(safe='/')}")
