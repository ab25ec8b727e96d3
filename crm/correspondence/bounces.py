"""Mail of ours that came back: whoever writes next sees that the address does not work, and who sent it is told why."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from crm import events
from crm.channels.email import Bounce
from crm.models import Direction, EmailAddress, EventKind, MailMessage, OutgoingMail

COMES_BACK_WITHIN = timedelta(days=14)


def note(bounce: Bounce, *, at: datetime) -> None:
    """The mail that came back says why. An address that does not exist (any more) is marked on everybody who has it, with an event for each.

    Anybody can write a notice that looks like one: it counts only for mail that we really sent, by its Message-ID, or to that address lately.
    """
    recipient = bounce.recipient.lower()
    ids = [bounce.original_id] if bounce.original_id else []
    mails = OutgoingMail.objects.filter(message_id__in=ids, sent_at__isnull=False)
    recipient = recipient or next(iter(mails.values_list("to", flat=True)), "").lower()
    mails.update(failure=bounce.why[:1000])
    if not bounce.is_permanent or not recipient or not _was_written_to(recipient, ids, at):
        return
    for row in EmailAddress.objects.filter(address=recipient, bounced_at=None).select_related("person").order_by("pk"):
        row.bounced_at, row.bounce_why = at, bounce.why[:300]
        row.save(update_fields=["bounced_at", "bounce_why"])
        events.record(
            EventKind.MAIL_BOUNCED,
            subject=row.person,
            by=None,
            at=at,
            new={"address": row.address, "why": bounce.why[:300]},
        )


def _was_written_to(address: str, ids: list[str], at: datetime) -> bool:
    lately = at - COMES_BACK_WITHIN
    sent = OutgoingMail.objects.filter(to__iexact=address, sent_at__isnull=False)
    if sent.filter(Q(message_id__in=ids) | Q(sent_at__gte=lately)).exists():
        return True
    written = MailMessage.objects.filter(direction=Direction.OUTGOING).filter(
        Q(to__contains=[address]) | Q(cc__contains=[address])
    )
    return written.filter(Q(key__in=ids) | Q(taken_at__gte=lately)).exists()
