"""Scorecards on the settings: every version with its uses, beginning one, and what its administrators do with a version. Questions are edited in
`scorecard_questions`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import scorecard_trial, scorecards, timeline
from crm.models import Role
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, announce, redirect_or_part, render_page
from qualification import assessing, ready_made, scoring
from qualification.models import Criterion, Scorecard, Side

PARTS = ("questions", "trial", "about")
HISTORY = 8
"""How many changes of a version are told."""


class AboutForm(KringForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("All its versions are called so.")
    )
    description = forms.CharField(
        label=gettext_lazy("Whom it describes"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    threshold_ours = forms.IntegerField(label=gettext_lazy("We say yes from"), min_value=1, max_value=100)
    threshold_theirs = forms.IntegerField(label=gettext_lazy("They say yes from"), min_value=1, max_value=100)


class NameForm(KringForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    """Every scorecard with all its versions, and how often each was used."""
    rows = access.scorecard_versions()
    cards = [{"name": name, "versions": list(versions)} for name, versions in groupby(rows, key=lambda row: row.name)]
    context = {"cards": cards, "is_admin": request.user.role == Role.ADMIN, "nav": "settings"}
    return render_page(request, "crm/scorecards.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    """Begin with a ready-made one or with nothing; what is begun is a draft."""
    ready = request.POST.get("ready", "")
    form = NameForm(None if ready else request.POST or None)
    if request.method == "POST" and (ready or form.is_valid()):
        name = "" if ready else form.cleaned_data["name"]
        try:
            fresh = scorecards.begin(name=name, ready=ready, by=request.user, at=timezone.now())
        except Refused as refusal:
            if not ready:
                form.refuse(refusal)
            else:
                messages.error(request, str(refusal))
        else:
            messages.success(request, _("“%(name)s” is a draft. Make its questions your own.") % {"name": fresh.name})
            return redirect("crm:scorecard", fresh.pk)
    choices = [
        {"code": each.code, "name": _(each.name), "description": _(each.description), "number": len(each.questions)}
        for each in ready_made.READY.values()
    ]
    return render_page(request, "crm/scorecard_new.html", {"form": form, "choices": choices, "nav": "settings"})


@require_safe
@access.leading_only
def scorecard(request: Request, pk: int) -> HttpResponse:
    """One version: a draft to be edited by administrators, with its trial beside it; any other to be read."""
    return render_page(request, "crm/scorecard.html", page(request, access.scorecard(pk)), parts=PARTS)


@require_POST
@access.admin_only
def describe(request: Request, pk: int) -> HttpResponse:
    """What the draft is called, and from where on each side says yes."""
    row, form = access.scorecard(pk), AboutForm(request.POST)
    if form.is_valid():
        try:
            scorecards.describe(scorecard=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
    if form.errors:
        return render_page(request, "crm/scorecard.html", page(request, row) | {"form": form}, parts=PARTS)
    messages.success(request, _("Saved."))
    return changed(request, pk)


@require_POST
@access.admin_only
def version(request: Request, pk: int) -> HttpResponse:
    """A draft of the next version; pressed twice it is one."""
    fresh = scorecards.new_version(scorecard=access.scorecard(pk), by=request.user, at=timezone.now())
    messages.success(
        request,
        _("This is a draft of version %(version)s. Until you put it in use, nothing changes.")
        % {"version": fresh.version},
    )
    return redirect("crm:scorecard", fresh.pk)


@require_POST
@access.admin_only
def publish(request: Request, pk: int) -> HttpResponse:
    row = access.scorecard(pk)
    try:
        scorecards.publish(scorecard=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(scorecard)s is in use from now on.") % {"scorecard": row})
    return redirect("crm:scorecard", pk)


@require_POST
@access.admin_only
def retire(request: Request, pk: int) -> HttpResponse:
    row = access.scorecard(pk)
    scorecards.retire(scorecard=row, by=request.user, at=timezone.now())
    messages.success(
        request, _("%(scorecard)s is out of use. Leads that were begun on it keep it.") % {"scorecard": row}
    )
    return redirect("crm:scorecard", pk)


@require_POST
@access.admin_only
def discard(request: Request, pk: int) -> HttpResponse:
    row = access.scorecard(pk)
    try:
        scorecards.discard(scorecard=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("crm:scorecard", pk)
    messages.success(request, _("The draft %(scorecard)s is thrown away.") % {"scorecard": row})
    return redirect("crm:scorecards")


def changed(request: Request, pk: int) -> HttpResponse:
    """The draft was changed: the part of it that was asked for, and word to its trial."""

    def fresh() -> dict[str, Any]:
        return page(request, access.scorecard(pk))

    to = reverse("crm:scorecard", args=[pk])
    return announce(redirect_or_part(request, to, "crm/scorecard.html", fresh, parts=PARTS), "scorecardChanged")


def page(request: Request, row: Scorecard) -> dict[str, Any]:
    """What the page of a version shows; the trial only of a draft."""
    is_draft = scorecards.is_draft(row)
    criteria = list(row.criteria.order_by("position", "pk").prefetch_related("options"))
    said = ("name", "description", "threshold_ours", "threshold_theirs")
    sides = [
        {
            "side": side.value,
            "title": _("We want them") if side == Side.OURS else _("They want us"),
            "threshold": row.threshold_ours if side == Side.OURS else row.threshold_theirs,
            "questions": _shown([criterion for criterion in criteria if criterion.side == side]),
        }
        for side in Side
    ]
    return {
        "scorecard": row,
        "sides": sides,
        "is_draft": is_draft,
        "may_edit": is_draft and request.user.role == Role.ADMIN,
        "is_admin": request.user.role == Role.ADMIN,
        "form": AboutForm(initial={name: getattr(row, name) for name in said}),
        "uses": row.assessments.count(),
        "trial": scorecard_trial.of(row) if is_draft else None,
        "history": [timeline.entry(event) for event in access.history(row)[:HISTORY]],
        "others": access.scorecard_versions().filter(name=row.name).exclude(pk=row.pk),
        "nav": "settings",
    }


def _shown(criteria: list[Criterion]) -> list[dict[str, Any]]:
    """The questions of one side, each with what part of the side it is, in percent, and its answers in words."""
    percents = scoring.percents([criterion.weight for criterion in criteria])
    return [
        {
            "criterion": criterion,
            "percent": percent,
            "options": [
                {
                    "said": option.label
                    if option.at_least is None
                    else assessing.said(criterion, f"{option.at_least.normalize():f}"),
                    "is_band": option.at_least is not None,
                    "points": option.points,
                }
                for option in criterion.options.all()
            ],
        }
        for criterion, percent in zip(criteria, percents, strict=True)
    ]
