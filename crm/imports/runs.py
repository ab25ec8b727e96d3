"""One import from the file to the rows: uploaded, looked at, run once, and resumed when its worker died.

A run is one transaction under a lock that PostgreSQL gives back when the connection ends, whatever ended it. So a run whose worker is gone can
be seen (*running* without a lock) and run again, and nothing is ever half done.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm import duplicates, events, locks, notices, pipelines
from crm.channels import csv_file, import_map
from crm.channels.csv_file import Sheet, Unreadable
from crm.channels.import_map import ImportMap, MapError
from crm.imports import deals, leads, organisations, people, reading, staging
from crm.imports.progress import OnProgress, Progress
from crm.imports.reading import Problem, Reader, Stages, Taken
from crm.imports.staging import Columns, Said
from crm.models import EventKind, ImportKind, ImportRun, ImportState, NoticeKind, Stage, User
from crm.notation import Name
from crm.refusal import Refused

LARGEST = 64 * 1024 * 1024
"""Bytes of a file. It is kept in the database for any worker to read, and must fit a worker's memory."""

PATIENCE = timedelta(minutes=2)
"""A run that is asked for and not begun by then has lost its worker or its message, and may be asked for again."""

RESUMED_FOR = timedelta(hours=6)
"""The sweep asks again for so long; a file on which every worker dies is left alone after that."""

FEW = 500
"""More people and organisations than this are compared in one go with everybody, which is quicker than one after the other."""

LOCK = 0x4B52
PREVIEW_BYTES = 1024 * 1024
PREVIEW_ROWS = 200

logger = logging.getLogger(__name__)


class Failed(Exception):
    """The import stopped before anything was written; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What a run did, or would do: rows read, made, changed, the same, refused, and each refused value."""

    read: int
    made: int
    changed: int
    same: int
    refused: int
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Preview:
    """The beginning of a file as it would be taken in."""

    sheet: Sheet | None
    fields: list[str]
    rows: list[tuple[int, list[str]]]
    failure: str
    problems: list[Problem]
    read: int
    refused: int


# ── Before ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def upload(*, file: BinaryIO, file_name: str, map_text: str, by: User | None, at: datetime) -> ImportRun:
    """The file and its map wait to be run. Refuses a map that is wrong, a file that cannot be read as CSV, and one of more than 64 MB."""
    plan = _parsed(map_text)
    try:
        csv_file.examine(file, expects=plan.wanted)
    except Unreadable as unreadable:
        raise Refused(str(unreadable)) from unreadable
    size = file.seek(0, io.SEEK_END)
    if size > LARGEST:
        said = {"size": size // 1024 // 1024, "most": LARGEST // 1024 // 1024}
        raise Refused(
            _("The file has %(size)d MB; Kring takes %(most)d MB at once. Split it in two, each with the header.")
            % said
        )
    file.seek(0)
    return ImportRun.objects.create(
        file_name=file_name[-255:],
        content=file.read(),
        map_text=map_text,
        kind=ImportKind(plan.kind),
        by=by,
        created_at=at,
    )


def preview(run: ImportRun) -> Preview:
    """The first rows as they would be taken, and what is wrong in the first two hundred. Reads at most a megabyte of the file."""
    head = staging.fetch(
        "SELECT substring(content FROM 1 FOR %(most)s) FROM crm_importrun WHERE id = %(id)s",
        {"most": PREVIEW_BYTES, "id": run.pk},
    )
    stream = io.BytesIO(bytes(head[0][0]))
    try:
        plan = _parsed(run.map_text)
        sheet = csv_file.examine(stream, expects=plan.wanted)
    except (Refused, Unreadable) as failure:
        return Preview(None, [], [], str(failure), [], 0, 0)
    fields = list(plan.columns)
    if sentences := reading.missing(plan, sheet):
        return Preview(sheet, fields, [], " ".join(sentences), [], 0, 0)
    places = _places() if plan.kind == ImportKind.DEALS and Stage.objects.exists() else None
    reader = Reader(plan, sheet, stages=places, keeps_cells=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for taken in reader.rows(stream):
            if len(rows) < 10:
                rows.append(
                    (taken.line, [taken.external_id, *(_shown(taken.cells.get(name), plan) for name in fields)])
                )
            if reader.read_rows >= PREVIEW_ROWS:
                break
    except Unreadable as failure:
        return Preview(sheet, fields, rows, str(failure), [], reader.read_rows, reader.refused_rows)
    problems = [problem for problem in reader.problems if problem.line <= sheet.header_line + PREVIEW_ROWS]
    return Preview(sheet, fields, rows, "", problems, reader.read_rows, reader.refused_rows)


def _shown(value: Any, plan: ImportMap) -> str:
    """A converted value as a person reads it."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(plan.zone(settings.TIME_ZONE)).strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:,.2f}"
        case Name():
            return " ".join(part for part in (value.given, value.particle, value.family) if part)
        case list():
            return ", ".join(value)
        case (str() as state, int() as stage):
            return str(Stage.objects.filter(pk=stage).values_list("name", flat=True).first() or state)
        case (str() as first, second):
            return " · ".join(str(part) for part in (first, second) if part)
    return str(value)[:100]


def request(*, run: ImportRun, by: User, at: datetime) -> bool:
    """The run waits for a worker, and the answer is true: tell one. False when it is running or done already; then nothing changes."""
    if is_alive(run.pk):
        return False
    may = Q(state__in=(ImportState.UPLOADED, ImportState.FAILED)) | Q(
        state=ImportState.RUNNING, claimed_at__lt=at - PATIENCE
    )
    moved = ImportRun.objects.filter(may, pk=run.pk).update(
        state=ImportState.RUNNING, by=run.by or by, claimed_at=at, finished_at=None, rows_read=0, failure=""
    )
    return bool(moved)


def is_alive(run_id: int) -> bool:
    """Whether a process is at work on this run at this moment."""
    sql = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %(lock)s AND objid = %(id)s AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    """
    return bool(staging.fetch(sql, {"lock": LOCK, "id": run_id})[0][0])


def is_stuck(run: ImportRun, *, at: datetime) -> bool:
    """Asked for or begun a while ago, and nobody is at work on it."""
    return (
        run.state == ImportState.RUNNING
        and run.claimed_at is not None
        and run.claimed_at < at - PATIENCE
        and not is_alive(run.pk)
    )


def abandoned(*, at: datetime) -> list[int]:
    """Runs that were asked for and that nobody is at work on: their worker died, or the message to it was lost."""
    waiting = ImportRun.objects.filter(
        state=ImportState.RUNNING, claimed_at__lt=at - PATIENCE, created_at__gt=at - RESUMED_FOR
    ).values_list("pk", flat=True)
    return [pk for pk in waiting if not is_alive(pk)]


# ── The run itself ───────────────────────────────────────────────────────────────────────────────────────────────────


def run(*, run_id: int, at: datetime, on_progress: OnProgress | None = None) -> ImportRun:
    """The file is taken in: every good row is a record, every bad one is listed, and the run says how many of each. All of it or nothing.

    A run that is done, or that another process is at work on, is left as it is. When it cannot be done (wrong map, missing column, unreadable
    file) it has failed, with the reason, and nothing is written; it may be run again. A lost connection leaves it *running* with nothing
    written; running it again finishes it.
    """
    row = ImportRun.objects.defer("content").select_related("by").get(pk=run_id)
    language = row.by.language if row.by else settings.LANGUAGE_CODE
    with translation.override(language), Progress(run_id, on_progress) as progress:
        try:
            with transaction.atomic():
                if _claimed(run_id):
                    progress.begun(at)
                    outcome = _take_in(row, at, progress)
                    _look_for_duplicates(row.kind, outcome, at)
                    _finish(row, outcome, at)
        except (OperationalError, InterfaceError):
            raise
        except (Failed, Refused, Unreadable) as failure:
            _fail(row, str(failure), at)
        except Exception:
            logger.exception("Import %s stopped", run_id)
            _fail(
                row,
                _(
                    "Something went wrong on our side. Nothing was written; please try again, or ask whoever looks after Kring."
                ),
                at,
            )
            raise
    return ImportRun.objects.defer("content").get(pk=run_id)


def rehearse(
    *, file: BinaryIO, map_text: str, by: User | None, at: datetime, on_progress: OnProgress | None = None
) -> Outcome:
    """What a run of this file would do, found by doing it and undoing it. Raises `Failed` where a run would fail."""
    with transaction.atomic():
        try:
            row = upload(file=file, file_name="", map_text=map_text, by=by, at=at)
            with Progress(row.pk, on_progress) as progress:
                return _take_in(row, at, progress)
        except (Refused, Unreadable) as failure:
            raise Failed(str(failure)) from failure
        finally:
            transaction.set_rollback(True)


def _look_for_duplicates(kind: str, outcome: Outcome, at: datetime) -> None:
    """What the file brought is compared with what was there: a few rows by themselves, many together with all others."""
    if not outcome.made and not outcome.changed:
        return
    companies = _keys("organisation_id")
    persons = _keys("person_id") if kind in (ImportKind.PEOPLE, ImportKind.LEADS) else []
    if len(persons) + len(companies) > FEW:
        duplicates.find_all(at=at)
    else:
        duplicates.look(people=persons, organisations=companies, at=at)


def _keys(column: str) -> list[int]:
    found = staging.fetch(f"SELECT DISTINCT {column} FROM staged WHERE {column} IS NOT NULL LIMIT {FEW + 1}")
    return [key for (key,) in found]


def _claimed(run_id: int) -> bool:
    """Hold the run's lock until the transaction ends, and see that it is not done yet."""
    is_held = staging.fetch("SELECT pg_try_advisory_xact_lock(%(lock)s, %(id)s)", {"lock": LOCK, "id": run_id})[0][0]
    return bool(is_held) and ImportRun.objects.filter(pk=run_id).exclude(state=ImportState.DONE).exists()


def _finish(row: ImportRun, outcome: Outcome, at: datetime) -> None:
    staging.write_problems(row.pk, outcome.problems)
    ImportRun.objects.filter(pk=row.pk).update(
        state=ImportState.DONE,
        claimed_at=at,
        finished_at=timezone.now(),  # Not `at`: how long it took is what somebody wants to know.
        rows_total=outcome.read,
        rows_read=outcome.read,
        rows_made=outcome.made,
        rows_changed=outcome.changed,
        rows_same=outcome.same,
        rows_refused=outcome.refused,
        failure="",
    )
    counts = {"made": outcome.made, "changed": outcome.changed, "same": outcome.same, "refused": outcome.refused}
    events.record(
        EventKind.IMPORT_RUN, subject=row, by=row.by, at=at, new={"file": row.file_name, "kind": row.kind, **counts}
    )
    _tell(row, at, what="done", taken=outcome.made + outcome.changed + outcome.same, refused=outcome.refused)


@transaction.atomic
def _fail(row: ImportRun, reason: str, at: datetime) -> None:
    has_failed = (
        ImportRun.objects.filter(pk=row.pk)
        .exclude(state=ImportState.DONE)
        .update(state=ImportState.FAILED, failure=reason, finished_at=timezone.now())
    )
    if has_failed:
        _tell(row, at, what="failed", why=reason)


def _tell(row: ImportRun, at: datetime, **said: Any) -> None:
    """Who started it does not wait beside it."""
    if row.by is not None:
        notices.tell(
            user=row.by,
            kind=NoticeKind.IMPORT,
            values={"file": row.file_name, **said},
            path=reverse("crm:import", args=[row.pk]),
            at=at,
            subject=row,
        )


def _parsed(map_text: str) -> ImportMap:
    try:
        return import_map.parse(map_text)
    except MapError as error:
        raise Refused(str(error)) from error


def _places() -> Stages:
    return reading.stages_of(
        list(Stage.objects.select_related("pipeline").order_by("pipeline__position", "pipeline_id", "position", "id"))
    )


def _take_in(row: ImportRun, at: datetime, progress: Progress) -> Outcome:
    plan = _parsed(row.map_text)
    stream = io.BytesIO(bytes(ImportRun.objects.values_list("content", flat=True).get(pk=row.pk)))
    sheet = csv_file.examine(stream, expects=plan.wanted)
    if sentences := reading.missing(plan, sheet):
        raise Failed(" ".join(sentences))
    # Two imports at once would make the same new organisation twice; the second waits until the first has ended.
    locks.hold("imports")
    said = Said(row.by_id, at)
    places = None
    if plan.kind == ImportKind.DEALS:
        pipelines.ensure_default()
        places = _places()
    reader = Reader(plan, sheet, stages=places)
    find, write, columns, found, key, table = _steps(plan, said, places)
    staging.prepare({**columns, **found}, key=key, table=table)
    total = max(sheet.lines - sheet.header_line, 0)
    staged = staging.copy_in(columns, _told(reader.rows(stream), reader, progress, total))
    progress.told(reader.read_rows, reader.read_rows, now=True)
    staging.weigh()
    find()
    late = staging.problems_found()
    made, changed = write()
    connection.check_constraints()
    refused_late = len({problem.line for problem in late})
    return Outcome(
        read=reader.read_rows,
        made=made,
        changed=changed,
        same=staged - refused_late - made - changed,
        refused=reader.refused_rows + refused_late,
        problems=[*reader.problems, *late],
    )


Steps = tuple[Callable[[], None], Callable[[], tuple[int, int]], Columns, Columns, str, str]


def _steps(plan: ImportMap, said: Said, places: Stages | None) -> Steps:
    """How rows of this kind are found and written, and the columns of their staging table."""
    if plan.kind == ImportKind.LEADS:
        return (
            (lambda: leads.find(said)),
            (lambda: leads.write(said)),
            leads.COLUMNS,
            leads.FOUND,
            leads.KEY,
            leads.TABLE,
        )
    if plan.kind == ImportKind.DEALS and places is not None:
        return (
            (lambda: deals.find(said, plan)),
            (lambda: deals.write(said, places)),
            deals.COLUMNS,
            deals.FOUND,
            deals.KEY,
            deals.TABLE,
        )
    kind = people if plan.kind == ImportKind.PEOPLE else organisations
    return (lambda: kind.find(said, plan)), (lambda: kind.write(said)), kind.COLUMNS, kind.FOUND, kind.KEY, kind.TABLE


def _told(rows: Iterator[Taken], reader: Reader, progress: Progress, total: int) -> Iterator[Taken]:
    for taken in rows:
        if reader.read_rows % 500 == 0:
            progress.told(reader.read_rows, max(total, reader.read_rows))
        yield taken
