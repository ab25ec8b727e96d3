"""The brief of a hand-off: everything on which an account manager decides, gathered on one page in a fixed number of queries, from what stands there
anyhow. Nobody writes it, so it is never out of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm import reading
from crm.models import (
    Appointment,
    Conversation,
    EmailAddress,
    HandOff,
    HandOffQuestion,
    HandOffState,
    Lead,
    LeadTouch,
    PastAssessment,
    Person,
    PhoneNumber,
    Position,
    Promise,
    ReceivedMessage,
    User,
)
from crm.reading import Reading
from qualification import assessing
from qualification.assessing import Sheet

MOST_SAID = 4
MOST_QUOTES = 4
MOST_READ = 6
LOOKED_AT = 30
"""So many of the newest conversations are looked through for their words and their agreed step."""


@dataclass(frozen=True)
class NextStep:
    """What both agreed: an appointment that stands, else the conversation in which it was agreed."""

    appointment: Appointment | None = None
    conversation: Conversation | None = None


@dataclass(frozen=True)
class Brief:
    """`said` and `quotes` hold only what the reader may read. `messages`: what they wrote after the first message. `earlier`: how they were judged
    before; `before`: hand-offs of this lead that came to nothing. `introduced_by`: whom we thank for them."""

    lead: Lead
    person: Person | None
    position: Position | None
    email: EmailAddress | None
    phone: PhoneNumber | None
    introduced_by: Person | None
    messages: Sequence[ReceivedMessage]
    reading: Reading
    found_by: Sequence[LeadTouch]
    sheet: Sheet | None
    said: Sequence[Conversation]
    quotes: Sequence[Conversation]
    promises: Sequence[Promise]
    next_step: NextStep | None
    earlier: Sequence[PastAssessment]
    before: Sequence[HandOff]
    questions: Sequence[HandOffQuestion]

    @property
    def open_question(self) -> HandOffQuestion | None:
        """The one that the SDR is to answer, while the hand-off waits."""
        asked = (each for each in self.questions if each.answered_at is None)
        return next((each for each in asked if each.hand_off.state == HandOffState.SUBMITTED), None)

    @property
    def asked_before(self) -> Sequence[HandOffQuestion]:
        """Those that wait no longer."""
        return [each for each in self.questions if each != self.open_question]


def of(hand_off: HandOff, *, reader: User, at: datetime) -> Brief:
    """The brief of this hand-off as `reader` may read it. Reads `lead` with its person, organisation and assessment."""
    lead, person = hand_off.lead, hand_off.lead.person
    conversations = list(
        lead.conversations.open_to(reader).contacts().select_related("by").order_by("-at", "-id")[:LOOKED_AT]
    )
    return Brief(
        lead=lead,
        person=person,
        position=_position(lead),
        email=person.email_addresses.first() if person else None,
        phone=person.phone_numbers.first() if person else None,
        introduced_by=_introduced_by(lead),
        messages=list(lead.received_messages.filter(is_first=False).exclude(message="")),
        reading=reading.of(person, latest=MOST_READ),
        found_by=sorted(lead.found_by.select_related("content"), key=lambda touch: touch.which),
        sheet=assessing.sheet(lead.assessment.scorecard, lead.assessment) if lead.assessment else None,
        said=conversations[:MOST_SAID],
        quotes=[each for each in conversations if each.quote][:MOST_QUOTES],
        promises=list(person.promises.open().for_list()) if person else [],
        next_step=_next_step(lead, conversations, at),
        earlier=list(lead.past_assessments.select_related("assessment__scorecard", "verdict_by")),
        before=list(
            lead.hand_offs.exclude(pk=hand_off.pk)
            .filter(state__in=(HandOffState.REJECTED, HandOffState.MOVED), submitted_at__lte=hand_off.submitted_at)
            .select_related("to_user")
            .order_by("-submitted_at")
        ),
        questions=list(
            HandOffQuestion.objects.filter(hand_off__lead=lead).select_related("by", "answered_by", "hand_off")
        ),
    )


def _position(lead: Lead) -> Position | None:
    """Their job at this organisation."""
    if lead.person_id is None or lead.organisation_id is None:
        return None
    return Position.objects.current().filter(person=lead.person_id, organisation=lead.organisation_id).first()


def _introduced_by(lead: Lead) -> Person | None:
    by_lead = Person.objects.filter(referrals_given__lead=lead).first()
    return by_lead or (lead.person.introduced_by if lead.person else None)


def _next_step(lead: Lead, conversations: Sequence[Conversation], at: datetime) -> NextStep | None:
    upcoming = Appointment.objects.booked().filter(ends_at__gt=at)
    upcoming = upcoming.filter(person=lead.person_id) if lead.person_id else upcoming.filter(lead=lead)
    if appointment := upcoming.select_related("user").order_by("starts_at", "id").first():
        return NextStep(appointment=appointment)
    agreed = next((each for each in conversations if each.has_next_step), None)
    return NextStep(conversation=agreed) if agreed else None
