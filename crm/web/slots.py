"""Free times as a page offers them: the next days that have any, by the clock of whoever reads, with the other clock beside it when they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from crm import agenda
from crm.clock import day_start
from crm.models import Appointment, User

DAYS = 5
"""Days with free times on one page: a working week."""
FEW_DAYS = 3
"""The same on a page that is read on a telephone."""
WINDOW = timedelta(days=28)
FARTHEST = timedelta(days=180)


@dataclass(frozen=True)
class Slot:
    """One free time. `value` is what a form sends."""

    at: datetime
    there: datetime | None

    @property
    def value(self) -> str:
        return self.at.astimezone(UTC).isoformat()


@dataclass(frozen=True)
class Day:
    day: date
    slots: list[Slot]


@dataclass(frozen=True)
class Slots:
    """The days that are shown; `later` is the first day of the next page, `is_first` whether nothing comes before."""

    days: list[Day]
    zone: ZoneInfo
    other: ZoneInfo | None
    later: date | None
    is_first: bool

    def __bool__(self) -> bool:
        return bool(self.days)


def offered(
    user: User,
    *,
    minutes: int,
    at: datetime,
    zone: ZoneInfo,
    since: date | None = None,
    other: ZoneInfo | None = None,
    travel_minutes: int = 0,
    not_counting: Appointment | None = None,
    most: int = DAYS,
) -> Slots:
    """The next days on which `user` has free times, from `since` (default: today), in `zone`. `other` is the zone of whoever is met."""
    today = at.astimezone(zone).date()
    since = min(max(since or today, today), today + FARTHEST)
    start = day_start(since, zone)
    found = agenda.free_slots(
        user,
        minutes=minutes,
        start=start,
        end=start + WINDOW,
        at=at,
        zone=zone,
        travel_minutes=travel_minutes,
        not_counting=not_counting,
    )
    days = [(day, list(moments)) for day, moments in groupby(found, key=lambda moment: moment.date())]
    shown = [Day(day, [Slot(moment, _there(moment, other)) for moment in moments]) for day, moments in days[:most]]
    after = days[most][0] if len(days) > most else (start + WINDOW).astimezone(zone).date()
    return Slots(
        days=shown,
        zone=zone,
        other=other if any(slot.there for day in shown for slot in day.slots) else None,
        later=after if after <= today + FARTHEST else None,
        is_first=since == today,
    )


def read(value: str | None) -> datetime | None:
    """The moment that a form sent back; nothing when it is none."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    if moment.tzinfo is None or not 2000 <= moment.year <= 2200:
        return None
    return moment.astimezone(UTC)


def _there(moment: datetime, other: ZoneInfo | None) -> datetime | None:
    """What the clock on the wall says there when it is not what it says here. Without a zone, so that a template leaves it as it is."""
    there = moment.astimezone(other).replace(tzinfo=None) if other else None
    return there if there != moment.replace(tzinfo=None) else None
