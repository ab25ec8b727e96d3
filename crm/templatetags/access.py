"""Show an act only to those for whom it will work. The views ask again; this merely spares people a refusal."""

from __future__ import annotations

from django import template

from crm.models import User
from crm.web import access

register = template.Library()


@register.filter
def may_write(user: User, owner: User | None) -> bool:
    """`{% if user|may_write:promise.owner %}`: whether this user may change what that user owns. Have `owner` selected with its row."""
    return access.may_write(user, owner)
