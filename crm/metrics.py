"""The numbers of the dashboard: each one an object with a name, a unit, its value, and the very rows it is made of. Reads only.

A number and the list behind it come from the same selection, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _

from crm import forecast
from crm.models import (
    Conversation,
    Deal,
    Finding,
    FindingKind,
    HandOff,
    Lead,
    Promise,
    Referral,
    ReferralState,
)
from crm.models.deals import DealQuerySet

WINDOW = timedelta(days=28)
"""Four weeks: long enough to be calm about, short enough to act upon."""


class Unit(StrEnum):
    COUNT = "count"
    MONEY = "money"
    SHARE = "share"
    PER_WEEK = "per_week"


@dataclass(frozen=True)
class Scope:
    """What is measured: the whole organisation, one team (the rows that its members own) or one user's own rows, at one moment."""

    at: datetime
    team_id: int | None = None
    owner_id: int | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(settings.TIME_ZONE)

    @cached_property
    def today(self) -> date:
        return self.at.astimezone(self.zone).date()

    @cached_property
    def currency(self) -> str:
        return forecast.main_currency(self.deals().open())

    def deals(self) -> DealQuerySet:
        return self._of_team(Deal.objects.all(), "owner")

    def priced(self) -> DealQuerySet:
        """Deals in the currency that is measured: amounts of two currencies are never added up, so a sum is about these alone."""
        return self.deals().filter(currency=self.currency)

    def leads(self) -> Any:
        return self._of_team(Lead.objects.all(), "owner")

    def conversations(self) -> Any:
        return self._of_team(Conversation.objects.all(), "by")

    def hand_offs(self) -> Any:
        return self._of_team(HandOff.objects.all(), "to_user")

    def promises(self) -> Any:
        return self._of_team(Promise.objects.all(), "owner")

    def referrals(self) -> Any:
        return self._of_team(Referral.objects.all(), "owner")

    def findings(self) -> Any:
        return self._of_team(Finding.objects.open(), "deal__owner")

    def _of_team(self, rows: Any, owner: str) -> Any:
        if self.owner_id is not None:
            rows = rows.filter(**{f"{owner}_id": self.owner_id})
        return rows if self.team_id is None else rows.filter(**{f"{owner}__team_id": self.team_id})


def _as_it_is(total: Decimal, whole: Decimal) -> Decimal | None:
    return total


@dataclass(frozen=True)
class Measure:
    """What is made of rows: their number, or the sum of `adds`; `finish` makes the value of it, beside the number of the rows in `whole`."""

    adds: Any = None
    whole: Callable[[Scope], QuerySet[Any]] | None = None
    finish: Callable[[Decimal, Decimal], Decimal | None] = _as_it_is


@dataclass(frozen=True)
class Metric:
    """One number: `rows` is the selection behind it, `measure` what is made of it; `None` when there is nothing to measure."""

    key: str
    name: str | Words
    unit: Unit
    rows: Callable[[Scope], QuerySet[Any]]
    measure: Measure

    def value(self, scope: Scope) -> Decimal | None:
        return measure(scope, [self.key])[self.key]


def _recent_conversations(scope: Scope) -> Any:
    return scope.conversations().filter(at__gt=scope.at - WINDOW, at__lte=scope.at)


def _won_referrals(scope: Scope) -> Any:
    return scope.referrals().filter(
        Q(state=ReferralState.WON) | Q(state=ReferralState.THANKED, lead__deal__state="won")
    )


def _won_referrals_priced(scope: Scope) -> Any:
    return _won_referrals(scope).filter(lead__deal__currency=scope.currency)


def _received(days: int) -> Callable[[Scope], QuerySet[Any]]:
    return lambda scope: scope.leads().filter(
        received_at__gt=scope.at - timedelta(days=days), received_at__lte=scope.at
    )


def _a_week(total: Decimal, whole: Decimal) -> Decimal | None:
    return total * 7 / WINDOW.days


def _percent(total: Decimal, whole: Decimal) -> Decimal | None:
    """Of the whole; `None` when there is none."""
    return total * 100 / whole if whole else None


def _sum(expression: Any) -> Measure:
    return Measure(adds=F(expression) if isinstance(expression, str) else expression)


_count = Measure()
_per_week = Measure(finish=_a_week)
_share_of_conversations = Measure(whole=_recent_conversations, finish=_percent)
_referral_amount = _sum(Coalesce("lead__deal__buyer_amount", "lead__deal__seller_amount"))


def _found(kind: FindingKind) -> Metric:
    return Metric(
        f"finding_{kind.value}", kind.label, Unit.COUNT, lambda scope: scope.findings().filter(kind=kind), _count
    )


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("open_deals", _("Open deals"), Unit.COUNT, lambda scope: scope.deals().open(), _count),
        Metric(
            "stepless_deals",
            _("Open deals without a next step in the future"),
            Unit.COUNT,
            lambda scope: scope.deals().stepless(scope.today),
            _count,
        ),
        Metric(
            "open_amount_buyers",
            _("Open, said by buyers"),
            Unit.MONEY,
            lambda scope: scope.priced().open().filter(buyer_amount__isnull=False),
            _sum("buyer_amount"),
        ),
        Metric(
            "open_amount_sellers",
            _("Open, expected by sellers"),
            Unit.MONEY,
            lambda scope: scope.priced().open().filter(seller_amount__isnull=False),
            _sum("seller_amount"),
        ),
        Metric(
            "open_amount_weighted",
            _("Open, expected by sellers times the chance"),
            Unit.MONEY,
            lambda scope: scope.priced().open().filter(seller_amount__isnull=False),
            _sum(forecast.WEIGHTED),
        ),
        Metric(
            "quarter_buyers",
            _("This quarter, said by buyers"),
            Unit.MONEY,
            lambda scope: forecast.said_by_buyers(scope.priced(), *forecast.quarter(scope.today)),
            _sum("buyer_amount"),
        ),
        Metric(
            "quarter_sellers",
            _("This quarter, expected by sellers"),
            Unit.MONEY,
            lambda scope: forecast.expected_by_sellers(scope.priced(), *forecast.quarter(scope.today)),
            _sum("seller_amount"),
        ),
        Metric("leads_7_days", _("Leads received in a week"), Unit.COUNT, _received(7), _count),
        Metric("leads_28_days", _("Leads received in four weeks"), Unit.COUNT, _received(28), _count),
        Metric(
            "qualified_per_week",
            _("Qualified work coming in"),
            Unit.PER_WEEK,
            lambda scope: scope.leads().filter(qualified_at__gt=scope.at - WINDOW, qualified_at__lte=scope.at),
            _per_week,
        ),
        Metric(
            "hand_offs_waiting", _("Hand-offs waiting"), Unit.COUNT, lambda scope: scope.hand_offs().waiting(), _count
        ),
        Metric(
            "late_first_answers",
            _("First answers late"),
            Unit.COUNT,
            lambda scope: scope.leads().late(scope.at),
            _count,
        ),
        Metric(
            "promises_late",
            _("Promises late"),
            Unit.COUNT,
            lambda scope: scope.promises().due(scope.today - timedelta(days=1)),
            _count,
        ),
        Metric(
            "referrals_promised",
            _("Introductions promised"),
            Unit.COUNT,
            lambda scope: scope.referrals().promised(),
            _count,
        ),
        Metric(
            "referrals_late",
            _("Introductions promised and late"),
            Unit.COUNT,
            lambda scope: scope.referrals().late(scope.today),
            _count,
        ),
        Metric("referrals_won", _("Referrals won"), Unit.COUNT, _won_referrals, _count),
        Metric("referrals_won_amount", _("Won through referrals"), Unit.MONEY, _won_referrals_priced, _referral_amount),
        Metric(
            "referrals_unthanked",
            _("Referrals not thanked"),
            Unit.COUNT,
            lambda scope: scope.referrals().filter(state__in=[ReferralState.WON, ReferralState.LOST]),
            _count,
        ),
        Metric(
            "conversations_of_value",
            _("Conversations of value"),
            Unit.SHARE,
            lambda scope: _recent_conversations(scope).of_value(),
            _share_of_conversations,
        ),
        Metric(
            "conversations_with_step",
            _("A next step agreed by both"),
            Unit.SHARE,
            lambda scope: _recent_conversations(scope).filter(has_next_step=True),
            _share_of_conversations,
        ),
        *(_found(kind) for kind in FindingKind),
    )
}


def measure(scope: Scope, keys: list[str] | None = None) -> dict[str, Decimal | None]:
    """The values of these metrics (default: all), all of them in one statement."""
    chosen = [METRICS[key] for key in (METRICS if keys is None else keys)]
    totals = _totals(
        [(metric.rows(scope), metric.measure.adds) for metric in chosen]
        + [(metric.measure.whole(scope) if metric.measure.whole else None, None) for metric in chosen]
    )
    wholes = totals[len(chosen) :]
    return {
        metric.key: metric.measure.finish(total, whole)
        for metric, total, whole in zip(chosen, totals, wholes, strict=False)
    }


def _totals(wanted: list[tuple[QuerySet[Any] | None, Any]]) -> list[Decimal]:
    """How many rows each selection has, or what the expression beside it adds up to. One statement asks for all; the same question is asked once."""
    questions: dict[tuple[str, tuple[Any, ...]], int] = {}
    places: list[int | None] = []
    for rows, adds in wanted:
        try:
            if rows is None:
                raise EmptyResultSet
            added = rows.order_by().values("pk") if adds is None else rows.order_by().values(added=adds)
            sql, parameters = added.query.sql_with_params()
        except EmptyResultSet:
            places.append(None)
            continue
        what = "count(*)" if adds is None else "coalesce(sum(added), 0)"
        question = (f"(SELECT {what} FROM ({sql}) AS chosen)", tuple(parameters))
        places.append(questions.setdefault(question, len(questions)))
    if not questions:
        return [Decimal(0) for _place in places]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(sql for sql, _parameters in questions),
            [value for _sql, parameters in questions for value in parameters],
        )
        answers = cursor.fetchone()
    return [Decimal(0) if place is None else Decimal(answers[place]) for place in places]
