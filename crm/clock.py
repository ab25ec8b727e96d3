"""Working time: which moments count, and what "one working hour from now" means. Pure values, no database.

Weekends and working hours come from the calendar that is passed in; public holidays from the `holidays` library for the calendar's country.
All moments are aware datetimes; answers are in the calendar's own time zone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.conf import settings

MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class WorkCalendar:
    """When somebody works. `days` are weekday numbers, Monday 0; `country` is an ISO 3166 code or empty for no holidays; `closed` are days without
    work besides."""

    time_zone: str
    country: str = ""
    days: Collection[int] = field(default=MONDAY_TO_FRIDAY)
    start: time = time(9)
    end: time = time(17, 30)
    closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not set(self.days) <= set(range(7)):
            raise ValueError("a work calendar needs at least one weekday between 0 (Monday) and 6")
        if self.start >= self.end:
            raise ValueError("a working day must end after it starts")

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.time_zone)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name. One that this machine's data no longer knows is the organisation's: it must keep nobody out, and no lead from
    arriving."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def organisation_calendar() -> WorkCalendar:
    """The calendar of the company as configured: its zone and country, Monday to Friday, 9:00 to 17:30."""
    return WorkCalendar(time_zone=settings.TIME_ZONE, country=settings.COUNTRY)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def is_working_day(day: date, calendar: WorkCalendar) -> bool:
    if day.weekday() not in calendar.days or day in calendar.closed:
        return False
    return day not in _holidays(calendar.country, day.year)


def next_working_day(day: date, calendar: WorkCalendar) -> date:
    """The day itself when it is a working day, else the first one after it."""
    for offset in range(366):
        candidate = day + timedelta(days=offset)
        if is_working_day(candidate, calendar):
            return candidate
    raise ValueError("this calendar has no working day within a year")


def add_working_days(day: date, count: int, calendar: WorkCalendar) -> date:
    """The working day that is `count` working days after `day` (count at least 0; 0 gives the next working day or the day itself)."""
    current = next_working_day(day, calendar)
    for _ in range(count):
        current = next_working_day(current + timedelta(days=1), calendar)
    return current


def add_working_time(at: datetime, amount: timedelta, calendar: WorkCalendar) -> datetime:
    """The moment at which `amount` of working time has passed since `at`.

    A moment outside working hours starts to count at the next opening. Durations are wall-clock durations within a day, so a day on which the
    clock changes counts its ordinary hours.
    """
    left = amount
    local = at.astimezone(calendar.zone).replace(tzinfo=None)
    day = next_working_day(local.date(), calendar)
    begin = (
        max(local, datetime.combine(day, calendar.start))
        if day == local.date()
        else datetime.combine(day, calendar.start)
    )
    while True:
        close = datetime.combine(begin.date(), calendar.end)
        if begin < close:
            if begin + left <= close:
                return (begin + left).replace(tzinfo=calendar.zone)
            left -= close - begin
        day = next_working_day(begin.date() + timedelta(days=1), calendar)
        begin = datetime.combine(day, calendar.start)


def working_time_between(start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    """The working time that passed from `start` to `end`; none when `end` is not later. It undoes `add_working_time`."""
    begin, until = (moment.astimezone(calendar.zone).replace(tzinfo=None) for moment in (start, end))
    passed = timedelta()
    day = begin.date()
    while day <= until.date():
        if is_working_day(day, calendar):
            opened = max(begin, datetime.combine(day, calendar.start))
            closed = min(until, datetime.combine(day, calendar.end))
            passed += max(closed - opened, timedelta())
        day += timedelta(days=1)
    return passed


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day in a zone."""
    return datetime.combine(day, time.min, tzinfo=zone)


@dataclass(frozen=True)
class Period:
    """From one day to another, both included, in a zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begins(self) -> datetime:
        return day_start(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment that is not in it any more."""
        return day_start(self.last + timedelta(days=1), self.zone)


def working_moment(day: date, calendar: WorkCalendar) -> datetime:
    """The opening of the first working day on or after `day`: when something that is due on that day is first worth doing."""
    return datetime.combine(next_working_day(day, calendar), calendar.start, tzinfo=calendar.zone)
