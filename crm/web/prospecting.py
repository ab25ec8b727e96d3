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
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crm import prospecting, yields
from crm.models import ProspectingBlock, ProspectingPlan
from crm.refusal import Refused
from crm.web import access, half_hour, query
from crm.web.forms import KringForm
from crm.web.page import Request, render_page, wanted_part

WEEKS = 8
"""So many weeks are shown at once."""

EVEN, FAIRLY_EVEN = 0.8, 0.5
"""Shares of the planned days with a half hour, from which they are called so."""


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
    planned = yields.planned_days([plan], this, this + timedelta(days=6)).get(user.pk, set())
    has_before = access.blocks(user).filter(day__lt=first).exists()
    context: dict[str, Any] = {
        "at": at,
        "plan": plan,
        "rows": [
            [_cell(monday + timedelta(days=number), found, planned, plan, today) for number in range(7)]
            for monday in (last - timedelta(weeks=week) for week in range(WEEKS))
        ],
        "weekdays": [(dates.WEEKDAYS_ABBR[number], dates.WEEKDAYS[number]) for number in range(7)],
        "has_minutes": bool(found) or has_before,
        "is_shown": plan.is_on or bool(found) or has_before,
        "even": evenly(yields.evenness(plan, at)) if plan.is_on else "",
        "ways": yields.of_user(user, at),
        "enough": yields.ENOUGH,
        "teams": [(one, team_evenly(one.evenness)) for one in yields.of_teams(at)] if user.is_leading else [],
        "earlier": first - timedelta(weeks=1) if has_before else None,
        "later": min(last + timedelta(weeks=WEEKS), this) if last < this else None,
        "nav": "today",
    }
    return render_page(request, "crm/prospecting.html", context)


def evenly(found: yields.Evenness) -> str:
    """How even somebody's days are, and not how many minutes they make."""
    if not found.planned:
        return ""
    days = ngettext(
        "on %(kept)d of the last %(planned)d planned day",
        "on %(kept)d of the last %(planned)d planned days",
        found.planned,
    ) % {
        "kept": found.kept,
        "planned": found.planned,
    }
    if found.share >= EVEN:
        said = _("Even: %(days)s.")
    elif found.share >= FAIRLY_EVEN:
        said = _("Fairly even: %(days)s.")
    else:
        said = _("By fits and starts: %(days)s. A shorter half hour on more days does more.")
    said %= {"days": days}
    if found.gap < 2:
        return said
    return f"{said} {_('The longest pause was %(days)d planned days.') % {'days': found.gap}}"


def team_evenly(found: yields.Evenness | None) -> str:
    if found is None:
        return _("Fewer than two people of this team have a plan that has begun, so their days are not shown.")
    return _(
        "The half hour was kept on %(share)d%% of the planned days of %(people)d people in the last %(weeks)d weeks."
    ) % {
        "share": round(100 * found.share),
        "people": found.people,
        "weeks": yields.WEEKS,
    }


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
        "half_hour": block,  # Not "block": that word is taken inside a {% block %}.
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
