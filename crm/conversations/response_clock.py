"""A lead's response clock stands still from our first word to them, and runs again when that word turns out not to have been one."""

from __future__ import annotations

from datetime import datetime

from crm import events
from crm.models import Conversation, Direction, EventKind, Lead, User


def answers(conversation: Conversation) -> bool:
    """Whether this was a word of ours: what they wrote is none, nor what a machine sent."""
    return conversation.direction != Direction.INCOMING and not conversation.is_automatic


def stop(lead: Lead, *, by: User | None, when: datetime, at: datetime) -> None:
    """The clock stands at `when`, unless it stood still already or never ran."""
    stopped = Lead.objects.filter(pk=lead.pk, answered_at__isnull=True, answer_due_at__isnull=False).update(
        answered_at=when, answered_by=by
    )
    if stopped:
        lead.answered_at, lead.answered_by = when, by
        events.record(
            EventKind.LEAD_ANSWERED, subject=lead, by=by, at=at, new={"answered_at": when, "due": lead.answer_due_at}
        )


def restart(lead_id: int, *, stopped_at: datetime) -> None:
    """When the clock stood at this moment, it stands where the first word that is left stopped it, or runs again when there is none."""
    lead = Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=lead_id)
    if lead.answered_at != stopped_at:
        return
    first = (
        Conversation.objects.contacts()
        .filter(lead=lead)
        .exclude(direction=Direction.INCOMING)
        .select_related("by")
        .order_by("at", "pk")
        .first()
    )
    lead.answered_at, lead.answered_by = (first.at, first.by) if first else (None, None)
    lead.save(update_fields=["answered_at", "answered_by"])
