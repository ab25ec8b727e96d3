"""The days that a page with numbers is about, as its address asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm import forecast
from crm.clock import Period, organisation_calendar
from crm.web import access, query
from crm.web.page import Request

PERIODS = {
    "12m": gettext_lazy("Last 12 months"),
    "quarter": gettext_lazy("This quarter"),
    "year": gettext_lazy("This year"),
    "all": gettext_lazy("All time"),
    "custom": gettext_lazy("From … to …"),
}


@dataclass(frozen=True)
class Asked:
    """The days, first and last included. `key` is what the address asks for."""

    key: str
    first: date
    last: date

    def within(self, zone: ZoneInfo) -> Period:
        return Period(self.first, self.last, zone)


def period_of(request: Request) -> tuple[Asked, Period]:
    """What was asked, and the same in the organisation's zone."""
    zone = organisation_calendar().zone
    asked = asked_period(request.GET, timezone.now().astimezone(zone).date())
    return asked, asked.within(zone)


def asked_period(asked: QueryDict, today: date) -> Asked:
    """The period in the address; the last twelve months when it says nothing that makes sense."""
    key = asked.get("period", "")
    if key == "all":
        return Asked(key, min(_earliest(), today), today)
    if key == "quarter":
        first, until = forecast.quarter(today)
        return Asked(key, first, until - timedelta(days=1))
    if key == "year":
        return Asked(key, date(today.year, 1, 1), date(today.year, 12, 31))
    if key == "custom":
        last = query.day(asked.get("to")) or today
        first = query.day(asked.get("from")) or forecast.add_months(last.replace(day=1), -11)
        return Asked(key, min(first, last), max(first, last))
    return Asked("12m", forecast.add_months(today.replace(day=1), -11), today)


def _earliest() -> date:
    """The day of the first lead, or of an order that is older still."""
    moments = (
        access.leads().aggregate(first=Min("received_at"))["first"],
        access.deals().won().aggregate(first=Min("won_at"))["first"],
    )
    zone = organisation_calendar().zone
    return min((moment.astimezone(zone).date() for moment in moments if moment), default=date.max)
