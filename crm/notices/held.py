"""Who wrote a mail hears that Kring held it back when its moment came."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from crm.models import Notice, NoticeKind, OutgoingMail
from crm.notices.telling import tell

LOOKED_BACK = timedelta(days=1)


def tell_of_held_mail(*, at: datetime) -> int:
    """Whoever wrote a mail that is held back knows it, each time that it is, once; how many were told now. What was held before yesterday they
    have found by themselves."""
    held = OutgoingMail.objects.filter(
        held_at__gt=at - LOOKED_BACK, by__isnull=False, cancelled_at__isnull=True, sent_at__isnull=True
    )
    rows = {f"mail-held-{mail.pk}-{mail.held_at:%Y%m%d%H%M%S}": mail for mail in held.select_related("by", "person")}
    told = set(Notice.objects.filter(key__in=rows).values_list("key", flat=True)) if rows else set()
    for key, mail in rows.items():
        if key not in told and mail.by is not None:
            tell(
                user=mail.by,
                kind=NoticeKind.MAIL_HELD,
                values={"name": str(mail.person or mail.to), "subject": mail.subject, "why": mail.held_why},
                path=reverse("crm:outgoing"),
                at=at,
                subject=mail,
                key=key,
            )
    return len(rows) - len(told)
