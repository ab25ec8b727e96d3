"""Whose day is it: the calendars of all who can log in, as arrays that one SQL statement can join.

The rules of working time stand in `crm.clock` alone. A day that nobody works is moved here to the next working day, for each calendar once, so
that no row has to be looked at in Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from crm.clock import WorkCalendar, is_working_day, next_working_day, organisation_calendar
from crm.models import User

YEARS_BACK = 2
"""Days before that are left where they are: whether such a day has come is no question any more."""


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


def _calendar(user: User) -> WorkCalendar:
    """The user's own calendar; the organisation's when a profile holds something impossible, since one profile must not stop the others."""
    try:
        calendar = user.calendar
        assert calendar.zone
    except (ValueError, LookupError, OSError):
        return organisation_calendar()
    return calendar


def arrays(at: datetime) -> dict[str, Any]:
    """Parameters for `OWNER_AND_MOVED`: one entry for each user who can log in, and each calendar's days without work."""
    owners: list[int] = []
    numbers: list[int] = []
    zones: list[str] = []
    starts: list[time] = []
    todays: list[date] = []
    calendars: dict[WorkCalendar, int] = {}
    for user in User.objects.active().select_related("team").order_by("pk"):
        calendar = _calendar(user)
        owners.append(user.pk)
        numbers.append(calendars.setdefault(calendar, len(calendars)))
        zones.append(calendar.time_zone)
        starts.append(calendar.start)
        todays.append(at.astimezone(calendar.zone).date())
    moved = [
        (number, day, to_day)
        for calendar, number in calendars.items()
        for day, to_day in _moved(calendar, at.year - YEARS_BACK, at.year + 1)
    ]
    return {
        "at": at,
        "owners": _literal(owners),
        "calendars": _literal(numbers),
        "zones": _literal(zones),
        "starts": _literal(starts),
        "todays": _literal(todays),
        "latest_today": max(todays, default=at.date()),
        "moved_calendars": _literal(number for number, _, _ in moved),
        "moved_days": _literal(day for _, day, _ in moved),
        "moved_to": _literal(to_day for _, _, to_day in moved),
    }


def _literal(values: Iterable[int | str | date | time]) -> str:
    """The values as PostgreSQL writes an array: made once here, and not again for each rule. For values without commas and quotes."""
    return "{" + ",".join(map(str, values)) + "}"


OWNER_AND_MOVED = """
owner AS (
    SELECT * FROM unnest(
        %(owners)s::bigint[], %(calendars)s::int[], %(zones)s::text[], %(starts)s::time[], %(todays)s::date[]
    ) AS o(id, calendar, zone, start, today)
),
moved AS (
    SELECT * FROM unnest(%(moved_calendars)s::int[], %(moved_days)s::date[], %(moved_to)s::date[])
        AS m(calendar, day, to_day)
)
"""
