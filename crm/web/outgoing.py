"""Mail that goes out: held back first, for who wrote it to decide; then what could not be sent, what waits, and what was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import outbox
from crm.refusal import Refused
from crm.web import access, keyset, nudge, query
from crm.web.page import Request, redirect_or_part, render_page

SHOWN = 100
PARTS = ("outgoing",)


@require_safe
def index(request: Request) -> HttpResponse:
    return render_page(request, "crm/mails.html", _context(request), parts=PARTS)


@require_POST
def cancel(request: Request, pk: int) -> HttpResponse:
    mail = access.outgoing(request, pk)
    words = _("This mail is not sent.")
    return _act(request, lambda: outbox.cancel(mail=mail, by=request.user, at=timezone.now()), words)


@require_POST
def release(request: Request, pk: int) -> HttpResponse:
    mail = access.outgoing(request, pk)
    why = query.typed(request, "why", 300)
    words = _("This mail is on its way. Your reason stands on their timeline.")
    return _act(request, lambda: outbox.release(mail=mail, why=why, by=request.user, at=timezone.now()), words)


@require_POST
def try_again(request: Request, pk: int) -> HttpResponse:
    mail = access.outgoing(request, pk)
    words = _("This mail is tried again now.")
    return _act(request, lambda: outbox.try_again(mail=mail, by=request.user, at=timezone.now()), words)


def _act(request: Request, act: Callable[[], None], sentence: str) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        nudge.mail()
        messages.success(request, sentence)
    return redirect_or_part(request, "crm:outgoing", "crm/mails.html", lambda: _context(request), parts=PARTS)


def _context(request: Request) -> dict[str, Any]:
    is_all = request.user.is_leading and request.GET.get("whose") == "all"
    # A digest tells somebody of their own day; nobody wrote it.
    rows = access.outgoing_mail().filter(digest__isnull=True).for_list()
    # Whoever leads sees that a colleague wrote, and not what is kept private of it.
    rows = rows.annotate(
        is_open=Q(conversation=None) | Q(conversation__private_to=None) | Q(conversation__private_to=request.user)
    )
    if not is_all:
        rows = rows.filter(by=request.user)
    waiting = rows.waiting()
    gone = rows.filter(sent_at__isnull=False)
    held = rows.filter(held_at__isnull=False, cancelled_at__isnull=True, sent_at__isnull=True)
    given_up = waiting.filter(tries__gte=outbox.MOST_TRIES)
    return {
        "held": held.order_by("-held_at", "-id")[:SHOWN],
        "given_up": given_up.order_by("-try_at", "-id")[:SHOWN],
        # Not called `waiting`: that is what the header names the leads that wait.
        "queued": waiting.filter(tries__lt=outbox.MOST_TRIES).order_by("try_at", "id")[:SHOWN],
        "page": keyset.page(gone, order=("-id",), at=request.GET),
        "most_tries": outbox.MOST_TRIES,
        "is_all": is_all,
        "now": timezone.now(),
        "nav": "",
    }
