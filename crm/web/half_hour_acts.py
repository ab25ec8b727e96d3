"""The acts of the half hour: propose, the timer, and what becomes of each thing. Each ends at the card it was done on, also by a plain form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import prospecting
from crm.refusal import Refused
from crm.web import access, half_hour, query
from crm.web.page import Request, back_to, redirect_or_part

Verb = Callable[..., Any]


@require_POST
def propose(request: Request) -> HttpResponse:
    """Today's, for who cannot wait for the morning or asks on another day than planned."""
    at = timezone.now()
    return _end(request, prospecting.propose, user=request.user, day=timezone.localdate(at), at=at)


@require_POST
def more(request: Request, pk: int) -> HttpResponse:
    return _of_block(request, pk, prospecting.propose_more)


@require_POST
def start(request: Request, pk: int) -> HttpResponse:
    return _of_block(request, pk, prospecting.start)


@require_POST
def pause(request: Request, pk: int) -> HttpResponse:
    return _of_block(request, pk, prospecting.pause)


@require_POST
def end(request: Request, pk: int) -> HttpResponse:
    return _of_block(request, pk, prospecting.end)


@require_POST
def beat(request: Request, pk: int) -> HttpResponse:
    """The page is open. The answer is what its clock should say."""
    at = timezone.now()
    block = prospecting.beat(block=access.block(request, pk), at=at, by=request.user)
    clock = half_hour.clock(block, at)
    return JsonResponse({"running": block.is_running, "spent": clock.spent, "until": clock.until})


@require_POST
def done(request: Request, pk: int) -> HttpResponse:
    return _of_item(request, pk, prospecting.done)


@require_POST
def leave_out(request: Request, pk: int) -> HttpResponse:
    return _of_item(request, pk, prospecting.leave_out, why=query.typed(request, "why", 200))


@require_POST
def undo(request: Request, pk: int) -> HttpResponse:
    return _of_item(request, pk, prospecting.undo)


@require_POST
def take_along(request: Request, pk: int) -> HttpResponse:
    return _of_item(request, pk, prospecting.take_along, words=_("It stands at the end of today's."))


def _of_block(request: Request, pk: int, verb: Verb) -> HttpResponse:
    return _end(request, verb, block=access.block(request, pk), by=request.user, at=timezone.now())


def _of_item(request: Request, pk: int, verb: Verb, *, words: str = "", **values: Any) -> HttpResponse:
    item = access.prospecting_item(request, pk)
    return _end(request, verb, words=words, item=item, by=request.user, at=timezone.now(), **values)


def _end(request: Request, verb: Verb, *, words: str = "", **values: Any) -> HttpResponse:
    try:
        verb(**values)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if words:
            messages.success(request, words)
    return redirect_or_part(
        request,
        back_to(request, reverse("crm:today")),
        "crm/_today_half_hour.html",
        lambda: half_hour.card(request, timezone.now()),
        parts=("half-hour",),
    )
