"""`manage.py watch_mailboxes`: keeps a line open (IMAP IDLE) to each mailbox whose server says at once when mail arrives, and has it looked into
then. It reads nothing itself and may die at any time: the schedule looks every minute anyhow. `--receive` takes in forwarded mail, too."""

from __future__ import annotations

import logging
import random
import signal
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections

from crm import mailboxes, tasks
from crm.channels import imap
from crm.channels.imap import CannotRead
from crm.management.commands.healthy import ALIVE
from crm.management.commands.receive_mail import listening
from crm.models import Mailbox

LOOK_EVERY = 20.0
"""Seconds after which a mailbox that was connected, changed or let go is noticed."""
IDLE_FOR = 25 * 60
"""Servers end a line on which nothing was said for half an hour (RFC 2177)."""
LISTEN_FOR = 20.0
"""Seconds until a line looks whether it is still wanted."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 10 * 60.0

log = logging.getLogger(__name__)


class Line(threading.Thread):
    """The line to one mailbox. It knows no database: what it needs was read before."""

    def __init__(self, mailbox_id: int, account: imap.Account, folder: str) -> None:
        super().__init__(name=f"mailbox-{mailbox_id}", daemon=True)
        self.mailbox_id, self.account, self.folder = mailbox_id, account, folder
        self.ended = threading.Event()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self.ended.is_set():
            begun = time.monotonic()
            try:
                self._listen()
            except CannotRead as trouble:
                log.info("the line to mailbox %s broke: %s", self.mailbox_id, trouble.trouble.value)
            except Exception as error:  # A line that dies for any other reason is opened again, too.
                log.warning("the line to mailbox %s broke: %s", self.mailbox_id, type(error).__name__)
            pause = FIRST_PAUSE if time.monotonic() - begun > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self.ended.wait(pause * random.uniform(0.7, 1.3))

    def _listen(self) -> None:
        until = time.monotonic() + IDLE_FOR
        with imap.session(self.account) as session:
            session.open(self.folder)
            self._tell()  # For what came while no line was open.
            while not self.ended.is_set() and time.monotonic() < until:
                if session.wait(LISTEN_FOR):
                    self._tell()

    def _tell(self) -> None:
        tasks.ask_to_poll_now(self.mailbox_id)


class Command(BaseCommand):
    help = "Waits for news of every connected mailbox and has it looked into at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--receive", action="store_true", help="Take in forwarded mail as well (KRING_MAIL_IN).")

    def handle(self, *args: Any, **options: Any) -> None:
        self.lines: dict[tuple[int, str], Line] = {}
        self.ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked_to_stop)
        alive = settings.VAR / "run" / ALIVE
        alive.parent.mkdir(parents=True, exist_ok=True)
        with listening(settings.MAIL_IN if options["receive"] else None, must=False) as door:
            while not self.ended.is_set():
                self._look()
                door.open()
                alive.touch()
                self.ended.wait(LOOK_EVERY)
        for line in self.lines.values():
            line.ended.set()

    def _look(self) -> None:
        """A line for each mailbox that is watched now, and for no other."""
        try:
            wanted = mailboxes.watchable()
            for key in self.lines.keys() - set(wanted):
                self.lines.pop(key).ended.set()
            for key in wanted:
                if key not in self.lines:
                    self._open(*key)
        except DatabaseError as error:
            log.warning("the database is away (%s); looking again in a moment", type(error).__name__)
        finally:
            connections.close_all()

    def _open(self, mailbox_id: int, mark: str) -> None:
        box = Mailbox.objects.filter(pk=mailbox_id).first()
        if box is None:
            return
        try:
            account = mailboxes.account(box)
        except CannotRead as trouble:
            log.warning("mailbox %s is not watched: %s", mailbox_id, trouble.trouble.value)
            return
        folder = next((name for name in box.folders if name.upper() == "INBOX"), box.folders[0])
        self.lines[mailbox_id, mark] = Line(mailbox_id, account, folder)
        self.lines[mailbox_id, mark].start()

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.ended.set()
