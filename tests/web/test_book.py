"""The page on which a prospect chooses a time: no login, no cookie, their own language and clock, and nothing happens by looking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from crm import appointments
from crm.models import Appointment, AppointmentState, BookingLink, User
from tests import make
from tests.make import AT

BRUSSELS = ZoneInfo("Europe/Brussels")
TUESDAY = datetime(2026, 11, 24, 14, tzinfo=BRUSSELS)
VALUE = TUESDAY.astimezone(UTC).isoformat()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def link(account_manager: User, sdr: User) -> BookingLink:
    return make.booking_link(account_manager, by=sdr, person=make.person("Griet Vandamme"))


def url(link: BookingLink, act: str = "") -> str:
    return f"/book/{link.token}/{act}"


def test_they_see_whom_they_meet_and_when_and_looking_does_nothing(link: BookingLink, client: Client) -> None:
    answer = client.get(url(link))
    text = answer.content.decode()
    assert "Arjan van der Meer" in text
    assert "30 min" in text
    assert "14:00" in text
    picked = client.get(url(link), {"at": VALUE, "zone": "Europe/Brussels"}).content.decode()
    assert "Tuesday 24 November, 14:00" in picked
    assert "Griet Vandamme" in picked
    assert not Appointment.objects.exists()
    assert not answer.cookies
    assert (answer.headers["Referrer-Policy"], answer.headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_time_is_booked_and_the_same_form_again_books_nothing_more(link: BookingLink, client: Client) -> None:
    form = {"at": VALUE, "note": "About dates", "zone": "Europe/London"}
    for _time in range(2):
        answer = Client(enforce_csrf_checks=True).post(url(link), form)
        assert answer.headers["Location"] == url(link)
        assert not answer.cookies
    row = Appointment.objects.get()
    assert (row.starts_at, row.note, row.time_zone, row.booked_by) == (TUESDAY, "About dates", "Europe/London", None)
    text = client.get(url(link)).content.decode()
    assert "It is agreed" in text
    assert "Tuesday 24 November, 13:00" in text


def test_times_are_those_of_their_own_clock(link: BookingLink, client: Client) -> None:
    there = client.get(url(link), {"zone": "America/New_York"}).content.decode()
    assert "08:00" in there
    assert "14:00" not in there
    assert "data-ask-zone" not in there
    assert "data-ask-zone" in client.get(url(link)).content.decode()
    assert client.get(url(link), {"zone": "Mars/Olympus"}).status_code == 200


def test_it_speaks_their_language(account_manager: User, client: Client) -> None:
    link = make.booking_link(account_manager, person=make.person(language="nl"))
    answer = client.get(url(link), headers={"Accept-Language": "en"})
    assert '<html lang="nl"' in answer.content.decode()


def test_a_time_that_was_just_taken_shows_fresh_ones_and_says_so(
    link: BookingLink, account_manager: User, client: Client
) -> None:
    make.appointment(account_manager, starts_at=TUESDAY, minutes=30)
    text = client.post(url(link), {"at": VALUE, "zone": "Europe/Brussels"}).content.decode()
    assert "just before you" in text
    assert VALUE.replace("+", "%2B").replace(":", "%3A") not in text
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("value", ["", "soon", "2026-11-24T14:00", "9999-12-31T23:59:00+00:00", "\0"])
def test_nonsense_for_a_time_is_asked_again(value: str, link: BookingLink, client: Client) -> None:
    answer = client.post(url(link), {"at": value})
    assert answer.status_code == 200
    assert not Appointment.objects.exists()
    assert client.get(url(link), {"at": value, "since": value}).status_code == 200


def test_they_move_it_and_call_it_off_and_may_choose_again(link: BookingLink, client: Client) -> None:
    client.post(url(link), {"at": VALUE})
    later = (TUESDAY + timedelta(hours=1)).astimezone(UTC).isoformat()
    assert client.get(url(link, "move/")).status_code == 200
    assert client.get(url(link, "cancel/")).status_code == 200
    row = Appointment.objects.get()
    assert row.sequence == 0, "looking moves nothing"
    client.post(url(link, "move/"), {"at": later})
    row.refresh_from_db()
    assert (row.starts_at, row.sequence) == (TUESDAY + timedelta(hours=1), 1)
    client.post(url(link, "cancel/"), {"why": "Too busy"})
    row.refresh_from_db()
    assert (row.state, row.state_why, row.sequence) == (AppointmentState.CANCELLED, "Too busy", 2)
    assert "called off" in client.get(url(link)).content.decode()
    assert client.post(url(link, "move/"), {"at": VALUE}).headers["Location"] == url(link)
    client.post(url(link), {"at": VALUE})
    assert Appointment.objects.filter(state=AppointmentState.BOOKED).count() == 1


def test_who_has_the_link_cannot_bury_both_in_mail(link: BookingLink, client: Client, settings: Any) -> None:
    settings.FORM_LIMIT = 0
    hours = [(TUESDAY + timedelta(hours=hour)).astimezone(UTC).isoformat() for hour in (0, 1)]
    client.post(url(link), {"at": hours[0]})
    for number in range(1, 40):
        client.post(url(link, "move/"), {"at": hours[number % 2]})
    row = Appointment.objects.get()
    assert row.sequence == appointments.MOST_CHANGES - 1
    assert "To change something, write to Arjan van der Meer" in client.get(url(link)).content.decode()
    client.post(url(link, "cancel/"))
    row.refresh_from_db()
    assert row.state == AppointmentState.BOOKED


def test_calling_off_and_choosing_again_ends_as_well(link: BookingLink, client: Client, settings: Any) -> None:
    settings.FORM_LIMIT = 0
    for _time in range(15):
        client.post(url(link), {"at": VALUE})
        client.post(url(link, "cancel/"))
    assert Appointment.objects.count() == appointments.MOST_CHANGES // 2
    assert client.get(url(link)).status_code == 410


def test_the_file_is_a_calendar_with_the_same_uid(link: BookingLink, client: Client) -> None:
    assert client.get(url(link, "appointment.ics")).status_code == 404
    client.post(url(link), {"at": VALUE})
    answer = client.get(url(link, "appointment.ics"))
    assert answer.headers["Content-Type"].startswith("text/calendar")
    (event,) = icalendar.Calendar.from_ical(answer.content.decode()).walk("VEVENT")
    assert event["UID"] == Appointment.objects.get().uid
    assert event.decoded("DTSTART") == TUESDAY


@pytest.mark.parametrize("how", ["expired", "revoked", "host gone"])
def test_a_link_that_is_over_says_kindly_what_to_do(
    how: str, link: BookingLink, account_manager: User, sdr: User, client: Client
) -> None:
    if how == "revoked":
        appointments.revoke_link(link=link, by=sdr, at=AT)
    elif how == "host gone":
        account_manager.is_active = False
        account_manager.save()
    else:
        BookingLink.objects.update(expires_at=AT, made_at=AT - timedelta(days=14))
    answer = client.get(url(link))
    assert answer.status_code == 410
    assert "not valid any more" in answer.content.decode()
    client.post(url(link), {"at": VALUE})
    assert not Appointment.objects.exists()


def test_what_was_booked_may_be_moved_after_the_link_is_too_old_and_not_after_it_began(
    link: BookingLink, client: Client
) -> None:
    client.post(url(link), {"at": VALUE})
    BookingLink.objects.update(expires_at=AT, made_at=AT - timedelta(days=14))
    assert client.get(url(link, "move/")).status_code == 200
    with time_machine.travel(TUESDAY + timedelta(minutes=5), tick=False):
        assert client.get(url(link, "move/")).status_code == 302
        assert "has been" in client.get(url(link)).content.decode()


def test_a_revoked_link_shows_what_stands_and_changes_nothing(link: BookingLink, sdr: User, client: Client) -> None:
    client.post(url(link), {"at": VALUE})
    appointments.revoke_link(link=link, by=sdr, at=AT)
    text = client.get(url(link)).content.decode()
    assert "It is agreed" in text
    assert url(link, "cancel/") not in text
    client.post(url(link, "cancel/"))
    assert Appointment.objects.get().state == AppointmentState.BOOKED


def test_a_token_that_we_never_made_is_not_there(client: Client) -> None:
    assert client.get("/book/nonsense/").status_code == 404
    assert client.post("/book/nonsense/", {"at": VALUE}).status_code == 404


def test_who_asks_too_often_waits(link: BookingLink, client: Client, settings: Any) -> None:
    settings.FORM_LIMIT = 2
    for _time in range(2):
        client.post(url(link), {"at": ""})
    answer = client.post(url(link), {"at": VALUE})
    assert answer.status_code == 429
    assert not Appointment.objects.exists()
    assert client.get(url(link)).status_code == 200


def test_a_full_agenda_says_whom_to_write_to(link: BookingLink, account_manager: User, client: Client) -> None:
    account_manager.work_start, account_manager.work_end = time(9), time(9, 5)
    account_manager.save()
    text = client.get(url(link)).content.decode()
    assert "no free time" in text
    assert "arjan@kring.test" in text


def test_the_night_on_which_the_clock_goes_back_is_offered_once(account_manager: User, client: Client) -> None:
    account_manager.working_days, account_manager.work_start = list(range(7)), time(1)
    account_manager.save()
    with time_machine.travel(datetime(2026, 10, 24, 20, tzinfo=UTC), tick=False):
        link = make.booking_link(account_manager, at=datetime(2026, 10, 24, 20, tzinfo=UTC))
        text = client.get(url(link), {"zone": "Europe/Brussels"}).content.decode()
    assert text.count('aria-label="Sunday 25 October, 02:30"') == 1


def test_the_page_takes_few_queries(link: BookingLink, client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(12):
        client.get(url(link))
