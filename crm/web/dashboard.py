"""Where we stand: for managers. Every number opens the list behind it, and every table is the one that `manage.py report` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, F, OuterRef
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm import forecast, metrics, noes, reports, travel
from crm.clock import organisation_calendar
from crm.health import CHECKS
from crm.metrics import METRICS, Scope, Unit
from crm.models import Role, Team
from crm.web import access, numbers, origins
from crm.web.health import FindingLine, last_read, line
from crm.web.page import Request, render_page, wanted_part
from crm.web.period import PERIODS, Asked, asked_period

TABS = {
    "origins": gettext_lazy("Origins"),
    "content": gettext_lazy("Content"),
    "owners": gettext_lazy("People"),
    "months": gettext_lazy("Months"),
    "funnel": gettext_lazy("Funnel"),
}
LISTS = {reports.LEADS: "crm:inbox", reports.DEALS: "crm:deals"}
UNNAMED = {
    "origin": gettext_lazy("nobody recorded it"),
    "content": gettext_lazy("no piece of content"),
    "owner": gettext_lazy("nobody"),
}

ROWS = 12
"""Rows of a table that are shown at once; the others are one click away, and in the file."""

NEEDING = 5
"""Deals shown under "Needs a hand": the largest, since that is where a manager's hour helps most."""


@dataclass(frozen=True)
class Shown:
    """One cell of a table as the page shows it."""

    words: str
    url: str
    column: reports.Column


@access.leading_only
@require_safe
def dashboard(request: Request) -> HttpResponse:
    """The numbers at once. The funnel and the table read every lead of the period, so they come after the page, each by itself; without
    JavaScript a link brings them (`?tables=now`)."""
    at = timezone.now()
    scope = numbers.scope_of(request, at)
    team, period = _team(scope), asked_period(request.GET, scope.today)
    part = wanted_part(request, ("funnel", "report"))
    together = request.GET.get("tables") == "now"
    context: dict[str, Any] = {"period": period, "team": team, "report_name": _chosen(request), "tabs": TABS.items()}
    if part == "funnel" or (part is None and together):
        context |= _funnel(_table("funnel", period, team)) | _travel(period, team)
    if part == "report" or (part is None and together):
        context |= _report(request, _table(_chosen(request), period, team))
    if part is None:
        context |= {
            "at": at,
            "read_at": last_read(),
            "periods": PERIODS.items(),
            "teams": access.teams(),
            "currency": scope.currency,
            **_figures(scope),
            **_forecast(scope),
            "needing": _needing(scope),
        }
    return render_page(request, "crm/dashboard.html", context, parts=("dashboard", "funnel", "report"))


@access.leading_only
@require_safe
def report_csv(request: Request, report: str) -> HttpResponse:
    """The very table of the page, as the file that `manage.py report` prints."""
    if report not in reports.TABLES:
        raise Http404
    scope = numbers.scope_of(request, timezone.now())
    period = asked_period(request.GET, scope.today)
    table = _table(report, period, _team(scope))
    name = f"kring-{report}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.csv"
    return HttpResponse(
        reports.as_csv(table),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _team(scope: Scope) -> Team | None:
    return access.teams().filter(pk=scope.team_id).first() if scope.team_id else None


def _table(name: str, period: Asked, team: Team | None) -> reports.Table:
    return reports.take(name, first=period.first, last=period.last, team=team)


def _chosen(request: Request) -> str:
    name = request.GET.get("report", "")
    return name if name in reports.TABLES else "origins"


def _report(request: Request, table: reports.Table) -> dict[str, Any]:
    """The first rows of the table as words and links; all of them when asked for."""
    everything = request.GET.get("rows") == "all"
    cells = list(islice(table.cells(), None if everything else ROWS))
    return {
        "report": table,
        "lines": [[Shown(_words(cell), _link(cell), cell.column) for cell in line] for line in cells],
        "more": 0 if everything else max(0, len(table.rows) - ROWS),
    }


def _link(cell: reports.Cell) -> str:
    return f"{reverse(LISTS[cell.link.screen])}?{urlencode(cell.link.query)}" if cell.link else ""


def _words(cell: reports.Cell) -> str:
    """A value as people read it; files keep it as it is."""
    name, value = cell.column.name, cell.value
    if value is None:
        return "–"
    if name in UNNAMED and not value:
        return str(UNNAMED[name])
    if name == "origin":
        return origins.words(value)
    if name == "step":
        return str(reports.STEPS[value])
    if name == "role":
        return str(Role(value).label)
    if name == "month":
        return date_format(date.fromisoformat(f"{value}-01"), "F Y")
    if isinstance(value, datetime):
        return date_format(value, "j M Y")
    if isinstance(value, Decimal):
        return number_format(round(value, 1), 1, use_l10n=True)
    return number_format(value, use_l10n=True, force_grouping=True) if isinstance(value, int) else str(value)


def _funnel(table: reports.Table) -> dict[str, Any]:
    """The steps for the chart, and as the small table below it."""
    rows = []
    for cells in table.cells():
        cell = {cell.column.name: cell for cell in cells}
        step = {"name": _words(cell["step"]), "count": _words(cell["count"]), "url": _link(cell["count"])}
        rows.append(step | {"share": _words(cell["percent_of_leads"]), "days": _words(cell["median_days"])})
    steps = [{"name": str(reports.STEPS[record["step"]]), "value": record["count"]} for record in table.records()]
    return {"funnel_rows": rows, "funnel_chart": {"steps": steps if any(step["value"] for step in steps) else []}}


def _travel(period: Asked, team: Team | None) -> dict[str, Any]:
    """What noes before a visit saved, and visits too early cost, in the period."""
    said = noes.said(period.within(organisation_calendar().zone), team_id=team.pk if team else None)
    days = {"period": period.key, "from": period.first.isoformat(), "to": period.last.isoformat()}
    if team:
        days["team"] = str(team.pk)
    return {
        "saved": travel.of_saved(said),
        "wasted": travel.of_wasted(said),
        "noes_url": f"{reverse('crm:noes')}?{urlencode(days)}",
        "saved_url": f"{reverse('crm:no-list')}?{urlencode({'what': 'saved'} | days)}",
        "wasted_url": f"{reverse('crm:no-list')}?{urlencode({'what': 'wasted'} | days)}",
        "km_an_hour": travel.KM_AN_HOUR,
    }


def _figures(scope: Scope) -> dict[str, Any]:
    """The four cards at the top; small numbers beside them are metrics too."""
    value = metrics.measure(
        scope,
        [
            "qualified_per_week",
            "late_first_answers",
            "hand_offs_waiting",
            "quarter_buyers",
            "quarter_sellers",
            "conversations_of_value",
            "conversations_with_step",
            "referrals_won",
            "referrals_won_amount",
            "referrals_late",
            "referrals_unthanked",
        ],
    )
    # Whole numbers, since the plural of a word follows from them.
    shown: dict[str, int | Decimal | None] = {
        key: int(number) if number is not None and METRICS[key].unit == Unit.COUNT else number
        for key, number in value.items()
    }
    return {
        "value": shown,
        "metrics": {key: METRICS[key] for key in value},
        "links": {key: _behind(key, scope) for key in value},
    }


def _behind(key: str, scope: Scope) -> str:
    return reverse("crm:number", args=[key]) + (f"?team={scope.team_id}" if scope.team_id else "")


def _forecast(scope: Scope) -> dict[str, Any]:
    """The months as a table with links, and the same numbers for the chart."""
    told = forecast.months(at=scope.at, deals=scope.deals(), currency=scope.currency)
    this = scope.today.replace(day=1)
    team = f"?team={scope.team_id}" if scope.team_id else ""
    rows = [
        {
            "month": month,
            "name": date_format(month.first, "M Y"),
            "is_now": month.first == this,
            "links": {
                side: reverse("crm:forecast-month", args=[side, month.first.year, month.first.month]) + team
                for side in ("buyers", "sellers", "won")
            },
        }
        for month in told.months
    ]
    chart = {
        "currency": told.currency,
        "months": [date_format(month.first, "M") for month in told.months],
        "names": {"buyers": _("Said by buyers"), "sellers": _("Expected by sellers"), "won": _("Won")},
        "buyers": [float(month.buyers) for month in told.months],
        "sellers": [float(month.sellers) for month in told.months],
        # What is still to come has not been won; a line at nought would say that we failed.
        "won": [float(month.won) if month.first <= this else None for month in told.months],
    }
    return {"forecast": told, "forecast_rows": rows, "forecast_chart": chart}


def _needing(scope: Scope) -> list[FindingLine]:
    """The largest deals with an open finding, each once, with the first of what was found."""
    largest = (
        scope.deals()
        .open()
        .filter(Exists(scope.findings().filter(deal=OuterRef("pk"))))
        .with_amount()
        .order_by(F("amount").desc(nulls_last=True), "pk")
        .values_list("pk", flat=True)[:NEEDING]
    )
    places = {pk: place for place, pk in enumerate(largest)}
    kinds = list(CHECKS)
    findings = sorted(
        scope.findings().filter(deal__in=places).for_list(), key=lambda finding: kinds.index(finding.kind)
    )
    first = {finding.deal_id: finding for finding in reversed(findings)}
    return [line(first[pk], scope.at) for pk in places if pk in first]
