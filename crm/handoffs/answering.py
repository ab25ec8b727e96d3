"""Answer a hand-off: accept it, and it is a deal; or reject it with a reason, and the lead is the SDR's again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm import deals, events, leads, notices, pipelines
from crm.handoffs import waiting
from crm.models import Deal, EventKind, HandOff, HandOffState, LeadStatus, NoticeKind, RejectReason, Role, User, Verdict
from crm.refusal import Refused


@transaction.atomic
def accept(
    *, hand_off: HandOff, next_step: str, next_step_on: date, by: User, at: datetime, name: str = "", **views: Any
) -> Deal:
    """The lead is accepted and is a deal of `by` with a dated next step; the SDR is told. Of two people who answer at the same moment one wins and
    the other is refused, by name of who was first. Accepting one's own again gives the same deal. Refuses an SDR, who does not own deals."""
    if by.role == Role.SDR:
        raise Refused(_("A hand-off is accepted by an account manager, who then owns the deal."))
    hand_off = waiting.held(hand_off)
    if hand_off.state == HandOffState.ACCEPTED and hand_off.to_user_id == by.pk:
        return Deal.objects.get(lead=hand_off.lead)
    waiting.must_wait(hand_off)
    hand_off.answer_minutes = waiting.minutes_taken(hand_off, at)
    hand_off.state, hand_off.answered_at, hand_off.to_user = HandOffState.ACCEPTED, at, by
    hand_off.save(update_fields=["state", "answered_at", "answer_minutes", "to_user"])
    lead = leads.held(hand_off.lead)
    lead.status = LeadStatus.ACCEPTED
    lead.save(update_fields=["status"])
    events.record(EventKind.HAND_OFF_ACCEPTED, subject=hand_off, by=by, at=at, lead=lead, new={"by": str(by)})
    deal = deals.open(
        name=name.strip() or str(lead.organisation or lead),
        stage=pipelines.first_stage(),
        owner=by,
        lead=lead,
        next_step=next_step,
        next_step_on=next_step_on,
        by=by,
        at=at,
        **views,
    )
    notices.tell(
        user=hand_off.from_user,
        kind=NoticeKind.HAND_OFF,
        values={"what": "accepted", "lead": str(lead), "step": next_step.strip().rstrip(".")},
        path=reverse("crm:deal", args=[deal.pk]),
        at=at,
        by=by,
        subject=lead,
    )
    return deal


@transaction.atomic
def reject(*, hand_off: HandOff, kind: RejectReason | str, reason: str, by: User, at: datetime) -> HandOff:
    """The lead is the SDR's again, who is told why; its verdict is open until they have looked. Refuses without a kind, and without words."""
    if kind not in RejectReason.values:
        raise Refused(_("Choose why not, so that we can count it."))
    if not reason.strip():
        raise Refused(_("Say why, so that the SDR can learn from it."))
    hand_off = waiting.held(hand_off)
    waiting.must_wait(hand_off)
    hand_off.answer_minutes = waiting.minutes_taken(hand_off, at)
    hand_off.state, hand_off.answered_at = HandOffState.REJECTED, at
    hand_off.reject_kind, hand_off.reject_reason = str(kind), reason.strip()
    hand_off.save(update_fields=["state", "answered_at", "answer_minutes", "reject_kind", "reject_reason"])
    lead = leads.held(hand_off.lead)
    lead.status, lead.verdict, lead.verdict_at, lead.verdict_by = LeadStatus.WORKING, Verdict.UNDECIDED, None, None
    lead.save(update_fields=["status", "verdict", "verdict_at", "verdict_by"])
    events.record(
        EventKind.HAND_OFF_REJECTED,
        subject=hand_off,
        by=by,
        at=at,
        lead=lead,
        new={"reason": reason.strip(), "kind": str(kind)},
    )
    notices.tell(
        user=hand_off.from_user,
        kind=NoticeKind.HAND_OFF,
        values={"what": "rejected", "lead": str(lead), "reason_kind": str(kind), "reason": reason.strip()},
        path=reverse("crm:lead", args=[lead.pk]),
        at=at,
        by=by,
        subject=lead,
    )
    return hand_off
