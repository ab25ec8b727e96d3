"""`manage.py serve`: the web server, as servers and containers run it. With `--migrate` it brings the database up to date first and does not
serve when that fails."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections


def web_command(host: str, port: int) -> list[str]:
    """Granian on WSGI. Two threads in each process: one slow page does not hold up the next; idle ones keep their database connection."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", host, "--port", str(port),
        "--workers", str(settings.WEB_PROCESSES), "--blocking-threads", "2", "--blocking-threads-idle-timeout", "600",
        "--respawn-failed-workers", "--log-level", "warning", "config.wsgi:application",
    ]  # fmt: skip


class Command(BaseCommand):
    help = "Runs the web server in the foreground."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default 127.0.0.1).")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="Port to listen on (default $PORT or 8000)."
        )
        parser.add_argument("--migrate", action="store_true", help="Bring the database up to date first.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout, stderr=self.stderr)
        connections.close_all()
        command = web_command(options["host"], options["port"])
        os.execv(command[0], command)
