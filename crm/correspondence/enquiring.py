"""Whether a mail asks us something new: somebody wrote it by themselves, to begin with, and nobody of us is at it already."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm import locks
from crm.channels import email
from crm.channels.email import ReadMail, Unreadable
from crm.correspondence import matching
from crm.correspondence.taking_in import SETTLED
from crm.models import Direction, Mailbox, MailMessage, OutgoingMail

ASKS_WITHIN = timedelta(days=7)
"""Older mail was answered, or was not, before Kring read it: a response clock would come too late."""


def enquiry(raw: bytes, *, received_at: datetime, mailbox: Mailbox, at: datetime) -> ReadMail | None:
    """The mail when it is an enquiry that was not taken in before; it is then held until the transaction ends. `None` for what cannot be read, was
    written by a machine or passed on by a list, came back, answers an invitation, is from one of us, is kept out on request, answers something that
    we know, or is old."""
    try:
        mail = email.read(raw, received_at=received_at)
    except Unreadable:
        return None
    if mail.bounce or mail.is_automatic or mail.is_list or mail.calendar or mail.sender is None:
        return None
    if min(mail.sent_at or received_at, at) < at - ASKS_WITHIN:
        return None
    who = matching.parties(mail, mailbox=mailbox, user=None)
    if who.direction != Direction.INCOMING or not who.outside or matching.is_forwarding(mail.sender.address):
        return None
    if matching.is_excluded(who.outside, users=[mailbox.owner]):
        return None
    locks.hold("mail", mail.key)
    if MailMessage.objects.filter(key=mail.key, state__in=SETTLED).exists() or _answers_something(mail):
        return None
    return mail


def _answers_something(mail: ReadMail) -> bool:
    before = {*filter(None, (mail.in_reply_to, *mail.references))}
    if not before:
        return False
    return (
        MailMessage.objects.filter(key__in=before).exclude(conversation=None).exists()
        or OutgoingMail.objects.filter(message_id__in=before).exists()
    )
