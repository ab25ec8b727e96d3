"""Who went past a gate before both sides had said yes, why, and what came of it: for those who lead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import AppointmentState, DealState, Gate, Lead, LeadStatus, Override
from crm.web import access, keyset
from crm.web.page import Request, render_page

GOOD = {DealState.WON, AppointmentState.HELD, LeadStatus.ACCEPTED}
BAD = {DealState.LOST, AppointmentState.NO_SHOW, AppointmentState.CANCELLED, LeadStatus.DECLINED}


@access.leading_only
@require_safe
def index(request: Request) -> HttpResponse:
    """The newest first; `gate` shows one gate only."""
    gate = request.GET.get("gate", "")
    rows = access.overrides()
    if gate in Gate.values:
        rows = rows.filter(gate=gate)
    page = keyset.page(rows, order=("-at", "-id"), at=request.GET)
    at = timezone.now()
    context = {
        "page": page,
        "lines": [_line(row, at) for row in page],
        "count": keyset.bounded_count(rows),
        "gates": Gate.choices,
        "gate": gate,
        "now": at,
        "nav": "dashboard",
    }
    return render_page(request, "crm/overrides.html", context, parts=("overrides",))


def _line(row: Override, at: datetime) -> dict[str, Any]:
    """What it was about, and how each of these stands now."""
    deal = row.deal or (getattr(row.lead, "deal", None) if row.lead else None)
    lead: Lead | None = row.lead or (row.appointment.lead if row.appointment else None)
    outcomes = []
    if row.appointment:
        outcomes.append(_outcome(row.appointment.get_state_display(), row.appointment.state))
    if deal:
        outcomes.append(_outcome(deal.get_state_display(), deal.state, deal))
    elif lead:
        outcomes.append(_outcome(lead.get_status_display(), lead.status, lead))
    about = row.deal or lead or row.appointment
    return {
        "row": row,
        "about": str(row.appointment.person if row.appointment and not (row.deal or lead) else about),
        "url": _url(row.deal or lead),
        "outcomes": outcomes,
    }


def _outcome(words: str, state: str, where: Any = None) -> dict[str, Any]:
    colour = "green" if state in GOOD else "red" if state in BAD else "secondary"
    return {"text": words, "colour": colour, "url": _url(where)}


def _url(where: Any) -> str:
    return reverse(f"crm:{where._meta.model_name}", args=[where.pk]) if where is not None else ""
