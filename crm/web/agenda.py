"""The week of one user: what was agreed, when they are busy elsewhere (without words), when they are away. Everybody may look at everybody's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.clock import day_start, is_working_day
from crm.models import Appointment, User
from crm.web import access, query
from crm.web.page import Request, render_page

WEEKEND = 5


@dataclass(frozen=True)
class Item:
    """Something on a day: an appointment, or (without one) a stretch of being busy."""

    since: datetime
    until: datetime
    appointment: Appointment | None = None


@dataclass
class Day:
    day: date
    is_today: bool
    label: str
    is_working: bool
    items: list[Item] = field(default_factory=list)


@require_safe
def agenda(request: Request) -> HttpResponse:
    """`user` is whose agenda, `week` any day of the week that is shown (default: this week, or the next one at the weekend)."""
    pk = query.number(request.GET.get("user"))
    user = access.host(pk) if pk is not None else access.host(request.user.pk)
    today = timezone.localdate()
    # At the weekend one looks ahead, so the coming week comes first.
    asked = query.day(request.GET.get("week")) or today + timedelta(days=2 if today.weekday() >= WEEKEND else 0)
    monday = asked - timedelta(days=asked.weekday())
    context = {
        "who": user,
        "is_own": user.pk == request.user.pk,
        "hosts": access.hosts(),
        "days": _week(user, monday, today),
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "week": monday.isocalendar().week,
        "previous": monday - timedelta(days=7),
        "following": monday + timedelta(days=7),
        "is_this_week": "week" not in request.GET or monday <= today < monday + timedelta(days=7),
        "now": timezone.now(),
        "nav": "agenda",
    }
    return render_page(request, "crm/agenda.html", context, parts=("agenda",))


def _week(user: User, monday: date, today: date) -> list[Day]:
    """Monday to Friday, and a day of the weekend when they work then or something is on it; by the clock of whoever looks."""
    zone: Any = timezone.get_current_timezone()
    start, end = day_start(monday, zone), day_start(monday + timedelta(days=7), zone)
    absences = list(access.absences_of(user).filter(starts_on__lt=monday + timedelta(days=7), ends_on__gte=monday))
    calendar = user.calendar
    days = []
    for number in range(7):
        day = monday + timedelta(days=number)
        away = next((absence for absence in absences if absence.starts_on <= day <= absence.ends_on), None)
        label = ""
        if away is not None:
            label = _("away: %(why)s") % {"why": away.why} if away.why else _("away")
        elif day in calendar.closed:
            label = _("closed")
        elif day.weekday() in calendar.days and not is_working_day(day, calendar):
            label = _("public holiday")
        is_working = away is None and is_working_day(day, calendar)
        days.append(Day(day, day == today, label, is_working))
    booked = access.appointments().standing().for_list().filter(user=user, ends_at__gt=start, starts_at__lt=end)
    items = [Item(row.starts_at, row.ends_at, row) for row in booked]
    known = {(item.since, item.until) for item in items}
    busy = access.busy_times(user).filter(ends_at__gt=start, starts_at__lt=end)
    # Their own calendar may hold what was agreed here; that is one thing and shown once.
    items += [Item(row.starts_at, row.ends_at) for row in busy if (row.starts_at, row.ends_at) not in known]
    for item in sorted(items, key=lambda item: (item.since, item.until)):
        for column in days:
            begins, ends = day_start(column.day, zone), day_start(column.day + timedelta(days=1), zone)
            if item.since < ends and item.until > begins:
                column.items.append(Item(max(item.since, begins), min(item.until, ends), item.appointment))
    return [column for column in days if column.day.weekday() < WEEKEND or column.is_working or column.items]


def coming(request: Request, at: datetime) -> list[Appointment]:
    """One's own appointments of today that are not over, and of tomorrow: the panel of Today."""
    today = timezone.localdate(at)
    end = day_start(today + timedelta(days=2), timezone.get_current_timezone())
    mine = access.appointments().booked().for_list().filter(user=request.user, ends_at__gt=at, starts_at__lt=end)
    return list(mine.order_by("starts_at", "id")[:12])
