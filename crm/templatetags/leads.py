"""The number beside *Leads* in the header."""

from __future__ import annotations

from django import template

from crm.models import Role
from crm.web import access, keyset

register = template.Library()

MOST = 99


@register.simple_tag(takes_context=True)
def leads_waiting(context: template.Context) -> keyset.BoundedCount | None:
    """`{% leads_waiting as count %}`: how many new leads wait for this SDR, or for anybody when a manager looks; "99+" at most. One indexed query."""
    user = context.get("user")
    if user is None or not user.is_authenticated or user.role == Role.ACCOUNT_MANAGER:
        return None
    return keyset.bounded_count(access.leads().waiting_for(user), limit=MOST)
