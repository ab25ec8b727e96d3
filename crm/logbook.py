"""One act after a conversation: what was said, what both sides promised and the deal's next step, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import conversations, deals, promises
from crm.models import Conversation, Deal, Lead, Person, PromiseSide, User
from crm.refusal import Refused


@dataclass(frozen=True)
class Promised:
    """What one side said it would do, by which day, and the day before which we do not bring it up."""

    text: str
    due_on: date
    not_before: date | None = None


@transaction.atomic
def write(
    *,
    people: Iterable[Person],
    by: User,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    ours: Promised | None = None,
    theirs: Promised | None = None,
    next_step: str = "",
    next_step_on: date | None = None,
    **said: Any,
) -> Conversation:
    """The conversation is logged, the promises of both sides stand in the ledger beside it, and the deal has the next step that was agreed.

    `said` is what `conversations.log` takes. Refuses what its parts refuse, and a promise when nobody is named to whom it was made or who made
    it; then nothing at all is stored.
    """
    has_step = deal is not None and bool(next_step.strip() or next_step_on)
    if has_step:
        said["has_next_step"] = True
    conversation = conversations.log(people=people, by=by, at=at, lead=lead, deal=deal, **said)
    for side, promised in ((PromiseSide.OURS, ours), (PromiseSide.THEIRS, theirs)):
        if promised is None:
            continue
        person = _who(conversation, lead, deal)
        if person is None:
            raise Refused(_("A promise is made by somebody to somebody. Say with whom you spoke."))
        promises.make(
            side=side,
            text=promised.text,
            due_on=promised.due_on,
            not_before=promised.not_before,
            person=person,
            lead=conversation.lead,
            deal=deal,
            conversation=conversation,
            by=by,
            at=at,
        )
    if has_step:
        assert deal is not None
        deals.set_step(deal=deal, next_step=next_step, next_step_on=next_step_on, by=by, at=at)  # type: ignore[arg-type]
    return conversation


def _who(conversation: Conversation, lead: Lead | None, deal: Deal | None) -> Person | None:
    """Whom the promise is about: the person of the deal or lead when they took part, else the first who did."""
    present = list(conversation.people.order_by("pk"))
    main = (deal.person if deal else None) or (lead.person if lead else None)
    return main if main in present else next(iter(present), None)
