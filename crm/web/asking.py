"""What stands on a lead's page under *What they asked*, besides their first words: what they wrote again, and how they found us."""

from __future__ import annotations

from typing import Any

from crm.models import Channel, Lead, LeadTouch, User
from crm.web import access

MOST_AGAIN = 5


def of(lead: Lead, user: User) -> dict[str, Any]:
    """`again` are the newest messages after the first, oldest of them first; `visits` the first touch and then the last, which is left out when it
    is the same; `subject` that of the mail by which they came. Two queries, three for a lead that came by mail."""
    again = list(lead.received_messages.filter(is_first=False).order_by("-received_at", "-pk")[:MOST_AGAIN])
    found = {visit.which: visit for visit in lead.found_by.select_related("content")}
    first, last = found.get(LeadTouch.Which.FIRST), found.get(LeadTouch.Which.LAST)
    if first and last and first.at == last.at:
        last = None
    subject = ""
    if lead.channel == Channel.EMAIL and lead.external_id:
        mail = access.mail_messages(user).filter(key=lead.external_id)
        subject = mail.values_list("subject", flat=True).first() or ""
    return {"again": again[::-1], "visits": [visit for visit in (first, last) if visit], "subject": subject}
