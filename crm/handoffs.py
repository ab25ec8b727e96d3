"""Offer a qualified lead to an account manager, who accepts it (then it is a deal) or rejects it (then it is the SDR's again)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import clock, deals, events, leads, locks, pipelines
from crm.models import Deal, EventKind, HandOff, HandOffState, Lead, LeadStatus, Role, User, Verdict
from crm.refusal import Refused

ANSWER_WITHIN = timedelta(hours=4)
"""Working time that an account manager has to answer: half a working day, so that a prospect who said yes in the morning hears the same day."""


@transaction.atomic
def submit(*, lead: Lead, to: User, by: User, at: datetime, note: str = "") -> HandOff:
    """The lead waits for `to`'s answer, with a clock in their working hours. Refuses one that is not qualified, whose scorecard has been answered
    otherwise since, or that waits already, and somebody who is no active account manager."""
    lead = leads.held(lead)
    if lead.status == LeadStatus.HANDED_OFF:
        raise Refused(_("This lead is handed off already and waits for an answer."))
    if lead.status != LeadStatus.QUALIFIED:
        raise Refused(_("Only a qualified lead can be handed off: both sides must have said yes."))
    if (result := leads.result(lead)) and not result.both_yes:
        raise Refused(_("The scorecard was answered differently since, and both sides do not say yes any more."))
    if not to.is_active or to.role not in (Role.ACCOUNT_MANAGER, Role.MANAGER):
        raise Refused(_("%(name)s is not an account manager. Choose somebody else.") % {"name": to})
    lead.status = LeadStatus.HANDED_OFF
    lead.save(update_fields=["status"])
    hand_off = HandOff.objects.create(
        lead=lead,
        from_user=by,
        to_user=to,
        note=note.strip(),
        submitted_at=at,
        answer_due_at=clock.add_working_time(at, ANSWER_WITHIN, to.calendar),
    )
    events.record(
        EventKind.HAND_OFF_SUBMITTED, subject=hand_off, by=by, at=at, lead=lead, new={"to": str(to), "note": note}
    )
    return hand_off


@transaction.atomic
def accept(
    *, hand_off: HandOff, next_step: str, next_step_on: date, by: User, at: datetime, name: str = "", **views: Any
) -> Deal:
    """The lead is accepted and is a deal of `by` with a dated next step. Of two people who answer at the same moment one wins and the other is
    refused, by name of who was first. Accepting one's own again gives the same deal. Refuses an SDR, who does not own deals."""
    if by.role == Role.SDR:
        raise Refused(_("A hand-off is accepted by an account manager, who then owns the deal."))
    hand_off = _claimed(hand_off)
    if hand_off.state == HandOffState.ACCEPTED and hand_off.to_user_id == by.pk:
        return Deal.objects.get(lead=hand_off.lead)
    _must_wait(hand_off)
    hand_off.state, hand_off.answered_at, hand_off.to_user = HandOffState.ACCEPTED, at, by
    hand_off.save(update_fields=["state", "answered_at", "to_user"])
    lead = leads.held(hand_off.lead)
    lead.status = LeadStatus.ACCEPTED
    lead.save(update_fields=["status"])
    events.record(EventKind.HAND_OFF_ACCEPTED, subject=hand_off, by=by, at=at, lead=lead, new={"by": str(by)})
    return deals.open(
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


@transaction.atomic
def reject(*, hand_off: HandOff, reason: str, by: User, at: datetime) -> HandOff:
    """The lead is the SDR's again, with the reason; its verdict is open until they have looked. Refuses without a reason."""
    if not reason.strip():
        raise Refused(_("Say why, so that the SDR can learn from it."))
    hand_off = _claimed(hand_off)
    _must_wait(hand_off)
    hand_off.state, hand_off.answered_at, hand_off.reject_reason = HandOffState.REJECTED, at, reason.strip()
    hand_off.save(update_fields=["state", "answered_at", "reject_reason"])
    lead = leads.held(hand_off.lead)
    lead.status, lead.verdict, lead.verdict_at, lead.verdict_by = LeadStatus.WORKING, Verdict.UNDECIDED, None, None
    lead.save(update_fields=["status", "verdict", "verdict_at", "verdict_by"])
    events.record(EventKind.HAND_OFF_REJECTED, subject=hand_off, by=by, at=at, lead=lead, new={"reason": reason})
    return hand_off


def _claimed(hand_off: HandOff) -> HandOff:
    """The hand-off as it is now. Whoever comes second waits here until the first has committed, and then sees what was decided."""
    return locks.row(HandOff.objects.select_related("lead", "to_user"), hand_off.pk)


def _must_wait(hand_off: HandOff) -> None:
    if hand_off.state == HandOffState.ACCEPTED:
        raise Refused(_("%(name)s has accepted this hand-off already.") % {"name": hand_off.to_user})
    if hand_off.state == HandOffState.REJECTED:
        raise Refused(_("This hand-off was rejected already."))
