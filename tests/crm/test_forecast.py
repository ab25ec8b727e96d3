"""The forecast: their word and ours, by month, in one currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm import deals, forecast
from crm.models import Deal
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def month(first: date, **options) -> forecast.Month:
    return next(row for row in forecast.months(at=AT, **options).months if row.first == first)


def test_each_side_counts_in_the_month_that_it_named(account_manager):
    make.deal(
        account_manager,
        buyer_amount=Decimal(1000),
        buyer_date=date(2026, 12, 31),
        seller_amount=Decimal(1500),
        seller_date=date(2027, 1, 1),
        seller_probability=40,
    )
    assert month(date(2026, 12, 1)) == forecast.Month(date(2026, 12, 1), buyers=Decimal(1000))
    january = month(date(2027, 1, 1))
    assert (january.buyers, january.sellers, january.weighted) == (Decimal(0), Decimal(1500), Decimal(600))


def test_a_chance_that_nobody_gave_is_the_usual_one_of_the_stage(account_manager):
    deal = make.deal(account_manager, seller_amount=Decimal(1000), seller_date=date(2026, 12, 1))
    assert month(date(2026, 12, 1)).weighted == Decimal(10) * deal.stage.probability


def test_what_was_won_counts_in_the_organisations_month_and_is_no_forecast_any_more(account_manager):
    won_at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # 00:30 on 1 November in Brussels.
    deal = make.deal(account_manager, at=won_at, buyer_amount=Decimal(800), buyer_date=date(2026, 12, 1))
    deals.win(deal=deal, by=account_manager, at=won_at)
    assert month(date(2026, 11, 1)).won == 800
    assert month(date(2026, 10, 1)).won == month(date(2026, 12, 1)).buyers == 0


def test_there_are_nine_months_around_this_one_also_without_deals():
    months = forecast.months(at=AT).months
    assert [row.first for row in months][:4] == [
        date(2026, 8, 1),
        date(2026, 9, 1),
        date(2026, 10, 1),
        date(2026, 11, 1),
    ]
    assert len(months) == 9
    assert not any(row.buyers or row.sellers or row.won for row in months)


def test_currencies_are_never_added_up(account_manager):
    for number in range(3):
        make.deal(account_manager, currency="EUR", buyer_amount=Decimal(100), buyer_date=date(2026, 12, number + 1))
    make.deal(account_manager, currency="USD", buyer_amount=Decimal(7000), buyer_date=date(2026, 12, 1))
    make.deal(account_manager, buyer_amount=Decimal(50))
    told = forecast.months(at=AT)
    assert (told.currency, told.other_currencies, told.undated) == ("EUR", 1, 1)
    assert month(date(2026, 12, 1)).buyers == 300
    assert month(date(2026, 12, 1), currency="USD").buyers == 7000


def test_a_deal_without_an_amount_adds_nothing_and_breaks_nothing(account_manager):
    make.deal(account_manager, buyer_date=date(2026, 12, 1), seller_date=date(2026, 12, 1))
    assert month(date(2026, 12, 1)) == forecast.Month(date(2026, 12, 1))


def test_a_month_and_the_list_behind_it_agree(account_manager):
    make.deal(account_manager, buyer_amount=Decimal(100), buyer_date=date(2026, 12, 1))
    make.deal(account_manager, buyer_amount=Decimal(100), buyer_date=date(2026, 12, 31))
    make.deal(account_manager, buyer_amount=Decimal(100), buyer_date=date(2027, 1, 1))
    behind = forecast.said_by_buyers(Deal.objects.all(), date(2026, 12, 1), date(2027, 1, 1))
    assert sum(deal.buyer_amount or 0 for deal in behind) == month(date(2026, 12, 1)).buyers == 200


@pytest.mark.parametrize(
    ("day", "first", "next_first"),
    [
        (date(2026, 11, 23), date(2026, 10, 1), date(2027, 1, 1)),
        (date(2026, 1, 1), date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 6, 30), date(2026, 4, 1), date(2026, 7, 1)),
    ],
)
def test_a_quarter_has_three_months(day, first, next_first):
    assert forecast.quarter(day) == (first, next_first)


def test_the_forecast_takes_five_queries_however_many_deals(account_manager, django_assert_max_num_queries):
    for number in range(5):
        make.deal(account_manager, buyer_amount=Decimal(100), buyer_date=date(2026, 12, number + 1))
    with django_assert_max_num_queries(5):
        forecast.months(at=AT)
