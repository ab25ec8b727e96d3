"""Who may do what. Everyone who works in the organisation reads. The owner of a row, the owner's team mates, whoever stands in for the owner today,
managers and administrators write; a row without an owner may be written by everyone, so that it finds one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from crm.models import Role, User
from crm.web.page import Request

Rows = TypeVar("Rows", bound=QuerySet[Any])
View = Callable[..., HttpResponseBase]


def may_write(user: User, owner: User | None) -> bool:
    """Whether `user` may change what `owner` owns. Reads `owner.team_id`."""
    if user.is_leading or owner is None or owner.pk == user.pk:
        return True
    if user.team_id is not None and user.team_id == owner.team_id:
        return True
    return owner.pk in user.in_place_of


def writable(user: User, rows: Rows) -> Rows:
    """Those of `rows` (of a noun with an owner) that `user` may change: the same rule, as a selection."""
    if user.is_leading:
        return rows
    mine = Q(owner=user) | Q(owner=None) | Q(owner__in=user.in_place_of)
    return rows.filter(mine | Q(owner__team=user.team_id) if user.team_id else mine)


def must_write(user: User, owner: User | None) -> None:
    """The same rule, as a refusal: 403."""
    if not may_write(user, owner):
        raise PermissionDenied


def must_be_mine(user: User, owner_id: int | None) -> None:
    """For what is somebody's own, whoever leads; what is everybody's, those who lead keep. Others get 403."""
    if not (user.is_leading if owner_id is None else owner_id == user.pk):
        raise PermissionDenied


def roles(*allowed: Role, refusal: Any = "") -> Callable[[View], View]:
    """A view for these roles only; others get 403, with the sentence that says why."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.role not in allowed:
                raise PermissionDenied(refusal)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


leading_only = roles(
    Role.MANAGER,
    Role.ADMIN,
    refusal=_("This part of Kring is for managers and administrators. Ask one of them for what you need."),
)
admin_only = roles(
    Role.ADMIN, refusal=_("This part of Kring is for administrators. Ask one of them for what you need.")
)
