"""Agree on an appointment with somebody on the telephone: with whom of us, how long, and which of the free times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import appointments
from crm.agenda import availabilities
from crm.models import Appointment
from crm.refusal import Refused
from crm.web import nudge, query, slots
from crm.web.meeting_form import About, MeetingForm
from crm.web.page import Request, render_page


class AppointmentForm(MeetingForm):
    note = forms.CharField(
        label=gettext_lazy("To prepare"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What both of you want from it. They read it in the invitation."),
    )
    own = forms.DateTimeField(
        label=gettext_lazy("Another time"),
        required=False,
        help_text=gettext_lazy("Outside working hours, when both of you want it so."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    """A free time is a button that books it. Any other button only shows the free times of what is chosen."""
    about = About.of(request)
    at = timezone.now()
    books = "slot" in request.POST or "book" in request.POST
    if request.method == "POST" and books:
        form = AppointmentForm(request.POST, about=about)
        if form.is_valid() and (booked := _booked(request, form, at)):
            return booked
    else:
        typed = {name: request.POST.get(name, "") for name in AppointmentForm.base_fields} if request.POST else {}
        form = AppointmentForm(initial={**about.start(request), **typed}, about=about)
    zone: Any = timezone.get_current_timezone()
    host = form.host or about.host(request.user)
    since = query.day(request.POST.get("since") or request.GET.get("since"))
    their_zone = appointments.zone_of(about.person)
    found = slots.offered(
        host, minutes=form.length, at=at, zone=zone, since=since, other=their_zone, travel_minutes=form.travel
    )
    context = {"form": form, "about": about, "host": host, "slots": found, "their_zone": their_zone, "nav": "agenda"}
    return render_page(request, "crm/appointment_new.html", context)


def _booked(request: Request, form: AppointmentForm, at: datetime) -> HttpResponse | None:
    """Where to go when it is agreed; nothing when it was refused, with the reason on the form."""
    moment = slots.read(request.POST.get("slot")) if "slot" in request.POST else form.cleaned_data["own"]
    if moment is None:
        form.add_error("own" if "book" in request.POST else None, _("Choose a time."))
        return None
    try:
        row = appointments.book(
            **form.said(),
            starts_at=moment,
            note=form.cleaned_data["note"],
            distance_km=form.distance,
            by=request.user,
            at=at,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return None
    nudge.mail()
    messages.success(request, _("Agreed. It stands in the agenda of %(name)s.") % {"name": row.user})
    _say_what_is_unusual(request, row)
    return redirect("crm:appointment", row.pk)


def _say_what_is_unusual(request: Request, row: Appointment) -> None:
    """What whoever booked may not have meant: no invitation, and hours in which the host does not work."""
    row.refresh_from_db(fields=["invited_at"])
    if not row.invited_at:
        messages.warning(
            request,
            _(
                "%(name)s gets no invitation by mail, since we have no address to write to or they asked for no mail. Tell them the time."
            )
            % {"name": row.person},
        )
    known = availabilities([row.user], start=row.starts_at, end=row.ends_at, not_counting=row)[row.user_id]
    if not known.works_at(row.starts_at, row.ends_at):
        messages.warning(request, _("This is outside the working hours of %(name)s.") % {"name": row.user})
