"""Send what waits, unless it may not be sent any more, and remember what was sent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat, Left, Trim
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
SOON = timedelta(minutes=10)
"""After this a mail that may go for some hours only is tried again for the first time; then after twice as long, and so on."""

log = logging.getLogger(__name__)


def send_due(*, at: datetime) -> int:
    """Every mail whose moment has come and which may be sent is sent, or will be tried again later (1, 2, 4 … hours; eight tries). One that may
    not be sent now is held back, for who wrote it to decide; one that may not be sent any more (`not_after`) is dropped, with why. Those that
    can come too late go first. Returns how many were sent."""
    _drop_late(at)
    due = OutgoingMail.objects.due(at).filter(tries__lt=MOST_TRIES)
    due = due.order_by(F("not_after").asc(nulls_last=True), "try_at", "id")
    claims = list(due.values_list("pk", "try_at", "tries", "not_after")[:500])
    return sum(
        _send(pk, try_at, tries, at) if not_after is None else _send_once(pk, try_at, tries, at)
        for pk, try_at, tries, not_after in claims
    )


def _drop_late(at: datetime) -> None:
    """What would come too late is not sent; why stands before what went wrong with it, if anything did."""
    late = OutgoingMail.objects.waiting().filter(not_after__lte=at)
    why = Concat(Value(_("It was too late to send it. ")), "failure", output_field=TextField())
    late.update(cancelled_at=at, failure=Left(Trim(why), 1000))


def _send_once(pk: int, try_at: datetime, tries: int, at: datetime) -> bool:
    """Dropped first, and committed; then sent; then no longer dropped, since it was sent. So whoever dies in between, or hears nothing from the
    server any more, leaves a mail that nobody takes up again. Only one that a server certainly did not take is tried again, while it may be."""
    waiting = OutgoingMail.objects.waiting().filter(pk=pk, try_at=try_at, not_after__gt=at)
    begun = _("It was begun, and nobody knows whether it arrived. So it is not sent again.")
    with transaction.atomic(durable=True):
        if not waiting.update(cancelled_at=at, failure=begun, tries=tries + 1):
            return False
    mail = OutgoingMail.objects.select_related("person", "mailbox", "by", "conversation", "lead", "deal").get(pk=pk)
    try:
        smtp.send(_letter(mail), _server(mail))
        with transaction.atomic():
            _remember(mail, at)
    except DatabaseError as error:
        log.warning("mail %s was sent, and that could not be written down: %s", pk, type(error).__name__)
        return False
    except (smtp.NotSent, sealed.CannotOpen) as error:
        log.warning("mail %s was not sent: %s", pk, error)
        failure = _failure(str(error))
        if isinstance(error, smtp.NotSent) and error.is_uncertain:
            mail.failure = f"{begun} {failure}"[:1000]
        else:
            is_final = isinstance(error, smtp.NotSent) and error.is_final
            mail.cancelled_at, mail.failure, mail.try_at = None, failure, at + SOON * 2**tries
            mail.tries = MOST_TRIES if is_final else mail.tries
        mail.save(update_fields=["cancelled_at", "failure", "try_at", "tries"])
        return False
    return True


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
        OutgoingMail.objects.filter(pk=pk).update(
            try_at=at + timedelta(hours=2**tries),
            failure=_failure(said),
            tries=MOST_TRIES if is_final else tries + 1,
        )
        return False
    return True


def _failure(said: str) -> str:
    """What went wrong, as it is kept. A password that cannot be opened says nothing by itself."""
    failure = said or _("The password of the mailbox cannot be read any more. Connect it again.")
    return failure.replace("\0", "")[:1000]


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
    mail.sent_at, mail.cancelled_at, mail.failure = at, None, ""
    mail.save(update_fields=["sent_at", "cancelled_at", "failure", "message_id", "conversation"])


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
