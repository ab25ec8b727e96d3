"""The jobs of a person: add, change, end, make the main one, and take back what was noted by mistake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import people
from crm.models import Position
from crm.refusal import Refused
from crm.web import access
from crm.web.contact_points import done
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class PositionForm(KringForm):
    title = forms.CharField(label=gettext_lazy("What they do there"), max_length=150, required=False)
    started_on = forms.DateField(label=gettext_lazy("Since"), required=False)
    ended_on = forms.DateField(
        label=gettext_lazy("Until"), help_text=gettext_lazy("Empty while they work there."), required=False
    )


class NewPositionForm(PositionForm):
    field_order = ("organisation",)

    organisation = forms.CharField(
        label=gettext_lazy("Organisation"),
        help_text=gettext_lazy("One that we do not know yet is added."),
        max_length=200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    form = NewPositionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            people.add_position(person=person, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("crm:person-edit", pk)
    return render_page(request, "crm/position.html", {"form": form, "person": person})


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    position = access.position(request, pk)
    form = PositionForm(request.POST or None, initial=_values(position))
    if request.method == "POST" and form.is_valid():
        try:
            people.change_position(position=position, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("crm:person-edit", position.person_id)
    return render_page(request, "crm/position.html", {"form": form, "person": position.person, "position": position})


def _values(position: Position) -> dict[str, Any]:
    return {name: getattr(position, name) for name in PositionForm.base_fields}


@require_POST
def end(request: Request, pk: int) -> HttpResponse:
    position = access.position(request, pk)
    return done(request, position.person, lambda **now: people.end_position(position=position, **now))


@require_POST
def make_main(request: Request, pk: int) -> HttpResponse:
    position = access.position(request, pk)
    return done(request, position.person, lambda **now: people.make_main(position=position, **now))


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    position = access.position(request, pk)
    return done(request, position.person, lambda **now: people.remove_position(position=position, **now))
