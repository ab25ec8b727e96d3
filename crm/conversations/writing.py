"""A conversation is remembered, or removed, and everything that it concerns knows it at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events
from crm.conversations import response_clock
from crm.conversations.last_contact import recompute_around
from crm.models import (
    Conversation,
    ConversationKind,
    Deal,
    Direction,
    EventKind,
    Lead,
    Organisation,
    Person,
    User,
)
from crm.refusal import Refused

CLOCK_SKEW = timedelta(minutes=5)

TEXTS = ("subject", "summary", "learned", "quote")
"""What was said. Of a conversation that is kept private none of it stands in an event, since colleagues read those."""
KEPT = (
    "kind",
    "direction",
    "at",
    "minutes",
    *TEXTS,
    "is_information",
    "is_automatic",
    "is_journey_interview",
    "has_learning",
    "has_gain",
    "has_next_step",
)
"""What the audit keeps of one that is removed."""


@transaction.atomic
def log(
    *,
    people: Iterable[Person],
    kind: ConversationKind | str,
    by: User | None,
    at: datetime,
    when: datetime | None = None,
    direction: Direction | str = Direction.BOTH,
    lead: Lead | None = None,
    deal: Deal | None = None,
    organisation: Organisation | None = None,
    minutes: int | None = None,
    subject: str = "",
    summary: str = "",
    learned: str = "",
    quote: str = "",
    is_information: bool = False,
    is_automatic: bool = False,
    is_journey_interview: bool = False,
    has_learning: bool = False,
    has_gain: bool = False,
    has_next_step: bool = False,
    private_to: User | None = None,
) -> Conversation:
    """The conversation is remembered, last contact of everybody and everything it concerns is true, and a lead's response clock has stopped when
    this was our first word to them.

    `when` is when it happened (default `at`). A conversation on a deal is also one on its lead; person and organisation are filled in from
    either. What is learned counts as learning. What a machine wrote (`is_automatic`) is no contact and stops no clock. With `private_to` only
    that user reads what was said. Refuses one that lies in the future or concerns nobody.
    """
    when = when or at
    must_be_past(when, at)
    if deal is not None and lead is None:
        lead = deal.lead
    source = deal or lead
    spoken_to = list({person.pk: person for person in people}.values())
    if not spoken_to and source is not None and source.person is not None:
        spoken_to = [source.person]
    if organisation is None:
        organisation = source.organisation if source is not None else _main_organisation(spoken_to)
    must_concern_somebody(spoken_to, source, organisation)

    conversation = Conversation.objects.create(
        organisation=organisation,
        lead=lead,
        deal=deal,
        kind=kind,
        direction=direction,
        at=when,
        minutes=minutes,
        subject=" ".join(subject.split())[:300],
        summary=summary.strip(),
        learned=learned.strip(),
        quote=quote.strip(),
        is_information=is_information,
        is_automatic=is_automatic,
        is_journey_interview=is_journey_interview,
        has_learning=has_learning or bool(learned.strip()),
        has_gain=has_gain,
        has_next_step=has_next_step,
        by=by,
        private_to=private_to,
    )
    conversation.people.set(spoken_to)
    recompute_around(conversation, people=[person.pk for person in spoken_to])
    if lead is not None and response_clock.answers(conversation):
        response_clock.stop(lead, by=by, when=when, at=at)
    events.record(
        EventKind.CONVERSATION_LOGGED,
        subject=conversation,
        by=by,
        at=at,
        person=spoken_to[0] if spoken_to else None,
        organisation=organisation,
        lead=lead,
        deal=deal,
        new={"kind": kind, "direction": direction, "when": when},
    )
    return conversation


@transaction.atomic
def delete(*, conversation: Conversation, by: User | None, at: datetime) -> None:
    """The conversation is gone from every page; the audit keeps what it said (of a private one only that it was), and last contact is computed
    afresh without it.

    When it was our first word to a lead, the response clock stands where the next word stopped it, or runs again when there is none. One that
    somebody else removed meanwhile stays removed once. Refuses one that somebody else keeps private.
    """
    rows = Conversation.objects.select_related("lead", "deal", "organisation", "private_to")
    row = rows.select_for_update(of=("self",)).filter(pk=conversation.pk).first()
    if row is None:
        return
    must_be_open_to(row, by)
    people = list(row.people.values_list("pk", flat=True))
    told = [name for name in KEPT if row.private_to_id is None or name not in TEXTS]
    old: dict[str, Any] = {name: getattr(row, name) for name in told}
    events.record(
        EventKind.CONVERSATION_DELETED,
        subject=row,
        by=by,
        at=at,
        person=Person.objects.filter(pk__in=people).first(),
        organisation=row.organisation,
        lead=row.lead,
        deal=row.deal,
        old={**old, "people": people},
    )
    place = Conversation(organisation_id=row.organisation_id, lead_id=row.lead_id, deal_id=row.deal_id)
    row.delete()
    recompute_around(place, people=people)
    if place.lead_id is not None:
        response_clock.restart(place.lead_id, stopped_at=old["at"])


def must_be_past(when: datetime, at: datetime) -> None:
    if when > at + CLOCK_SKEW:
        raise Refused(_("This conversation lies in the future. Log it when it has taken place, or plan a follow-up."))


def must_concern_somebody(people: list[Person], source: Lead | Deal | None, organisation: Organisation | None) -> None:
    if not people and source is None and organisation is None:
        raise Refused(_("Say with whom you spoke."))


def must_be_open_to(conversation: Conversation, by: User | None) -> None:
    """Kring itself (`by` is None) may always, since it shows nobody what was said."""
    if by is not None and not conversation.is_open_to(by):
        raise Refused(
            _("%(name)s keeps this conversation private, so only they can change it.")
            % {"name": conversation.private_to}
        )


def _main_organisation(people: list[Person]) -> Organisation | None:
    for person in people:
        position = person.positions.current().select_related("organisation").first()
        if position:
            return position.organisation
    return None
