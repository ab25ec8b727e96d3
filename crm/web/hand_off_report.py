"""What became of hand-offs: per SDR and per account manager, by reason, for a period; and the list behind each number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm import hand_off_counts
from crm.hand_off_counts import GIVER, RECEIVER, STATES, Line
from crm.models import RejectReason
from crm.web import access, keyset, query
from crm.web.page import Request, render_page
from crm.web.period import PERIODS, period_of

COLUMNS = {
    "given": gettext_lazy("Given"),
    "accepted": gettext_lazy("Accepted"),
    "held": gettext_lazy("Accepted and held"),
    "rejected": gettext_lazy("Rejected"),
    "expired": gettext_lazy("Not in time"),
    "moved": gettext_lazy("Passed on"),
    "waiting": gettext_lazy("Waiting"),
}
SIDES = {
    GIVER: (gettext_lazy("Who gave"), gettext_lazy("SDR")),
    RECEIVER: (gettext_lazy("Who got"), gettext_lazy("Account manager")),
}


@dataclass(frozen=True)
class Number:
    count: int
    url: str
    title: str


@dataclass(frozen=True)
class Row:
    name: str
    numbers: list[Number]
    kinds: list[Number]
    median: int | None


@require_safe
def report(request: Request) -> HttpResponse:
    """`period` (and `from`, `to`) as on the dashboard: by the day on which a hand-off was given."""
    asked, period = period_of(request)
    counted = hand_off_counts.counted(period)
    days = {"period": asked.key, "from": asked.first.isoformat(), "to": asked.last.isoformat()}
    tables = [
        {
            "side": side,
            "title": title,
            "who": who,
            "rows": [_row(side, line, days) for line in counted[side]],
        }
        for side, (title, who) in SIDES.items()
    ]
    context = {
        "tables": tables,
        "columns": COLUMNS.items(),
        "period": asked,
        "periods": PERIODS.items(),
        "nav": "leads",
    }
    return render_page(request, "crm/hand_off_report.html", context)


@require_safe
def behind(request: Request) -> HttpResponse:
    """The hand-offs that one number counts: `state`, `kind` of rejection, `from_user` or `to_user`, and the period. Nonsense counts as not asked."""
    asked, period = period_of(request)
    state = request.GET.get("state", "")
    state = state if state in STATES else "given"
    kind = request.GET.get("kind", "")
    kind = kind if kind in RejectReason.values else ""
    rows = hand_off_counts.of(period, state=state, kind=kind)
    names = []
    for side in SIDES:
        if (pk := query.number(request.GET.get(side))) is not None:
            rows = rows.filter(**{f"{side}_id": pk})
            names += [str(user) for user in access.everyone().filter(pk=pk)]
    title = str(RejectReason(kind).label) if kind else str(COLUMNS[state])
    context = {
        "page": keyset.page(rows.for_page(), order=("-submitted_at", "-id"), at=request.GET),
        "title": title,
        "names": names,
        "period": asked,
        "now": timezone.now(),
        "nav": "leads",
    }
    return render_page(request, "crm/hand_off_report_list.html", context, parts=("hand-offs",))


def _row(side: str, line: Line, days: dict[str, str]) -> Row:
    def number(count: int, title: Any, **narrowed: str) -> Number:
        words = urlencode({side: line.user_id, **narrowed, **days})
        return Number(count, f"{reverse('crm:hand-off-report-list')}?{words}", str(title))

    numbers = [number(line.counts[state], title, state=state) for state, title in COLUMNS.items()]
    kinds = [
        number(count, RejectReason(kind).label, state="rejected", kind=kind)
        for kind, count in line.kinds.items()
        if count
    ]
    return Row(line.name or _("Somebody"), numbers, kinds, line.median_minutes)
