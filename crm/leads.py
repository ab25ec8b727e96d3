"""Work a lead: take it, give it to a colleague, answer it, and judge it by the scorecard. Its verdict is given in `crm.verdicts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm import conversations, events, letters, locks, notices, outbox
from crm.models import (
    IN_HAND,
    Conversation,
    ConversationKind,
    Direction,
    EmailAddress,
    EventKind,
    Lead,
    LeadStatus,
    NoticeKind,
    User,
)
from crm.refusal import Refused
from qualification import assessing
from qualification.assessing import Sheet
from qualification.models import Answer, Assessment, Criterion, CriterionKind, Reply, Scorecard
from qualification.scoring import Result

MOST_TOLD = 1000
"""Letters of their message that go along when somebody is told of the lead."""
DOUBLE_CLICK = timedelta(minutes=10)
"""Within this time the very same answer to the same lead is the same answer, sent once."""


@transaction.atomic
def take(*, lead: Lead, by: User, at: datetime) -> Lead:
    """The lead is in `by`'s hands and being qualified. Taking one's own again changes nothing; one that a colleague took is refused."""
    lead = held(lead)
    if lead.owner_id == by.pk and lead.status != LeadStatus.NEW:
        return lead
    if lead.status != LeadStatus.NEW:
        raise Refused(_("%(name)s has taken this lead already.") % {"name": lead.owner or _("Somebody")})
    old = lead.owner
    _is_given(lead, by, at)
    lead.status = LeadStatus.WORKING
    lead.save(update_fields=["owner", "assigned_at", "status"])
    events.record(
        EventKind.LEAD_TAKEN, subject=lead, by=by, at=at, old={"owner": events.readable(old)}, new={"owner": str(by)}
    )
    return lead


@transaction.atomic
def assign(
    *, lead: Lead, to: User, by: User | None, at: datetime, why: Mapping[str, str] = MappingProxyType({})
) -> Lead:
    """The lead is `to`'s work now, and they are told when a colleague or Kring itself (no `by`) gave it; `why` stands in the event, for
    its sentence. Refuses somebody who cannot log in any more, and a lead that is out of the SDR's hands."""
    lead = held(lead)
    if not to.is_active:
        raise Refused(_("%(name)s no longer works with Kring. Choose somebody else.") % {"name": to})
    if lead.status not in IN_HAND:
        raise Refused(
            _("This lead is %(status)s and cannot be given to somebody else.") % {"status": lead.get_status_display()}
        )
    if lead.owner_id != to.pk:
        old = lead.owner
        _is_given(lead, to, at)
        lead.save(update_fields=["owner", "assigned_at"])
        events.record(
            EventKind.LEAD_ASSIGNED,
            subject=lead,
            by=by,
            at=at,
            old={"owner": events.readable(old)},
            new={"owner": str(to), **why},
        )
        tell_owner(lead=lead, by=by, at=at)
    return lead


def _is_given(lead: Lead, to: User, at: datetime) -> None:
    """From now on it is theirs; one that was theirs already stays so since then."""
    if lead.owner_id != to.pk or lead.assigned_at is None:
        lead.owner, lead.assigned_at = to, at


def tell_owner(*, lead: Lead, by: User | None, at: datetime) -> None:
    """Whose the lead is finds it among their notices; nobody is told of what they did themselves."""
    if lead.owner is None:
        return
    notices.tell(
        user=lead.owner,
        kind=NoticeKind.ASSIGNMENT,
        values={
            "lead": str(lead),
            "company": str(lead.organisation) if lead.organisation and lead.person else "",
            "message": lead.message.strip()[:MOST_TOLD],
            "answer_by": lead.answer_due_at if lead.answered_at is None else None,
        },
        path=reverse("crm:lead", args=[lead.pk]),
        at=at,
        by=by,
        subject=lead,
    )


@transaction.atomic
def answer(*, lead: Lead, message: str, by: User, at: datetime, subject: str = "", override: str = "") -> Conversation:
    """Our answer is on its way by mail and stands in the timeline; the response clock has stopped; a new lead is in `by`'s hands.

    The same answer again within ten minutes is a double click and sends nothing. Refuses an empty message, a lead whose person has no e-mail
    address to which mail goes, and somebody who asked us not to write; and a second word that comes too soon without a reason in `override`
    (`TooEarly`). The first word comes never too soon: they wait for it.
    """
    if not message.strip():
        raise Refused(_("Write something to send."))
    lead = held(lead)
    address = outbox.address_of(lead.person) if lead.person else None
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
    if lead.status == LeadStatus.NEW:
        lead = take(lead=lead, by=by, at=at)
    override = override.strip() or ("" if lead.answered_at else _("They asked, and this answers them."))
    return send(lead=lead, to=address, message=message, subject=subject, override=override, by=by, at=at)


def send(
    *, lead: Lead, to: EmailAddress, message: str, by: User, at: datetime, override: str, subject: str = ""
) -> Conversation:
    """The message is on its way to this address of the lead's person and stands on the timeline as a conversation. Refuses what `outbox.put`
    refuses."""
    message, subject = message.strip(), subject.strip() or letters.subject(language(lead))
    mail = outbox.put(
        to=to.address,
        subject=subject,
        body=message,
        by=by,
        at=at,
        lead=lead,
        person=to.person,
        override=override,
    )
    conversation = conversations.log(
        people=[to.person],
        kind=ConversationKind.EMAIL,
        direction=Direction.OUTGOING,
        subject=subject,
        summary=message,
        lead=lead,
        by=by,
        at=at,
    )
    outbox.logged_as(mail=mail, conversation=conversation)
    return conversation


def language(lead: Lead) -> str:
    """The language in which to write to them: the person's own, else that of the form they filled in, else ours."""
    spoken = lead.person.language if lead.person else ""
    return spoken or (lead.form.language if lead.form else "") or settings.LANGUAGE_CODE


@transaction.atomic
def assess(*, lead: Lead, scorecard: Scorecard | None = None) -> Assessment:
    """The lead's assessment: the one it has, else a fresh one on `scorecard` (default: the first that is in use). Refuses when there is none."""
    lead = held(lead)
    if lead.assessment_id is None:
        scorecard = scorecard or Scorecard.objects.current().first()
        if scorecard is None:
            raise Refused(_("There is no scorecard in use. An administrator makes one in the settings."))
        lead.assessment = assessing.begin(scorecard)
        lead.save(update_fields=["assessment"])
    assert lead.assessment is not None
    return lead.assessment


@transaction.atomic
def answer_criterion(*, lead: Lead, criterion: Criterion, value: str, evidence: str, by: User, at: datetime) -> Answer:
    """One question of the scorecard is answered for this lead, as the kind of the criterion has it. Refuses a lead that is out of hand, an answer
    that the criterion does not know, and one without evidence; words are their own."""
    lead = held(lead)
    if lead.status not in IN_HAND:
        raise Refused(
            _("This lead is %(status)s; its answers stand as they are.") % {"status": lead.get_status_display()}
        )
    if value not in (Reply.UNKNOWN, "") and criterion.kind != CriterionKind.TEXT and not evidence.strip():
        raise Refused(_("Say how you know: their own words, or what you saw."))
    assessment = assess(lead=lead, scorecard=criterion.scorecard)
    if criterion.scorecard_id != assessment.scorecard_id:
        raise Refused(_("This question is not on the scorecard of this lead."))
    try:
        row, before = assessing.answer(assessment, criterion, value=value, evidence=evidence.strip(), at=at)
    except ValueError:
        if criterion.kind == CriterionKind.NUMBER:
            raise Refused(_("Write a number in digits, such as 12 or 2.5.")) from None
        raise Refused(_("Choose one of the answers that this question offers.")) from None
    events.record(
        EventKind.LEAD_ANSWER_SCORED,
        subject=lead,
        by=by,
        at=at,
        old={"value": before},
        new={"question": criterion.question, "kind": criterion.kind, "value": row.value, "evidence": row.evidence},
    )
    return row


@transaction.atomic
def answer_by_prospect(*, lead: Lead, answers: Mapping[str, str], evidence: str, at: datetime) -> list[Answer]:
    """What the prospect answered themselves stands on the lead's scorecard, marked as theirs; `answers` go by the keys of criteria.

    The lead is judged by the scorecard that it has, else by the version in use that asks these questions. An answer that the criterion does not
    know, a question that prospects are not asked, and one that a colleague answered already are skipped; so is everything for a lead that is out
    of the SDR's hands. Returns what was kept.
    """
    lead = held(lead)
    given = {key: value for key, value in answers.items() if value.strip()}
    if lead.status not in IN_HAND or not given:
        return []
    asked = list(
        Criterion.objects.filter(key__in=given, asks_prospect=True)
        .filter(
            scorecard__in=[lead.assessment.scorecard_id]
            if lead.assessment
            else [card.pk for card in Scorecard.objects.current()]
        )
        .select_related("scorecard")
        .order_by("scorecard__name", "position", "pk")
    )
    asked = [criterion for criterion in asked if criterion.scorecard_id == asked[0].scorecard_id]
    if not asked:
        return []
    assessment = assess(lead=lead, scorecard=asked[0].scorecard)
    ours = set(assessment.answers.filter(is_theirs=False).exclude(value="").values_list("criterion_id", flat=True))
    kept = []
    for criterion in asked:
        if criterion.pk in ours:
            continue
        try:
            row, before = assessing.answer(
                assessment, criterion, value=given[criterion.key], evidence=evidence[:500], at=at, is_theirs=True
            )
        except ValueError:
            continue
        kept.append(row)
        events.record(
            EventKind.LEAD_ANSWER_SCORED,
            subject=lead,
            by=None,
            at=at,
            old={"value": before},
            new={"question": criterion.question, "kind": criterion.kind, "value": row.value, "evidence": row.evidence},
        )
    return kept


FARTHEST = 2000
"""Kilometres one way: more is a slip of the keyboard, or no visit."""


@transaction.atomic
def note_distance(*, lead: Lead, km: int | None, by: User, at: datetime) -> Lead:
    """So many kilometres it is from the office of the team to them, one way (`None`: not known any more). Refuses a distance that nobody drives."""
    lead = held(lead)
    if km is not None and not 0 <= km <= FARTHEST:
        raise Refused(_("Write the kilometres of one way, at most %(most)s.") % {"most": FARTHEST})
    if lead.distance_km != km:
        old, lead.distance_km = lead.distance_km, km
        lead.save(update_fields=["distance_km"])
        events.record(EventKind.LEAD_DISTANCE_SET, subject=lead, by=by, at=at, old={"km": old}, new={"km": km})
    return lead


def sheet(lead: Lead, scorecard: Scorecard | None = None) -> Sheet | None:
    """The scorecard as it stands for this lead: its own, else `scorecard`, else the first that is in use; `None` when there is none at all."""
    if lead.assessment:
        return assessing.sheet(lead.assessment.scorecard, lead.assessment)
    scorecard = scorecard or Scorecard.objects.current().first()
    return assessing.sheet(scorecard) if scorecard else None


def result(lead: Lead) -> Result | None:
    """Both sides' advice on the lead; `None` when it has no assessment yet."""
    return assessing.result(lead.assessment) if lead.assessment_id and lead.assessment else None


def held(lead: Lead) -> Lead:
    """The row as it is now, held until the transaction ends; verbs decide on it and not on what a page showed."""
    return locks.row(Lead.objects.select_related("person", "organisation", "owner", "assessment__scorecard"), lead.pk)
