"""Answers of the screens: one template, named parts, and the same truth with and without JavaScript.

Every view ends here. `render_page` serves the whole page, or the one part that htmx asked for when the view listed it;
`redirect_or_part` ends a successful POST, `page_of` and `back_to` say where to go; `announce` tells the other regions of the page what has happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

if TYPE_CHECKING:
    from django.db.models import Model
    from django_htmx.middleware import HtmxDetails

    from crm.models import User

Response = TypeVar("Response", bound=HttpResponse)
View = TypeVar("View", bound=Callable[..., Any])
Parts = Sequence[str] | Mapping[str, str]
"""The parts that a view serves: names, which are ids at the same time, or id to name where a part stands on the page many times
(`{"lead-12": "row"}`)."""


class Request(HttpRequest):
    """A request as our views see it: logged in, and knowing whether htmx sent it. For type hints only."""

    user: User
    htmx: HtmxDetails


def wanted_part(request: HttpRequest, parts: Parts) -> str | None:
    """The part to answer with, or None for the whole page.

    The view decides by what it lists: a target it does not know, a boosted link and htmx restoring its history all get
    the page.
    """
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or htmx.boosted or htmx.history_restore_request:
        return None
    if htmx.target not in parts:
        return None
    return parts[htmx.target] if isinstance(parts, Mapping) else htmx.target


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    parts: Parts = (),
    *,
    status: int = 200,
) -> HttpResponse:
    """Answer with the page, or with the part that `HX-Target` names when it is one of `parts`.

    A part carries waiting messages along, out of band, so `messages.success(...)` is seen without a reload.
    """
    part = wanted_part(request, parts)
    response = render(request, f"{template}#{part}" if part else template, context, status=status)
    if part and len(get_messages(request)):
        response.write(render_to_string("crm/_messages.html", {"out_of_band": True}, request))
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def redirect_or_part(
    request: HttpRequest,
    to: Any,
    template: str,
    context: Callable[[], dict[str, Any]],
    parts: Parts,
) -> HttpResponse:
    """End a successful POST: the fresh part for htmx, a redirect to `to` (URL, URL name or object) for everyone else.

    `context` is called only when a part is served, since a redirect needs none. An htmx request for a part that is not
    listed makes the browser itself go to `to`, so a page never lands inside a region.
    """
    if wanted_part(request, parts):
        return render_page(request, template, context(), parts)
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(resolve_url(to))
    return redirect(to)


def announce(response: Response, *events: str, **details: Any) -> Response:
    """Name what has happened (`announce(response, "followUpDone")`); regions listen with `hx-trigger="… from:body"`."""
    told: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    told.update(dict.fromkeys(events, details))
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def takes_up_to(most: int) -> Callable[[View], View]:
    """This view takes uploads of so many bytes; any other gets no more than Django's bound for forms."""

    def mark(view: View) -> View:
        view.takes_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


def page_of(*rows: Model | None) -> str:
    """The page of the first of these rows that is there; the list of people when none is."""
    for row in rows:
        if row is not None:
            return reverse(f"crm:{row._meta.model_name}", args=[row.pk])
    return reverse("crm:people")


def back_to(request: HttpRequest, otherwise: str) -> str:
    """The page of ours that the form (or the link to it) named in `next`, else the URL `otherwise`. Never another site."""
    there = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure())
    # Only an address: `redirect` would take a bare word for the name of a view.
    return there if is_ours and there.startswith("/") else otherwise
