"""Teams on the screen: hours, holidays, clocks, office and members, for administrators; managers look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.test import Client

from crm.models import Team, User

Login = Callable[[User], Client]
SAYS: dict[str, Any] = {
    "name": "Gent",
    "country": "be",
    "working_days": ["0", "1", "2", "3"],
    "work_start": "08:00",
    "work_end": "16:00",
    "time_zone": "Europe/Brussels",
    "closed_days": "2026-12-24\r\n\r\n2027-01-02",
    "first_answer_minutes": "45",
    "hand_off_hours": "3",
    "untouched_days": "5",
    "office_address": "Coupure 1",
    "office_postcode": "9000",
}


def test_an_administrator_changes_a_team_and_its_members_go_along(
    login: Login, admin_user: User, team: Team, sdr: User, outsider: User
) -> None:
    client = login(admin_user)
    page = client.get(f"/settings/teams/{team.pk}/").content.decode()
    assert "Members whose hours are those of the team have the new ones" in page
    client.post(f"/settings/teams/{team.pk}/", SAYS | {"members": [sdr.pk, outsider.pk]})
    team.refresh_from_db()
    sdr.refresh_from_db()
    outsider.refresh_from_db()
    assert (team.country, team.closed_days) == ("BE", [date(2026, 12, 24), date(2027, 1, 2)])
    assert (team.first_answer_minutes, team.hand_off_hours, team.untouched_days) == (45, 3, 5)
    assert (team.office_postcode, outsider.team) == ("9000", team)
    assert (sdr.working_days, sdr.work_start, outsider.work_end) == ([0, 1, 2, 3], time(8), time(16))


def test_a_new_team_begins_with_usual_hours(login: Login, admin_user: User) -> None:
    client = login(admin_user)
    page = client.get("/settings/teams/new/").content.decode()
    assert 'value="17:30"' in page
    client.post("/settings/teams/new/", SAYS | {"name": "Antwerpen"})
    assert Team.objects.get().name == "Antwerpen"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"closed_days": "24 Smarch"}, "“24 Smarch” is no day"),
        ({"closed_days": "9999-01-01"}, "is no day"),
        ({"country": "XX"}, "We know no public holidays"),
        ({"work_end": "07:00"}, "must end after it starts"),
        ({"working_days": []}, "Choose at least one day"),
        ({"name": "Utrecht"}, "a team of this name already"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    login: Login, admin_user: User, team: Team, other_team: Team, wrong: dict[str, Any], sentence: str
) -> None:
    page = login(admin_user).post(f"/settings/teams/{team.pk}/", SAYS | wrong).content.decode()
    assert sentence in page
    team.refresh_from_db()
    assert team.hand_off_hours == 4


def test_a_team_with_members_is_not_removed_and_an_empty_one_is(
    login: Login, admin_user: User, sdr: User, team: Team, other_team: Team
) -> None:
    client = login(admin_user)
    assert "still on this team" in client.post(f"/settings/teams/{team.pk}/remove/", follow=True).content.decode()
    client.post(f"/settings/teams/{other_team.pk}/remove/")
    assert list(Team.objects.all()) == [team]


def test_managers_look_and_change_nothing(login: Login, manager: User, team: Team) -> None:
    client = login(manager)
    page = client.get("/settings/teams/").content.decode()
    assert "within 60 working minutes" in page
    assert f"/settings/teams/{team.pk}/" not in page
    assert client.get(f"/settings/teams/{team.pk}/").status_code == 403


def test_somebody_who_is_added_to_a_team_has_its_hours(login: Login, admin_user: User, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(work_start=time(7), working_days=[0, 2])
    new = {"name": "Noor Maes", "email": "noor@kring.test", "role": "sdr", "team": team.pk, "language": "nl"}
    login(admin_user).post("/admin/crm/user/add/", new | {"time_zone": "Europe/Brussels"})
    user = User.objects.get(email="noor@kring.test")
    assert (user.work_start, user.working_days, user.team) == (time(7), [0, 2], team)


def test_it_asks_the_database_little(
    login: Login, manager: User, team: Team, other_team: Team, django_assert_max_num_queries: Any
) -> None:
    client = login(manager)
    with django_assert_max_num_queries(4):  # session, user, teams, leads waiting
        client.get("/settings/teams/")
