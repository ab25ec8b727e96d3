"""What every request gets around its view: a bound on its size, a way to the login, the language and time zone of the user who sent it, and an
answer that no cache keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect
from psycopg import errors as postgres

from crm.models import Mergeable, Organisation, Person
from crm.web import access, errors, nudge, query

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
        with timezone.override(user.zone):
            return self.get_response(request)


class FollowUpsMiddleware:
    """Whatever an act changed, the follow-ups of what it touched are looked at at once: no view has to think of it, and none can forget."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and response.status_code < 400:
            nudge.follow_ups()
        return response


class LoginMiddleware(LoginRequiredMiddleware):
    """Every view but the public ones asks for a login. For htmx the browser itself goes there, and comes back to its page."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseBase:  # type: ignore[override]
        if not request.htmx:  # type: ignore[attr-defined]
            return super().handle_no_permission(request, view_func)
        page = query.page_of_browser(request)
        back = QueryDict(mutable=True)
        back["next"] = page.path + (f"?{page.query}" if page.query else "")
        return HttpResponseClientRedirect(f"{resolve_url(self.get_login_url(view_func))}?{back.urlencode(safe='/')}")


class SizeMiddleware:
    """Nobody fills our disk: what is announced as larger than its view takes (`page.takes_up_to`, else Django's bound) is not read at all.

    Stands before CsrfViewMiddleware, which is the first to read what was sent. A body without an announced length is none to Django.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        most: int = getattr(view, "takes_bytes", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        announced = request.META.get("CONTENT_LENGTH") or "0"
        return errors.too_large(request) if announced.isdecimal() and int(announced[:19]) > most else None


class PrivacyMiddleware:
    """What a logged-in user sees stays in that browser's window: no proxy keeps it, and Back after the logout asks again."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


class MeanwhileMiddleware:
    """Somebody merged two rows, or changed one, while this request was on its way: who reads is led to the row that stayed, who writes is told, and
    nothing is half saved."""

    PAGES = {Mergeable.PERSON: ("people/", "person"), Mergeable.ORGANISATION: ("organisations/", "organisation")}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, access.MergedAway):
            if request.method in ("GET", "HEAD"):
                return redirect(self._address(request, exception))
            page = self.PAGES[exception.kind][1]
            return errors.merged_meanwhile(request, reverse(f"crm:{page}", args=[exception.kept]))
        if isinstance(exception, (Person.DoesNotExist, Organisation.DoesNotExist)):
            return errors.merged_meanwhile(request)
        cause = exception.__cause__
        if isinstance(exception, IntegrityError) and isinstance(cause, postgres.ForeignKeyViolation):
            return errors.merged_meanwhile(request)
        if isinstance(exception, OperationalError) and isinstance(cause, postgres.DeadlockDetected):
            return errors.changed_meanwhile(request)
        return None

    def _address(self, request: HttpRequest, merged: access.MergedAway) -> str:
        """The address that was asked for, with the key of the row that stayed where that of the other stood."""
        match, (place, name) = request.resolver_match, self.PAGES[merged.kind]
        assert match is not None
        kwargs = dict(match.kwargs)
        if match.route.startswith(place) and kwargs.get("pk") == merged.gone:
            kwargs["pk"] = merged.kept
        query = request.GET.copy()
        for key in (name, "with"):
            if query.get(key) == str(merged.gone):
                query[key] = str(merged.kept)
        return reverse(match.view_name, kwargs=kwargs) + (f"?{query.urlencode()}" if query else "")
