"""The five tables of the dashboard and of `manage.py report`: funnel, origins, content, owners, months. Reads only.

A period is two days, both included, in a time zone; leads belong to it by the day on which they were received, orders by the day on which they
were won. "Days" are calendar days in that zone, date minus date. Every table is one statement over sub-selects that have one row for each
lead or deal, so a sum is never multiplied by a join. Each number knows the list behind it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.clock import day_start
from crm.models import Team

NOTHING = "-"
"""How a filter asks for rows without an origin, content or owner: an empty value means no filter at all."""

LEADS, DEALS = "leads", "deals"


@dataclass(frozen=True)
class Period:
    """From one day to another, both included, in a zone; of one team when one is given."""

    first: date
    last: date
    zone: ZoneInfo
    team: Team | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("a period cannot end before it begins")

    @property
    def params(self) -> dict[str, Any]:
        return {
            "begin": day_start(self.first, self.zone),
            "end": day_start(self.last + timedelta(days=1), self.zone),
            "zone": self.zone.key,
            "team": self.team.pk if self.team else None,
        }

    @property
    def received(self) -> dict[str, str]:
        """The filter of the list of leads that were received in the period, whatever became of them."""
        days = {"received_from": self.first.isoformat(), "received_to": self.last.isoformat()}
        return self._with_team({"status": "all", "owner": "anyone", **days})

    @property
    def won(self) -> dict[str, str]:
        """The filter of the list of deals that were won in the period."""
        return self._with_team({"state": "won", "won_from": self.first.isoformat(), "won_to": self.last.isoformat()})

    def _with_team(self, query: dict[str, str]) -> dict[str, str]:
        return query | ({"team": str(self.team.pk)} if self.team else {})


@dataclass(frozen=True)
class Column:
    """`name` stands in files and never changes; `title` is for people."""

    name: str
    title: str | Promise
    is_number: bool = True


@dataclass(frozen=True)
class Link:
    """The list behind a number: which list (`leads` or `deals`), and its filters."""

    screen: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    column: Column
    value: Any
    link: Link | None = None


@dataclass(frozen=True)
class Row:
    """The values of one line of a table, and the links of those that open a list, by the name of their column."""

    values: tuple[Any, ...]
    links: Mapping[str, Link] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A report: what it is called, its columns, and its rows in the order in which they are read."""

    name: str
    title: str | Promise
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def cells(self) -> Iterator[list[Cell]]:
        """Row by row, each value with its column and its link."""
        for row in self.rows:
            yield [
                Cell(column, value, row.links.get(column.name))
                for column, value in zip(self.columns, row.values, strict=True)
            ]

    def records(self) -> list[dict[str, Any]]:
        """Each row as column name → value."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row.values, strict=True)) for row in self.rows]

    def link(self, row: Row, column: str) -> Link | None:
        """The list behind one number, or `None` when it has none."""
        return row.links.get(column)


WON = Column("won", _("Won"))
LEADS_COLUMN = Column("leads", _("Leads"))
CONVERSION = Column("conversion_percent", _("Conversion, %"))

COHORT = """
WITH lead AS (
    SELECT l.*, d.id AS deal_id, d.state AS deal_state, d.opened_at, d.won_at
    FROM crm_lead l LEFT JOIN crm_deal d ON d.lead_id = l.id
    WHERE l.received_at >= %(begin)s AND l.received_at < %(end)s
        AND (%(team)s::bigint IS NULL OR l.owner_id IN (SELECT id FROM crm_user WHERE team_id = %(team)s))
)
"""
"""The leads of the period, each once with its deal: a lead has at most one."""

SALES = """
WITH sale AS (
    SELECT d.*, (d.won_at AT TIME ZONE %(zone)s)::date - (l.received_at AT TIME ZONE %(zone)s)::date AS days
    FROM crm_deal d LEFT JOIN crm_lead l ON l.id = d.lead_id
    WHERE d.state = 'won' AND d.won_at >= %(begin)s AND d.won_at < %(end)s
)
"""
"""The deals won in the period, each with the days since its lead was received; without a lead it has none."""


def _rows(sql: str, period: Period) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, period.params)
        return list(cursor.fetchall())


def percent(part: int, whole: int) -> Decimal:
    """A share in percent with two decimals; of nothing it is zero."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01")) if whole else Decimal("0.00")


# ── The five tables ──────────────────────────────────────────────────────────────────────────────────────────────────

ORIGINS = (
    COHORT
    + """
SELECT origin, count(*), count(*) FILTER (WHERE deal_state = 'won') FROM lead GROUP BY origin ORDER BY 2 DESC, 3 DESC, 1
"""
)


def origins(period: Period) -> Table:
    """Per origin the leads received and how many of them were won, whenever that was. Nobody recorded is not the same as unknown."""
    rows = []
    for origin, leads, won in _rows(ORIGINS, period):
        query = {"origin": origin or NOTHING, **period.received}
        links = {"leads": Link(LEADS, query), "won": Link(LEADS, {**query, "reached": "won"})}
        rows.append(Row((origin, leads, won, percent(won, leads)), links))
    columns = (Column("origin", _("Origin"), is_number=False), LEADS_COLUMN, WON, CONVERSION)
    return Table("origins", _("Where leads come from"), columns, tuple(rows))


CONTENT = (
    COHORT
    + """
SELECT c.id, c.title, c.external_id, g.leads, g.won
FROM (SELECT content_id, count(*) AS leads, count(*) FILTER (WHERE deal_state = 'won') AS won FROM lead GROUP BY content_id) g
LEFT JOIN crm_content c ON c.id = g.content_id ORDER BY g.leads DESC, g.won DESC, c.title, c.id
"""
)


def content(period: Period) -> Table:
    """Per piece of content the leads it brought and how many of them were won. Leads that came through none are one row without a title."""
    rows = []
    for pk, title, external_id, leads, won in _rows(CONTENT, period):
        query = {"content": str(pk) if pk else NOTHING, **period.received}
        links = {"leads": Link(LEADS, query), "won": Link(LEADS, {**query, "reached": "won"})}
        rows.append(Row((title or "", external_id or "", leads, won, percent(won, leads)), links))
    columns = (
        Column("content", _("Content"), is_number=False),
        Column("external_id", _("Id in an imported file"), is_number=False),
        LEADS_COLUMN,
        WON,
        CONVERSION,
    )
    return Table("content", _("What our knowledge brings"), columns, tuple(rows))


OWNERS = (
    SALES
    + """
SELECT s.role, s.owner, COALESCE(u.name, ''), COALESCE(u.external_id, ''), s.won, s.median, s.first_won, s.last_won
FROM (
    SELECT 'account_manager' AS role, owner_id AS owner, count(*) AS won, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median,
        min(won_at) AS first_won, max(won_at) AS last_won
    FROM sale WHERE owner_id IS NOT NULL GROUP BY owner_id
    UNION ALL
    SELECT 'sdr', sdr_id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY days), min(won_at), max(won_at)
    FROM sale WHERE sdr_id IS NOT NULL GROUP BY sdr_id
) s JOIN crm_user u ON u.id = s.owner
WHERE %(team)s::bigint IS NULL OR u.team_id = %(team)s
ORDER BY s.role, s.won DESC, u.name, u.id
"""
)
ROLE_FILTERS = {"account_manager": "owner", "sdr": "sdr"}


def owners(period: Period) -> Table:
    """Per account manager, and per SDR, the orders won in the period and the median days since the lead was received.

    A deal counts once for its account manager and once for its SDR: two views of the same orders, not to be added up.
    """
    rows = []
    for role, pk, name, external_id, won, median, first_won, last_won in _rows(OWNERS, period):
        # The team is that of this seller here, and the deals list knows only the one of the account manager.
        query = {key: value for key, value in period.won.items() if key != "team"} | {ROLE_FILTERS[role]: str(pk)}
        first, last = (moment.astimezone(period.zone) for moment in (first_won, last_won))
        values = (role, name, external_id, won, _decimal(median), first, last)
        rows.append(Row(values, {"won": Link(DEALS, query)}))
    columns = (
        Column("role", _("Role"), is_number=False),
        Column("owner", _("Owner"), is_number=False),
        Column("external_id", _("Id in an imported file"), is_number=False),
        WON,
        Column("median_days", _("Median days to won")),
        Column("first_won", _("First won"), is_number=False),
        Column("last_won", _("Last won"), is_number=False),
    )
    return Table("owners", _("Who won"), columns, tuple(rows))


MONTHS = (
    COHORT
    + """
, month AS (
    SELECT generate_series(
        date_trunc('month', %(begin)s AT TIME ZONE %(zone)s),
        (%(end)s AT TIME ZONE %(zone)s) - interval '1 microsecond', interval '1 month')::date AS first
), received AS (
    SELECT date_trunc('month', received_at AT TIME ZONE %(zone)s)::date AS first, count(*) AS leads,
        count(*) FILTER (WHERE deal_state = 'won') AS won
    FROM lead GROUP BY 1
), sold AS (
    SELECT date_trunc('month', d.won_at AT TIME ZONE %(zone)s)::date AS first, count(*) AS won
    FROM crm_deal d
    WHERE d.state = 'won' AND d.won_at >= %(begin)s AND d.won_at < %(end)s
        AND (%(team)s::bigint IS NULL OR d.owner_id IN (SELECT id FROM crm_user WHERE team_id = %(team)s))
    GROUP BY 1
)
SELECT m.first, COALESCE(r.leads, 0), COALESCE(r.won, 0), COALESCE(s.won, 0)
FROM month m LEFT JOIN received r ON r.first = m.first LEFT JOIN sold s ON s.first = m.first ORDER BY m.first
"""
)


def months(period: Period) -> Table:
    """Per month the leads received, how many of these were won at any time, and the orders won in the month itself."""
    rows = []
    for first, leads, won_of_leads, won in _rows(MONTHS, period):
        next_month = (first + timedelta(days=32)).replace(day=1)
        month = Period(
            max(first, period.first), min(next_month - timedelta(days=1), period.last), period.zone, period.team
        )
        links = {
            "leads": Link(LEADS, month.received),
            "won_from_leads": Link(LEADS, {**month.received, "reached": "won"}),
            "won_in_month": Link(DEALS, month.won),
        }
        rows.append(Row((first.strftime("%Y-%m"), leads, won_of_leads, percent(won_of_leads, leads), won), links))
    columns = (
        Column("month", _("Month"), is_number=False),
        LEADS_COLUMN,
        Column("won_from_leads", _("Won from these leads")),
        CONVERSION,
        Column("won_in_month", _("Won in the month")),
    )
    return Table("months", _("Month by month"), columns, tuple(rows))


FUNNEL = (
    COHORT
    + """
, step AS (
    SELECT lead.id, (lead.received_at AT TIME ZONE %(zone)s)::date AS day, lead.received_at,
        CASE WHEN lead.qualified_at IS NOT NULL OR lead.verdict = 'qualified' THEN COALESCE(lead.qualified_at, lead.verdict_at) END AS qualified,
        lead.verdict = 'qualified' OR lead.qualified_at IS NOT NULL AS is_qualified,
        COALESCE(h.submitted_at, CASE WHEN lead.status = 'accepted' THEN lead.opened_at END) AS handed_off,
        h.submitted_at IS NOT NULL OR lead.status IN ('handed_off', 'accepted') AS is_handed_off,
        lead.opened_at AS deal, lead.deal_id IS NOT NULL AS is_deal,
        lead.won_at AS won, COALESCE(lead.deal_state = 'won', false) AS is_won,
        a.since AS advocate, COALESCE(lead.deal_state = 'won', false) AND a.since IS NOT NULL AS is_advocate
    FROM lead
    LEFT JOIN LATERAL (SELECT min(submitted_at) AS submitted_at FROM crm_handoff WHERE lead_id = lead.id) h ON true
    LEFT JOIN crm_advocate a ON a.person_id = lead.person_id
), told AS (
    SELECT 1 AS place, 'leads' AS step, received_at AS at, day, true AS is_there FROM step
    UNION ALL SELECT 2, 'qualified', qualified, day, is_qualified FROM step
    UNION ALL SELECT 3, 'handed_off', handed_off, day, is_handed_off FROM step
    UNION ALL SELECT 4, 'deals', deal, day, is_deal FROM step
    UNION ALL SELECT 5, 'won', won, day, is_won FROM step
    UNION ALL SELECT 6, 'advocates', advocate, day, is_advocate FROM step
), days AS (
    SELECT place, step, is_there, CASE WHEN is_there THEN (at AT TIME ZONE %(zone)s)::date - day END AS days FROM told
)
SELECT step, count(*) FILTER (WHERE is_there), count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY days), avg(days), min(days), max(days), percentile_cont(0.25) WITHIN GROUP (ORDER BY days),
    percentile_cont(0.75) WITHIN GROUP (ORDER BY days), percentile_cont(0.9) WITHIN GROUP (ORDER BY days)
FROM days GROUP BY place, step ORDER BY place
"""
)
STEPS: Mapping[str, str | Promise] = {
    "leads": _("Leads"),
    "qualified": _("Qualified"),
    "handed_off": _("Handed off"),
    "deals": _("Deals"),
    "won": _("Won"),
    "advocates": _("Advocates"),
}


def funnel(period: Period) -> Table:
    """How far the leads of the period have come, each counted in every step it reached, and the days from their arrival to that step.

    Qualified is a lead that ever was; handed off one that was offered to an account manager or came as a deal; advocates are the people of won
    leads who recommend us.
    """
    rows = []
    for step, count, leads, median, mean, least, most, *quantiles in _rows(FUNNEL, period):
        link = Link(LEADS, {**period.received, **({} if step == "leads" else {"reached": step})})
        days = (_decimal(median), _decimal(mean), least, most, *map(_decimal, quantiles))
        rows.append(Row((step, count, percent(count, leads), *days), {"count": link}))
    rows = rows or [Row((step, 0, percent(0, 0), *[None] * 7)) for step in STEPS]
    columns = (
        Column("step", _("Step"), is_number=False),
        Column("count", _("How many")),
        Column("percent_of_leads", _("Of the leads, %")),
        Column("median_days", _("Median days")),
        Column("mean_days", _("Mean days")),
        Column("least_days", _("Fewest days")),
        Column("most_days", _("Most days")),
        Column("p25_days", _("A quarter within, days")),
        Column("p75_days", _("Three quarters within, days")),
        Column("p90_days", _("Nine of ten within, days")),
    )
    return Table("funnel", _("From lead to friend"), columns, tuple(rows))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.01")) + 0


TABLES: Mapping[str, Callable[[Period], Table]] = {
    "funnel": funnel,
    "origins": origins,
    "content": content,
    "owners": owners,
    "months": months,
}


def take(name: str, *, first: date, last: date, zone: ZoneInfo | None = None, team: Team | None = None) -> Table:
    """One of `TABLES` for a period; the zone is the organisation's unless given. Raises `KeyError` for another name."""
    return TABLES[name](Period(first, last, zone or ZoneInfo(settings.TIME_ZONE), team))


# ── As a file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_csv(table: Table) -> str:
    """The table as a CSV text with CRLF line ends: column names first, points in numbers, nothing for what is unknown.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_written(value) for value in row.values] for row in table.rows)
    return out.getvalue()


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case str():
            return harmless(value)
    return str(value)


WITHIN = re.compile(r"([;\t\r\n] *)([=+\-@])")


def harmless(text: str) -> str:
    """A text that no spreadsheet runs as a formula (OWASP: CSV injection). Where a comma is the decimal mark a spreadsheet parts a line at its
    semicolons, so what follows one begins a cell, too."""
    text = WITHIN.sub(r"\1'\2", text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def as_text(table: Table) -> str:
    """The table for a terminal: columns lined up, numbers to the right."""
    lines = [
        [str(column.title) for column in table.columns],
        *([_read(value) for value in row.values] for row in table.rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_lined_up(line, widths, table.columns) for line in lines) + "\n"


def _read(value: Any) -> str:
    return "–" if value is None or value == "" else _written(value)


def _lined_up(line: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    cells = zip(line, widths, columns, strict=True)
    return "  ".join(
        cell.rjust(width) if column.is_number else cell.ljust(width) for cell, width, column in cells
    ).rstrip()
