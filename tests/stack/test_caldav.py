"""Busy times from a real CalDAV server (Radicale): what repeats, whole days, what takes no time, and what goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from crm import calendars, sealed
from crm.calendars import NotConnected
from crm.channels.fetching import Trouble
from crm.models import BusyTime, ExternalCalendar, User
from tests.calendars import USER, CalDavServer, caldav_server
from tests.mail import PASSWORD
from tests.make import AT

__all__ = ["caldav_server"]

pytestmark = [pytest.mark.stack, pytest.mark.django_db]

_numbers = count(1)


@pytest.fixture(autouse=True)
def private_allowed(settings: Any) -> None:
    settings.PRIVATE_CALENDARS = True


def connect(by: User, url: str, password: str = PASSWORD) -> ExternalCalendar:
    return calendars.connect(by=by, at=AT, kind="caldav", name="Mine", url=url, username=USER, password=password)


def busy(row: ExternalCalendar) -> list[tuple[datetime, datetime]]:
    return list(BusyTime.objects.filter(calendar=row).order_by("starts_at").values_list("starts_at", "ends_at"))


def name() -> str:
    return f"calendar{next(_numbers)}"


def test_what_stands_on_the_server_is_when_they_are_busy(caldav_server: CalDavServer, account_manager: User):
    url = caldav_server.make(
        name(),
        "DTSTART;TZID=Europe/Brussels:20250107T090000\nDTEND;TZID=Europe/Brussels:20250107T100000\n"
        "RRULE:FREQ=WEEKLY;UNTIL=20261209T000000Z\nEXDATE;TZID=Europe/Brussels:20261201T090000",
        "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203",
        "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\nTRANSP:TRANSPARENT",
        "DTSTART:20251203T090000Z\nDTEND:20251203T100000Z",
    )
    row = connect(account_manager, url)
    assert [(first.isoformat()[:16], (last - first) / timedelta(hours=1)) for first, last in busy(row)] == [
        ("2026-11-24T08:00", 1),
        ("2026-12-01T23:00", 24),
        ("2026-12-08T08:00", 1),
    ]
    assert PASSWORD not in row.sealed_password
    assert sealed.unseal(row.sealed_password) == PASSWORD


def test_the_address_of_the_account_stands_for_all_its_calendars(caldav_server: CalDavServer, account_manager: User):
    for day in (10, 11):
        caldav_server.make(name(), f"DTSTART:202701{day}T090000Z\nDTEND:202701{day}T100000Z")
    found = busy(connect(account_manager, caldav_server.url))
    assert {datetime(2027, 1, day, 9, tzinfo=UTC) for day in (10, 11)} <= {first for first, _last in found}


def test_a_wrong_password_a_calendar_that_is_gone_and_a_server_that_is_away_say_so(
    caldav_server: CalDavServer, account_manager: User
):
    url = caldav_server.make(name())
    for tried, password, trouble in (
        (url, "wrong", Trouble.PASSWORD),
        (caldav_server.calendar("never-there"), PASSWORD, Trouble.GONE),
        ("http://127.0.0.1:1/", PASSWORD, Trouble.NO_ANSWER),
    ):
        with pytest.raises(NotConnected) as refusal:
            connect(account_manager, tried, password)
        assert str(refusal.value) == str(trouble.label)
    assert not ExternalCalendar.objects.exists()


def test_a_calendar_that_goes_away_keeps_what_it_said(caldav_server: CalDavServer, account_manager: User):
    called = name()
    url = caldav_server.make(called, "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z")
    row = connect(account_manager, url)
    caldav_server.put(called, "another", "DTSTART:20261202T090000Z\nDTEND:20261202T100000Z")
    assert calendars.refresh(calendar_id=row.pk, at=AT)
    assert len(busy(row)) == 2
    caldav_server.ask("DELETE", url)
    assert not calendars.refresh(calendar_id=row.pk, at=AT + timedelta(minutes=10))
    row.refresh_from_db()
    assert (row.failure, len(busy(row))) == ("gone", 2)
