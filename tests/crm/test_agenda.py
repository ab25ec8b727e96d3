"""Free times: within working hours, past nothing that stands in the way, right on the nights on which the clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from crm import agenda
from crm.agenda import Availability
from crm.clock import WorkCalendar
from crm.models import Absence, Appointment, AppointmentState, BusyTime, ExternalCalendar, Role, User
from tests import make

BRUSSELS = ZoneInfo("Europe/Brussels")
LISBON = ZoneInfo("Europe/Lisbon")
HOURS = WorkCalendar("Europe/Brussels", "BE", start=time(9), end=time(12))
AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
"""A Friday."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


def said(found: list[datetime]) -> list[str]:
    return [f"{moment.astimezone(BRUSSELS):%a %H:%M}" for moment in found]


def starts(availability: Availability, *, minutes: int = 60, day: str = "2026-11-23", **asked: object) -> list[str]:
    begin = at(day)
    return said(
        list(availability.starts(minutes=minutes, start=begin, end=begin + timedelta(days=1), at=AT, **asked))  # type: ignore[arg-type]
    )


def host(**fields: object) -> User:
    fields = {"work_start": time(9), "work_end": time(12), "buffer_minutes": 0, "notice_hours": 0, **fields}
    return make.user("Arjan", Role.ACCOUNT_MANAGER, **fields)


def free(
    user: User, day: str = "2026-11-23", *, minutes: int = 60, moment: datetime = AT, **asked: object
) -> list[str]:
    begin = at(day)
    found = agenda.free_slots(
        user,
        minutes=minutes,
        start=begin,
        end=begin + timedelta(days=1),
        at=moment,
        zone=BRUSSELS,
        **asked,  # type: ignore[arg-type]
    )
    return said(found)


def busy(user: User, since: datetime, until: datetime, *, is_active: bool = True) -> None:
    calendar, _new = ExternalCalendar.objects.get_or_create(
        user=user, name="Own", defaults={"created_at": AT, "sealed_url": "x", "is_active": is_active}
    )
    BusyTime.objects.create(calendar=calendar, starts_at=since, ends_at=until)


# ---- The pure core -------------------------------------------------------------------------------------------------


def test_a_free_time_begins_each_half_hour_and_ends_before_work_does() -> None:
    assert starts(Availability(HOURS)) == ["Mon 09:00", "Mon 09:30", "Mon 10:00", "Mon 10:30", "Mon 11:00"]


def test_there_is_none_at_the_weekend_on_a_holiday_on_a_closed_day_or_away() -> None:
    closed = WorkCalendar("Europe/Brussels", "BE", closed=frozenset({date(2026, 11, 24)}))
    assert starts(Availability(HOURS), day="2026-11-22") == []
    assert starts(Availability(HOURS), day="2026-12-25") == []
    assert starts(Availability(closed), day="2026-11-24") == []
    assert starts(Availability(HOURS, away=[(date(2026, 11, 23), date(2026, 11, 23))])) == []


def test_what_is_taken_is_not_overlapped_and_touching_it_is_fine() -> None:
    taken = [(at("2026-11-23T10:00"), at("2026-11-23T10:30"))]
    assert starts(Availability(HOURS, taken=taken)) == ["Mon 09:00", "Mon 10:30", "Mon 11:00"]


def test_a_short_meeting_before_a_long_one_hides_nothing() -> None:
    """Stretches overlap each other; the one that ends last counts, not the one that begins last."""
    taken = [(at("2026-11-23T09:00"), at("2026-11-23T11:30")), (at("2026-11-23T09:30"), at("2026-11-23T10:00"))]
    assert starts(Availability(HOURS, taken=taken), minutes=30) == ["Mon 11:30"]


def test_travel_and_breathing_space_keep_their_distance() -> None:
    taken = [(at("2026-11-23T10:00"), at("2026-11-23T10:30"))]
    roomy = Availability(HOURS, taken=taken, buffer_minutes=30)
    assert starts(roomy, minutes=30) == ["Mon 09:00", "Mon 10:30", "Mon 11:00", "Mon 11:30"]
    assert starts(Availability(HOURS, taken=taken), minutes=30, travel_minutes=30) == [
        "Mon 09:00",
        "Mon 11:00",
        "Mon 11:30",
    ]


def test_notice_is_given_and_a_full_day_takes_no_more() -> None:
    noticed = Availability(HOURS, notice=at("2026-11-23T10:00") - AT)
    assert starts(noticed) == ["Mon 10:00", "Mon 10:30", "Mon 11:00"]
    assert starts(Availability(HOURS, counts={date(2026, 11, 23): 2}, most=2)) == []
    assert starts(Availability(HOURS, counts={date(2026, 11, 23): 1}, most=2))


def test_an_hour_that_the_clock_skips_is_not_offered() -> None:
    night = Availability(WorkCalendar("Europe/Brussels", days=range(7), start=time(1), end=time(5)))
    begin = at("2027-03-28")
    found = list(night.starts(minutes=30, start=begin, end=begin + timedelta(days=1), at=AT))
    assert said(found) == ["Sun 01:00", "Sun 01:30", "Sun 03:00", "Sun 03:30", "Sun 04:00", "Sun 04:30"]
    assert found == sorted(set(found))


def test_an_hour_that_comes_twice_is_offered_once() -> None:
    night = Availability(WorkCalendar("Europe/Brussels", days=range(7), start=time(1), end=time(4)))
    begin = at("2026-10-25")
    before = datetime(2026, 10, 20, tzinfo=UTC)
    found = list(night.starts(minutes=30, start=begin, end=begin + timedelta(days=1), at=before))
    assert said(found) == ["Sun 01:00", "Sun 01:30", "Sun 02:00", "Sun 02:30", "Sun 03:00", "Sun 03:30"]
    assert found[-2] - found[1] == timedelta(hours=2, minutes=30)


moments = st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 3), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.tuples(moments, st.integers(1, 1500)).map(lambda span: (span[0], span[0] + timedelta(minutes=span[1])))


@given(
    taken=st.lists(spans, max_size=8),
    minutes=st.integers(5, 240),
    travel=st.integers(0, 120),
    space=st.integers(0, 60),
    zone=st.sampled_from(["Europe/Brussels", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    hours=st.tuples(st.integers(0, 11), st.integers(12, 23)),
)
def test_a_free_time_never_overlaps_anything_and_lies_within_working_hours(
    taken: list[tuple[datetime, datetime]], minutes: int, travel: int, space: int, zone: str, hours: tuple[int, int]
) -> None:
    calendar = WorkCalendar(zone, days=range(7), start=time(hours[0]), end=time(hours[1]))
    availability = Availability(calendar, taken=taken, buffer_minutes=space, notice=timedelta(hours=4))
    begin = datetime(2026, 10, 21, tzinfo=UTC)
    found = list(
        availability.starts(
            minutes=minutes, start=begin, end=begin + timedelta(days=12), at=begin, travel_minutes=travel
        )
    )
    assert found == sorted(set(found))
    for moment in found:
        ends = moment + timedelta(minutes=minutes)
        since, until = agenda.blocked(moment, ends, travel_minutes=travel, buffer_minutes=space)
        assert all(until <= other_since or since >= other_until for other_since, other_until in taken)
        local, closing = moment.astimezone(calendar.zone), ends.astimezone(calendar.zone)
        assert local.minute in (0, 30)
        assert local.time() >= calendar.start
        assert closing.date() == local.date()
        assert closing.time() <= calendar.end
        assert moment >= begin + timedelta(hours=4)


@given(taken=st.lists(spans, max_size=8))
def test_every_time_that_is_not_offered_has_its_reason(taken: list[tuple[datetime, datetime]]) -> None:
    availability = Availability(HOURS, taken=taken)
    begin = at("2026-10-26")
    offered = set(availability.starts(minutes=30, start=begin, end=begin + timedelta(days=1), at=begin))
    for half in range(6):
        moment = begin + timedelta(hours=9, minutes=30 * half)
        overlaps = any(moment < until and moment + timedelta(minutes=30) > since for since, until in taken)
        assert (moment in offered) is not overlaps


# ---- As it stands in the database ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_free_times_are_given_in_the_zone_of_whoever_asks() -> None:
    found = agenda.free_slots(host(), minutes=60, start=at("2026-11-23"), end=at("2026-11-24"), at=AT, zone=LISBON)
    assert [f"{moment:%H:%M}" for moment in found][:2] == ["08:00", "08:30"]
    assert all(moment.tzinfo == LISBON for moment in found)


@pytest.mark.django_db
def test_absences_appointments_and_busy_times_elsewhere_leave_no_room() -> None:
    user = host(buffer_minutes=30)
    make.appointment(user, starts_at=at("2026-11-23T09:00"), minutes=30, at=AT)
    busy(user, at("2026-11-23T11:30"), at("2026-11-23T12:00"))
    Absence.objects.create(user=user, starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 25))
    assert free(user, minutes=30) == ["Mon 10:00", "Mon 10:30"]
    assert free(user, "2026-11-24") == []
    assert free(user, "2026-11-26")


@pytest.mark.django_db
def test_a_calendar_out_of_use_and_a_cancelled_appointment_take_nothing() -> None:
    user = host()
    busy(user, at("2026-11-23T09:00"), at("2026-11-23T12:00"), is_active=False)
    Appointment.objects.filter(pk=make.appointment(user, starts_at=at("2026-11-23T09:00"), at=AT).pk).update(
        state=AppointmentState.CANCELLED
    )
    assert len(free(user)) == 5


@pytest.mark.django_db
def test_what_is_being_moved_does_not_stand_in_its_own_way() -> None:
    user = host()
    moving = make.appointment(user, starts_at=at("2026-11-23T09:00"), minutes=180, at=AT)
    busy(user, moving.starts_at, moving.ends_at)
    assert free(user) == []
    assert len(free(user, not_counting=moving)) == 5


@pytest.mark.django_db
def test_a_day_bears_no_more_than_its_user_said() -> None:
    user = host(most_appointments=1)
    make.appointment(user, starts_at=at("2026-11-23T09:00"), minutes=30, at=AT)
    assert free(user) == []
    assert free(user, "2026-11-24")


@pytest.mark.django_db
def test_the_first_free_time_of_many_is_found_in_as_many_queries_as_of_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    team = make.team(closed_days=[date(2026, 11, 23)])
    users = [host(team=team), host(), host(), host()]
    make.appointment(users[1], starts_at=at("2026-11-23T09:00"), minutes=120, at=AT)
    Absence.objects.create(user=users[2], starts_on=date(2026, 11, 1), ends_on=date(2027, 1, 31))
    fresh = list(User.objects.filter(pk__in=[user.pk for user in users]))
    with django_assert_num_queries(4):
        found = agenda.first_free(fresh, minutes=60, at=at("2026-11-23T08:00"))
    assert {pk: said([moment])[0] for pk, moment in found.items()} == {
        users[0].pk: "Tue 09:00",
        users[1].pk: "Mon 11:00",
        users[3].pk: "Mon 09:00",
    }


@pytest.mark.django_db
def test_the_nearest_free_times_lie_around_the_one_that_is_gone() -> None:
    user = host()
    make.appointment(user, starts_at=at("2026-11-23T10:00"), minutes=30, at=AT)
    found = agenda.nearest(user, to=at("2026-11-23T10:00"), minutes=30, at=AT, zone=BRUSSELS)
    assert said(found) == ["Mon 09:00", "Mon 09:30", "Mon 10:30"]
