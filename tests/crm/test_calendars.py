"""Calendars elsewhere say when somebody is busy and nothing else; where they cannot be read, what they said before stays. And the feed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from crm import appointments, calendars, sealed, tasks
from crm.calendars import NotConnected, refreshing
from crm.channels import caldav_client, fetching
from crm.channels.fetching import CannotFetch, Trouble
from crm.models import BusyTime, Event, EventKind, ExternalCalendar, User
from crm.refusal import Refused
from tests import make
from tests.calendars import WebServer, web_server
from tests.make import AT

__all__ = ["web_server"]

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def calendar_text(*events: str) -> str:
    inside = [
        f"BEGIN:VEVENT\r\nUID:e{number}@x.example\r\nDTSTAMP:20260101T000000Z\r\n{event}\r\nEND:VEVENT"
        for number, event in enumerate(events)
    ]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR", ""])


DENTIST = "SUMMARY:Dentist\r\nDTSTART:20261124T090000Z\r\nDTEND:20261124T100000Z"


@pytest.fixture(autouse=True)
def private_allowed(settings: Any) -> None:
    """The servers of the tests stand on this machine."""
    settings.PRIVATE_CALENDARS = True


def connect(by: User, server: WebServer, text: str = "", **fields: Any) -> ExternalCalendar:
    url = server.page("/secret.ics", text or calendar_text(DENTIST))
    given: dict[str, Any] = {"kind": "ics", "name": "Work", "url": url}
    return calendars.connect(by=by, at=AT, **given | fields)


def busy(row: ExternalCalendar) -> list[tuple[datetime, datetime]]:
    return list(BusyTime.objects.filter(calendar=row).order_by("starts_at").values_list("starts_at", "ends_at"))


# ── Connecting ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_calendar_is_read_before_it_is_connected_and_its_address_is_sealed(
    web_server: WebServer, account_manager: User
):
    row = connect(account_manager, web_server)
    assert busy(row) == [(NINE, TEN)]
    assert "secret.ics" not in row.sealed_url
    assert sealed.unseal(row.sealed_url).endswith("/secret.ics")
    [event] = Event.objects.filter(kind=EventKind.CALENDAR_CONNECTED)
    assert event.new == {"kind": "ics", "owner": str(account_manager)}


@pytest.mark.parametrize(
    ("text", "headers", "trouble"),
    [
        ("<html>Sign in</html>", {}, Trouble.NO_CALENDAR),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20200101T000000Z\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\nEND:VCALENDAR", {}, Trouble.UNREADABLE),
        ("", {"status": 404}, Trouble.GONE),
        ("", {"status": 500}, Trouble.SERVER),
        ("", {"status": 302, "Location": "/loop.ics"}, Trouble.REDIRECTIONS),
        ("", {"status": 302, "Location": "file:///etc/passwd"}, Trouble.ADDRESS),
    ],
)  # fmt: skip
def test_one_that_cannot_be_read_is_not_connected_and_says_why(
    web_server: WebServer, account_manager: User, text: str, headers: dict[str, Any], trouble: Trouble
):
    url = web_server.page("/loop.ics", text, **headers)
    with pytest.raises(NotConnected) as refusal:
        calendars.connect(by=account_manager, at=AT, kind="ics", name="Work", url=url)
    assert str(refusal.value) == str(trouble.label)
    assert not ExternalCalendar.objects.exists()


def test_a_redirection_is_followed_and_looked_at_again(web_server: WebServer, account_manager: User):
    there = web_server.page("/there.ics", calendar_text(DENTIST))
    url = web_server.page("/here.ics", status=302, Location=there)
    row = calendars.connect(by=account_manager, at=AT, kind="ics", name="Work", url=url)
    assert busy(row) == [(NINE, TEN)]


@pytest.mark.parametrize(
    "url",
    [
        "http://calendar.example/x.ics",
        "ftp://calendar.example/x.ics",
        "https://user:secret@calendar.example/x.ics",
        "https:///x.ics",
        "https://calendar.example:99999/x.ics",
        "https://calendar example/x.ics",
        "javascript:alert(1)",
        "nothing",
    ],
)
def test_what_is_no_address_of_a_calendar_is_refused(account_manager: User, url: str):
    with pytest.raises(Refused):
        calendars.connect(by=account_manager, at=AT, kind="ics", name="Work", url=url)


def test_a_name_is_used_once_and_ten_calendars_are_enough(web_server: WebServer, account_manager: User, sdr: User):
    connect(account_manager, web_server)
    with pytest.raises(Refused):
        connect(account_manager, web_server)
    connect(sdr, web_server)
    for number in range(9):
        connect(account_manager, web_server, name=f"Number {number}")
    with pytest.raises(Refused):
        connect(account_manager, web_server, name="One more")


def test_changing_the_name_asks_no_server_and_changing_the_address_does(web_server: WebServer, account_manager: User):
    row = connect(account_manager, web_server)
    asked = len(web_server.asked)
    calendars.change(calendar=row, by=account_manager, at=AT, name="Office")
    assert len(web_server.asked) == asked
    url = web_server.page("/other.ics", calendar_text())
    changed = calendars.change(calendar=row, by=account_manager, at=AT, name="Office", url=url)
    assert (busy(changed), changed.name) == ([], "Office")


def test_who_changes_where_the_password_goes_types_it_again(account_manager: User):
    row = make.calendar(account_manager, kind="caldav", username="els", sealed_password=sealed.seal("secret"))
    for fields in ({"url": "https://elsewhere.example/", "username": "els"}, {"username": "other"}):
        with pytest.raises(Refused):
            calendars.change(calendar=row, by=account_manager, at=AT, name="Work", **fields)


def test_disconnecting_forgets_everything_of_it(web_server: WebServer, account_manager: User):
    row = connect(account_manager, web_server)
    calendars.disconnect(calendar=row, by=account_manager, at=AT)
    calendars.disconnect(calendar=row, by=account_manager, at=AT)
    assert not ExternalCalendar.objects.exists()
    assert not BusyTime.objects.exists()
    assert Event.objects.filter(kind=EventKind.CALENDAR_DISCONNECTED).count() == 1


# ── Reading again ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_calendar_says_now_takes_the_place_of_what_it_said(web_server: WebServer, account_manager: User):
    row = connect(account_manager, web_server)
    web_server.page("/secret.ics", calendar_text(DENTIST.replace("1124", "1125")))
    assert calendars.due(at=AT) == [row.pk]
    assert calendars.refresh(calendar_id=row.pk, at=AT)
    assert busy(row) == [(NINE + timedelta(days=1), TEN + timedelta(days=1))]


def test_where_it_cannot_be_read_what_it_said_stays_and_it_is_asked_less_often(
    web_server: WebServer, account_manager: User
):
    row = connect(account_manager, web_server)
    web_server.page("/secret.ics", status=503)
    assert not calendars.refresh(calendar_id=row.pk, at=AT)
    later = AT + timedelta(minutes=20)
    assert not calendars.refresh(calendar_id=row.pk, at=later)
    row.refresh_from_db()
    assert (row.failure, row.failing_since, busy(row)) == ("server: 503", AT, [(NINE, TEN)])
    assert calendars.due(at=later + timedelta(minutes=10)) == []
    assert calendars.due(at=later + timedelta(minutes=20)) == [row.pk]
    calendars.read_now(calendar=row)
    web_server.page("/secret.ics", calendar_text())
    assert calendars.refresh(calendar_id=row.pk, at=later)
    row.refresh_from_db()
    assert (row.failure, row.failing_since, row.checked_at, busy(row)) == ("", None, later, [])


def test_one_that_another_worker_reads_is_left_alone(web_server: WebServer, account_manager: User):
    row = connect(account_manager, web_server)
    ExternalCalendar.objects.update(claimed_until=AT + timedelta(minutes=1))
    asked = len(web_server.asked)
    assert not calendars.refresh(calendar_id=row.pk, at=AT)
    assert len(web_server.asked) == asked
    assert calendars.refresh(calendar_id=row.pk, at=AT + timedelta(minutes=1))


def test_one_that_is_let_go_while_it_is_read_stays_gone(
    web_server: WebServer, account_manager: User, monkeypatch: pytest.MonkeyPatch
):
    row = connect(account_manager, web_server)

    def gone(_row: ExternalCalendar, **_fields: Any) -> list[tuple[datetime, datetime]]:
        calendars.disconnect(calendar=row, by=account_manager, at=AT)
        return [(NINE, TEN)]

    monkeypatch.setattr(refreshing, "busy", gone)
    assert not calendars.refresh(calendar_id=row.pk, at=AT)
    assert not BusyTime.objects.exists()


def test_nobodys_calendar_is_read_after_they_left(account_manager: User):
    make.calendar(account_manager)
    User.objects.filter(pk=account_manager.pk).update(is_active=False)
    assert calendars.due(at=AT) == []


def test_one_whose_key_changed_says_so(account_manager: User):
    row = make.calendar(account_manager, sealed_url="not sealed by us")
    assert not calendars.refresh(calendar_id=row.pk, at=AT)
    row.refresh_from_db()
    assert row.failure == "sealed"


def test_what_was_agreed_here_does_not_stand_in_its_own_way(web_server: WebServer, account_manager: User, sdr: User):
    one = make.appointment(account_manager, by=sdr)
    accepted = DENTIST + f"\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:{one.uid}\r\nDTSTART:20261125T093000Z\r\nDURATION:PT1H"
    assert busy(connect(account_manager, web_server, calendar_text(accepted))) == [(NINE, TEN)]


def test_the_schedule_asks_for_each_that_is_due(account_manager: User, monkeypatch: pytest.MonkeyPatch):
    row = make.calendar(account_manager)
    asked: list[Any] = []
    monkeypatch.setattr(tasks.refresh_calendar, "apply_async", lambda args, **_rest: asked.append(args))
    tasks.refresh_calendars()
    assert asked == [(row.pk,)]


# ── Where Kring does not look ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "::1", "fe80::1", "fc00::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "255.255.255.255",
        "fec0::1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::a00:1", "5f00::1",
    ],
)  # fmt: skip
def test_no_address_of_a_private_network_is_asked(address: str, monkeypatch: pytest.MonkeyPatch):
    assert not fetching.is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [
        (family, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)),
        (family, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_rest: found)
    with pytest.raises(CannotFetch) as trouble:
        fetching.fetch("https://innocent.example/x.ics")
    assert trouble.value.trouble == Trouble.PRIVATE


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch):
    """A name that leads elsewhere when it is asked again gains nothing: it is asked once."""
    assert fetching.is_public("93.184.215.14")
    asked: list[Any] = []

    def resolve(host: str, port: int, **_rest: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    def connect_to(address: tuple[str, int], **_rest: Any) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect_to)
    with pytest.raises(CannotFetch) as trouble:
        fetching.fetch("https://innocent.example/x.ics")
    assert trouble.value.trouble == Trouble.NO_ANSWER
    assert asked == ["innocent.example", ("93.184.215.14", 443)]


def test_without_leave_nothing_on_this_machine_is_asked(web_server: WebServer, account_manager: User, settings: Any):
    settings.PRIVATE_CALENDARS = False
    for url in (web_server.page("/x.ics", calendar_text()), f"https://127.0.0.1:{web_server.port}/x.ics"):
        with pytest.raises(Refused):
            calendars.connect(by=account_manager, at=AT, kind="ics", name="Work", url=url)
    assert web_server.asked == []


def test_a_password_goes_to_nobody_else(web_server: WebServer):
    there = web_server.page("/there").replace("127.0.0.1", "localhost")
    web_server.page("/here", status=302, Location=there)
    login = fetching.Login("els", "secret")
    fetching.fetch(web_server.url("/here"), login=login, is_private_allowed=True)
    (_first, said), (_second, then) = web_server.asked
    assert said.startswith("Basic ")
    assert then == ""
    assert "secret" not in repr(login)


def test_no_rule_is_followed_before_it_is_reckoned(monkeypatch: pytest.MonkeyPatch):
    """The library would look which occurrences are meant, and one a second since 1970 takes it hours."""
    event = "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "DTSTART:19700101T000000Z"]
        + ["DURATION:PT1S", "RRULE:FREQ=SECONDLY", "END:VEVENT", "END:VCALENDAR"]
    )  # fmt: skip
    said = {
        "PROPFIND": "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>",
        "REPORT": f"<D:getetag>1</D:getetag><C:calendar-data>{event}</C:calendar-data>",
    }

    def answer(url: str, *, method: str, **_rest: Any) -> fetching.Answer:
        content = (
            '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/c/a.ics</D:href>'
            f"<D:propstat><D:prop>{said[method]}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
        )
        return fetching.Answer(207, {"content-type": "application/xml"}, content.encode(), url)

    def followed(*_args: Any, **_rest: Any) -> None:
        raise AssertionError("a rule was followed")

    monkeypatch.setattr(caldav_client, "fetch", answer)
    monkeypatch.setattr("icalendar_searcher.Searcher.check_component", followed)
    text = caldav_client.read(
        "https://dav.example/c/", username="a", password="b", start=AT, end=AT + timedelta(days=9)
    )
    assert "FREQ=SECONDLY" in text


@pytest.mark.parametrize(("is_led_away", "gets"), [(True, False), (False, True)])
def test_whoever_a_server_leads_on_to_cannot_ask_for_the_password(
    is_led_away: bool, gets: bool, monkeypatch: pytest.MonkeyPatch
):
    """Large providers name another server of theirs, which needs it; a stranger who answers in their place does the same."""
    content = (
        '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/me/</D:href>'
        "<D:propstat><D:prop><D:resourcetype><D:collection/>"
        "</D:resourcetype><D:current-user-principal><D:href>/me/</D:href></D:current-user-principal><C:calendar-home-set><D:href>"
        "https://other.example/home/</D:href></C:calendar-home-set></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
    )
    asked: dict[str, bool] = {}

    def answer(url: str, *, login: Any, **_rest: Any) -> fetching.Answer:
        if "other.example" in url:
            asked[url] = login is not None
        there = "https://other.example/" if is_led_away else url
        return fetching.Answer(207, {"content-type": "application/xml"}, content.encode(), there)

    monkeypatch.setattr(caldav_client, "fetch", answer)
    with pytest.raises(CannotFetch):
        caldav_client.read("https://dav.example/", username="a", password="b", start=AT, end=AT + timedelta(days=9))
    assert set(asked.values()) == {gets}


def test_a_server_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch, web_server: WebServer):
    monkeypatch.setattr(fetching, "LARGEST", 1000)
    web_server.page("/large", "x" * 2000)
    with pytest.raises(CannotFetch) as trouble:
        fetching.fetch(web_server.url("/large"), is_private_allowed=True)
    assert trouble.value.trouble == Trouble.TOO_LARGE


# ── The feed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def events_of(user: User, at: datetime = AT) -> list[Any]:
    return list(Calendar.from_ical(calendars.feed_of(user, at=at)).walk("VEVENT"))


def test_the_feed_shows_what_is_agreed_with_whom_where_and_a_link(account_manager: User, sdr: User):
    lead = make.working_lead(sdr)
    one = make.appointment(
        account_manager, person=lead.person, lead=lead, by=sdr, place="Mechelen", subject="First talk"
    )
    make.appointment(sdr)
    [event] = events_of(account_manager)
    assert event["SUMMARY"].startswith("First talk (")
    assert (event["UID"], event["LOCATION"], event["STATUS"]) == (one.uid, "Mechelen", "CONFIRMED")
    assert event["URL"].endswith(f"/leads/{lead.pk}/")
    assert event["DTSTART"].dt == one.starts_at


def test_what_was_called_off_is_shown_as_such_for_a_while(account_manager: User, sdr: User):
    one = make.appointment(account_manager, by=sdr, starts_at=AT + timedelta(days=40))
    appointments.cancel(appointment=one, why="No need", by=sdr, at=AT)
    assert [event["STATUS"] for event in events_of(account_manager)] == ["CANCELLED"]
    assert events_of(account_manager, AT + timedelta(days=31)) == []


def test_the_feed_reaches_a_month_back_and_half_a_year_on(account_manager: User, sdr: User):
    make.appointment(account_manager, by=sdr, starts_at=AT + timedelta(days=2))
    make.appointment(account_manager, by=sdr, starts_at=AT + timedelta(days=200))
    assert len(events_of(account_manager)) == 1
    assert len(events_of(account_manager, AT + timedelta(days=31))) == 2
    assert len(events_of(account_manager, AT + timedelta(days=40))) == 1


def test_an_address_of_the_feed_can_be_renewed_and_revoked(account_manager: User):
    first = calendars.renew_feed(user=account_manager, at=AT)
    second = calendars.renew_feed(user=account_manager, at=AT)
    assert first != second
    calendars.revoke_feed(user=account_manager, at=AT)
    calendars.revoke_feed(user=account_manager, at=AT)
    account_manager.refresh_from_db()
    assert account_manager.feed_key is None
    said = Event.objects.filter(kind=EventKind.FEED_CHANGED).order_by("pk")
    assert [event.new["done"] for event in said if event.new] == ["made", "renewed", "revoked"]
