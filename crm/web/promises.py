"""The promise ledger: what we said we would do and what they said, by when, and how it ended. Its rows act the same on every page."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import promises, timeline
from crm.models import Deal, Lead, Person, Promise, PromiseSide
from crm.models.conversations import PromiseQuerySet
from crm.refusal import Refused
from crm.web import access, keyset, query
from crm.web.forms import KringForm
from crm.web.page import Request, announce, back_to, page_of, render_page

STATES = {
    "open": gettext_lazy("Open"),
    "late": gettext_lazy("Late"),
    "settled": gettext_lazy("Kept or broken"),
}


@require_safe
def index(request: Request) -> HttpResponse:
    chosen = {
        "whose": "all" if request.GET.get("whose") == "all" else "mine",
        "side": request.GET.get("side", ""),
        "state": request.GET.get("state", "") if request.GET.get("state") in STATES else "open",
    }
    rows = _selected(request, chosen)
    order = ("-resolved_at", "-id") if chosen["state"] == "settled" else ("due_on", "id")
    return render_page(
        request,
        "crm/promises.html",
        {
            "page": keyset.page(rows, order=order, at=request.GET),
            "chosen": chosen,
            "states": STATES,
            "sides": PromiseSide,
            "nav": "today",
            "is_filtered": chosen["whose"] != "mine" or bool(chosen["side"]) or chosen["state"] != "open",
        },
        parts=("promises",),
    )


def _selected(request: Request, chosen: dict[str, str]) -> PromiseQuerySet:
    rows = access.promises().for_list()
    rows = {
        "open": rows.open(),
        "late": rows.late(timezone.localdate()),
        "settled": rows.settled(),
    }[chosen["state"]]
    if chosen["whose"] == "mine":
        rows = rows.filter(owner=request.user)
    if chosen["side"] in PromiseSide.values:
        rows = rows.filter(side=chosen["side"])
    return rows


# ---- A new one -----------------------------------------------------------------------------------------------------


class PromiseForm(KringForm):
    side = forms.ChoiceField(
        label=gettext_lazy("Whose promise is it?"),
        choices=[(PromiseSide.OURS, gettext_lazy("We promised")), (PromiseSide.THEIRS, gettext_lazy("They promised"))],
        widget=forms.RadioSelect,
        initial=PromiseSide.OURS,
    )
    text = forms.CharField(label=gettext_lazy("What was promised?"), max_length=300)
    due_on = forms.DateField(label=gettext_lazy("By which day?"))
    not_before = forms.DateField(
        label=gettext_lazy("Not before"),
        help_text=gettext_lazy("We do not bring it up until then, as in “after her holiday”."),
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    """About whom, the address says: `?person=`, `?lead=` or `?deal=`."""
    person, lead, deal = about(request)
    if person is None:
        messages.info(request, _("Choose the person first; then note the promise on their page."))
        return redirect("crm:people")
    there = page_of(deal, lead, person)
    form = PromiseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            promises.make(**form.cleaned_data, person=person, lead=lead, deal=deal, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It stands in the ledger. Kring reminds you when its day comes."))
            return redirect(there)
    return render_page(
        request, "crm/promise_new.html", {"form": form, "person": person, "there": there, "nav": "people"}
    )


def about(request: Request) -> tuple[Person | None, Lead | None, Deal | None]:
    """Whom and what the address names, to be written by this user."""
    deal = access.deal(request, key, write=True) if (key := query.number(request.GET.get("deal"))) else None
    lead = access.lead(request, key, write=True) if (key := query.number(request.GET.get("lead"))) else None
    person = access.person(request, key) if (key := query.number(request.GET.get("person"))) else None
    # Who may write the deal or lead may note what its people promised; about anybody else who may write that person.
    if person is not None and not access.is_around(person, deal or lead):
        access.must_write(request.user, person.owner)
    return person or (deal.person if deal else None) or (lead.person if lead else None), lead, deal


# ---- One promise ---------------------------------------------------------------------------------------------------


class WordsForm(KringForm):
    text = forms.CharField(label=gettext_lazy("What was promised?"), max_length=promises.MOST)
    not_before = forms.DateField(
        label=gettext_lazy("Not before"),
        help_text=gettext_lazy("We do not bring it up until then, as in “after her holiday”."),
        required=False,
    )


@require_safe
def promise(request: Request, pk: int) -> HttpResponse:
    """The promise with its history: when it was made, moved, kept or broken, and by whom."""
    row = access.promise(request, pk)
    return render_page(
        request,
        "crm/promise.html",
        {"promise": row, "history": [timeline.entry(event) for event in access.history(row)], "nav": "today"},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    row = access.promise(request, pk, write=True)
    form = WordsForm(request.POST or None, initial={"text": row.text, "not_before": row.not_before})
    if form.is_bound and form.is_valid():
        try:
            promises.change(promise=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved. The old words stay in its history."))
            return redirect("crm:promise", pk)
    return render_page(request, "crm/promise_edit.html", {"form": form, "promise": row, "nav": "today"})


# ---- What becomes of it --------------------------------------------------------------------------------------------


@require_POST
def keep(request: Request, pk: int) -> HttpResponse:
    promise = access.promise(request, pk, write=True)
    try:
        promises.keep(promise=promise, by=request.user, at=timezone.now())
    except Refused as refusal:
        return _answer(request, promise, refused=str(refusal))
    return _answer(request, promise, _("Kept. That is how trust grows."))


@require_POST
def break_(request: Request, pk: int) -> HttpResponse:
    promise = access.promise(request, pk, write=True)
    try:
        promises.break_(promise=promise, by=request.user, at=timezone.now())
    except Refused as refusal:
        return _answer(request, promise, refused=str(refusal))
    return _answer(request, promise, _("Noted as broken."))


@require_POST
def reopen(request: Request, pk: int) -> HttpResponse:
    promise = access.promise(request, pk, write=True)
    try:
        promises.reopen(promise=promise, by=request.user, at=timezone.now())
    except Refused as refusal:
        return _answer(request, promise, refused=str(refusal))
    promise.refresh_from_db(fields=["state", "resolved_at"])
    return _answer(request, promise, _("It is open again."))


@require_POST
def move(request: Request, pk: int) -> HttpResponse:
    promise = access.promise(request, pk, write=True)
    day = query.day(request.POST.get("due_on"))
    if day is None:
        return _answer(request, promise, refused=_("Choose the day to which it moves."))
    try:
        promises.move(promise=promise, due_on=day, by=request.user, at=timezone.now())
    except Refused as refusal:
        return _answer(request, promise, refused=str(refusal))
    return _answer(request, promise, _("Moved. The old day stays in its history."))


def _answer(request: Request, promise: Promise, said: str = "", *, refused: str = "") -> HttpResponse:
    """The row alone for htmx, as every page that includes it shows it; else back to where the button stood."""
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, said)
    if request.htmx and request.htmx.target == f"promise-{promise.pk}":
        response = render(
            request,
            "crm/_promise_answer.html",
            {
                "promise": promise,
                "show_person": request.POST.get("named") == "yes",
                "here": back_to(request, reverse("crm:promises")),
                "out_of_band": True,
            },
        )
        return response if refused else announce(response, "promiseChanged")
    return redirect(back_to(request, reverse("crm:person", args=[promise.person_id])))
