"""The week of a user, its limits, and the panel on Today: everybody sees when, nobody sees what for elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from crm import appointments
from crm.models import Absence, BusyTime, ExternalCalendar, Role, User
from tests import make

Login = Callable[[User], Client]
BRUSSELS = ZoneInfo("Europe/Brussels")
MONDAY = datetime(2027, 1, 11, 9, tzinfo=BRUSSELS)
WEEK = "/agenda/?week=2027-01-13"


def booked(host: User, days: int = 0, hour: int = 9, **fields: object) -> object:
    moment = MONDAY + timedelta(days=days, hours=hour - 9)
    return make.appointment(host, starts_at=moment, at=MONDAY - timedelta(days=30), **fields)  # type: ignore[arg-type]


def test_the_week_shows_what_was_agreed_and_hides_what_is_elsewhere(
    account_manager: User, sdr: User, login: Login
) -> None:
    person = make.person("Griet Vandamme")
    row = booked(account_manager, person=person, subject="About <dates>")
    own = ExternalCalendar.objects.create(user=account_manager, name="Own", sealed_url="x", created_at=MONDAY)
    for since in (MONDAY, MONDAY + timedelta(hours=4)):
        BusyTime.objects.create(calendar=own, starts_at=since, ends_at=since + timedelta(hours=1))
    Absence.objects.create(
        user=account_manager, starts_on=MONDAY.date() + timedelta(days=2), ends_on=MONDAY.date() + timedelta(days=2)
    )
    text = login(sdr).get(f"{WEEK}&user={account_manager.pk}").content.decode()
    assert "Griet Vandamme" in text
    assert "About &lt;dates&gt;" in text
    assert f"/appointments/{row.pk}/" in text  # type: ignore[attr-defined]
    assert text.count('class="week-busy"') == 1, "what is both agreed here and busy there is shown once"
    assert "13:00–14:00" in text
    assert "Away" in text


def test_what_was_called_off_is_not_in_the_week(account_manager: User, login: Login) -> None:
    row = booked(account_manager)
    appointments.cancel(appointment=row, why="ill", by=account_manager, at=MONDAY - timedelta(days=2))  # type: ignore[arg-type]
    assert "week-link" not in login(account_manager).get(WEEK).content.decode()


def test_the_weekend_shows_only_when_something_is_on_it(account_manager: User, login: Login) -> None:
    client = login(account_manager)
    assert "Saturday" not in client.get(WEEK).content.decode()
    booked(account_manager, days=5)
    assert "Saturday" in client.get(WEEK).content.decode()


def test_a_public_holiday_is_named(account_manager: User, login: Login) -> None:
    assert "Public holiday" in login(account_manager).get("/agenda/?week=2026-12-25").content.decode()


def test_nonsense_in_the_address_shows_this_week(account_manager: User, login: Login) -> None:
    client = login(account_manager)
    assert client.get("/agenda/?week=never&user=x").status_code == 200
    assert client.get("/agenda/?user=999999").status_code == 404


def test_a_full_week_takes_no_more_queries(
    account_manager: User, login: Login, django_assert_max_num_queries: Any
) -> None:
    client = login(account_manager)
    for days in range(5):
        for hour in (9, 11, 14):
            booked(account_manager, days=days, hour=hour)
    with django_assert_max_num_queries(12):
        assert client.get(WEEK).content.decode().count('class="week-link"') == 15


def test_a_part_is_served_for_the_next_week(account_manager: User, login: Login) -> None:
    answer = login(account_manager).get(WEEK, headers={"HX-Request": "true", "HX-Target": "agenda"})
    assert answer.content.decode().lstrip().startswith('<div id="agenda">')


def test_today_shows_today_and_tomorrow_of_ones_own(account_manager: User, sdr: User, login: Login) -> None:
    now = timezone.now()
    soon = now + timedelta(minutes=5)
    mine = make.appointment(account_manager, starts_at=soon, minutes=30, at=now, by=sdr, subject="Coming up")
    make.appointment(account_manager, starts_at=now + timedelta(days=3), at=now, subject="Far away")
    make.appointment(sdr, starts_at=soon, at=now, subject="Somebody else's")
    text = login(account_manager).get("/").content.decode()
    assert "Coming up" in text
    assert f"/appointments/{mine.pk}/" in text
    assert "booked by Sofie Peeters" in text
    assert "Far away" not in text
    assert "Somebody else" not in text


def test_limits_are_saved_and_told_apart_from_nonsense(account_manager: User, login: Login) -> None:
    client = login(account_manager)
    form = {"buffer_minutes": "30", "most_appointments": "2", "notice_hours": "24"}
    assert client.post("/me/agenda/", form).status_code == 302
    account_manager.refresh_from_db()
    limits = (account_manager.buffer_minutes, account_manager.most_appointments, account_manager.notice_hours)
    assert limits == (30, 2, 24)
    for wrong in ({"most_appointments": "0"}, {"buffer_minutes": "9999"}, {"notice_hours": "-1"}):
        answer = client.post("/me/agenda/", form | wrong)
        assert answer.status_code == 200
        assert "invalid-feedback" in answer.content.decode()


@pytest.mark.parametrize("kind", ["phone", "video", "visit"])
def test_each_way_to_meet_reads_as_a_word(kind: str, account_manager: User, login: Login) -> None:
    customer = make.organisation(customer_since=MONDAY)
    booked(account_manager, person=make.person(organisation=customer), kind=kind)
    assert kind.capitalize() in login(account_manager).get(WEEK).content.decode()


def test_who_left_has_no_agenda_to_look_at(sdr: User, login: Login) -> None:
    gone = make.user("Gone", Role.ACCOUNT_MANAGER, is_active=False)
    assert login(sdr).get(f"/agenda/?user={gone.pk}").status_code == 404
