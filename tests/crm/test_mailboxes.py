"""A mailbox is connected only when its servers let us in, read without changing anything on them, and each of its messages is settled once,
whatever is the matter with the one before it. Against real IMAP servers on this machine."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone

from crm import correspondence, mailboxes, sealed, tasks
from crm.channels import email, imap
from crm.channels.imap import Trouble
from crm.clock import day_start
from crm.mailboxes import NotConnected, polling
from crm.management.commands import watch_mailboxes
from crm.models import (
    Conversation,
    Direction,
    EmailAddress,
    Event,
    EventKind,
    Lead,
    Mailbox,
    MailMessage,
    MailSecurity,
    MessageState,
    Person,
    User,
)
from crm.refusal import Refused
from tests import make
from tests.mail import (
    PASSWORD,
    ImapServer,
    SmtpServer,
    _imap_server,
    _own_pymap,
    free_port,
    imap_server,
    letter,
    one_imap_server,
    smtp_server,
)
from tests.running import wait_for

__all__ = ["_imap_server", "_own_pymap", "imap_server", "one_imap_server", "smtp_server"]

pytestmark = [pytest.mark.stack, pytest.mark.django_db]

MAIL = Path("../shared/data/email")


def now() -> datetime:
    """Servers date what they get by the clock of the wall."""
    return datetime.now(UTC)


@pytest.fixture
def luc(db: None) -> Person:
    return make.person("Luc Maes", email="luc@maes.example")


def connect(server: ImapServer, owner: User | None, by: User | None = None, **fields: Any) -> Mailbox:
    fields = {
        "address": owner.email if owner else "info@kring.test",
        "username": server.username,
        "password": PASSWORD,
        "imap_host": server.host,
        "imap_port": server.port,
        "imap_security": MailSecurity.NONE,
        "reads_since": now().date() - timedelta(days=1),
    } | fields
    return mailboxes.connect(owner=owner, by=by or owner or make.user(), at=now(), **fields)


def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the messages that are fetched from now on."""
    fetched: list[int] = []
    fetch = imap.Session.fetch

    def fetch_and_note(session: imap.Session, uid: int) -> bytes | None:
        fetched.append(uid)
        return fetch(session, uid)

    monkeypatch.setattr(imap.Session, "fetch", fetch_and_note)
    return fetched


def poll(box: Mailbox, at: datetime | None = None) -> Any:
    mailboxes.poll(mailbox_id=box.pk, at=at or now())
    return Mailbox.objects.get(pk=box.pk)


# ---- Reading -------------------------------------------------------------------------------------------------------


def test_what_is_in_the_inbox_and_what_was_sent_become_conversations_once(imap_server, sdr, luc):
    if imap_server.name == "pymap":
        imap_server.make_folder("Sent")
    box = connect(imap_server, sdr)
    assert set(box.folders) == {"INBOX", "Sent" if imap_server.name == "pymap" else "Verstuurd"}
    assert box.offers_idle
    sent = next(name for name in box.folders if name != "INBOX")
    imap_server.deliver(letter(key="1@maes.example"), letter(sender="news@shop.example"))
    imap_server.deliver(
        letter(sender="sofie@kring.test", to="luc@maes.example", In_Reply_To="<1@maes.example>"), folder=sent
    )
    for _time in range(2):
        box = poll(box)
    assert (box.failure, box.claimed_until) == ("", None)
    assert box.checked_at
    assert {c.direction for c in Conversation.objects.all()} == {Direction.INCOMING, Direction.OUTGOING}
    assert Conversation.objects.count() == 2
    assert MailMessage.objects.count() == 3
    assert len(set(MailMessage.objects.exclude(thread="").values_list("thread", flat=True))) == 1
    assert imap_server.unread() == 2, "Reading leaves unread what was unread."


def test_what_comes_later_is_read_later_and_what_was_read_is_not_fetched_again(imap_server, sdr, luc, monkeypatch):
    box = connect(imap_server, sdr)
    imap_server.deliver(letter(), letter())
    poll(box)
    fetched = noted(monkeypatch)
    imap_server.deliver(letter())
    poll(box)
    assert len(fetched) == 1
    assert Conversation.objects.count() == 3


def test_the_same_message_in_two_folders_and_two_mailboxes_is_one(imap_server, sdr, teammate, luc):
    imap_server.make_folder("Archive")
    raw = letter(to="sofie@kring.test, tine@kring.test")
    for owner in (sdr, teammate):
        box = connect(imap_server, owner)
        mailboxes.choose_folders(mailbox=box, names=["INBOX", "Archive"])
        imap_server.deliver(raw, folder="Archive")
        imap_server.deliver(raw)
        poll(box)
    assert Conversation.objects.count() == MailMessage.objects.count() == 1
    assert MailMessage.objects.get().places.count() == 6


def test_a_folder_that_is_numbered_anew_is_read_anew_and_doubles_nothing(imap_server, sdr, luc):
    imap_server.make_folder("Work")
    box = connect(imap_server, sdr)
    mailboxes.choose_folders(mailbox=box, names=["Work"])
    old, new = letter(), letter()
    imap_server.deliver(letter(), letter(), old, folder="Work")
    poll(box)
    before = box.read_folders.get().uid_validity
    imap_server.renumber("Work")
    imap_server.deliver(old, new, folder="Work")
    poll(box)
    assert box.read_folders.get().uid_validity != before
    assert Conversation.objects.count() == MailMessage.objects.count() == 4


def test_mail_of_before_the_day_stays_unread_until_an_earlier_day_is_chosen(imap_server, sdr, luc):
    imap_server.deliver(letter(), at=now() - timedelta(days=20))
    imap_server.deliver(letter())
    box = poll(connect(imap_server, sdr))
    assert Conversation.objects.count() == 1
    mailboxes.change(mailbox=box, reads_since=now().date() - timedelta(days=30), by=sdr, at=now())
    poll(box)
    assert Conversation.objects.count() == 2


def test_the_day_is_that_of_the_organisation_and_not_of_the_server(imap_server, sdr, luc):
    today = timezone.localdate()
    midnight = day_start(today, timezone.get_default_timezone())
    imap_server.deliver(letter(), at=midnight - timedelta(minutes=10))
    imap_server.deliver(letter(key="first@maes.example"), at=midnight + timedelta(minutes=10))
    box = poll(connect(imap_server, sdr, reads_since=today))
    assert box.failure == ""
    assert [message.key for message in MailMessage.objects.all()] == ["first@maes.example"]


def test_the_server_says_at_once_when_mail_arrives(imap_server, sdr):
    box = connect(imap_server, sdr)
    with imap.session(mailboxes.account(box)) as session:
        session.open("INBOX")
        assert not session.wait(0.2)
        Thread(target=imap_server.deliver, args=(letter(),)).start()
        assert session.wait(20)


# ---- Messages that are trouble --------------------------------------------------------------------------------------


def test_every_mail_of_the_collection_comes_through_and_the_one_behind_them_too(imap_server, sdr, luc):
    if not MAIL.exists():
        pytest.skip("The collection of mail is not here: ../shared/data/email")
    files = sorted(path for path in MAIL.rglob("*") if path.is_file() and path.stat().st_size)
    box = connect(imap_server, sdr)
    raws = [path.read_bytes() for path in files]
    for raw in raws[: len(raws) // 2]:  # Somebody knows half of them.
        try:
            sender = email.read(raw, received_at=now()).sender
        except email.Unreadable:
            continue
        if sender and not EmailAddress.objects.filter(address=sender.address).exists():
            EmailAddress.objects.create(person=make.person(), address=sender.address)
    delivered = 0
    for raw in raws:
        try:
            imap_server.deliver(raw.replace(b"\0", b""))  # No IMAP server takes a NUL.
            delivered += 1
        except AssertionError:  # What it does not take, it cannot give us.
            continue
    assert delivered > len(raws) * 0.9
    imap_server.deliver(letter(key="behind@maes.example"))
    poll(box)
    assert MailMessage.objects.get(key="behind@maes.example").state == MessageState.TAKEN
    assert not MailMessage.objects.filter(state=MessageState.FAILED).exists()
    assert not MailMessage.objects.filter(state=MessageState.REFUSED, reason="").exists()
    assert Conversation.objects.count() > 10


def test_an_enquiry_in_a_shared_mailbox_is_a_lead_once_also_when_its_folder_is_read_again(one_imap_server, sdr):
    box = connect(one_imap_server, None, by=make.user())
    mailboxes.make_leads(mailbox=box, makes_leads=True, origin="info", team=None, by=sdr, at=now())
    raw = letter(sender="Ann <ann@notelaar.example>", to="info@kring.test", at=now(), key="1@notelaar.example")
    one_imap_server.deliver(raw, letter(sender="news@shop.example", List_Id="<news.shop.example>"), raw)
    for _time in range(2):
        box = poll(box)
        box.read_folders.update(last_uid=0)
    lead = Lead.objects.get()
    assert (str(lead.person), lead.conversations.count(), lead.owner) == ("Ann", 1, sdr)


def test_a_poisoned_message_is_put_aside_with_its_bytes_and_blocks_nothing(one_imap_server, sdr, luc, monkeypatch):
    read = email.read

    def stumble(raw: bytes, **how: Any) -> Any:
        if b"poison" in raw:
            raise ZeroDivisionError("the secret of the letter")
        return read(raw, **how)

    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter(), letter(text="poison"), letter())
    monkeypatch.setattr(email, "read", stumble)
    poll(box)
    assert Conversation.objects.count() == 2
    failed: Any = MailMessage.objects.get(state=MessageState.FAILED)
    assert failed.reason == "ZeroDivisionError"
    assert b"poison" in bytes(failed.raw)
    poll(box)
    assert MailMessage.objects.count() == 3
    monkeypatch.setattr(email, "read", read)
    correspondence.try_again(message=failed, at=now())
    assert Conversation.objects.count() == 3
    poll(box)
    assert MailMessage.objects.count() == 3


def test_what_the_database_refuses_is_put_aside_too(one_imap_server, sdr, luc, monkeypatch):
    read = email.read

    def nul(raw: bytes, **how: Any) -> Any:
        mail = read(raw, **how)
        if b"poison" in raw:
            object.__setattr__(mail, "subject", "a\0b")
        return mail

    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter(text="poison"), letter())
    monkeypatch.setattr(email, "read", nul)
    poll(box)
    assert sorted(MailMessage.objects.values_list("state", flat=True)) == [MessageState.FAILED, MessageState.TAKEN]


def test_a_message_that_is_too_large_is_refused_without_being_fetched(one_imap_server, sdr, luc, monkeypatch):
    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter(text="x" * 70 + "\n" * 3000, key="large@maes.example"), letter())
    monkeypatch.setattr(imap, "LARGEST", 2000)
    fetched = noted(monkeypatch)
    poll(box)
    large = MailMessage.objects.get(state=MessageState.REFUSED)
    assert (large.key, large.raw, large.text) == ("large@maes.example", None, "")
    assert "larger" in large.reason
    assert len(fetched) == 1
    assert Conversation.objects.count() == 1


def test_what_went_wrong_is_logged_without_a_word_of_the_letter(one_imap_server, sdr, luc, monkeypatch, caplog):
    def stumble(raw: bytes, **how: Any) -> Any:
        raise ZeroDivisionError("the secret of the letter")

    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter(text="the secret"))
    monkeypatch.setattr(email, "read", stumble)
    with caplog.at_level(logging.DEBUG, logger="crm"):
        poll(box)
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text
    assert PASSWORD not in caplog.text


# ---- Servers that are trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ({"password": "wrong"}, Trouble.PASSWORD),
        ({"imap_host": "localhost", "imap_security": MailSecurity.STARTTLS}, Trouble.CERTIFICATE),
        ({"imap_security": MailSecurity.TLS}, Trouble.SECURITY),
        ({"imap_port": 1}, Trouble.NO_ANSWER),
    ],
)
def test_who_is_not_let_in_hears_why_and_nothing_is_kept(imap_server, sdr, fields, trouble):
    with pytest.raises(NotConnected) as refused:
        connect(imap_server, sdr, **fields)
    assert str(refused.value) == str(trouble.label)
    assert not Mailbox.objects.exists()
    assert not Event.objects.filter(kind=EventKind.MAILBOX_CONNECTED).exists()


def test_a_server_that_does_not_exist_is_named_as_such(one_imap_server, sdr, monkeypatch):
    def nowhere(*about: Any, **how: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(NotConnected) as refused:
        connect(one_imap_server, sdr, imap_host="imap.nowhere.example", imap_security=MailSecurity.TLS)
    assert str(refused.value) == str(Trouble.HOST.label)


def test_a_server_whose_certificate_is_trusted_is_read_over_an_encrypted_line(imap_server, sdr, luc, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(imap_server.certificate))
    imap_server.deliver(letter())
    box = connect(imap_server, sdr, imap_host="localhost", imap_security=MailSecurity.STARTTLS)
    poll(box)
    assert Conversation.objects.count() == 1
    if imap_server.tls_port:
        mailboxes.change(
            mailbox=box, imap_port=imap_server.tls_port, imap_security=MailSecurity.TLS, password=PASSWORD,
            by=sdr, at=now(),
        )  # fmt: skip
        imap_server.deliver(letter())
        assert poll(box).failure == ""
        assert Conversation.objects.count() == 2


class Mute:
    """Something that listens where a mail server should: says this, and then nothing, or goes away."""

    def __init__(self, says: bytes, *, stays: bool) -> None:
        self.says, self.stays = says, stays
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visitors: list[socket.socket] = []
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _address = self.socket.accept()
            except OSError:
                return
            visitor.sendall(self.says)
            if self.stays:
                self.visitors.append(visitor)
            else:
                visitor.close()

    def close(self) -> None:
        self.socket.close()
        for visitor in self.visitors:
            visitor.close()


@pytest.fixture
def mute() -> Iterator[Any]:
    opened: list[Mute] = []

    def listen(says: bytes = b"", *, stays: bool = True) -> Mute:
        opened.append(Mute(says, stays=stays))
        return opened[-1]

    yield listen
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("says", "stays", "troubles"),
    [
        (b"", True, {Trouble.NO_ANSWER}),
        (b"* OK ready\r\n", True, {Trouble.NO_ANSWER}),
        (b"* OK ready\r\n", False, {Trouble.BROKE_OFF, Trouble.NO_ANSWER}),
        (b"HTTP/1.1 200 OK\r\n\r\n", False, {Trouble.BROKE_OFF, Trouble.SERVER}),
        (b"* BYE too many\r\n", False, {Trouble.BROKE_OFF, Trouble.SERVER}),
        (b"\xff\x00" * 5000, False, {Trouble.BROKE_OFF, Trouble.SERVER}),
    ],
)
def test_whatever_answers_instead_of_a_mail_server_is_a_trouble_in_words(mute, says, stays, troubles):
    server = mute(says, stays=stays)
    with pytest.raises(imap.CannotRead) as trouble:
        imap.try_out(imap.Account("127.0.0.1", server.port, "none", "sofie", "x"), within=1)
    assert trouble.value.trouble in troubles
    assert trouble.value.said.isascii()
    assert len(trouble.value.said) <= 120


def test_a_server_that_is_away_is_asked_ever_less_often_and_recovers_by_itself(one_imap_server, sdr, luc):
    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter())
    Mailbox.objects.update(imap_port=free_port())
    start = now()
    box = poll(box, start)
    assert box.failure == Trouble.NO_ANSWER
    assert box.failing_since is not None
    assert mailboxes.due(at=start + timedelta(seconds=30)) == []
    first = box.claimed_until - start
    box = poll(box, start + timedelta(hours=2))
    assert box.claimed_until - (start + timedelta(hours=2)) > first
    assert box.failing_since - start < timedelta(seconds=30), "Since when it goes wrong does not move."
    Mailbox.objects.update(imap_port=one_imap_server.port)
    box = poll(box, start + timedelta(hours=3))
    assert (box.failure, box.failing_since) == ("", None)
    assert Conversation.objects.count() == 1


def test_a_password_that_is_wrong_later_says_so_and_a_new_one_heals_it(imap_server, sdr, luc):
    box = connect(imap_server, sdr)
    Mailbox.objects.update(sealed_password=sealed.seal("wrong"))
    box = poll(box)
    assert box.failure.startswith(Trouble.PASSWORD)
    mailboxes.change(mailbox=box, password=PASSWORD, by=sdr, at=now())
    imap_server.deliver(letter())
    assert poll(box).failure == ""
    assert Conversation.objects.count() == 1


def test_a_password_sealed_with_another_key_asks_to_be_typed_again(one_imap_server, sdr, settings):
    box = connect(one_imap_server, sdr)
    settings.SECRET_KEY = "another-key-of-this-installation-that-nobody-kept"
    assert poll(box).failure == Trouble.SEALED


def test_a_folder_that_is_gone_does_not_keep_the_others_from_being_read(imap_server, sdr, luc):
    box = connect(imap_server, sdr)
    mailboxes.choose_folders(mailbox=box, names=["Nowhere", "INBOX"])
    imap_server.deliver(letter())
    box = poll(box)
    assert box.failure.startswith(Trouble.FOLDER)
    assert Conversation.objects.count() == 1
    box = mailboxes.choose_folders(mailbox=box, names=["INBOX"])
    assert box.failure == ""


# ---- Connecting, and letting go --------------------------------------------------------------------------------------


def test_the_password_is_sealed_and_stands_in_no_event(one_imap_server, sdr):
    box = connect(one_imap_server, sdr)
    assert PASSWORD not in box.sealed_password
    event = Event.objects.get(kind=EventKind.MAILBOX_CONNECTED)
    assert PASSWORD not in json.dumps([event.old, event.new])
    assert PASSWORD not in repr(mailboxes.account(box))


def test_a_mailbox_is_connected_once_for_each_owner(one_imap_server, sdr, manager):
    connect(one_imap_server, sdr)
    with pytest.raises(Refused):
        connect(one_imap_server, sdr)
    assert connect(one_imap_server, None, by=manager, address=sdr.email).owner is None


@pytest.mark.parametrize(
    "fields",
    [
        {"imap_host": "imap.example.com", "imap_security": MailSecurity.NONE},
        {"imap_host": "http://imap.example.com/"},
        {"imap_host": "imap.example.com:143"},
        {"imap_host": "user@imap.example.com"},
        {"imap_host": "imap.example.com\r\nNOOP"},
        {"imap_host": ""},
        {"imap_security": "rot13"},
        {"imap_port": 0},
        {"imap_port": 70000},
        {"smtp_host": "smtp.example.com", "smtp_security": MailSecurity.NONE},
        {"username": "sofie\r\nA1 LOGOUT"},
        {"password": "x\nA1 LOGOUT"},
        {"address": "sofie"},
        {"reads_since": date(2020, 1, 1)},
        {"reads_since": date(2099, 1, 1)},
    ],
)
def test_what_cannot_be_is_refused_before_any_server_is_asked(one_imap_server, sdr, fields, monkeypatch):
    def asked(*about: Any, **how: Any) -> Any:
        raise AssertionError("a server was asked")

    monkeypatch.setattr(imap, "try_out", asked)
    with pytest.raises(Refused):
        connect(one_imap_server, sdr, **fields)


def test_the_server_for_sending_is_tried_too(one_imap_server, smtp_server: SmtpServer, sdr):
    sending: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_server.port,
        "smtp_security": MailSecurity.NONE,
    }
    assert connect(one_imap_server, sdr, **sending).smtp_port == smtp_server.port
    with pytest.raises(NotConnected):
        connect(one_imap_server, None, **(sending | {"smtp_port": free_port()}))


def test_the_password_goes_to_no_other_server_without_being_typed_again(one_imap_server, sdr):
    box = connect(one_imap_server, sdr)
    others: dict[str, Any] = {"imap_host": "localhost", "imap_port": 1, "username": "other", "smtp_host": "localhost"}
    for name, value in others.items():
        with pytest.raises(Refused):
            mailboxes.change(mailbox=Mailbox.objects.get(pk=box.pk), by=sdr, at=now(), **{name: value})
    assert Mailbox.objects.get(pk=box.pk).imap_host == "127.0.0.1"


def test_two_workers_never_read_one_mailbox_together(one_imap_server, sdr, luc):
    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter())
    at = now()
    Mailbox.objects.update(claimed_until=at + timedelta(minutes=1))
    assert mailboxes.due(at=at) == []
    assert mailboxes.poll(mailbox_id=box.pk, at=at) == mailboxes.Polled()
    assert not Conversation.objects.exists()
    later = at + timedelta(minutes=2)
    assert mailboxes.due(at=later) == [box.pk], "Whoever claimed it is dead by then."
    assert mailboxes.poll(mailbox_id=box.pk, at=later).number == 1


def test_a_paused_mailbox_is_not_read_and_what_came_meanwhile_is_read_afterwards(one_imap_server, sdr, luc):
    box = connect(one_imap_server, sdr)
    mailboxes.pause(mailbox=box, by=sdr, at=now())
    one_imap_server.deliver(letter())
    poll(box)
    assert mailboxes.due(at=now()) == []
    assert mailboxes.watchable() == []
    assert not Conversation.objects.exists()
    mailboxes.resume(mailbox=box, by=sdr, at=now())
    poll(box)
    assert Conversation.objects.count() == 1
    assert [pk for pk, _mark in mailboxes.watchable()] == [box.pk]


def test_a_disconnected_mailbox_leaves_its_conversations_and_nothing_else(one_imap_server, sdr, luc):
    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter())
    poll(box)
    correspondence.keep_failed(raw=b"x", reason="boom", mailbox=box, place=None, at=now())
    for _time in range(2):
        mailboxes.disconnect(mailbox=box, by=sdr, at=now())
    assert not Mailbox.objects.exists()
    assert Conversation.objects.count() == 1
    assert not MailMessage.objects.filter(raw__isnull=False).exists()
    assert Event.objects.filter(kind=EventKind.MAILBOX_DISCONNECTED).count() == 1
    assert mailboxes.poll(mailbox_id=box.pk or 1, at=now()) == mailboxes.Polled()


def test_a_look_that_has_no_more_time_says_that_something_is_left(one_imap_server, sdr, luc, monkeypatch):
    box = connect(one_imap_server, sdr)
    one_imap_server.deliver(letter(), letter())
    monkeypatch.setattr(polling, "AT_MOST", timedelta(0))
    assert mailboxes.poll(mailbox_id=box.pk, at=now()).has_more
    monkeypatch.undo()
    assert mailboxes.poll(mailbox_id=box.pk, at=now()) == mailboxes.Polled(2, False)


# ---- The address for forwarding --------------------------------------------------------------------------------------


def test_everybody_has_an_address_of_their_own_that_can_be_renewed(sdr, teammate, settings):
    settings.MAIL_IN_DOMAIN = "in.kring.test"
    assert mailboxes.forwarding_address(user=sdr) == ""
    first = mailboxes.renew_forwarding(user=sdr)
    assert first == mailboxes.forwarding_address(user=sdr)
    assert mailboxes.user_at(f"<{first.upper()}>") == sdr
    second = mailboxes.renew_forwarding(user=sdr)
    assert mailboxes.user_at(first) is None
    assert mailboxes.user_at(second) == sdr
    assert mailboxes.user_at("@in.kring.test") is None
    assert mailboxes.user_at(second.replace("in.kring.test", "elsewhere.test")) is None
    User.objects.filter(pk=sdr.pk).update(is_active=False)
    assert mailboxes.user_at(second) is None


# ---- Hearing at once -------------------------------------------------------------------------------------------------


def test_a_line_has_the_mailbox_looked_into_when_mail_arrives_and_is_opened_again_when_it_broke(
    imap_server, sdr, monkeypatch
):
    box = connect(imap_server, sdr)
    told: list[int] = []
    monkeypatch.setattr(tasks, "ask_to_poll_now", told.append)
    monkeypatch.setattr(watch_mailboxes, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(watch_mailboxes, "LISTEN_FOR", 0.2)
    session, broken = imap.session, iter([True, True])

    def break_twice(account: imap.Account) -> Any:
        if next(broken, False):
            raise imap.CannotRead(Trouble.BROKE_OFF)
        return session(account)

    monkeypatch.setattr(imap, "session", break_twice)
    line = watch_mailboxes.Line(box.pk, mailboxes.account(box), "INBOX")
    line.start()
    try:
        wait_for(lambda: told == [box.pk], why="the line to be opened")
        imap_server.deliver(letter())
        wait_for(lambda: told == [box.pk] * 2, why="the line to hear of the letter")
    finally:
        line.ended.set()
        line.join(20)
    assert not line.is_alive()


@pytest.mark.django_db(transaction=True)
def test_lines_are_kept_to_the_mailboxes_that_offer_it_and_to_no_other(monkeypatch):
    opened: list[int] = []
    monkeypatch.setattr(watch_mailboxes.Line, "start", lambda line: opened.append(line.mailbox_id))
    first, second = (make.mailbox(make.user(), at=now(), offers_idle=True) for _n in range(2))
    make.mailbox(make.user(), at=now())
    command = watch_mailboxes.Command()
    command.lines = {}
    command._look()
    assert opened == [first.pk, second.pk]
    lines = dict(command.lines)
    Mailbox.objects.filter(pk=first.pk).update(is_active=False)
    Mailbox.objects.filter(pk=second.pk).update(sealed_password=sealed.seal("another"))
    command._look()
    assert all(line.ended.is_set() for line in lines.values())
    assert opened == [first.pk, second.pk, second.pk], "Another password is another line."
    assert [pk for pk, _mark in command.lines] == [second.pk]
