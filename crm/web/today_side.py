"""What stands beside the list of Today: hand-offs that wait for somebody else, promises of both sides, and one's own deals in a sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Min, Q, Sum, When

from crm.web import access, keyset
from crm.web.page import Request

SIDE = 6
"""Promises and hand-offs shown beside the list."""


def hand_offs(request: Request) -> list[Any]:
    """Those that wait for somebody else. What waits for an answer of the reader stands in the list with its buttons, and is not said twice."""
    waits_for_another = Q(from_user=request.user) | Q(to_user=request.user, is_asked=True)
    asks_me = Case(When(is_asked=True, from_user=request.user, then=0), default=1)
    waiting_ones = access.hand_offs().waiting().for_page().filter(waits_for_another)
    return list(waiting_ones.order_by(asks_me, "answer_due_at", "id")[:SIDE])


def promises(request: Request, day: date) -> dict[str, Any]:
    mine = access.promises().open().filter(owner=request.user)
    return {"promises": list(mine.for_list()[:SIDE]), "promises_open": keyset.bounded_count(mine, 99), "day_now": day}


def pipeline(request: Request, day: date) -> dict[str, Any]:
    """One's own open deals in one query. Amounts of the currency of most; the others are counted, not added."""
    mine = access.deals().open().filter(owner=request.user)
    by_currency = list(
        mine.order_by()
        .values("currency")
        .annotate(
            number=Count("pk"),
            buyers=Sum("buyer_amount"),
            sellers=Sum("seller_amount"),
            closing=Min("buyer_date", filter=Q(buyer_date__gte=day)),
            stepless=Count("pk", filter=Q(next_step_on__isnull=True) | Q(next_step_on__lt=day)),
        )
        .order_by("-number", "currency")
    )
    main = by_currency[0] if by_currency else {"currency": "EUR", "buyers": None, "sellers": None}
    closings = [entry["closing"] for entry in by_currency if entry["closing"]]
    return {
        "deals_open": sum(entry["number"] for entry in by_currency),
        "deals_stepless": sum(entry["stepless"] for entry in by_currency),
        "deals_closing": min(closings, default=None),
        "deals_buyers": main["buyers"] or Decimal(0),
        "deals_sellers": main["sellers"] or Decimal(0),
        "deals_currency": main["currency"],
        "deals_elsewhere": sum(entry["number"] for entry in by_currency[1:]),
    }
