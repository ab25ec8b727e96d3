"""The staging table of one import, and the statements that every kind shares. All of it lives in one transaction and goes with it.

`staged` holds the rows of the file that could be read; `staged_problem` what a statement refused afterwards. Each later step is one statement
over all rows. SQL here is put together from names in this package only; values of the file go in through COPY and parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from crm.imports.reading import Problem, Taken

Columns = dict[str, str]

TEMPORARY = (
    *(
        "staged",
        "staged_problem",
        "staged_user",
        "staged_content",
        "staged_organisation",
        "staged_person",
        "staged_merged",
        "changed",
        "moved",
        "accepted",
    ),
)


@dataclass(frozen=True)
class Said:
    """Who runs the import and when: what every event of it carries."""

    by_id: int | None
    at: datetime


def execute(sql: str, params: dict[str, Any] | None = None) -> int:
    """Run one statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or {})
        return int(cursor.rowcount)


def fetch(sql: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or {})
        return list(cursor.fetchall())


def number(sql: str, params: dict[str, Any] | None = None) -> int:
    return int(fetch(sql, params)[0][0])


def prepare(columns: Columns, *, key: str, table: str) -> None:
    """Make the staging table. `key` is the column for the id of the row's record in `table`; a new record has its id from the start."""
    execute("DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{name}" for name in TEMPORARY))
    fields = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    execute(
        f"""
        CREATE TEMPORARY TABLE staged (
            line integer NOT NULL, external_id text NOT NULL, {fields},
            {key} bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('{table}', 'id')), is_new boolean NOT NULL DEFAULT true
        ) ON COMMIT DROP
        """
    )
    execute(
        'CREATE TEMPORARY TABLE staged_problem (line integer, "column" text, value text, reason text) ON COMMIT DROP'
    )


def copy_in(columns: Columns, taken: Iterable[Taken]) -> int:
    """COPY the rows into the staging table; how many there were."""
    names = tuple(columns)
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY staged (line, external_id, {', '.join(names)}) FROM STDIN") as copy,
    ):
        for row in taken:
            get = row.values.get
            copy.write_row((row.line, row.external_id, *(get(name) for name in names)))
            count += 1
    return count


def weigh(table: str = "staged") -> None:
    """Let the planner know how many rows a temporary table has; without that it plans for few and takes minutes for many."""
    execute(f"ANALYZE {table}")


def refuse(where: str, *, column: str, value: str, reason: str, params: dict[str, Any] | None = None) -> None:
    """Every staged row (alias `s`) for which `where` holds is a problem and is taken no further. `value` is an SQL expression."""
    execute(
        f"""
        INSERT INTO staged_problem SELECT s.line, %(column)s, COALESCE(({value})::text, ''), %(reason)s FROM staged s WHERE {where}
        """,
        {"column": column, "reason": reason, **(params or {})},
    )
    execute("DELETE FROM staged s USING staged_problem p WHERE p.line = s.line")


def problems_found() -> list[Problem]:
    return [Problem(*row) for row in fetch('SELECT line, "column", value, reason FROM staged_problem')]


def write_problems(run_id: int, problems: Sequence[Problem]) -> None:
    """Keep what was refused, for the screen and the download."""
    execute("DELETE FROM crm_refusedvalue WHERE run_id = %(run)s", {"run": run_id})
    statement = 'COPY crm_refusedvalue (run_id, line, "column", value, reason) FROM STDIN'
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for problem in sorted(problems, key=lambda problem: problem.line):
            value = problem.value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
            copy.write_row((run_id, problem.line, problem.column[:200], value[:500], problem.reason[:300]))


def match_known(key: str, table: str, *, also: str = "") -> None:
    """Rows whose external id is known are about that record. `also` narrows the records (alias `t`)."""
    execute(
        f"UPDATE staged s SET {key} = t.id, is_new = false FROM {table} t WHERE t.external_id = s.external_id AND t.external_id <> '' {also}"
    )


STAYED = """
WITH RECURSIVE chain AS (
    SELECT m.gone_id, m.kept_id FROM crm_merge m WHERE m.kind = '{kind}' AND m.undone_at IS NULL
    UNION
    SELECT c.gone_id, m.kept_id FROM chain c JOIN crm_merge m ON m.gone_id = c.kept_id WHERE m.kind = '{kind}' AND m.undone_at IS NULL
)
SELECT m.gone, m.gone_external_id, t.id, t.external_id FROM crm_merge m JOIN chain c ON c.gone_id = m.gone_id JOIN {table} t ON t.id = c.kept_id
WHERE m.kind = '{kind}' AND m.undone_at IS NULL
"""
"""The rows that were merged away, each with the row that stayed at the end of its chain."""


BY_OLD_ID = "f.gone_external_id <> '' AND f.gone_external_id = s.external_id"


def match_merged(key: str, table: str, kind: str, same: str = BY_OLD_ID) -> None:
    """New rows that are a record that was merged away (`same`, aliases `f` and `s`) are about the one that stayed, which keeps an id of its own.

    Of two rows about one record the one with its own id counts, else the first; the others say nothing new.
    """
    execute("DROP TABLE IF EXISTS pg_temp.staged_merged")
    execute(
        f"""
        CREATE TEMPORARY TABLE staged_merged ON COMMIT DROP AS
        SELECT DISTINCT ON (s.line) s.line, f.id, f.external_id FROM staged s JOIN ({STAYED.format(kind=kind, table=table)}) f ON {same}
        WHERE s.is_new ORDER BY s.line, f.id
        """
    )
    execute(
        f"""
        DELETE FROM staged s USING staged_merged f WHERE f.line = s.line AND (
            EXISTS (SELECT FROM staged k WHERE NOT k.is_new AND k.{key} = f.id)
            OR EXISTS (SELECT FROM staged_merged e WHERE e.id = f.id AND e.line < f.line)
        )
        """
    )
    execute(
        f"""
        UPDATE staged s SET {key} = f.id, is_new = false, external_id = COALESCE(NULLIF(f.external_id, ''), s.external_id)
        FROM staged_merged f WHERE f.line = s.line
        """
    )


@dataclass(frozen=True)
class Change:
    """One column that a file may change: its name in events, the record's column, the value as staged (alias `s`), and how events show it.

    An empty cell never erases what Kring knows, so a staged NULL changes nothing. `when` narrows further (aliases `s`, `t`).
    """

    name: str
    column: str
    staged: str
    shown: str = "{}"
    when: str = "true"

    @property
    def differs(self) -> str:
        return f"(({self.staged}) IS NOT NULL AND t.{self.column} IS DISTINCT FROM ({self.staged}) AND {self.when})"


def change(table: str, key: str, fields: Sequence[Change], params: dict[str, Any] | None = None) -> int:
    """Bring known records up to date; how many changed. What changed, before and after, stands in the table `changed` (id, old, new)."""

    def shown(value: str, one: Change) -> str:
        return f"'{one.name}', CASE WHEN {one.differs} THEN to_jsonb({one.shown.format(value)}) END"

    old = ", ".join(shown(f"t.{one.column}", one) for one in fields)
    new = ", ".join(shown(f"({one.staged})", one) for one in fields)
    execute(
        f"""
        CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
        SELECT t.id, jsonb_strip_nulls(jsonb_build_object({old})) AS old, jsonb_strip_nulls(jsonb_build_object({new})) AS new
        FROM staged s JOIN {table} t ON t.id = s.{key}
        WHERE NOT s.is_new AND ({" OR ".join(one.differs for one in fields)})
        """,
        params,
    )
    values = ", ".join(
        f"{one.column} = CASE WHEN {one.differs} THEN ({one.staged}) ELSE t.{one.column} END" for one in fields
    )
    return execute(
        f"UPDATE {table} t SET {values} FROM staged s, changed c WHERE c.id = t.id AND s.{key} = t.id", params
    )


USER_SHOWN = "(SELECT u.name FROM crm_user u WHERE u.id = {})"
ORGANISATION_SHOWN = "(SELECT o.name FROM crm_organisation o WHERE o.id = {})"
PERSON_SHOWN = "(SELECT p.full_name FROM crm_person p WHERE p.id = {})"
CONTENT_SHOWN = "(SELECT k.title FROM crm_content k WHERE k.id = {})"
STAGE_SHOWN = "(SELECT g.name FROM crm_stage g WHERE g.id = {})"


def remember(
    kind: str,
    said: Said,
    *,
    subject: tuple[str, str],
    rows: str,
    at: str = "%(at)s::timestamptz",
    lead: str = "NULL",
    deal: str = "NULL",
    person: str = "NULL",
    organisation: str = "NULL",
    old: str = "NULL",
    new: str = "NULL",
) -> None:
    """One event for each row of `rows` (the FROM clause and what follows). `subject` is its kind and the expression of its id."""
    execute(
        f"""
        INSERT INTO crm_event (kind, at, by_id, subject_kind, subject_id, lead_id, deal_id, person_id, organisation_id, old, new)
        SELECT %(kind)s, {at}, %(by)s::bigint, '{subject[0]}', {subject[1]}, {lead}, {deal}, {person}, {organisation}, {old}::jsonb, {new}::jsonb
        FROM {rows}
        """,
        {"kind": kind, "by": said.by_id, "at": said.at},
    )
