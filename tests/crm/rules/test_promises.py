"""Promises: ours, theirs, and that of an introduction."""

from __future__ import annotations

import pytest

from crm import advocacy, promises
from crm.models import Promise, PromiseSide, Rule
from tests import make
from tests.make import AT
from tests.rules import TODAY, badge, days, is_quiet, known, only, refresh, said

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("side", "rule"), [(PromiseSide.OURS, Rule.OUR_PROMISE), (PromiseSide.THEIRS, Rule.THEIR_PROMISE)]
)
@pytest.mark.parametrize(
    ("due", "not_before", "opens_on"),
    [
        (TODAY, None, TODAY),
        (TODAY - days(6), None, TODAY),
        (TODAY + days(1), None, TODAY + days(1)),
        (TODAY, TODAY + days(2), TODAY + days(2)),
        (TODAY, TODAY - days(2), TODAY),
    ],
)
def test_a_promise_of_either_side_asks_for_itself_when_due_and_not_before_its_not_before(
    account_manager, side, rule, due, not_before, opens_on
):
    promise = make.promise(
        known("Peter van der Meulen", account_manager), by=account_manager, due_on=due, side=side, at=AT - days(20)
    )
    Promise.objects.filter(pk=promise.pk).update(not_before=not_before)
    if opens_on > TODAY:
        refresh(AT + (opens_on - TODAY) - days(1))
        assert is_quiet(rule)
    refresh(AT + (opens_on - TODAY))
    assert only(rule).subject_id == promise.pk


def test_a_promise_says_who_promised_what_and_when(account_manager):
    peter = known("Peter van der Meulen", account_manager)
    make.promise(
        peter,
        by=account_manager,
        due_on=TODAY - days(6),
        side=PromiseSide.THEIRS,
        text="the numbers of last season",
        at=AT - days(30),
    )
    refresh()
    follow_up = only(Rule.THEIR_PROMISE)
    assert said(follow_up) == "On 24 October Peter van der Meulen promised, by 17 November: the numbers of last season"
    assert badge(follow_up) == "promise of theirs, 6 days late"


def test_a_kept_promise_asks_no_more_and_a_moved_one_waits_for_its_new_day(account_manager):
    first = make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    second = make.promise(known("B B", account_manager), by=account_manager, due_on=TODAY)
    assert refresh().made == 2
    promises.keep(promise=first, by=account_manager, at=AT)
    promises.move(promise=second, due_on=TODAY + days(3), by=account_manager, at=AT)
    assert refresh().closed == 2
    assert refresh(AT + days(3)).made == 1


def test_a_promise_that_nobody_watches_is_watched_by_whoever_knows_them(account_manager):
    promise = make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    Promise.objects.filter(pk=promise.pk).update(owner=None)
    refresh()
    assert only(Rule.OUR_PROMISE).owner == account_manager


def test_the_promise_of_an_introduction_waits_for_the_holiday_to_end(account_manager):
    referral = make.referral(account_manager, at=AT - days(94))
    advocacy.promise(
        referral=referral,
        whom="a sister in purchasing",
        due_on=TODAY - days(60),
        not_before=TODAY - days(70),
        by=account_manager,
        at=AT - days(94),
    )
    refresh(AT - days(65))
    assert is_quiet(Rule.REFERRAL_PROMISE)
    refresh()
    follow_up = only(Rule.REFERRAL_PROMISE)
    assert follow_up.person == referral.referrer
    assert "promised to introduce a sister in purchasing, but not before 14 September. That day has come." in said(
        follow_up
    )
    assert badge(follow_up) == "promise of theirs, 60 days late"


def test_an_introduction_ends_the_wait_for_it(account_manager):
    referral = make.referral(account_manager, at=AT - days(30))
    advocacy.promise(referral=referral, by=account_manager, at=AT - days(30))
    refresh()
    advocacy.introduce(referral=referral, name="An Peeters", email="an@example.org", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.REFERRAL_PROMISE)
