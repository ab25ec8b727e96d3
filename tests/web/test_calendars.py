"""The screens of one's own calendars, and the feed that the program of a calendar reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import calendars
from crm.models import ExternalCalendar, User
from crm.web import feed as feed_screen
from tests import make
from tests.calendars import WebServer, web_server

__all__ = ["web_server"]

pytestmark = pytest.mark.django_db

TEXT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"


@pytest.fixture(autouse=True)
def fresh(settings: Any) -> None:
    settings.PRIVATE_CALENDARS = True
    cache.clear()


def feed_address(user: User) -> str:
    return reverse("crm:feed", args=[calendars.renew_feed(user=user, at=timezone.now())])


def test_a_calendar_is_connected_by_its_address(login: Any, account_manager: User, web_server: WebServer):
    client = login(account_manager)
    assert "Secret address in iCal format" in client.get(reverse("crm:calendar-new")).content.decode()
    url = web_server.page("/secret-7.ics", TEXT)
    answer = client.post(reverse("crm:calendar-new"), {"name": "Work", "url": url}, follow=True)
    page = answer.content.decode()
    assert "“Work” is connected." in page
    assert "secret-7" not in page
    assert ExternalCalendar.objects.get().user == account_manager


def test_what_was_typed_stays_when_it_cannot_be_read_but_no_password(
    login: Any, account_manager: User, web_server: WebServer
):
    client = login(account_manager)
    data = {"name": "Mine", "url": web_server.url("/nothing/"), "username": "els", "password": "very-secret"}
    page = client.post(reverse("crm:calendar-new") + "?by=caldav", data).content.decode()
    assert "What is at this address is no calendar." in page
    assert 'value="els"' in page
    assert "very-secret" not in page


def test_the_list_says_what_is_wrong_in_words(login: Any, account_manager: User, django_assert_max_num_queries: Any):
    client = login(account_manager)
    for number in range(3):
        make.calendar(account_manager, name=f"Number {number}", failure="gone: 404", failing_since=timezone.now())
    client.get(reverse("crm:calendars"))
    with django_assert_max_num_queries(12):
        page = client.get(reverse("crm:calendars")).content.decode()
    assert page.count("There is no calendar at this address") == 3
    assert "calendar.example" not in page


def test_an_address_that_is_kept_is_never_shown_again(login: Any, account_manager: User):
    row = make.calendar(account_manager)
    client = login(account_manager)
    assert "calendar.example" not in client.get(reverse("crm:calendar", args=[row.pk])).content.decode()
    answer = client.post(reverse("crm:calendar", args=[row.pk]), {"name": "Office"})
    row.refresh_from_db()
    assert (answer.status_code, row.name) == (302, "Office")


def test_reading_it_now_and_letting_go(login: Any, account_manager: User):
    row = make.calendar(account_manager, failure="gone", failing_since=timezone.now())
    ExternalCalendar.objects.update(claimed_until=timezone.now() + timedelta(hours=1))
    client = login(account_manager)
    client.post(reverse("crm:calendar-look", args=[row.pk]))
    row.refresh_from_db()
    assert row.claimed_until is None
    assert "Disconnect this calendar?" in client.get(reverse("crm:calendar-disconnect", args=[row.pk])).content.decode()
    client.post(reverse("crm:calendar-disconnect", args=[row.pk]))
    assert not ExternalCalendar.objects.exists()


def test_not_even_who_leads_sees_a_calendar_of_a_colleague(login: Any, admin_user: User, account_manager: User):
    row = make.calendar(account_manager, name="My therapist")
    client = login(admin_user)
    assert client.get(reverse("crm:calendar", args=[row.pk])).status_code == 403
    assert "therapist" not in client.get(reverse("crm:calendars")).content.decode()


def test_who_knocks_on_too_many_doors_waits(
    login: Any, account_manager: User, web_server: WebServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("crm.web.calendars.TRIES", 1)
    client = login(account_manager)
    data = {"name": "Work", "url": web_server.url("/nothing.ics")}
    client.post(reverse("crm:calendar-new"), data)
    assert "Wait ten minutes" in client.post(reverse("crm:calendar-new"), data).content.decode()
    assert len(web_server.asked) == 1


def test_the_feed_is_made_shown_renewed_and_switched_off(login: Any, account_manager: User, client: Client):
    mine = login(account_manager)
    mine.post(reverse("crm:feed-renew"))
    account_manager.refresh_from_db()
    first = reverse("crm:feed", args=[account_manager.feed_key])
    assert first in mine.get(reverse("crm:calendars")).content.decode()
    assert client.get(first).status_code == 200
    mine.post(reverse("crm:feed-renew"))
    assert client.get(first).status_code == 404
    account_manager.refresh_from_db()
    second = reverse("crm:feed", args=[account_manager.feed_key])
    mine.post(reverse("crm:feed-revoke"))
    assert client.get(second).status_code == 404


def test_a_program_reads_the_feed_without_a_login_and_only_what_changed(
    client: Client, account_manager: User, sdr: User
):
    make.appointment(account_manager, by=sdr, starts_at=timezone.now() + timedelta(days=2), at=timezone.now())
    address = feed_address(account_manager)
    answer = client.get(address)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"BEGIN:VEVENT" in answer.content
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert not answer.cookies
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make.appointment(account_manager, by=sdr, starts_at=timezone.now() + timedelta(days=4), at=timezone.now())
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("key", ["x", "a" * 43, "ééééééééééééééééééééééé", "%00" * 30, "None"])
def test_a_key_that_nobody_has_is_a_page_that_is_not_there(client: Client, account_manager: User, key: str):
    assert client.get(f"/feed/{key}.ics").status_code == 404


def test_the_feed_of_who_left_is_gone(client: Client, account_manager: User):
    address = feed_address(account_manager)
    User.objects.filter(pk=account_manager.pk).update(is_active=False)
    assert client.get(address).status_code == 404


def test_who_asks_for_feeds_without_end_waits(client: Client, account_manager: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_screen, "MOST", 1)
    address = feed_address(account_manager)
    assert client.get(address).status_code == 200
    assert client.get(address).status_code == 429


def test_the_feed_asks_few_questions(
    client: Client, account_manager: User, sdr: User, django_assert_max_num_queries: Any
):
    for days in (2, 4, 6):
        make.appointment(account_manager, by=sdr, starts_at=timezone.now() + timedelta(days=days), at=timezone.now())
    address = feed_address(account_manager)
    with django_assert_max_num_queries(4):
        client.get(address)
