"""One act after a conversation: what was said, what both sides promised and the next step, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import appointments, attempts, conversations, deals, follow_ups, mentions, people, promises
from crm.models import Appointment, Attempt, Conversation, Deal, FollowUp, Lead, Person, PromiseSide, User
from crm.refusal import Refused


@dataclass(frozen=True)
class Promised:
    """What one side said it would do, by which day, and the day before which we do not bring it up."""

    text: str
    due_on: date
    not_before: date | None = None


@dataclass(frozen=True)
class Newcomer:
    """Somebody who took part and is new to Kring."""

    name: str
    email: str = ""


@transaction.atomic
def write(
    *,
    people: Iterable[Person],
    by: User,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    newcomer: Newcomer | None = None,
    ours: Iterable[Promised] = (),
    theirs: Iterable[Promised] = (),
    next_step: str = "",
    next_step_on: date | None = None,
    attempt: Attempt | None = None,
    appointment: Appointment | None = None,
    follow_up: FollowUp | None = None,
    **said: Any,
) -> Conversation:
    """The conversation is logged, the promises of both sides stand in the ledger beside it, and the next step that was agreed is the open deal's,
    or else a follow-up for `by`. A newcomer is known from now on; an `attempt` that was answered, or an `appointment`
    that was held, is this conversation. A `follow_up` that it was held for is done.

    `said` is what `conversations.log` takes. Refuses what its parts refuse, and a promise when nobody is named to whom it was made or who made
    it; then nothing at all is stored.
    """
    has_step = bool(next_step.strip() or next_step_on)
    if has_step:
        said["has_next_step"] = True
    present = [*people, *([_welcome(newcomer, by, at)] if newcomer else [])]
    conversation = conversations.log(people=present, by=by, at=at, lead=lead, deal=deal, **said)
    if attempt is not None:
        attempts.answered(attempt=attempt, conversation=conversation)
    if appointment is not None:
        appointments.logged(appointment=appointment, conversation=conversation, by=by, at=at)
    if follow_up is not None:
        follow_ups.done(follow_up=follow_up, by=by, at=at)
    person = _who(conversation, lead, deal)
    for side, promised in ((PromiseSide.OURS, ours), (PromiseSide.THEIRS, theirs)):
        for each in promised:
            if person is None:
                raise Refused(_("A promise is made by somebody to somebody. Say with whom you spoke."))
            promises.make(
                side=side,
                text=each.text,
                due_on=each.due_on,
                not_before=each.not_before,
                person=person,
                lead=conversation.lead,
                deal=deal,
                conversation=conversation,
                by=by,
                at=at,
            )
    if has_step:
        _agree(conversation, person, next_step, next_step_on, by, at)
    mentions.in_conversation(conversation, by=by, at=at)
    return conversation


@transaction.atomic
def change(*, conversation: Conversation, by: User, at: datetime, **said: Any) -> Conversation:
    """The conversation says what `conversations.change` makes of it, and so do the notices that repeat it. Colleagues who are named in it since are
    told; those who were, are not told again."""
    row = conversations.change(conversation=conversation, by=by, at=at, **said)
    mentions.put_right(row)
    mentions.in_conversation(row, by=by, at=at)
    return row


@transaction.atomic
def keep_private(*, conversation: Conversation, by: User, at: datetime) -> Conversation:
    """Only `by` reads what was said, as `conversations.keep_private` has it; no notice repeats it either."""
    row = conversations.keep_private(conversation=conversation, by=by, at=at)
    mentions.withdraw(row)
    return row


@transaction.atomic
def show(*, conversation: Conversation, by: User, at: datetime) -> Conversation:
    """Colleagues read it, too, and those who are named in it and were not told yet, are."""
    row = conversations.show(conversation=conversation, by=by, at=at)
    mentions.in_conversation(row, by=by, at=at)
    return row


@transaction.atomic
def delete(*, conversation: Conversation, by: User, at: datetime) -> None:
    """The conversation is gone, as `conversations.delete` has it, and so is what notices repeat of it."""
    mentions.withdraw(conversation)
    conversations.delete(conversation=conversation, by=by, at=at)


def _welcome(newcomer: Newcomer, by: User, at: datetime) -> Person:
    """The person with this address when there is one, since who seems new to one of us may be known to another."""
    known = people.with_email(newcomer.email) if newcomer.email else None
    return known or people.add(name=newcomer.name or newcomer.email, email=newcomer.email, owner=by, by=by, at=at)


def _agree(
    conversation: Conversation, person: Person | None, step: str, day: date | None, by: User, at: datetime
) -> None:
    deal = conversation.deal
    if deal is not None and deal.is_open:
        deals.set_step(deal=deal, next_step=step, next_step_on=day, by=by, at=at)  # type: ignore[arg-type]
        return
    if day is None:
        raise Refused(_("On which day is the next step?"))
    follow_ups.make(
        note=step,
        owner=by,
        due_on=day,
        person=person,
        organisation=conversation.organisation,
        lead=conversation.lead,
        deal=deal,
        by=by,
        at=at,
    )


def _who(conversation: Conversation, lead: Lead | None, deal: Deal | None) -> Person | None:
    """Whom the promise is about: the person of the deal or lead when they took part, else the first who did."""
    present = list(conversation.people.order_by("pk"))
    main = (deal.person if deal else None) or (lead.person if lead else None)
    return main if main in present else next(iter(present), None)
