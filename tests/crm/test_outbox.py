"""Mail is sent once, tried again when it fails, never lost by a worker that dies, and held back when it may not be sent any more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm import conversations, do_not_contact, leads, outbox, unsubscribing, verdicts
from crm.channels import smtp as smtp_channel
from crm.models import (
    Conversation,
    ConversationKind,
    Direction,
    Event,
    EventKind,
    MailMessage,
    MessageState,
    OutgoingMail,
    Person,
    ReadyReason,
    Scope,
    User,
)
from crm.permission import TooEarly
from crm.refusal import Refused
from crm.tasks import send_mail
from tests import make


def waiting(**fields: Any) -> OutgoingMail:
    given: dict[str, Any] = {
        "to": "sofie@notelaar.example",
        "subject": "Your question",
        "body": "Thank you.",
        "by": None,
    }
    return outbox.put(**given | fields, at=make.AT)


class LoopbackServer:
    """As much of RFC 5321 as one mail needs. It keeps what it was given."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self.socket.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as wire:
                self._speak(wire)

    def _speak(self, wire: Any) -> None:
        def say(line: str) -> None:
            wire.write(line.encode() + b"\r\n")
            wire.flush()

        say("220 loopback")
        while line := wire.readline():
            word = line.strip().upper().partition(b" ")[0]
            if word == b"DATA":
                say("354 go on")
                text = b""
                while (part := wire.readline()) != b".\r\n":
                    text += part
                self.mails.append(text.decode())
            say("221 bye" if word == b"QUIT" else "250 fine")
            if word == b"QUIT":
                return


@pytest.fixture
def smtp(settings: Any) -> Iterator[LoopbackServer]:
    server = LoopbackServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
    yield server
    server.socket.close()


@contextmanager
def nobody_answers(settings: Any) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    yield
    settings.EMAIL_BACKEND = backend


def test_a_server_that_speaks_without_end_keeps_nobody_waiting() -> None:
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        client, _address = listener.accept()
        with client, suppress(OSError):
            while not ended.wait(0.05):
                client.sendall(b"2")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        server = smtp_channel.Server("127.0.0.1", listener.getsockname()[1], "sofie", "x", security="none")
        with pytest.raises(smtp_channel.NotSent, match="no answer"):
            smtp_channel.try_out(server, within=0.5)
        ended.set()


@pytest.mark.django_db
def test_a_mail_arrives_with_the_writer_as_the_one_to_answer(smtp: LoopbackServer) -> None:
    writer = make.user("Noor", email="noor@kring.example")
    row = waiting(by=writer, subject="Your\nquestion", body="Thank you.\n\nNoor")
    assert outbox.send_due(at=make.AT) == 1
    (text,) = smtp.mails
    assert "To: sofie@notelaar.example" in text
    assert "Reply-To: noor@kring.example" in text
    assert "Subject: Your question" in text
    assert "Thank you." in text
    row.refresh_from_db()
    assert (row.sent_at, row.tries, row.failure) == (make.AT, 1, "")


@pytest.mark.django_db
def test_sending_twice_sends_once() -> None:
    waiting()
    assert outbox.send_due(at=make.AT) == 1
    assert outbox.send_due(at=make.AT + timedelta(days=1)) == 0
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_a_mail_that_fails_says_why_and_is_tried_again_later(settings: Any) -> None:
    row = waiting()
    with nobody_answers(settings):
        assert outbox.send_due(at=make.AT) == 0
    row.refresh_from_db()
    assert row.sent_at is None
    assert row.failure
    assert row.try_at == make.AT + timedelta(hours=1)
    assert outbox.send_due(at=make.AT + timedelta(minutes=59)) == 0
    assert outbox.send_due(at=make.AT + timedelta(hours=1)) == 1
    row.refresh_from_db()
    assert row.failure == ""


@pytest.mark.django_db
def test_what_a_mail_says_stands_in_no_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def clash(*args: Any) -> None:
        raise IntegrityError("DETAIL: Failing row contains (1, Between us)")

    row = waiting()
    monkeypatch.setattr("crm.outbox.sending._remember", clash)
    outbox.send_due(at=make.AT)
    row.refresh_from_db()
    assert row.failure == "IntegrityError"
    assert "was not sent" in caplog.text
    assert "Between us" not in caplog.text


@pytest.mark.django_db
def test_a_mail_that_always_fails_is_left_after_eight_tries(settings: Any) -> None:
    row = waiting()
    moment = make.AT
    with nobody_answers(settings):
        for _ in range(12):
            moment += timedelta(days=30)
            outbox.send_due(at=moment)
    row.refresh_from_db()
    assert row.tries == outbox.MOST_TRIES
    assert OutgoingMail.objects.filter(sent_at__isnull=True).count() == 1


@pytest.mark.django_db
def test_one_impossible_mail_does_not_hold_up_the_others() -> None:
    waiting(to="bad\naddress@x.example")
    waiting(to="good@x.example")
    assert outbox.send_due(at=make.AT) == 1
    assert mail.outbox[0].to == ["good@x.example"]


@pytest.mark.django_db
def test_what_a_dead_worker_claimed_is_sent_after_the_claim_has_run_out() -> None:
    row = waiting()
    OutgoingMail.objects.filter(pk=row.pk).update(try_at=make.AT + outbox.CLAIM, tries=1)
    assert outbox.send_due(at=make.AT + timedelta(minutes=9)) == 0
    assert outbox.send_due(at=make.AT + outbox.CLAIM) == 1


@pytest.mark.django_db
def test_the_task_sends_what_waits() -> None:
    outbox.put(to="sofie@notelaar.example", subject="Hello", body="Thank you.", by=None, at=timezone.now())
    send_mail()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_send_the_same_mail() -> None:
    for number in range(10):
        waiting(to=f"{number}@x.example")

    def work(_number: int) -> int:
        try:
            return outbox.send_due(at=make.AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(work, range(3))) == 10
    assert sorted(sent.to[0] for sent in mail.outbox) == [f"{number}@x.example" for number in range(10)]


# ---- What is true of a mail that was sent -------------------------------------------------------------------------


def to_somebody(by: User | None, person: Person | None = None, **fields: Any) -> OutgoingMail:
    person = person or make.person("Lotte Maes")
    address = person.email_addresses.all()[0].address
    given: dict[str, Any] = {"to": address, "subject": "The dates", "body": "Is the second week good?", "by": by}
    return outbox.put(**given | fields, person=person, at=fields.pop("at", make.AT))


def barred(person: Person, at: Any = make.AT, **fields: Any) -> None:
    do_not_contact.bar(
        scope=Scope.MAIL, person=person, reason="asked for peace", source="by phone", by=None, at=at, **fields
    )


def first() -> Any:
    """The one mail that went out, as it was handed over."""
    (sent,) = mail.outbox
    return sent


@pytest.mark.django_db
def test_a_mail_that_was_sent_is_a_conversation_and_a_message_of_its_thread(sdr: User) -> None:
    row = to_somebody(sdr, is_information=True)
    assert not Conversation.objects.exists(), "nothing was said before it is sent"
    later = make.AT + timedelta(minutes=3)
    assert outbox.send_due(at=later) == 1
    row.refresh_from_db()
    said = row.conversation
    assert said is not None
    assert (said.kind, said.direction, said.subject) == (ConversationKind.EMAIL, Direction.OUTGOING, "The dates")
    assert (said.summary, said.at, said.by, said.is_information) == ("Is the second week good?", later, sdr, True)
    message = MailMessage.objects.get(key=row.message_id)
    assert (message.conversation, message.state, message.direction) == (said, MessageState.TAKEN, Direction.OUTGOING)
    assert message.thread == row.message_id
    assert row.person is not None
    row.person.refresh_from_db()
    assert (row.person.last_contact_at, row.person.last_reply_at) == (later, None)
    assert first().extra_headers["Message-ID"] == f"<{row.message_id}>"


@pytest.mark.django_db
def test_a_mail_that_cannot_be_sent_was_never_said(sdr: User, settings: Any) -> None:
    to_somebody(sdr)
    with nobody_answers(settings):
        assert outbox.send_due(at=make.AT) == 0
    assert not Conversation.objects.exists()
    assert not MailMessage.objects.exists()


@pytest.mark.django_db
def test_an_answer_points_at_what_it_answers_and_at_its_thread(sdr: User) -> None:
    person = make.person("Lotte Maes")
    for number in (1, 2):
        MailMessage.objects.create(
            key=f"{number}@lotte.example",
            thread="1@lotte.example",
            state=MessageState.TAKEN,
            direction=Direction.INCOMING,
            sent_at=make.AT - timedelta(days=3 - number),
            taken_at=make.AT,
            conversation=make.conversation(person, by=sdr, direction=Direction.INCOMING, kind=ConversationKind.EMAIL),
        )
    answered = MailMessage.objects.get(key="2@lotte.example")
    row = to_somebody(sdr, person, answers=answered)
    assert row.in_reply_to == "2@lotte.example"
    assert row.references == ["1@lotte.example", "2@lotte.example"]
    outbox.send_due(at=make.AT)
    assert MailMessage.objects.get(key=row.message_id).thread == "1@lotte.example"
    assert first().extra_headers["References"] == "<1@lotte.example> <2@lotte.example>"
    assert first().extra_headers["In-Reply-To"] == "<2@lotte.example>"


def test_an_answer_to_what_its_writer_keeps_private_is_private_too(sdr: User) -> None:
    person = make.person("Lotte Maes")
    said = make.conversation(person, by=sdr, direction=Direction.INCOMING, kind=ConversationKind.EMAIL)
    answered = MailMessage.objects.create(
        key="1@lotte.example", state=MessageState.TAKEN, sent_at=make.AT, taken_at=make.AT, conversation=said
    )
    conversations.keep_private(conversation=said, by=sdr, at=make.AT)
    row = to_somebody(sdr, person, answers=answered)
    outbox.send_due(at=make.AT)
    row.refresh_from_db()
    assert row.conversation is not None
    assert row.conversation.private_to == sdr


@pytest.mark.django_db
def test_what_a_verb_logged_already_is_not_logged_again(sdr: User) -> None:
    lead = make.lead()
    said = leads.answer(lead=lead, message="Gladly. Monday?", by=sdr, at=make.AT)
    assert outbox.send_due(at=make.AT) == 1
    assert Conversation.objects.count() == 1
    row = OutgoingMail.objects.get()
    assert row.conversation == said
    assert MailMessage.objects.get().conversation == said


@pytest.mark.django_db
def test_a_kind_no_is_logged_once_as_well(sdr: User) -> None:
    lead = make.working_lead(sdr)
    verdicts.decline(lead=lead, reason=ReadyReason.NO_NEED, message="Thank you.", by=sdr, at=make.AT)
    assert outbox.send_due(at=make.AT) == 1
    assert OutgoingMail.objects.get().conversation == Conversation.objects.get()


@pytest.mark.django_db
def test_a_mail_is_plain_text_that_reports_nothing_back(sdr: User) -> None:
    to_somebody(sdr)
    outbox.send_due(at=make.AT)
    message = first().message()
    assert message.get_content_type() == "text/plain"
    assert not message.is_multipart()
    text = message.get_payload(decode=True).decode()
    assert "http" not in text
    assert text.strip() == "Is the second week good?"


@pytest.mark.django_db
def test_the_copy_in_a_folder_of_sent_mail_ends_the_matter(sdr: User) -> None:
    """The server took it and the worker died before it could say so; then the mailbox was read."""
    row = to_somebody(sdr)
    OutgoingMail.objects.filter(pk=row.pk).update(try_at=make.AT, tries=1)
    said = make.conversation(row.person, by=sdr, kind=ConversationKind.EMAIL, direction=Direction.OUTGOING)
    MailMessage.objects.create(
        key=row.message_id, state=MessageState.TAKEN, conversation=said, sent_at=make.AT, taken_at=make.AT
    )
    assert outbox.send_due(at=make.AT + timedelta(hours=1)) == 1
    row.refresh_from_db()
    assert (row.sent_at, row.conversation) == (make.AT, said)
    assert mail.outbox == []
    assert Conversation.objects.count() == 1


@pytest.mark.django_db
def test_a_crash_after_the_server_took_it_sends_it_again_under_the_same_id(
    sdr: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_somebody(sdr)
    genuine = smtp_channel.send

    class Died(BaseException):
        pass

    def dies(*args: Any) -> None:
        genuine(*args)
        raise Died

    monkeypatch.setattr(smtp_channel, "send", dies)
    with pytest.raises(Died):
        outbox.send_due(at=make.AT)
    monkeypatch.setattr(smtp_channel, "send", genuine)
    assert not Conversation.objects.exists()
    assert outbox.send_due(at=make.AT + outbox.CLAIM) == 1
    ids = {sent.extra_headers["Message-ID"] for sent in mail.outbox}
    assert (len(mail.outbox), len(ids), Conversation.objects.count()) == (2, 1, 1)


# ---- What may not be sent -----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": " "}, "subject"),
        ({"body": "\n"}, "Write something"),
        ({"body": "x" * 100_001}, "too long"),
        ({"moment": make.AT - timedelta(minutes=1)}, "future"),
        ({"moment": make.AT + timedelta(days=400)}, "within a year"),
    ],
)
def test_an_impossible_mail_is_refused_in_words(sdr: User, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        to_somebody(sdr, **fields)
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_the_same_mail_within_ten_minutes_is_one_mail(sdr: User) -> None:
    person = make.person()
    first_, again = to_somebody(sdr, person), to_somebody(sdr, person)
    assert first_ == again
    outbox.cancel(mail=first_, by=sdr, at=make.AT)
    assert to_somebody(sdr, person) != first_, "one that was dropped may be written again"


@pytest.mark.django_db
def test_nobody_who_asked_for_peace_is_written_to(sdr: User) -> None:
    person = make.person()
    barred(person)
    with pytest.raises(Refused, match="asked for peace"):
        to_somebody(sdr, person, override="I insist")
    do_not_contact.bar(
        scope=Scope.CONTACT, address="peace@x.example", reason="a wish", source="mail", by=None, at=make.AT
    )
    other = make.person(email="peace@x.example")
    with pytest.raises(Refused):
        to_somebody(sdr, other)
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_an_answer_and_a_kind_no_obey_the_same_wish(sdr: User) -> None:
    lead = make.working_lead(sdr)
    assert lead.person is not None
    barred(lead.person)
    with pytest.raises(Refused):
        leads.answer(lead=lead, message="Gladly.", by=sdr, at=make.AT)
    with pytest.raises(Refused):
        verdicts.decline(lead=lead, reason=ReadyReason.NO_NEED, message="Thank you.", by=sdr, at=make.AT)
    lead.refresh_from_db()
    assert lead.verdict == "undecided"
    assert not OutgoingMail.objects.exists()
    assert not Conversation.objects.exists()


@pytest.mark.django_db
def test_too_soon_asks_for_a_reason_which_is_kept_when_it_is_sent(sdr: User) -> None:
    person = make.person()
    make.conversation(
        person, by=sdr, kind=ConversationKind.EMAIL, direction=Direction.OUTGOING, is_information=True,
        at=make.AT - timedelta(hours=1),
    )  # fmt: skip
    with pytest.raises(TooEarly) as refusal:
        to_somebody(sdr, person)
    assert refusal.value.until > make.AT
    to_somebody(sdr, person, override="The hall is cancelled")
    assert not Event.objects.filter(kind=EventKind.PACING_OVERRIDDEN).exists(), "a draft contacts nobody"
    assert outbox.send_due(at=make.AT) == 1
    event = Event.objects.get(kind=EventKind.PACING_OVERRIDDEN)
    assert (event.person, event.by) == (person, sdr)
    assert event.new is not None
    assert event.new["why"] == "The hall is cancelled"


@pytest.mark.django_db
def test_whoever_is_barred_before_its_moment_gets_nothing(sdr: User) -> None:
    moment = make.AT + timedelta(days=7)
    row = to_somebody(sdr, moment=moment)
    assert outbox.send_due(at=moment - timedelta(minutes=1)) == 0
    assert row.person is not None
    barred(row.person)
    assert outbox.send_due(at=moment) == 0
    row.refresh_from_db()
    assert row.held_at == moment
    assert "asked for peace" in row.held_why
    event = Event.objects.get(kind=EventKind.MAIL_HELD)
    assert (event.person, event.subject_id) == (row.person, row.pk)
    assert outbox.send_due(at=moment + timedelta(days=30)) == 0
    assert (mail.outbox, Conversation.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_what_became_too_soon_is_held_back_and_sent_for_a_reason(sdr: User, outsider: User) -> None:
    moment = make.AT + timedelta(days=2)
    row = to_somebody(sdr, moment=moment)
    make.conversation(row.person, by=outsider, direction=Direction.OUTGOING, at=moment - timedelta(hours=2))
    assert outbox.send_due(at=moment) == 0
    row.refresh_from_db()
    assert "Otto de Wit" in row.held_why
    with pytest.raises(Refused, match="why"):
        outbox.release(mail=row, why=" ", by=sdr, at=moment)
    outbox.release(mail=row, why="Otto knows of it", by=sdr, at=moment)
    assert outbox.send_due(at=moment) == 1
    assert Event.objects.filter(kind=EventKind.PACING_OVERRIDDEN).count() == 1


@pytest.mark.django_db
def test_who_asked_for_peace_is_not_written_to_for_any_reason(sdr: User) -> None:
    row = to_somebody(sdr)
    assert row.person is not None
    barred(row.person)
    outbox.send_due(at=make.AT)
    with pytest.raises(Refused, match="asked for peace"):
        outbox.release(mail=row, why="It is important", by=sdr, at=make.AT)
    outbox.cancel(mail=row, by=sdr, at=make.AT)
    with pytest.raises(Refused, match="dropped"):
        outbox.release(mail=row, why="It is important", by=sdr, at=make.AT)


@pytest.mark.django_db
def test_a_mail_to_an_address_that_came_back_meanwhile_is_held_back(sdr: User) -> None:
    row = to_somebody(sdr)
    assert row.person is not None
    row.person.email_addresses.update(bounced_at=make.AT + timedelta(seconds=1), bounce_why="unknown")
    assert outbox.send_due(at=make.AT + timedelta(minutes=1)) == 0
    row.refresh_from_db()
    assert "came back" in row.held_why


@pytest.mark.django_db
def test_an_answer_that_is_held_back_was_never_said_and_the_clock_runs_again(sdr: User) -> None:
    lead = make.lead()
    leads.answer(lead=lead, message="Gladly.", by=sdr, at=make.AT)
    assert lead.person is not None
    barred(lead.person)
    outbox.send_due(at=make.AT)
    lead.refresh_from_db()
    assert (lead.answered_at, Conversation.objects.count()) == (None, 0)
    assert OutgoingMail.objects.get().held_at


@pytest.mark.django_db
def test_a_server_that_knows_no_such_address_is_not_asked_eight_times(
    sdr: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = to_somebody(sdr)

    def refuses(*args: Any) -> None:
        raise smtp_channel.NotSent("550 no such user", is_final=True)

    monkeypatch.setattr(smtp_channel, "send", refuses)
    outbox.send_due(at=make.AT)
    row.refresh_from_db()
    assert (row.tries, row.failure) == (outbox.MOST_TRIES, "550 no such user")
    monkeypatch.undo()
    assert outbox.send_due(at=make.AT + timedelta(days=300)) == 0
    outbox.try_again(mail=row, by=sdr, at=make.AT)
    assert outbox.send_due(at=make.AT) == 1


# ---- To several ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_of_several_each_gets_a_mail_with_a_way_out_but_who_asked_for_peace(sdr: User) -> None:
    people = [make.person("Lotte Maes", language="nl"), make.person("Mary Stone", language="en"), make.person()]
    barred(people[2])
    drafts = [
        outbox.Draft(person, person.email_addresses.all()[0].address, "Open day", f"Dear {person.given_name}")
        for person in people
    ]
    mails, left_out = outbox.put_each(drafts=drafts, by=sdr, at=make.AT)
    assert [(person, "asked for peace" in why) for person, why in left_out] == [(people[2], True)]
    assert len(mails) == 2
    assert outbox.send_due(at=make.AT) == 2
    dutch, english = mail.outbox
    assert len(dutch.to) == len(english.to) == 1
    for person, sent in zip(people[:2], (dutch, english), strict=True):
        link = unsubscribing.link(person)
        assert sent.extra_headers["List-Unsubscribe"] == f"<{link}>"
        assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in sent.body
    assert "Liever geen mail" in dutch.body
    assert "rather not" in english.body


@pytest.mark.django_db
def test_who_unsubscribes_gets_what_still_waits_no_more(sdr: User) -> None:
    person = make.person()
    address = person.email_addresses.all()[0].address
    outbox.put_each(drafts=[outbox.Draft(person, address, "Open day", "Come")], by=sdr, at=make.AT)
    unsubscribing.unsubscribe(person=person, at=make.AT)
    unsubscribing.unsubscribe(person=person, at=make.AT)
    assert outbox.send_due(at=make.AT) == 0
    row = OutgoingMail.objects.get()
    assert row.held_at
    wish = person.do_not_contact.get()
    assert (wish.scope, wish.source) == (Scope.MAIL, "unsubscribed by themselves")


# ---- Cancelling, at the same moment as sending --------------------------------------------------------------------


@pytest.mark.django_db
def test_a_mail_that_waits_can_be_cancelled_and_one_that_is_gone_cannot(sdr: User) -> None:
    waits, gone = to_somebody(sdr, moment=make.AT + timedelta(days=1)), to_somebody(sdr)
    outbox.send_due(at=make.AT)
    outbox.cancel(mail=waits, by=sdr, at=make.AT)
    outbox.cancel(mail=waits, by=sdr, at=make.AT)
    with pytest.raises(Refused, match="sent already"):
        outbox.cancel(mail=gone, by=sdr, at=make.AT)
    assert outbox.send_due(at=make.AT + timedelta(days=2)) == 0


@pytest.mark.django_db
def test_a_cancelled_answer_was_never_said(sdr: User) -> None:
    lead = make.lead()
    leads.answer(lead=lead, message="Gladly.", by=sdr, at=make.AT)
    outbox.cancel(mail=OutgoingMail.objects.get(), by=sdr, at=make.AT)
    lead.refresh_from_db()
    assert (lead.answered_at, Conversation.objects.count()) == (None, 0)
    conversations.recompute(leads=[lead.pk])


@pytest.mark.django_db(transaction=True)
def test_while_it_is_being_sent_it_is_too_late_to_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    by = make.user("Noor")
    row = to_somebody(by)
    genuine, under_way, go_on = smtp_channel.send, threading.Event(), threading.Event()

    def slow(*args: Any) -> None:
        under_way.set()
        assert go_on.wait(20)
        genuine(*args)

    monkeypatch.setattr(smtp_channel, "send", slow)

    def work() -> int:
        try:
            return outbox.send_due(at=make.AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(work)
        assert under_way.wait(20)
        with pytest.raises(Refused, match="this very moment"):
            outbox.cancel(mail=row, by=by, at=make.AT)
        go_on.set()
        assert sent.result(20) == 1
    row.refresh_from_db()
    assert (row.cancelled_at, row.sent_at) == (None, make.AT)


@pytest.mark.django_db(transaction=True)
def test_what_is_cancelled_while_a_worker_waits_for_it_is_not_sent() -> None:
    by = make.user("Noor")
    row = to_somebody(by)

    def work() -> int:
        try:
            return outbox.send_due(at=make.AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            outbox.cancel(mail=row, by=by, at=make.AT)
            sent = threads.submit(work)
            threading.Event().wait(0.3)
        assert sent.result(20) == 0
    assert mail.outbox == []


# ---- One's own mailbox --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_a_mailbox_of_ones_own_or_a_shared_one_sends(sdr: User, teammate: User) -> None:
    own = make.mailbox(sdr, smtp_host="smtp.kring.example")
    shared = make.mailbox(None, smtp_host="smtp.kring.example")
    cannot = [
        make.mailbox(teammate, smtp_host="smtp.kring.example"),
        make.mailbox(sdr, address="read@kring.example"),
        make.mailbox(sdr, address="off@kring.example", smtp_host="smtp.kring.example", is_active=False),
    ]
    for mailbox in (own, shared):
        assert to_somebody(sdr, mailbox=mailbox).message_id.endswith(f"@{mailbox.address.partition('@')[2]}")
    for mailbox in cannot:
        with pytest.raises(Refused, match="mailbox"):
            to_somebody(sdr, mailbox=mailbox)


@pytest.mark.django_db
def test_a_mailbox_that_is_gone_leaves_its_mail_to_the_installation(sdr: User) -> None:
    mailbox = make.mailbox(sdr, smtp_host="smtp.kring.example")
    to_somebody(sdr, mailbox=mailbox)
    mailbox.is_active = False
    mailbox.save()
    assert outbox.send_due(at=make.AT) == 1
    assert first().reply_to == [sdr.email]


@pytest.mark.django_db
def test_a_password_that_cannot_be_opened_is_said_and_holds_up_nobody(sdr: User) -> None:
    mailbox = make.mailbox(sdr, smtp_host="127.0.0.1", sealed_password="nonsense")
    row = to_somebody(sdr, mailbox=mailbox)
    to_somebody(sdr)
    assert outbox.send_due(at=make.AT) == 1
    row.refresh_from_db()
    assert "password" in row.failure


# ---- What is worth nothing later, nor twice ------------------------------------------------------------------------

UNTIL = make.AT + timedelta(hours=3)


class Killed(BaseException):
    """As when the worker is gone: nothing that it would still have done happens."""


@pytest.mark.django_db
def test_what_would_come_too_late_is_dropped_with_why_and_the_last_that_went_wrong(settings: Any) -> None:
    row, ordinary = waiting(not_after=UNTIL), waiting(to="other@x.example")
    with nobody_answers(settings):
        assert outbox.send_due(at=make.AT) == 0
    row.refresh_from_db()
    went_wrong = row.failure
    assert outbox.send_due(at=UNTIL) == 1
    row.refresh_from_db()
    ordinary.refresh_from_db()
    assert (row.sent_at, row.cancelled_at) == (None, UNTIL)
    assert row.failure == f"It was too late to send it. {went_wrong}"
    assert (ordinary.sent_at, ordinary.cancelled_at) == (UNTIL, None)
    assert [sent.to for sent in mail.outbox] == [["other@x.example"]]


@pytest.mark.django_db
def test_what_can_come_too_late_goes_first_and_is_sent_once() -> None:
    waiting(to="first@x.example")
    row = waiting(not_after=UNTIL)
    assert outbox.send_due(at=make.AT) == 2
    assert [sent.to[0] for sent in mail.outbox] == [row.to, "first@x.example"]
    row.refresh_from_db()
    assert (row.sent_at, row.cancelled_at, row.failure, row.tries) == (make.AT, None, "", 1)
    assert MailMessage.objects.filter(key=row.message_id).exists(), "its copy in a mailbox is recognised"
    assert outbox.send_due(at=UNTIL) == 0


@pytest.mark.django_db
def test_what_no_server_took_is_tried_again_within_its_time(settings: Any) -> None:
    row = waiting(not_after=UNTIL)
    with nobody_answers(settings):
        outbox.send_due(at=make.AT)
    row.refresh_from_db()
    assert (row.cancelled_at, row.try_at) == (None, make.AT + timedelta(minutes=10))
    assert outbox.send_due(at=row.try_at) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("does_arrive", [False, True])
def test_after_a_crash_of_which_nobody_knows_the_outcome_it_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, does_arrive: bool
) -> None:
    send, row = smtp_channel.send, waiting(not_after=UNTIL)

    def die(*given: Any) -> None:
        if does_arrive:
            send(*given)
        raise Killed

    monkeypatch.setattr("crm.channels.smtp.send", die)
    with pytest.raises(Killed):
        outbox.send_due(at=make.AT)
    monkeypatch.undo()
    for minutes in (0, 11, 60, 200):
        assert outbox.send_due(at=make.AT + timedelta(minutes=minutes)) == 0
    assert len(mail.outbox) == does_arrive
    row.refresh_from_db()
    assert (row.sent_at, row.cancelled_at) == (None, make.AT)
    assert "nobody knows" in row.failure


@pytest.mark.django_db
def test_it_is_written_down_for_others_to_see_before_a_server_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row, seen = waiting(not_after=UNTIL), []
    monkeypatch.setattr(
        "crm.channels.smtp.send", lambda *given: seen.append(OutgoingMail.objects.waiting().filter(pk=row.pk).exists())
    )
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        outbox.send_due(at=make.AT)
    assert seen == [], "within somebody's transaction nothing would be written down, so nothing is sent"
    assert outbox.send_due(at=make.AT) == 1
    assert seen == [False]


@pytest.mark.django_db
def test_a_line_that_breaks_while_the_letter_is_given_is_no_reason_to_give_it_again(
    smtp: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_and_hang_up(wire: Any) -> None:
        for line in (b"220 loopback", b"250 fine", b"250 fine", b"250 fine", b"354 go on"):
            wire.write(line + b"\r\n")
            wire.flush()
            wire.readline()
        while wire.readline() not in (b".\r\n", b""):
            pass

    once, ordinary = waiting(not_after=UNTIL), waiting(to="other@x.example")
    monkeypatch.setattr(smtp, "_speak", take_and_hang_up)
    assert outbox.send_due(at=make.AT) == 0
    once.refresh_from_db()
    ordinary.refresh_from_db()
    assert (once.cancelled_at, ordinary.cancelled_at) == (make.AT, None)
    assert "nobody knows" in once.failure


@pytest.mark.django_db
def test_a_goodbye_that_goes_wrong_does_not_make_a_mail_unsent(
    smtp: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(self: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr("django.core.mail.backends.smtp.EmailBackend.close", close)
    waiting()
    assert outbox.send_due(at=make.AT) == 1
    assert len(smtp.mails) == 1


@pytest.mark.django_db
def test_a_mail_that_would_come_too_late_from_the_start_is_refused() -> None:
    with pytest.raises(Refused, match="too late"):
        waiting(not_after=make.AT)
    with pytest.raises(ValueError, match="colleagues"):
        waiting(not_after=UNTIL, person=make.person())
