"""The pipeline's health: what the check noticed, why, since when, and the act that cures it; and the readings so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import health as checks
from crm import readings
from crm.metrics import METRICS, Scope
from crm.models import Finding, FindingKind
from crm.web import access
from crm.web.page import Request, announce, redirect_or_part, render_page

FIRST = 10
"""Findings of each kind that are shown at once; all of a kind stand behind its number."""

HISTORY = timedelta(days=90)
KEPT = (
    "open_deals",
    "open_amount_buyers",
    "qualified_per_week",
    "late_first_answers",
    "promises_late",
    "referrals_late",
)
"""The numbers whose history is shown: the few that say in one look how the pipeline was."""


@dataclass(frozen=True)
class FindingLine:
    """A finding as a list shows it: its deal, why, and the act that cures it."""

    finding: Finding
    title: str
    url: str
    about: str
    why: str
    amount: Decimal | None
    currency: str
    cure: str
    cure_url: str


@dataclass(frozen=True)
class Group:
    kind: FindingKind
    count: int
    lines: list[FindingLine]
    url: str


@access.leading_only
@require_safe
def health(request: Request) -> HttpResponse:
    return render_page(request, "crm/health.html", _content(request), parts=("health",))


@access.leading_only
@require_POST
def read(request: Request) -> HttpResponse:
    """A reading now, and not only tomorrow morning; quick, since each check is one statement."""
    reading = readings.take(at=timezone.now())
    messages.success(
        request,
        _("Read: %(found)s new findings, %(cleared)s cleared.") % {"found": reading.found, "cleared": reading.cleared},
    )
    to_dashboard = request.POST.get("next") == "dashboard"
    there = "crm:dashboard" if to_dashboard else "crm:health"
    return announce(
        redirect_or_part(request, there, "crm/health.html", lambda: _content(request), parts=("health",)), "healthRead"
    )


def line(finding: Finding, at: datetime) -> FindingLine:
    deal, check = finding.deal, checks.CHECKS[FindingKind(finding.kind)]
    url = reverse("crm:deal", args=[deal.pk]) if deal else ""
    amount = None
    if deal:
        amount = deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount
    return FindingLine(
        finding=finding,
        title=str(deal or finding.lead or finding),
        url=url,
        about=" · ".join(str(name) for name in (deal.organisation or deal.person, deal.owner) if name) if deal else "",
        why=checks.sentence(finding, at),
        amount=amount,
        currency=deal.currency if deal else "EUR",
        cure=str(check.cure),
        cure_url=reverse(check.cure_url, args=[deal.pk]) if deal else "",
    )


def last_read() -> datetime | None:
    """The moment of the latest reading; `None` when there has been none."""
    return access.readings().aggregate(at=Max("taken_at"))["at"]


def _content(request: Request) -> dict[str, Any]:
    at = timezone.now()
    read_at = last_read()
    counts = dict(access.findings().open().order_by().values_list("kind").annotate(number=Count("pk")))
    groups = [
        Group(
            kind,
            counts[kind],
            [
                line(finding, at)
                for finding in access.findings().open().filter(kind=kind).for_list().order_by("since", "pk")[:FIRST]
            ],
            reverse("crm:number", args=[f"finding_{kind.value}"]),
        )
        for kind in checks.CHECKS
        if counts.get(kind)
    ]
    return {
        "at": at,
        "failing": access.rule_runs().filter(failing_since__isnull=False),
        "read_at": read_at,
        "groups": groups,
        "total": sum(counts.values()),
        "currency": Scope(at).currency,
        **_history(at),
    }


def _history(at: datetime) -> dict[str, Any]:
    """The last reading of each day of the past ninety, newest first, as a table and for the chart."""
    rows = (
        access.readings()
        .filter(taken_at__gte=at - HISTORY, metric__in=KEPT)
        .order_by("taken_at")
        .values_list("taken_at", "metric", "value")
    )
    days: dict[Any, dict[str, Any]] = {}
    for taken_at, metric, value in rows:
        local = timezone.localtime(taken_at)
        days.setdefault(local.date(), {})[metric] = value
        days[local.date()]["at"] = local
    newest = sorted(days, reverse=True)
    return {
        "metrics": [METRICS[key] for key in KEPT],
        "history": [(days[day]["at"], [(METRICS[key], days[day].get(key)) for key in KEPT]) for day in newest[:14]],
    }
