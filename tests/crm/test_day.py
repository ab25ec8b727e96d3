"""What fits a day, in which order things come, and what the guard holds back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from crm import day, follow_ups
from crm.models import ConversationKind, Direction, FollowUp, Rule, Scope, Tier, User
from crm.models.follow_ups import FollowUpQuerySet
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

BRUSSELS = ZoneInfo("Europe/Brussels")
TODAY = AT.astimezone(BRUSSELS).date()
EVENING = datetime.combine(TODAY, time(23, 59), tzinfo=BRUSSELS)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(TODAY, time(hour, minute), tzinfo=BRUSSELS)


def by_hand(owner: User, name: str, **fields) -> FollowUp:
    """One on the list of `owner`, with what decides its place."""
    person = make.person(name)
    tier, amount = fields.pop("tier", ""), fields.pop("amount", None)
    type(person).objects.filter(pk=person.pk).update(tier=tier)
    deal = make.deal(owner, person=person, buyer_amount=amount) if amount else None
    row = follow_ups.make(note=name, owner=owner, due_on=TODAY, by=owner, at=AT, person=person, deal=deal)
    late = fields.pop("late", 0)
    FollowUp.objects.filter(pk=row.pk).update(
        show_at=row.show_at - days(late), due_at=row.due_at - days(late), **fields
    )
    row.refresh_from_db()
    return row


def order(rows: FollowUpQuerySet) -> list[str]:
    return [row.note for row in rows.ranked(EVENING)]


# ---- Capacity ------------------------------------------------------------------------------------------------------


def test_a_free_day_bears_as_many_as_the_user_likes(account_manager):
    assert day.room(account_manager, AT) == day.Room(fits=12)
    account_manager.most_follow_ups = 7
    assert day.room(account_manager, AT).left == 7


def test_appointments_take_their_time_and_a_full_day_bears_three(account_manager):
    User.objects.filter(pk=account_manager.pk).update(buffer_minutes=0, work_start=time(9), work_end=time(13))
    account_manager.refresh_from_db()
    assert day.room(account_manager, AT).fits == 12  # 240 minutes of 20.
    person = make.person()
    make.appointment(account_manager, person=person, starts_at=at(11), minutes=60)
    assert day.room(account_manager, AT).fits == 9
    make.appointment(account_manager, person=person, starts_at=at(12), minutes=60)
    User.objects.filter(pk=account_manager.pk).update(work_start=time(10, 45))
    account_manager.refresh_from_db()
    assert day.room(account_manager, AT).fits == day.LEAST


def test_what_was_done_today_counts_and_yesterdays_does_not(account_manager, teammate):
    for moment, by in ((AT - days(1), account_manager), (AT, account_manager), (AT, teammate)):
        follow_ups.done(follow_up=by_hand(account_manager, "One"), by=by, at=moment)
    assert day.room(account_manager, AT) == day.Room(fits=12, done=1)


def test_a_day_off_knows_when_work_begins_again(account_manager):
    saturday = AT + days(5)
    assert day.room(account_manager, saturday) == day.Room(day.LEAST, 0, True, TODAY + days(7))
    make.absence(account_manager, days=9)
    assert day.room(account_manager, AT).back_on == TODAY + days(10)


def test_a_full_day_still_shows_the_first_that_were_promised():
    rows = [FollowUp(pk=number, rank=rank) for number, rank in enumerate((1, 2, 2, 3, 4, 4))]
    assert len(day.chosen(rows, day.Room(12, 2))) == 6
    assert [row.rank for row in day.chosen(rows, day.Room(12, 12))] == [1, 2, 2]
    assert [row.rank for row in day.chosen(rows[3:], day.Room(12, 11))] == [3]


# ---- The order -----------------------------------------------------------------------------------------------------


def test_what_was_promised_comes_first_by_its_kind_whatever_the_rest_is_worth(account_manager):
    by_hand(account_manager, "worth a fortune", rank=4, amount=Decimal(9_000_000), tier=Tier.A, late=30)
    by_hand(account_manager, "hand-off", rank=3)
    by_hand(account_manager, "clock", rank=1)
    by_hand(account_manager, "promise", rank=2)
    by_hand(account_manager, "older promise", rank=2, late=3)
    assert order(FollowUp.objects.open()) == ["clock", "older promise", "promise", "hand-off", "worth a fortune"]


def test_then_worth_closeness_and_lateness_decide(account_manager):
    by_hand(account_manager, "good to do", rank=7)
    by_hand(account_manager, "agreed", rank=4)
    by_hand(account_manager, "agreed, large", rank=4, amount=Decimal(100_000))
    by_hand(account_manager, "agreed, middling", rank=4, amount=Decimal(10_000))
    by_hand(account_manager, "agreed, close", rank=4, tier=Tier.A)
    by_hand(account_manager, "agreed, late", rank=4, late=5)
    by_hand(account_manager, "re-order of a large one", rank=6, amount=Decimal(1_000_000), tier=Tier.A)
    assert order(FollowUp.objects.open()) == [
        "agreed, large",
        "agreed, close",
        "re-order of a large one",
        "agreed, middling",
        "agreed, late",
        "agreed",
        "good to do",
    ]


def test_waiting_alone_makes_nothing_more_urgent_for_ever(account_manager):
    by_hand(account_manager, "a fortnight", rank=7, late=14)
    by_hand(account_manager, "a year", rank=7, late=365)
    assert {vars(row)["points"] for row in FollowUp.objects.ranked(EVENING)} == {14}
    assert order(FollowUp.objects.open()) == ["a year", "a fortnight"]


# ---- The guard -----------------------------------------------------------------------------------------------------


def test_too_soon_holds_back_what_is_good_to_do_and_not_what_they_wait_for(account_manager):
    good = by_hand(account_manager, "Anke")
    make.conversation(
        good.person, by=account_manager, at=AT - days(3), kind=ConversationKind.EMAIL, direction=Direction.OUTGOING,
        is_information=True,
    )  # fmt: skip
    for rule, is_held in ((Rule.KEEP_IN_TOUCH, True), (Rule.SILENCE, True), (Rule.OUR_PROMISE, False), ("", False)):
        good.rule = rule
        held = day.held_back([good], AT, by=account_manager)
        assert bool(held) is is_held
    good.rule = Rule.KEEP_IN_TOUCH
    (why,) = day.held_back([good], AT, by=account_manager).values()
    assert why.until is not None
    assert why.until.astimezone(BRUSSELS).date() == TODAY + days(2)


def test_a_sunday_holds_back_nothing(account_manager):
    row = by_hand(account_manager, "Anke", rank=7)
    row.rule = Rule.KEEP_IN_TOUCH
    assert day.held_back([row], AT - days(1), by=account_manager) == {}


def test_who_asked_for_peace_has_it_and_who_asked_for_no_calls_is_not_held_back(account_manager):
    row, other = by_hand(account_manager, "Anke"), by_hand(account_manager, "Bea")
    make.wish(person=other.person, scope=Scope.CALL)
    make.wish(person=row.person)
    held = day.held_back([row, other], AT, by=account_manager)
    assert list(held) == [row.pk]
    assert held[row.pk].until is None
    row.rule = Rule.LAWFUL_BASIS  # Looking at their data disturbs nobody.
    assert day.held_back([row], AT, by=account_manager) == {}


def test_people_count_once_and_those_held_back_do_not_wait(account_manager):
    row = by_hand(account_manager, "Anke")
    held = by_hand(account_manager, "Bea")
    follow_ups.make(note="Again", owner=account_manager, due_on=TODAY, by=account_manager, at=AT, person=row.person)
    FollowUp.objects.filter(pk=by_hand(account_manager, "Cas").pk).update(rule=Rule.LAWFUL_BASIS)
    follow_ups.make(note="Paper", owner=account_manager, due_on=TODAY, by=account_manager, at=AT)
    assert day.waiting(FollowUp.objects.all(), {held.pk}) == (1, 4)


@pytest.mark.parametrize("number", [1, 9])
def test_the_guard_asks_as_often_for_many_as_for_few(account_manager, django_assert_max_num_queries, number):
    rows = [by_hand(account_manager, f"Person {index}") for index in range(number)]
    with django_assert_max_num_queries(8):
        day.held_back(rows, AT, by=account_manager)
