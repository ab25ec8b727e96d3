"""Give a verdict on a lead: qualified, nurture or declined; or say that we need to know more, with the question to ask."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import advocacy, events, leads, outbox, overrides, people
from crm.models import (
    Alternative,
    DeclineReason,
    EventKind,
    Gate,
    Lead,
    LeadStatus,
    User,
    Verdict,
)
from crm.notation import one_line
from crm.refusal import Refused
from crm.verdicts.missing import missing
from qualification import assessing

LINE = 300
"""Letters of a question or a reason: a line, not a story."""


class AgainstAdvice(Refused):
    """The scorecard says otherwise. With a reason (`why`) the verdict is given all the same."""


@transaction.atomic
def qualify(*, lead: Lead, by: User, at: datetime, why: str = "") -> Lead:
    """The verdict is *qualified*. Unless both sides say yes and every must-have is met it goes against the advice: refuses with what is missing
    (`AgainstAdvice`), or with `why` keeps that reason and lists the override. Refuses a lead without a single answer: there is nothing to go by.
    """
    lead = leads.held(lead)
    if lead.assessment is None:
        raise Refused(_("Answer the scorecard first: both sides must say yes."))
    advice = (standing := assessing.sheet(lead.assessment.scorecard, lead.assessment)).result
    why = "" if advice.both_yes else line_of(why)
    if not advice.both_yes and not why:
        raise AgainstAdvice(next(iter(missing(standing)), _("Both sides must say yes.")))
    if lead.verdict == Verdict.QUALIFIED and lead.status != LeadStatus.WORKING:
        return lead
    _move(lead, LeadStatus.QUALIFIED)
    lead = _judge(
        lead,
        Verdict.QUALIFIED,
        EventKind.LEAD_QUALIFIED,
        by,
        at,
        {"ours": advice.ours.score, "theirs": advice.theirs.score, "why": why},
        qualified_at=lead.qualified_at or at,
        verdict_why=why,
    )
    if why:
        overrides.record(gate=Gate.VERDICT, why=why, by=by, at=at, lead=lead)
    return lead


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
def ask_first(*, lead: Lead, question: str, on: date, by: User, at: datetime) -> Lead:
    """We need to know more: the lead stays in hand, with the question to ask and the day on which it comes as a follow-up. Another question takes
    the place of the one before. Refuses an empty or long question, a day in the past, and a lead that is not being qualified."""
    lead = leads.held(lead)
    if lead.status != LeadStatus.WORKING:
        raise Refused(_("Take this lead in hand first.") if lead.status == LeadStatus.NEW else cannot(lead))
    question = line_of(question)
    if not question:
        raise Refused(_("Write down what you need to ask."))
    if on < at.astimezone(by.zone).date():
        raise Refused(_("Choose today or a day that is still to come."))
    old = {"question": lead.open_question, "on": lead.open_question_on}
    if (lead.open_question, lead.open_question_on) == (question, on):
        return lead
    lead.open_question, lead.open_question_on = question, on
    lead.save(update_fields=["open_question", "open_question_on"])
    events.record(EventKind.LEAD_QUESTIONED, subject=lead, by=by, at=at, old=old, new={"question": question, "on": on})
    return lead


@transaction.atomic
def question_answered(*, lead: Lead, answer: str, by: User, at: datetime) -> Lead:
    """What we needed to know is known: the question is open no more, and what they said stands on the timeline. Refuses an empty or long answer;
    without an open question nothing changes."""
    lead = leads.held(lead)
    answer = line_of(answer)
    if not answer:
        raise Refused(_("Write down what they said."))
    if lead.open_question:
        asked, lead.open_question, lead.open_question_on = lead.open_question, "", None
        lead.save(update_fields=["open_question", "open_question_on"])
        events.record(
            EventKind.LEAD_QUESTIONED,
            subject=lead,
            by=by,
            at=at,
            old={"question": asked},
            new={"question": "", "answer": answer},
        )
    return lead


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
    alternative: Alternative | None = None,
    why: str = "",
) -> Lead:
    """A good no, in one act: the reason is kept, the friendly message (when there is one) is on its way, and nobody of us is in touch until
    `come_back_on`. A referral that brought the lead is not won, so that whoever introduced them can be told.

    Refuses without a reason of the list that is in use, with an alternative that is not, with a come-back date that is not in the future, and with
    a message for somebody without an address or who asked us not to write. When both sides say yes it goes against the advice and takes a `why`
    (`AgainstAdvice`).
    """
    lead = leads.held(lead)
    chosen = DeclineReason.objects.filter(code=str(getattr(reason, "code", reason)), is_active=True).first()
    if chosen is None:
        raise Refused(_("Choose the reason: we want to learn from a no."))
    if alternative is not None and not alternative.is_active:
        raise Refused(_("“%(name)s” is not offered any more. Choose another alternative.") % {"name": alternative})
    if come_back_on and come_back_on <= at.astimezone(by.zone).date():
        raise Refused(_("Choose a come-back day in the future, or none."))
    both_yes = (advice := leads.result(lead)) is not None and advice.both_yes
    why = line_of(why) if both_yes else ""
    _move(lead, LeadStatus.DECLINED)
    if both_yes and not why:
        raise AgainstAdvice(_("Both sides say yes to each other. Say why you decline all the same."))
    if message.strip():
        _send(lead, message.strip(), by, at)
    lead = _judge(
        lead,
        Verdict.DECLINED,
        EventKind.LEAD_DECLINED,
        by,
        at,
        {
            "reason": chosen.code,
            "reason_en": chosen.label_en,
            "reason_nl": chosen.label_nl,
            "note": note,
            "come_back_on": come_back_on,
            "alternative": str(alternative or ""),
            "why": why,
        },
        decline_reason=chosen.code,
        decline_note=note.strip(),
        come_back_on=come_back_on,
        alternative=alternative,
        nurture_until=None,
        verdict_why=why,
        would_decide_same=None,
        evaluation="",
        evaluated_at=None,
        evaluated_by=None,
    )
    if come_back_on and lead.person and (lead.person.not_before is None or lead.person.not_before < come_back_on):
        kept_for = _("we said no until then: %(reason)s") % {"reason": chosen.label}
        people.set_not_before(person=lead.person, until=come_back_on, why=kept_for, by=by, at=at)
    advocacy.settle(lead=lead, is_won=False, by=by, at=at)
    return lead


def _send(lead: Lead, message: str, by: User, at: datetime) -> None:
    """The message is on its way to them and stands on the timeline as a conversation."""
    address = outbox.address_of(lead.person) if lead.person else None
    if lead.person is None or address is None:
        raise Refused(_("We have no e-mail address of this person. Decline without a message, or call."))
    leads.send(lead=lead, to=address, message=message, override=_("They asked, and this answers them."), by=by, at=at)


def _judge(
    lead: Lead, verdict: Verdict, kind: EventKind, by: User, at: datetime, said: dict[str, Any], **fields: Any
) -> Lead:
    """The verdict is given, and what we needed to know before it is asked no more."""
    fields = {"open_question": "", "open_question_on": None, "verdict_why": ""} | fields
    old = lead.verdict
    lead.verdict, lead.verdict_at, lead.verdict_by = verdict, at, by
    for name, value in fields.items():
        setattr(lead, name, value)
    lead.save(update_fields=["status", "verdict", "verdict_at", "verdict_by", *fields])
    events.record(kind, subject=lead, by=by, at=at, old={"verdict": old}, new={"verdict": verdict, **said})
    return lead


def _move(lead: Lead, status: LeadStatus) -> None:
    if not lead.may_move_to(status):
        raise Refused(_("Take this lead in hand first.") if lead.status == LeadStatus.NEW else cannot(lead))
    lead.status = status


def cannot(lead: Lead) -> str:
    """Why a lead in this status is past it."""
    return _("This lead is %(status)s, so this cannot be done any more.") % {"status": lead.get_status_display()}


def line_of(text: str) -> str:
    """The words on one line. Refuses a story."""
    line = one_line(text)
    if len(line) > LINE:
        raise Refused(_("Say it in at most %(count)s characters.") % {"count": LINE})
    return line
