"""Offer a lead to an account manager, and, for those who lead, give an offer that waits to somebody else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm import events, fitting, leads, mentions, notices
from crm.handoffs import waiting
from crm.models import Absence, EventKind, HandOff, HandOffState, Lead, LeadStatus, NoticeKind, Role, User
from crm.refusal import Refused


@transaction.atomic
def submit(*, lead: Lead, to: User, by: User, at: datetime, note: str = "") -> HandOff:
    """The lead waits for `to`'s answer, with a clock in their working hours, and `to` is told. Refuses one that is not qualified, whose
    scorecard has been answered otherwise since (unless it was qualified against the advice, with a reason), or that waits already; somebody who is
    no active account manager; and somebody who is away that day."""
    lead = leads.held(lead)
    if lead.status == LeadStatus.HANDED_OFF:
        raise Refused(_("This lead is handed off already and waits for an answer."))
    if lead.status != LeadStatus.QUALIFIED:
        raise Refused(_("Only a qualified lead can be handed off: both sides must have said yes."))
    if not lead.verdict_why and (result := leads.result(lead)) and not result.both_yes:
        raise Refused(_("The scorecard was answered differently since, and both sides do not say yes any more."))
    _must_be_able(to, lead, at)
    lead.status = LeadStatus.HANDED_OFF
    lead.save(update_fields=["status"])
    hand_off = HandOff.objects.create(
        lead=lead,
        from_user=by,
        to_user=to,
        note=note.strip(),
        submitted_at=at,
        answer_due_at=waiting.answer_by(to, at),
    )
    events.record(
        EventKind.HAND_OFF_SUBMITTED, subject=hand_off, by=by, at=at, lead=lead, new={"to": str(to), "note": note}
    )
    _tell_receiver(hand_off, by, at)
    mentions.in_hand_off(hand_off, by=by, at=at)
    return hand_off


@transaction.atomic
def redirect(*, hand_off: HandOff, to: User, by: User, at: datetime) -> HandOff:
    """What waited for one account manager waits for `to` from now on, with a clock of its own; the earlier hand-off stays in the history as given to
    a colleague, and still counts for the SDR who gave it. Both account managers and the SDR are told. For those who lead; refuses one that is
    answered, the same account manager again, and whoever `submit` refuses."""
    if not by.is_leading:
        raise Refused(_("A hand-off is given to somebody else by a manager or an administrator."))
    hand_off = waiting.held(hand_off)
    waiting.must_wait(hand_off)
    if to.pk == hand_off.to_user_id:
        raise Refused(_("It waits for %(name)s already. Choose somebody else.") % {"name": to})
    lead = hand_off.lead
    _must_be_able(to, lead, at)
    before = hand_off.to_user
    hand_off.state, hand_off.answered_at = HandOffState.MOVED, at
    hand_off.save(update_fields=["state", "answered_at"])
    new = HandOff.objects.create(
        lead=lead,
        from_user=hand_off.from_user,
        to_user=to,
        note=hand_off.note,
        submitted_at=at,
        answer_due_at=waiting.answer_by(to, at),
    )
    events.record(
        EventKind.HAND_OFF_SUBMITTED,
        subject=new,
        by=by,
        at=at,
        lead=lead,
        old={"to": str(before)},
        new={"to": str(to), "note": ""},
    )
    _tell_receiver(new, by, at)
    for user in (before, hand_off.from_user):
        notices.tell(
            user=user,
            kind=NoticeKind.HAND_OFF,
            values={"what": "goes_to", "lead": str(lead), "name": str(to)},
            path=reverse("crm:hand-off", args=[new.pk]),
            at=at,
            by=by,
            subject=lead,
        )
    return new


def _must_be_able(to: User, lead: Lead, at: datetime) -> None:
    """Refuses somebody who cannot make it a deal, and somebody who is not there to answer: then it says who fits as well."""
    if not to.is_active or to.role not in (Role.ACCOUNT_MANAGER, Role.MANAGER):
        raise Refused(_("%(name)s is not an account manager. Choose somebody else.") % {"name": to})
    absences = Absence.objects.on(at.astimezone(to.zone).date()).filter(user=to)
    last_day = absences.order_by("-ends_on").values_list("ends_on", flat=True).first()
    if last_day is None:
        return
    said = _("%(name)s is away until %(day)s.") % {"name": to, "day": date_format(last_day, "j F")}
    other = fitting.suggested(fitting.who_fits(lead, at=at))
    if other is not None and other.user.pk != to.pk:
        raise Refused(f"{said} " + _("%(name)s fits as well.") % {"name": other.user})
    raise Refused(f"{said} " + _("Choose somebody else."))


def _tell_receiver(hand_off: HandOff, by: User, at: datetime) -> None:
    notices.tell(
        user=hand_off.to_user,
        kind=NoticeKind.HAND_OFF,
        values={
            "what": "offered",
            "lead": str(hand_off.lead),
            "name": str(hand_off.from_user),
            "answer_by": hand_off.answer_due_at,
            "note": hand_off.note,
        },
        path=reverse("crm:hand-off", args=[hand_off.pk]),
        at=at,
        by=by,
        subject=hand_off.lead,
    )
