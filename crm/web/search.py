"""One box over everything. Typing shows the best answers and what can be done about them below the box; Enter opens the first of them, and without
JavaScript the page with all."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crm import search
from crm.web import access, palette
from crm.web.page import Request, render_page, wanted_part

LATELY = 5
"""People of one's own whom the empty palette offers: those spoken to last."""


@require_safe
def find(request: Request) -> HttpResponse:
    found = search.find(request.GET.get("q", ""), user=request.user)
    context = {"found": found, "q": found.text}
    if wanted_part(request, ("search-panel",)):
        context |= _panel(request, found)
    return render_page(request, "crm/search.html", context, parts=("search-panel", "found"))


def _panel(request: Request, found: search.Found) -> dict[str, object]:
    """What stands in the panel besides what was found."""
    if not found.text:
        mine = access.people().filter(owner=request.user, last_contact_at__isnull=False)
        return {"begin": palette.begin(), "lately": mine.for_list().order_by("-last_contact_at", "-id")[:LATELY]}
    return {
        "asked": palette.asked(found.text, request.user),
        "places": palette.places(found.text, request.user),
        "doable": palette.for_person(found.people[0]) if len(found.people) == 1 else [],
    }
