"""Pairs that may be one, the surest first: look at two side by side, and say whether they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import duplicates
from crm.models import DuplicateReason, Mergeable, Organisation, Person, PossibleDuplicate
from crm.web import access, keyset
from crm.web.merging import compared
from crm.web.page import Request, render_page


@require_safe
def index(request: Request) -> HttpResponse:
    kind = request.GET.get("kind", "")
    chosen = {
        "kind": kind if kind in Mergeable.values else Mergeable.PERSON.value,
        "whose": "mine" if request.GET.get("whose") == "mine" else "all",
    }
    rows = access.possible_duplicates(request.user if chosen["whose"] == "mine" else None).filter(kind=chosen["kind"])
    page = keyset.page(rows, order=("-likeness", "id"), at=request.GET)
    return render_page(
        request,
        "crm/duplicates.html",
        {
            "page": page,
            "pairs": _shown(page.rows, chosen["kind"]),
            "chosen": chosen,
            "kinds": [(Mergeable.PERSON.value, _("People")), (Mergeable.ORGANISATION.value, _("Organisations"))],
            "nav": "people",
        },
        parts=("duplicates",),
    )


@require_safe
def pair(request: Request, pk: int) -> HttpResponse:
    row = access.possible_duplicate(pk)
    one, other = both(request, row)
    return render_page(
        request,
        "crm/merge.html",
        compared(request, one, other) | {"pair": row, "reasons": reasons(row), "nav": "people"},
    )


@require_POST
def not_the_same(request: Request, pk: int) -> HttpResponse:
    row = access.possible_duplicate(pk)
    for one in both(request, row):
        access.must_write(request.user, one.owner)
    duplicates.dismiss(pair=row, by=request.user, at=timezone.now())
    messages.success(request, _("Noted. Kring does not ask about these two again."))
    there = redirect("crm:duplicates")
    there["Location"] += f"?kind={row.kind}"
    return there


def both(request: Request, row: PossibleDuplicate) -> list[Any]:
    """The two rows of a pair, the older first."""
    fetch = access.person if row.kind == Mergeable.PERSON else access.organisation
    return [fetch(request, row.first_id), fetch(request, row.second_id)]


def reasons(row: PossibleDuplicate) -> list[str]:
    """Why the two look alike, in words."""
    return [str(DuplicateReason(reason).label) for reason in row.reasons if reason in DuplicateReason.values]


def _shown(rows: Iterable[PossibleDuplicate], kind: str) -> list[dict[str, Any]]:
    """The pairs with their rows; one whose row was removed since is left out."""
    rows = list(rows)
    keys = {key for row in rows for key in (row.first_id, row.second_id)}
    found: dict[int, Person | Organisation] = {}
    if kind == Mergeable.PERSON:
        found.update({one.pk: one for one in access.people().filter(pk__in=keys).for_list()})
    else:
        found.update({one.pk: one for one in access.organisations().filter(pk__in=keys).for_page()})
    return [
        {"row": row, "one": found[row.first_id], "other": found[row.second_id], "reasons": reasons(row)}
        for row in rows
        if row.first_id in found and row.second_id in found
    ]
