"""The questions of a draft: one form for each, in the page of the draft or on a page of its own, and their order by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import retarget

from crm import scorecards
from crm.refusal import Refused
from crm.scorecards import MOST_OPTIONS, Possible
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request, render_page
from crm.web.scorecards import changed
from qualification.models import Criterion, CriterionKind, Scorecard, Side
from qualification.scoring import as_number

ROWS, MORE = 4, 3
"""How many rows for possible answers there are at least, and how many empty ones below those that are filled in."""


class QuestionForm(KringForm):
    side = forms.ChoiceField(
        label=gettext_lazy("About"),
        choices=[
            (Side.OURS, gettext_lazy("whether we want them")),
            (Side.THEIRS, gettext_lazy("whether they want us")),
        ],
        widget=forms.RadioSelect,
    )
    question = forms.CharField(
        label=gettext_lazy("Question"),
        max_length=200,
        help_text=gettext_lazy("So that somebody who hears it for the first time can answer it."),
    )
    help_text = forms.CharField(label=gettext_lazy("What to look for"), max_length=300, required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Answered by"), choices=CriterionKind.choices)
    weight = forms.IntegerField(
        label=gettext_lazy("Weight"),
        min_value=1,
        max_value=100,
        initial=5,
        help_text=gettext_lazy("Beside the other questions of its side: 10 counts twice as much as 5."),
    )
    is_must = forms.BooleanField(
        label=gettext_lazy("Must have"), required=False, help_text=gettext_lazy("Not met, its side says no.")
    )
    must_from = forms.IntegerField(
        label=gettext_lazy("Met from"),
        min_value=1,
        max_value=100,
        initial=100,
        required=False,
        help_text=gettext_lazy("Percent of its points. “Partly” is 50; 3 on the scale is 50, 4 is 75."),
    )
    asks_prospect = forms.BooleanField(
        label=gettext_lazy("Ask the prospect"),
        required=False,
        help_text=gettext_lazy("It may stand on a form, and they answer it themselves."),
    )
    prospect_question = forms.CharField(
        label=gettext_lazy("Asked so"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("In words for them. Empty: as the question itself."),
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == CriterionKind.TEXT:
            for name in ("weight", "is_must", "must_from"):
                del self.fields[name]


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request, pk: int) -> HttpResponse:
    """`side` says which side the question is about."""
    side = request.GET.get("side", "")
    fresh = Criterion(side=side if side in Side.values else Side.OURS, weight=5)
    return _edit(request, access.scorecard(pk), fresh)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    criterion = access.criterion(pk)
    return _edit(request, criterion.scorecard, criterion)


@require_POST
@access.admin_only
def remove(request: Request, pk: int) -> HttpResponse:
    criterion = access.criterion(pk)
    try:
        scorecards.drop(criterion=criterion, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    return changed(request, criterion.scorecard_id)


@require_POST
@access.admin_only
def arrange(request: Request, pk: int) -> HttpResponse:
    """The questions of one side in the `order` in which they were dropped; `up` or `down` names one that changes places with its neighbour."""
    row, at = access.scorecard(pk), timezone.now()
    order = [number for text in request.POST.getlist("order") if (number := query.number(text)) is not None]
    step = next((name for name in ("up", "down") if name in request.POST), "")
    try:
        scorecards.arrange(scorecard=row, order=order, by=request.user, at=at)
        if step:
            criterion = access.criterion(query.number(request.POST[step]) or 0)
            if criterion.scorecard_id != row.pk:
                raise Http404
            scorecards.move(criterion=criterion, is_up=step == "up", by=request.user, at=at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return changed(request, pk)


def _edit(request: Request, scorecard: Scorecard, criterion: Criterion) -> HttpResponse:
    """`look` in what is posted saves nothing: it shows the fields that belong to the kind, or more rows for answers."""
    if not scorecards.is_draft(scorecard):
        messages.error(request, _("Only a draft is edited. Make a new version, and edit that."))
        return redirect("crm:scorecard", scorecard.pk)
    is_posted, looks = request.method == "POST", "look" in request.POST
    kind = request.POST.get("kind", "") if is_posted else criterion.kind
    rows = _typed(request) if is_posted else _standing(criterion)
    start = {name: getattr(criterion, name) for name in QuestionForm.base_fields}
    if looks:
        start |= {name: request.POST.get(name, "") for name in QuestionForm.base_fields if name in request.POST}
        start |= {name: name in request.POST for name in ("is_must", "asks_prospect")}
    # Without a number of words there is no way to score them; a weight that was hidden is asked for again.
    start["weight"] = start["weight"] or 5
    place = f"question-{criterion.pk or 'new-' + criterion.side}"
    form = QuestionForm(
        request.POST if is_posted and not looks else None, initial=start, kind=kind, auto_id=f"{place}-%s"
    )
    if form.is_bound and form.is_valid():
        try:
            scorecards.ask(
                scorecard=scorecard,
                criterion=criterion if criterion.pk else None,
                options=_possible(rows) if kind in (CriterionKind.CHOICE, CriterionKind.NUMBER) else (),
                by=request.user,
                at=timezone.now(),
                **{name: value for name, value in form.cleaned_data.items() if value is not None},
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return changed(request, scorecard.pk)
    context = {
        "form": form,
        "scorecard": scorecard,
        "criterion": criterion,
        "place": place,
        "kind": kind,
        "rows": rows + [{}] * max(ROWS - len(rows), MORE if len(rows) < MOST_OPTIONS - MORE else 0),
        "nav": "settings",
    }
    answer = render_page(
        request, "crm/scorecard_question.html", context, parts={place: "question", "questions": "question"}
    )
    return retarget(answer, f"#{place}") if request.htmx else answer


def _standing(criterion: Criterion) -> list[dict[str, str]]:
    if not criterion.pk:
        return []
    return [
        {
            "label": option.label,
            "from": "" if option.at_least is None else f"{option.at_least.normalize():f}",
            "points": str(option.points),
        }
        for option in criterion.options.all()
    ]


def _typed(request: Request) -> list[dict[str, str]]:
    """The rows of possible answers in which something was typed."""
    columns = {name: request.POST.getlist(f"option_{name}")[:MOST_OPTIONS] for name in ("label", "from", "points")}
    longest = max(len(values) for values in columns.values())
    rows = [
        {name: values[place] if place < len(values) else "" for name, values in columns.items()}
        for place in range(longest)
    ]
    return [row for row in rows if any(value.strip() for value in row.values())]


def _possible(rows: list[dict[str, str]]) -> list[Possible]:
    """As the verb takes them. Refuses what is no number."""
    found = []
    for row in rows:
        at_least: Decimal | None = None
        try:
            points = int(row["points"] or 0)
            if row["from"].strip():
                at_least = as_number(row["from"].strip())
        except ValueError:
            raise Refused(_("Write points and bands in digits, such as 10 or 2.5.")) from None
        found.append(Possible(points, label=row["label"], at_least=at_least))
    return found
