"""What any page must cost on this server: nothing at all; and fifty rows for somebody who is logged in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.models import Lead


@login_not_required
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def rows(request: HttpRequest) -> HttpResponse:
    """Session, user, one indexed query, and a plain table of fifty rows without a layout around it."""
    leads = Lead.objects.select_related("person", "organisation").order_by("-received_at", "-id")[:50]
    return render(request, "bench/rows.html", {"leads": leads})
