"""What somebody's calendar answers to an invitation of ours, as it comes by mail, stands on the appointment.

Only who was invited answers: the reply must name the address to which the invitation went (or, for the host, one of theirs), and the mail must come
from it or from another address that we know as the same person's. Of the time before a move it says nothing any more.

A click on *accept* is an answer, and no word: such a mail is a notice, which leaves last contact as it was. What they wrote along with it is a
conversation like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm import appointments
from crm.appointments import inviting
from crm.channels import calendar
from crm.channels.calendar import Reply
from crm.channels.email import ReadMail
from crm.models import Appointment, AttendeeAnswer


@dataclass(frozen=True)
class Heard:
    """An answer to an invitation of ours. `words` is what they wrote along with it; `is_old` when it was to an earlier time."""

    words: str = ""
    is_old: bool = False


def hear(mail: ReadMail, *, at: datetime) -> Heard | None:
    """The answer in this mail is known to the appointment. `None` when it answers no invitation of ours, or comes from somebody who was not invited:
    then nothing has changed, and it is a mail like any other."""
    reply = _read(mail)
    if reply is None:
        return None
    appointment = Appointment.objects.select_related("user", "person").filter(uid=reply.uid).first()
    sender = mail.sender.address if mail.sender else ""
    if appointment is None:
        return None
    is_host = _is_theirs(reply.address, sender, inviting.addresses_of(appointment.user))
    if not is_host and not _is_invited(appointment, reply.address, sender):
        return None
    is_old = reply.sequence < appointment.sequence
    if not is_old and reply.answer != AttendeeAnswer.NONE:
        appointments.answer(
            appointment=appointment, answer=reply.answer, asks_for=reply.asks_for, at=at, is_host=is_host
        )
    # What colleagues write each other is no conversation with anybody.
    return Heard("" if is_host else _words(mail, reply), is_old)


def _read(mail: ReadMail) -> Reply | None:
    if not mail.calendar:
        return None
    try:
        return calendar.read_reply(mail.calendar)
    except calendar.Unreadable:
        return None


def _is_invited(appointment: Appointment, address: str, sender: str) -> bool:
    invited = appointment.invited_at.lower()
    known = set(appointment.person.email_addresses.values_list("address", flat=True))
    return bool(invited) and address == invited and sender in known | {invited}


def _is_theirs(address: str, sender: str, known: set[str]) -> bool:
    return address in known and sender in known


def _words(mail: ReadMail, reply: Reply) -> str:
    """Google and Apple write a text of their own around an answer; others write what somebody typed."""
    return reply.comment if reply.comment or reply.has_ready_text else mail.text.strip()
