"""Working time: weekends, holidays of the Low Countries, evenings, and the days on which the clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.clock import (
    WorkCalendar,
    add_working_days,
    add_working_time,
    day_start,
    is_working_day,
    next_working_day,
    working_moment,
    working_time_between,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
BELGIUM = WorkCalendar("Europe/Brussels", "BE")
NETHERLANDS = WorkCalendar("Europe/Amsterdam", "NL")
HOUR = timedelta(hours=1)
SPAN = datetime(2024, 1, 1), datetime(2028, 12, 1)  # noqa: DTZ001 - hypothesis wants bounds without a zone


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2026-11-23 10:30", "2026-11-23 11:30"),  # within a Monday
        ("2026-11-23 08:00", "2026-11-23 10:00"),  # before opening
        ("2026-11-23 17:00", "2026-11-24 09:30"),  # half an hour today, half tomorrow
        ("2026-11-23 16:30", "2026-11-23 17:30"),  # exactly until closing time
        ("2026-11-23 21:45", "2026-11-24 10:00"),  # in the evening
        ("2026-11-20 17:15", "2026-11-23 09:45"),  # Friday afternoon goes on on Monday
        ("2026-11-21 12:00", "2026-11-23 10:00"),  # Saturday
        ("2026-11-22 23:59", "2026-11-23 10:00"),  # Sunday night
        ("2026-07-20 17:00", "2026-07-22 09:30"),  # over the Belgian national holiday of 21 July
        ("2026-12-24 17:00", "2026-12-28 09:30"),  # over Christmas on a Friday
        ("2026-05-01 11:00", "2026-05-04 10:00"),  # on Labour Day
        ("2026-05-14 11:00", "2026-05-15 10:00"),  # on Ascension Day
    ],
)
def test_one_working_hour_in_belgium(asked: str, due: str) -> None:
    assert add_working_time(at(asked), HOUR, BELGIUM) == at(due)


def test_each_country_has_its_own_holidays() -> None:
    kings_day, national_day = date(2026, 4, 27), date(2026, 7, 21)
    assert not is_working_day(kings_day, NETHERLANDS)
    assert is_working_day(kings_day, BELGIUM)
    assert not is_working_day(national_day, BELGIUM)
    assert is_working_day(national_day, NETHERLANDS)
    assert is_working_day(kings_day, WorkCalendar("Europe/Brussels", ""))


def test_a_country_without_known_holidays_has_none() -> None:
    assert is_working_day(date(2026, 12, 25), WorkCalendar("Europe/Brussels", "XX"))


@pytest.mark.parametrize("sunday", ["2026-03-29", "2026-10-25"])
def test_the_night_the_clock_changes_costs_nobody_an_hour(sunday: str) -> None:
    friday = datetime.fromisoformat(sunday).date() - timedelta(days=2)
    due = add_working_time(datetime.combine(friday, time(17), BRUSSELS), HOUR, BELGIUM)
    assert due == datetime.combine(friday + timedelta(days=3), time(9, 30), BRUSSELS)


@pytest.mark.parametrize("sunday", ["2026-03-29", "2026-10-25"])
def test_a_day_on_which_the_clock_changes_has_its_ordinary_hours(sunday: str) -> None:
    always = WorkCalendar("Europe/Brussels", "", days=range(7))
    day = date.fromisoformat(sunday)
    due = add_working_time(datetime.combine(day, time(0, 30), BRUSSELS), timedelta(hours=8.5), always)
    assert due == datetime.combine(day, time(17, 30), BRUSSELS)


def test_a_moment_is_understood_in_the_calendars_own_zone() -> None:
    asked = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert add_working_time(asked, HOUR, BELGIUM) == at("2026-11-23 11:30")
    assert add_working_time(asked, HOUR, WorkCalendar("America/New_York", "US")) == datetime(
        2026, 11, 23, 10, 0, tzinfo=ZoneInfo("America/New_York")
    )


def test_a_day_that_is_closed_besides_counts_for_no_clock() -> None:
    bridge = replace(BELGIUM, closed=frozenset({date(2026, 11, 23), date(2026, 11, 24)}))
    assert add_working_time(at("2026-11-20 17:00"), HOUR, bridge) == at("2026-11-25 09:30")
    assert add_working_time(at("2026-11-23 11:00"), HOUR, bridge) == at("2026-11-25 10:00")
    assert add_working_time(at("2026-11-23 11:00"), HOUR, BELGIUM) == at("2026-11-23 12:00")


@given(st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(1, 60 * 20))
def test_no_clock_ends_on_a_closed_day(closed: set[int], asked: int, minutes: int) -> None:
    first = date(2026, 11, 1)
    calendar = replace(BELGIUM, closed=frozenset(first + timedelta(days=number) for number in closed))
    start = datetime.combine(first + timedelta(days=asked), time(12), tzinfo=BRUSSELS)
    due = add_working_time(start, timedelta(minutes=minutes), calendar)
    assert due.date() not in calendar.closed
    assert is_working_day(due.date(), calendar)


def test_somebody_who_works_three_mornings_gets_their_own_clock() -> None:
    mornings = WorkCalendar("Europe/Brussels", "BE", days=(0, 2, 4), start=time(8), end=time(12))
    assert add_working_time(at("2026-11-23 11:30"), HOUR, mornings) == at("2026-11-25 08:30")


@given(
    st.datetimes(*SPAN, timezones=st.sampled_from([UTC, BRUSSELS])),
    st.integers(1, 60 * 40).map(lambda minutes: timedelta(minutes=minutes)),
    st.sampled_from([BELGIUM, NETHERLANDS]),
)
def test_a_clock_ends_within_working_hours_and_never_before_it_began(
    asked: datetime, amount: timedelta, calendar: WorkCalendar
) -> None:
    due = add_working_time(asked, amount, calendar)
    assert due > asked
    assert is_working_day(due.date(), calendar)
    assert calendar.start < due.time() <= calendar.end


@given(
    st.datetimes(*SPAN, timezones=st.just(BRUSSELS)),
    st.integers(1, 600),
    st.integers(1, 600),
)
def test_two_stretches_of_working_time_are_one_long_one(asked: datetime, first: int, second: int) -> None:
    one, other = timedelta(minutes=first), timedelta(minutes=second)
    assert add_working_time(add_working_time(asked, one, BELGIUM), other, BELGIUM) == add_working_time(
        asked, one + other, BELGIUM
    )


@given(
    st.datetimes(*SPAN, timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=5)),
)
def test_who_comes_later_is_never_due_earlier(asked: datetime, later: timedelta) -> None:
    assert add_working_time(asked + later, HOUR, BELGIUM) >= add_working_time(asked, HOUR, BELGIUM)


def test_working_days_step_over_weekends_and_holidays() -> None:
    assert next_working_day(date(2026, 11, 21), BELGIUM) == date(2026, 11, 23)
    assert next_working_day(date(2026, 11, 23), BELGIUM) == date(2026, 11, 23)
    assert add_working_days(date(2026, 12, 23), 2, BELGIUM) == date(2026, 12, 28)
    assert add_working_days(date(2026, 11, 21), 0, BELGIUM) == date(2026, 11, 23)
    assert working_moment(date(2026, 12, 25), BELGIUM) == at("2026-12-28 09:00")


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    assert day_start(date(2026, 3, 29), BRUSSELS).astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_a_calendar_without_days_or_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="weekday"):
        WorkCalendar("Europe/Brussels", days=())
    with pytest.raises(ValueError, match="end after"):
        WorkCalendar("Europe/Brussels", start=time(17), end=time(9))


@given(st.datetimes(*SPAN, timezones=st.just(UTC)), st.integers(0, 60 * 30))
def test_the_working_time_between_undoes_the_working_time_added(start: datetime, minutes: int) -> None:
    amount = timedelta(minutes=minutes)
    for calendar in (BELGIUM, NETHERLANDS):
        assert working_time_between(start, add_working_time(start, amount, calendar), calendar) == amount


def test_no_working_time_passes_at_night_on_a_holiday_nor_backwards() -> None:
    assert working_time_between(at("2026-11-20T17:30"), at("2026-11-23T09:00"), BELGIUM) == timedelta()
    assert working_time_between(at("2026-11-11T09:00"), at("2026-11-11T17:00"), BELGIUM) == timedelta()
    assert working_time_between(at("2026-11-23T12:00"), at("2026-11-23T11:00"), BELGIUM) == timedelta()
