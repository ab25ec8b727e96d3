"""The rules of a time zone as a calendar carries them along (VTIMEZONE), made from what Python knows of the zone.

Outlook reads rules that come back each year (RRULE) and no lists of dates, so a change that keeps to one is written as one. `icalendar` has such a
writer, too: it writes dates, and begins summer time an hour late (an onset is in the local time of before: RFC 5545, 3.6.5).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
STEP = timedelta(days=7)
"""Two changes of a clock are never so close that one would be missed, except in Ramadan's weeks of Morocco, which are longer."""


@lru_cache(maxsize=256)
def rules(name: str, first: int, last: int) -> Timezone:
    """How the clock goes in this zone in these years and the ones beside them."""
    zone = ZoneInfo(name)
    begin, end = datetime(first - 1, 1, 1, tzinfo=UTC), datetime(last + 2, 1, 1, tzinfo=UTC)
    component = Timezone()
    component.add("tzid", name)
    groups: dict[tuple[timedelta, timedelta, str, bool], list[datetime]] = {}
    for moment, before in [(begin, _offset(begin, zone)), *_changes(zone, begin, end)]:
        there = moment.astimezone(zone)
        key = (before, _offset(moment, zone), there.tzname() or name, bool(there.dst()))
        groups.setdefault(key, []).append(moment.replace(tzinfo=None) + before)
    for (before, after, short, is_summer), onsets in groups.items():
        part = TimezoneDaylight() if is_summer else TimezoneStandard()
        part.add("dtstart", onsets[0])
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", after)
        part.add("tzname", short)
        if yearly := _yearly(onsets, last - first + 3):
            part.add("rrule", yearly)
        elif onsets[1:]:
            part.add("rdate", onsets[1:])
        component.add_component(part)
    return component


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> list[tuple[datetime, timedelta]]:
    """Each moment (UTC) from which the clock goes differently, with what it went by before."""
    found = []
    early = begin
    while early < end:
        late = early + STEP
        if _offset(early, zone) != _offset(late, zone):
            before = _offset(early, zone)
            low, high = early, late
            while high - low > timedelta(milliseconds=500):
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
            found.append((high.replace(microsecond=0), before))
        early = late
    return found


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _yearly(onsets: list[datetime], years: int) -> dict[str, object] | None:
    """The rule that gives these onsets, one in each of so many years: the second Sunday of March, the last one of October."""
    if len(onsets) < max(years, 3) or len({(one.month, one.weekday(), one.time()) for one in onsets}) != 1:
        return None
    first = onsets[0]
    numbers = {(one.day - 1) // 7 + 1 for one in onsets}
    if all(one.day + 7 > monthrange(one.year, one.month)[1] for one in onsets):
        number = -1
    elif len(numbers) == 1:
        number = numbers.pop()
    else:
        return None
    return {"freq": "yearly", "bymonth": first.month, "byday": f"{number}{DAYS[first.weekday()]}"}
