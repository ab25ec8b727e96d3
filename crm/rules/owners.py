"""Whose work is it, and what day is it for them: everybody with their calendars, as arrays that one SQL statement can join.

The rules of working time stand in `crm.clock` alone. A day that nobody works is moved here to the next working day, for each calendar once, so
that no row has to be looked at in Python. Who is away has their work done by their stand-in; of who left it goes to who leads their team.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q

from crm.clock import WorkCalendar, is_working_day, next_working_day, organisation_calendar
from crm.models import Absence, Role, User

YEARS_BACK = 2
"""Days before that are left where they are: whether such a day has come is no question any more."""

NO_TEAM = 0
"""How the arrays name the team of who has none."""


@lru_cache(maxsize=256)
def _moved(calendar: WorkCalendar, first_year: int, last_year: int) -> tuple[tuple[date, date], ...]:
    """Each day without work between the two years, and the working day that follows it."""
    day = date(last_year, 12, 31)
    following = next_working_day(day, calendar)
    moved = []
    while day.year >= first_year:
        if is_working_day(day, calendar):
            following = day
        else:
            moved.append((day, following))
        day -= timedelta(days=1)
    return tuple(moved)


@lru_cache(maxsize=64)
def _numbered(calendar: WorkCalendar, first_year: int, last_year: int) -> tuple[tuple[date, int, bool], ...]:
    """Each day between the two years: the number of the working day that it is, or that follows it, and whether it is one itself."""
    day, number, numbered = date(first_year, 1, 1), 0, []
    while day.year <= last_year:
        works = is_working_day(day, calendar)
        numbered.append((day, number, works))
        number += works
        day += timedelta(days=1)
    return tuple(numbered)


def _calendar(user: User) -> WorkCalendar:
    """The user's own calendar; the organisation's when a profile holds something impossible, since one profile must not stop the others."""
    try:
        calendar = user.calendar
        assert calendar.zone
    except (ValueError, LookupError, OSError):
        return organisation_calendar()
    return calendar


class _House:
    """Everybody who works here or did, and who does whose work at `at`. Sellers known only from a file never worked here: nobody does theirs."""

    def __init__(self, at: datetime) -> None:
        everybody = User.objects.filter(Q(is_active=True) | Q(email__isnull=False)).select_related("team")
        self.users = {user.pk: user for user in everybody.order_by("name", "pk")}
        self.calendars = {pk: _calendar(user) for pk, user in self.users.items()}
        self.todays = {pk: at.astimezone(calendar.zone).date() for pk, calendar in self.calendars.items()}
        self.stand_ins: dict[int, int] = {}
        near = timedelta(days=1)  # It is already tomorrow, or still yesterday, for some.
        absences = Absence.objects.filter(
            starts_on__lte=at.date() + near, ends_on__gte=at.date() - near, stand_in__isnull=False
        )
        for user, first, last, stand_in in absences.values_list("user", "starts_on", "ends_on", "stand_in"):
            if user in self.todays and first <= self.todays[user] <= last:
                self.stand_ins[user] = stand_in

    def leading(self, team: int | None) -> int | None:
        """Who leads a team: its manager, else any manager, else an administrator; `None` when nobody does."""
        ranked = [
            (user.role != Role.MANAGER, user.team_id != team or team is None, user.name, pk)
            for pk, user in self.users.items()
            if user.is_active and user.is_leading
        ]
        return min(ranked)[-1] if ranked else None

    def doer(self, pk: int) -> int | None:
        """Who does the work of this user now; themselves when everybody who stands in is away as well."""
        seen: list[int] = []
        here: int | None = pk
        while here is not None and here not in seen:
            seen.append(here)
            user = self.users.get(here)
            if user is None:
                return None
            if not user.is_active:
                here = self.leading(user.team_id)
            elif here in self.stand_ins:
                here = self.stand_ins[here]
            else:
                return here
        return next((one for one in seen if self.users[one].is_active), None)


def arrays(at: datetime) -> dict[str, Any]:
    """Parameters for `OWNER`, `MOVED` and `WORKDAY`: one entry for each user whose work somebody does, and each calendar's days."""
    house = _House(at)
    columns: dict[str, list[Any]] = defaultdict(list)
    calendars: dict[WorkCalendar, int] = {}
    for pk, user in sorted(house.users.items()):
        doer = house.doer(pk)
        if doer is None:
            continue
        calendar = house.calendars[doer]
        columns["owners"].append(pk)
        columns["doers"].append(doer)
        columns["teams"].append(user.team_id or NO_TEAM)
        columns["calendars"].append(calendars.setdefault(calendar, len(calendars)))
        columns["zones"].append(calendar.time_zone)
        columns["starts"].append(calendar.start)
        columns["todays"].append(house.todays[doer])
    first, last = at.year - YEARS_BACK, at.year + 1
    for calendar, number in calendars.items():
        for day, to_day in _moved(calendar, first, last):
            columns["moved_calendars"].append(number)
            columns["moved_days"].append(day)
            columns["moved_to"].append(to_day)
        for day, nth, works in _numbered(calendar, first, last):
            columns["workday_calendars"].append(number)
            columns["workday_days"].append(day)
            columns["workday_numbers"].append(nth)
            columns["workday_works"].append("t" if works else "f")
    names = ("owners", "doers", "teams", "calendars", "zones", "starts", "todays", "moved_calendars", "moved_days", "moved_to",
             "workday_calendars", "workday_days", "workday_numbers", "workday_works")  # fmt: skip
    return {
        "at": at,
        "latest_today": max(columns["todays"], default=at.date()),
        "leading": house.leading(None),
        **{name: literal(columns[name]) for name in names},
    }


def literal(values: Iterable[int | str | date | time | bool]) -> str:
    """The values as PostgreSQL writes an array: made once here, and not again for each rule. For values without commas and quotes."""
    return "{" + ",".join(map(str, values)) + "}"


OWNER = """
owner AS (
    SELECT * FROM unnest(
        %(owners)s::bigint[], %(doers)s::bigint[], %(teams)s::bigint[], %(calendars)s::int[], %(zones)s::text[], %(starts)s::time[],
        %(todays)s::date[]
    ) AS o(id, doer, team, calendar, zone, start, today)
)
"""

MOVED = """
moved AS (
    SELECT * FROM unnest(%(moved_calendars)s::int[], %(moved_days)s::date[], %(moved_to)s::date[])
        AS m(calendar, day, to_day)
)
"""

WORKDAY = """
workday AS (
    SELECT * FROM unnest(%(workday_calendars)s::int[], %(workday_days)s::date[], %(workday_numbers)s::int[], %(workday_works)s::bool[])
        AS w(calendar, day, number, works)
)
"""
