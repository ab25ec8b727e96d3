"""Calendars elsewhere are their owner's alone: not even who leads sees where they are or how they are called. And whose a feed is."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from crm.models import ExternalCalendar, User
from crm.web.access.rights import must_be_mine
from crm.web.page import Request

SHORTEST_KEY = 20


def calendar(request: Request, pk: int) -> ExternalCalendar:
    """For its owner alone, whoever leads."""
    row = get_object_or_404(ExternalCalendar.objects.select_related("user"), pk=pk)
    must_be_mine(request.user, row.user_id)
    return row


def calendars(user: User) -> QuerySet[ExternalCalendar]:
    return ExternalCalendar.objects.filter(user=user).order_by("name", "pk")


def user_of_feed(key: str) -> User:
    """Whose feed it is: one unique key in an index, so that a guess learns nothing from how long it takes. A key that nobody has (any more), or
    whose owner cannot log in, is a 404."""
    if len(key) < SHORTEST_KEY or not key.isascii() or "\0" in key:
        raise Http404
    return get_object_or_404(User.objects.active(), feed_key=key)
