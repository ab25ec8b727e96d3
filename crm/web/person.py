"""One person: what is promised, what to talk about, what to do next, how to reach them, whom they know, and all that was said."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm import correspondence
from crm.models import Person, Position, User
from crm.web import access, meetings, peace
from crm.web.page import Request, render_page
from crm.web.timelines import shown_timeline

EACH = 8
"""Leads, deals, referrals, follow-ups, colleagues and acquaintances that the page shows of each."""


@require_safe
def person(request: Request, pk: int) -> HttpResponse:
    who = access.person(request, pk)
    promises = list(access.promises().open().filter(person=who).for_list())
    positions = list(who.positions.select_related("organisation").order_by("-ended_on", "-is_main", "id"))
    current = [position for position in positions if position.ended_on is None]
    return render_page(
        request,
        "crm/person.html",
        {
            "person": who,
            "advocate": getattr(who, "advocate", None),
            "current": current,
            "past": [position for position in positions if position.ended_on],
            "emails": list(who.email_addresses.all()),
            "phones": list(who.phone_numbers.all()),
            "peace": peace.of(who, at=timezone.now()),
            "today": timezone.localdate(),
            "away": correspondence.waiting_absence(who, timezone.localdate()),
            "ours": [promise for promise in promises if promise.side == "ours"],
            "theirs": [promise for promise in promises if promise.side == "theirs"],
            "last_words": last_words(who, request.user),
            "follow_ups": access.follow_ups().open().filter(person=who).for_today().order_by("show_at", "id")[:EACH],
            "leads": access.leads().filter(person=who).select_related("owner").order_by("-received_at", "-id")[:EACH],
            "deals": access.deals().filter(person=who).for_list().order_by("state", "-opened_at", "-id")[:EACH],
            "referrals": access.referrals()
            .filter(Q(referrer=who) | Q(introduced=who))
            .for_list()
            .order_by("-asked_at", "-id")[:EACH],
            "known": _known(who),
            "introduced": access.people().filter(introduced_by=who).order_by("family_name", "given_name", "id")[:EACH],
            "colleagues": _colleagues(who, current),
            "may_write": access.may_write(request.user, who.owner),
            "meetings": meetings.of(who, at=timezone.now(), may_write=access.may_write(request.user, who.owner)),
        }
        | shown_timeline(request, person=who),
        parts=("timeline",),
    )


def last_words(record: Any, reader: User) -> dict[str, Any] | None:
    """What they or we said last, with who and when, if there was anything and the reader may read it."""
    for said in (record.last_reply, record.last_contact):
        if said is not None and said.is_open_to(reader) and (said.quote or said.summary):
            return {"said": said, "quote": said.quote, "text": said.summary}
    return None


def _known(who: Person) -> list[dict[str, Any]]:
    """Whom they are noted to know, as seen from them."""
    rows = access.acquaintances(who)[:EACH]
    return [{"row": row, "friend": row.other if row.person_id == who.pk else row.person} for row in rows]


def _colleagues(who: Person, current: list[Position]) -> list[Position]:
    """Who else works where they work now."""
    where = [position.organisation_id for position in current]
    others = access.positions().current().filter(organisation__in=where).exclude(person=who)
    return list(others.select_related("person", "organisation").order_by("-person__last_contact_at", "id")[:EACH])
