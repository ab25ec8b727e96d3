"""The half hour is its user's own: nobody else sees a block, whoever leads. What is of somebody else is not there."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from crm.models import ProspectingBlock, ProspectingItem, User
from crm.web.page import Request


def blocks(user: User) -> QuerySet[ProspectingBlock]:
    return ProspectingBlock.objects.filter(user=user)


def block(request: Request, pk: int) -> ProspectingBlock:
    return get_object_or_404(blocks(request.user), pk=pk)


def prospecting_item(request: Request, pk: int, *, write: bool = True) -> ProspectingItem:
    """Looking and changing are the same right here; `write` is there for those who fetch several nouns alike."""
    return get_object_or_404(ProspectingItem.objects.select_related("block"), pk=pk, block__user=request.user)
