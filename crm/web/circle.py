"""The circle: who ordered, who tells others, and every recommendation on its way from asked to thanked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, DateTimeField, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crm.models import Organisation, Person, Referral, ReferralState
from crm.web import access, keyset
from crm.web.page import Request, render_page

CARDS = 8
"""How many cards a column shows; the others are in the list of that state."""

FEW = 6
"""How many customers and advocates the first page shows."""

# The lives that go on, in order: what a column is called, which states stand in it, by what they are sorted, and what to do about them.
COLUMNS: tuple[tuple[str, Words, tuple[ReferralState, ...], str, Words], ...] = (
    ("asked", _("Asked"), (ReferralState.ASKED,), "asked_at", _("Waiting for their answer")),
    ("promised", _("Promised"), (ReferralState.PROMISED,), "due_on", _("They will introduce somebody")),
    ("introduced", _("Introduced"), (ReferralState.INTRODUCED,), "introduced_at", _("A lead of ours now")),
    ("met", _("Met"), (ReferralState.MET,), "introduced_at", _("We know each other")),
    ("thank", _("To thank"), (ReferralState.WON, ReferralState.LOST), "introduced_at", _("Tell them how it went")),
)

SHOWN = ("customers", "advocates", "referrals")


@dataclass
class Column:
    """One stage of life: its first cards, and how many referrals stand there in all."""

    key: str
    title: Words
    states: tuple[ReferralState, ...]
    hint: Words
    count: int = 0
    cards: list[tuple[Referral, bool]] = field(default_factory=list)

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.cards))


@dataclass(frozen=True)
class Customer:
    """An organisation that ordered, how often, and for how much in each currency."""

    organisation: Organisation
    won: int
    totals: list[dict[str, Any]]


@dataclass(frozen=True)
class Recommender:
    """An advocate: how many referrals they gave, how many became an order, and what those are worth in each currency."""

    person: Person
    given: int
    won: int
    totals: list[dict[str, Any]]


@require_safe
def circle(request: Request) -> HttpResponse:
    shown = request.GET.get("show", "")
    context = _list(request, shown) if shown in SHOWN else _whole()
    return render_page(request, "crm/circle.html", context, parts=("circle",))


def _whole() -> dict[str, Any]:
    today = timezone.localdate()
    counts = dict(access.referrals().order_by().values_list("state").annotate(Count("pk")))
    late = access.referrals().late(today).count()
    return {
        "shown": "",
        "columns": _columns(counts, today),
        "ended": [(state, ReferralState(state).label, counts[state]) for state in _ENDS if counts.get(state)],
        "referrals": sum(counts.values()),
        "late": late,
        "to_thank": counts.get(ReferralState.WON, 0) + counts.get(ReferralState.LOST, 0),
        "customer_count": keyset.bounded_count(access.organisations().customers()),
        "advocate_count": keyset.bounded_count(access.people().advocates()),
        "customers": _customers(access.organisations().customers().order_by("-customer_since", "-pk")[:FEW]),
        "advocates": _advocates(_with_given().order_by("-given", "-advocate__since", "-pk")[:FEW]),
        "today": today,
    }


_ENDS = (ReferralState.THANKED, ReferralState.REFUSED, ReferralState.LAPSED)


def _columns(counts: dict[str, int], today: date) -> list[Column]:
    """Two queries: the first cards of each column by one union, then these cards."""
    columns = [
        Column(key, title, states, hint, sum(counts.get(state, 0) for state in states))
        for key, title, states, _by, hint in COLUMNS
    ]
    slices = [
        access.referrals().filter(state__in=states).order_by(by, "pk").values_list("pk")[:CARDS]
        for _key, _title, states, by, _hint in COLUMNS
    ]
    keys = [pk for (pk,) in slices[0].union(*slices[1:], all=True)]
    found = {row.pk: row for row in access.referrals().for_list().filter(pk__in=keys)}
    for pk in keys:
        row = found.get(pk)
        for column in columns:
            if row is not None and row.state in column.states:
                column.cards.append((row, row.is_late(today)))
    return columns


def _list(request: Request, shown: str) -> dict[str, Any]:
    context: dict[str, Any] = {"shown": shown, "today": timezone.localdate()}
    if shown == "customers":
        customers = access.organisations().customers()
        since = keyset.Key("customer_since", descending=True, field=DateTimeField(), nullable=False)
        page = keyset.page(customers, order=(since, "-id"), at=request.GET)
        return context | {"page": page, "rows": _customers(page.rows), "count": keyset.bounded_count(customers)}
    if shown == "advocates":
        advocates = _with_given()
        given = keyset.Key("given", descending=True, field=IntegerField(), nullable=False)
        people = keyset.page(advocates, order=(given, "-id"), at=request.GET)
        count = keyset.bounded_count(access.people().advocates())
        return context | {"page": people, "rows": _advocates(people.rows), "count": count}
    state = request.GET.get("state", "")
    state = state if state in ReferralState.values else ""
    referrals = access.referrals().filter(state=state) if state else access.referrals()
    found = keyset.page(referrals.for_list(), order=("-asked_at", "-id"), at=request.GET)
    rows = [(row, row.is_late(context["today"])) for row in found]
    states = ReferralState.choices
    return context | {
        "page": found, "rows": rows, "count": keyset.bounded_count(referrals), "state": state, "states": states
    }  # fmt: skip


def _customers(organisations: Iterable[Organisation]) -> list[Customer]:
    """With their orders, counted apart from whatever else a customer has, so that nothing is counted twice."""
    rows = list(organisations)
    totals: dict[int, list[dict[str, Any]]] = {row.pk: [] for row in rows}
    for total in access.deals().won().filter(organisation__in=list(totals)).totals("organisation"):
        totals[total["organisation"]].append(total)
    return [Customer(row, sum(total["number"] for total in totals[row.pk]), totals[row.pk]) for row in rows]


def _with_given() -> Any:
    """Advocates with `given`, the number of their referrals."""
    given = (
        access.referrals().filter(referrer=OuterRef("pk")).order_by().values("referrer").annotate(number=Count("pk"))
    )
    return (
        access.people()
        .advocates()
        .for_list()
        .select_related("advocate")
        .annotate(given=Coalesce(Subquery(given.values("number")), 0, output_field=IntegerField()))
    )


def _advocates(people: Iterable[Any]) -> list[Recommender]:
    rows = list(people)
    totals: dict[int, list[dict[str, Any]]] = {row.pk: [] for row in rows}
    for total in access.referrals().filter(referrer__in=list(totals)).revenue("referrer"):
        totals[total["referrer"]].append(total)
    return [Recommender(row, row.given, sum(total["won"] for total in totals[row.pk]), totals[row.pk]) for row in rows]
