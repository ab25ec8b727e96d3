"""The two great jobs, each beside the least that the database must do for it."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import connection
from django.utils import timezone

from crm import follow_ups, imports
from crm.demo import words
from crm.models import ImportState, Lead, User
from crm.rules import RULES
from tests.bench.figures import Figure

REFRESH_MOST = 5.0
IMPORT_MOST = 5.0
IMPORTED = 10_000
TRIES = 3

READ_BY_REFRESH = sorted(
    {"crm_followup", *(table for rule in RULES.values() for table in re.findall(r"crm_\w+", rule.causes))}
)
"""Every table that a rule names, once."""

MAP = """
kind = "leads"
external_id = "id"
[columns]
received_at = "received"
person_name = "name"
email = "email"
organisation = "company"
origin = "origin"
message = "message"
[dates]
formats = ["%Y-%m-%d %H:%M:%S"]
timezone = "Europe/Brussels"
"""


def refresh(tell: Callable[[str], None]) -> list[Figure]:
    """A complete refresh of the follow-ups when none is open yet, and again when nothing has changed."""
    floor = "one sequential scan of " + ", ".join(table.removeprefix("crm_") for table in READ_BY_REFRESH)
    fresh = Figure("refresh of all follow-ups, fresh", floor, REFRESH_MOST)
    again = Figure("refresh of all follow-ups, again", floor, REFRESH_MOST)
    for number in range(TRIES + 1):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM crm_followup WHERE closed_at IS NULL")
            cursor.execute("VACUUM (ANALYZE) crm_followup")
        scan = _timed(_scan)
        at = timezone.now()
        made = _timed(lambda at=at: _refreshed(at))  # type: ignore[misc]
        second = _timed(lambda at=at: _refreshed(at))  # type: ignore[misc]
        if number:  # The first warms the caches.
            fresh.seconds.append(made)
            again.seconds.append(second)
            fresh.floor_seconds.append(scan)
            again.floor_seconds.append(scan)
    report = follow_ups.refresh(at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_followup WHERE closed_at IS NULL")
        fresh.note = f"{cursor.fetchone()[0]:,} open"
    tell(f"  refresh {fresh.p50:.2f} s and {again.p50:.2f} s")
    for one in (fresh, again):
        one.failure = "; ".join(f"{rule.rule}: {rule.error}" for rule in report.failed)
    return [fresh, again]


def take_in(tell: Callable[[str], None]) -> list[Figure]:
    """Ten thousand leads from a file, of people and organisations of whom a third are known."""
    figure = Figure(
        f"import of {IMPORTED:,} leads", "COPY of the same rows into a table with the same indexes", IMPORT_MOST
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_copy (LIKE crm_lead INCLUDING ALL)")
        columns = _columns(cursor)
        cursor.execute(f"INSERT INTO bench_copy ({columns}) SELECT {columns} FROM crm_lead")
        cursor.execute("VACUUM (ANALYZE) bench_copy")
    by = User.objects.get(email="mieke@kring.example")
    for number in range(TRIES):
        file = _file(number)
        figure.seconds.append(_timed(lambda file=file: _imported(file, by)))  # type: ignore[misc]
        rows = _rows_of(number, columns)
        figure.floor_seconds.append(_timed(lambda rows=rows: _copied(rows, columns)))  # type: ignore[misc]
    made = Lead.objects.filter(channel="file").count()
    figure.note = "people, organisations and events included"
    if made != IMPORTED * TRIES:
        figure.failure = f"{made} leads came in, and {IMPORTED * TRIES} should have"
    tell(f"  import {figure.p50:.2f} s")
    return [figure]


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _scan() -> None:
    """Every row of the tables is looked at, by one process, as a statement that writes has it."""
    with connection.cursor() as cursor:
        for switch in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            cursor.execute(f"SET {switch} = off")
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        for table in READ_BY_REFRESH:
            cursor.execute(f"SELECT count(*) FROM {table}")
        cursor.execute("RESET ALL")


def _refreshed(at: datetime) -> None:
    follow_ups.refresh(at=at)


def _file(number: int) -> io.BytesIO:
    """A CSV file as a fair or an agency sends it."""
    dice = Random(number)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "received", "name", "email", "company", "origin", "message"])
    start = datetime.now(UTC) - timedelta(days=30)
    for row in range(IMPORTED):
        is_known = row % 3 == 0
        firm = dice.randint(1, 5000) if is_known else 10_000_000 + number * IMPORTED + dice.randint(1, 4000)
        name = f"{dice.choice(words.FLEMISH_GIVEN)} {dice.choice(words.FLEMISH_FAMILY)}"
        address = f"p{dice.randint(1, 8000)}@firm{firm}.example" if is_known else f"q{number}x{row}@firm{firm}.example"
        writer.writerow(
            [
                f"file-{number}-{row}",
                f"{start + timedelta(minutes=row):%Y-%m-%d %H:%M:%S}",
                name,
                address,
                f"Firma {firm}",
                dice.choice(("fair", "agency", "")),
                dice.choice(words.MESSAGES["nl"]),
            ]
        )
    return io.BytesIO(text.getvalue().encode())


def _imported(file: io.BytesIO, by: User) -> None:
    """As a worker does it, the upload included."""
    at = timezone.now()
    run = imports.upload(file=file, file_name="bench.csv", map_text=MAP, by=by, at=at)
    run = imports.run(run_id=run.pk, at=at)
    if run.state != ImportState.DONE:
        raise RuntimeError(f"The import failed: {run.failure}")


def _columns(cursor: object) -> str:
    """What can be written in a lead, its number included."""
    return ", ".join(
        field.column for field in Lead._meta.concrete_fields if field.column is not None and not field.generated
    )


def _rows_of(number: int, columns: str) -> bytes:
    copied = io.BytesIO()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY (SELECT {columns} FROM crm_lead WHERE channel = 'file' AND external_id LIKE 'file-{number}-%%' ORDER BY id) TO STDOUT"
        ) as source,
    ):
        for part in source:
            copied.write(bytes(part))
    return copied.getvalue()


def _copied(rows: bytes, columns: str) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY bench_copy ({columns}) FROM STDIN") as target:
        target.write(rows)
