"""Readings: the numbers are true, agree with the rows behind them, and are written once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from crm import advocacy, deals, handoffs, leads, metrics, readings, verdicts
from crm.metrics import METRICS, Scope, Unit
from crm.models import Finding, FindingKind, HealthReading
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TODAY = AT.date()


def days(number: int) -> timedelta:
    return timedelta(days=number)


def value(key: str, **scope) -> Decimal | None:
    return METRICS[key].value(Scope(scope.pop("at", AT + timedelta(hours=2)), **scope))


@pytest.fixture
def busy_week(account_manager, sdr):
    """One of nearly everything."""
    make.lead(owner=sdr)  # Its clock of an hour has run out by AT + 2 h.
    waiting = make.hand_off(sdr, account_manager)
    make.qualified_lead(sdr, at=AT - days(40))
    make.deal(
        account_manager,
        buyer_amount=Decimal(4000),
        buyer_date=TODAY + days(5),
        seller_amount=Decimal(5000),
        seller_date=TODAY + days(60),
    )
    make.promise(make.person(), by=account_manager, due_on=TODAY - days(2), at=AT - days(9))
    make.promise(make.person(), by=account_manager, due_on=TODAY)
    ilse = make.person()
    make.conversation(ilse, by=account_manager, at=AT - days(1), learned="They move in March", has_next_step=True)
    make.conversation(ilse, by=account_manager, at=AT - days(2))
    make.conversation(ilse, by=account_manager, at=AT - days(3), has_gain=True)
    make.conversation(ilse, by=account_manager, at=AT - days(30), has_gain=True)
    advocacy.promise(
        referral=make.referral(account_manager, at=AT - days(30)),
        due_on=TODAY - days(3),
        by=account_manager,
        at=AT - days(30),
    )
    return waiting


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("open_deals", 1),
        ("open_amount_buyers", 4000),
        ("open_amount_sellers", 5000),
        ("quarter_buyers", 4000),
        ("quarter_sellers", 0),
        ("leads_7_days", 2),
        ("leads_28_days", 2),
        ("qualified_per_week", Decimal("0.25")),
        ("hand_offs_waiting", 1),
        ("late_first_answers", 2),  # The new one, and the one that was qualified without a word to them.
        ("promises_late", 1),
        ("referrals_promised", 1),
        ("referrals_late", 1),
        ("referrals_won", 0),
    ],
)
def test_a_number_says_what_its_name_says(busy_week, key, expected):
    assert value(key) == expected


def test_conversations_of_value_are_a_share_of_all_in_four_weeks(busy_week):
    assert round(value("conversations_of_value") or 0) == 67
    assert round(value("conversations_with_step") or 0) == 33


def test_no_conversations_is_nothing_to_measure_and_not_nought_percent():
    assert value("conversations_of_value") is None


def test_a_count_and_the_list_behind_it_are_the_same_rows(busy_week):
    scope = Scope(AT + timedelta(hours=2))
    readings.take(at=scope.at)
    for metric in METRICS.values():
        if metric.unit == Unit.COUNT:
            assert metric.value(scope) == len(metric.rows(scope)), metric.key


def test_a_team_sees_its_own_rows_in_the_same_numbers(busy_week, team, other_team):
    assert value("open_deals", team_id=team.pk) == 1
    assert value("open_deals", team_id=other_team.pk) == 0
    assert value("open_amount_buyers", team_id=other_team.pk) == 0


def test_amounts_are_not_multiplied_by_what_hangs_on_a_deal(account_manager):
    deal = make.deal(account_manager, buyer_amount=Decimal(100))
    for number in range(3):
        make.conversation(deal.person, deal=deal, by=account_manager, at=AT - days(number))
        make.promise(deal.person, deal=deal, by=account_manager, due_on=TODAY + days(number))
    assert value("open_amount_buyers") == 100


def test_referrals_count_what_they_won(account_manager):
    referral = make.referral(account_manager, at=AT - days(5))
    lead = advocacy.introduce(
        referral=referral, name="An Peeters", email="an@example.org", by=account_manager, at=AT - days(4)
    )
    make_won(lead, account_manager)
    assert value("referrals_won") == 1
    assert value("referrals_won_amount") == 9600
    assert value("referrals_unthanked") == 1
    referral.refresh_from_db()
    advocacy.thank(referral=referral, by=account_manager, at=AT)
    assert value("referrals_won") == 1
    assert value("referrals_unthanked") == 0


def make_won(lead, account_manager) -> None:
    lead = leads.take(lead=lead, by=account_manager, at=AT)
    lead = verdicts.qualify(lead=make.answered(lead, by=account_manager), by=account_manager, at=AT)
    hand_off = handoffs.submit(lead=lead, to=account_manager, by=account_manager, at=AT)
    deal = handoffs.accept(
        hand_off=hand_off,
        next_step="Sign",
        next_step_on=date(2026, 11, 24),
        buyer_amount=Decimal(9600),
        by=account_manager,
        at=AT,
    )
    deals.win(deal=deal, by=account_manager, at=AT)


def test_a_reading_is_kept_as_history_and_the_same_moment_is_read_once(busy_week):
    first = readings.take(at=AT)
    again = readings.take(at=AT)
    assert first.numbers == len(METRICS)
    assert (again.numbers, again.found, again.changed, again.cleared) == (0, 0, 0, 0)
    readings.take(at=AT + days(1))
    assert HealthReading.objects.filter(metric="open_deals").count() == 2


def test_the_database_refuses_a_second_value_of_one_moment():
    HealthReading.objects.create(metric="open_deals", value=1, taken_at=AT)
    with pytest.raises(IntegrityError, match="health_reading_once"), transaction.atomic():
        HealthReading.objects.create(metric="open_deals", value=2, taken_at=AT)


def test_a_finding_stays_one_row_for_as_long_as_its_cause_holds(account_manager):
    make.deal(account_manager, at=AT - days(20), next_step_on=TODAY - days(15))
    readings.take(at=AT)
    finding = Finding.objects.get(kind=FindingKind.STEP_PASSED)
    readings.take(at=AT + days(1))
    assert Finding.objects.get(kind=FindingKind.STEP_PASSED) == finding


def test_a_reading_takes_as_many_queries_for_many_rows_as_for_few(account_manager, django_assert_max_num_queries):
    for _number in range(4):
        make.deal(account_manager, buyer_amount=Decimal(100))
    with django_assert_max_num_queries(12 + 2 * len(METRICS)):
        readings.take(at=AT)


@pytest.mark.django_db(transaction=True)
def test_two_readings_at_the_same_time_find_each_thing_once(account_manager):
    for _number in range(10):
        make.deal(account_manager, at=AT - days(20), next_step_on=TODAY - days(15))
    start, problems = Barrier(3), []

    def work() -> None:
        try:
            start.wait()
            readings.take(at=AT)
        except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
            problems.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert Finding.objects.filter(kind=FindingKind.STEP_PASSED).count() == 10
    assert HealthReading.objects.count() == len(metrics.METRICS)


def test_a_sum_and_the_rows_behind_it_are_of_one_currency(account_manager):
    for currency in ("EUR", "EUR", "USD"):
        make.deal(account_manager, currency=currency, buyer_amount=Decimal(100), seller_amount=Decimal(200))
    scope = Scope(AT)
    for key, total in (("open_amount_buyers", 200), ("open_amount_sellers", 400)):
        metric = METRICS[key]
        assert metric.value(scope) == total
        assert {deal.currency for deal in metric.rows(scope)} == {"EUR"}


def test_all_numbers_are_one_question(account_manager, django_assert_num_queries):
    make.won_deal(account_manager, seller_amount=Decimal(5000))
    with django_assert_num_queries(2):  # The currency of most, and everything else.
        values = metrics.measure(Scope(AT + timedelta(hours=2)))
    assert values == {key: metric.value(Scope(AT + timedelta(hours=2))) for key, metric in METRICS.items()}
