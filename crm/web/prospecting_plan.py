"""The plan of the half hour: on which days, when, for how long and in which ways. It is off until its user says so."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import dates
from django.utils.functional import Promise as Words
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import prospecting
from crm.models import Way
from crm.refusal import Refused
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

WAYS: dict[str, Words] = {
    Way.ASK_CUSTOMER: gettext_lazy(
        "Who is happy with us is asked for somebody they know. Nobody is asked twice in 90 days."
    ),
    Way.IN_MY_PLACE: gettext_lazy("It asks for advice and not for a favour, so it is answered gladly."),
    Way.INTRODUCTION: gettext_lazy("Somebody we know knows somebody we would like to meet."),
    Way.REVIVE: gettext_lazy("Prospects with whom it went quiet, the oldest contact first."),
    Way.INVITE: gettext_lazy("Who read about a subject hears that we speak about it; several people in one go."),
    Way.OUTBOUND: gettext_lazy(
        "People on your list with whom nobody has spoken yet. The hardest way; a little of it is enough."
    ),
}


class PlanForm(KringForm):
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On which days?"),
        choices=lambda: list(dates.WEEKDAYS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one day.")},
    )
    starts_at = forms.TimeField(
        label=gettext_lazy("From when?"),
        help_text=gettext_lazy("Early is best: before the day has plans of its own."),
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("How many minutes?"),
        min_value=5,
        max_value=120,
        help_text=gettext_lazy("A little every day does more than much on one."),
    )
    ways = forms.MultipleChoiceField(
        label=gettext_lazy("In which ways?"),
        choices=Way.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one way that you like.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: Request) -> HttpResponse:
    """The button that was pressed says whether it is on from now on."""
    row = prospecting.plan_of(request.user)
    start: dict[str, Any] = {
        "days": row.days,
        "starts_at": row.starts_at,
        "minutes": row.minutes,
        "ways": row.ways,
    }
    form = PlanForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        is_on = request.POST.get("is_on") == "yes"
        try:
            prospecting.change_plan(user=request.user, is_on=is_on, **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("Your half hour is planned. You find it on Today.")
                if is_on
                else _("Your half hour is off. Nothing of it is lost."),
            )
            return redirect("crm:today" if is_on and not row.is_on else "crm:prospecting-plan")
    ways = [(choice, WAYS[str(value)]) for choice, value in zip(form["ways"], Way.values, strict=True)]
    return render_page(request, "crm/prospecting_plan.html", {"form": form, "plan": row, "ways": ways, "nav": "today"})
