"""The list behind a number: the very rows that a metric of the dashboard, or a month of the forecast, is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm import forecast, health
from crm.metrics import METRICS, Scope
from crm.models import Conversation, Deal, Finding, HandOff, Lead, Promise, Referral
from crm.web import access, keyset, query
from crm.web.page import Request, render_page


@dataclass(frozen=True)
class Line:
    """One row of the list, whatever noun it is."""

    title: str
    url: str
    about: str = ""
    owner: str = ""
    amount: Decimal | None = None
    currency: str = "EUR"
    at: date | datetime | None = None


@require_safe
def behind(request: Request, key: str) -> HttpResponse:
    """The rows of one metric, for everybody's rows, one team's (`?team=`) or one's own (`?owner=me`)."""
    metric = METRICS.get(key)
    if metric is None:
        raise Http404
    scope = scope_of(request, timezone.now())
    return _list(
        request,
        str(metric.name),
        metric.rows(scope),
        scope.at,
        value=metric.value(scope),
        unit=metric.unit,
        currency=scope.currency,
    )


@require_safe
def forecast_month(request: Request, side: str, year: int, month: int) -> HttpResponse:
    """The deals of one month of the forecast: those that buyers said, that sellers expect, or that were won."""
    if side not in ("buyers", "sellers", "won") or not (1 <= month <= 12 and 1900 <= year <= 9998):
        raise Http404
    scope = scope_of(request, timezone.now())
    first = date(year, month, 1)
    until = forecast.add_months(first, 1)
    # Of the forecast's own currency, which is that of most open deals: a sum of different ones would be no number.
    deals = scope.deals().filter(currency=scope.currency)
    select = {"buyers": forecast.said_by_buyers, "sellers": forecast.expected_by_sellers, "won": forecast.won_between}[
        side
    ]
    name = date_format(first, "F Y")
    title = {
        "buyers": _("Said by buyers for %(month)s"),
        "sellers": _("Expected by sellers for %(month)s"),
        "won": _("Won in %(month)s"),
    }[side] % {"month": name}
    return _list(request, title, select(deals, first, until), scope.at)


def scope_of(request: Request, at: datetime) -> Scope:
    """What the address asks for: `?team=` one team, `?owner=me` one's own rows; anything else is the whole organisation."""
    return Scope(
        at,
        team_id=query.number(request.GET.get("team")),
        owner_id=request.user.pk if request.GET.get("owner") == "me" else None,
    )


def _list(request: Request, title: str, rows: QuerySet[Any], at: datetime, **more: Any) -> HttpResponse:
    related, line = LINES[rows.model]
    rows = (
        rows.select_related(*related).prefetch_related("people")
        if rows.model is Conversation
        else rows.select_related(*related)
    )
    page = keyset.page(rows, order=("-id",), at=request.GET)
    team_id = scope_of(request, at).team_id
    team = access.teams().filter(pk=team_id).first() if team_id else None
    context = {
        "title": title,
        "page": page,
        "lines": [line(row, at) for row in page],
        "count": keyset.bounded_count(rows),
        "team": team,
        "mine": request.GET.get("owner") == "me",
        "at": at,
        "nav": "dashboard",
        **more,
    }
    return render_page(request, "crm/numbers.html", context, parts=("rows",))


def _deal(deal: Deal, at: datetime) -> Line:
    return Line(
        title=str(deal),
        url=reverse("crm:deal", args=[deal.pk]),
        about=str(deal.organisation or deal.person or ""),
        owner=str(deal.owner or ""),
        amount=deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount,
        currency=deal.currency,
        at=deal.closed_at or deal.buyer_date or deal.next_step_on or deal.opened_at,
    )


def _lead(lead: Lead, at: datetime) -> Line:
    about = str(lead.organisation or "") if lead.person else ""
    return Line(str(lead), reverse("crm:lead", args=[lead.pk]), about, str(lead.owner or ""), at=lead.received_at)


def _conversation(conversation: Conversation, at: datetime) -> Line:
    people = ", ".join(str(person) for person in conversation.people.all())
    # What somebody keeps private counts, and stays private.
    about = "" if conversation.private_to_id else Truncator(conversation.learned or conversation.summary).chars(120)
    url = ""
    if conversation.deal_id:
        url = reverse("crm:deal", args=[conversation.deal_id])
    elif conversation.lead_id:
        url = reverse("crm:lead", args=[conversation.lead_id])
    elif first := next(iter(conversation.people.all()), None):
        url = reverse("crm:person", args=[first.pk])
    title = f"{conversation.get_kind_display()}: {people}" if people else conversation.get_kind_display()
    return Line(title, url, about, str(conversation.by or ""), at=conversation.at)


def _hand_off(hand_off: HandOff, at: datetime) -> Line:
    return Line(
        str(hand_off.lead),
        reverse("crm:hand-off", args=[hand_off.pk]),
        hand_off.note,
        str(hand_off.to_user),
        at=hand_off.submitted_at,
    )


def _promise(promise: Promise, at: datetime) -> Line:
    url = reverse("crm:person", args=[promise.person_id])
    return Line(
        promise.text,
        url,
        f"{promise.get_side_display()} · {promise.person}",
        str(promise.owner or ""),
        at=promise.due_on,
    )


def _referral(referral: Referral, at: datetime) -> Line:
    deal = getattr(referral.lead, "deal", None) if referral.lead else None
    return Line(
        title=str(referral),
        url=reverse("crm:referral", args=[referral.pk]),
        about=referral.get_state_display(),
        owner=str(referral.owner or ""),
        amount=(deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount) if deal else None,
        currency=deal.currency if deal else "EUR",
        at=referral.due_on or referral.asked_at,
    )


def _finding(finding: Finding, at: datetime) -> Line:
    deal = finding.deal
    return Line(
        title=str(deal or finding.lead or finding),
        url=reverse("crm:deal", args=[deal.pk]) if deal else "",
        about=health.sentence(finding, at),
        owner=str(deal.owner or "") if deal else "",
        amount=(deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount) if deal else None,
        currency=deal.currency if deal else "EUR",
        at=finding.since,
    )


LINES: dict[type[Model], tuple[tuple[str, ...], Callable[[Any, datetime], Line]]] = {
    Deal: (("organisation", "person", "owner"), _deal),
    Lead: (("organisation", "person", "owner"), _lead),
    Conversation: (("by",), _conversation),
    HandOff: (("lead__person", "lead__organisation", "to_user"), _hand_off),
    Promise: (("person", "owner"), _promise),
    Referral: (("referrer", "introduced", "owner", "lead__deal"), _referral),
    Finding: (("deal__owner", "lead__person", "lead__organisation"), _finding),
}
