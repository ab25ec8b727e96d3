"""When a team works and how long it lets people wait; and how its hours come to its members."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from crm import clock, teams
from crm.models import Event, EventKind, Team, User
from crm.refusal import Refused
from crm.teams import Says
from tests import make

pytestmark = pytest.mark.django_db
GENT = Says("Gent", time_zone="Europe/Brussels")
EARLY = replace(GENT, work_start=time(7), work_end=time(15), working_days=(0, 1, 2, 3))


def hours(user: User) -> tuple[list[int], time, time, str]:
    user.refresh_from_db()
    return user.working_days, user.work_start, user.work_end, user.time_zone


def test_a_team_is_made_and_changed_and_each_change_remembered_once(admin_user: User) -> None:
    team = teams.save(says=GENT, by=admin_user, at=make.AT)
    for _ in range(2):
        teams.save(
            team=team, says=replace(GENT, country="nl", closed_days=(date(2026, 12, 24),)), by=admin_user, at=make.AT
        )
    team.refresh_from_db()
    assert (team.country, team.closed_days) == ("NL", [date(2026, 12, 24)])
    made, changed = Event.objects.filter(kind=EventKind.TEAM_CHANGED).order_by("pk")
    assert (made.old, changed.old and changed.old["country"], changed.new and changed.new["country"]) == (
        None,
        "BE",
        "NL",
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "a name"),
        ({"country": "Belgium"}, "no public holidays"),
        ({"country": "XX"}, "no public holidays"),
        ({"working_days": ()}, "at least one working day"),
        ({"working_days": (7,)}, "at least one working day"),
        ({"work_end": time(9)}, "after it starts"),
        ({"time_zone": "Europe/Gent"}, "not a time zone"),
        ({"first_answer_minutes": 0}, "2400 working minutes"),
        ({"hand_off_hours": 201}, "200 working hours"),
        ({"untouched_days": 0}, "90 days"),
        ({"closed_days": [date(2026, 1, 1) + timedelta(days=day) for day in range(201)]}, "at most 200 days"),
        (
            {"working_days": (0,), "closed_days": [date(2026, 1, 5) + timedelta(weeks=week) for week in range(60)]},
            "for a whole year",
        ),
    ],
)
def test_a_team_that_cannot_be_is_refused(admin_user: User, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        teams.save(says=replace(GENT, **wrong), by=admin_user, at=make.AT)
    assert not Team.objects.exists()


def test_two_teams_have_two_names(admin_user: User, team: Team, other_team: Team) -> None:
    with pytest.raises(Refused, match="this name already"):
        teams.save(team=other_team, says=GENT, by=admin_user, at=make.AT)
    other_team.refresh_from_db()
    assert other_team.name == "Utrecht"


def test_members_with_the_hours_of_the_team_go_along_and_others_keep_theirs(
    admin_user: User, team: Team, sdr: User, teammate: User, outsider: User
) -> None:
    teammate.work_start = time(10)
    teammate.save()
    teams.save(team=team, says=EARLY, by=admin_user, at=make.AT)
    assert hours(sdr) == ([0, 1, 2, 3], time(7), time(15), "Europe/Brussels")
    assert (hours(teammate)[1], hours(outsider)[1]) == (time(10), time(9))
    assert Event.objects.get(kind=EventKind.AGENDA_CHANGED, subject_id=sdr.pk).by == admin_user


def test_who_joins_takes_over_the_hours_unless_they_chose_their_own(
    admin_user: User, sdr: User, outsider: User
) -> None:
    outsider.work_start = time(10)
    outsider.save()
    early = teams.save(says=replace(EARLY, name="Early"), members=[sdr, outsider], by=admin_user, at=make.AT)
    assert hours(sdr)[0] == [0, 1, 2, 3]
    assert (hours(outsider)[0], outsider.team) == ([0, 1, 2, 3, 4], early)
    ordinary = teams.save(says=replace(GENT, name="Late"), members=[sdr], by=admin_user, at=make.AT)
    assert (hours(sdr)[1], sdr.team) == (time(9), ordinary), "from the hours of one team to those of the next"
    assert list(early.members.all()) == [outsider]


def test_who_lives_in_another_zone_keeps_it(admin_user: User, sdr: User) -> None:
    User.objects.filter(pk=sdr.pk).update(time_zone="America/New_York", team=None)
    teams.save(says=replace(EARLY, name="Early"), members=[User.objects.get(pk=sdr.pk)], by=admin_user, at=make.AT)
    assert hours(sdr) == ([0, 1, 2, 3, 4], time(9), time(17, 30), "America/New_York")


def test_who_is_taken_off_a_team_is_on_none_and_keeps_the_hours(admin_user: User, team: Team, sdr: User) -> None:
    teams.save(team=team, says=GENT, members=[], by=admin_user, at=make.AT)
    assert hours(sdr)[1] == time(9)
    assert sdr.team is None


def test_a_team_with_members_stays_and_an_empty_one_goes_once(admin_user: User, team: Team, sdr: User) -> None:
    with pytest.raises(Refused, match="still on this team"):
        teams.remove(team=team, by=admin_user, at=make.AT)
    teams.join(user=sdr, team=None, by=admin_user, at=make.AT)
    for _ in range(2):
        teams.remove(team=team, by=admin_user, at=make.AT)
    assert not Team.objects.exists()


def test_somebody_chooses_their_own_hours_and_it_is_remembered_once(sdr: User) -> None:
    for _ in range(2):
        teams.set_hours(
            user=sdr, working_days=[3, 1], work_start=time(8), work_end=time(12), time_zone="Europe/Brussels",
            by=sdr, at=make.AT,
        )  # fmt: skip
    assert hours(sdr)[:3] == ([1, 3], time(8), time(12))
    assert Event.objects.filter(kind=EventKind.AGENDA_CHANGED).count() == 1


def test_the_calendar_of_a_team_and_of_its_members_knows_when_it_is_closed(team: Team, sdr: User) -> None:
    christmas_eve = date(2026, 12, 24)
    team.closed_days = [christmas_eve]
    team.save()
    sdr.refresh_from_db()
    wednesday_evening = datetime(2026, 12, 23, 16, 0, tzinfo=UTC)
    # Thursday closed, Friday Christmas, then the weekend: half an hour is left on Wednesday, half an hour on Monday.
    for calendar in (team.calendar, sdr.calendar):
        assert not clock.is_working_day(christmas_eve, calendar)
        due = clock.add_working_time(wednesday_evening, timedelta(hours=1), calendar)
        assert due == datetime(2026, 12, 28, 8, 30, tzinfo=UTC)


def test_the_holidays_are_those_of_the_country_of_the_team(team: Team, other_team: Team) -> None:
    national_day, kings_day = date(2026, 7, 21), date(2026, 4, 27)
    assert [clock.is_working_day(day, team.calendar) for day in (national_day, kings_day)] == [False, True]
    assert [clock.is_working_day(day, other_team.calendar) for day in (national_day, kings_day)] == [True, False]


# ---- The response clock --------------------------------------------------------------------------------------------

SLOW = {"first_answer_minutes": 90, "work_start": time(11), "working_days": [1, 2, 3, 4]}
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""Eleven o'clock in Brussels."""


def due(**fields: Any) -> datetime | None:
    return make.lead(**fields).answer_due_at


def test_the_first_answer_is_due_within_the_time_of_the_sdrs_team_in_the_sdrs_own_hours(team: Team, sdr: User) -> None:
    Team.objects.filter(pk=team.pk).update(**SLOW)
    sdr.refresh_from_db()
    assert due(owner=sdr) == make.AT + timedelta(minutes=90)


def test_as_long_as_nobody_has_it_the_team_of_the_form_decides_and_else_the_organisation(team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(**SLOW)
    team.refresh_from_db()
    assert due(form=make.form(owner_rule="team", team=team)) == TUESDAY + timedelta(minutes=90), "closed on Mondays"
    assert due(team=team) == TUESDAY + timedelta(minutes=90)
    assert due() == make.AT + timedelta(hours=1)


def test_the_holidays_of_the_teams_country_stop_the_clock(team: Team, other_team: Team) -> None:
    eve = datetime(2026, 7, 20, 15, 0, tzinfo=UTC)  # five o'clock, the evening before the Belgian national day
    assert due(at=eve, team=team) == datetime(2026, 7, 22, 7, 30, tzinfo=UTC)
    assert due(at=eve, team=other_team) == datetime(2026, 7, 21, 7, 30, tzinfo=UTC)
