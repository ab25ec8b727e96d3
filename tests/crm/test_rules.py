"""All rules together: working days, one statement each, the same rows however often, and a rule that fails."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from crm import deals, follow_ups
from crm.models import FollowUp, Rule, RuleSetting, User
from crm.rules import RULES
from tests import make
from tests.crm.test_rules_of_customers import everything_of_customers
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, days, everything, is_quiet, known, only, refresh, said

pytestmark = pytest.mark.django_db

TOLD_IN_THEIR_WORDS = (Rule.NEXT_STEP, Rule.OUR_PROMISE, Rule.THEIR_PROMISE)
"""Sentences that end in what was agreed or promised, as it was written down."""


# ---- Working days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promised", "asked"),
    [
        (date(2026, 11, 28), date(2026, 11, 30)),  # A Saturday.
        (date(2026, 11, 29), date(2026, 11, 30)),  # A Sunday.
        (date(2026, 12, 25), date(2026, 12, 28)),  # Christmas, a Friday.
        (date(2026, 11, 27), date(2026, 11, 27)),
    ],
)
def test_what_is_due_on_a_day_off_asks_on_the_next_working_morning(account_manager, promised, asked):
    make.promise(known("A A", account_manager), by=account_manager, due_on=promised)
    noon_before = datetime.combine(asked - days(1), time(12), tzinfo=BRUSSELS)
    refresh(noon_before)
    assert is_quiet(Rule.OUR_PROMISE)
    refresh(noon_before + days(1))
    assert only(Rule.OUR_PROMISE).due_at == datetime.combine(asked, time(9), tzinfo=BRUSSELS)


def test_holidays_and_hours_are_those_of_the_owner(account_manager, outsider):
    """21 July is a holiday in Belgium and an ordinary Tuesday in the Netherlands; Otto starts at eight and works in Lisbon."""
    User.objects.filter(pk=outsider.pk).update(work_start=time(8), time_zone="Europe/Lisbon")
    day = date(2026, 7, 21)
    for owner in (account_manager, outsider):
        make.promise(known("A A", owner), by=owner, due_on=day, at=AT - days(200))
    refresh()
    due = {follow_up.owner: follow_up.due_at for follow_up in FollowUp.objects.select_related("owner")}
    assert due[account_manager] == datetime(2026, 7, 22, 9, tzinfo=BRUSSELS)
    assert due[outsider] == datetime(2026, 7, 21, 8, tzinfo=ZoneInfo("Europe/Lisbon"))


def test_one_impossible_profile_does_not_stop_the_others(account_manager, sdr):
    User.objects.filter(pk=sdr.pk).update(time_zone="Mars/Olympus", working_days=[9])
    make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    make.promise(known("B B", sdr), by=account_manager, owner=sdr, due_on=TODAY)
    assert refresh().made == 2


# ---- All rules -----------------------------------------------------------------------------------------------------


def cause_everything(account_manager: User, sdr: User) -> None:
    """At least one cause for each rule there is."""
    everything(account_manager, sdr)
    everything_of_customers(account_manager)


def test_every_rule_has_a_follow_up_a_sentence_and_no_number_of_a_row_in_it(account_manager, sdr):
    cause_everything(account_manager, sdr)
    refresh()
    opened = FollowUp.objects.open()
    assert {follow_up.rule for follow_up in opened} == set(RULES)
    for follow_up in opened:
        assert said(follow_up).endswith((".", "?", "?”")) or follow_up.rule in TOLD_IN_THEIR_WORDS
        assert not {key for key in follow_up.why if key.endswith("id")}


def test_the_page_of_the_rules_can_say_of_each_what_it_is_and_what_its_numbers_are():
    assert set(RULES) == set(Rule)
    for rule in RULES.values():
        assert str(rule.about).endswith(".")
        for number in rule.numbers:
            assert number.least <= number.default <= number.most
            assert str(number.label)
            assert str(number.unit)


def test_a_refresh_asks_one_statement_of_each_rule_however_many_rows(
    account_manager, sdr, django_assert_max_num_queries
):
    cause_everything(account_manager, sdr)
    cause_everything(account_manager, sdr)
    with django_assert_max_num_queries(
        10 + 7 * len(RULES)
    ):  # Savepoint, lock, settings, teams, plan, statement, release.
        refresh()


def test_a_second_refresh_changes_nothing(account_manager, sdr):
    cause_everything(account_manager, sdr)
    assert refresh().made == FollowUp.objects.count()
    before = list(FollowUp.objects.order_by("pk").values())
    report = refresh(AT + timedelta(minutes=15))
    assert (report.made, report.changed, report.closed) == (0, 0, 0)
    assert list(FollowUp.objects.order_by("pk").values()) == before


def causes() -> set[tuple[str, str, int]]:
    return set(FollowUp.objects.open().values_list("rule", "subject_kind", "subject_id"))


def test_no_rule_asks_again_for_the_same_cause_that_somebody_closed(account_manager, sdr):
    cause_everything(account_manager, sdr)
    refresh()
    closed = causes()
    for follow_up in FollowUp.objects.open().for_today():
        follow_ups.not_needed(follow_up=follow_up, by=follow_up.owner, at=AT)
    refresh(AT + timedelta(minutes=15))
    assert not closed & causes()


def test_a_rule_that_is_off_asks_for_nothing_and_asks_again_when_it_is_on(account_manager, sdr, team):
    cause_everything(account_manager, sdr)
    refresh()
    before = causes()
    off = [RuleSetting(rule=rule, team=team, is_on=False) for rule in RULES]
    for setting in off:
        effect = follow_ups.preview(rule=Rule(setting.rule), trial=setting, at=AT)
        assert (effect.opens, effect.closes) == (0, FollowUp.objects.open().filter(rule=setting.rule).count())
    RuleSetting.objects.bulk_create(off)
    refresh()
    assert causes() == set()
    RuleSetting.objects.all().delete()
    refresh()
    assert causes() == before


def test_a_look_at_what_was_touched_leaves_the_others_alone(account_manager):
    first, second = (make.deal(account_manager, next_step_on=TODAY) for _ in range(2))
    refresh()
    FollowUp.objects.all().delete()
    deals.set_step(deal=first, next_step="Visit", next_step_on=TODAY, by=account_manager, at=AT)
    assert follow_ups.refresh_touched(at=AT).made == 1
    assert only(Rule.NEXT_STEP).deal == first
    assert follow_ups.refresh_touched(at=AT).made == 0
    assert refresh().made == 1
    assert set(FollowUp.objects.values_list("deal", flat=True)) == {first.pk, second.pk}


def test_a_rule_that_fails_stops_no_other_and_loses_nothing(account_manager, sdr, caplog):
    cause_everything(account_manager, sdr)
    refresh()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE crm_promise RENAME COLUMN not_before TO gone")
    make.deal(account_manager, next_step_on=TODAY)
    report = follow_ups.refresh(at=AT)
    assert [failed.rule for failed in report.failed] == [Rule.OUR_PROMISE, Rule.THEIR_PROMISE]
    assert "not_before" in report.failed[0].error
    assert report.made == 1
    assert only(Rule.OUR_PROMISE)
    assert only(Rule.THEIR_PROMISE)
    assert "our_promise" in caplog.text
