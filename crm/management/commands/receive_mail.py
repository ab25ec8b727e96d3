"""`manage.py receive_mail`: a mail server that takes in what people forward to their own address at Kring. It says yes only when the row is
committed; until then the mail stays with whoever sends it, and they try again."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from crm import correspondence, mailboxes, tasks
from crm.channels import imap
from crm.models import MessageState, User

MOST_RECIPIENTS = 20
MOST_LINES = 50
"""Conversations at once. Each may hold a whole message in memory, so somebody who opens many must not take the room of all."""
SECONDS = 120
"""For each command, and for a message from its first line to its last."""

log = logging.getLogger(__name__)


class Door:
    """What the server does with a letter. Each of its questions to the database is asked in a thread, on a connection of that thread."""

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            known = await asyncio.to_thread(_asked, mailboxes.user_at, address)
        except Exception as error:
            log.warning("a recipient could not be looked up: %s", type(error).__name__)
            return "451 4.3.0 Try again later"
        if known is None:
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        try:
            return await asyncio.to_thread(_asked, take, raw, list(envelope.rcpt_tos))
        except Exception as error:  # Nothing is kept of it, so it stays with whoever sends it.
            log.error("a forwarded message could not be taken in: %s", type(error).__name__)
            return "451 4.3.0 It could not be taken in now; try again later"


def take(raw: bytes, recipients: list[str]) -> str:
    """The message is taken in for everybody at these addresses, and the answer for the sending server."""
    users: dict[int, User] = {user.pk: user for address in recipients if (user := mailboxes.user_at(address))}
    for user in users.values():
        message = correspondence.take_in(raw=raw, user=user, at=timezone.now())
        if message.state == MessageState.REFUSED:
            return "554 5.6.0 This is no mail that can be read"
    if users:
        tasks.nudge_follow_ups()
    return "250 OK" if users else "550 5.1.1 There is no such address here"


def _asked(question: Any, *about: Any) -> Any:
    try:
        return question(*about)
    finally:
        connections.close_all()


class Line(SMTP):
    """One conversation. When there are too many already it is told so and ended; whoever sends tries again later."""

    def __init__(self, *args: Any, lines: set[Line], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines

    def connection_made(self, transport: Any) -> None:
        if len(self.lines) < MOST_LINES:
            self.lines.add(self)
            super().connection_made(transport)
        else:
            transport.write(b"421 4.7.0 Too many conversations at once; try again later\r\n")
            transport.close()

    def eof_received(self) -> bool | None:
        return super().eof_received() if self in self.lines else False

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.lines:
            self.lines.remove(self)
            super().connection_lost(error)


class Server(Controller):
    """The listener and the conversations that it has now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lines: set[Line] = set()
        super().__init__(*args, **kwargs)

    def factory(self) -> Line:
        return Line(self.handler, lines=self.lines, **self.SMTP_kwargs)


class Listener:
    """The server, when it can have its port."""

    def __init__(self, where: tuple[str, int] | None, *, must: bool) -> None:
        self.where, self.must = where, must
        self.controller: Controller | None = None
        self.has_complained = False

    def open(self) -> None:
        """Listening from now on; when somebody else has the port, that is said once, and tried again at the next call."""
        if self.where is None or self.controller is not None:
            return
        host, port = self.where
        controller = Server(
            Door(),
            hostname=host,
            port=port,
            data_size_limit=imap.LARGEST,
            enable_SMTPUTF8=True,
            ident="Kring",
            server_hostname=settings.MAIL_IN_DOMAIN or "kring",
            timeout=SECONDS,
        )
        try:
            controller.start()
        except OSError as error:
            with suppress(Exception):
                controller.stop(no_assert=True)
            if self.must:
                raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
            if not self.has_complained:
                log.warning("nothing is received: another program listens on %s:%s", host, port)
                self.has_complained = True
            return
        self.controller = controller
        log.info("mail is received on %s:%s", host, port)

    def close(self) -> None:
        if self.controller is not None:
            self.controller.stop()


@contextmanager
def listening(where: tuple[str, int] | None, *, must: bool) -> Iterator[Listener]:
    """A server that `open()` opens, closed at the end."""
    listener = Listener(where, must=must)
    try:
        yield listener
    finally:
        listener.close()


class Command(BaseCommand):
    help = "Receives the mail that people forward to their own address at Kring, until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", metavar="HOST:PORT", help="Where to listen (default KRING_MAIL_IN).")

    def handle(self, *args: Any, **options: Any) -> None:
        where = settings.MAIL_IN
        if options["at"]:
            host, _colon, port = options["at"].rpartition(":")
            if not host or not port.isdecimal():
                raise CommandError("Say where to listen as a host and a port, such as 0.0.0.0:2525.")
            where = host.strip("[]"), int(port)
        if where is None:
            raise CommandError("Receiving is off (KRING_MAIL_IN).")
        if not settings.MAIL_IN_DOMAIN:
            raise CommandError("Set KRING_MAIL_IN_DOMAIN: without it nobody has an address here.")
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_about: ended.set())
        with listening(where, must=True) as listener:
            listener.open()
            self.stdout.write(f"Mail to {settings.MAIL_IN_DOMAIN} is received on {where[0]}:{where[1]}.")
            self.stdout.flush()
            ended.wait()
