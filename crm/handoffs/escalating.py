"""What nobody answers in time comes before those who lead, once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from crm import events, notices
from crm.models import EventKind, HandOff, NoticeKind


def escalate_overdue(*, at: datetime) -> int:
    """Every hand-off whose clock ran out, with no question open, stands before those who lead the account manager, and they are told; returns how
    many. Each once: a second run, or one beside it, finds nothing to do."""
    overdue = HandOff.objects.overdue(at).filter(escalated_at=None)
    return sum(_escalate(pk, at) for pk in list(overdue.order_by("answer_due_at", "pk").values_list("pk", flat=True)))


@transaction.atomic
def _escalate(pk: int, at: datetime) -> bool:
    """Whether it was this call that did it."""
    if not HandOff.objects.overdue(at).filter(pk=pk, escalated_at=None).update(escalated_at=at):
        return False
    hand_off = HandOff.objects.select_related("lead__person", "lead__organisation", "to_user").get(pk=pk)
    lead, to = hand_off.lead, hand_off.to_user
    events.record(EventKind.HAND_OFF_ESCALATED, subject=hand_off, by=None, at=at, lead=lead, new={"to": str(to)})
    notices.tell_those_who_lead(
        about=to,
        kind=NoticeKind.OVERDUE,
        values={"lead": str(lead), "name": str(to)},
        path=reverse("crm:hand-off", args=[pk]),
        at=at,
        subject=lead,
    )
    return True
