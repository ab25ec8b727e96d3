"""The great jobs and the one after each verb, beside the least that the database must do for it."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import connection
from django.db.models import Max, Model
from django.utils import timezone

from crm import follow_ups, imports
from crm.demo import words
from crm.models import (
    Content,
    Deal,
    EmailAddress,
    Event,
    ImportState,
    Lead,
    Organisation,
    Person,
    PhoneNumber,
    Position,
    Touched,
    User,
)
from crm.rules import RULES
from tests.bench.figures import Figure

REFRESH_MOST = 5.0
TOUCHED_MOST = 1.0
"""Seconds after a verb within which its follow-ups are right."""
TOUCHES = 30
IMPORT_MOST = 5.0
IMPORTED = 10_000
TRIES = 3

READ_BY_REFRESH = sorted(
    {"crm_followup", *(table for rule in RULES.values() for table in re.findall(r"crm_\w+", rule.causes))}
)
"""Every table that a rule names, once."""

WRITTEN: list[type[Model]] = [Lead, Person, EmailAddress, PhoneNumber, Position, Organisation, Content, Event]
"""What an import of leads writes."""

BARE_MAP = """
kind = "leads"
external_id = "id"
[columns]
received_at = "received"
content = "page"
origin = "origin"
[dates]
formats = ["%Y-%m-%d %H:%M:%S"]
timezone = "Europe/Brussels"
"""

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
        made = _timed(_refreshed, at)
        second = _timed(_refreshed, at)
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


def refresh_touched(tell: Callable[[str], None]) -> list[Figure]:
    """What a refresh costs after one verb about one person, lead or deal, which people wait for."""
    figure = Figure("refresh after one verb", "a second, which is how long people wait", 1.0, note="one subject")
    # The row that the trigger leaves for an event: of a lead with all that hangs on it, of a deal, of a person alone.
    subjects = ((Lead, "lead", "id"), (Deal, "deal", "lead_id"), (Person, "person", None))
    follow_ups.refresh_touched(at=timezone.now())
    for number in range(TOUCHES):
        model, kind, lead = subjects[number % len(subjects)]
        row = model._default_manager.order_by("pk")[number * 7 % model._default_manager.count()]
        Touched.objects.create(
            subject_kind=kind,
            subject_id=row.pk,
            person_id=row.pk if kind == "person" else row.person_id,
            lead_id=getattr(row, lead) if lead else None,
            deal_id=row.pk if kind == "deal" else None,
        )
        figure.seconds.append(_timed(_looked_again))
        figure.floor_seconds.append(TOUCHED_MOST)
    if Touched.objects.exists():
        figure.failure = "what was touched was not looked at"
    tell(f"  refresh after one verb {figure.p50 * 1000:.0f} ms")
    return [figure]


def take_in(tell: Callable[[str], None]) -> list[Figure]:
    """Ten thousand leads from a file: bare, as a marketing tool sends them; and with people and organisations, of whom a third are known."""
    of_leads = "COPY of the same leads into a table with the same indexes"
    bare = Figure(f"import of {IMPORTED:,} bare leads", of_leads, IMPORT_MOST, note="events included")
    whole = Figure(
        f"import of {IMPORTED:,} leads with their people",
        "COPY of every row that it writes into tables with the same indexes",
        IMPORT_MOST,
    )
    beside_leads = Figure(
        f"import of {IMPORTED:,} leads with their people, beside its leads alone", of_leads, IMPORT_MOST
    )
    for model in WRITTEN:
        _make_twin(model)
    by = User.objects.get(email="mieke@kring.example")
    for number in range(TRIES):
        before = _latest()
        bare.seconds.append(_timed(_imported, _bare_file(number), BARE_MAP, by))
        bare.floor_seconds.append(_copied(Lead, before)[0])
        before = _latest()
        whole.seconds.append(_timed(_imported, _file(number), MAP, by))
        floors = [_copied(model, before) for model in WRITTEN]
        whole.floor_seconds.append(sum(seconds for seconds, _rows in floors))
        beside_leads.floor_seconds.append(floors[WRITTEN.index(Lead)][0])
        whole.note = f"{sum(rows for _seconds, rows in floors):,} rows in {len(WRITTEN)} tables"
    beside_leads.seconds = whole.seconds
    made = Lead.objects.filter(channel="file").count()
    if made != 2 * IMPORTED * TRIES:
        bare.failure = whole.failure = f"{made:,} leads came in, and {2 * IMPORTED * TRIES:,} should have"
    tell(f"  import {bare.p50:.2f} s and {whole.p50:.2f} s")
    return [bare, whole, beside_leads]


def _timed(work: Callable[..., None], *given: object) -> float:
    begun = time.perf_counter()
    work(*given)
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


def _looked_again() -> None:
    follow_ups.refresh_touched(at=timezone.now())


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


def _bare_file(number: int) -> io.BytesIO:
    """A CSV file as a marketing tool sends it: when, from where, through what."""
    dice = Random(1000 + number)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "received", "page", "origin"])
    start = datetime.now(UTC) - timedelta(days=60)
    for row in range(IMPORTED):
        moment = f"{start + timedelta(minutes=row):%Y-%m-%d %H:%M:%S}"
        writer.writerow(
            [f"bare-{number}-{row}", moment, f"page-{dice.randint(1, 300)}", dice.choice(("search", "e-mail", ""))]
        )
    return io.BytesIO(text.getvalue().encode())


def _imported(file: io.BytesIO, map_text: str, by: User) -> None:
    """As a worker does it, the upload included."""
    at = timezone.now()
    run = imports.upload(file=file, file_name="bench.csv", map_text=map_text, by=by, at=at)
    run = imports.run(run_id=run.pk, at=at)
    if run.state != ImportState.DONE:
        raise RuntimeError(f"The import failed: {run.failure}")


def _columns(model: type[Model]) -> str:
    """What can be written in a row, its number included."""
    return ", ".join(
        f'"{field.column}"' for field in model._meta.concrete_fields if field.column is not None and not field.generated
    )


def _make_twin(model: type[Model]) -> None:
    """A table like the model's own, with the same indexes and the same rows in it."""
    table, columns = model._meta.db_table, _columns(model)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
        cursor.execute(f"INSERT INTO bench_{table} ({columns}) SELECT {columns} FROM {table}")
        cursor.execute(f"VACUUM (ANALYZE) bench_{table}")


def _latest() -> dict[type[Model], int]:
    """The highest number of each table that an import writes in."""
    return {model: model._default_manager.aggregate(latest=Max("pk"))["latest"] or 0 for model in WRITTEN}


def _copied(model: type[Model], before: dict[type[Model], int]) -> tuple[float, int]:
    """Seconds that COPY takes for the rows since `before`, and how many they are."""
    table, columns = model._meta.db_table, _columns(model)
    rows = io.BytesIO()
    with connection.cursor() as cursor:
        with cursor.copy(
            f"COPY (SELECT {columns} FROM {table} WHERE id > {before[model]} ORDER BY id) TO STDOUT"
        ) as source:
            for part in source:
                rows.write(bytes(part))
        begun = time.perf_counter()
        with cursor.copy(f"COPY bench_{table} ({columns}) FROM STDIN") as target:
            target.write(rows.getvalue())
        return time.perf_counter() - begun, cursor.rowcount
