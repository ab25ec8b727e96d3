"""`manage.py healthy web|worker|beat|mail`: whether the program in this container does its work, for the container's health check."""

from __future__ import annotations

import http.client
import socket
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

# Beat writes down what it last sent every three minutes.
BEAT_IS_LATE_AFTER = 6 * 60
# Whoever watches the mailboxes looks three times a minute which there are.
MAIL_IS_LATE_AFTER = 2 * 60
ALIVE = "mail-alive"
"""A file below KRING_VAR/run that `watch_mailboxes` touches at each look."""


class Command(BaseCommand):
    help = "Answers whether web, worker, beat or mail does its work; fails with the reason when not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", choices=list(PROGRAMS))

    def handle(self, *args: Any, **options: Any) -> None:
        reason = PROGRAMS[options["program"]]()
        if reason:
            raise CommandError(reason)
        self.stdout.write("ok")


def web() -> str:
    visitor = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=8)
    try:
        visitor.request(
            "GET", "/readyz", headers={"Host": settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost")}
        )
        answer = visitor.getresponse()
        return "" if answer.status == 200 else f"{answer.status}: {answer.read(2000).decode()}"
    except OSError as silent:
        return f"The web server does not answer: {silent}"


def worker() -> str:
    name = f"celery@{socket.gethostname()}"
    return (
        ""
        if current_app.control.ping(destination=[name], timeout=5, limit=1)
        else f"The worker {name} does not answer."
    )


def beat() -> str:
    written = [
        file.stat().st_mtime for file in Path(settings.CELERY_BEAT_SCHEDULE_FILENAME).parent.glob("beat-schedule*")
    ]
    age = time.time() - max(written, default=0)
    return "" if age < BEAT_IS_LATE_AFTER else "Beat has written nothing down for too long."


def mail() -> str:
    alive = settings.VAR / "run" / ALIVE
    age = time.time() - (alive.stat().st_mtime if alive.exists() else 0)
    return "" if age < MAIL_IS_LATE_AFTER else "Nobody has looked for mailboxes to watch for too long."


PROGRAMS: dict[str, Callable[[], str]] = {"web": web, "worker": worker, "beat": beat, "mail": mail}
