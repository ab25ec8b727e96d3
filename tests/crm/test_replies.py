"""What calendars answer to an invitation by mail stands on the appointment, when it comes from who was invited and is about the time as it is now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
from icalendar import Calendar

from crm import appointments, correspondence, mailboxes, outbox
from crm.models import (
    Appointment,
    AttendeeAnswer,
    Conversation,
    Direction,
    Event,
    EventKind,
    Lead,
    MailMessage,
    MailSecurity,
    MessageState,
    OutgoingMail,
    User,
)
from tests import make
from tests.mail import PASSWORD, ImapServer, SmtpServer, _own_pymap, one_imap_server, smtp_server
from tests.make import AT

__all__ = ["_own_pymap", "one_imap_server", "smtp_server"]

pytestmark = pytest.mark.django_db

OUTLOOK = "-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN"
GOOGLE = "-//Google Inc//Google Calendar 70.9054//EN"
APPLE = "-//Apple Inc.//macOS 14.5//EN"
_numbers = count(1)


def reply(
    appointment: Appointment,
    answer: str = "ACCEPTED",
    *,
    address: str = "luc@maes.example",
    sender: str = "",
    sequence: int | None = None,
    maker: str = OUTLOOK,
    text: str = "",
    comment: str = "",
    method: str = "REPLY",
    as_file: bool = False,
) -> bytes:
    """The mail by which a calendar answers."""
    inside = [
        "BEGIN:VEVENT", f"ATTENDEE;PARTSTAT={answer};CN=Luc Maes:mailto:{address}", *([f"COMMENT:{comment}"] if comment else []),
        f"UID:{appointment.uid}", f"SEQUENCE:{appointment.sequence if sequence is None else sequence}", "DTSTAMP:20261123T100000Z",
        *(["DTSTART:20261126T090000Z"] if method == "COUNTER" else []), "END:VEVENT",
    ]  # fmt: skip
    lines = ["BEGIN:VCALENDAR", f"PRODID:{maker}", "VERSION:2.0", f"METHOD:{method}", *inside, "END:VCALENDAR", ""]
    mail = EmailMessage()
    mail["From"], mail["To"] = sender or f"Luc Maes <{address}>", "els@kring.test"
    mail["Subject"], mail["Date"] = "Accepted: De opleiding", AT
    mail["Message-ID"] = f"<reply-{next(_numbers)}@maes.example>"
    mail.set_content(text or "\n")
    content = "\r\n".join(lines)
    if as_file:
        mail.add_attachment(content.encode(), maintype="application", subtype="ics", filename="invite.ics")
    else:
        mail.add_alternative(content, subtype="calendar", params={"method": method})
    return mail.as_bytes()


@pytest.fixture
def booked(account_manager: User, sdr: User) -> Appointment:
    who = make.person("Luc Maes", email="luc@maes.example")
    return make.appointment(account_manager, person=who, by=sdr, subject="De opleiding")


def take(raw: bytes, to: User) -> MailMessage:
    return correspondence.take_in(raw=raw, at=AT, user=to)


def answers(appointment: Appointment) -> tuple[str, str]:
    appointment.refresh_from_db()
    return appointment.answer, appointment.host_answer


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ({"answer": "ACCEPTED"}, AttendeeAnswer.ACCEPTED),
        ({"answer": "TENTATIVE", "maker": GOOGLE, "text": "Luc Maes has replied Maybe to this invitation."}, AttendeeAnswer.TENTATIVE),
        ({"answer": "DECLINED", "maker": APPLE, "text": "Luc Maes has declined your invitation.", "as_file": True}, AttendeeAnswer.DECLINED),
    ],
)  # fmt: skip
def test_an_answer_stands_on_the_appointment_and_is_no_conversation(
    booked: Appointment, account_manager: User, raw: dict[str, Any], answer: str
):
    message = take(reply(booked, **raw), account_manager)
    assert answers(booked) == (answer, "none")
    assert (message.state, message.conversation) == (MessageState.NOTICE, None)
    assert Conversation.objects.count() == 0
    assert booked.person.last_contact_at is None
    [event] = Event.objects.filter(kind=EventKind.APPOINTMENT_ANSWERED)
    assert event.person == booked.person


def test_what_they_write_along_is_a_conversation(booked: Appointment, account_manager: User):
    message = take(reply(booked, "DECLINED", text="Sorry, I am abroad that week."), account_manager)
    assert answers(booked)[0] == AttendeeAnswer.DECLINED
    assert (message.state, message.is_automatic) == (MessageState.TAKEN, False)
    assert message.conversation is not None
    assert (message.conversation.summary, message.conversation.direction) == ("Sorry, I am abroad that week.", Direction.INCOMING)  # fmt: skip


def test_a_no_is_told_to_the_host_and_to_who_arranged_it(booked: Appointment, account_manager: User, sdr: User):
    OutgoingMail.objects.all().delete()
    take(reply(booked, "DECLINED"), account_manager)
    take(reply(booked, "DECLINED"), account_manager)
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {account_manager.email, sdr.email}
    assert OutgoingMail.objects.count() == 2


def test_who_asks_for_another_time_says_perhaps_and_their_words_are_kept(
    booked: Appointment, account_manager: User, sdr: User
):
    OutgoingMail.objects.all().delete()
    message = take(reply(booked, "ACCEPTED", method="COUNTER", comment="Thursday is better"), account_manager)
    assert answers(booked)[0] == AttendeeAnswer.TENTATIVE
    told = OutgoingMail.objects.filter(subject__contains="asks for another time")
    assert {mail.to for mail in told} == {account_manager.email, sdr.email}
    assert message.conversation is not None
    assert message.conversation.summary == "Thursday is better"


def test_an_answer_to_an_earlier_time_changes_nothing_and_is_noted(
    booked: Appointment, account_manager: User, sdr: User
):
    moved = appointments.move(appointment=booked, starts_at=booked.starts_at + timedelta(days=1), by=sdr, at=AT)
    message = take(reply(moved, sequence=0), account_manager)
    assert answers(moved)[0] == AttendeeAnswer.NONE
    assert (message.state, message.reason) == (MessageState.NOTICE, "Answers an earlier time.")
    take(reply(moved, sequence=1), account_manager)
    assert answers(moved)[0] == AttendeeAnswer.ACCEPTED


@pytest.mark.parametrize(
    "forged",
    [
        {"address": "evil@x.example"},
        {"sender": "Evil <evil@x.example>"},
        {"address": "evil@x.example", "sender": "Luc Maes <luc@maes.example>"},
    ],
)
def test_nobody_else_answers_for_who_was_invited(
    booked: Appointment, account_manager: User, sdr: User, forged: dict[str, Any]
):
    take(reply(booked, "DECLINED", **forged), account_manager)
    assert answers(booked) == ("none", "none")
    assert not Event.objects.filter(kind=EventKind.APPOINTMENT_ANSWERED).exists()


def test_an_answer_to_somebody_elses_invitation_is_a_mail_like_any_other(booked: Appointment, account_manager: User):
    booked.uid = "unknown@elsewhere.example"
    message = take(reply(booked, text="See you"), account_manager)
    assert message.state == MessageState.TAKEN
    booked.refresh_from_db()
    assert booked.answer == AttendeeAnswer.NONE


def test_the_host_answers_from_a_calendar_of_their_own(booked: Appointment, account_manager: User, sdr: User):
    OutgoingMail.objects.all().delete()
    message = take(reply(booked, "DECLINED", address=account_manager.email or "", text="I am away"), sdr)
    assert answers(booked) == ("none", AttendeeAnswer.DECLINED)
    assert message.state == MessageState.NOTICE
    assert list(OutgoingMail.objects.values_list("to", flat=True)) == [sdr.email]


def test_an_answer_makes_no_lead_in_a_mailbox_that_makes_leads(booked: Appointment):
    box = make.mailbox(None, makes_leads=True)
    before = Lead.objects.count()
    raw = reply(booked, address="new@somewhere.example")
    assert correspondence.enquiry(raw, received_at=AT, mailbox=box, at=AT) is None
    assert Lead.objects.count() == before


@pytest.mark.stack
def test_from_the_invitation_that_is_sent_to_the_answer_that_is_fetched(
    one_imap_server: ImapServer, smtp_server: SmtpServer, account_manager: User
):
    at = datetime.now(UTC)
    mailboxes.connect(
        owner=account_manager, address="els@kring.test", username=one_imap_server.username, password=PASSWORD, by=account_manager,
        at=at, imap_host=one_imap_server.host, imap_port=one_imap_server.port, imap_security=MailSecurity.NONE, smtp_host=smtp_server.host,
        smtp_port=smtp_server.port, smtp_security=MailSecurity.NONE, reads_since=at.date() - timedelta(days=1),
    )  # fmt: skip
    who = make.person("Luc Maes", email="luc@maes.example")
    one = make.appointment(account_manager, person=who, starts_at=at + timedelta(days=2), at=at)
    outbox.send_due(at=at)

    [envelope] = [each for each in smtp_server.received if each.rcpt_tos == ["luc@maes.example"]]
    invitation = message_from_bytes(envelope.content or b"")  # type: ignore[arg-type]
    part: Any = next(each for each in invitation.walk() if each.get_content_type() == "text/calendar")
    asked: Any = Calendar.from_ical(part.get_payload(decode=True))
    [event] = asked.walk("VEVENT")
    assert (asked["METHOD"], event["ORGANIZER"]) == ("REQUEST", "mailto:els@kring.test")

    assert event["UID"] == one.uid
    one_imap_server.deliver(reply(one, "ACCEPTED", maker=OUTLOOK))
    box = account_manager.mailboxes.get()
    mailboxes.poll(mailbox_id=box.pk, at=datetime.now(UTC))
    assert answers(one)[0] == AttendeeAnswer.ACCEPTED
