"""What fits somebody's day, and what may be shown for doing now: how many follow-ups, and which of them the guard holds back. Reads only.

A follow-up takes about twenty minutes with what is written down afterwards. A day bears as many as fit between what is agreed in the agenda, at
most as many as the user likes (`User.most_follow_ups`, usually twelve: a list that only grows is not read), and at least three, since there are
five minutes between any two meetings. What was done today counts, so the list becomes shorter and does not fill itself again. When the day is
full, what was promised to somebody is still shown, three at most; so is, on a day off, whatever comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from crm import agenda, pacing
from crm.clock import day_start
from crm.models import ConversationKind, FollowUp, Outcome, Person, ProspectingItem, Rule, User
from crm.models.follow_ups import PROMISED, FollowUpQuerySet
from crm.models.prospecting import DONE_IN

MINUTES = 20
"""What one follow-up takes: a call of a few minutes to a quarter of an hour, and noting it. An estimate, on the safe side."""

LEAST = 3
"""As many are shown on the fullest day."""

LOOK_AHEAD = 60
"""Days within which the next day of work is looked for; who is away longer is told no day."""

AWAITED = (
    Rule.FIRST_ANSWER,
    Rule.HAND_OFF,
    Rule.OUR_PROMISE,
    Rule.NEXT_STEP,
    Rule.APPOINTMENT,
    Rule.LAWFUL_BASIS,
    "",
)
"""Never too soon: they wait for it, or agreed on that day, or we planned it for them by hand; or it reaches nobody (the empty one is by hand)."""

SILENT = (Rule.HAND_OFF, Rule.LAWFUL_BASIS)
"""Done without reaching the person, so that whoever asked to be left in peace is."""


@dataclass(frozen=True)
class Room:
    """How much a day bears: `fits` follow-ups, of which so many are `done`. On a day off, `back_on` is the next day of work."""

    fits: int
    done: int = 0
    is_off: bool = False
    back_on: date | None = None

    @property
    def left(self) -> int:
        return max(0, self.fits - self.done)


@dataclass(frozen=True)
class Held:
    """Why somebody is not to be contacted now, as a sentence; until when, or None: they asked never to be."""

    why: str
    until: datetime | None = None


def room(user: User, at: datetime) -> Room:
    """How many follow-ups fit the user's own today. Six queries."""
    today = at.astimezone(user.zone).date()
    start = day_start(today, user.zone)
    tomorrow = day_start(today + timedelta(days=1), user.zone)
    availability = agenda.availabilities([user], start=start, end=tomorrow)[user.pk]
    acts = FollowUp.objects.filter(closed_by=user, closed_at__gte=start, closed_at__lt=tomorrow)
    done = acts.filter(outcome__in=(Outcome.DONE, Outcome.NOT_NEEDED)).count()
    if not availability.works_on(today):
        ahead = (today + timedelta(days=number) for number in range(1, LOOK_AHEAD))
        return Room(LEAST, 0, True, next((day for day in ahead if availability.works_on(day)), None))
    fits = availability.free_minutes(today) // MINUTES
    return Room(min(user.most_follow_ups, max(LEAST, fits)), done)


def outside_half_hour(rows: FollowUpQuerySet, user: User, today: date) -> FollowUpQuerySet:
    """Without those that the user's half hour of today holds, where they are done (`DONE_IN`): nobody is shown twice. What is left out there, or
    still open when it has ended, is shown again."""
    holds = ProspectingItem.objects.filter(
        block__user=user, block__day=today, block__ended_at__isnull=True, done_at__isnull=True, left_out_at__isnull=True
    )
    for rule, ways in DONE_IN.items():
        rows = rows.exclude(Q(rule=rule), Exists(holds.filter(way__in=ways, people=OuterRef("person"))))
    return rows


def chosen(rows: Iterable[FollowUp], room: Room) -> list[FollowUp]:
    """Those of the ranked rows that are shown: as many as fit, or on a full day the first few that were promised to somebody."""
    ranked = list(rows)
    if room.left < LEAST:
        first = ranked[: room.left]
        return first + [row for row in ranked[room.left :] if row.rank <= PROMISED][: LEAST - room.left]
    return ranked[: room.left]


def held_back(rows: Iterable[FollowUp], at: datetime, *, by: User) -> dict[int, Held]:
    """Those of these follow-ups, by their keys, for which it is too soon or which would reach somebody who asked to be left in peace. Quiet hours and
    Sundays hold back no whole morning; the call itself says so. The number of queries does not grow."""
    about = [row for row in rows if row.person_id is not None and row.rule not in SILENT]
    # A meeting by chance rings nobody and needs no address: what is left is how soon, and whether at all.
    answers = pacing.judge(_people(about), ConversationKind.EVENT, at, by=by) if about else {}
    held: dict[int, Held] = {}
    for row in about:
        assert row.person_id
        answer = answers[row.person_id]
        if isinstance(answer, pacing.Never):
            held[row.pk] = Held(answer.why)
        elif isinstance(answer, pacing.TooSoon) and row.rule not in AWAITED:
            held[row.pk] = Held(answer.why, answer.until)
    return held


def waiting(rows: FollowUpQuerySet, held: Collection[int]) -> tuple[int, int]:
    """How many people wait, and how many things, leaving out the follow-ups that are held back. Nobody waits for us to look at their data."""
    free = [row for row in rows.order_by().values_list("pk", "person", "rule") if row[0] not in held]
    return len({person for _, person, rule in free if person and rule != Rule.LAWFUL_BASIS}), len(free)


def _people(rows: Iterable[FollowUp]) -> list[Person]:
    return [Person(pk=row.person_id) for row in rows]
