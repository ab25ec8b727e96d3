"""The page of one deal: its stage, its next step, the buyer's word beside ours, and its end, which comes once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import deals, timeline
from crm.models import Deal, DealState, LostReason, Stage, StageChange, User
from crm.models.deals import CURRENCIES
from crm.refusal import Refused
from crm.web import access, board, meetings, query
from crm.web.forms import KringForm
from crm.web.page import Request, announce, redirect_or_part, render_page

PEOPLE = 8
"""How many people of the organisation the page shows."""


class StepForm(KringForm):
    next_step = forms.CharField(
        label=gettext_lazy("What did you both agree?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_step_on = forms.DateField(label=gettext_lazy("On"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["next_step_on"].widget.attrs["min"] = timezone.localdate().isoformat()


class ViewsForm(KringForm):
    """Both views, and what the deal is about."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    product = forms.CharField(label=gettext_lazy("Product"), required=False, max_length=150)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    buyer_amount = forms.DecimalField(
        label=gettext_lazy("Amount they named"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    buyer_date = forms.DateField(label=gettext_lazy("Date they named"), required=False)
    buyer_words = forms.CharField(
        label=gettext_lazy("In their words"),
        help_text=gettext_lazy("Why this amount and this date, as they said it."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    seller_amount = forms.DecimalField(
        label=gettext_lazy("Amount we expect"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    seller_date = forms.DateField(label=gettext_lazy("Date we expect"), required=False)
    seller_probability = forms.IntegerField(
        label=gettext_lazy("Chance we give it, %"), required=False, min_value=0, max_value=100
    )

    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("Owner"), queryset=None, required=False, empty_label=None
    )

    def __init__(self, *args: Any, deal: Deal, **kwargs: Any) -> None:
        self.deal = deal
        initial = {name: getattr(deal, name) for name in (*deals.VIEW_FIELDS, "owner")}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["owner"].queryset = access.deal_owners(deal)  # type: ignore[attr-defined]
        codes = dict.fromkeys((deal.currency, *CURRENCIES))
        self.fields["currency"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]

    def clean_owner(self) -> User | None:
        """Whoever was chosen; the present owner when nobody was."""
        return self.cleaned_data["owner"] or self.deal.owner


class LoseForm(KringForm):
    reason = forms.ChoiceField(
        label=gettext_lazy("Why did it end here?"), choices=LostReason.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("What did we learn?"),
        help_text=gettext_lazy("A lost deal from which we learn is not lost altogether."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


# ---- The page ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One stage on the stepper: `done`, `now` or `ahead`; days that the deal stood there in all, `None` when it never did."""

    stage: Stage
    place: str
    days: int | None


@dataclass(frozen=True)
class Stay:
    """A stretch of days in one stage. `until` is `None` while it lasts."""

    stage: Stage
    since: datetime
    until: datetime | None
    days: int
    by: str

    @property
    def is_long(self) -> bool:
        return self.until is None and self.days > self.stage.usual_days


@require_safe
def deal(request: Request, pk: int) -> HttpResponse:
    return render_page(request, "crm/deal.html", _page(request, access.deal(request, pk)), parts=("deal",))


@require_POST
def step(request: Request, pk: int) -> HttpResponse:
    row = access.deal(request, pk, write=True)
    form = StepForm(request.POST)
    if form.is_valid():
        try:
            deals.set_step(deal=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            if not row.is_open:  # There is no form any more in which to say it.
                messages.error(request, str(refusal))
                return _answer(request, pk)
            form.refuse(refusal)
        else:
            return _done(request, pk, _("The next step is agreed."))
    return render_page(request, "crm/deal.html", _page(request, row, step_form=form), parts=("deal",))


@require_POST
def change(request: Request, pk: int) -> HttpResponse:
    row = access.deal(request, pk, write=True)
    form = ViewsForm(request.POST, deal=row)
    if form.is_valid():
        try:
            deals.change(deal=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            if not row.is_open:  # There is no form any more in which to say it.
                messages.error(request, str(refusal))
                return _answer(request, pk)
            form.refuse(refusal)
        else:
            return _done(request, pk, _("Their word and ours are noted."))
    return render_page(request, "crm/deal.html", _page(request, row, views_form=form), parts=("deal",))


@require_POST
def move(request: Request, pk: int) -> HttpResponse:
    """The deal stands in the stage that was chosen. The answer is the page on which it was chosen: the board, or the deal's own."""
    row = access.deal(request, pk, write=True)
    stage = access.stage(query.number(request.POST.get("stage")) or 0)
    on_page = request.POST.get("from") == "deal"
    said = ""
    try:
        deals.move(deal=row, to=stage, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        said = _("%(deal)s now stands in %(stage)s.") % {"deal": row.name, "stage": stage.name}
        if on_page or not request.htmx:
            messages.success(request, said)
    if on_page:
        return _answer(request, pk)
    asked = {name: request.POST[name] for name in ("pipeline", "owner") if request.POST.get(name)}
    there = reverse("crm:board") + (f"?{urlencode(asked)}" if asked else "") + f"#card-{pk}"
    response = redirect_or_part(
        request, there, "crm/board.html", lambda: board.context(request.user, asked), parts=("board",)
    )
    return announce(response, "dealMoved", said=said) if said else response


@require_http_methods(["GET", "HEAD", "POST"])
def win(request: Request, pk: int) -> HttpResponse:
    """GET asks, POST does. The button pressed twice wins once."""
    row = access.deal(request, pk, write=True)
    if request.method == "POST":
        try:
            deals.win(deal=row, by=request.user, at=timezone.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            if row.is_open:
                messages.success(request, _("It is won. The order is the first milestone; enjoy it for a moment."))
        return redirect("crm:deal", pk)
    return render_page(request, "crm/deal_win.html", {"deal": row}) if row.is_open else redirect("crm:deal", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def lose(request: Request, pk: int) -> HttpResponse:
    """Asks for the reason, and what was learned."""
    row = access.deal(request, pk, write=True)
    form = LoseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deals.lose(deal=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            if row.is_open:
                messages.success(request, _("Noted, with what we learned. Thank them for their time."))
        return redirect("crm:deal", pk)
    if not row.is_open:
        return redirect("crm:deal", pk)
    return render_page(request, "crm/deal_lose.html", {"deal": row, "form": form})


def _done(request: Request, pk: int, said: str) -> HttpResponse:
    messages.success(request, said)
    return _answer(request, pk)


def _answer(request: Request, pk: int) -> HttpResponse:
    return redirect_or_part(
        request,
        reverse("crm:deal", args=[pk]),
        "crm/deal.html",
        lambda: _page(request, access.deal(request, pk)),
        parts=("deal",),
    )


def _page(
    request: Request, row: Deal, step_form: StepForm | None = None, views_form: ViewsForm | None = None
) -> dict[str, Any]:
    may_write = access.may_write(request.user, row.owner)
    stages = list(row.stage.pipeline.stages.all())
    stays = _stays(row, {stage.pk: stage for stage in stages}, timezone.now())
    is_writable = may_write and row.is_open
    return {
        "deal": row,
        "may_write": may_write,
        "is_writable": is_writable,
        "steps": _steps(row, stages, stays),
        "stays": stays[::-1],
        "is_step_open": step_form is not None,
        "step_form": step_form or (StepForm() if is_writable else None),
        "is_views_open": views_form is not None,
        "views_form": views_form or (ViewsForm(deal=row) if is_writable else None),
        "entries": timeline.of(reader=request.user, deal=row, before=timeline.moment(request.GET.get("before"))),
        "promises": access.promises().open().filter(deal=row).for_list(),
        "people": list(access.people_at(row.organisation)[:PEOPLE]) if row.organisation_id else [],
        "referrals": access.referrals().filter(deal=row).for_list().order_by("-asked_at", "-pk"),
        "worth": row.buyer_amount if row.buyer_amount is not None else row.seller_amount,
        "today": timezone.localdate(),
        "meetings": meetings.of(row, at=timezone.now(), may_write=may_write) if row.person_id else None,
    }


def _stays(row: Deal, stages: dict[int, Stage], now: datetime) -> list[Stay]:
    """The history of stages, oldest first. A deal from a file may have none."""
    stays: list[Stay] = []
    change: StageChange
    for change in row.stage_changes.select_related("to_stage", "by"):
        if stays:
            stays[-1] = _ended(stays[-1], change.at)
        if change.to_state == DealState.OPEN:
            stage = stages.get(change.to_stage_id, change.to_stage)
            stays.append(Stay(stage, change.at, None, _days(change.at, now), str(change.by or _("Kring"))))
    return stays


def _ended(stay: Stay, at: datetime) -> Stay:
    return stay if stay.until else replace(stay, until=at, days=_days(stay.since, at))


def _days(since: datetime, until: datetime) -> int:
    return max(0, (timezone.localdate(until) - timezone.localdate(since)).days)


def _steps(row: Deal, stages: list[Stage], stays: list[Stay]) -> list[Step]:
    here = next((place for place, stage in enumerate(stages) if stage.pk == row.stage_id), 0)
    days: dict[int, int] = {}
    for stay in stays:
        days[stay.stage.pk] = days.get(stay.stage.pk, 0) + stay.days
    places = ["done" if place < here else "now" if place == here else "ahead" for place in range(len(stages))]
    return [Step(stage, place, days.get(stage.pk)) for stage, place in zip(stages, places, strict=True)]
