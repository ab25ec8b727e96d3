"""The one gate that every verb passes before it contacts somebody: what the guard of `crm.pacing` says is obeyed here, and overridden here.

The numbers of the guard are set here, too.
"""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks, pacing
from crm.models import ConversationKind, EventKind, PacingPolicy, Person, User
from crm.refusal import Refused

LONGEST_WAIT = 60
MOST_TRIES = 10
"""So many tries may have a wait of their own; the last one's holds for all that follow."""


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


@transaction.atomic
def change_pacing(
    *,
    by: User | None,
    at: datetime,
    information_days: int,
    attempt_days: list[int],
    colleague_days: int,
    quiet_from: time,
    quiet_until: time,
    keeps_holidays: bool,
) -> PacingPolicy:
    """These are the numbers of the guard from now on. Refuses no number of days at all after tries, more than sixty days of anything, and quiet
    hours that end as they begin. The same numbers again change nothing."""
    if not attempt_days or len(attempt_days) > MOST_TRIES:
        raise Refused(_("Give the days after each try, such as 2, 4, 7, 14."))
    if any(not 0 <= days <= LONGEST_WAIT for days in (information_days, colleague_days, *attempt_days)):
        raise Refused(_("Keep each wait between 0 and %(most)d days.") % {"most": LONGEST_WAIT})
    if quiet_from == quiet_until:
        raise Refused(_("Quiet hours need an end that differs from their beginning."))
    locks.hold("pacing")
    policy = PacingPolicy.current()
    new = {
        "information_days": information_days, "attempt_days": attempt_days, "colleague_days": colleague_days,
        "quiet_from": quiet_from, "quiet_until": quiet_until, "keeps_holidays": keeps_holidays,
    }  # fmt: skip
    old = {name: getattr(policy, name) for name in new}
    changed = [name for name in new if new[name] != old[name]]
    if not changed:
        return policy
    for name in changed:
        setattr(policy, name, new[name])
    policy.changed_at = at
    policy.save()
    events.record(
        EventKind.PACING_CHANGED,
        subject=policy,
        by=by,
        at=at,
        old={name: old[name] for name in changed},
        new={name: new[name] for name in changed},
    )
    return policy
