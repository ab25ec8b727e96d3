"""One message is taken in, once: it becomes a conversation with whom it matches, a mark on an address that does not work, or nothing but its key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm import conversations, locks
from crm.channels import email
from crm.channels.email import ReadMail, Unreadable
from crm.correspondence import bounces, matching, replies
from crm.models import (
    Attachment,
    ConversationKind,
    Direction,
    Mailbox,
    MailFolder,
    MailMessage,
    MessagePlace,
    MessageState,
    OutgoingMail,
    User,
)
from crm.refusal import Refused

SETTLED = frozenset({MessageState.TAKEN, MessageState.NOTICE, MessageState.REFUSED})
"""What is not looked at again. One from nobody we knew, or kept out by one of us, may be for a colleague, or from somebody known by now."""
NOTHING: dict[str, Any] = {
    "thread": "", "conversation": None, "direction": "", "subject": "", "from_name": "", "from_address": "", "to": [], "cc": [],
    "sent_at": None, "text": "", "quoted": "", "signature": "", "html": "", "is_automatic": False, "away_until": None, "raw": None,
}  # fmt: skip
"""A message of which only its key is kept."""


@dataclass(frozen=True)
class Place:
    """Where on a server a message was found."""

    folder: MailFolder
    uid_validity: int
    uid: int


@transaction.atomic
def take_in(
    *,
    raw: bytes,
    at: datetime,
    received_at: datetime | None = None,
    mailbox: Mailbox | None = None,
    user: User | None = None,
    place: Place | None = None,
) -> MailMessage:
    """The message is remembered, and when it is from or to somebody known it is a conversation with them, and their last contact is true.

    It came from `mailbox`, or `user` sent it to their own address here; then one that they forwarded counts as the message within. The same
    message (its Message-ID) is taken in once, from however many mailboxes and folders it comes, and not again when its conversation was removed.
    Whatever is kept out on request, or from and to nobody known, leaves nothing but its key; so does a bare answer
    to an invitation, which stands on the appointment. A message that cannot be read is refused, with the reason in its row.
    """
    with _language_of(mailbox, user):
        try:
            mail = email.read(raw, received_at=received_at or at)
        except Unreadable as unreadable:
            return refuse(key=_hash(raw), reason=str(unreadable), mailbox=mailbox, place=place, at=at)
    message = _held(mail.key)
    if message.state not in SETTLED:
        message.mailbox = message.mailbox or mailbox
        _settle(message, mail, received_at or at, at, mailbox, user)
    _found_at(message, place)
    return message


@transaction.atomic
def refuse(*, key: str, reason: str, mailbox: Mailbox | None, place: Place | None, at: datetime) -> MailMessage:
    """The message is not taken in; its key and the reason are kept, so that its owner sees it and nobody tries again."""
    message = _held(key)
    if message.state not in SETTLED:
        message.mailbox = message.mailbox or mailbox
        _keep(message, MessageState.REFUSED, at, reason=reason)
    _found_at(message, place)
    return message


@transaction.atomic
def keep_failed(*, raw: bytes, reason: str, mailbox: Mailbox | None, place: Place | None, at: datetime) -> MailMessage:
    """Something went wrong with this message, which says nothing about those behind it: its bytes are kept, so that it can be tried again."""
    message = _held(_hash(raw))
    if message.state not in SETTLED:
        message.mailbox = message.mailbox or mailbox
        _keep(message, MessageState.FAILED, at, reason=reason, raw=raw)
    _found_at(message, place)
    return message


@transaction.atomic
def try_again(*, message: MailMessage, at: datetime) -> MailMessage:
    """The message that could not be read is read anew from its bytes, and taken in as if it came now. Returns its row, which is another one when
    the same message was taken in meanwhile. Refuses one whose bytes are not kept (any more)."""
    failed = MailMessage.objects.select_for_update(of=("self",)).filter(pk=message.pk).first()
    if failed is None or failed.state != MessageState.FAILED or failed.raw is None:
        raise Refused(_("This message does not wait to be read any more."))
    raw = bytes(failed.raw)
    mailbox = Mailbox.objects.select_related("owner").filter(messages=failed).first()
    taken = take_in(raw=raw, received_at=failed.taken_at, at=at, mailbox=mailbox)
    if taken.pk != failed.pk:
        MessagePlace.objects.filter(message=failed).update(message=taken)
        failed.delete()
    return taken


@transaction.atomic
def drop(*, message: MailMessage) -> None:
    """The bytes of a message that could not be read are gone; it stays out with the reason that it had."""
    MailMessage.objects.filter(pk=message.pk, state=MessageState.FAILED).update(state=MessageState.REFUSED, raw=None)


def _held(key: str) -> MailMessage:
    """The row of this key, known or new; nobody else decides on it until the transaction ends."""
    locks.hold("mail", key)
    return MailMessage.objects.filter(key=key).first() or MailMessage(key=key)


def _settle(
    message: MailMessage,
    mail: ReadMail,
    received_at: datetime,
    at: datetime,
    mailbox: Mailbox | None,
    user: User | None,
) -> None:
    if mail.bounce is not None:
        bounces.note(mail.bounce, at=at)
        _keep(message, MessageState.NOTICE, at)
        return
    heard = replies.hear(mail, at=at)
    if heard is not None:
        if not heard.words:
            _keep(message, MessageState.NOTICE, at, reason=_("Answers an earlier time.") if heard.is_old else "")
            return
        mail = replace(mail, text=heard.words, html="", attachments=(), is_automatic=False, away_until=None)
    mail = _unwrapped(mail, mailbox, user)
    who = matching.parties(mail, mailbox=mailbox, user=user)
    if matching.is_excluded(who.outside, users=[user, mailbox.owner if mailbox else None]):
        _keep(message, MessageState.EXCLUDED, at)
        return
    written = OutgoingMail.objects.filter(message_id=mail.key).select_related("person", "lead", "deal", "by").first()
    people = matching.known(who.outside) or ([written.person] if written and written.person else [])
    if not people:
        _keep(message, MessageState.UNKNOWN, at)
        return
    when = min(mail.sent_at or received_at, at)
    thread = matching.thread_of(mail)
    conversation = written.conversation if written else None
    if conversation is None and (twin := _twin(mail, when)) is not None:
        thread = twin.thread
    elif conversation is None:
        # Of a mail written here whose sender died before it could say so, its sender finds this and knows.
        lead, deal = (written.lead, written.deal) if written else matching.about(people, thread)
        by = (written.by if written else None) or who.by
        conversation = conversations.log(
            people=people,
            kind=ConversationKind.EMAIL,
            direction=who.direction,
            by=by,
            at=at,
            when=when,
            lead=lead,
            deal=deal,
            subject=mail.subject,
            summary=mail.text,
            is_information=written.is_information if written else False,
            is_automatic=mail.is_automatic,
            private_to=conversations.kept_by(by, answering=[mail.in_reply_to, *mail.references]),
        )
    _keep(
        message,
        MessageState.TAKEN,
        at,
        conversation=conversation,
        thread=thread,
        direction=who.direction,
        subject=mail.subject,
        from_name=mail.sender.name if mail.sender else "",
        from_address=mail.sender.address if mail.sender else "",
        to=[one.address for one in mail.to],
        cc=[one.address for one in mail.cc],
        sent_at=when,
        text=mail.text,
        quoted=mail.quoted,
        signature=mail.signature,
        html=mail.html,
        is_automatic=mail.is_automatic,
        away_until=mail.away_until if who.direction == Direction.INCOMING else None,
    )
    Attachment.objects.bulk_create(
        Attachment(
            message=message, name=file.name, content_type=file.content_type, size=file.size, content=file.content
        )
        for file in mail.attachments
    )


def _unwrapped(mail: ReadMail, mailbox: Mailbox | None, user: User | None) -> ReadMail:
    """A mail that a colleague sent to their address here and to nobody outside is about the one that they forwarded in it."""
    inner = mail.forwarded
    if user is None or inner is None:
        return mail
    outer = matching.parties(mail, mailbox=mailbox, user=user)
    if outer.direction != Direction.OUTGOING or outer.outside:
        return mail
    return replace(
        mail,
        sender=inner.sender,
        to=inner.to,
        cc=(),
        bcc=(),
        subject=inner.subject,
        sent_at=inner.sent_at or mail.sent_at,
        text=inner.text,
        quoted="",
        signature="",
        html="",
        is_automatic=False,
        away_until=None,
    )


def _twin(mail: ReadMail, when: datetime) -> MailMessage | None:
    """The message that was forwarded, when it came in by itself, too: a forwarded text keeps minute and sender, and no Message-ID."""
    if mail.forwarded is None or mail.sender is None or mail.sender != mail.forwarded.sender:
        return None
    minute = when.replace(second=0, microsecond=0)
    same = MailMessage.objects.filter(
        state=MessageState.TAKEN,
        from_address=mail.sender.address,
        subject=mail.subject,
        sent_at__gte=minute,
        sent_at__lt=minute + timedelta(minutes=1),
    )
    return same.exclude(key=mail.key).order_by("pk").first()


def _keep(message: MailMessage, state: MessageState, at: datetime, *, reason: str = "", **kept: object) -> None:
    """The row says this and nothing else."""
    for name, value in {**NOTHING, **kept}.items():
        setattr(message, name, value)
    message.state, message.reason, message.taken_at = state, reason[:300], at
    message.save()


def _found_at(message: MailMessage, place: Place | None) -> None:
    if place is not None:
        MessagePlace.objects.get_or_create(
            folder=place.folder, uid_validity=place.uid_validity, uid=place.uid, defaults={"message": message}
        )


def _hash(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _language_of(mailbox: Mailbox | None, user: User | None) -> translation.override:
    """Reasons are kept in the language of whoever reads them."""
    reader = user or (mailbox.owner if mailbox else None)
    return translation.override(reader.language if reader else None)
