"""Decide about a mail that waits: not to send it, to send it all the same, to try it again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import conversations, pacing
from crm.models import ConversationKind, OutgoingMail, User
from crm.refusal import Refused


@transaction.atomic
def cancel(*, mail: OutgoingMail, by: User | None, at: datetime) -> None:
    """The mail is not sent, and a conversation that was logged for it is gone. Refuses one that is gone or on its way. Twice is once."""
    mail = _held(mail)
    if mail.cancelled_at is None:
        forget_conversation(mail, by=by, at=at)
        OutgoingMail.objects.filter(pk=mail.pk).update(cancelled_at=at)


@transaction.atomic
def release(*, mail: OutgoingMail, why: str, by: User | None, at: datetime) -> None:
    """A mail that was held back waits to be sent again, now in spite of pacing, for the reason `why`. Refuses without a reason, and when they
    asked us not to write."""
    mail = _held(mail)
    if mail.cancelled_at is not None:
        raise Refused(_("This mail was dropped. Write it again."))
    if mail.held_at is None:
        return
    if not why.strip():
        raise Refused(_("Say in a few words why it should be sent all the same."))
    if mail.person is not None:
        answer = pacing.may_contact(mail.person, ConversationKind.EMAIL, at, by=mail.by, address=mail.to)
        if isinstance(answer, pacing.Never):
            raise Refused(answer.why)
    OutgoingMail.objects.filter(pk=mail.pk).update(
        held_at=None, held_why="", override=why.strip()[:300], try_at=at, tries=0
    )


@transaction.atomic
def try_again(*, mail: OutgoingMail, by: User | None, at: datetime) -> None:
    """A mail that could not be sent is tried now, and then as often as a new one. Refuses one that is gone or on its way."""
    mail = _held(mail)
    if mail.held_at is None and mail.cancelled_at is None and mail.tries:
        OutgoingMail.objects.filter(pk=mail.pk).update(try_at=at, tries=0)


def forget_conversation(mail: OutgoingMail, *, by: User | None, at: datetime) -> None:
    """What was logged for a mail that is not sent after all was never said."""
    if mail.conversation is not None:
        conversations.delete(conversation=mail.conversation, by=by, at=at)
        mail.conversation = None


def _held(mail: OutgoingMail) -> OutgoingMail:
    """The mail as it is now, locked; refuses one that was sent, or that a worker is sending at this moment."""
    rows = OutgoingMail.objects.filter(pk=mail.pk)
    if not rows.select_for_update(skip_locked=True, no_key=True).values_list("pk").first():
        raise Refused(_("This mail is being sent at this very moment, so it is too late."))
    now = rows.select_related("person", "by", "conversation").get()
    if now.sent_at is not None:
        raise Refused(_("This mail was sent already, so it is too late."))
    return now
