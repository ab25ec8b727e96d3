"""Put a mail, or one for each of several, so that it waits to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from crm import locks, pacing
from crm.channels import smtp
from crm.models import (
    Conversation,
    ConversationKind,
    Deal,
    EmailAddress,
    Lead,
    Mailbox,
    MailMessage,
    MailTemplate,
    OutgoingMail,
    Person,
    User,
)
from crm.permission import TooEarly
from crm.refusal import Refused

MOST_TEXT = 100_000
LATEST = timedelta(days=366)
DOUBLE_CLICK = timedelta(minutes=10)
"""Within this time the very same mail from the same writer to the same address is the same mail, sent once."""
MOST_REFERENCES = 20


@dataclass(frozen=True)
class Draft:
    """One mail of several: to whom, and what stands in it."""

    person: Person
    to: str
    subject: str
    body: str


@transaction.atomic
def put(
    *,
    to: str,
    subject: str,
    body: str,
    by: User | None,
    at: datetime,
    lead: Lead | None = None,
    person: Person | None = None,
    deal: Deal | None = None,
    mailbox: Mailbox | None = None,
    template: MailTemplate | None = None,
    answers: MailMessage | None = None,
    is_information: bool = False,
    is_to_several: bool = False,
    override: str = "",
    moment: datetime | None = None,
    not_after: datetime | None = None,
    calendar: str = "",
    calendar_method: str = "",
) -> OutgoingMail:
    """The mail waits to be sent at `moment` (default: now), and answers to it go to who wrote it. Sending is for `send_due`, after commit, which
    asks again whether it may be sent. The very same mail within ten minutes is a double click and is put once. An invitation (iCalendar, with its
    method) goes along in `calendar`. With `not_after` it is sent before that moment and at most once, or dropped.

    Refuses an empty mail, a moment in the past or one that is too late already, a mailbox that cannot send for `by`, and a person whom the guard
    says not to write: `TooEarly` when it is too soon at that moment and no reason stands in `override`.
    """
    subject = " ".join(subject.replace("\0", "").split())[:200]
    body = body.replace("\0", "").replace("\r\n", "\n").strip()
    if not subject:
        raise Refused(_("Give the mail a subject."))
    if not body:
        raise Refused(_("Write something to send."))
    if len(body) > MOST_TEXT:
        raise Refused(_("This text is too long for a mail. Shorten it, or send them a link."))
    moment = _moment(moment, at)
    if not_after is not None and person is not None:
        raise ValueError("what is sent at most once goes to colleagues, whom pacing does not guard")
    if not_after is not None and not_after <= moment:
        raise Refused(_("This mail would come too late."))
    if mailbox is not None and not may_send_through(mailbox, by):
        raise Refused(_("This mailbox cannot send mail for you. Choose another sender."))
    locks.hold("mail", by.pk if by else 0, to)
    twice = OutgoingMail.objects.filter(
        to=to, subject=subject, body=body, by=by, person=person, calendar=calendar,
        created_at__gt=at - DOUBLE_CLICK, cancelled_at=None,
    ).first()  # fmt: skip
    if twice is not None:
        return twice
    if person is not None:
        answer = pacing.may_contact(person, ConversationKind.EMAIL, moment, by=by, address=to)
        if isinstance(answer, pacing.Never):
            raise Refused(answer.why)
        if isinstance(answer, pacing.TooSoon) and not override.strip():
            raise TooEarly(answer)
    return OutgoingMail.objects.create(
        to=to,
        subject=subject,
        body=body,
        reply_to=(by.email or "") if by else "",
        lead=lead,
        person=person,
        deal=deal,
        mailbox=mailbox,
        template=template,
        message_id=f"{uuid4().hex}@{smtp.domain(mailbox.address if mailbox else settings.DEFAULT_FROM_EMAIL)}",
        **_thread(answers),
        is_information=is_information,
        is_to_several=is_to_several,
        calendar=calendar,
        calendar_method=calendar_method,
        override=override.strip()[:300],
        by=by,
        created_at=at,
        try_at=moment,
        not_after=not_after,
    )


@transaction.atomic
def put_each(
    *,
    drafts: Iterable[Draft],
    by: User | None,
    at: datetime,
    mailbox: Mailbox | None = None,
    template: MailTemplate | None = None,
    is_information: bool = False,
    moment: datetime | None = None,
) -> tuple[list[OutgoingMail], list[tuple[Person, str]]]:
    """A mail of their own waits for each of them, with a way to unsubscribe. Returns the mails, and who was left out and why."""
    mails, left_out = [], []
    for draft in drafts:
        try:
            mails.append(
                put(
                    to=draft.to,
                    subject=draft.subject,
                    body=draft.body,
                    person=draft.person,
                    mailbox=mailbox,
                    template=template,
                    is_information=is_information,
                    is_to_several=True,
                    moment=moment,
                    by=by,
                    at=at,
                )
            )
        except Refused as refusal:
            left_out.append((draft.person, str(refusal)))
    return mails, left_out


def address_of(person: Person) -> EmailAddress | None:
    """Where to write to them: the preferred address, else the one known longest; one from which mail came back only when there is no other."""
    known = list(person.email_addresses.all())
    return next((address for address in known if address.bounced_at is None), known[0] if known else None)


def logged_as(*, mail: OutgoingMail, conversation: Conversation) -> None:
    """The verb that put this mail has logged it already, so sending it logs nothing more. Needs the transaction in which it was put."""
    mail.conversation = conversation
    mail.save(update_fields=["conversation"])


def may_send_through(mailbox: Mailbox, user: User | None) -> bool:
    """Whether this user's mail can go out by this mailbox: it is theirs or shared, connected, and has a server that sends."""
    return mailbox.is_active and bool(mailbox.smtp_host) and mailbox.owner_id in (None, user.pk if user else None)


def _moment(moment: datetime | None, at: datetime) -> datetime:
    if moment is None:
        return at
    if moment < at:
        raise Refused(_("Choose a moment in the future, or send it now."))
    if moment > at + LATEST:
        raise Refused(_("Choose a moment within a year."))
    return moment


def _thread(answers: MailMessage | None) -> dict[str, object]:
    """The headers that keep an answer in its thread. A message that came without an id has nothing to point at."""
    if answers is None or "@" not in answers.key:
        return {}
    earlier: list[str] = []
    if answers.thread:
        thread = MailMessage.objects.filter(thread=answers.thread, sent_at__lt=answers.sent_at or F("taken_at"))
        earlier = [key for key in thread.order_by("sent_at", "id").values_list("key", flat=True) if "@" in key]
    root = [answers.thread] if "@" in answers.thread else []
    chain = list(dict.fromkeys([*root, *earlier[-MOST_REFERENCES:], answers.key]))
    chain.append(chain.pop(chain.index(answers.key)))
    return {"in_reply_to": answers.key, "references": chain}
