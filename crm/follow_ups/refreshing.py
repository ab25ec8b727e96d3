"""Keep the follow-ups in step with the data: every cause that holds has its one open follow-up, and what lost its cause is closed.

One statement for each rule. It may be run at any moment, twice, by several workers at once or after one was killed, and always ends with the same
rows. What a person decided stays: a cause that was closed by hand stays quiet, and one that was put off stays put off for as long as it is the
same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from crm import locks, notices
from crm.follow_ups.touched import EVERYTHING, Near
from crm.models import NoticeKind, Role, Rule, RuleRun, RuleSetting, Touched, User
from crm.rules import RULES, FollowUpRule
from crm.rules.owners import MOVED, OWNER, WORKDAY, arrays
from crm.rules.settings import Kept, effective, kept, number_cte

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuleReport:
    """What one rule did: rows made, changed and closed, or the error that stopped it (its follow-ups are then as they were)."""

    rule: Rule
    made: int = 0
    changed: int = 0
    closed: int = 0
    error: str = ""
    milliseconds: int = 0


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh did, rule by rule."""

    rules: list[RuleReport] = field(default_factory=list)

    @property
    def made(self) -> int:
        return sum(report.made for report in self.rules)

    @property
    def changed(self) -> int:
        return sum(report.changed for report in self.rules)

    @property
    def closed(self) -> int:
        return sum(report.closed for report in self.rules)

    @property
    def failed(self) -> list[RuleReport]:
        return [report for report in self.rules if report.error]


@dataclass(frozen=True)
class Effect:
    """What a refresh would do: how many follow-ups it would open, change and close."""

    opens: int
    changes: int
    closes: int


# `wanted` holds the causes whose day has come for who does the work, but those that a person closed by hand; `pair` puts each beside the open
# follow-up that it has.
JUDGED = """
WITH {owner}, {moved}, {workday} {number},
cause AS ({causes}),
dated AS (
    SELECT c.*, o.doer, o.calendar, o.zone, o.start, o.today, nullif(o.id, o.doer) AS on_behalf_of_id,
           {due_on} AS on_day, greatest({due_on}, {not_before}) AS shown_on
      FROM cause c
      JOIN owner o ON o.id = c.owner_id
      JOIN number n ON n.team = o.team AND n.is_on
      {workday_joins}
     WHERE true {of_these_causes}
),
wanted AS MATERIALIZED (
    SELECT d.*,
           CASE WHEN d.on_day IS NULL THEN d.due_at ELSE (coalesce(m.to_day, d.on_day) + d.start) AT TIME ZONE d.zone END AS due,
           CASE WHEN d.shown_on IS NULL THEN d.due_at ELSE (coalesce(s.to_day, d.shown_on) + d.start) AT TIME ZONE d.zone END AS shown
      FROM dated d
      LEFT JOIN moved m ON m.calendar = d.calendar AND m.day = d.on_day
      LEFT JOIN moved s ON s.calendar = d.calendar AND s.day = d.shown_on
     WHERE (d.shown_on IS NULL OR coalesce(s.to_day, d.shown_on) <= d.today)
       AND NOT EXISTS (
           SELECT FROM crm_followup h
            WHERE h.rule = %(rule)s AND h.subject_kind = d.subject_kind AND h.subject_id = d.subject_id
              AND h.cause = d.cause AND h.outcome IN ('done', 'not_needed'))
),
pair AS MATERIALIZED (
    SELECT f.id AS open_id, f.person_id AS was_person_id, w.*,
           (f.cause, f.owner_id, f.on_behalf_of_id, f.due_at, f.show_at, f.rank::int, f.why, f.person_id, f.organisation_id, f.lead_id,
            f.deal_id, f.hand_off_id)
           IS DISTINCT FROM
           (w.cause, w.doer, w.on_behalf_of_id, w.due,
            CASE WHEN f.cause = w.cause THEN greatest(w.shown, f.put_off_until) ELSE w.shown END,
            w.rank, w.why, w.person_id, w.organisation_id, w.lead_id, w.deal_id, w.hand_off_id) AS differs
      FROM (SELECT * FROM crm_followup f WHERE f.rule = %(rule)s AND f.closed_at IS NULL {of_these_follow_ups}) f
      FULL JOIN wanted w ON w.subject_kind = f.subject_kind AND w.subject_id = f.subject_id
)
"""

# The three writes are about different rows of one snapshot: open ones that lost their cause, open ones that still have one, and causes without an
# open one.
WRITE = """,
closed AS (
    UPDATE crm_followup f SET closed_at = %(at)s, outcome = 'cause_gone'
     WHERE f.id = ANY (ARRAY(SELECT open_id FROM pair WHERE subject_id IS NULL)) AND f.closed_at IS NULL
    RETURNING f.id
),
changed AS (
    UPDATE crm_followup f
       SET cause = w.cause, owner_id = w.doer, on_behalf_of_id = w.on_behalf_of_id, due_at = w.due, rank = w.rank, why = w.why,
           person_id = w.person_id, organisation_id = w.organisation_id, lead_id = w.lead_id, deal_id = w.deal_id, hand_off_id = w.hand_off_id,
           put_off_until = CASE WHEN f.cause = w.cause THEN f.put_off_until END,
           show_at = CASE WHEN f.cause = w.cause THEN greatest(w.shown, f.put_off_until) ELSE w.shown END
      FROM pair w
     WHERE f.id = w.open_id AND f.closed_at IS NULL
       AND f.id = ANY (ARRAY(SELECT open_id FROM pair WHERE subject_id IS NOT NULL AND differs))
    RETURNING f.id
),
made AS (
    INSERT INTO crm_followup (rule, subject_kind, subject_id, cause, owner_id, on_behalf_of_id, due_at, show_at, rank, why, note, person_id,
                              organisation_id, lead_id, deal_id, hand_off_id, created_at, outcome)
    SELECT %(rule)s, w.subject_kind, w.subject_id, w.cause, w.doer, w.on_behalf_of_id, w.due, w.shown, w.rank, w.why, '', w.person_id,
           w.organisation_id, w.lead_id, w.deal_id, w.hand_off_id, %(at)s, ''
      FROM pair w
     WHERE w.open_id IS NULL
     ORDER BY w.subject_kind, w.subject_id
    ON CONFLICT (rule, subject_kind, subject_id) WHERE closed_at IS NULL AND NOT (rule = '') DO NOTHING
    RETURNING id
)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM changed), (SELECT count(*) FROM closed)
"""

# About whom something came, changed or went: the rules after this one may ask whether anything is open for them.
WITH_PEOPLE = """, ARRAY(
    SELECT DISTINCT p.id FROM pair, unnest(ARRAY[was_person_id, person_id]) AS p(id)
     WHERE p.id IS NOT NULL AND (open_id IS NULL OR subject_id IS NULL OR differs))
"""

COUNT = """
SELECT count(*) FILTER (WHERE open_id IS NULL), count(*) FILTER (WHERE open_id IS NOT NULL AND subject_id IS NOT NULL AND differs),
       count(*) FILTER (WHERE subject_id IS NULL)
  FROM pair
"""

WORKDAY_JOINS = """
      LEFT JOIN workday due_day ON due_day.calendar = o.calendar AND due_day.day = c.due_on
      LEFT JOIN workday counted ON counted.calendar = o.calendar AND counted.works AND counted.number = due_day.number + c.working_days
"""

# What was made by hand is nobody's cause, but it too goes to who stands in, to who leads when its owner left, and back.
HAND_OVER = """
WITH {owner}
UPDATE crm_followup f SET owner_id = o.doer, on_behalf_of_id = nullif(o.id, o.doer)
  FROM owner o
 WHERE f.closed_at IS NULL AND f.rule = '' AND o.id = coalesce(f.on_behalf_of_id, f.owner_id)
   AND (f.owner_id, f.on_behalf_of_id) IS DISTINCT FROM (o.doer, nullif(o.id, o.doer)) {of_these_follow_ups}
"""

# A rule's own kind of subject is a constant: where none of it was touched the last line is gone before the statement is planned, and indexes serve
# the others.
NEAR = """
AND ({0}.person_id = ANY(%(near_people)s) OR {0}.organisation_id = ANY(%(near_organisations)s) OR {0}.lead_id = ANY(%(near_leads)s)
     OR {0}.deal_id = ANY(%(near_deals)s)
     OR ({0}.subject_kind = ANY(%(near_kinds)s::text[])
         AND ({0}.subject_kind, {0}.subject_id) IN (SELECT * FROM unnest(%(near_kinds)s::text[], %(near_subjects)s::bigint[]))))
"""

# What somebody else holds they look at themselves, and waiting for them here could be waiting for each other.
FORGET = """
DELETE FROM crm_touched WHERE id IN (SELECT id FROM crm_touched WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED)
"""

# Compiling would take longer than the statement itself, and what it sorts and keeps fits in memory.
PLANNING = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"

# A rule that reads widely joins by hashing. Left alone the planner guesses one row where thousands come, since it knows nothing of `wanted` and
# little of a table that was empty a moment ago, and would walk through all of them again for each.
PLANNING_WIDELY = f"{PLANNING}; SET LOCAL enable_nestloop = off"


def refresh(*, at: datetime, rules: Iterable[Rule] | None = None) -> RefreshReport:
    """Every cause that holds at `at` has its one open follow-up, with who does it, its day and why; those whose cause is gone are closed. What was
    made by hand is with who does the work now.

    One transaction for each rule, so a rule that fails leaves its own follow-ups as they were and stops no other; how each fared is kept
    (`RuleRun`). Refreshes of one rule wait for each other. `rules` narrows it to some rules. Refuses nothing.
    """
    seen = list(Touched.objects.values_list("pk", flat=True))
    report = _refresh_all(at, None, rules)
    _note_runs(report, at)
    if rules is None:
        with connection.cursor() as cursor:
            cursor.execute(FORGET, [seen])
    return report


def refresh_near(near: Near, *, at: datetime) -> RefreshReport:
    """The same for whom and what stands near: a few people, organisations, leads and deals. A rule that fails is kept as failing."""
    report = _refresh_all(at, near, None)
    _note_failures(report.failed, at)
    return report


def preview(*, rule: Rule, trial: RuleSetting, at: datetime) -> Effect:
    """What a refresh would do if `trial` were the setting of its team. Writes nothing; raises `ValueError` for a number that is none."""
    chosen = RULES[rule]
    numbers, values = number_cte(chosen, effective(chosen, kept(), trial=trial))
    statement = _statement(chosen, numbers, COUNT, near=False)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PLANNING_WIDELY if chosen.reads_widely else PLANNING)
        cursor.execute(statement, {**_parameters(at), **chosen.parameters, **values, "rule": rule.value})
        return Effect(*cursor.fetchone())


def _parameters(at: datetime) -> dict[str, Any]:
    return {**arrays(at), **EVERYTHING, "zone": settings.TIME_ZONE}


def _refresh_all(at: datetime, near: Near | None, rules: Iterable[Rule] | None) -> RefreshReport:
    parameters = _parameters(at) | (near.parameters() if near else {})
    only, now = None if rules is None else set(rules), kept()
    reports = []
    for key, rule in RULES.items():
        if only is None or key in only:
            report, people = _refresh(rule, parameters, now, near is not None)
            reports.append(report)
            if near is not None:
                parameters["near_people"] = sorted({*parameters["near_people"], *people})
    if only is None:
        statement = HAND_OVER.format(owner=OWNER, of_these_follow_ups=NEAR.format("f") if near else "")
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    return RefreshReport(reports)


def _refresh(
    rule: FollowUpRule, parameters: dict[str, Any], now: Kept, is_near: bool, *, again: bool = True
) -> tuple[RuleReport, list[int]]:
    """What the rule did, and of a few also about whom."""
    began = time.perf_counter()
    try:
        with transaction.atomic():
            locks.hold("follow-ups", rule.key.value)
            numbers, values = number_cte(rule, effective(rule, now))
            statement = _statement(rule, numbers, WRITE + WITH_PEOPLE if is_near else WRITE, near=is_near)
            with connection.cursor() as cursor:
                cursor.execute(PLANNING_WIDELY if rule.reads_widely and not is_near else PLANNING)
                cursor.execute(statement, {**parameters, **rule.parameters, **values, "rule": rule.key.value})
                made, changed, closed, *people = cursor.fetchone()
    except (DatabaseError, ValueError, TypeError, KeyError) as error:
        if _is_cut_off(error):
            raise  # It is not the rule that failed, and whoever comes next begins with all of them.
        if again and isinstance(error.__cause__, DeadlockDetected):
            return _refresh(rule, parameters, now, is_near, again=False)  # Whoever held the rows has them by now.
        logger.exception("The rule %s could not be refreshed; its follow-ups stay as they were", rule.key)
        return RuleReport(rule.key, error=str(error) or type(error).__name__), []
    took = round((time.perf_counter() - began) * 1000)
    return RuleReport(rule.key, made, changed, closed, milliseconds=took), people[0] if people else []


def _is_cut_off(error: Exception) -> bool:
    """Whether the database went away, which says nothing about the rule. The connection cannot tell: outside a transaction it is a new one by now."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, (OperationalError, InterfaceError)) and (state is None or state.startswith(("08", "57P")))


def _statement(rule: FollowUpRule, numbers: str, end: str, *, near: bool) -> str:
    counts = rule.counts_working_days
    return JUDGED.format(
        owner=OWNER,
        moved=MOVED,
        workday=f"{WORKDAY}," if counts else "",
        number=numbers,
        causes=rule.causes,
        due_on="coalesce(counted.day, c.due_on + c.working_days)" if counts else "c.due_on",
        not_before="c.not_before" if rule.holds_back else "NULL::date",
        workday_joins=WORKDAY_JOINS if counts else "",
        of_these_causes=NEAR.format("c") if near else "",
        of_these_follow_ups=NEAR.format("f") if near else "",
    ) + end  # fmt: skip


def _note_runs(report: RefreshReport, at: datetime) -> None:
    """How each rule fared."""
    _note_failures(report.failed, at)
    RuleRun.objects.bulk_create(
        [
            RuleRun(rule=one.rule, ran_at=at, made=one.made, changed=one.changed, closed=one.closed, milliseconds=one.milliseconds)
            for one in report.rules
            if not one.error
        ],
        update_conflicts=True,
        unique_fields=["rule"],
        update_fields=["ran_at", "made", "changed", "closed", "milliseconds", "failing_since", "error"],
    )  # fmt: skip


def _note_failures(failed: Iterable[RuleReport], at: datetime) -> None:
    """Since when it fails and why; administrators are told when it begins to."""
    for one in failed:
        run, is_first = RuleRun.objects.get_or_create(
            rule=one.rule, defaults={"ran_at": at, "failing_since": at, "error": one.error}
        )
        if not is_first:
            is_first = run.failing_since is None
            run.failing_since, run.error = run.failing_since or at, one.error
            run.save(update_fields=["failing_since", "error"])
        if is_first:
            _tell_administrators(run, at)


def _tell_administrators(run: RuleRun, at: datetime) -> None:
    for user in User.objects.active().filter(role=Role.ADMIN).order_by("pk"):
        notices.tell(
            user=user,
            kind=NoticeKind.RULE_FAILS,
            values={"rule": run.rule, "why": run.error},
            path=f"/settings/rules/{run.rule}/",
            at=at,
            key=f"rule {run.rule} {run.failing_since:%Y-%m-%dT%H:%M:%S}",
        )
