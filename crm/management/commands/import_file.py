"""`manage.py import_file leads.csv --map leads.toml`: take in a file, with a progress bar. Exit code 0: every row is taken; 1: some rows were
refused; 2: nothing was taken."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crm import imports
from crm.imports import Problem
from crm.imports.progress import OnProgress
from crm.models import ImportState, User
from crm.refusal import Refused
from crm.reports import harmless

SOME_REFUSED, NOTHING_TAKEN = 1, 2
SHOWN = 20


class Command(BaseCommand):
    help = "Takes in a CSV file of leads, deals, people or organisations, as a TOML map says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="The CSV file. Encoding and delimiter are found.")
        parser.add_argument("--map", type=Path, required=True, metavar="MAP.toml", help="Which column is which field.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen, and change nothing.")
        parser.add_argument("--errors", type=Path, metavar="FILE.csv", help="Write the refused values to this file.")
        parser.add_argument("--by", metavar="E-MAIL", help="The user who does this; events carry the name.")

    def handle(self, *args: Any, **options: Any) -> None:
        by = self._user(options["by"])
        map_text = self._read(options["map"])
        try:
            with options["path"].open("rb") as file, self._bar() as on_progress:
                if options["dry_run"]:
                    outcome = imports.rehearse(
                        file=file, map_text=map_text, by=by, at=timezone.now(), on_progress=on_progress
                    )
                else:
                    outcome = self._run(file, options["path"].name, map_text, by, on_progress)
        except OSError as error:
            raise CommandError(
                f"{options['path']} cannot be read: {error.strerror}.", returncode=NOTHING_TAKEN
            ) from error
        except (Refused, imports.Failed) as failure:
            raise CommandError(f"Nothing was taken in. {failure}", returncode=NOTHING_TAKEN) from failure
        except (OperationalError, InterfaceError) as error:
            sentence = "The connection to the database was lost. Nothing was taken in; run the same command again."
            raise CommandError(sentence, returncode=NOTHING_TAKEN) from error
        self._tell(outcome, dry_run=options["dry_run"])
        if options["errors"]:
            _write_errors(options["errors"], outcome.problems)
            self.stdout.write(f"The refused values are in {options['errors']}.")
        if outcome.refused:
            sys.exit(SOME_REFUSED)

    def _run(self, file: Any, name: str, map_text: str, by: User | None, on_progress: OnProgress) -> imports.Outcome:
        at = timezone.now()
        run = imports.run(
            run_id=imports.upload(file=file, file_name=name, map_text=map_text, by=by, at=at).pk,
            at=at,
            on_progress=on_progress,
        )
        if run.state != ImportState.DONE:
            raise imports.Failed(run.failure)
        problems = [Problem(row.line, row.column, row.value, row.reason) for row in run.refused.all()]
        return imports.Outcome(
            run.rows_read, run.rows_made, run.rows_changed, run.rows_same, run.rows_refused, problems
        )

    def _user(self, email: str | None) -> User | None:
        if not email:
            return None
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is no user with the address {email}.", returncode=NOTHING_TAKEN)
        return user

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The map {path} cannot be read: {error}.", returncode=NOTHING_TAKEN) from error

    @contextmanager
    def _bar(self) -> Iterator[OnProgress]:
        """A bar on a terminal; a line for each tenth of the file elsewhere."""
        console = Console(file=sys.stderr)
        if not console.is_terminal:
            yield self._lines()
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("Reading", total=None)

            def on_progress(read: int, total: int) -> None:
                bar.update(task, completed=read, total=total, description="Writing" if read == total else "Reading")

            yield on_progress

    def _lines(self) -> OnProgress:
        told = 0

        def on_progress(read: int, total: int) -> None:
            nonlocal told
            tenth = 10 * read // total if total else 10
            if tenth > told:
                told = tenth
                self.stderr.write(f"{read} of {total} rows read")

        return on_progress

    def _tell(self, outcome: imports.Outcome, *, dry_run: bool) -> None:
        would = "This would be" if dry_run else "Done:"
        self.stdout.write(
            f"{would} {outcome.read} rows read, {outcome.made} new, {outcome.changed} changed, {outcome.same} unchanged, {outcome.refused} refused."
        )
        for problem in outcome.problems[:SHOWN]:
            self.stdout.write(f"  line {problem.line}, {problem.column or 'row'}: {problem.value!r}: {problem.reason}")
        if len(outcome.problems) > SHOWN:
            self.stdout.write(f"  … and {len(outcome.problems) - SHOWN} more; --errors FILE.csv writes them all.")


def _write_errors(path: Path, problems: Iterable[Problem]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "column", "value", "reason"])
        writer.writerows(
            (problem.line, harmless(problem.column), harmless(problem.value), problem.reason) for problem in problems
        )
