"""The companies we know, as a list."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crm import search
from crm.models.organisations import OrganisationQuerySet
from crm.web import access, keyset, query
from crm.web.page import Request, render_page


@require_safe
def index(request: Request) -> HttpResponse:
    chosen = _chosen(request)
    order = ("-customer_since", "-id") if chosen["customers"] else ("name", "id")
    return render_page(
        request,
        "crm/organisations.html",
        {
            "page": keyset.page(_selected(request, chosen), order=order, at=request.GET),
            "chosen": chosen,
            "is_filtered": any(chosen.values()),
            "owners": access.users(),
        },
        parts=("organisations",),
    )


def _chosen(request: Request) -> dict[str, str]:
    owner = request.GET.get("owner", "")
    return {
        "named": search.clean(request.GET.get("named", "")),
        "owner": owner if owner in ("me", "nobody") or query.number(owner) else "",
        "customers": "yes" if request.GET.get("customers") == "yes" else "",
    }


def _selected(request: Request, chosen: dict[str, str]) -> OrganisationQuerySet:
    rows = access.organisations().select_related("owner")
    if chosen["owner"] == "nobody":
        rows = rows.filter(owner__isnull=True)
    elif chosen["owner"]:
        rows = rows.filter(owner=request.user.pk if chosen["owner"] == "me" else int(chosen["owner"]))
    if chosen["customers"]:
        rows = rows.customers()
    return search.organisations_named(rows, chosen["named"]) if chosen["named"] else rows  # type: ignore[return-value]
