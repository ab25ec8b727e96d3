"""When a page cannot be shown: what happened, in a sentence, and where to go. htmx gets the sentence among the messages.

None of these reads the database on its own account, and the 500 page needs nothing at all.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = str(exception or "") or _(
        "You may look at this, but only its owner, their team and managers may change it."
    )
    return _answer(request, "403.html", sentence, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    sentence = _("This page was open for too long, or was opened in another window. Reload it and try again.")
    return _answer(request, "403_csrf.html", sentence, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, "404.html", _("That is not here any more, or never was."), 404)


def merged_meanwhile(request: HttpRequest, there: str = "") -> HttpResponse:
    """What was sent is about a row that became part of another; `there` is the page of that one."""
    sentence = _(
        "This was merged with another meanwhile, so nothing was saved. Open the one that stayed and try again."
    )
    return _answer(request, "409.html", sentence, 409, there=there)


def changed_meanwhile(request: HttpRequest) -> HttpResponse:
    sentence = _("Somebody else changed the same thing at the same moment, so nothing was saved. Please try again.")
    return _answer(request, "409.html", sentence, 409)


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, "429.html", _("That was a lot at once. Please wait a few minutes and try again."), 429)


def too_large(request: HttpRequest) -> HttpResponse:
    return _answer(request, "413.html", _("What you sent is larger than Kring takes at once."), 413)


def server_error(request: HttpRequest) -> HttpResponse:
    if _by_htmx(request):
        return _message(_("Something went wrong on our side. Nothing was changed; please try again in a moment."), 500)
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def _answer(request: HttpRequest, template: str, sentence: str, status: int, **more: str) -> HttpResponse:
    if _by_htmx(request):
        return _message(sentence, status)
    user = getattr(request, "user", None)
    layout = "base.html" if user is not None and user.is_authenticated else "public.html"
    response = render(request, template, {"layout": layout, "sentence": sentence, **more}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _by_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers


def _message(sentence: str, status: int) -> HttpResponse:
    """The sentence alone: base.html's `responseHandling` puts it among the messages."""
    text = loader.render_to_string("crm/_message.html", {"level": "danger", "text": sentence})
    return HttpResponse(text, status=status)
