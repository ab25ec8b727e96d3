"""Keep teams: who is on one, when it works, and how long it lets people wait. Members who keep the hours of their team go along when they change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import available_timezones

import holidays
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.clock import MONDAY_TO_FRIDAY, WorkCalendar, next_working_day
from crm.models import EventKind, Team, User
from crm.notation import one_line
from crm.refusal import Refused

MOST_CLOSED_DAYS = 200
HOURS = ("working_days", "work_start", "work_end", "time_zone")
"""What a user and a team both have; the days on which a team is closed hold for its members by themselves."""
ORDINARY = {"working_days": list(MONDAY_TO_FRIDAY), "work_start": time(9), "work_end": time(17, 30)}
"""The hours of somebody for whom nobody chose any."""


@dataclass(frozen=True)
class Says:
    """What a team is."""

    name: str
    country: str = "BE"
    working_days: Collection[int] = MONDAY_TO_FRIDAY
    work_start: time = time(9)
    work_end: time = time(17, 30)
    time_zone: str = field(default_factory=lambda: settings.TIME_ZONE)
    closed_days: Collection[date] = ()
    first_answer_minutes: int = 60
    hand_off_hours: int = 4
    untouched_days: int = 7
    office_address: str = ""
    office_postcode: str = ""


@transaction.atomic
def save(
    *, says: Says, by: User, at: datetime, team: Team | None = None, members: Collection[User] | None = None
) -> Team:
    """The team says this now (a new one without `team`), and with `members` these are on it and no others.

    Members whose hours were those of the team have its new ones; who chose hours of their own keeps them. Whoever joins takes over the hours of the
    team unless they chose their own. Refuses a name that is empty or another team's, a country of which we know no holidays, a zone that does not
    exist, a week without working days, a day that ends before it starts, clocks of nothing or of months, and too many closed days.
    """
    locks.hold("teams")
    values = _sound(says)
    if team is None:
        team, old, hours = Team(), None, None
    else:
        team = locks.row(Team.objects.all(), team.pk)
        old, hours = _values(team), _hours(team)
    for name, value in values.items():
        setattr(team, name, value)
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as clash:
        raise Refused(_("There is a team of this name already. Choose another name.")) from clash
    if old != _values(team):
        events.record(EventKind.TEAM_CHANGED, subject=team, by=by, at=at, old=old, new=_values(team))
    if hours is not None and hours != _hours(team):
        for member in team.members.select_for_update(no_key=True).order_by("pk"):
            if _hours(member) == hours:
                set_hours(user=member, by=by, at=at, **_hours(team))
    if members is not None:
        _set_members(team, {user.pk for user in members}, by, at)
    return team


@transaction.atomic
def remove(*, team: Team, by: User, at: datetime) -> None:
    """The team is no more. Twice is once. Refuses one that still has members who can log in: where would they be?"""
    row = Team.objects.select_for_update().filter(pk=team.pk).first()
    if row is None:
        return
    if row.members.filter(is_active=True).exists():
        raise Refused(_("Somebody is still on this team. Give them another team first."))
    events.record(EventKind.TEAM_CHANGED, subject=row, by=by, at=at, old=_values(row))
    row.delete()


@transaction.atomic
def join(*, user: User, team: Team | None, by: User, at: datetime) -> User:
    """The user is on this team, or on none, and takes over its hours unless they have hours of their own."""
    user = locks.row(User.objects.select_related("team"), user.pk)
    before = user.team
    if before == team:
        return user
    user.team = team
    user.save(update_fields=["team"])
    events.record(
        EventKind.TEAM_CHANGED,
        subject=user,
        by=by,
        at=at,
        old={"team": events.readable(before)},
        new={"team": events.readable(team)},
    )
    return settle(user=user, before=before, by=by, at=at)


@transaction.atomic
def settle(*, user: User, before: Team | None, by: User, at: datetime) -> User:
    """Somebody who came to their team from `before` (or from none) has its hours, unless they have hours of their own."""
    if user.team is not None and has_ordinary_hours(user, before):
        return set_hours(user=user, by=by, at=at, **_hours(user.team))
    return user


@transaction.atomic
def set_hours(
    *,
    user: User,
    working_days: Collection[int],
    work_start: time,
    work_end: time,
    time_zone: str,
    by: User,
    at: datetime,
) -> User:
    """The user works at these hours. Refuses a week without working days, a day that ends before it starts, and a zone that does not exist."""
    week = _week(working_days, work_start, work_end, time_zone)
    user = locks.row(User.objects.all(), user.pk)
    old = _hours(user)
    for name, value in week.items():
        setattr(user, name, value)
    if _hours(user) != old:
        user.save(update_fields=list(HOURS))
        events.record(EventKind.AGENDA_CHANGED, subject=user, by=by, at=at, old=old, new=_hours(user))
    return user


def has_ordinary_hours(user: User, team: Team | None) -> bool:
    """Whether somebody never chose hours: they are those of the team that they were on, or those with which everybody begins."""
    hours = _hours(user)
    if team is not None and hours == _hours(team):
        return True
    return user.time_zone == settings.TIME_ZONE and all(hours[name] == value for name, value in ORDINARY.items())


def knows_holidays_of(country: str) -> bool:
    """Whether the days off of this country (two letters, ISO 3166) are known."""
    return country in holidays.list_supported_countries()


def _sound(says: Says) -> dict[str, Any]:
    said = asdict(says)
    said["name"] = one_line(says.name, 100)
    said["country"] = says.country.strip().upper()
    said["office_address"], said["office_postcode"] = (
        one_line(says.office_address, 200),
        one_line(says.office_postcode, 20),
    )
    said["closed_days"] = sorted(set(says.closed_days))
    if not said["name"]:
        raise Refused(_("Give the team a name."))
    if not knows_holidays_of(said["country"]):
        raise Refused(_("We know no public holidays of this country. Write two letters, such as BE or NL."))
    if len(said["closed_days"]) > MOST_CLOSED_DAYS:
        raise Refused(_("A team can be closed on at most %(most)d days.") % {"most": MOST_CLOSED_DAYS})
    if not 1 <= says.first_answer_minutes <= 2400:
        raise Refused(_("The first answer is due within 1 to 2400 working minutes."))
    if not 1 <= says.hand_off_hours <= 200:
        raise Refused(_("A hand-off is answered within 1 to 200 working hours."))
    if not 1 <= says.untouched_days <= 90:
        raise Refused(_("An untouched lead returns after 1 to 90 days."))
    said |= _week(says.working_days, says.work_start, says.work_end, says.time_zone)
    calendar = WorkCalendar(
        said["time_zone"], said["country"], tuple(said["working_days"]), closed=frozenset(said["closed_days"])
    )
    try:
        for day in said["closed_days"]:
            next_working_day(day, calendar)
    except ValueError:
        raise Refused(_("A team that is closed for a whole year answers nobody. Leave some working days.")) from None
    return said


def _week(working_days: Collection[int], work_start: time, work_end: time, time_zone: str) -> dict[str, Any]:
    days = sorted(set(working_days))
    if not days or not set(days) <= set(range(7)):
        raise Refused(_("Choose at least one working day."))
    if work_end <= work_start:
        raise Refused(_("The working day must end after it starts."))
    if time_zone not in available_timezones():
        raise Refused(_("“%(value)s” is not a time zone. Use a name such as Europe/Brussels.") % {"value": time_zone})
    return {"working_days": days, "work_start": work_start, "work_end": work_end, "time_zone": time_zone}


def _set_members(team: Team, wanted: set[int], by: User, at: datetime) -> None:
    now = set(team.members.filter(is_active=True).values_list("pk", flat=True))
    for user in User.objects.filter(pk__in=now - wanted).order_by("pk"):
        join(user=user, team=None, by=by, at=at)
    for user in User.objects.filter(pk__in=wanted - now).order_by("pk"):
        join(user=user, team=team, by=by, at=at)


def _hours(whose: User | Team) -> dict[str, Any]:
    hours = {name: getattr(whose, name) for name in HOURS}
    return hours | {"working_days": sorted(hours["working_days"])}


def _values(team: Team) -> dict[str, Any]:
    return {name: getattr(team, name) for name in asdict(Says(""))}
