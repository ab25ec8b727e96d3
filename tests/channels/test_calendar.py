"""Calendars as text: invitations out, replies in, busy times, and what strangers write."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from crm.channels import calendar
from crm.channels.calendar import Entry, Guest, Meeting, Unreadable
from crm.channels.calendar.zones import rules

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
START, END = datetime(2026, 11, 23, tzinfo=UTC), datetime(2027, 3, 23, tzinfo=UTC)
BRUSSELS = ZoneInfo("Europe/Brussels")
SHARED = Path("../shared/data/icalendar")
ZONES = [
    "Europe/Brussels", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Africa/Casablanca", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland", "Pacific/Kiritimati", "UTC",
]  # fmt: skip


def meeting(**fields: object) -> Meeting:
    given = {
        "uid": "abc@kring.example",
        "sequence": 0,
        "subject": "First talk",
        "starts_at": datetime(2026, 12, 1, 9, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 1, 9, 45, tzinfo=UTC),
        "zone": "Europe/Brussels",
        "organizer": Guest("Els Claes", "els@kring.example"),
        "guests": (Guest("Luc Maes", "luc@maes.example"),),
    }
    return Meeting(**given | fields)  # type: ignore[arg-type]


def event_of(text: str) -> Any:
    [event] = Calendar.from_ical(text).walk("VEVENT")
    return event


DAYS, HOURS, MINUTES = (",".join(map(str, range(since, until))) for since, until in ((1, 32), (0, 24), (0, 60)))


def a_calendar(*lines: str, around: tuple[str, ...] = ()) -> str:
    inside = ["BEGIN:VEVENT", "UID:one@x.example", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *around, *inside, "END:VCALENDAR", ""])


def busy(*lines: str, around: tuple[str, ...] = ()) -> list[str]:
    """Busy stretches as the clock in Brussels shows them."""
    found = calendar.read_busy(a_calendar(*lines, around=around), start=START, end=END, zone=BRUSSELS)
    return [f"{a.astimezone(BRUSSELS):%d-%m %H:%M}–{b.astimezone(BRUSSELS):%d-%m %H:%M}" for a, b in found]


# ── Invitations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_says_who_when_and_where_to_every_calendar():
    text = calendar.invitation(
        meeting(place="Grote Markt 1, Mechelen", words="Over de opleiding.\r\nTot dan", sent_by="noor@kring.example"),
        at=AT,
    )
    event = event_of(text)
    assert Calendar.from_ical(text)["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("abc@kring.example", 0, "CONFIRMED")
    assert event["ORGANIZER"] == "mailto:els@kring.example"
    assert event["ORGANIZER"].params["SENT-BY"] == "mailto:noor@kring.example"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
    assert (event["LOCATION"], event["DESCRIPTION"]) == ("Grote Markt 1, Mechelen", "Over de opleiding.\nTot dan")
    assert "DTSTART;TZID=Europe/Brussels:20261201T100000" in text
    assert "TZID:Europe/Brussels" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_cancellation_keeps_the_uid_and_says_that_it_is_off():
    text = calendar.cancellation(meeting(sequence=3), at=AT)
    event = event_of(text)
    assert Calendar.from_ical(text)["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("abc@kring.example", 3, "CANCELLED")


def test_nobody_writes_lines_of_their_own_into_an_invitation():
    nasty = 'Els" \r\nATTENDEE:mailto:evil@x.example\x07'
    text = calendar.invitation(
        meeting(
            subject=nasty, place=nasty, words=nasty, organizer=Guest(nasty, "els@kring.example"), guests=(Guest(nasty, "l@x.example"),)
        ),
        at=AT,
    )  # fmt: skip
    event = event_of(text)
    assert event["ATTENDEE"] == "mailto:l@x.example"
    assert "\x07" not in text


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    begins=st.integers(0, 5 * 366 * 24 * 60).map(
        lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    minutes=st.integers(5, 480),
)
def test_what_is_agreed_comes_back_as_the_same_moments_in_every_zone(zone: str, begins: datetime, minutes: int):
    ends = begins + timedelta(minutes=minutes)
    text = calendar.invitation(meeting(zone=zone, starts_at=begins, ends_at=ends), at=AT)
    event = event_of(text)
    assert (event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)) == (begins, ends)
    [read] = calendar.read_busy(text, start=begins - timedelta(days=1), end=ends + timedelta(days=1), zone=BRUSSELS)
    assert read == (begins, ends)


@pytest.mark.parametrize("hour", range(-3, 4))
@pytest.mark.parametrize("night", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_the_nights_of_the_clock_are_right(night: datetime, hour: int):
    begins = night + timedelta(hours=hour / 2)
    text = calendar.invitation(meeting(starts_at=begins, ends_at=begins + timedelta(minutes=30)), at=AT)
    # A program that knows no zone but the rules that came along finds the same moment.
    text = text.replace("Europe/Brussels", "Somewhere/Of-Their-Own")
    event = event_of(text)
    assert event["DTSTART"].dt.astimezone(UTC) == begins


@pytest.mark.parametrize("zone", ZONES)
def test_the_rules_of_a_zone_that_go_along_are_those_of_the_zone(zone: str):
    said = "BEGIN:VCALENDAR\r\n" + rules(zone, 2026, 2026).to_ical().decode() + "END:VCALENDAR\r\n"
    as_written = tzical(StringIO(said)).get()
    for hour in range(0, 366 * 24, 3):
        local = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)).astimezone(ZoneInfo(zone))
        if not local.fold:
            assert local.replace(tzinfo=as_written).utcoffset() == local.utcoffset(), local


def test_a_feed_is_the_same_for_the_same_appointments_and_shows_what_is_off():
    entries = [
        Entry("a@k", 0, "With Luc", datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 1, 10, tzinfo=UTC), AT),
        Entry(
            "b@k", 2, "With Ann", datetime(2026, 7, 1, 9, tzinfo=UTC), datetime(2026, 7, 1, 10, tzinfo=UTC), AT,
            place="Mechelen", words="About dates", link="https://kring.example/leads/1/", is_cancelled=True,
        ),
    ]  # fmt: skip
    text = calendar.feed(entries, name="Els, Kring", zone="Europe/Brussels")
    assert text == calendar.feed(entries, name="Els, Kring", zone="Europe/Brussels")
    first, second = Calendar.from_ical(text).walk("VEVENT")
    assert (first["STATUS"], second["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert second["URL"] == "https://kring.example/leads/1/"
    assert len(Calendar.from_ical(text).walk("VTIMEZONE")) == 1
    assert calendar.feed([], name="Els", zone="UTC").endswith("END:VCALENDAR\r\n")


# ── Replies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reply(attendee: str, *lines: str, method: str = "REPLY") -> str:
    head = "\r\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", "PRODID:x", "VERSION:2.0"])
    inside = [
        "BEGIN:VEVENT",
        attendee,
        "UID:abc@kring.example",
        "SEQUENCE:2",
        "DTSTAMP:20261123T093000Z",
        *lines,
        "END:VEVENT",
    ]
    return "\r\n".join([head, *inside, "END:VCALENDAR", ""])


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("ATTENDEE;PARTSTAT=ACCEPTED;CN=Luc Maes:mailto:luc@maes.example", "accepted"),
        ("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=DECLINED;CN=x;X-NUM-GUESTS=0:mailto:Luc@Maes.example", "declined"),
        ("ATTENDEE;PARTSTAT=TENTATIVE:MAILTO:luc@maes.example", "tentative"),
        ('ATTENDEE;EMAIL="luc@maes.example";PARTSTAT=ACCEPTED:/aMTAxNjM/principal/', "accepted"),
        ("ATTENDEE;PARTSTAT=DELEGATED:luc@maes.example", "tentative"),
        ("ATTENDEE;PARTSTAT=X-ODD:mailto:luc@maes.example", "none"),
    ],
)  # fmt: skip
def test_a_reply_is_understood_from_every_calendar(line: str, answer: str):
    read = calendar.read_reply(reply(line, "COMMENT:See you there"))
    assert read == calendar.Reply("abc@kring.example", 2, "luc@maes.example", answer, "See you there")


def test_who_asks_for_another_time_says_perhaps():
    read = calendar.read_reply(
        reply(
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:luc@maes.example", "COMMENT:Tuesday suits me better",
            "DTSTART:20261208T090000Z", method="COUNTER",
        )
    )  # fmt: skip
    assert (read.answer, read.comment) == ("tentative", "Tuesday suits me better")
    assert read.asks_for == datetime(2026, 12, 8, 9, tzinfo=UTC)


def test_of_several_who_were_invited_the_one_who_answered_counts():
    read = calendar.read_reply(
        reply("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:els@kring.example", "ATTENDEE;PARTSTAT=DECLINED:mailto:luc@maes.example")
    )  # fmt: skip
    assert (read.address, read.answer) == ("luc@maes.example", "declined")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        calendar.invitation(meeting(), at=AT),
        reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:"),
        reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:luc@maes.example").replace("UID:abc@kring.example", "UID:"),
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR",
        reply("ATTENDEE;PARTSTAT=ACCEPTED:mailto:luc@maes.example") + " " * 200_001,
    ],
)
def test_what_is_no_reply_is_refused(text: str):
    with pytest.raises(Unreadable):
        calendar.read_reply(text)


# ── Busy times ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_repeats_is_busy_each_time_but_where_it_was_left_out_or_moved():
    moved = (
        "END:VEVENT", "BEGIN:VEVENT", "UID:one@x.example", "RECURRENCE-ID;TZID=Europe/Brussels:20261208T090000",
        "DTSTART;TZID=Europe/Brussels:20261209T140000", "DTEND;TZID=Europe/Brussels:20261209T150000",
        "END:VEVENT", "BEGIN:VEVENT", "UID:one@x.example", "RECURRENCE-ID;TZID=Europe/Brussels:20261215T090000",
        "DTSTART;TZID=Europe/Brussels:20261215T090000", "DTEND;TZID=Europe/Brussels:20261215T100000", "STATUS:CANCELLED",
    )  # fmt: skip
    found = busy(
        "DTSTART;TZID=Europe/Brussels:20260106T090000", "DTEND;TZID=Europe/Brussels:20260106T100000",
        "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20261222T235959Z", "EXDATE;TZID=Europe/Brussels:20261124T090000",
        "RDATE;TZID=Europe/Brussels:20261225T110000", *moved,
    )  # fmt: skip
    assert found == [
        "01-12 09:00–01-12 10:00", "09-12 14:00–09-12 15:00", "22-12 09:00–22-12 10:00", "25-12 11:00–25-12 12:00"
    ]  # fmt: skip


def test_what_repeats_over_the_change_of_the_clock_keeps_its_hour():
    found = calendar.read_busy(
        a_calendar("DTSTART;TZID=Europe/Brussels:20261024T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
        start=datetime(2026, 10, 20, tzinfo=UTC), end=datetime(2026, 10, 30, tzinfo=UTC), zone=BRUSSELS,
    )  # fmt: skip
    assert [one.hour for one, _end in found] == [7, 8]


@pytest.mark.parametrize(
    "line",
    ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", "X-MICROSOFT-CDO-BUSYSTATUS:FREE", "x-microsoft-cdo-busystatus:Free"],
)
def test_what_takes_no_time_is_left_out(line: str):
    assert busy("DTSTART:20261201T090000Z", "DURATION:PT1H", line) == []


def test_whole_days_and_times_without_a_zone_are_those_of_the_owner():
    assert busy("DTSTART;VALUE=DATE:20261201") == ["01-12 00:00–02-12 00:00"]
    assert busy("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203") == ["01-12 00:00–03-12 00:00"]
    assert busy("DTSTART:20261201T090000", "DTEND:20261201T100000") == ["01-12 09:00–01-12 10:00"]
    assert busy("DTSTART;TZID=Nowhere/At-All:20261201T090000", "DURATION:PT1H") == ["01-12 09:00–01-12 10:00"]
    assert busy("DTSTART:20261201T090000Z", "DTEND:20261201T090000Z") == []


def test_zones_of_their_own_are_read_from_their_rules():
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Head office", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    assert busy("DTSTART;TZID=Head office:20261201T090000", "DURATION:PT1H", around=zone) == ["01-12 07:00–01-12 08:00"]
    windows = busy("DTSTART;TZID=W. Europe Standard Time:20261201T090000", "DURATION:PT1H")
    assert windows == ["01-12 09:00–01-12 10:00"]
    google = busy("DTSTART:20261201T090000", "DURATION:PT1H", around=("X-WR-TIMEZONE:America/New_York",))
    assert google == ["01-12 15:00–01-12 16:00"]


def test_what_touches_is_one_stretch_within_what_was_asked_for():
    two = ("END:VEVENT", "BEGIN:VEVENT", "UID:two@x.example", "DTSTART:20261201T100000Z", "DTEND:20261201T113000Z")
    assert busy("DTSTART:20261201T090000Z", "DTEND:20261201T103000Z", *two) == ["01-12 10:00–01-12 12:30"]
    assert busy("DTSTART:20260101T000000Z", "DTEND:20280101T000000Z") == ["23-11 01:00–23-03 01:00"]


def test_free_and_busy_periods_are_read_without_events():
    text = (
        "BEGIN:VFREEBUSY\r\nUID:1\r\nFREEBUSY;FBTYPE=FREE:20261124T090000Z/PT1H\r\n"
        "FREEBUSY;FBTYPE=BUSY:20261125T090000Z/PT1H,20261126T090000Z/20261126T110000Z\r\nEND:VFREEBUSY\r\n"
    )
    found = calendar.read_busy(text, start=START, end=END, zone=BRUSSELS)
    assert [(one.day, (last - one).seconds) for one, last in found] == [(25, 3600), (26, 7200)]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=30",
        "FREQ=DAILY;INTERVAL=0",
        f"FREQ=DAILY;BYHOUR={HOURS};BYMINUTE={MINUTES}",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=NEVERLY",
        f"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={HOURS};BYMINUTE={MINUTES}",
        f"FREQ=YEARLY;BYMONTHDAY={DAYS};BYHOUR={HOURS};BYMINUTE={MINUTES}",
        f"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={HOURS};BYMINUTE={MINUTES};BYSECOND={MINUTES}",
    ],
)
def test_a_rule_that_never_ends_is_refused_before_it_is_followed(rule: str):
    with pytest.raises(Unreadable):
        busy("DTSTART:20200101T090000Z", "DURATION:PT5M", f"RRULE:{rule}")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
        "FREQ=MONTHLY;BYDAY=2TU",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=YEARLY;BYMONTH=12;BYDAY=TH",
        "FREQ=HOURLY;BYHOUR=8,9,10",
    ],
)
def test_what_people_live_by_is_read(rule: str):
    assert busy("DTSTART:20200101T090000Z", "DURATION:PT5M", f"RRULE:{rule}")


def test_the_rules_of_a_zone_are_those_of_a_clock_and_of_its_own_calendar_alone():
    def zone(rule: str) -> tuple[str, ...]:
        return (
            "BEGIN:VTIMEZONE", "TZID:Head office", "BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0300",
            "TZOFFSETTO:+0200", f"RRULE:{rule}", "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:19700329T020000", "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0300", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE",
        )  # fmt: skip

    there = ("DTSTART;TZID=Head office:20261201T090000", "DURATION:PT1H")
    assert busy(*there, around=zone("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10")) == ["01-12 08:00–01-12 09:00"]
    for rule in ("FREQ=SECONDLY", "FREQ=HOURLY", f"FREQ=YEARLY;BYHOUR={HOURS};BYMINUTE={MINUTES};BYMONTH=1"):
        with pytest.raises(Unreadable):
            busy(*there, around=zone(rule))


def test_what_lasts_for_ever_and_begins_every_hour_is_refused():
    with pytest.raises(Unreadable):
        busy("DTSTART:19900101T000000Z", "DURATION:P73000D", "RRULE:FREQ=HOURLY")


def test_too_many_days_that_are_listed_one_by_one_are_refused():
    days = ",".join(["20261201T090000Z"] * 20_000)
    for name in ("RDATE", "EXDATE"):
        with pytest.raises(Unreadable):
            busy("DTSTART:20261124T090000Z", "DURATION:PT1H", f"{name}:{days}")


def test_too_much_is_refused():
    many = "BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 20_001
    for text in (f"BEGIN:VCALENDAR\r\n{many}END:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\n" + "X" * (5 * 1024 * 1024)):
        with pytest.raises(Unreadable):
            calendar.read_busy(text, start=START, end=END, zone=BRUSSELS)


def test_every_calendar_of_the_shared_collection_is_read():
    files = sorted(SHARED.glob("*.ics"))
    if not files:
        pytest.skip("The collection of calendars is not here: ../shared/data/icalendar")
    found = {
        file.name: calendar.read_busy(
            file.read_text(), start=datetime(1998, 1, 1, tzinfo=UTC), end=datetime(2023, 1, 1, tzinfo=UTC), zone=BRUSSELS
        )
        for file in files
    }  # fmt: skip
    assert found["issue_350.ics"] == [
        (datetime(2022, 2, 22, 18, 30, tzinfo=UTC), datetime(2022, 2, 22, 19, 30, tzinfo=UTC))
    ]
    assert len(found["example.ics"]) == 3


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2026, 11, 25), date(2027, 3, 20)),
    hour=st.integers(4, 22),
    minutes=st.integers(5, 90),
)
def test_busy_times_are_the_moments_that_were_written_in_every_zone(zone: str, day: date, hour: int, minutes: int):
    begins = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    entry = Entry("x@k", 0, "x", begins, begins + timedelta(minutes=minutes), AT)
    text = calendar.feed([entry], name="x", zone=zone)
    assert calendar.read_busy(text, start=START, end=END, zone=BRUSSELS) == [(entry.starts_at, entry.ends_at)]


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:VFREEBUSY", "END:VFREEBUSY", "UID:a",
                "DTSTART:20261201T090000Z", "DTSTART;VALUE=DATE:20261301", "DTEND:20261201T090000", "DURATION:-P9999999999D",
                "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;BYDAY=9XX", "RRULE:COUNT=-1;FREQ=DAILY", "RDATE:x", "EXDATE;TZID=Foo:20261201T090000",
                "RECURRENCE-ID:20261201T090000Z", "FREEBUSY:20261125T090000Z", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b", "SEQUENCE:x",
                "X-WR-TIMEZONE:Nope", "TZID:Foo", "DTSTART:99991231T235959Z", "RRULE:FREQ=YEARLY;RSCALE=CHINESE", "DTSTART;TZID=Foo:20261201T090000",
                "TZOFFSETTO:+9900", "CALSCALE:OTHER", "METHOD:REPLY",
            ]
        ),
        st.text(max_size=30),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(lines=_LINES)
def test_whatever_a_stranger_writes_is_read_or_refused(lines: list[str]):
    text = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])
    with suppress(Unreadable):
        for first, last in calendar.read_busy(text, start=START, end=END, zone=BRUSSELS):
            assert START <= first < last <= END
    with suppress(Unreadable):
        assert calendar.read_reply(text).uid
