"""When somebody can be met: working hours, absences, what was agreed already and what their own calendars say, as one list of free times. Reads only.

The core (`Availability.starts`) knows plain intervals and no database; `availabilities` reads what it needs for any number of users in a fixed
number of queries. A time is judged by the clock on the wall of whoever is met, and given back in the zone of whoever asks: on the night on which
the clock goes forward the skipped hour does not exist, on the night on which it goes back the repeated hour is offered once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects

from crm.clock import WorkCalendar, is_working_day
from crm.models import Absence, Appointment, AppointmentState, BusyTime, User

EVERY = timedelta(minutes=30)
"""A free time begins on the hour or the half hour, which is how people agree on one; finer steps make a long list and no better choice."""

LOOK_AHEAD = timedelta(days=28)
"""How far ahead the first free time is looked for. Who is full for four weeks has, for a prospect, no free time."""

LONGEST_TRAVEL = timedelta(hours=12)
DAY = timedelta(days=1)

Span = tuple[datetime, datetime]
"""A stretch of time: its first moment, and the first after it."""


def blocked(starts_at: datetime, ends_at: datetime, *, travel_minutes: int, buffer_minutes: int) -> Span:
    """The time that an appointment keeps for itself: there, back, and the breathing space after it. Space after each is space between any two."""
    travel = timedelta(minutes=travel_minutes)
    return starts_at - travel, ends_at + travel + timedelta(minutes=buffer_minutes)


@dataclass(frozen=True)
class Availability:
    """What decides when one user is free.

    `taken` are stretches that must not be overlapped, whole with travel and breathing space; `agreed` are those of them that were agreed here; `away`
    are first and last days of absences; `counts` tells how many appointments a day of theirs has already, of which it bears `most`.
    """

    calendar: WorkCalendar
    away: Sequence[tuple[date, date]] = ()
    taken: Sequence[Span] = ()
    agreed: Sequence[Span] = ()
    counts: Mapping[date, int] = field(default_factory=dict)
    most: int = 4
    buffer_minutes: int = 0
    notice: timedelta = timedelta(0)

    def is_away(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.away)

    def works_on(self, day: date) -> bool:
        return is_working_day(day, self.calendar) and not self.is_away(day)

    def works_at(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether the whole of it lies within working hours of one working day."""
        day = starts_at.astimezone(self.calendar.zone).date()
        opens, closes = self._hours(day)
        return self.works_on(day) and opens <= starts_at and ends_at <= closes

    def free_minutes(self, day: date) -> int:
        """Working minutes of that day for which nothing is agreed, here or elsewhere; none on a day off."""
        if not self.works_on(day):
            return 0
        opens, closes = self._hours(day)
        busy = timedelta()
        for since, until in _joined(self.taken):
            busy += max(min(until, closes) - max(since, opens), timedelta())
        return int((closes - opens - busy).total_seconds() // 60)

    def starts(
        self, *, minutes: int, start: datetime, end: datetime, at: datetime, travel_minutes: int = 0
    ) -> Iterator[datetime]:
        """When an appointment of so many minutes can begin, from `start` and before `end`, in order and in UTC. It lies within working hours; the way
        there and back may lie outside them, as people leave home earlier for a visit."""
        length = timedelta(minutes=minutes)
        earliest = max(start, at + self.notice)
        spans = _joined(self.taken)
        begins = [span[0] for span in spans]
        day = earliest.astimezone(self.calendar.zone).date()
        last = end.astimezone(self.calendar.zone).date()
        while day <= last:
            if self.works_on(day) and self.counts.get(day, 0) < self.most:
                opens, closes = self._hours(day)
                for moment in self._grid(day):
                    finish = moment + length
                    if not (earliest <= moment < end and opens <= moment and finish <= closes):
                        continue
                    kept = blocked(moment, finish, travel_minutes=travel_minutes, buffer_minutes=self.buffer_minutes)
                    # Of the stretches that begin before ours ends, only the last can reach into it: they are joined and in order.
                    before = bisect_left(begins, kept[1]) - 1
                    if before < 0 or spans[before][1] <= kept[0]:
                        yield moment
            day += DAY

    def _hours(self, day: date) -> Span:
        zone = self.calendar.zone
        return (
            datetime.combine(day, self.calendar.start, tzinfo=zone).astimezone(UTC),
            datetime.combine(day, self.calendar.end, tzinfo=zone).astimezone(UTC),
        )

    def _grid(self, day: date) -> Iterator[datetime]:
        """The hours and half hours on the wall between opening and closing, each as the moment that it is; those that the clock skips are none."""
        zone = self.calendar.zone
        wall = datetime.combine(day, time(self.calendar.start.hour))
        closes = datetime.combine(day, self.calendar.end)
        while wall < closes:
            moment = wall.replace(tzinfo=zone).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) == wall:
                yield moment
            wall += EVERY


def free_slots(
    user: User,
    *,
    minutes: int,
    start: datetime,
    end: datetime,
    at: datetime,
    zone: ZoneInfo,
    travel_minutes: int = 0,
    not_counting: Appointment | None = None,
) -> list[datetime]:
    """When this user can be met for so many minutes, from `start` and before `end`, in order and in `zone`. `not_counting` is the appointment that is
    being moved. Four queries at most."""
    availability = availabilities([user], start=start, end=end, not_counting=not_counting)[user.pk]
    return [
        moment.astimezone(zone)
        for moment in availability.starts(minutes=minutes, start=start, end=end, at=at, travel_minutes=travel_minutes)
    ]


def nearest(
    user: User,
    *,
    to: datetime,
    minutes: int,
    at: datetime,
    zone: ZoneInfo,
    travel_minutes: int = 0,
    not_counting: Appointment | None = None,
    most: int = 3,
) -> list[datetime]:
    """The free times closest to one that cannot be had, in order: within a week of it, before or after."""
    found = free_slots(
        user,
        minutes=minutes,
        start=to - 7 * DAY,
        end=to + 7 * DAY,
        at=at,
        zone=zone,
        travel_minutes=travel_minutes,
        not_counting=not_counting,
    )
    return sorted(sorted(found, key=lambda moment: abs(moment - to))[:most])


def first_free(users: Iterable[User], *, minutes: int, at: datetime) -> dict[int, datetime]:
    """The first free time of each of these users, by their keys and in their own zone; who has none in four weeks is not in it. Four queries, however
    many they are."""
    people = list(users)
    found: dict[int, datetime] = {}
    known = availabilities(people, start=at, end=at + LOOK_AHEAD)
    for user in people:
        starts = known[user.pk].starts(minutes=minutes, start=at, end=at + LOOK_AHEAD, at=at)
        for moment in islice(starts, 1):
            found[user.pk] = moment.astimezone(user.zone)
    return found


def availabilities(
    users: Sequence[User], *, start: datetime, end: datetime, not_counting: Appointment | None = None
) -> dict[int, Availability]:
    """What decides when each of these users is free between two moments, by their keys."""
    # Whole days at both ends, so that a day at the edge is counted whole, and the way to what comes next is seen.
    first, last = start - DAY - LONGEST_TRAVEL, end + DAY + LONGEST_TRAVEL
    prefetch_related_objects(users, "team")
    zones = {user.pk: user.zone for user in users}
    away: defaultdict[int, list[tuple[date, date]]] = defaultdict(list)
    absences = Absence.objects.filter(user__in=zones, ends_on__gte=first.date(), starts_on__lte=last.date())
    for pk, starts_on, ends_on in absences.values_list("user", "starts_on", "ends_on"):
        away[pk].append((starts_on, ends_on))
    agreed: defaultdict[int, list[Span]] = defaultdict(list)
    counts: defaultdict[int, Counter[date]] = defaultdict(Counter)
    appointments = Appointment.objects.standing().filter(user__in=zones, blocked_until__gt=first, blocked_from__lt=last)
    if not_counting is not None:
        appointments = appointments.exclude(pk=not_counting.pk)
    for pk, state, starts_at, since, until in appointments.values_list(
        "user", "state", "starts_at", "blocked_from", "blocked_until"
    ):
        counts[pk][starts_at.astimezone(zones[pk]).date()] += 1
        if state == AppointmentState.BOOKED:
            agreed[pk].append((since, until))
    taken = defaultdict(list, {pk: list(spans) for pk, spans in agreed.items()})
    buffers = {user.pk: timedelta(minutes=user.buffer_minutes) for user in users}
    elsewhere = BusyTime.objects.filter(
        calendar__user__in=zones, calendar__is_active=True, ends_at__gt=first, starts_at__lt=last
    )
    if not_counting is not None:
        # Their own calendar has taken the invitation in; what is being moved does not stand in its own way.
        elsewhere = elsewhere.exclude(starts_at=not_counting.starts_at, ends_at=not_counting.ends_at)
    for pk, since, until in elsewhere.values_list("calendar__user", "starts_at", "ends_at"):
        taken[pk].append((since, until + buffers[pk]))
    return {
        user.pk: Availability(
            calendar=user.calendar,
            away=tuple(away[user.pk]),
            taken=tuple(taken[user.pk]),
            agreed=tuple(agreed[user.pk]),
            counts=dict(counts[user.pk]),
            most=user.most_appointments,
            buffer_minutes=user.buffer_minutes,
            notice=timedelta(hours=user.notice_hours),
        )
        for user in users
    }


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The same time, in order, without overlaps."""
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined
