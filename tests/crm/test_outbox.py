"""Mail is sent once, tried again when it fails, and never lost by a worker that dies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from crm import outbox
from crm.models import OutgoingMail
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
