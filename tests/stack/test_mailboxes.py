"""The running program and real mail servers: a mailbox is connected in the browser and a reply appears, a worker that is killed between fetching
and committing loses no message and takes none in twice, and forwarded mail is answered with yes only when its row is there."""

from __future__ import annotations

import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm import mailboxes, sealed
from crm.models import Conversation, EmailAddress, Mailbox, MailMessage, MailSecurity, MessageState, Person, Role, User
from tests import make
from tests.mail import PASSWORD, ImapServer, _imap_server, _own_pymap, imap_server, letter, one_imap_server
from tests.running import ROOT, LiveStack, free_port, serious_barriers, sideways_scroll, sign_in, wait_for

__all__ = ["_imap_server", "_own_pymap", "imap_server", "one_imap_server"]

pytestmark = [pytest.mark.stack]

# Each message that is taken in waits half a second before its transaction ends, and counts itself where other connections see it at once.
SLOWLY = """
CREATE SEQUENCE midway;
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('midway'), pg_sleep(0.5);
    RETURN NEW;
END $$;
CREATE TRIGGER slowly BEFORE INSERT ON crm_mailmessage FOR EACH ROW EXECUTE FUNCTION slowly();
"""
AT_ONCE = "DROP TRIGGER slowly ON crm_mailmessage; DROP FUNCTION slowly(); DROP SEQUENCE midway;"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def midway() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM midway")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@contextmanager
def cleared(*people: Person) -> Iterator[None]:
    """The journeys of the same session walk through this database, too."""
    try:
        yield
    finally:
        Mailbox.objects.all().delete()
        MailMessage.objects.all().delete()
        Conversation.objects.filter(people__in=people).delete()
        Person.objects.filter(pk__in=[person.pk for person in people]).update(
            last_contact_at=None, last_contact=None, last_reply_at=None, last_reply=None
        )
        EmailAddress.objects.filter(person__in=people).delete()


def has_worker(stack: LiveStack) -> bool:
    try:
        return stack.up.child("worker").is_running()
    except AssertionError:
        return False


def key_of(stack: LiveStack) -> Any:
    """What is sealed here is opened by the stack, which has a key of its own."""
    return override_settings(SECRET_KEY=stack.up.environment["KRING_SECRET_KEY"])


def test_a_worker_killed_between_fetching_and_committing_loses_nothing_and_doubles_nothing(
    stack_db: LiveStack, imap_server: ImapServer
) -> None:
    owner = make.user("Sofie Peeters", Role.SDR)
    luc = make.person("Luc Maes", email=f"luc@{imap_server.name}.example", at=timezone.now())
    keys = [f"{n}@{imap_server.name}.example" for n in range(12)]
    imap_server.deliver(*(letter(key=key, sender=f"luc@{imap_server.name}.example") for key in keys))
    with cleared(luc):
        execute(SLOWLY)
        try:
            with key_of(stack_db):
                box = make.mailbox(
                    owner,
                    at=timezone.now(),
                    imap_host=imap_server.host,
                    imap_port=imap_server.port,
                    imap_security=MailSecurity.NONE,
                    username=imap_server.username,
                    sealed_password=sealed.seal(PASSWORD),
                    reads_since=timezone.now().date() - timedelta(days=1),
                )
            stack_db.manage("shell", "-c", f"from crm.tasks import poll_mailbox; poll_mailbox.delay({box.pk})")
            wait_for(lambda: midway() >= 3, seconds=90, why="the worker to be in the middle")
            stack_db.kill_worker()
            settled = MailMessage.objects.filter(mailbox=box).count()
            assert 0 < settled < len(keys), "The worker was not in the middle of its work."
            folder = box.read_folders.get(name="INBOX")
            assert folder.places.count() == settled, "The mark and the message are committed together."
        finally:
            execute(AT_ONCE)
        Mailbox.objects.filter(pk=box.pk).update(claimed_until=None)  # Two minutes later, as it were.
        wait_for(lambda: has_worker(stack_db), seconds=60, why="another worker")
        stack_db.manage("shell", "-c", f"from crm.tasks import poll_mailbox; poll_mailbox.delay({box.pk})")
        wait_for(
            lambda: MailMessage.objects.filter(mailbox=box).count() == len(keys),
            seconds=120,
            why="the next worker to take in what is left",
        )
        assert set(MailMessage.objects.filter(mailbox=box).values_list("key", flat=True)) == set(keys)
        assert Conversation.objects.filter(people=luc).count() == len(keys)
        assert set(MailMessage.objects.values_list("state", flat=True)) == {MessageState.TAKEN}


@pytest.mark.browser
def test_connecting_a_mailbox_makes_a_reply_appear_on_the_persons_page(
    stack_db: LiveStack, one_imap_server: ImapServer, page: Page
) -> None:
    who = make.user("Lies Journey", Role.SDR, password="a calm evening by the canal")
    luc = make.person("Luc Journey", email="luc@journey.example", at=timezone.now(), owner=who)
    with cleared(luc):
        sign_in(page, who.email, "a calm evening by the canal")
        page.goto("/me/mailboxes/")
        page.get_by_role("main").get_by_role("link", name="Connect a mailbox").first.click()
        page.get_by_role("link", name="Another server").click()
        page.get_by_label("Password").fill("not this one")
        page.get_by_label("User name").fill(one_imap_server.username)
        page.get_by_label("Server for reading (IMAP)").fill(one_imap_server.host)
        page.get_by_label("Port (IMAP)").fill(str(one_imap_server.port))
        page.get_by_label("Security (IMAP)").select_option(MailSecurity.NONE)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("alert")).to_contain_text("does not accept this user name and password")
        assert serious_barriers(page) == []
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("heading", name=str(who.email))).to_be_visible()
        assert serious_barriers(page) == []
        assert sideways_scroll(page) == 0

        one_imap_server.deliver(
            letter(
                sender="luc@journey.example", to=str(who.email), subject="Yes", text="The second week suits us fine."
            )
        )
        wait_for(lambda: Conversation.objects.filter(people=luc).exists(), seconds=120, why="the reply to be taken in")
        page.goto(f"/people/{luc.pk}/")
        expect(page.get_by_text("The second week suits us fine.").first).to_be_visible()


@pytest.fixture
def receiver(stack_db: LiveStack) -> Iterator[int]:
    """`manage.py receive_mail` on the stack's database; the port at which it listens."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "receive_mail", "--at", f"127.0.0.1:{port}"],
        cwd=ROOT, env=stack_db.up.environment | {"KRING_MAIL_IN_DOMAIN": "in.kring.test"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert b"is received on" in line, line
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


def send(port: int, raw: bytes, *to: str, sender: str = "sofie@elsewhere.example") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
        server.sendmail(sender, list(to), raw)


def test_what_is_forwarded_is_taken_in_before_the_sender_hears_yes(stack_db: LiveStack, receiver: int) -> None:
    with override_settings(MAIL_IN_DOMAIN="in.kring.test"):
        who = make.user("Nele Forwards", Role.SDR)
        address = mailboxes.renew_forwarding(user=who)
    luc = make.person("Luc Forwarded", email="luc@forwarded.example", at=timezone.now())
    with cleared(luc):
        raw = letter(sender=str(who.email), to="luc@forwarded.example", subject="Dates", text="When does it suit you?")
        for _time in range(2):  # A sender that did not hear our yes sends again.
            send(receiver, raw, address)
            assert Conversation.objects.filter(people=luc).count() == 1
        conversation = Conversation.objects.get(people=luc)
        assert (conversation.by, conversation.direction, conversation.subject) == (who, "outgoing", "Dates")

        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(receiver, raw, "nobody@in.kring.test")
        assert list(refused.value.recipients.values())[0][0] == 550
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(receiver, raw, address.replace("in.kring.test", "elsewhere.example"))
        with pytest.raises(smtplib.SMTPDataError) as unreadable:
            send(receiver, b"\r\n", address)
        assert unreadable.value.smtp_code == 554

        execute("ALTER TABLE crm_mailmessage RENAME TO away")
        try:
            with pytest.raises(smtplib.SMTPException) as later:
                send(receiver, letter(sender="luc@forwarded.example"), address)
            assert getattr(later.value, "smtp_code", 0) == 451, later.value
        finally:
            execute("ALTER TABLE away RENAME TO crm_mailmessage")
        send(receiver, letter(sender="luc@forwarded.example"), address)
        assert Conversation.objects.filter(people=luc).count() == 2
    User.objects.filter(pk=who.pk).update(is_active=False)
