"""Mail as a real server receives it: from the right sender, in its thread, with a way out for several, and in plain text."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from crm import outbox, sealed, unsubscribing
from crm.models import MailMessage, MessageState, OutgoingMail, Person, User
from tests import mail, make
from tests.mail import SmtpServer, smtp_server

__all__ = ["smtp_server"]

pytestmark = [pytest.mark.stack, pytest.mark.django_db]


def through(server: SmtpServer, owner: User, **fields: Any) -> Any:
    given: dict[str, Any] = {
        "smtp_host": server.host,
        "smtp_port": server.port,
        "smtp_security": "none",
        "sealed_password": sealed.seal(mail.PASSWORD),
    }
    return make.mailbox(owner, **given | fields)


def lotte() -> Person:
    return make.person("Lotte Maes", email="lotte@notelaar.example", language="nl")


def got(server: SmtpServer) -> list[EmailMessage]:
    found = []
    for envelope in server.received:
        assert envelope.content is not None
        raw = envelope.content if isinstance(envelope.content, bytes) else envelope.content.encode()
        message = email.message_from_bytes(raw, policy=SMTP)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def test_a_mail_leaves_through_ones_own_mailbox_under_ones_own_name(smtp_server: SmtpServer, sdr: User) -> None:
    row = make.outgoing(lotte(), by=sdr, mailbox=through(smtp_server, sdr), subject="De data: één", body="Past het?")
    assert outbox.send_due(at=make.AT) == 1
    (message,) = got(smtp_server)
    assert message["From"] == "Sofie Peeters <sofie@kring.test>"
    assert message["To"] == "lotte@notelaar.example"
    assert message["Subject"] == "De data: één"
    assert message["Reply-To"] is None, "answers come to the mailbox itself"
    row.refresh_from_db()
    assert message["Message-ID"] == f"<{row.message_id}>"
    assert row.message_id.endswith("@kring.test")
    assert MailMessage.objects.get(key=row.message_id).from_address == "sofie@kring.test"
    assert smtp_server.received[0].mail_from == "sofie@kring.test"


def test_an_answer_carries_the_ids_of_its_thread(smtp_server: SmtpServer, sdr: User) -> None:
    person = lotte()
    references = [f"{number:02}{'x' * 60}@notelaar.example" for number in range(12)]
    for number, key in enumerate(references):
        MailMessage.objects.create(
            key=key, thread=references[0], state=MessageState.TAKEN, taken_at=make.AT,
            sent_at=make.AT.replace(hour=1, minute=number),
        )  # fmt: skip
    answered = MailMessage.objects.get(key=references[-1])
    make.outgoing(person, by=sdr, mailbox=through(smtp_server, sdr), answers=answered, subject="Re: De data")
    assert outbox.send_due(at=make.AT) == 1
    (message,) = got(smtp_server)
    assert message["In-Reply-To"] == f"<{references[-1]}>"
    assert str(message["References"]).split() == [f"<{key}>" for key in references], "folded, and whole"


def test_mail_to_several_can_be_ended_by_the_mail_program(smtp_server: SmtpServer, sdr: User, settings: Any) -> None:
    settings.SITE_URL = "https://kring.example"
    people = [lotte(), make.person("Mary Stone", email="mary@stone.example", language="en")]
    drafts = [outbox.Draft(person, person.email_addresses.all()[0].address, "Open day", "Hi") for person in people]
    outbox.put_each(drafts=drafts, by=sdr, at=make.AT, mailbox=through(smtp_server, sdr))
    assert outbox.send_due(at=make.AT) == 2
    received = got(smtp_server)
    assert [envelope.rcpt_tos for envelope in smtp_server.received] == [
        ["lotte@notelaar.example"],
        ["mary@stone.example"],
    ]
    for person, message in zip(people, received, strict=True):
        assert message["List-Unsubscribe"] == f"<{unsubscribing.link(person)}>"
        assert message["List-Unsubscribe"].startswith("<https://kring.example/u/")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert unsubscribing.link(person) in message.get_content()


def test_a_mail_to_one_is_plain_text_without_any_address_of_ours(smtp_server: SmtpServer, sdr: User) -> None:
    make.outgoing(lotte(), by=sdr, mailbox=through(smtp_server, sdr), body="Zie https://notelaar.example/plan?a=1&b=2")
    outbox.send_due(at=make.AT)
    (message,) = got(smtp_server)
    assert message.get_content_type() == "text/plain"
    assert message.get_content().strip() == "Zie https://notelaar.example/plan?a=1&b=2", (
        "links are left as they were written"
    )
    assert message["List-Unsubscribe"] is None


def test_without_a_mailbox_the_installation_sends_and_answers_go_to_the_writer(
    smtp_server: SmtpServer, sdr: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = smtp_server.host, smtp_server.port, False
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "kring", mail.PASSWORD
    make.outgoing(lotte(), by=sdr)
    assert outbox.send_due(at=make.AT) == 1
    (message,) = got(smtp_server)
    assert (message["From"], message["Reply-To"]) == (settings.DEFAULT_FROM_EMAIL, sdr.email)


@pytest.mark.parametrize(
    ("said", "tries"),
    [("550 5.7.1 Not wanted here", 1), ("451 4.3.0 Come back later", 1)],
)
def test_what_the_server_says_is_kept_and_it_is_tried_again(
    smtp_server: SmtpServer, sdr: User, said: str, tries: int
) -> None:
    smtp_server.refuses_with = said
    row = make.outgoing(lotte(), by=sdr, mailbox=through(smtp_server, sdr))
    assert outbox.send_due(at=make.AT) == 0
    row.refresh_from_db()
    assert said.partition(" ")[2] in row.failure
    assert row.tries == tries
    smtp_server.refuses_with = ""
    assert outbox.send_due(at=row.try_at) == 1


def test_a_wrong_password_is_said_and_never_shown(smtp_server: SmtpServer, sdr: User) -> None:
    box = through(smtp_server, sdr, sealed_password=sealed.seal("wrong-and-secret"))
    row = make.outgoing(lotte(), by=sdr, mailbox=box)
    assert outbox.send_due(at=make.AT) == 0
    row.refresh_from_db()
    assert "535" in row.failure
    assert "wrong-and-secret" not in row.failure
    assert smtp_server.received == []


def test_a_server_that_speaks_no_tls_gets_neither_password_nor_mail(smtp_server: SmtpServer, sdr: User) -> None:
    box = through(smtp_server, sdr, smtp_security="starttls")
    make.outgoing(lotte(), by=sdr, mailbox=box)
    assert outbox.send_due(at=make.AT) == 0
    assert smtp_server.received == []
    assert OutgoingMail.objects.get().failure
