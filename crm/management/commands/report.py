"""`manage.py report origins --from 2026-01-01 --to 2026-03-31`: the tables of the dashboard, for a file or a terminal."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm import reports


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31.") from None


def _zone(text: str) -> ZoneInfo:
    if text not in available_timezones():
        raise ArgumentTypeError(f"{text!r} is not a time zone such as Europe/Brussels.")
    return ZoneInfo(text)


class Command(BaseCommand):
    help = "Prints a table of the dashboard: funnel, origins, content, owners or months."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("table", choices=list(reports.TABLES))
        parser.add_argument(
            "--from", dest="first", type=_day, required=True, metavar="DAY", help="First day, such as 2026-01-01."
        )
        parser.add_argument("--to", dest="last", type=_day, required=True, metavar="DAY", help="Last day, included.")
        parser.add_argument(
            "--format", choices=["csv", "text"], default="text", help="csv for a file, text to read (default)."
        )
        parser.add_argument(
            "--timezone",
            type=_zone,
            default=ZoneInfo(settings.TIME_ZONE),
            metavar="ZONE",
            help="Whose days (default: the organisation's).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            table = reports.take(
                options["table"], first=options["first"], last=options["last"], zone=options["timezone"]
            )
        except ValueError as error:
            raise CommandError(f"--to lies before --from: {error}.") from error
        if options["format"] == "csv":
            self.stdout.write(reports.as_csv(table), ending="")
        else:
            self.stdout.write(reports.as_text(table), ending="")
