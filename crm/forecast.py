"""The forecast, twice: what buyers said and what sellers expect, month by month beside what was won. Reads only.

Amounts of different currencies are never added up: a forecast is in one currency, and says how many open deals are in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import Coalesce, TruncMonth

from crm.clock import day_start
from crm.models import Deal
from crm.models.deals import DealQuerySet

BACK, AHEAD = 3, 5
"""Months shown before and after this one: a quarter to see how it went, and as far ahead as anybody says a date."""

AMOUNT = DecimalField(max_digits=18, decimal_places=4)

WEIGHTED = ExpressionWrapper(
    F("seller_amount") * Coalesce(F("seller_probability"), F("stage__probability")) / Decimal(100), output_field=AMOUNT
)
"""What a seller expects times the chance given to it; the usual chance of its stage where none is given."""


@dataclass(frozen=True)
class Month:
    """One month. `buyers` and `sellers` are about open deals by the date each side named; `weighted` is `sellers` times the chance."""

    first: date
    buyers: Decimal = Decimal(0)
    sellers: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    won: Decimal = Decimal(0)


@dataclass(frozen=True)
class Forecast:
    """The months in order; amounts in `currency`. `other_currencies` and `undated` are open deals that no month holds."""

    currency: str
    months: list[Month]
    other_currencies: int
    undated: int


def main_currency(deals: DealQuerySet) -> str:
    """The currency of most of these deals; euro when there are none."""
    usual = deals.order_by().values("currency").annotate(number=Count("pk")).order_by("-number", "currency").first()
    return usual["currency"] if usual else "EUR"


def add_months(first: date, months: int) -> date:
    """The first day of the month that lies `months` after (or before) that of `first`."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def quarter(day: date) -> tuple[date, date]:
    """First day of the quarter of `day`, and of the next."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return first, add_months(first, 3)


def months(
    *, at: datetime, deals: DealQuerySet | None = None, currency: str = "", back: int = BACK, ahead: int = AHEAD
) -> Forecast:
    """The forecast of `deals` (default: all) around the organisation's month at `at`: `back` months, this one, and `ahead`. Four queries."""
    zone = ZoneInfo(settings.TIME_ZONE)
    deals = Deal.objects.all() if deals is None else deals
    this = at.astimezone(zone).date().replace(day=1)
    begin, end = add_months(this, -back), add_months(this, ahead + 1)
    open_deals = deals.open()
    currency = currency or main_currency(open_deals)
    left_out = open_deals.aggregate(
        other=Count("pk", filter=~Q(currency=currency)),
        undated=Count("pk", filter=Q(currency=currency, buyer_date__isnull=True, seller_date__isnull=True)),
    )
    dated = open_deals.filter(currency=currency)
    buyers = _by_month(
        dated.filter(buyer_date__gte=begin, buyer_date__lt=end).annotate(month=TruncMonth("buyer_date")),
        buyers=Sum("buyer_amount"),
    )
    sellers = _by_month(
        dated.filter(seller_date__gte=begin, seller_date__lt=end).annotate(month=TruncMonth("seller_date")),
        sellers=Sum("seller_amount"),
        weighted=Sum(WEIGHTED),
    )
    won = _by_month(
        won_between(deals.filter(currency=currency), begin, end).annotate(month=TruncMonth("won_at", tzinfo=zone)),
        won=Sum(Coalesce("buyer_amount", "seller_amount")),
    )
    rows = []
    for number in range(back + 1 + ahead):
        first = add_months(begin, number)
        rows.append(Month(first, **buyers.get(first, {}), **sellers.get(first, {}), **won.get(first, {})))
    return Forecast(currency, rows, left_out["other"], left_out["undated"])


def _by_month(deals: Iterable[Any], **sums: Sum) -> dict[date, dict[str, Decimal]]:
    found = deals.order_by().values("month").annotate(**sums)  # type: ignore[attr-defined]
    return {
        (row["month"].date() if isinstance(row["month"], datetime) else row["month"]): {
            name: row[name] if row[name] is not None else Decimal(0) for name in sums
        }
        for row in found
    }


def said_by_buyers(deals: DealQuerySet, first: date, until: date) -> DealQuerySet:
    """Open deals whose buyer named a day from `first` up to (not with) `until`."""
    return deals.open().filter(buyer_date__gte=first, buyer_date__lt=until)


def expected_by_sellers(deals: DealQuerySet, first: date, until: date) -> DealQuerySet:
    """Open deals for which we expect a day from `first` up to (not with) `until`."""
    return deals.open().filter(seller_date__gte=first, seller_date__lt=until)


def won_between(deals: DealQuerySet, first: date, until: date) -> DealQuerySet:
    """Deals won from the organisation's day `first` up to (not with) `until`."""
    zone = ZoneInfo(settings.TIME_ZONE)
    return deals.won().filter(won_at__gte=day_start(first, zone), won_at__lt=day_start(until, zone))
