"""Read when somebody is busy out of their calendar: every occurrence of what repeats, but nothing of what it is about.

A calendar comes from outside, and a line such as FREQ=SECONDLY would keep a worker busy for years. So what repeating will cost is reckoned before it
is done, by how many steps lie between its beginning and the end of what we look at, and by how many of them we would look at. The rules of its time
zones repeat as well, and are followed for every appointment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from django.utils.translation import gettext as _

from crm.channels.calendar.parsing import Unreadable, parsed, patience

MOST_EVENTS = 20_000
MOST_STEPS = 2_000_000
MOST_TIMES = 10_000
"""Stretches that are looked at; somebody who has more in a few months has a calendar that no person lives by."""
STEPS = {"YEARLY": 1, "MONTHLY": 12, "WEEKLY": 53, "DAILY": 366, "HOURLY": 366 * 24}
"""How often a year each rule makes a step. Rules by the minute or the second are no appointments."""
LAST_YEAR = 9999
"""As far as a rule that never comes true is followed."""
MOST_REPEATS = 100_000
"""Occurrences that may lie in the time that we look at; the library makes all of them at once."""
MOST_ZONE_PARTS, MOST_ZONE_DATES = 500, 1000
WEEKS = {"YEARLY": 53, "MONTHLY": 5}
"""How often a weekday comes in one step of each rule."""
NARROWING = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")

Stretch = tuple[datetime, datetime]


def read_busy(
    text: str, *, start: datetime, end: datetime, zone: ZoneInfo, without: Collection[str] = ()
) -> list[Stretch]:
    """When this calendar says that its owner is busy between `start` and `end`, in UTC and in order, what touches joined together. Whole days and
    times without a zone are in `zone`; what is free, transparent or cancelled counts for nothing. The text may hold several calendars.
    `without` names the UIDs of events that are known otherwise.

    Raises `Unreadable` for what is no calendar, is too large, or repeats so often that nobody can live by it.
    """
    components = parsed(text)
    with patience():
        _must_be_possible([event for one in components for event in one.walk("VEVENT")], start, end)
        for clock in (part for one in components for part in one.walk("VTIMEZONE")):
            _must_be_a_clock(clock)
        found: list[Stretch] = []
        for stretch in _all(components, start, end, zone, without):
            if len(found) == MOST_TIMES:
                raise Unreadable(_("This calendar holds too many appointments to be read."))
            if stretch[0] < end and stretch[1] > start and stretch[0] < stretch[1]:
                found.append((max(stretch[0], start), min(stretch[1], end)))
        return _joined(found)


def _all(
    components: Iterable[Any], start: datetime, end: datetime, zone: ZoneInfo, without: Collection[str]
) -> Iterator[Stretch]:
    # A day more on both sides: days and floating times are compared as if they were in UTC.
    since, until = start - timedelta(days=2), end + timedelta(days=2)
    for component in components:
        if component.name == "VCALENDAR" and any(component.walk("VEVENT")):
            query = recurring_ical_events.of(component, skip_bad_series=True)
            for _number, event in zip(range(MOST_TIMES), query.between(since, until), strict=False):
                if str(event.get("UID")) not in without and _is_busy(event) and (stretch := _stretch(event, zone)):
                    yield stretch
        for part in component.walk("VFREEBUSY"):
            yield from _periods(part, zone)


def _is_busy(event: Any) -> bool:
    words = [str(event.get(name, "")).upper() for name in ("TRANSP", "STATUS", "X-MICROSOFT-CDO-BUSYSTATUS")]
    return words[0] != "TRANSPARENT" and words[1] != "CANCELLED" and words[2] not in ("FREE", "WORKINGELSEWHERE")


def _stretch(event: Any, zone: ZoneInfo) -> Stretch | None:
    if "DTSTART" not in event:
        return None
    first = event["DTSTART"].dt
    if "DTEND" in event:
        last = event["DTEND"].dt
    elif "DURATION" in event:
        last = first + event["DURATION"].dt
    else:
        last = first if isinstance(first, datetime) else first + timedelta(days=1)
    if not isinstance(first, datetime) and last == first:
        last = first + timedelta(days=1)
    return _moment(first, zone), _moment(last, zone)


def _periods(part: Any, zone: ZoneInfo) -> Iterator[Stretch]:
    """What a calendar says of itself without its events."""
    lines = part.get("FREEBUSY", [])
    for line in lines if isinstance(lines, list) else [lines]:
        periods = getattr(line, "dts", [line])
        if str(getattr(line, "params", {}).get("FBTYPE", "BUSY")).upper() == "FREE":
            continue
        for period in periods:
            first, last = period.dt if hasattr(period, "dt") else (period.start, period.end)
            yield _moment(first, zone), _moment(first + last if isinstance(last, timedelta) else last, zone)


def _moment(value: date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _joined(found: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


# ── What repeating costs ─────────────────────────────────────────────────────────────────────────────────────────────


def _must_be_possible(events: list[Any], start: datetime, end: datetime) -> None:
    dates = sum(_number_of_dates(event) for event in events)
    if len(events) + dates > MOST_EVENTS:
        raise Unreadable(_("This calendar holds too many appointments to be read."))
    steps = repeats = 0.0
    for event in events:
        begins = event["DTSTART"].dt if "DTSTART" in event else end
        for rule in _rules(event):
            each = _steps(rule, begins, end)
            steps += each
            repeats += min(each, _a_year(rule) * _years_looked_at(event, begins, start, end))
    if steps > MOST_STEPS or repeats > MOST_REPEATS:
        raise Unreadable(_("Something in this calendar repeats so often that Kring cannot read it."))


def _must_be_a_clock(zone: Any) -> None:
    """A clock changes on one day of a month, once a year; whatever goes otherwise is no time zone of this earth."""
    parts = zone.subcomponents
    is_one = len(parts) <= MOST_ZONE_PARTS and sum(map(_number_of_dates, parts)) <= MOST_ZONE_DATES
    for rule in (rule for part in parts for rule in _rules(part)):
        by_itself = not any(rule.get(name) for name in ("BYHOUR", "BYMINUTE", "BYSECOND", "BYYEARDAY", "BYWEEKNO"))
        is_yearly = str(_one(rule, "FREQ", "")).upper() == "YEARLY"
        is_one &= by_itself and is_yearly and all(len(rule.get(name, [])) <= 1 for name in ("BYMONTH", "BYDAY"))
    if not is_one:
        raise Unreadable(_("Something in this calendar repeats so often that Kring cannot read it."))


def _rules(part: Any) -> list[Any]:
    rules = part.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _number_of_dates(part: Any) -> int:
    """The dates that are listed one by one, to be added or left out."""
    lists = (part.get(name, []) for name in ("RDATE", "EXDATE"))
    return sum(len(line.dts) for found in lists for line in (found if isinstance(found, list) else [found]))


def _years_looked_at(event: Any, begins: date, start: datetime, end: datetime) -> float:
    """The time in which an occurrence has to begin to be looked at: ours, and before it for as long as it lasts."""
    lasts = event["DURATION"].dt if "DURATION" in event else timedelta()
    if "DTEND" in event:
        last = event["DTEND"].dt
        lasts = date(last.year, last.month, last.day) - date(begins.year, begins.month, begins.day)
    return (end - start + abs(lasts) + timedelta(days=6)) / timedelta(days=365)


def _steps(rule: Any, begins: date, end: datetime) -> float:
    """How many steps it takes to follow this rule to its end, or to that of our time."""
    last = LAST_YEAR if _may_never_come(rule) else end.year
    until = _one(rule, "UNTIL", None)
    if isinstance(until, date):
        last = min(last, until.year)
    steps = (max(last - begins.year, 0) + 1) * _a_year(rule)
    count = _one(rule, "COUNT", None)
    return min(steps, int(count)) if count and not _may_never_come(rule) else steps


def _a_year(rule: Any) -> float:
    """How many steps this rule makes a year, with each of the moments that one of them may stand for."""
    frequency = str(_one(rule, "FREQ", "")).upper()
    often, interval = STEPS.get(frequency), int(_one(rule, "INTERVAL", 1))
    if often is None or interval < 1:
        return math.inf
    weeks = WEEKS.get(frequency, 1)
    months = 12 if frequency == "YEARLY" else 1
    numbers = {name: len(rule.get(name, [])) for name in ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYEASTER")}
    days = max(
        1,
        sum(1 if re.search("[0-9]", str(day)) else weeks for day in rule.get("BYDAY", [])),
        numbers["BYMONTH"],
        numbers["BYMONTHDAY"] * months,
        numbers["BYYEARDAY"],
        numbers["BYWEEKNO"] * 7,
        numbers["BYEASTER"],
    )
    # By the day and the hour, days only leave steps out.
    times = days if frequency in ("YEARLY", "MONTHLY", "WEEKLY") else 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(len(rule.get(name, [])), 1)
    return often * times / interval


def _may_never_come(rule: Any) -> bool:
    """Several conditions at once may never be true together (the thirtieth of February), and such a rule is followed to the end of all years. What
    calendars write every day is not meant: a month with its day that exists, or which of the weekdays of a month."""
    names = {name for name in NARROWING if rule.get(name)}
    if names <= {"BYMONTH"} or (names <= {"BYMONTH", "BYSETPOS"} and rule.get("BYDAY")):
        return any(abs(int(position)) > 4 for position in rule.get("BYSETPOS", []))
    if names <= {"BYMONTH", "BYMONTHDAY"} and not rule.get("BYDAY"):
        return all(abs(int(day)) > 28 for day in rule["BYMONTHDAY"]) and "BYMONTH" in names
    return True


def _one(rule: Any, name: str, otherwise: Any) -> Any:
    found = rule.get(name, otherwise)
    return found[0] if isinstance(found, list) and found else found
