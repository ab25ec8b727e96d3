"""Open deals: a step that is due or missing, a date of theirs that has passed, and silence."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from crm import deals, follow_ups
from crm.models import Rule
from tests import make
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, badge, days, is_quiet, only, refresh, said, without_a_step

pytestmark = pytest.mark.django_db


# ---- Next step -----------------------------------------------------------------------------------------------------


def test_a_next_step_asks_for_itself_on_its_day_and_not_before(account_manager):
    deal = make.deal(account_manager, next_step="Call about the dates", next_step_on=TODAY + days(1))
    refresh()
    assert is_quiet(Rule.NEXT_STEP)
    refresh(AT + days(1))
    follow_up = only(Rule.NEXT_STEP)
    assert (follow_up.deal, follow_up.person, follow_up.organisation) == (deal, deal.person, deal.organisation)
    assert follow_up.due_at == datetime.combine(TODAY + days(1), time(9), tzinfo=BRUSSELS)
    assert said(follow_up, AT + days(1)) == "Agreed for 24 November: Call about the dates"
    assert badge(follow_up, AT + days(1)) == "next step today"
    assert badge(follow_up, AT + days(3)) == "next step, 2 days late"


def test_today_begins_at_the_owners_midnight_and_not_at_that_of_utc(account_manager):
    make.deal(account_manager, next_step_on=TODAY + days(1))
    just_before = datetime.combine(TODAY, time(23, 59), tzinfo=BRUSSELS)
    refresh(just_before)
    assert is_quiet(Rule.NEXT_STEP)
    refresh(just_before + timedelta(minutes=2))  # Still 23:01 the day before in UTC.
    assert only(Rule.NEXT_STEP)


def test_a_new_day_for_the_step_closes_the_old_question_and_asks_a_new_one(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    deals.set_step(deal=deal, next_step="Visit", next_step_on=TODAY + days(7), by=account_manager, at=AT)
    assert refresh().closed == 1
    assert refresh(AT + days(7)).made == 1


def test_a_step_that_was_done_stays_quiet_until_there_is_a_new_one(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    follow_ups.done(follow_up=only(Rule.NEXT_STEP), by=account_manager, at=AT)
    assert refresh().made == 0
    assert refresh(AT + days(1)).made == 0
    deals.set_step(deal=deal, next_step="Visit", next_step_on=TODAY + days(2), by=account_manager, at=AT)
    assert refresh(AT + days(2)).made == 1


def test_a_deal_that_ends_asks_for_nothing(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    deals.win(deal=deal, by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.NEXT_STEP)


def test_an_imported_deal_without_a_step_asks_for_one(account_manager):
    without_a_step(make.deal(account_manager))
    refresh()
    follow_up = only(Rule.NO_NEXT_STEP)
    assert said(follow_up) == "This deal has no next step. Agree on one with them, with a date."
    assert badge(follow_up) == "no next step"
