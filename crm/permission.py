"""The one gate that every verb passes before it contacts somebody: what the guard of `crm.pacing` says is obeyed here, and overridden here."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm import events, pacing
from crm.models import ConversationKind, EventKind, Person, User
from crm.refusal import Refused


class TooEarly(Refused):
    """Refused for now; who gives a reason may go on. `until` is the moment from which nothing stands in the way."""

    def __init__(self, answer: pacing.TooSoon) -> None:
        super().__init__(answer.why)
        self.until = answer.until


@transaction.atomic
def obtain(
    *,
    person: Person,
    channel: ConversationKind | str,
    by: User | None,
    at: datetime,
    number: str = "",
    address: str = "",
    override: str = "",
) -> None:
    """The contact may be made now. Refuses when it never may be, and (`TooEarly`) when it is too soon and no reason to do so all the same is given
    in `override`; one that is given is kept as an event of that person."""
    answer = pacing.may_contact(person, channel, at, by=by, number=number, address=address)
    if isinstance(answer, pacing.Never):
        raise Refused(answer.why)
    if isinstance(answer, pacing.TooSoon):
        if not override.strip():
            raise TooEarly(answer)
        events.record(
            EventKind.PACING_OVERRIDDEN,
            subject=person,
            by=by,
            at=at,
            old={"until": answer.until, "why": answer.why},
            new={"channel": str(channel), "why": override.strip()},
        )
