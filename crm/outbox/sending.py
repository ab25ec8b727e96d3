"""Send what waits, unless it may not be sent any more, and remember what was sent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm import conversations, events, permission, sealed, unsubscribing, wording
from crm.channels import smtp
from crm.models import ConversationKind, Direction, EventKind, MailMessage, MessageState, OutgoingMail
from crm.outbox.deciding import forget_conversation
from crm.outbox.writing import may_send_through
from crm.permission import TooEarly
from crm.refusal import Refused

CLAIM = timedelta(minutes=10)
MOST_TRIES = 8

log = logging.getLogger(__name__)


def send_due(*, at: datetime) -> int:
    """Every mail whose moment has come and which may be sent is sent, or will be tried again later (1, 2, 4 … hours; eight tries). One that may
    not be sent now is held back, for who wrote it to decide. Returns how many were sent."""
    due = OutgoingMail.objects.due(at).filter(tries__lt=MOST_TRIES).order_by("try_at", "id")
    return sum(_send(*claim, at) for claim in due.values_list("pk", "try_at", "tries")[:500])


def _send(pk: int, try_at: datetime, tries: int, at: datetime) -> bool:
    waiting = OutgoingMail.objects.waiting().filter(pk=pk)
    if not waiting.filter(try_at=try_at).update(try_at=at + CLAIM, tries=tries + 1):
        return False
    try:
        with transaction.atomic():
            if not waiting.select_for_update().values_list("pk").first():
                return False  # Cancelled at the last moment.
            mail = waiting.select_related("person", "lead", "deal__lead", "mailbox", "by", "conversation").get()
            if MailMessage.objects.filter(key=mail.message_id).exclude(key="").exists():
                return _was_sent(mail, at)
            if why := _reason_to_hold(mail, at):
                _hold(mail, why, at)
                return False
            _remember(mail, at)
            smtp.send(_letter(mail), _server(mail))
    except (smtp.NotSent, sealed.CannotOpen, Refused, DatabaseError) as error:
        # What a database says may hold words of the mail itself, which belong in no log.
        said = type(error).__name__ if isinstance(error, DatabaseError) else str(error)
        log.warning("mail %s was not sent: %s", pk, said)
        is_final = isinstance(error, smtp.NotSent) and error.is_final
        failure = said or _("The password of the mailbox cannot be read any more. Connect it again.")
        OutgoingMail.objects.filter(pk=pk).update(
            try_at=at + timedelta(hours=2**tries),
            failure=failure.replace("\0", "")[:1000],
            tries=MOST_TRIES if is_final else tries + 1,
        )
        return False
    return True


def _reason_to_hold(mail: OutgoingMail, at: datetime) -> str:
    """Why this mail may not be sent now, or nothing. A reason to send it all the same is kept as an event."""
    if mail.person is None:
        return ""
    with translation.override(mail.by.language if mail.by else settings.LANGUAGE_CODE):
        came_back = mail.person.email_addresses.filter(address=mail.to.lower(), bounced_at__gt=mail.created_at)
        if not mail.override and came_back.exists():
            return _("Mail to %(address)s came back since. Ask them for another address.") % {"address": mail.to}
        try:
            permission.obtain(
                person=mail.person,
                channel=ConversationKind.EMAIL,
                by=mail.by,
                at=at,
                address=mail.to,
                override=mail.override,
            )
        except TooEarly as refusal:
            # One that is logged already was found in time when it was put, and would wait for itself.
            return "" if mail.conversation_id else str(refusal)
        except Refused as refusal:
            return str(refusal)
    return ""


def _hold(mail: OutgoingMail, why: str, at: datetime) -> None:
    forget_conversation(mail, by=None, at=at)
    OutgoingMail.objects.filter(pk=mail.pk).update(held_at=at, held_why=why[:300], failure="")
    events.record(
        EventKind.MAIL_HELD,
        subject=mail,
        by=None,
        at=at,
        person=mail.person,
        lead=mail.lead,
        deal=mail.deal,
        new={"to": mail.to, "subject": mail.subject, "why": why},
    )


def _remember(mail: OutgoingMail, at: datetime) -> None:
    """What is true when the server has taken it: sent, logged, and the latest message of its thread."""
    if mail.conversation is None and mail.person is not None:
        mail.conversation = conversations.log(
            people=[mail.person],
            kind=ConversationKind.EMAIL,
            direction=Direction.OUTGOING,
            subject=mail.subject,
            summary=mail.body,
            is_information=mail.is_information,
            lead=mail.lead,
            deal=mail.deal,
            by=mail.by,
            at=at,
            private_to=conversations.kept_by(mail.by, answering=[mail.in_reply_to, *mail.references]),
        )
    if not mail.message_id:  # Put before mails had one.
        mail.message_id = f"{uuid4().hex}@{smtp.domain(settings.DEFAULT_FROM_EMAIL)}"
    MailMessage.objects.create(
        key=mail.message_id,
        thread=mail.references[0] if mail.references else mail.message_id,
        state=MessageState.TAKEN,
        mailbox=mail.mailbox,
        conversation=mail.conversation,
        direction=Direction.OUTGOING,
        subject=mail.subject,
        from_name=str(mail.by or ""),
        from_address=mail.mailbox.address if mail.mailbox else mail.reply_to,
        to=[mail.to],
        sent_at=at,
        taken_at=at,
        text=mail.body,
    )
    mail.sent_at, mail.failure = at, ""
    mail.save(update_fields=["sent_at", "failure", "message_id", "conversation"])


def _was_sent(mail: OutgoingMail, at: datetime) -> bool:
    """A worker sent it and died before it could say so: its copy was found in a folder of sent mail since."""
    found = MailMessage.objects.select_related("conversation").get(key=mail.message_id)
    if mail.conversation is None and found.conversation is not None:
        mail.conversation = found.conversation
    mail.sent_at, mail.failure = found.sent_at or at, ""
    mail.save(update_fields=["sent_at", "failure", "conversation"])
    return True


def _letter(mail: OutgoingMail) -> smtp.Letter:
    is_to_several = mail.is_to_several and mail.person is not None
    text = mail.body
    if is_to_several and mail.person is not None:
        text += f"\n\n-- \n{unsubscribing.foot(mail.person, wording.language_of(mail.person))}"
    own = mail.mailbox if mail.mailbox and may_send_through(mail.mailbox, mail.by) else None
    return smtp.Letter(
        sender=smtp.sender(str(mail.by or ""), own.address) if own else settings.DEFAULT_FROM_EMAIL,
        to=mail.to,
        subject=mail.subject,
        text=text,
        message_id=mail.message_id,
        reply_to="" if own else mail.reply_to,
        in_reply_to=mail.in_reply_to,
        references=tuple(mail.references),
        calendar=mail.calendar,
        calendar_method=mail.calendar_method,
        unsubscribe=unsubscribing.link(mail.person) if is_to_several and mail.person else "",
    )


def _server(mail: OutgoingMail) -> smtp.Server | None:
    box = mail.mailbox
    if box is None or not may_send_through(box, mail.by):
        return None
    return smtp.Server(
        box.smtp_host, box.smtp_port, box.username, sealed.unseal(box.sealed_password), security=box.smtp_security
    )
