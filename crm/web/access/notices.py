"""Notices are each colleague's own, whoever leads."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db.models import OuterRef
from django.shortcuts import get_object_or_404

from crm.models import Notice, User
from crm.models.notices import NoticeQuerySet
from crm.web.page import Request

COUNTED = 10
"""The bell shows one less, and a plus."""


def notices(request: Request) -> NoticeQuerySet:
    """What they were told in the page, newest first."""
    return Notice.objects.shown().filter(user=request.user).newest()


def notice(request: Request, pk: int) -> Notice:
    """One of theirs; somebody else's is not there."""
    return get_object_or_404(notices(request), pk=pk)


def unread(request: Request) -> list[int]:
    """The keys of the first that are unread, as they are now."""
    return list(notices(request).unread().values_list("pk", flat=True)[:COUNTED])


def user_of_session(pk: Any) -> User | None:
    """Who is logged in and may still be, with the keys of the first notices that are unread (`unread_notices`)."""
    unread = Notice.objects.unread().filter(user=OuterRef("pk")).order_by().values("pk")[:COUNTED]
    try:
        user = User.objects.active().annotate(unread_keys=ArraySubquery(unread)).filter(pk=pk).first()
    except (ValueError, ValidationError):
        return None
    if user is not None:
        user.unread_notices = user.unread_keys
    return user
