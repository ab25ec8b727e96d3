"""Agreeing on a meeting: who may have which time, what a move and a no leave behind, and the gate before a visit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from crm import appointments
from crm.appointments import LinkClosed, NotQualified, Taken, booking
from crm.models import (
    Absence,
    Appointment,
    AppointmentKind,
    AppointmentState,
    AttendeeAnswer,
    BusyTime,
    Event,
    EventKind,
    ExternalCalendar,
    Gate,
    OutgoingMail,
    Override,
    Role,
    Scope,
    User,
)
from crm.refusal import Refused
from tests import make
from tests.make import AT

BRUSSELS = ZoneInfo("Europe/Brussels")
WEDNESDAY = datetime(2026, 11, 25, 10, tzinfo=BRUSSELS)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(account_manager: User) -> User:
    account_manager.buffer_minutes = 0
    account_manager.save(update_fields=["buffer_minutes"])
    return account_manager


def events(kind: EventKind) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("pk"))


# ---- Book ----------------------------------------------------------------------------------------------------------


def test_an_appointment_blocks_its_time_and_stands_on_the_timelines(host: User, sdr: User) -> None:
    lead = make.working_lead(sdr)
    booked = make.appointment(
        host, starts_at=WEDNESDAY, person=lead.person, lead=lead, by=sdr, subject=" First \0talk "
    )
    assert (booked.state, booked.subject, booked.booked_by) == (AppointmentState.BOOKED, "First talk", sdr)
    assert booked.ends_at == WEDNESDAY + HOUR
    assert "@" in booked.uid
    assert booked.sequence == 0
    event = events(EventKind.APPOINTMENT_BOOKED)[0]
    assert (event.lead, event.person, event.by) == (lead, lead.person, sdr)


def test_a_visit_blocks_the_way_there_and_back_and_the_breathing_space(host: User) -> None:
    host.buffer_minutes = 15
    host.save()
    deal = make.deal(host)
    booked = make.appointment(
        host,
        starts_at=WEDNESDAY,
        kind=AppointmentKind.VISIT,
        deal=deal,
        person=deal.person,
        travel_minutes=45,
        distance_km=40,
    )
    assert booked.blocked_from == WEDNESDAY - timedelta(minutes=45)
    assert booked.blocked_until == WEDNESDAY + timedelta(minutes=60 + 45 + 15)
    assert (booked.organisation, booked.distance_km) == (deal.organisation, 40)


def test_nobody_travels_to_a_telephone(host: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY, kind=AppointmentKind.PHONE, travel_minutes=45, distance_km=40)
    assert (booked.travel_minutes, booked.distance_km) == (0, None)
    assert booked.blocked_from == WEDNESDAY


def test_a_time_that_overlaps_is_refused_with_the_nearest_free_ones(host: User, sdr: User) -> None:
    make.appointment(host, starts_at=WEDNESDAY)
    with timezone.override(BRUSSELS), pytest.raises(Taken) as refused:
        make.appointment(host, starts_at=WEDNESDAY + HOUR / 2, by=sdr)
    assert [f"{moment:%H:%M}" for moment in refused.value.free] == ["09:00", "11:00", "11:30"]
    assert "11:00" in str(refused.value)
    assert Appointment.objects.count() == 1


def test_a_colleague_may_book_outside_working_hours_and_a_prospect_may_not(host: User, sdr: User) -> None:
    evening = WEDNESDAY.replace(hour=19)
    make.appointment(host, starts_at=evening, by=sdr)
    link = make.booking_link(host)
    with pytest.raises(Taken):
        appointments.book_by_link(link=link, starts_at=evening + HOUR, at=AT)
    with pytest.raises(Taken):
        appointments.book_by_link(link=link, starts_at=WEDNESDAY + timedelta(minutes=7), at=AT)


def test_what_their_own_calendar_says_binds_others_and_not_themselves(host: User, sdr: User) -> None:
    calendar = ExternalCalendar.objects.create(user=host, name="Own", sealed_url="x", created_at=AT)
    BusyTime.objects.create(calendar=calendar, starts_at=WEDNESDAY, ends_at=WEDNESDAY + HOUR)
    with pytest.raises(Taken):
        make.appointment(host, starts_at=WEDNESDAY, by=sdr)
    assert make.appointment(host, starts_at=WEDNESDAY, by=host)


def test_somebody_who_is_away_cannot_be_booked(host: User, sdr: User) -> None:
    Absence.objects.create(user=host, starts_on=date(2026, 11, 25), ends_on=date(2026, 11, 25))
    with pytest.raises(Refused, match="away"):
        make.appointment(host, starts_at=WEDNESDAY, by=sdr)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts_at": AT - HOUR}, "future"),
        ({"starts_at": AT + timedelta(days=400)}, "year"),
        ({"minutes": 3}, "minutes"),
        ({"minutes": 481}, "minutes"),
        ({"subject": "  "}, "about"),
        ({"kind": "letter"}, "how you meet"),
    ],
)
def test_what_makes_no_appointment_is_refused(host: User, change: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        make.appointment(host, **change)  # type: ignore[arg-type]


def test_who_asked_not_to_be_called_is_not_booked_for_a_call_and_pacing_stands_in_no_way(host: User, sdr: User) -> None:
    person = make.person(phone="+32470123456")
    make.wish(person=person, scope=Scope.CALL, by=sdr)
    with pytest.raises(Refused, match="not to call"):
        make.appointment(host, person=person, kind=AppointmentKind.PHONE)
    later = make.person(not_before=date(2027, 6, 1))
    assert make.appointment(host, person=later)


def test_their_time_zone_is_kept(host: User) -> None:
    assert make.appointment(host, person=make.person(time_zone="America/New_York")).time_zone == "America/New_York"
    there = make.person(country="JP")
    assert make.appointment(host, person=there, starts_at=WEDNESDAY + 3 * HOUR).time_zone == "Asia/Tokyo"


# ---- The gate ------------------------------------------------------------------------------------------------------


def test_a_visit_waits_for_both_yeses_and_a_call_does_not(host: User, sdr: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(NotQualified):
        make.appointment(host, person=lead.person, lead=lead, kind=AppointmentKind.VISIT, by=sdr)
    for number, kind in enumerate((AppointmentKind.PHONE, AppointmentKind.VIDEO)):
        make.appointment(
            host, person=lead.person, lead=lead, kind=kind, by=sdr, starts_at=WEDNESDAY + number * 2 * HOUR
        )
    assert not Override.objects.exists()


def test_a_reason_opens_the_gate_and_is_kept(host: User, sdr: User) -> None:
    lead = make.working_lead(sdr)
    booked = make.appointment(
        host, person=lead.person, lead=lead, kind=AppointmentKind.VISIT, by=sdr, override="They are next door"
    )
    kept = Override.objects.get()
    assert (kept.gate, kept.why, kept.by, kept.appointment, kept.lead) == (
        Gate.VISIT, "They are next door", sdr, booked, lead,
    )  # fmt: skip


def test_a_qualified_lead_an_open_deal_and_a_customer_are_visited_without_a_reason(host: User, sdr: User) -> None:
    lead = make.qualified_lead(sdr)
    make.appointment(host, person=lead.person, lead=lead, kind=AppointmentKind.VISIT, by=sdr, override="not needed")
    customer = make.organisation(customer_since=AT)
    make.appointment(
        host, person=make.person(organisation=customer), kind=AppointmentKind.VISIT, starts_at=WEDNESDAY + 4 * HOUR
    )
    assert not Override.objects.exists()


# ---- Move, cancel --------------------------------------------------------------------------------------------------


def test_moving_keeps_the_uid_raises_the_sequence_and_asks_for_an_answer_anew(host: User, sdr: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY, by=sdr)
    appointments.answer(appointment=booked, answer=AttendeeAnswer.ACCEPTED, at=AT)
    moved = appointments.move(appointment=booked, starts_at=WEDNESDAY + HOUR / 2, by=sdr, at=AT, why="their train")
    assert (moved.uid, moved.sequence, moved.answer) == (booked.uid, 1, AttendeeAnswer.NONE)
    assert moved.ends_at - moved.starts_at == HOUR
    event = events(EventKind.APPOINTMENT_MOVED)[0]
    assert event.old
    assert event.new
    assert event.new["why"] == "their train"
    again = appointments.move(appointment=booked, starts_at=WEDNESDAY + HOUR / 2, by=sdr, at=AT)
    assert again.sequence == 1


def test_it_cannot_be_moved_onto_another(host: User, sdr: User) -> None:
    make.appointment(host, starts_at=WEDNESDAY)
    other = make.appointment(host, starts_at=WEDNESDAY + 2 * HOUR)
    with pytest.raises(Taken):
        appointments.move(appointment=other, starts_at=WEDNESDAY + HOUR / 2, by=sdr, at=AT)
    other.refresh_from_db()
    assert (other.starts_at, other.sequence) == (WEDNESDAY + 2 * HOUR, 0)


def test_cancelling_frees_the_time_raises_the_sequence_and_asks_a_colleague_why(host: User, sdr: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY)
    with pytest.raises(Refused, match="why"):
        appointments.cancel(appointment=booked, why=" ", by=sdr, at=AT)
    gone = appointments.cancel(appointment=booked, why="ill", by=sdr, at=AT)
    assert (gone.state, gone.sequence, gone.state_why) == (AppointmentState.CANCELLED, 1, "ill")
    assert appointments.cancel(appointment=booked, why="again", by=sdr, at=AT).sequence == 1
    with pytest.raises(Refused, match="cancelled"):
        appointments.move(appointment=booked, starts_at=WEDNESDAY + HOUR, by=sdr, at=AT)
    assert make.appointment(host, starts_at=WEDNESDAY)


# ---- How it went ---------------------------------------------------------------------------------------------------


def test_held_and_not_come_are_said_after_it_began_and_can_be_put_right_for_a_week(host: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY)
    with pytest.raises(Refused, match="not begun"):
        appointments.held(appointment=booked, by=host, at=AT)
    after = WEDNESDAY + 2 * HOUR
    assert appointments.no_show(appointment=booked, by=host, at=after).state == AppointmentState.NO_SHOW
    assert appointments.held(appointment=booked, by=host, at=after + HOUR).state == AppointmentState.HELD
    assert appointments.held(appointment=booked, by=host, at=after + HOUR).state == AppointmentState.HELD
    with pytest.raises(Refused, match="week"):
        appointments.no_show(appointment=booked, by=host, at=after + timedelta(days=9))
    assert [len(events(kind)) for kind in (EventKind.APPOINTMENT_HELD, EventKind.APPOINTMENT_NO_SHOW)] == [1, 1]


def test_what_was_called_off_was_not_held(host: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY)
    appointments.cancel(appointment=booked, why="ill", by=host, at=AT)
    with pytest.raises(Refused, match="cancelled"):
        appointments.held(appointment=booked, by=host, at=WEDNESDAY + 2 * HOUR)


def test_a_logged_conversation_makes_it_held_and_stays_its_own(host: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY)
    after = WEDNESDAY + 2 * HOUR
    said = make.conversation(booked.person, by=host, at=after)
    done = appointments.logged(appointment=booked, conversation=said, by=host, at=after)
    assert (done.state, done.conversation) == (AppointmentState.HELD, said)
    with pytest.raises(Refused, match="did come"):
        appointments.no_show(appointment=booked, by=host, at=after)
    with pytest.raises(Refused, match="already"):
        appointments.logged(
            appointment=booked, conversation=make.conversation(booked.person, by=host, at=after), by=host, at=after
        )


def test_a_no_to_the_invitation_is_told_to_whom_it_concerns(host: User, sdr: User) -> None:
    booked = make.appointment(host, starts_at=WEDNESDAY, by=sdr)
    OutgoingMail.objects.all().delete()
    appointments.answer(appointment=booked, answer="accepted", at=AT)
    assert not OutgoingMail.objects.exists()
    appointments.answer(appointment=booked, answer="declined", at=AT)
    appointments.answer(appointment=booked, answer="declined", at=AT)
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {host.email, sdr.email}
    OutgoingMail.objects.all().delete()
    appointments.answer(appointment=booked, answer="declined", at=AT, is_host=True)
    mail = OutgoingMail.objects.get()
    assert mail.to == sdr.email
    assert f"/appointments/{booked.pk}/" in mail.body
    booked.refresh_from_db()
    assert (booked.answer, booked.host_answer, booked.state) == ("declined", "declined", "booked")


# ---- Links ---------------------------------------------------------------------------------------------------------


def test_by_a_link_one_free_time_is_booked_and_twice_the_same_is_once(host: User, sdr: User) -> None:
    link = make.booking_link(host, by=sdr)
    booked = appointments.book_by_link(
        link=link, starts_at=WEDNESDAY, at=AT, note="About dates", time_zone="Asia/Tokyo"
    )
    again = appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)
    assert again == booked
    assert (booked.booked_by, booked.link, booked.note, booked.time_zone) == (None, link, "About dates", "Asia/Tokyo")
    assert Appointment.objects.count() == 1
    with pytest.raises(LinkClosed):
        appointments.book_by_link(link=link, starts_at=WEDNESDAY + HOUR, at=AT)
    assert OutgoingMail.objects.filter(to=sdr.email).count() == 1


def test_who_made_the_link_hears_of_each_turn(host: User, sdr: User) -> None:
    link = make.booking_link(host, by=sdr)
    booked = appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)
    appointments.move(appointment=booked, starts_at=WEDNESDAY + HOUR, by=None, at=AT)
    appointments.cancel(appointment=booked, why="", by=None, at=AT)
    assert OutgoingMail.objects.filter(to=sdr.email).count() == 3
    assert appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)


def test_a_prospect_moves_only_to_what_is_free_and_not_after_it_began(host: User) -> None:
    link = make.booking_link(host)
    booked = appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)
    with pytest.raises(Taken):
        appointments.move(appointment=booked, starts_at=WEDNESDAY.replace(hour=19), by=None, at=AT)
    for act in (
        lambda: appointments.move(appointment=booked, starts_at=WEDNESDAY + 24 * HOUR, by=None, at=WEDNESDAY + HOUR),
        lambda: appointments.cancel(appointment=booked, why="", by=None, at=WEDNESDAY + HOUR),
    ):
        with pytest.raises(Refused, match="begun"):
            act()


def test_a_link_that_is_revoked_or_too_old_books_nothing(host: User, sdr: User) -> None:
    old, revoked = make.booking_link(host), make.booking_link(host)
    appointments.revoke_link(link=revoked, by=sdr, at=AT)
    appointments.revoke_link(link=revoked, by=sdr, at=AT)
    with pytest.raises(LinkClosed):
        appointments.book_by_link(link=revoked, starts_at=WEDNESDAY, at=AT)
    with pytest.raises(LinkClosed):
        appointments.book_by_link(link=old, starts_at=AT + timedelta(days=15), at=AT + timedelta(days=14))
    assert len(events(EventKind.BOOKING_REVOKED)) == 1


def test_a_link_to_a_visit_asks_for_the_same_reason_and_keeps_it_when_it_is_used(host: User, sdr: User) -> None:
    lead = make.working_lead(sdr)
    asked: dict[str, Any] = {"person": lead.person, "lead": lead, "kind": AppointmentKind.VISIT, "by": sdr}
    with pytest.raises(NotQualified):
        make.booking_link(host, **asked)
    link = make.booking_link(host, override="They insist", **asked)
    assert not Override.objects.exists()
    appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)
    kept = Override.objects.get()
    assert (kept.why, kept.by, kept.gate) == ("They insist", sdr, Gate.VISIT)


def test_a_link_to_a_visit_closes_when_they_turn_out_not_to_be_qualified(host: User, sdr: User) -> None:
    lead = make.qualified_lead(sdr)
    link = make.booking_link(host, person=lead.person, lead=lead, kind=AppointmentKind.VISIT, by=sdr)
    lead.verdict, lead.decline_reason, lead.status = "declined", "no_need", "declined"
    lead.save()
    with pytest.raises(LinkClosed):
        appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)


# ---- At the same moment --------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of them got, each on a connection of its own, having begun together: a row, or the refusal."""
    start = threading.Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


@pytest.mark.django_db(transaction=True)
def test_of_two_prospects_and_a_colleague_who_want_one_time_one_gets_it() -> None:
    host, sdr = make.user("Arjan", Role.ACCOUNT_MANAGER), make.user("Sofie")
    person = make.person()
    for days in range(3):
        moment = WEDNESDAY + timedelta(days=7 * days)
        links = [make.booking_link(host, by=sdr) for _number in range(2)]
        got = at_once(
            *(partial(appointments.book_by_link, link=link, starts_at=moment, at=AT) for link in links),
            partial(make.appointment, host, starts_at=moment, person=person, by=sdr),
        )
        assert sorted(type(one).__name__ for one in got) == ["Appointment", "Taken", "Taken"]
        assert all(one.free for one in got if isinstance(one, Taken))
        assert Appointment.objects.filter(starts_at=moment).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_twice_at_once_books_once() -> None:
    link = make.booking_link(make.user("Arjan", Role.ACCOUNT_MANAGER))
    got = at_once(*[lambda: appointments.book_by_link(link=link, starts_at=WEDNESDAY, at=AT)] * 3)
    assert len({one.pk for one in got if isinstance(one, Appointment)}) == 1
    assert Appointment.objects.count() == 1


def test_the_database_itself_refuses_what_no_verb_saw(host: User) -> None:
    """Somebody who writes past the agenda's lock meets the constraint, and the verb says it as a refusal."""
    first = make.appointment(host, starts_at=WEDNESDAY)
    second = make.appointment(host, starts_at=WEDNESDAY + 3 * HOUR)
    second.blocked_from, second.blocked_until = first.blocked_from, first.blocked_until
    second.starts_at, second.ends_at = first.starts_at, first.ends_at
    with pytest.raises(Taken):
        booking._save(second)


def test_the_nights_on_which_the_clock_changes_are_booked_right(host: User) -> None:
    host.working_days = list(range(7))
    host.work_start = host.work_start.replace(hour=1)
    host.save()
    before = datetime(2026, 10, 20, 8, tzinfo=UTC)
    link = make.booking_link(host, at=before)
    night = datetime(2026, 10, 25, 2, 30, tzinfo=BRUSSELS)
    booked = appointments.book_by_link(link=link, starts_at=night, at=before)
    assert booked.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert booked.ends_at == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    with pytest.raises(Taken):
        appointments.book_by_link(link=make.booking_link(host, at=before), starts_at=night.replace(fold=1), at=before)
