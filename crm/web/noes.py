"""Our noes: why and from where, what they saved, which came back, and those to look back on. Everybody reads, since everybody learns from them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm import noes, travel
from crm.models import Team
from crm.web import access, keyset, origins, query
from crm.web.page import Request, render_page
from crm.web.period import PERIODS, period_of

TITLES = {
    "all": gettext_lazy("Noes"),
    "came_back": gettext_lazy("Noes that came back and ordered"),
    "evaluated": gettext_lazy("Noes that we looked back on"),
    "same": gettext_lazy("Noes that we would say again"),
    "otherwise": gettext_lazy("Noes that we would not say again"),
    "saved": gettext_lazy("Noes before a visit"),
    "wasted": gettext_lazy("Noes after a visit that came too early"),
    "later": gettext_lazy("Noes to look back on"),
}


@require_safe
def index(request: Request) -> HttpResponse:
    """`period` (and `from`, `to`) as on the dashboard: by the day on which the no was said."""
    asked, period = period_of(request)
    team = _team(request)
    told = noes.told(period, team_id=team.pk if team else None)
    days = {"period": asked.key, "from": asked.first.isoformat(), "to": asked.last.isoformat()}
    if team:
        days["team"] = str(team.pk)
    reasons = {row.code: row.label for row in access.decline_reasons()}

    def link(**narrowed: str) -> str:
        return f"{reverse('crm:no-list')}?{urlencode(narrowed | days)}"

    context = {
        "told": told,
        "share": round(told.same * 100 / told.evaluated) if told.evaluated else None,
        "links": {what: link(what=what) for what in TITLES},
        "tables": [
            {
                "key": "reason",
                "title": _("By reason"),
                "rows": _rows(told.by_reason, told.number, lambda key: reasons.get(key, key), link, "reason"),
            },
            {
                "key": "origin",
                "title": _("By source"),
                "rows": _rows(told.by_origin, told.number, _origin, link, "origin"),
            },
        ],
        "waiting": keyset.bounded_count(noes.to_look_back(timezone.now())),
        "km_an_hour": travel.KM_AN_HOUR,
        "period": asked,
        "periods": PERIODS.items(),
        "team": team,
        "teams": access.teams(),
        "nav": "leads",
    }
    return render_page(request, "crm/noes.html", context)


@require_safe
def behind(request: Request) -> HttpResponse:
    """The noes that one number counts: `what`, a `reason` or an `origin`, and the period; `what=later` are those to look back on, of any day."""
    asked, period = period_of(request)
    what = request.GET.get("what", "")
    what = what if what in TITLES else "all"
    team = _team(request)
    reasons = {row.code: row.label for row in access.decline_reasons()}
    rows: Any
    if what == "later":
        rows, order = noes.to_look_back(timezone.now()), ("-verdict_at", "-id")
    else:
        rows, order = (
            noes.SELECTIONS[what](noes.said(period, team_id=team.pk if team else None)),
            ("-received_at", "-id"),
        )
    names = [str(team)] if team and what != "later" else []
    if (reason := request.GET.get("reason")) in reasons:
        rows, names = rows.filter(decline_reason=reason), [*names, reasons[reason]]
    if (origin := request.GET.get("origin")) is not None:
        rows, names = rows.filter(origin=origin[:50].replace("\0", "")), [*names, _origin(origin[:50])]
    page = keyset.page(
        travel.with_distance(rows).select_related("person", "organisation", "owner", "verdict_by"),
        order=order,
        at=request.GET,
    )
    context = {
        "page": page,
        "count": keyset.bounded_count(rows),
        "team": team,
        "lines": [{"lead": lead, "reason": reasons.get(lead.decline_reason, lead.decline_reason)} for lead in page],
        "title": str(TITLES[what]),
        "names": names,
        "what": what,
        "period": asked,
        "now": timezone.now(),
        "nav": "leads",
    }
    return render_page(request, "crm/noes_list.html", context, parts=("noes",))


def _rows(counted: list[noes.Counted], whole: int, name: Any, link: Any, key: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name(each.key),
            "number": each.number,
            "share": round(each.number * 100 / whole),
            "url": link(**{key: each.key}),
        }
        for each in counted
    ]


def _origin(key: str) -> str:
    return origins.words(key) if key else _("nobody recorded it")


def _team(request: Request) -> Team | None:
    """`team` in the address; nonsense counts as not asked."""
    pk = query.number(request.GET.get("team"))
    return access.teams().filter(pk=pk).first() if pk else None
