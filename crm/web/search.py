"""One box over everything. Typing shows the best answers below the box; Enter, or no JavaScript, shows the page."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crm import search
from crm.web.page import Request, render_page


@require_safe
def find(request: Request) -> HttpResponse:
    found = search.find(request.GET.get("q", ""))
    return render_page(request, "crm/search.html", {"found": found, "q": found.text}, parts=("search-panel", "found"))
