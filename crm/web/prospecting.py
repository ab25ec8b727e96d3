"""My half hour over the weeks: a calendar of minutes, how even they are, what each way brings, and one day of it with its minutes to put right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import dates, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import prospecting
from crm.models import ProspectingBlock, ProspectingPlan
from crm.refusal import Refused
from crm.web import access, half_hour, query
from crm.web.forms import KringForm
from crm.web.page import Request, render_page, wanted_part

WEEKS = 8
"""So many weeks are shown at once."""


@dataclass(frozen=True)
class Cell:
    """One day of the calendar. `depth` is 0 for no minutes, up to 3 for as many as planned."""

    day: date
    block: ProspectingBlock | None
    is_planned: bool
    is_today: bool
    is_to_come: bool
    depth: int = 0


@require_safe
def weeks(request: Request) -> HttpResponse:
    at = timezone.now()
    if wanted_part(request, ("half-hour",)):
        return render_page(request, "crm/_today_half_hour.html", half_hour.card(request, at), parts=("half-hour",))
    user, today = request.user, timezone.localdate(at)
    plan = prospecting.plan_of(user)
    this = today - timedelta(days=today.weekday())
    asked = query.day(request.GET.get("until")) or this
    last = min(asked - timedelta(days=asked.weekday()), this)
    first = last - timedelta(weeks=WEEKS - 1)
    found = {block.day: block for block in access.blocks(user).filter(day__range=(first, last + timedelta(days=6)))}
    planned = half_hour.planned_days(plan, this, this + timedelta(days=6))
    has_before = access.blocks(user).filter(day__lt=first).exists()
    context: dict[str, Any] = {
        "at": at,
        "plan": plan,
        "rows": [
            [_cell(monday + timedelta(days=number), found, planned, plan, today) for number in range(7)]
            for monday in (last - timedelta(weeks=week) for week in range(WEEKS))
        ],
        "weekdays": [(dates.WEEKDAYS_ABBR[number], dates.WEEKDAYS[number]) for number in range(7)],
        "has_minutes": bool(found),
        "earlier": first - timedelta(weeks=1) if has_before else None,
        "later": min(last + timedelta(weeks=WEEKS), this) if last < this else None,
        "nav": "today",
    }
    return render_page(request, "crm/prospecting.html", context)


class MinutesForm(KringForm):
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes that I spent"),
        min_value=0,
        max_value=720,
        help_text=gettext_lazy("What was measured stays beside it, and the correction is marked."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def day(request: Request, pk: int) -> HttpResponse:
    """What was done on that day; the form puts its minutes right."""
    block = access.block(request, pk)
    at = timezone.now()
    form = MinutesForm(request.POST if request.method == "POST" else None, initial={"minutes": block.minutes})
    if request.method == "POST" and form.is_valid():
        try:
            prospecting.correct(block=block, minutes=form.cleaned_data["minutes"], by=request.user, at=at)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Corrected, and marked as such."))
            return redirect("crm:prospecting")
    items = block.items.select_related("content", "conversation").prefetch_related("people")
    context = {
        "at": at,
        "block": block,
        "form": form,
        "measured": (block.measured_seconds + 30) // 60,
        "things": [half_hour.thing(item, at) for item in items],
        "nav": "today",
    }
    return render_page(request, "crm/prospecting_day.html", context)


def _cell(
    day: date, found: dict[date, ProspectingBlock], planned: set[date], plan: ProspectingPlan, today: date
) -> Cell:
    """What was proposed counts as planned in what is over; from today on the plan does."""
    block = found.get(day)
    goal = block.planned_minutes if block else plan.minutes
    minutes = block.minutes if block else 0
    depth = 0 if not minutes else 3 if minutes >= goal else 2 if 2 * minutes >= goal else 1
    is_planned = block is not None or (day in planned and day >= today)
    return Cell(day, block, is_planned, day == today, day > today, depth)
