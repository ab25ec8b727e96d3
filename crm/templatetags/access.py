"""Show an act only to those for whom it will work. The views ask again; this merely spares people a refusal."""

from __future__ import annotations

from django import template
from django.utils import timezone

from crm.models import Promise, User
from crm.web import access

register = template.Library()


@register.filter
def may_write(user: User, owner: User | None) -> bool:
    """`{% if user|may_write:promise.owner %}`: whether this user may change what that user owns. Have `owner` selected with its row."""
    return access.may_write(user, owner)


@register.filter
def may_reopen(promise: Promise) -> bool:
    """`{% if promise|may_reopen %}`: whether it was settled lately enough to be opened again."""
    return promise.may_reopen(timezone.now())
