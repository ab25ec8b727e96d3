"""Everybody we know: oldest contact first, since that is the list that is never to be forgotten."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from crm.web.lists import PEOPLE
from crm.web.lists.screen import show
from crm.web.page import Request


@require_safe
def index(request: Request) -> HttpResponse:
    return show(request, PEOPLE, "crm/people.html")
