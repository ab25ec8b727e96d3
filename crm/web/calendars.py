"""My calendars elsewhere, by which Kring knows when I am busy, and the feed that shows there what is agreed here. Each sees only their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import calendars
from crm.calendars import NotConnected
from crm.channels.fetching import LONGEST_URL, Trouble
from crm.models import CalendarKind, ExternalCalendar
from crm.refusal import Refused
from crm.web import access, limits, nudge
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

TRIES, WITHIN = 30, 600
"""So often somebody may have servers asked in so many seconds; else Kring would be a way to knock on doors elsewhere."""


class CalendarForm(KringForm):
    """A calendar that Kring does not read yet, or one that it reads."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("As you call it, such as Work.")
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=LONGEST_URL,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url", "placeholder": "https://"}),
    )
    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=254,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("It is kept sealed, and nobody is ever shown it again."),
    )

    def __init__(self, *args: Any, kind: str, known: ExternalCalendar | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == CalendarKind.ICS:
            del self.fields["username"], self.fields["password"]
        if known is not None:
            self.fields["url"].required = False
            self.fields["url"].help_text = _(
                "Empty: the one that is kept. It is not shown, since whoever has it can read the calendar."
            )
            self.initial = {"name": known.name, "username": known.username, **self.initial}
            if "password" in self.fields:
                self.fields["password"].required = False
                self.fields["password"].help_text = _(
                    "Empty: the one that is kept. Needed when you change the address or the user name."
                )


@require_safe
def index(request: Request) -> HttpResponse:
    key = request.user.feed_key
    context = {
        "entries": [_shown(row) for row in access.calendars(request.user)],
        "feed": settings.SITE_URL + reverse("crm:feed", args=[key]) if key else "",
    }
    return render_page(request, "crm/calendars.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    kind = CalendarKind.CALDAV if request.GET.get("by") == CalendarKind.CALDAV else CalendarKind.ICS
    form = CalendarForm(request.POST or None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            _must_not_knock(request)
            row = calendars.connect(by=request.user, at=timezone.now(), kind=kind, **form.cleaned_data)
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            messages.success(
                request,
                _("“%(name)s” is connected. When you are busy there, nobody books you here.") % {"name": row.name},
            )
            return redirect("crm:calendars")
    return render_page(request, "crm/calendar_new.html", {"form": form, "kind": kind})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    row = access.calendar(request, pk)
    form = CalendarForm(request.POST or None, kind=row.kind, known=row)
    if request.method == "POST" and form.is_valid():
        try:
            _must_not_knock(request)
            calendars.change(calendar=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("The calendar is changed."))
            return redirect("crm:calendars")
    return render_page(request, "crm/calendar.html", {"form": form, "calendar": row, "entry": _shown(row)})


@require_POST
def look(request: Request, pk: int) -> HttpResponse:
    calendars.read_now(calendar=access.calendar(request, pk))
    nudge.calendar(pk)
    messages.success(request, _("Kring reads it now. Come back in a moment."))
    return redirect("crm:calendars")


@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: Request, pk: int) -> HttpResponse:
    row = access.calendar(request, pk)
    if request.method != "POST":
        return render_page(request, "crm/calendar_disconnect.html", {"calendar": row})
    calendars.disconnect(calendar=row, by=request.user, at=timezone.now())
    messages.success(request, _("“%(name)s” is disconnected, and what it said is forgotten.") % {"name": row.name})
    return redirect("crm:calendars")


def _shown(row: ExternalCalendar) -> dict[str, Any]:
    """A calendar with what is wrong with it in words."""
    code = row.failure.partition(":")[0]
    return {"row": row, "trouble": Trouble(code).label if code in Trouble.values else row.failure}


def _must_not_knock(request: Request) -> None:
    if not limits.may(request, f"calendar-{request.user.pk}", most=TRIES, seconds=WITHIN):
        raise Refused(_("You tried many times. Wait ten minutes, and try again."))


def _refuse(form: CalendarForm, refusal: Refused) -> None:
    form.refuse(refusal)
    if isinstance(refusal, NotConnected) and refusal.said:
        form.add_error(None, _("The server said: %(said)s") % {"said": refusal.said})
