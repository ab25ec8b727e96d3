"""Deals as a list that every number of Kring can open, and the form that opens a deal for somebody who is a customer already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import DateTimeField
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import clock, deals, pipelines, reports, search
from crm.models import DealState, Organisation, Person, Role, Stage, User
from crm.models.deals import CURRENCIES, DealQuerySet
from crm.refusal import Refused
from crm.web import access, board, keyset, query
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

SORTS = {"newest": gettext_lazy("Newest"), "step": gettext_lazy("Next step"), "won": gettext_lazy("Won last")}

ORDERS: dict[str, tuple[str | keyset.Key, ...]] = {
    "newest": ("-opened_at", "-id"),
    "step": (keyset.Key("next_step_on", nulls_last=True), "id"),
    # Won deals have a day on which they were won, so the order may be the plain one that the index has.
    "won": (keyset.Key("won_at", descending=True, field=DateTimeField(), nullable=False), "-id"),
}

NOBODY = reports.NOTHING
WHOSE = ("me", "team", NOBODY)
"""What the filter on the account manager takes besides somebody's number."""

MATCHES = 20
"""How many customers the search of a new deal offers."""


# ---- The list ------------------------------------------------------------------------------------------------------


@dataclass
class Chosen:
    """What the list shows, as the address says it. What makes no sense in an address is left out."""

    state: str = ""
    owner: str = ""
    sdr: int | None = None
    stage: int | None = None
    pipeline: int | None = None
    team: int | None = None
    won_from: date | None = None
    won_to: date | None = None
    sort: str = "newest"

    @classmethod
    def of(cls, asked: QueryDict) -> Chosen:
        chosen = cls(
            state=asked.get("state", "") if asked.get("state") in DealState.values else "",
            owner=owner if (owner := asked.get("owner", "")) in WHOSE or query.number(owner) else "",
            sdr=query.number(asked.get("sdr")),
            stage=query.number(asked.get("stage")),
            pipeline=query.number(asked.get("pipeline")),
            team=query.number(asked.get("team")),
            won_from=query.day(asked.get("won_from")),
            won_to=query.day(asked.get("won_to")),
            sort=asked.get("sort", "") if asked.get("sort") in SORTS else "newest",
        )
        if chosen.won_from or chosen.won_to or chosen.sort == "won":
            chosen.state = DealState.WON
        return chosen

    def rows(self, user: User) -> DealQuerySet:
        rows = access.deals()
        if self.state:
            rows = rows.filter(state=self.state)
        if self.owner == NOBODY:
            rows = rows.filter(owner=None)
        elif query.number(self.owner):
            rows = rows.filter(owner=query.number(self.owner))
        elif self.owner:
            rows = board.of(user, self.owner, rows)
        for name, column in (
            ("sdr", "sdr"),
            ("stage", "stage"),
            ("pipeline", "stage__pipeline"),
            ("team", "owner__team"),
        ):
            if value := getattr(self, name):
                rows = rows.filter(**{column: value})
        # The days of the organisation, as in every report: a number and the list behind it agree for every reader.
        zone = clock.organisation_calendar().zone
        if self.won_from:
            rows = rows.filter(won_at__gte=clock.day_start(self.won_from, zone))
        if self.won_to:
            rows = rows.filter(won_at__lt=clock.day_start(self.won_to + timedelta(days=1), zone))
        return rows


@require_safe
def index(request: Request) -> HttpResponse:
    chosen = Chosen.of(request.GET)
    rows = chosen.rows(request.user)
    count = keyset.bounded_count(rows)
    context = {
        "chosen": chosen,
        "page": keyset.page(rows.for_list(), order=ORDERS[chosen.sort], at=request.GET),
        "count": count,
        # Of everything that is chosen, or not at all: never of one page.
        "totals": [] if count.more else list(rows.totals()),
        "sorts": SORTS.items(),
        "states": DealState.choices,
        "people": _colleagues(chosen),
        "stages": access.stages(),
        "pipelines": access.pipelines(),
        "teams": access.teams(),
        "today": timezone.localdate(),
    }
    return render_page(request, "crm/deals.html", context, parts=("deals",))


def _colleagues(chosen: Chosen) -> list[User]:
    """Those who may own a deal, and whoever is chosen, who may have left."""
    people = list(access.users())
    missing = {pk for pk in (query.number(chosen.owner), chosen.sdr) if pk} - {user.pk for user in people}
    return people + (list(access.everyone().filter(pk__in=missing)) if missing else [])


# ---- A new one -----------------------------------------------------------------------------------------------------


class NewDealForm(KringForm):
    name = forms.CharField(label=gettext_lazy("What is it about?"), max_length=200)
    person: forms.ModelChoiceField[Person] = forms.ModelChoiceField(
        label=gettext_lazy("With whom"), queryset=None, required=False, empty_label=gettext_lazy("Nobody in particular")
    )
    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(label=gettext_lazy("Account manager"), queryset=None)
    stage: forms.ModelChoiceField[Stage] = forms.ModelChoiceField(
        label=gettext_lazy("Stage"), queryset=None, required=False, empty_label=None
    )
    next_step = forms.CharField(
        label=gettext_lazy("Next step"), help_text=gettext_lazy("What you both agreed."), max_length=300
    )
    next_step_on = forms.DateField(label=gettext_lazy("On"))
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=[(code, code) for code in CURRENCIES])
    buyer_amount = forms.DecimalField(
        label=gettext_lazy("Amount they named"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    buyer_date = forms.DateField(label=gettext_lazy("Date they named"), required=False)
    buyer_words = forms.CharField(
        label=gettext_lazy("In their words"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    seller_amount = forms.DecimalField(
        label=gettext_lazy("Amount we expect"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    seller_date = forms.DateField(label=gettext_lazy("Date we expect"), required=False)

    override = forms.CharField(
        label=gettext_lazy("Why before both sides have said yes?"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Your reason stands in the list of overrides, with what comes of the deal."),
    )

    def __init__(self, *args: Any, organisation: Organisation, is_early: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields
        if not is_early:
            del chosen["override"]
        chosen["person"].queryset = access.people_at(organisation)
        chosen["owner"].queryset = access.sellers()
        chosen["stage"].queryset = access.stages()
        chosen["stage"].label_from_instance = lambda stage: stage.name
        chosen["next_step_on"].widget.attrs["min"] = timezone.localdate().isoformat()


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    """Choose a customer, then say what it is about. Somebody who never ordered starts as a lead, and this says so; `anyway` asks for a reason."""
    asked = request.POST if request.method == "POST" else request.GET
    person = (
        access.person(request, pk) if (pk := query.number(asked.get("person"))) and request.method != "POST" else None
    )
    organisation = _organisation(request, asked, person)
    if organisation is None:
        return _choose(request, person)
    with_whom = person or access.people().filter(pk=query.number(asked.get("person")) or 0).first()
    is_early = not deals.may_open(lead=None, organisation=organisation, person=with_whom)
    if is_early and "anyway" not in asked:
        return render_page(request, "crm/deal_new.html", {"organisation": organisation, "person": person})
    form = NewDealForm(
        request.POST or None,
        organisation=organisation,
        is_early=is_early,
        initial=_start(request.user, organisation, person),
    )
    if request.method == "POST" and form.is_valid():
        try:
            deal = deals.open(
                **form.cleaned_data | {"stage": form.cleaned_data["stage"] or pipelines.first_stage()},
                organisation=organisation,
                sdr=request.user if request.user.role == Role.SDR else None,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The deal is open, with its next step on the board."))
            return redirect("crm:deal", deal.pk)
    return render_page(
        request,
        "crm/deal_new.html",
        {"organisation": organisation, "person": person, "form": form, "is_early": is_early},
    )


def _organisation(request: Request, asked: QueryDict, person: Person | None) -> Organisation | None:
    """The organisation that is asked for; else the only customer for which this person works."""
    if pk := query.number(asked.get("organisation")):
        return access.organisation(request, pk, write=True)
    if person is None:
        return None
    customers = list(access.organisations().customers().filter(pk__in=_employers(person))[:2])
    return access.organisation(request, customers[0].pk, write=True) if len(customers) == 1 else None


def _employers(person: Person) -> Any:
    return person.positions.current().order_by().values("organisation")


def _choose(request: Request, person: Person | None) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:100]
    customers = access.organisations().customers()
    if person is not None:
        customers = customers.filter(pk__in=_employers(person))
    if words:
        customers = search.organisations_named(customers, words)  # type: ignore[assignment]
    order = ("name", "pk") if words else ("-customer_since", "-pk")
    context = {"person": person, "asked": words, "customers": customers.order_by(*order)[:MATCHES]}
    return render_page(request, "crm/deal_new.html", context, parts=("customers",))


def _start(user: User, organisation: Organisation, person: Person | None) -> dict[str, Any]:
    mine = user.role in (Role.ACCOUNT_MANAGER, Role.MANAGER)
    return {"person": person, "owner": user if mine else organisation.owner, "currency": CURRENCIES[0]}
