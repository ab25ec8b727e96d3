"""When it is a decent hour where somebody lives: quiet hours, Sundays and public holidays, in their own time zone. Pure: no database.

Of somebody in a country of several time zones, whose own we do not know, it is quiet as long as it is quiet anywhere in that country.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global
from django.conf import settings
from django.utils.translation import gettext as _

from crm.clock import WorkCalendar, add_working_days, day_start, is_working_day
from crm.models import ConversationKind, PacingPolicy

SPOKEN = frozenset({ConversationKind.CALL, ConversationKind.VIDEO})
"""These ring: not on Sundays and holidays."""

HEARD_AT_ONCE = SPOKEN | {ConversationKind.CHAT}
"""These disturb whoever sleeps. A mail may go at any hour, since it is read when its reader likes."""

SUNDAY = 6
EVERY_DAY = tuple(range(7))
JANUARY, JULY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
FARTHEST = 500
"""So many steps from one quiet hour or day to the next, more than a year of them."""


@dataclass(frozen=True)
class Place:
    """Where somebody lives, as far as we know: the zones in which they may be, the likeliest first, and the country whose holidays they keep."""

    zones: tuple[ZoneInfo, ...]
    country: str

    @property
    def zone(self) -> ZoneInfo:
        return self.zones[0]

    def working_days_after(self, moment: datetime, days: int) -> datetime:
        """The beginning of the day that is so many of their working days after this moment."""
        calendar = WorkCalendar(time_zone=self.zone.key, country=self.country)
        return self.begins(add_working_days(moment.astimezone(self.zone).date(), days, calendar))

    def begins(self, day: date) -> datetime:
        """The first moment of a day there, in UTC: a local time that the clock jumps over equals no other."""
        return day_start(day, self.zone).astimezone(UTC)


def place(*, time_zone: str = "", country: str = "", number: str = "") -> Place:
    """Where somebody is who has this time zone, else lives in this country, else has a telephone number of one, else is our neighbour."""
    country = country.upper() or _country_of(number) or settings.COUNTRY
    own = _zone(time_zone)
    return Place((own,) if own else _zones(country, settings.COUNTRY, settings.TIME_ZONE), country)


def next_decent(moment: datetime, where: Place, channel: str, policy: PacingPolicy) -> datetime:
    """The moment itself when somebody there may be called (or reached by another channel) then, else the first one after it."""
    for zones in (
        where.zones,
        where.zones[:1],
    ):  # A country so wide that it is always night somewhere has one likeliest zone.
        found = _first(moment, zones, where.country, channel, policy)
        if found is not None:
            return found
    return moment


def why_quiet(moment: datetime, where: Place, channel: str, policy: PacingPolicy) -> str:
    """What makes this moment a bad one, as a sentence; empty when nothing does."""
    for zone in where.zones:
        local = moment.astimezone(zone)
        if _is_closed(local.date(), where.country, channel, policy):
            return (
                _("It is Sunday where they live.")
                if local.weekday() == SUNDAY
                else _("It is a public holiday where they live.")
            )
        if _is_quiet(local.time(), channel, policy):
            return _("It is %(time)s where they live; we let people be from %(from)s to %(until)s.") % {
                "time": f"{local:%H:%M}",
                "from": f"{policy.quiet_from:%H:%M}",
                "until": f"{policy.quiet_until:%H:%M}",
            }
    return ""


def _first(
    moment: datetime, zones: tuple[ZoneInfo, ...], country: str, channel: str, policy: PacingPolicy
) -> datetime | None:
    """The first moment that is decent in all of these zones at once; None when there is none within a good many days."""
    unmoved = 0
    for step in range(FARTHEST * len(zones)):
        zone = zones[step % len(zones)]
        local = moment.astimezone(zone)
        if _is_closed(local.date(), country, channel, policy):
            moment, unmoved = day_start(local.date() + timedelta(days=1), zone).astimezone(UTC), 0
        elif _is_quiet(local.time(), channel, policy):
            moment, unmoved = _end_of_quiet(local, policy.quiet_until).astimezone(UTC), 0
        else:
            unmoved += 1
        if unmoved == len(zones):
            return moment
    return None


def _is_quiet(local: time, channel: str, policy: PacingPolicy) -> bool:
    if channel not in HEARD_AT_ONCE:
        return False
    begin, end = policy.quiet_from, policy.quiet_until
    return begin <= local < end if begin < end else local >= begin or local < end


def _is_closed(day: date, country: str, channel: str, policy: PacingPolicy) -> bool:
    if channel not in SPOKEN or not policy.keeps_holidays:
        return False
    return day.weekday() == SUNDAY or not is_working_day(day, WorkCalendar(settings.TIME_ZONE, country, EVERY_DAY))


def _end_of_quiet(local: datetime, end: time) -> datetime:
    """The next time that their clock shows `end`. In the hour that comes twice in autumn, the second one when the first has passed."""
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    first = datetime.combine(day, end, tzinfo=local.tzinfo)
    return first if first.timestamp() > local.timestamp() else first.replace(fold=1)


def _country_of(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


@lru_cache(maxsize=512)
def _zones(country: str, our_country: str, our_zone: str) -> tuple[ZoneInfo, ...]:
    ours = ZoneInfo(our_zone)
    if country == our_country:
        return (ours,)
    found = [zone for name in get_global("territory_zones").get(country, ()) if (zone := _zone(name))]
    if not found:
        return (ours,)
    # Zones whose clocks agree are one. The middle one first: the outer ones are islands more often than cities.
    found.sort(key=lambda zone: JANUARY.astimezone(zone).utcoffset() or timedelta())
    middle = found[len(found) // 2]
    clocks = {(JANUARY.astimezone(zone).utcoffset(), JULY.astimezone(zone).utcoffset()): zone for zone in found}
    clocks[JANUARY.astimezone(middle).utcoffset(), JULY.astimezone(middle).utcoffset()] = middle
    return (middle, *(zone for zone in clocks.values() if zone is not middle))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
