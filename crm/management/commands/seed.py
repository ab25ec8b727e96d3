"""`manage.py seed`: the demo data, once. A database with users is somebody's and stays as it is."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm import demo

LOGINS = demo.LOGINS


class Command(BaseCommand):
    help = "Loads the demo data into an empty database: a small firm with a year of leads, deals and referrals."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at",
            metavar="MOMENT",
            help="The moment at which the story ends (default: now), such as 2026-11-23T09:30.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        if options["at"]:
            try:
                at = datetime.fromisoformat(options["at"])
            except ValueError as wrong:
                raise CommandError(f"--at must be a moment such as 2026-11-23T09:30, not {options['at']!r}.") from wrong
            at = at if timezone.is_aware(at) else timezone.make_aware(at)
        try:
            demo.load(at=at)
        except demo.AlreadyInhabited:
            self.stdout.write("There are users in this database, so the demo data stays out of it.")
            return
        self.stdout.write("The demo data is loaded. Log in as one of these:")
        for role, email, password in LOGINS:
            self.stdout.write(f"  {role:<16} {email:<22} {password}")
