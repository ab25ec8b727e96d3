"""The companies we know, as a list."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crm.web.lists import ORGANISATIONS
from crm.web.lists.screen import show
from crm.web.page import Request


@require_safe
def index(request: Request) -> HttpResponse:
    return show(request, ORGANISATIONS, "crm/organisations.html")
