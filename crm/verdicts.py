"""Give a verdict on a lead: qualified, nurture or declined, and take one up again. A person gives it, never a formula alone.

Whoever introduced them hears how it went, so a no settles the referral that brought the lead, and taking it up again opens that once more.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import advocacy, conversations, events, leads, letters, outbox
from crm.models import ConversationKind, Direction, EventKind, Lead, LeadStatus, ReadyReason, User, Verdict
from crm.refusal import Refused
from qualification import assessing
from qualification.assessing import Sheet
from qualification.scoring import SideResult


def missing(sheet: Sheet) -> list[str]:
    """What stands between this lead and a qualified verdict, in sentences, the gravest first; empty when both sides say yes."""
    ours, theirs = sheet.result.ours, sheet.result.theirs
    return [
        *_failed(sheet, ours),
        *_failed(sheet, theirs),
        *_open(sheet, ours),
        *_open(sheet, theirs),
        *_too_few(
            ours, _("We do not say yes yet: %(score)s of the %(threshold)s points that it takes, of at most %(best)s.")
        ),
        *_too_few(
            theirs,
            _("They do not say yes yet: %(score)s of the %(threshold)s points that it takes, of at most %(best)s."),
        ),
    ]


def _failed(sheet: Sheet, side: SideResult) -> list[str]:
    return [
        _("“%(question)s” is a must-have and is not met, so this lead cannot be qualified.")
        % {"question": sheet.question(line.question.key)}
        for line in side.failed_musts
    ]


def _open(sheet: Sheet, side: SideResult) -> list[str]:
    return [
        _("Answer the must-have “%(question)s” first.") % {"question": sheet.question(line.question.key)}
        for line in side.open_musts
    ]


def _too_few(side: SideResult, sentence: str) -> list[str]:
    """Points are worth naming only when no must-have stands in the way."""
    if side.score >= side.threshold or side.open_musts or side.failed_musts:
        return []
    return [sentence % {"score": side.score, "threshold": side.threshold, "best": side.best}]


@transaction.atomic
def qualify(*, lead: Lead, by: User, at: datetime) -> Lead:
    """The verdict is *qualified*. Refuses unless both sides say yes and every must-have is met, naming what is missing."""
    lead = leads.held(lead)
    if lead.assessment is None:
        raise Refused(_("Answer the scorecard first: both sides must say yes."))
    advice = (standing := assessing.sheet(lead.assessment.scorecard, lead.assessment)).result
    if not advice.both_yes:
        raise Refused(next(iter(missing(standing)), _("Both sides must say yes.")))
    if lead.verdict == Verdict.QUALIFIED and lead.status != LeadStatus.WORKING:
        return lead
    _move(lead, LeadStatus.QUALIFIED)
    return _judge(
        lead,
        Verdict.QUALIFIED,
        EventKind.LEAD_QUALIFIED,
        by,
        at,
        {"ours": advice.ours.score, "theirs": advice.theirs.score},
        qualified_at=lead.qualified_at or at,
    )


@transaction.atomic
def nurture(*, lead: Lead, until: date, by: User, at: datetime, note: str = "") -> Lead:
    """The lead rests until a day; then it comes back as a follow-up by itself. Refuses a day that is not in the future."""
    lead = leads.held(lead)
    if until <= at.astimezone(by.zone).date():
        raise Refused(_("Choose a day in the future: until then this lead rests."))
    _move(lead, LeadStatus.NURTURE)
    return _judge(
        lead,
        Verdict.NURTURE,
        EventKind.LEAD_NURTURED,
        by,
        at,
        {"until": until, "note": note},
        nurture_until=until,
        come_back_on=None,
    )


@transaction.atomic
def decline(
    *,
    lead: Lead,
    reason: ReadyReason | str,
    by: User,
    at: datetime,
    note: str = "",
    message: str = "",
    come_back_on: date | None = None,
) -> Lead:
    """A good no, in one act: the reason is kept, the friendly message (when there is one) is on its way, and it is quiet until `come_back_on`.
    A referral that brought the lead is not won, so that whoever introduced them can be told.

    Refuses without a known reason, with a come-back date that is not in the future, and with a message for somebody without an address or
    who asked us not to write.
    """
    lead = leads.held(lead)
    if reason not in ReadyReason.values:
        raise Refused(_("Choose the reason: we want to learn from a no."))
    if come_back_on and come_back_on <= at.astimezone(by.zone).date():
        raise Refused(_("Choose a come-back day in the future, or none."))
    _move(lead, LeadStatus.DECLINED)
    if message.strip():
        address = outbox.address_of(lead.person) if lead.person else None
        if address is None:
            raise Refused(_("We have no e-mail address of this person. Decline without a message, or call."))
        subject = letters.subject(leads.language(lead))
        mail = outbox.put(
            to=address.address,
            subject=subject,
            body=message.strip(),
            by=by,
            at=at,
            lead=lead,
            person=lead.person,
            override=_("They asked, and this answers them."),
        )
        conversation = conversations.log(
            people=[lead.person] if lead.person else [],
            kind=ConversationKind.EMAIL,
            direction=Direction.OUTGOING,
            subject=subject,
            summary=message,
            lead=lead,
            by=by,
            at=at,
        )
        outbox.logged_as(mail=mail, conversation=conversation)
    lead = _judge(
        lead,
        Verdict.DECLINED,
        EventKind.LEAD_DECLINED,
        by,
        at,
        {"reason": reason, "note": note, "come_back_on": come_back_on},
        decline_reason=reason,
        decline_note=note.strip(),
        come_back_on=come_back_on,
        nurture_until=None,
    )
    advocacy.settle(lead=lead, is_won=False, by=by, at=at)
    return lead


@transaction.atomic
def reopen(*, lead: Lead, by: User, at: datetime) -> Lead:
    """A declined or nurtured lead is being qualified again, by `by`; its earlier verdict stays in the timeline. A referral
    that was not won because of it goes on, unless its giver has been thanked."""
    lead = leads.held(lead)
    if lead.status not in (LeadStatus.DECLINED, LeadStatus.NURTURE):
        raise Refused(
            _("This lead is %(status)s; only a declined or nurtured one can be taken up again.")
            % {"status": lead.get_status_display()}
        )
    old = lead.status
    lead.status, lead.verdict, lead.verdict_at, lead.verdict_by = LeadStatus.WORKING, Verdict.UNDECIDED, None, None
    lead.nurture_until = lead.come_back_on = None
    lead.owner = by
    lead.save(update_fields=["status", "verdict", "verdict_at", "verdict_by", "nurture_until", "come_back_on", "owner"])
    events.record(EventKind.LEAD_REOPENED, subject=lead, by=by, at=at, old={"status": old}, new={"status": lead.status})
    advocacy.resume(lead=lead, by=by, at=at)
    return lead


def _judge(
    lead: Lead, verdict: Verdict, kind: EventKind, by: User, at: datetime, said: dict[str, Any], **fields: Any
) -> Lead:
    old = lead.verdict
    lead.verdict, lead.verdict_at, lead.verdict_by = verdict, at, by
    for name, value in fields.items():
        setattr(lead, name, value)
    lead.save(update_fields=["status", "verdict", "verdict_at", "verdict_by", *fields])
    events.record(kind, subject=lead, by=by, at=at, old={"verdict": old}, new={"verdict": verdict, **said})
    return lead


def _move(lead: Lead, status: LeadStatus) -> None:
    if not lead.may_move_to(status):
        raise Refused(_("Take this lead in hand first.") if lead.status == LeadStatus.NEW else _cannot(lead))
    lead.status = status


def _cannot(lead: Lead) -> str:
    return _("This lead is %(status)s, so this cannot be done any more.") % {"status": lead.get_status_display()}
