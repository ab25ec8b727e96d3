"""Send mail that can not be lost: a verb writes a row in its own transaction, a worker sends it after commit, a sweep finds what was missed.

A mail is claimed by moving `try_at` on before it is sent, so two workers never send it together; a worker that dies in between leaves it to be
tried again after the claim has run out. That is *at least once*, the right side to err on for an answer that somebody waits for.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import transaction

from crm.models import Lead, OutgoingMail, Person, User

CLAIM = timedelta(minutes=10)
MOST_TRIES = 8

log = logging.getLogger(__name__)


def put(
    *,
    to: str,
    subject: str,
    body: str,
    by: User | None,
    at: datetime,
    lead: Lead | None = None,
    person: Person | None = None,
) -> OutgoingMail:
    """The mail waits to be sent, answers to it go to who wrote it. Sending is for `send_due`, after commit."""
    return OutgoingMail.objects.create(
        to=to,
        subject=" ".join(subject.split())[:200],
        body=body,
        reply_to=(by.email or "") if by else "",
        lead=lead,
        person=person,
        by=by,
        created_at=at,
        try_at=at,
    )


def send_due(*, at: datetime) -> int:
    """Every mail whose moment has come is sent or will be tried again later (1, 2, 4 … hours; eight tries). Returns how many were sent."""
    sent = 0
    for mail in OutgoingMail.objects.due(at).filter(tries__lt=MOST_TRIES).order_by("try_at", "id")[:500]:
        sent += _send(mail, at)
    return sent


def _send(mail: OutgoingMail, at: datetime) -> bool:
    claimed = OutgoingMail.objects.filter(pk=mail.pk, sent_at__isnull=True, try_at=mail.try_at).update(
        try_at=at + CLAIM, tries=mail.tries + 1
    )
    if not claimed:
        return False
    try:
        EmailMessage(mail.subject, mail.body, to=[mail.to], reply_to=[mail.reply_to] if mail.reply_to else None).send()
    except (SMTPException, OSError, ValueError) as error:  # ValueError: an address or header that no mail can have
        log.warning("mail %s was not sent: %s", mail.pk, error)
        with transaction.atomic():
            OutgoingMail.objects.filter(pk=mail.pk).update(
                try_at=at + timedelta(hours=2**mail.tries), failure=str(error)[:1000]
            )
        return False
    OutgoingMail.objects.filter(pk=mail.pk).update(sent_at=at, failure="")
    return True
