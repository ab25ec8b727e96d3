"""Take in what arrives from outside, once. Every way in (form, file, referral, by hand) ends here with one `Arrival`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from crm import clock, events, locks, people
from crm.models import CaptureForm, Channel, Content, EventKind, Lead, LeadStatus, Organisation, Person, Touch, User

FIRST_ANSWER_WITHIN = timedelta(hours=1)
"""Working time to the first answer. Firms that answer within an hour are seven times likelier to qualify a lead than those that take an hour
longer (Oldroyd, McElheran, Elkington: The Short Life of Online Sales Leads, Harvard Business Review, March 2011)."""


@dataclass(frozen=True)
class Arrival:
    """One message as it came in, whatever the channel. `external_id` is the sender's own id of the message: the same one is remembered once."""

    channel: Channel
    external_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    organisation: str = ""
    message: str = ""
    origin: str = ""
    language: str = ""
    content: Content | None = None
    form: CaptureForm | None = None
    owner: User | None = None
    person: Person | None = None
    company: Organisation | None = None


@dataclass(frozen=True)
class Received:
    """The lead that the message became, and whether it is new: a retry gets the lead that is there already."""

    lead: Lead
    is_new: bool


@transaction.atomic
def receive(arrival: Arrival, *, at: datetime, by: User | None = None) -> Received:
    """The message is a lead, of a known person and organisation where we can tell, with a response clock that runs in working hours.

    The same message (channel and external id) again gives the first lead and changes nothing, also when both arrive at the same moment. Refuses
    what `people.recognise` refuses (an address or number that is none); then nothing is stored.
    """
    if arrival.external_id:
        locks.hold("arrival", arrival.channel, arrival.external_id)
        known = Lead.objects.filter(channel=arrival.channel, external_id=arrival.external_id).first()
        if known:
            return Received(known, is_new=False)

    person, company = arrival.person, arrival.company
    if person is None:
        person, company = people.recognise(
            name=arrival.name,
            email=arrival.email,
            phone=arrival.phone,
            organisation=arrival.organisation,
            language=arrival.language,
            by=by,
            at=at,
        )
    owner = arrival.owner if arrival.owner and arrival.owner.is_active else None
    lead = Lead.objects.create(
        channel=arrival.channel,
        external_id=arrival.external_id,
        origin=arrival.origin,
        person=person,
        organisation=company,
        content=arrival.content,
        form=arrival.form,
        message=arrival.message.strip(),
        received_at=at,
        owner=owner,
        status=LeadStatus.NEW,
        answer_due_at=clock.add_working_time(
            at, FIRST_ANSWER_WITHIN, owner.calendar if owner else clock.organisation_calendar()
        ),
    )
    if person and arrival.content:
        Touch.objects.get_or_create(person=person, content=arrival.content, at=at)
    events.record(
        EventKind.LEAD_RECEIVED,
        subject=lead,
        by=by,
        at=at,
        person=person,
        organisation=company,
        new={"channel": arrival.channel, "origin": arrival.origin, "content": events.readable(arrival.content)},
    )
    return Received(lead, is_new=True)
