"""The promise ledger: made with words and a day, settled once, moved with a trace."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import promises
from crm.models import Event, EventKind, Promise, PromiseState
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TODAY = AT.date()


@pytest.fixture
def promise(sdr) -> Promise:
    return make.promise(make.person(), by=sdr, due_on=TODAY + timedelta(days=3))


def test_who_notes_a_promise_watches_it(promise, sdr):
    assert promise.owner == sdr
    assert Event.objects.get(kind=EventKind.PROMISE_MADE).person == promise.person


@pytest.mark.parametrize("wrong", [{"text": "  "}, {"not_before": TODAY + timedelta(days=9)}])
def test_a_promise_without_words_or_with_impossible_days_is_refused(sdr, wrong):
    with pytest.raises(Refused):
        make.promise(make.person(), by=sdr, due_on=TODAY, **wrong)
    assert not Promise.objects.exists()


def test_twice_kept_is_kept_once(promise, sdr):
    promises.keep(promise=promise, by=sdr, at=AT)
    promises.keep(promise=promise, by=sdr, at=AT + timedelta(hours=1))
    assert (promise.state, promise.resolved_at) == (PromiseState.KEPT, AT)
    assert Event.objects.filter(kind=EventKind.PROMISE_KEPT).count() == 1


def test_a_kept_promise_cannot_be_broken_and_a_broken_one_not_kept(promise, sdr):
    other = make.promise(promise.person, by=sdr, due_on=TODAY)
    promises.keep(promise=promise, by=sdr, at=AT)
    promises.break_(promise=other, by=sdr, at=AT)
    with pytest.raises(Refused):
        promises.break_(promise=promise, by=sdr, at=AT)
    with pytest.raises(Refused):
        promises.keep(promise=other, by=sdr, at=AT)
    with pytest.raises(Refused):
        promises.move(promise=promise, due_on=TODAY + timedelta(days=9), by=sdr, at=AT)


def test_a_move_leaves_the_old_day_in_the_history(promise, sdr):
    promises.move(promise=promise, due_on=TODAY + timedelta(days=9), by=sdr, at=AT)
    event = Event.objects.get(kind=EventKind.PROMISE_MOVED)
    assert event.old == {"due": "2026-11-26"}
    assert event.new == {"due": "2026-12-02", "text": "Send the revised schedule"}


def test_a_move_from_an_old_page_remembers_the_day_that_really_stood_there(promise, sdr):
    stale = Promise.objects.get(pk=promise.pk)
    first, second = AT.date() + timedelta(days=20), AT.date() + timedelta(days=30)
    promises.move(promise=promise, due_on=first, by=sdr, at=AT)
    promises.move(promise=stale, due_on=second, by=sdr, at=AT)
    last = Event.objects.filter(kind=EventKind.PROMISE_MOVED).latest("pk")
    assert last.old == {"due": first.isoformat()}
    assert last.new == {"due": second.isoformat(), "text": promise.text}


def test_a_promise_does_not_move_into_the_past(promise, sdr):
    with pytest.raises(Refused):
        promises.move(promise=promise, due_on=TODAY - timedelta(days=1), by=sdr, at=AT)
    promise.refresh_from_db()
    assert promise.due_on == TODAY + timedelta(days=3)


def test_a_move_before_its_not_before_lifts_it(sdr):
    promise = make.promise(
        make.person(), by=sdr, due_on=TODAY + timedelta(days=9), not_before=TODAY + timedelta(days=5)
    )
    promises.move(promise=promise, due_on=TODAY + timedelta(days=1), by=sdr, at=AT)
    assert promise.not_before is None


def test_late_are_the_open_ones_whose_day_has_passed(promise, sdr):
    late = make.promise(promise.person, by=sdr, due_on=TODAY - timedelta(days=1))
    make.promise(promise.person, by=sdr, due_on=TODAY)
    assert list(Promise.objects.late(TODAY)) == [late]
    promises.break_(promise=late, by=sdr, at=AT)
    assert not Promise.objects.late(TODAY)
    assert list(Promise.objects.settled()) == [late]


# ---- Put right -----------------------------------------------------------------------------------------------------


def test_other_words_leave_the_old_ones_in_the_history(promise, sdr):
    promises.change(promise=promise, text="  Send   both schedules ", not_before=TODAY, by=sdr, at=AT)
    promises.change(promise=promise, text="Send both schedules", not_before=TODAY, by=sdr, at=AT)
    promise.refresh_from_db()
    assert (promise.text, promise.not_before) == ("Send both schedules", TODAY)
    event = Event.objects.get(kind=EventKind.PROMISE_CHANGED)
    assert event.old == {"text": "Send the revised schedule", "not_before": None}
    assert event.new == {"text": "Send both schedules", "not_before": TODAY.isoformat()}


@pytest.mark.parametrize("wrong", [{"text": " "}, {"text": "x" * 301}, {"not_before": TODAY + timedelta(days=4)}])
def test_no_words_too_many_and_an_impossible_day_are_refused(promise, sdr, wrong):
    with pytest.raises(Refused):
        promises.change(promise=promise, by=sdr, at=AT, **wrong)
    promise.refresh_from_db()
    assert (promise.text, promise.not_before) == ("Send the revised schedule", None)


def test_a_settled_promise_keeps_its_words(promise, sdr):
    promises.keep(promise=promise, by=sdr, at=AT)
    with pytest.raises(Refused):
        promises.change(promise=promise, text="Other", by=sdr, at=AT)


@pytest.mark.parametrize("settle", [promises.keep, promises.break_])
def test_what_was_settled_by_a_slip_is_open_again_within_a_week(promise, sdr, settle):
    settle(promise=promise, by=sdr, at=AT)
    promises.reopen(promise=promise, by=sdr, at=AT + timedelta(days=7))
    promises.reopen(promise=promise, by=sdr, at=AT + timedelta(days=7))
    promise.refresh_from_db()
    assert (promise.state, promise.resolved_at) == (PromiseState.OPEN, None)
    assert Event.objects.filter(kind=EventKind.PROMISE_REOPENED).count() == 1


def test_after_a_week_it_stays_settled(promise, sdr):
    promises.keep(promise=promise, by=sdr, at=AT)
    late = AT + timedelta(days=7, seconds=1)
    assert promise.may_reopen(late - timedelta(seconds=1))
    assert not promise.may_reopen(late)
    with pytest.raises(Refused):
        promises.reopen(promise=promise, by=sdr, at=late)
    promise.refresh_from_db()
    assert promise.state == PromiseState.KEPT
