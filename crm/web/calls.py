"""Call somebody: what both sides promised, what to talk about and what the guard says, then the number, and how the call ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import attempts, pacing, permission
from crm.models import Attempt, AttemptOutcome, ConversationKind, Deal, Lead, Person, PhoneNumber, Scope
from crm.refusal import Refused
from crm.web import access, query
from crm.web.page import Request, page_of, render_page

RINGS = 60
"""Seconds after it began in which the page of an attempt dials by itself."""


@dataclass(frozen=True)
class Line:
    """One number of theirs, and what the guard says about it: `until` when it is too soon, `never` when they asked us not to."""

    phone: PhoneNumber
    why: str = ""
    until: datetime | None = None
    never: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
def call(request: Request, pk: int) -> HttpResponse:
    """`?lead=` or `?deal=` says what the call is about. The form on the page makes the attempt; its address is where the number is."""
    person = access.person(request, pk)
    lead, deal = _about(request, person)
    asked, override, refused = "", "", ""
    if request.method == "POST":
        asked = query.typed(request, "number", 16)
        override = query.typed(request, "override", 300)
        try:
            attempt = attempts.start(
                person=person,
                number=asked,
                by=request.user,
                at=timezone.now(),
                lead=lead,
                deal=deal,
                override=override,
            )
        except permission.TooEarly:
            refused = _("Say why you call all the same, and you can.") if "override" in request.POST else ""
        except Refused as refusal:
            refused = str(refusal)
        else:
            return redirect("crm:attempt", attempt.pk)
    return render_page(
        request,
        "crm/call.html",
        {
            "person": person,
            "lead": lead,
            "deal": deal,
            "lines": _lines(request, person),
            "asked": asked,
            "override": override,
            "refused": refused,
            "there": page_of(deal, lead, person),
            "old_registers": [row for row in pacing.old_registers(timezone.now()) if row.scope != Scope.MAIL],
            **_beside(person),
        },
    )


@require_safe
def attempt(request: Request, pk: int) -> HttpResponse:
    row = access.attempt(request, pk, write=True)
    if row.conversation_id:
        return redirect("crm:conversation", row.conversation_id)
    number = access.phone_numbers().filter(person=row.person, number=row.number).first()
    return render_page(
        request,
        "crm/call_attempt.html",
        {
            "attempt": row,
            "person": row.person,
            "number": number,
            "rings": not row.outcome and (timezone.now() - row.at).total_seconds() < RINGS,
            "is_wrong": row.outcome == AttemptOutcome.WRONG_NUMBER,
            "may_write_person": access.may_write(request.user, row.person.owner),
            "there": page_of(row.deal, row.lead, row.person),
            **_beside(row.person),
        },
    )


@require_POST
def end(request: Request, pk: int) -> HttpResponse:
    """Who spoke goes on to say what was said; a wrong number may be removed; anything else leads back to where the call began."""
    row = access.attempt(request, pk, write=True)
    outcome = request.POST.get("outcome", "")
    if outcome == AttemptOutcome.SPOKE:
        return redirect(f"{reverse('crm:conversation-new')}?attempt={row.pk}")
    try:
        row = attempts.end(
            attempt=row,
            outcome=outcome,
            by=request.user,
            at=timezone.now(),
            note=query.typed(request, "note", 300),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("crm:attempt", pk)
    if row.outcome == AttemptOutcome.WRONG_NUMBER:
        return redirect("crm:attempt", pk)
    messages.success(request, _said(request, row))
    return redirect(page_of(row.deal, row.lead, row.person))


def _about(request: Request, person: Person) -> tuple[Lead | None, Deal | None]:
    """What the address names, as far as this user may write it. Who may write the lead or deal may call its people; anybody else must be able to
    write the person."""
    deal = access.deal(request, key) if (key := query.number(request.GET.get("deal"))) else None
    lead = access.lead(request, key) if (key := query.number(request.GET.get("lead"))) else None
    deal = deal if deal and access.may_write(request.user, deal.owner) else None
    lead = lead if lead and access.may_write(request.user, lead.owner) else None
    if not access.is_around(person, deal or lead):
        access.must_write(request.user, person.owner)
    return lead, deal


def _lines(request: Request, person: Person) -> list[Line]:
    lines = []
    for phone in access.phone_numbers().filter(person=person):
        answer = pacing.may_contact(person, ConversationKind.CALL, timezone.now(), by=request.user, number=phone.number)
        if isinstance(answer, pacing.Never):
            lines.append(Line(phone, answer.why, never=True))
        elif isinstance(answer, pacing.TooSoon):
            lines.append(Line(phone, answer.why, until=answer.until))
        else:
            lines.append(Line(phone))
    return lines


def _beside(person: Person) -> dict[str, Any]:
    """What is good to know while the telephone rings."""
    return {
        "promises": access.promises().open().filter(person=person).for_list(),
        "job": access.positions().current().filter(person=person).select_related("organisation").first(),
        "nav": "people",
    }


def _said(request: Request, row: Attempt) -> str:
    """That it is noted, and from when the guard lets us try again."""
    answer = pacing.may_contact(row.person, ConversationKind.CALL, timezone.now(), by=request.user, number=row.number)
    if not isinstance(answer, pacing.TooSoon):
        return _("Noted: %(outcome)s.") % {"outcome": row.get_outcome_display()}
    until = date_format(timezone.localtime(answer.until), "l j F, H:i")
    return _("Noted: %(outcome)s. A good moment to try again: %(until)s.") % {
        "outcome": row.get_outcome_display(),
        "until": until,
    }
