"""Everybody we know: oldest contact first, since that is the list that is never to be forgotten."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crm import search
from crm.models import Tier
from crm.models.people import PersonQuerySet
from crm.web import access, keyset, query
from crm.web.page import Request, render_page

SORTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "oldest": (_("last contact, oldest first"), ("last_contact_at", "id")),
    "newest": (_("last contact, newest first"), ("-last_contact_at", "-id")),
    "name": (_("name"), ("family_name", "given_name", "id")),
}


@require_safe
def index(request: Request) -> HttpResponse:
    chosen = _chosen(request)
    _words, order = SORTS[chosen["sort"]]
    return render_page(
        request,
        "crm/people.html",
        {
            "page": keyset.page(_selected(request, chosen).for_list(), order=order, at=request.GET),
            "chosen": chosen,
            "is_filtered": any(chosen[name] for name in ("named", "owner", "tier", "customers")),
            "sorts": {key: words for key, (words, _order) in SORTS.items()},
            "owners": access.users(),
            "tiers": Tier.choices,
        },
        parts=("people",),
    )


def _chosen(request: Request) -> dict[str, str]:
    asked = request.GET
    sort, owner, tier = asked.get("sort", ""), asked.get("owner", ""), asked.get("tier", "")
    return {
        "sort": sort if sort in SORTS else "oldest",
        "named": search.clean(asked.get("named", "")),
        "owner": owner if owner in ("me", "nobody") or query.number(owner) else "",
        "tier": tier if tier in Tier.values or tier == "none" else "",
        "customers": "yes" if asked.get("customers") == "yes" else "",
    }


def _selected(request: Request, chosen: dict[str, str]) -> PersonQuerySet:
    rows = access.people()
    if chosen["owner"] == "nobody":
        rows = rows.filter(owner__isnull=True)
    elif chosen["owner"]:
        rows = rows.filter(owner=request.user.pk if chosen["owner"] == "me" else int(chosen["owner"]))
    if chosen["tier"]:
        rows = rows.filter(tier="" if chosen["tier"] == "none" else chosen["tier"])
    if chosen["customers"]:
        customers = access.organisations().customers()
        rows = rows.filter(
            Exists(access.positions().current().filter(person=OuterRef("pk"), organisation__in=customers))
        )
    return search.people_named(rows, chosen["named"]) if chosen["named"] else rows  # type: ignore[return-value]
