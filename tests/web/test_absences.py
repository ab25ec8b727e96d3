"""Days away on the screen: one's own, and everybody's for those who lead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from crm.models import Absence, User
from tests import make

Login = Callable[[User], Client]


def days(first: int, last: int | None = None, **more: Any) -> dict[str, Any]:
    today = timezone.localdate()
    said = {"starts_on": (today + timedelta(days=first)).isoformat()}
    return said | ({} if last is None else {"ends_on": (today + timedelta(days=last)).isoformat()}) | more


def test_i_note_my_days_and_remove_them(login: Login, sdr: User, teammate: User) -> None:
    client = login(sdr)
    answer = client.post("/me/absences/", days(3, 5, stand_in=teammate.pk, why="the coast"), follow=True)
    row = Absence.objects.get()
    page = answer.content.decode()
    assert (row.user, row.stand_in) == (sdr, teammate)
    assert "Tine Claes stands in" in page
    assert "the coast" in page
    assert "away now" not in page
    client.post(f"/absences/{row.pk}/remove/")
    assert not Absence.objects.exists()


def test_one_day_needs_no_last_day(login: Login, sdr: User) -> None:
    answer = login(sdr).post("/me/absences/", days(0), follow=True)
    assert "away now" in answer.content.decode()
    row = Absence.objects.get()
    assert row.starts_on == row.ends_on


def test_what_is_refused_is_said_and_what_was_typed_is_kept(login: Login, sdr: User) -> None:
    make.absence(sdr, at=timezone.now(), days=4)
    page = login(sdr).post("/me/absences/", days(2, 6, why="the hills")).content.decode()
    assert "away already" in page
    assert 'value="the hills"' in page
    assert Absence.objects.count() == 1


def test_my_page_shows_mine_alone_and_the_managers_everybodys(
    login: Login, sdr: User, teammate: User, manager: User
) -> None:
    make.absence(teammate, at=timezone.now(), why="skiing")
    assert "skiing" not in login(sdr).get("/me/absences/").content.decode()
    assert "skiing" in login(manager).get("/settings/absences/").content.decode()


def test_who_leads_notes_the_days_of_a_colleague(login: Login, sdr: User, manager: User) -> None:
    client = login(manager)
    client.post("/settings/absences/", days(0, 2, user=sdr.pk))
    row = Absence.objects.get()
    assert row.user == sdr
    answer = client.post(f"/absences/{row.pk}/remove/", {"everybody": "1"})
    assert answer.headers["Location"] == "/settings/absences/"


def test_a_lead_is_given_with_open_eyes(login: Login, sdr: User, teammate: User) -> None:
    """The form in which a lead is given to a colleague says who is away."""
    make.absence(teammate, at=timezone.now(), days=3)
    page = login(sdr).get(f"/leads/{make.lead().pk}/assign/").content.decode()
    assert "Tine Claes (away until" in page
    assert "Sofie Peeters (away" not in page


def test_it_asks_the_database_little(
    login: Login, manager: User, sdr: User, teammate: User, django_assert_max_num_queries: Any
) -> None:
    for user in (sdr, teammate, *(make.user() for _ in range(8))):
        make.absence(user, at=timezone.now())
    client = login(manager)
    with django_assert_max_num_queries(5):  # session, user, colleagues, days, leads waiting
        client.get("/settings/absences/")
