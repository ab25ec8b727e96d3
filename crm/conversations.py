"""Log what was said, and keep every *last contact* true.

This is the only code that writes the columns of last contact and last reply: always by computing them afresh from the conversations that exist,
so that adding, editing, deleting or moving one can never leave a wrong date, and "never" stays `NULL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from crm import events
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
from crm.models.contact import REPLIES
from crm.refusal import Refused

CLOCK_SKEW = timedelta(minutes=5)


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
    summary: str = "",
    learned: str = "",
    quote: str = "",
    has_learning: bool = False,
    has_gain: bool = False,
    has_next_step: bool = False,
    subject: str = "",
    is_information: bool = False,
    is_automatic: bool = False,
    private_to: User | None = None,
) -> Conversation:
    """The conversation is remembered, last contact of everybody and everything it concerns is true, and a lead's response clock has stopped when
    this was our first word to them.

    `when` is when it happened (default `at`). A conversation on a deal is also one on its lead; person and organisation are filled in from
    either. What is learned counts as learning. Refuses one that lies in the future or concerns nobody.
    """
    when = when or at
    if when > at + CLOCK_SKEW:
        raise Refused(_("This conversation lies in the future. Log it when it has taken place, or plan a follow-up."))
    if deal is not None and lead is None:
        lead = deal.lead
    source = deal or lead
    spoken_to = list({person.pk: person for person in people}.values())
    if not spoken_to and source is not None and source.person is not None:
        spoken_to = [source.person]
    if organisation is None:
        organisation = source.organisation if source is not None else _main_organisation(spoken_to)
    if not spoken_to and source is None and organisation is None:
        raise Refused(_("Say with whom you spoke."))

    conversation = Conversation.objects.create(
        organisation=organisation,
        lead=lead,
        deal=deal,
        kind=kind,
        direction=direction,
        at=when,
        minutes=minutes,
        summary=summary.strip(),
        learned=learned.strip(),
        quote=quote.strip(),
        has_learning=has_learning or bool(learned.strip()),
        has_gain=has_gain,
        has_next_step=has_next_step,
        subject=" ".join(subject.split())[:300],
        is_information=is_information,
        is_automatic=is_automatic,
        private_to=private_to,
        by=by,
    )
    conversation.people.set(spoken_to)
    _recompute_around(conversation, [person.pk for person in spoken_to])
    if lead is not None and direction != Direction.INCOMING and not is_automatic:
        _stop_response_clock(lead, by=by, when=when, at=at)
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
    """The conversation is gone from every page; the audit keeps what it said, and last contact is computed afresh without it.

    When it was our first word to a lead, the response clock stands where the next word stopped it, or runs again when there is none. One that
    somebody else removed meanwhile stays removed once.
    """
    if not Conversation.objects.select_for_update(of=("self",)).filter(pk=conversation.pk).exists():
        return
    people = list(conversation.people.values_list("pk", flat=True))
    kept: dict[str, Any] = {
        name: getattr(conversation, name)
        for name in (
            "kind",
            "direction",
            "at",
            "minutes",
            "summary",
            "learned",
            "quote",
            "has_learning",
            "has_gain",
            "has_next_step",
        )
    }
    events.record(
        EventKind.CONVERSATION_DELETED,
        subject=conversation,
        by=by,
        at=at,
        person=Person.objects.filter(pk__in=people).first(),
        organisation=conversation.organisation,
        lead=conversation.lead,
        deal=conversation.deal,
        old={**kept, "people": people},
    )
    about = Conversation(
        organisation_id=conversation.organisation_id, lead_id=conversation.lead_id, deal_id=conversation.deal_id
    )
    lead, when = conversation.lead, conversation.at
    conversation.delete()
    _recompute_around(about, people)
    if lead is not None and lead.answered_at == when:
        _restart_response_clock(lead)


def recompute(
    *,
    people: Sequence[int] | None = None,
    organisations: Sequence[int] | None = None,
    leads: Sequence[int] | None = None,
    deals: Sequence[int] | None = None,
) -> None:
    """Last contact and last reply of these records (primary keys), the moment and which conversation, equal what their conversations say; `None`
    in the columns means never.

    What was said on the lead from which a deal came was said on the deal, too. What a machine wrote is no contact. Of two conversations at one
    moment the one logged last counts. Needs an open transaction.
    """
    for model, keys, link in (
        (Person, people, Q(people=OuterRef("pk"))),
        (Organisation, organisations, Q(organisation=OuterRef("pk"))),
        (Lead, leads, Q(lead=OuterRef("pk"))),
        (Deal, deals, Q(deal=OuterRef("pk")) | Q(lead=OuterRef("lead_id"))),
    ):
        if not keys:
            continue
        rows = model._default_manager.filter(pk__in=keys)
        # Held before the statement that reads the conversations begins: else two that are logged at once would each overlook the other.
        list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        said = Conversation.objects.contacts().filter(link).order_by("-at", "-pk")
        replies = said.filter(direction__in=REPLIES)
        rows.update(
            last_contact_at=Subquery(said.values("at")[:1]),
            last_contact=Subquery(said.values("pk")[:1]),
            last_reply_at=Subquery(replies.values("at")[:1]),
            last_reply=Subquery(replies.values("pk")[:1]),
        )


def _recompute_around(conversation: Conversation, people: list[int]) -> None:
    recompute(
        people=people,
        organisations=[conversation.organisation_id] if conversation.organisation_id else None,
        leads=[conversation.lead_id] if conversation.lead_id else None,
        deals=list(
            Deal.objects.filter(Q(pk=conversation.deal_id) | Q(lead=conversation.lead_id, lead__isnull=False))
            .order_by("pk")
            .values_list("pk", flat=True)
        ),
    )


def _stop_response_clock(lead: Lead, *, by: User | None, when: datetime, at: datetime) -> None:
    stopped = Lead.objects.filter(pk=lead.pk, answered_at__isnull=True, answer_due_at__isnull=False).update(
        answered_at=when, answered_by=by
    )
    if stopped:
        lead.answered_at, lead.answered_by = when, by
        events.record(
            EventKind.LEAD_ANSWERED, subject=lead, by=by, at=at, new={"answered_at": when, "due": lead.answer_due_at}
        )


def _restart_response_clock(lead: Lead) -> None:
    first = (
        Conversation.objects.filter(lead=lead)
        .exclude(direction=Direction.INCOMING)
        .select_related("by")
        .order_by("at", "pk")
        .first()
    )
    lead.answered_at, lead.answered_by = (first.at, first.by) if first else (None, None)
    lead.save(update_fields=["answered_at", "answered_by"])


def _main_organisation(people: list[Person]) -> Organisation | None:
    for person in people:
        position = person.positions.current().select_related("organisation").first()
        if position:
            return position.organisation
    return None
