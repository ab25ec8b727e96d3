"""One e-mail read from its bytes. Whatever the bytes are, the answer is a `ReadMail` or `Unreadable`, and no other error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

from django.utils.translation import gettext as _

from crm.channels.email import parts
from crm.channels.email.absence import away_until
from crm.channels.email.bounces import bounce
from crm.channels.email.forwarding import forwarded, is_forward
from crm.channels.email.headers import LENIENT, Headers, addresses, key, keys, moment, zone
from crm.channels.email.mail import (
    LARGEST_MESSAGE,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    File,
    ReadMail,
    Unreadable,
)
from crm.channels.email.markup import in_words, new_part
from crm.channels.email.notices import is_automatic, is_list
from crm.channels.email.quoting import split
from crm.channels.email.wording import bounded, decoded

A_MAIL_HAS = (
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "mime-version",
    "content-type",
)
"""One of these at least; else the bytes are something else than a mail."""

LARGEST_ANSWER = 200_000
"""Bytes of a calendar that answers an invitation; such a one holds a single appointment."""
ANSWERS = re.compile(rb"^METHOD:(REPLY|COUNTER)\s*$", re.IGNORECASE | re.MULTILINE)


def read(raw: bytes, *, received_at: datetime, languages: Sequence[str] = ("nl", "en")) -> ReadMail:
    """Everything that these bytes say as an e-mail. Raises `Unreadable` for what is empty, too large, no e-mail, or nested beyond reading."""
    message = _parse(raw)
    headers = Headers(message)
    found = parts.gather(message)
    plain = "\n\n".join(body.plain if body.plain.strip() else in_words(body.html) for body in found.bodies)
    subject = headers.line("subject", LONGEST_SUBJECT)
    sender = next(iter(addresses(headers.every("from")) or addresses(headers.every("sender"))), None)
    said = split(plain, sender=sender, is_forward=is_forward(subject))
    returned = bounce(headers, found, plain)
    automatic = returned is not None or is_automatic(headers, subject, sender)
    return ReadMail(
        key=key(headers.first("message-id")) or "sha256:" + hashlib.sha256(raw).hexdigest(),
        references=keys(headers.every("references")),
        in_reply_to=next(iter(keys(headers.every("in-reply-to"))), ""),
        sender=sender,
        to=addresses(headers.every("to")),
        cc=addresses(headers.every("cc")),
        bcc=addresses(headers.every("bcc")),
        reply_to=addresses(headers.every("reply-to")),
        subject=subject,
        sent_at=moment(headers.first("date"), before=received_at),
        text=bounded(said.text, LONGEST_TEXT),
        quoted=bounded(said.quoted, LONGEST_TEXT),
        signature=bounded(said.signature, LONGEST_TEXT),
        html=new_part("\n".join(body.html for body in found.bodies if body.html)),
        attachments=tuple(found.files),
        is_automatic=automatic,
        away_until=away_until(subject, said.text, at=received_at, languages=languages) if automatic else None,
        bounce=returned,
        forwarded=forwarded(subject, plain, found, zone=zone(headers.first("date")), languages=languages),
        is_list=is_list(headers),
        calendar=_calendar(found.files),
    )


def _calendar(files: Sequence[File]) -> str:
    """The first calendar in it that answers an invitation: a part of its own, or a file."""
    for file in files:
        is_calendar = file.content_type in ("text/calendar", "application/ics") or file.name.lower().endswith(".ics")
        if is_calendar and file.content and ANSWERS.search(file.content[:LARGEST_ANSWER]):
            return decoded(file.content[:LARGEST_ANSWER], "utf-8").replace("\0", "")
    return ""


def _parse(raw: bytes) -> Message:
    """The structure of the message, by the lenient policy of the standard library: the newer one refuses many mails that exist.

    An empty line above the headers, which some archives leave, is no end of them.
    """
    if len(raw) > LARGEST_MESSAGE:
        raise Unreadable(_("This message is larger than %(size)d MB.") % {"size": LARGEST_MESSAGE // 1024 // 1024})
    raw = raw.lstrip(b"\r\n\t \x00\xef\xbb\xbf")
    if not raw:
        raise Unreadable(_("This message is empty."))
    try:
        message = message_from_bytes(raw, policy=LENIENT)
    except RecursionError:
        raise Unreadable(_("The parts of this message are nested too deep to read.")) from None
    except (MessageError, ValueError, TypeError, LookupError, AttributeError, AssertionError):
        raise Unreadable(_("The form of this message is broken beyond reading.")) from None
    headers = Headers(message)
    if not any(name in headers for name in A_MAIL_HAS):
        raise Unreadable(
            _("This is no e-mail: it has no lines that say from whom it is, to whom, or what it is about.")
        )
    return message
