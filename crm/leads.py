"""Work a lead: take it, answer it, judge it by the scorecard, and give a verdict. A person gives the verdict, never a formula alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm import conversations, events, letters, locks, outbox
from crm.models import (
    IN_HAND,
    Conversation,
    ConversationKind,
    DeclineReason,
    Direction,
    EventKind,
    Lead,
    LeadStatus,
    User,
    Verdict,
)
from crm.refusal import Refused
from qualification import assessing
from qualification.assessing import Sheet
from qualification.models import Answer, Assessment, Criterion, Reply, Scorecard
from qualification.scoring import Result, SideResult

DOUBLE_CLICK = timedelta(minutes=10)
"""Within this time the very same answer to the same lead is the same answer, sent once."""


@transaction.atomic
def take(*, lead: Lead, by: User, at: datetime) -> Lead:
    """The lead is in `by`'s hands and being qualified. Taking one's own again changes nothing; one that a colleague took is refused."""
    lead = _locked(lead)
    if lead.owner_id == by.pk and lead.status != LeadStatus.NEW:
        return lead
    if lead.status != LeadStatus.NEW:
        raise Refused(_("%(name)s has taken this lead already.") % {"name": lead.owner or _("Somebody")})
    old = lead.owner
    lead.owner, lead.status = by, LeadStatus.WORKING
    lead.save(update_fields=["owner", "status"])
    events.record(
        EventKind.LEAD_TAKEN, subject=lead, by=by, at=at, old={"owner": events.readable(old)}, new={"owner": str(by)}
    )
    return lead


@transaction.atomic
def assign(*, lead: Lead, to: User, by: User, at: datetime) -> Lead:
    """The lead is `to`'s work now. Refuses somebody who cannot log in any more, and a lead that is out of the SDR's hands."""
    lead = _locked(lead)
    if not to.is_active:
        raise Refused(_("%(name)s no longer works with Kring. Choose somebody else.") % {"name": to})
    if lead.status not in IN_HAND:
        raise Refused(
            _("This lead is %(status)s and cannot be given to somebody else.") % {"status": lead.get_status_display()}
        )
    if lead.owner_id != to.pk:
        old, lead.owner = lead.owner, to
        lead.save(update_fields=["owner"])
        events.record(
            EventKind.LEAD_ASSIGNED,
            subject=lead,
            by=by,
            at=at,
            old={"owner": events.readable(old)},
            new={"owner": str(to)},
        )
    return lead


@transaction.atomic
def answer(*, lead: Lead, message: str, by: User, at: datetime, subject: str = "") -> Conversation:
    """Our answer is on its way by mail and stands in the timeline; the response clock has stopped; a new lead is in `by`'s hands.

    The same answer again within ten minutes is a double click and sends nothing. Refuses an empty message, and a lead whose person has no
    e-mail address.
    """
    if not message.strip():
        raise Refused(_("Write something to send."))
    lead = _locked(lead)
    address = lead.person.email_addresses.first() if lead.person else None
    if lead.person is None or address is None:
        raise Refused(_("We have no e-mail address of this person. Call, and log the conversation."))
    sent = lead.conversations.filter(
        kind=ConversationKind.EMAIL,
        direction=Direction.OUTGOING,
        summary=message.strip(),
        at__gt=at - DOUBLE_CLICK,
    ).first()
    if sent:
        return sent
    person = lead.person
    if lead.status == LeadStatus.NEW:
        lead = take(lead=lead, by=by, at=at)
    outbox.put(
        to=address.address,
        subject=subject.strip() or letters.subject(language(lead)),
        body=message.strip(),
        by=by,
        at=at,
        lead=lead,
        person=person,
    )
    return conversations.log(
        people=[person],
        kind=ConversationKind.EMAIL,
        direction=Direction.OUTGOING,
        summary=message,
        lead=lead,
        by=by,
        at=at,
    )


def language(lead: Lead) -> str:
    """The language in which to write to them: the person's own, else that of the form they filled in, else ours."""
    spoken = lead.person.language if lead.person else ""
    return spoken or (lead.form.language if lead.form else "") or settings.LANGUAGE_CODE


@transaction.atomic
def assess(*, lead: Lead, at: datetime, scorecard: Scorecard | None = None) -> Assessment:
    """The lead's assessment: the one it has, else a fresh one on `scorecard` (default: the first that is in use). Refuses when there is none."""
    lead = _locked(lead)
    if lead.assessment_id is None:
        scorecard = scorecard or Scorecard.objects.current().first()
        if scorecard is None:
            raise Refused(_("There is no scorecard in use. An administrator makes one in the settings."))
        lead.assessment = assessing.begin(scorecard)
        lead.save(update_fields=["assessment"])
    assert lead.assessment is not None
    return lead.assessment


@transaction.atomic
def answer_criterion(
    *, lead: Lead, criterion: Criterion, reply: Reply | str, evidence: str, by: User, at: datetime
) -> Answer:
    """One question of the scorecard is answered for this lead. Refuses a lead that is out of hand, and a *yes* or *no* without evidence."""
    lead = _locked(lead)
    if lead.status not in IN_HAND:
        raise Refused(
            _("This lead is %(status)s; its answers stand as they are.") % {"status": lead.get_status_display()}
        )
    if reply not in (Reply.UNKNOWN, "") and not evidence.strip():
        raise Refused(_("Say how you know: their own words, or what you saw."))
    assessment = assess(lead=lead, at=at, scorecard=criterion.scorecard)
    try:
        row, before = assessing.answer(
            assessment, criterion, reply=reply or Reply.UNKNOWN, evidence=evidence.strip(), at=at
        )
    except ValueError:
        raise Refused(_("This question is not on the scorecard of this lead.")) from None
    events.record(
        EventKind.LEAD_ANSWER_SCORED,
        subject=lead,
        by=by,
        at=at,
        old={"reply": before},
        new={"question": criterion.question, "reply": row.reply, "evidence": row.evidence},
    )
    return row


def sheet(lead: Lead, scorecard: Scorecard | None = None) -> Sheet | None:
    """The scorecard as it stands for this lead: its own, else `scorecard`, else the first that is in use; `None` when there is none at all."""
    if lead.assessment:
        return assessing.sheet(lead.assessment.scorecard, lead.assessment)
    scorecard = scorecard or Scorecard.objects.current().first()
    return assessing.sheet(scorecard) if scorecard else None


def result(lead: Lead) -> Result | None:
    """Both sides' advice on the lead; `None` when it has no assessment yet."""
    return assessing.result(lead.assessment) if lead.assessment_id and lead.assessment else None


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
    lead = _locked(lead)
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
    lead = _locked(lead)
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
    reason: DeclineReason | str,
    by: User,
    at: datetime,
    note: str = "",
    message: str = "",
    come_back_on: date | None = None,
) -> Lead:
    """A good no, in one act: the reason is kept, the friendly message (when there is one) is on its way, and it is quiet until `come_back_on`.

    Refuses without a known reason, with a come-back date that is not in the future, and with a message for somebody without an address.
    """
    lead = _locked(lead)
    if reason not in DeclineReason.values:
        raise Refused(_("Choose the reason: we want to learn from a no."))
    if come_back_on and come_back_on <= at.astimezone(by.zone).date():
        raise Refused(_("Choose a come-back day in the future, or none."))
    _move(lead, LeadStatus.DECLINED)
    if message.strip():
        address = lead.person.email_addresses.first() if lead.person else None
        if address is None:
            raise Refused(_("We have no e-mail address of this person. Decline without a message, or call."))
        outbox.put(
            to=address.address,
            subject=letters.subject(language(lead)),
            body=message.strip(),
            by=by,
            at=at,
            lead=lead,
            person=lead.person,
        )
        conversations.log(
            people=[lead.person] if lead.person else [],
            kind=ConversationKind.EMAIL,
            direction=Direction.OUTGOING,
            summary=message,
            lead=lead,
            by=by,
            at=at,
        )
    return _judge(
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


@transaction.atomic
def reopen(*, lead: Lead, by: User, at: datetime) -> Lead:
    """A declined or nurtured lead is being qualified again, by `by`; its earlier verdict stays in the timeline."""
    lead = _locked(lead)
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


def _locked(lead: Lead) -> Lead:
    """The row as it is now, held until the transaction ends; verbs decide on it and not on what a page showed."""
    return locks.row(Lead.objects.select_related("person", "organisation", "owner", "assessment__scorecard"), lead.pk)
