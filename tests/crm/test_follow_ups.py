"""What people do with follow-ups: done, not needed, put off, made by hand, opened again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from crm import deals, follow_ups, promises
from crm.models import Event, EventKind, FollowUp, Outcome, PromiseState, Rule, User
from crm.refusal import Refused
from tests import make
from tests.make import AT

BRUSSELS = ZoneInfo("Europe/Brussels")
TODAY = AT.astimezone(BRUSSELS).date()


def days(number: int) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def follow_up(account_manager: User) -> FollowUp:
    """A next step that is due today."""
    make.deal(account_manager, next_step_on=TODAY)
    follow_ups.refresh(at=AT)
    return FollowUp.objects.get()


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="follow_up").order_by("pk").values_list("kind", flat=True))


def test_twice_done_is_done_once(follow_up, account_manager, teammate):
    assert follow_ups.done(follow_up=follow_up, by=account_manager, at=AT) is True
    assert follow_ups.done(follow_up=follow_up, by=teammate, at=AT + timedelta(minutes=1)) is False
    follow_up.refresh_from_db()
    assert (follow_up.outcome, follow_up.closed_by, follow_up.closed_at) == (Outcome.DONE, account_manager, AT)
    assert kinds() == [EventKind.FOLLOW_UP_DONE]


def test_what_is_not_needed_says_why_and_stays_quiet(follow_up, account_manager):
    follow_ups.not_needed(follow_up=follow_up, why="They called us already", by=account_manager, at=AT)
    new = Event.objects.get(kind=EventKind.FOLLOW_UP_NOT_NEEDED).new
    assert new is not None
    assert new["why"] == "They called us already"
    assert follow_ups.refresh(at=AT + days(1)).made == 0


def test_a_follow_up_that_is_put_off_comes_back_on_the_morning_of_that_day(follow_up, account_manager):
    moment = follow_ups.put_off(follow_up=follow_up, until=TODAY + days(2), by=account_manager, at=AT)
    assert moment == datetime(2026, 11, 25, 9, tzinfo=BRUSSELS)
    assert not FollowUp.objects.due(moment - timedelta(minutes=1)).exists()
    assert FollowUp.objects.due(moment).get() == follow_up
    assert kinds() == [EventKind.FOLLOW_UP_PUT_OFF]


def test_put_off_to_a_weekend_is_put_off_to_the_monday_after_it(follow_up, account_manager):
    moment = follow_ups.put_off(follow_up=follow_up, until=date(2026, 11, 28), by=account_manager, at=AT)
    assert moment == datetime(2026, 11, 30, 9, tzinfo=BRUSSELS)


def test_a_refresh_leaves_a_putting_off_alone_while_the_cause_is_the_same(follow_up, account_manager, teammate):
    moment = follow_ups.put_off(follow_up=follow_up, until=TODAY + days(2), by=account_manager, at=AT)
    follow_ups.refresh(at=AT + timedelta(minutes=15))
    type(follow_up.deal).objects.update(owner=teammate)
    follow_ups.refresh(at=AT + timedelta(minutes=30))
    follow_up.refresh_from_db()
    assert (follow_up.put_off_until, follow_up.show_at, follow_up.owner) == (moment, moment, teammate)


def test_a_new_cause_ends_a_putting_off(follow_up, account_manager):
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(20), by=account_manager, at=AT)
    deals.set_step(deal=follow_up.deal, next_step="Visit", next_step_on=TODAY + days(1), by=account_manager, at=AT)
    type(follow_up.deal).objects.update(
        next_step_on=TODAY - days(1)
    )  # Still the same open follow-up, with another day.
    follow_ups.refresh(at=AT)
    follow_up.refresh_from_db()
    assert follow_up.put_off_until is None
    assert follow_up.show_at == follow_up.due_at == datetime(2026, 11, 23, 9, tzinfo=BRUSSELS)


@pytest.mark.parametrize("until", [TODAY, TODAY - days(1), TODAY + days(400)])
def test_nothing_is_put_off_to_the_past_to_today_or_for_ever(follow_up, account_manager, until):
    with pytest.raises(Refused):
        follow_ups.put_off(follow_up=follow_up, until=until, by=account_manager, at=AT)


def test_what_is_closed_cannot_be_put_off(follow_up, account_manager):
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    with pytest.raises(Refused, match="closed already"):
        follow_ups.put_off(follow_up=follow_up, until=TODAY + days(1), by=account_manager, at=AT)


def test_one_made_by_hand_is_about_somebody_and_no_refresh_touches_it(account_manager):
    deal = make.deal(account_manager)
    made = follow_ups.make(
        note=" Bring the  samples ", owner=account_manager, due_on=TODAY, by=account_manager, at=AT, deal=deal
    )
    assert (made.note, made.person, made.organisation) == ("Bring the samples", deal.person, deal.organisation)
    assert made.due_at == datetime(2026, 11, 23, 9, tzinfo=BRUSSELS)
    follow_ups.refresh(at=AT + days(1))
    made.refresh_from_db()
    assert made.is_open
    assert kinds() == [EventKind.FOLLOW_UP_MADE]


def test_one_made_by_hand_may_be_about_nobody(account_manager):
    made = follow_ups.make(note="Order paper", owner=account_manager, due_on=TODAY, by=account_manager, at=AT)
    assert (made.person, made.lead, made.subject_id) == (None, None, account_manager.pk)


@pytest.mark.parametrize(
    ("note", "due_on"), [("", TODAY), ("   ", TODAY), ("x" * 301, TODAY), ("Call", TODAY - days(1))]
)
def test_one_without_words_or_in_the_past_is_refused(account_manager, note, due_on):
    with pytest.raises(Refused):
        follow_ups.make(note=note, owner=account_manager, due_on=due_on, by=account_manager, at=AT)


def test_nothing_is_given_to_somebody_who_left(account_manager, sdr):
    sdr.is_active = False
    with pytest.raises(Refused, match="does not work with Kring any more"):
        follow_ups.make(note="Call", owner=sdr, due_on=TODAY, by=account_manager, at=AT)


def test_a_slip_of_the_hand_can_be_undone(follow_up, account_manager):
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + timedelta(minutes=1))
    follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + timedelta(minutes=2))
    assert FollowUp.objects.open().get() == follow_up
    assert follow_ups.refresh(at=AT + timedelta(minutes=15)).made == 0
    assert kinds() == [EventKind.FOLLOW_UP_DONE, EventKind.FOLLOW_UP_MADE]


def test_a_promise_that_is_done_is_kept_and_undoing_that_opens_both(account_manager):
    promise = make.promise(make.person(), by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    follow_up = FollowUp.objects.get()
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    promise.refresh_from_db()
    assert promise.state == PromiseState.KEPT
    follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + timedelta(seconds=9))
    promise.refresh_from_db()
    assert (promise.is_open, follow_up.is_open) == (True, True)
    follow_ups.refresh(at=AT + timedelta(minutes=1))
    assert FollowUp.objects.open().get() == follow_up


def test_a_promise_that_was_settled_in_another_way_stays_settled(account_manager):
    promise = make.promise(make.person(), by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    follow_up = FollowUp.objects.get()
    follow_ups.not_needed(follow_up=follow_up, by=account_manager, at=AT)
    promises.break_(promise=promise, by=account_manager, at=AT + timedelta(seconds=1))
    with pytest.raises(Refused, match="settled"):
        follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + timedelta(seconds=9))


def test_what_was_put_off_is_brought_back_to_where_it_was_and_no_further(follow_up, account_manager):
    first = follow_ups.put_off(follow_up=follow_up, until=TODAY + days(2), by=account_manager, at=AT)
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(9), by=account_manager, at=AT + timedelta(minutes=1))
    for _ in range(2):  # The second time nothing is left to take back.
        follow_ups.bring_back(follow_up=follow_up, by=account_manager, at=AT + timedelta(minutes=2))
        follow_up.refresh_from_db()
        assert (follow_up.put_off_until, follow_up.show_at) == (first, first)


def test_what_was_put_off_once_is_shown_when_it_was_due(follow_up, account_manager):
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(2), by=account_manager, at=AT)
    follow_ups.bring_back(follow_up=follow_up, by=account_manager, at=AT)
    follow_up.refresh_from_db()
    assert (follow_up.put_off_until, follow_up.show_at) == (None, follow_up.due_at)
    assert kinds() == [EventKind.FOLLOW_UP_PUT_OFF, EventKind.FOLLOW_UP_MADE]


def test_what_is_closed_or_was_put_off_long_ago_is_not_brought_back(follow_up, account_manager):
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(20), by=account_manager, at=AT)
    with pytest.raises(Refused, match="more than a week ago"):
        follow_ups.bring_back(follow_up=follow_up, by=account_manager, at=AT + days(8))
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    with pytest.raises(Refused, match="closed already"):
        follow_ups.bring_back(follow_up=follow_up, by=account_manager, at=AT)


def test_a_promise_that_nobody_needs_to_ask_about_stays_open(account_manager):
    promise = make.promise(make.person(), by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    follow_ups.not_needed(follow_up=FollowUp.objects.get(), by=account_manager, at=AT)
    promise.refresh_from_db()
    assert promise.state == PromiseState.OPEN


def test_an_old_one_is_not_opened_again(follow_up, account_manager):
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    with pytest.raises(Refused, match="more than a week ago"):
        follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + days(8))


def test_one_without_a_reason_is_not_opened_again(follow_up, account_manager):
    deals.win(deal=follow_up.deal, by=account_manager, at=AT)
    follow_ups.refresh(at=AT)
    follow_up.refresh_from_db()
    with pytest.raises(Refused, match="no reason"):
        follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT)


def test_one_with_an_open_successor_is_not_opened_again(follow_up, account_manager):
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT)
    deals.set_step(deal=follow_up.deal, next_step="Visit", next_step_on=TODAY + days(1), by=account_manager, at=AT)
    follow_ups.refresh(at=AT + days(1))
    with pytest.raises(Refused, match="open again already"):
        follow_ups.reopen(follow_up=follow_up, by=account_manager, at=AT + days(1))


# ---- What the database keeps ---------------------------------------------------------------------------------------


def test_the_database_refuses_a_second_open_follow_up_of_one_rule_and_subject(follow_up):
    follow_up.pk = None
    with pytest.raises(IntegrityError, match="follow_up_one_open_per_rule_and_subject"), transaction.atomic():
        follow_up.save(force_insert=True)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"outcome": "cause_gone"}, "follow_up_outcome_dated"),
        ({"closed_at": AT}, "follow_up_outcome_dated"),
        ({"closed_at": AT, "outcome": "done"}, "follow_up_closed_by_somebody"),
        ({"rule": ""}, "follow_up_by_hand_says_what"),
        ({"show_at": AT - timedelta(days=30)}, "follow_up_shown_when_due"),
    ],
)
def test_the_database_refuses_half_a_truth(follow_up, change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        FollowUp.objects.filter(pk=follow_up.pk).update(**change)


# ---- Two at once ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_refreshes_at_the_same_time_give_the_same_as_one(account_manager):
    for _number in range(30):
        make.deal(account_manager, next_step_on=TODAY)
    start, reports, problems = Barrier(4), [], []

    def work() -> None:
        try:
            start.wait()
            reports.append(follow_ups.refresh(at=AT))
        except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
            problems.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [report.failed for report in reports] == [[]] * 4
    assert sum(report.made for report in reports) == 30
    assert FollowUp.objects.open().filter(rule=Rule.NEXT_STEP).count() == FollowUp.objects.count() == 30


@pytest.mark.django_db(transaction=True)
def test_done_at_the_same_time_is_done_once(account_manager, teammate):
    make.deal(account_manager, next_step_on=TODAY)
    follow_ups.refresh(at=AT)
    start, answers = Barrier(2), []

    def work(user: User) -> None:
        try:
            mine = FollowUp.objects.get()
            start.wait()
            answers.append(follow_ups.done(follow_up=mine, by=user, at=datetime.now(tz=UTC)))
        finally:
            connection.close()

    threads = [Thread(target=work, args=(user,)) for user in (account_manager, teammate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True]
    assert Event.objects.filter(kind=EventKind.FOLLOW_UP_DONE).count() == 1


def test_the_working_morning_is_the_owners_own(account_manager, outsider):
    """Otto lives in Lisbon and starts at ten."""
    outsider.time_zone, outsider.work_start = "Europe/Lisbon", time(10)
    outsider.save(update_fields=["time_zone", "work_start"])
    made = follow_ups.make(note="Call", owner=outsider, due_on=TODAY + days(1), by=account_manager, at=AT)
    assert made.show_at == datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Europe/Lisbon"))
