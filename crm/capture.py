"""Take in what arrives from outside, once. Every way in (form, mail, webhook, file, referral, by hand) ends here with one `Arrival`.

Who writes again, writes to the lead that is open (ADR 18): the rule stands in this module and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm import assignment, clock, conversations, events, leads, locks, people, touches
from crm.channels.reading_along import Reading
from crm.models import (
    IN_HAND,
    CaptureForm,
    Channel,
    Content,
    ConversationKind,
    Direction,
    EventKind,
    InboundHook,
    Lead,
    LeadStatus,
    Organisation,
    OwnerRule,
    Person,
    ReceivedMessage,
    Team,
    User,
)
from crm.notation import one_line

FIRST_ANSWER_WITHIN = timedelta(hours=1)
"""Working time to the first answer. Firms that answer within an hour are seven times likelier to qualify a lead than those that take an hour
longer (Oldroyd, McElheran, Elkington: The Short Life of Online Sales Leads, Harvard Business Review, March 2011)."""

WRITES = frozenset({Channel.FORM, Channel.EMAIL, Channel.WEBHOOK})
"""Ways in by which somebody writes to us themselves. By any other, one of us decided that there is a lead."""
OPEN = (*IN_HAND, LeadStatus.HANDED_OFF)
"""A lead to which somebody can write again."""
LONGEST_ID = 200


@dataclass(frozen=True)
class Arrival:
    """One message as it came in, whatever the channel.

    `external_id` is the sender's own id of the message: the same one is remembered once. `answers` are those that the prospect gave to questions
    of a scorecard, by the key of the criterion. `reading` is what their browser remembers of our site. Who gets the lead is chosen by
    `owner_rule`, within `team` or as `owner` says; without a rule `owner` gets it. A known `person` comes with their `company`.
    """

    channel: Channel
    external_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    organisation: str = ""
    job: str = ""
    postcode: str = ""
    country: str = ""
    message: str = ""
    origin: str = ""
    language: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    content: Content | None = None
    form: CaptureForm | None = None
    hook: InboundHook | None = None
    owner_rule: OwnerRule | None = None
    owner: User | None = None
    team: Team | None = None
    person: Person | None = None
    company: Organisation | None = None


@dataclass(frozen=True)
class Received:
    """The lead to which the message belongs, and whether it began it: a retry, or somebody who writes again, gets the lead that is there."""

    lead: Lead
    is_new: bool


@transaction.atomic
def receive(arrival: Arrival, *, at: datetime, by: User | None = None) -> Received:
    """The message is a lead, of a known person and organisation where we can tell, with a response clock that runs in working hours; or it stands
    on the lead that its sender has open.

    Who writes by form, mail or webhook and has a lead in hand or handed off has written again: their message is an incoming conversation on the
    newest such lead (a mail is that by itself, in `correspondence`), and no second lead begins. The response clock is left as it is: one that
    runs keeps its moment, and one that was answered does not run anew; the lead's page shows what they wrote. A message from a file, a referral
    or by hand always begins a lead.

    The same message (channel and external id) again gives the lead that it has and changes nothing, also when both arrive at the same moment.
    What we did not know yet of organisation and job is filled in; what we know stays. Refuses what `people.recognise` refuses (an address or
    number that is none), and a country that is none; then nothing is stored.
    """
    own_id = _bounded(arrival.external_id)
    if own_id:
        locks.hold("arrival", arrival.channel, own_id)
        known = ReceivedMessage.objects.filter(channel=arrival.channel, external_id=own_id).select_related("lead")
        if before := known.first():
            return Received(before.lead, is_new=False)

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
    if person is not None:
        # Two messages of one person at the same moment: the second finds the lead of the first.
        locks.hold("writer", person.pk)
    _fill_in(arrival, person, company, by, at)
    lead = open_lead(person) if person is not None and arrival.channel in WRITES else None
    is_new = lead is None
    if lead is None:
        lead = _begin(arrival, own_id, person, company, by, at)
    else:
        _write_again(lead, arrival, by, at)
    if own_id:
        ReceivedMessage.objects.create(
            channel=arrival.channel,
            external_id=own_id,
            lead=lead,
            is_first=is_new,
            message=arrival.message.strip(),
            received_at=at,
        )
    touches.remember(lead=lead, person=person, content=arrival.content, reading=arrival.reading, at=at)
    if arrival.answers:
        leads.answer_by_prospect(lead=lead, answers=arrival.answers, evidence=_evidence(arrival, lead), at=at)
    return Received(lead, is_new=is_new)


def open_lead(person: Person) -> Lead | None:
    """The newest lead of this person that is in hand or handed off, held until the transaction ends; `None` when they have none."""
    rows = Lead.objects.filter(person=person, status__in=OPEN).order_by("-received_at", "-pk")
    held = (leads.held(row) for row in rows)
    return next((lead for lead in held if lead.status in OPEN and lead.person_id == person.pk), None)


def _begin(
    arrival: Arrival,
    own_id: str,
    person: Person | None,
    company: Organisation | None,
    by: User | None,
    at: datetime,
) -> Lead:
    choice = _choice(arrival, person, company, at)  # Whoever is chosen gets it from `assignment`, and is told.
    given = arrival.owner if not arrival.owner_rule and arrival.owner and arrival.owner.is_active else None
    lead = Lead.objects.create(
        channel=arrival.channel,
        external_id=own_id,
        origin=arrival.origin,
        person=person,
        organisation=company,
        content=arrival.content,
        form=arrival.form,
        message=arrival.message.strip(),
        received_at=at,
        owner=given,
        assigned_at=at if given else None,
        status=LeadStatus.NEW,
        answer_due_at=_answer_due(
            choice.owner if choice else given, arrival.team or (arrival.form.team if arrival.form else None), at
        ),
    )
    events.record(
        EventKind.LEAD_RECEIVED,
        subject=lead,
        by=by,
        at=at,
        person=person,
        organisation=company,
        new={"channel": arrival.channel, "origin": arrival.origin, "content": events.readable(arrival.content)},
    )
    return assignment.give(lead=lead, choice=choice, at=at) if choice else lead


def _choice(
    arrival: Arrival, person: Person | None, company: Organisation | None, at: datetime
) -> assignment.Choice | None:
    if not arrival.owner_rule:
        return None
    return assignment.choose(
        person=person,
        organisation=company,
        language=arrival.language,
        origin=arrival.origin,
        owner_rule=arrival.owner_rule,
        owner=arrival.owner,
        team=arrival.team,
        country=arrival.country.strip().upper(),
        at=at,
    )


def _answer_due(owner: User | None, team: Team | None, at: datetime) -> datetime:
    """By when the first answer is due: within the time of their SDR's team, in the hours of that SDR. As long as nobody has it, in those of the team
    for which it came; without one, in the organisation's."""
    waits_for = owner.team if owner is not None and owner.team is not None else team
    within = timedelta(minutes=waits_for.first_answer_minutes) if waits_for else FIRST_ANSWER_WITHIN
    calendar = owner.calendar if owner else team.calendar if team else clock.organisation_calendar()
    return clock.add_working_time(at, within, calendar)


def _write_again(lead: Lead, arrival: Arrival, by: User | None, at: datetime) -> None:
    if arrival.channel != Channel.EMAIL:
        conversations.log(
            people=[lead.person] if lead.person else [],
            kind=ConversationKind.EMAIL,
            direction=Direction.INCOMING,
            subject=str(arrival.form or arrival.hook or ""),
            summary=arrival.message,
            lead=lead,
            by=by,
            at=at,
        )
    events.record(
        EventKind.LEAD_WROTE_AGAIN,
        subject=lead,
        by=by,
        at=at,
        new={
            "channel": arrival.channel,
            "content": events.readable(arrival.content),
            "message": arrival.message.strip(),
        },
    )


def _fill_in(
    arrival: Arrival, person: Person | None, company: Organisation | None, by: User | None, at: datetime
) -> None:
    """What they say of themselves and we did not know yet."""
    said = {"postcode": one_line(arrival.postcode, 20), "country": arrival.country.strip()}
    if company is not None:
        unknown = {name: value for name, value in said.items() if value and not getattr(company, name)}
        if unknown:
            people.change_organisation(organisation=company, by=by, at=at, **unknown)
    elif person is not None and said["country"] and not person.country:
        people.change(person=person, by=by, at=at, country=said["country"])
    job = one_line(arrival.job, 150)
    if job and person is not None and company is not None:
        held = person.positions.current().filter(organisation=company).first()
        if held is not None and not held.title:
            people.add_position(person=person, organisation=company, title=job, by=by, at=at)


def _evidence(arrival: Arrival, lead: Lead) -> str:
    """Where their answers come from, in the words of whoever works the lead."""
    with translation.override(lead.owner.language if lead.owner else settings.LANGUAGE_CODE):
        if arrival.form:
            return _("answered on the form “%(form)s”") % {"form": arrival.form}
        if arrival.hook:
            return _("sent by the webhook “%(hook)s”") % {"hook": arrival.hook}
        return _("answered by themselves")


def _bounded(external_id: str) -> str:
    """An id that is longer than we can keep is kept by its hash."""
    if len(external_id) <= LONGEST_ID:
        return external_id
    return "sha256:" + hashlib.sha256(external_id.encode()).hexdigest()
