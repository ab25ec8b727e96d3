"""The half hour: a plan, a set that fits and is never changed behind one's back, minutes that are beats, and things that are done or left out."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from crm import proposals, prospecting
from crm.models import Event, EventKind, Person, ProspectingBlock, ProspectingItem, User, Way
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.fixture
def block(sdr: User) -> ProspectingBlock:
    return make.half_hour(sdr, make.person("Ilse Maes"), make.person("Karim Boulhani"))


def newcomer(owner: User, **fields: Any) -> Person:
    """Somebody on the list of this user with whom nobody has spoken."""
    number = f"+3247{Person.objects.count():07}"
    return make.person(phone=number, owner=owner, at=AT - timedelta(days=60), **fields)


# ---- The clock -----------------------------------------------------------------------------------------------------


def test_minutes_are_the_sums_of_beats_and_two_pages_count_once(block: ProspectingBlock, sdr: User) -> None:
    prospecting.start(block=block, at=AT, by=sdr)
    for seconds in (15, 15.5, 30, 31, 45):
        prospecting.beat(block=block, at=later(seconds), by=sdr)
    assert prospecting.beat(block=block, at=later(40), by=sdr).measured_seconds == 45
    assert prospecting.pause(block=block, at=later(50), by=sdr).measured_seconds == 50
    assert prospecting.beat(block=block, at=later(60), by=sdr).measured_seconds == 50


def test_a_page_that_closed_counts_nothing_and_a_start_begins_again_at_once(block: ProspectingBlock, sdr: User) -> None:
    prospecting.start(block=block, at=AT, by=sdr)
    prospecting.beat(block=block, at=later(20), by=sdr)
    again = prospecting.start(block=block, at=later(900), by=sdr)
    assert (again.is_running, again.measured_seconds) == (True, 20)
    assert prospecting.beat(block=block, at=later(2000), by=sdr).is_running is False


def test_what_fell_silent_is_written_down_as_paused_and_much_later_as_ended(block: ProspectingBlock, sdr: User) -> None:
    prospecting.start(block=block, at=AT, by=sdr)
    assert prospecting.close_silent(at=later(60)) == 0
    assert prospecting.close_silent(at=later(120)) == 1
    block.refresh_from_db()
    assert (block.is_running, block.ended_at, block.measured_seconds) == (False, None, 0)
    prospecting.close_silent(at=AT + timedelta(hours=7))
    block.refresh_from_db()
    assert block.ended_at == AT


def test_a_correction_stands_beside_what_was_measured_and_is_an_event(block: ProspectingBlock, sdr: User) -> None:
    with pytest.raises(Refused, match="twelve|720"):
        prospecting.correct(block=block, minutes=721, at=AT, by=sdr)
    prospecting.start(block=block, at=AT, by=sdr)
    with pytest.raises(Refused, match="timer runs"):
        prospecting.correct(block=block, minutes=30, at=later(5), by=sdr)
    prospecting.end(block=block, at=later(60), by=sdr)
    row = prospecting.correct(block=block, minutes=30, at=later(70), by=sdr)
    assert (row.minutes, row.measured_seconds, row.is_corrected) == (30, 60, True)
    assert Event.objects.get(kind=EventKind.BLOCK_CORRECTED).new == {"minutes": 30, "measured": 1}


@pytest.mark.parametrize("act", ["start", "beat", "pause", "end"])
def test_the_clock_of_somebody_else_is_refused(block: ProspectingBlock, teammate: User, act: str) -> None:
    with pytest.raises(Refused, match="somebody else"):
        getattr(prospecting, act)(block=block, at=AT, by=teammate)


def test_only_todays_can_be_started(block: ProspectingBlock, sdr: User) -> None:
    with pytest.raises(Refused, match="over"):
        prospecting.start(block=block, at=AT + timedelta(days=1), by=sdr)


# ---- The things ----------------------------------------------------------------------------------------------------


def test_each_thing_has_the_seconds_since_the_last_mark_and_stands_on_the_timeline(
    block: ProspectingBlock, sdr: User
) -> None:
    one, other = block.items.all()
    prospecting.start(block=block, at=AT, by=sdr)
    prospecting.beat(block=block, at=later(60), by=sdr)
    prospecting.done(item=one, by=sdr, at=later(70))
    prospecting.done(item=one, by=sdr, at=later(80))
    prospecting.leave_out(item=other, why="On holiday", by=sdr, at=later(100))
    assert [item.seconds for item in block.items.all()] == [70, 30]
    assert Event.objects.filter(kind=EventKind.PROSPECTED, person=one.people.get()).count() == 1
    with pytest.raises(Refused, match="left out"):
        prospecting.done(item=other, by=sdr, at=later(110))
    for item in (one, other):
        assert prospecting.undo(item=item, by=sdr, at=later(120)).is_open


def test_what_came_of_it_must_be_of_the_same_person(block: ProspectingBlock, sdr: User) -> None:
    one, other = block.items.all()
    talk = make.conversation(other.people.get(), by=sdr)
    with pytest.raises(Refused, match="somebody else"):
        prospecting.done(item=one, conversation=talk, by=sdr, at=AT)
    assert prospecting.done(item=other, conversation=talk, by=sdr, at=AT).conversation == talk


def test_what_stayed_open_is_said_and_only_taken_along_when_asked(sdr: User) -> None:
    anke = make.person("Anke Smeets", phone="+32 9 225 25 25")
    before = make.half_hour(sdr, anke, at=AT - timedelta(days=3))
    make.half_hour(sdr, make.person())
    assert prospecting.left_over(sdr, AT.date()) == [before.items.get()]
    taken = prospecting.take_along(item=before.items.get(), by=sdr, at=AT)
    assert (taken.block.day, taken.people.get()) == (AT.date(), anke)
    assert prospecting.take_along(item=before.items.get(), by=sdr, at=AT) == taken
    assert prospecting.left_over(sdr, AT.date()) == []
    assert before.items.get().is_open


# ---- Proposing -----------------------------------------------------------------------------------------------------


def test_proposing_fits_the_minutes_and_again_changes_nothing(sdr: User) -> None:
    make.prospecting_plan(sdr, minutes=10, ways=["outbound"])
    people = {newcomer(sdr) for _ in range(4)}
    first = prospecting.propose(user=sdr, day=AT.date(), at=AT)
    things = list(first.items.all())
    assert len(things) == 2
    assert {item.people.get() for item in things} < people
    again = prospecting.propose(user=sdr, day=AT.date(), at=later(60))
    assert list(again.items.all()) == things


def test_nobody_who_asked_for_peace_or_was_left_out_is_proposed(sdr: User) -> None:
    make.prospecting_plan(sdr, ways=["outbound"])
    calm, left, free = (newcomer(sdr) for _ in range(3))
    make.wish(person=calm, by=sdr, at=AT - timedelta(days=1))
    before = make.half_hour(sdr, left, at=AT - timedelta(days=1), way=Way.OUTBOUND)
    prospecting.leave_out(item=before.items.get(), by=sdr, at=AT - timedelta(days=1))
    block = prospecting.propose(user=sdr, day=AT.date(), at=AT)
    assert [item.people.get() for item in block.items.all()] == [free]
    assert proposals.title(block.items.get()).startswith("Call ")
    assert "ever spoken with" in proposals.sentence(block.items.get(), AT)


def test_it_is_proposed_an_hour_before_on_planned_working_days_and_once(
    sdr: User, teammate: User, outsider: User
) -> None:
    make.prospecting_plan(sdr, starts_at=time(11, 30))
    make.prospecting_plan(teammate, starts_at=time(11, 31))
    make.prospecting_plan(outsider, starts_at=time(9))
    newcomer(sdr)
    make.absence(outsider, at=AT)
    assert prospecting.propose_due(at=AT) == 1
    assert ProspectingBlock.objects.get().user == sdr
    prospecting.propose_due(at=later(1))
    assert ProspectingItem.objects.count() == 1
    sunday = AT - timedelta(days=1)
    assert prospecting.propose_due(at=sunday) == 0


def test_a_plan_is_off_until_it_is_made_and_refuses_what_cannot_be(sdr: User) -> None:
    assert not prospecting.plan_of(sdr).is_on
    good: dict[str, Any] = {
        "user": sdr,
        "is_on": True,
        "days": [0],
        "starts_at": time(9),
        "minutes": 30,
        "ways": ["revive"],
    }
    wrongs: list[dict[str, Any]] = [{"days": []}, {"ways": ["sing"]}, {"minutes": 121}]
    for wrong in wrongs:
        with pytest.raises(Refused):
            prospecting.change_plan(**good | wrong)
    assert prospecting.change_plan(**good).is_on
