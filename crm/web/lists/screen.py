"""The page of a list: what is shown, how it can be narrowed, and the views that are kept of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from crm import bulk
from crm.web import access, keyset
from crm.web.lists.listing import Asked, Listing
from crm.web.page import Request, render_page

MOST_VIEWS = 40


def show(request: Request, listing: Listing, template: str) -> HttpResponse:
    asked = listing.ask(request.GET, user=request.user, at=timezone.now())
    return render_page(request, template, context(request, asked), parts=(str(listing.screen),))


def context(request: Request, asked: Asked) -> dict[str, Any]:
    kept = access.saved_views(request).filter(screen=asked.listing.screen).order_by("name", "id")[:MOST_VIEWS]
    views = sorted(kept, key=lambda view: view.owner_id != request.user.pk)
    return {
        "asked": asked,
        "listing": asked.listing,
        "page": asked.page(request.GET),
        "fields": asked.fields,
        "total": keyset.bounded_count(asked.selected, bulk.MOST),
        "views": views,
        "current": next((view for view in views if view.query == asked.query), None),
        "acts": [(act.value, act.label) for act in bulk.ACTS[asked.listing.screen]],
    }
