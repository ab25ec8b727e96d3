"""One appointment: what was agreed, what they answered, its history; and its acts: another time, call it off, say how it went."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import appointments, timeline
from crm.models import Appointment, AppointmentState
from crm.refusal import Refused
from crm.web import access, nudge, query, slots
from crm.web.forms import KringForm
from crm.web.page import Request, back_to, render_page

KIND_ICONS = {"phone": "phone", "video": "video", "visit": "map-pin"}


class MoveForm(KringForm):
    own = forms.DateTimeField(label=gettext_lazy("Another time"), required=False)
    why = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For us; they get the new time in their invitation."),
    )


class CancelForm(KringForm):
    why = forms.CharField(
        label=gettext_lazy("Why is it called off?"),
        max_length=300,
        help_text=gettext_lazy("They read it, so write it to them."),
        widget=forms.TextInput(attrs={"autofocus": True}),
    )


@require_safe
def appointment(request: Request, pk: int) -> HttpResponse:
    row = access.appointment(request, pk)
    at = timezone.now()
    context = {
        **_about(row),
        "now": at,
        "has_begun": row.starts_at <= at,
        "may_write": access.may_change(request.user, row),
        "history": [timeline.entry(event) for event in access.history(row)],
        "overrides": list(row.overrides.select_related("by")),
    }
    return render_page(request, "crm/appointment.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: Request, pk: int) -> HttpResponse:
    row = access.appointment(request, pk, write=True)
    at = timezone.now()
    moves = "slot" in request.POST or "move" in request.POST
    form = MoveForm(request.POST if moves else None, initial={"why": request.POST.get("why", "")})
    if moves and form.is_valid():
        moment = slots.read(request.POST["slot"]) if "slot" in request.POST else form.cleaned_data["own"]
        try:
            if moment is None:
                raise Refused(_("Choose a time."))
            appointments.move(appointment=row, starts_at=moment, why=form.cleaned_data["why"], by=request.user, at=at)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _done(request, row, _("Moved. Both of you get the new time."))
    zone: Any = timezone.get_current_timezone()
    found = slots.offered(
        row.user,
        minutes=round((row.ends_at - row.starts_at).total_seconds() / 60),
        at=at,
        zone=zone,
        since=query.day(request.POST.get("since")),
        other=ZoneInfo(row.time_zone),
        travel_minutes=row.travel_minutes,
        not_counting=row,
    )
    return render_page(request, "crm/appointment_move.html", {**_about(row), "form": form, "slots": found})


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: Request, pk: int) -> HttpResponse:
    row = access.appointment(request, pk, write=True)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appointments.cancel(appointment=row, why=form.cleaned_data["why"], by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _done(request, row, _("Called off. Both of you get word of it."))
    return render_page(request, "crm/appointment_cancel.html", {**_about(row), "form": form})


@require_POST
def held(request: Request, pk: int) -> HttpResponse:
    """You met; then what was said is asked for."""
    row = access.appointment(request, pk, write=True)
    try:
        appointments.held(appointment=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("crm:appointment", pk)
    if row.conversation_id:
        return redirect("crm:appointment", pk)
    messages.success(request, _("Good. What was said? A few words will do."))
    return redirect(f"{reverse('crm:conversation-new')}?appointment={pk}")


@require_POST
def no_show(request: Request, pk: int) -> HttpResponse:
    row = access.appointment(request, pk, write=True)
    try:
        appointments.no_show(appointment=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Noted. It happens to the best; send them a link to choose another time."))
    return redirect("crm:appointment", pk)


def _about(row: Appointment) -> dict[str, Any]:
    theirs = ZoneInfo(row.time_zone)
    # On the wall there: without a zone, so that the template leaves it as it is.
    there = row.starts_at.astimezone(theirs).replace(tzinfo=None)
    here = timezone.localtime(row.starts_at).replace(tzinfo=None)
    return {
        "appointment": row,
        "icon": KIND_ICONS[row.kind],
        "minutes": round((row.ends_at - row.starts_at).total_seconds() / 60),
        "there": there if there != here else None,
        "is_open": row.state == AppointmentState.BOOKED,
        "nav": "agenda",
    }


def _done(request: Request, row: Appointment, words: str) -> HttpResponse:
    nudge.mail()
    messages.success(request, words)
    return redirect(back_to(request, reverse("crm:appointment", args=[row.pk])))
