"""The next thing to do for someone: kept in step with the data by `refresh`, and done, put off or made by hand by people.

A follow-up of a rule is derived, as a last contact is: `refresh` may be run at any moment, twice, by several workers at once or after one was
killed, and always ends with the same rows. What a person decided stays: a cause that was closed by hand stays quiet, and one that was put off
stays put off for as long as its cause is the same. What people do is written as an Event; what the rules do is in the row itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from crm import events, locks, promises
from crm.clock import working_moment
from crm.models import Deal, EventKind, FollowUp, Lead, Organisation, Outcome, Person, Promise, Rule, SubjectKind, User
from crm.refusal import Refused
from crm.rules import RULES, FollowUpRule
from crm.rules.working_days import OWNER_AND_MOVED, arrays

logger = logging.getLogger(__name__)

Subject = tuple[SubjectKind | str, int]
REOPEN_WITHIN = timedelta(days=7)
"""How long a follow-up closed by hand can be opened again: long enough for a slip of the hand, too short to rewrite a quarter."""


@dataclass(frozen=True)
class RuleReport:
    """What one rule did: rows made, changed and closed, or the error that stopped it (its follow-ups are then as they were)."""

    rule: Rule
    made: int = 0
    changed: int = 0
    closed: int = 0
    error: str = ""


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


# `wanted` holds the causes whose day has come for an owner who can log in, but those that a person closed by hand; `pair` puts each beside the open
# follow-up that it has. The three writes below are about different rows of one snapshot: open ones that lost their cause, open ones that still
# have one, and causes without an open one.
REFRESH = """
WITH {owner_and_moved},
cause AS ({causes}),
wanted AS MATERIALIZED (
    SELECT c.*, CASE WHEN c.due_on IS NULL THEN c.due_at ELSE (coalesce(m.to_day, c.due_on) + o.start) AT TIME ZONE o.zone END AS due
      FROM cause c
      JOIN owner o ON o.id = c.owner_id
      LEFT JOIN moved m ON m.calendar = o.calendar AND m.day = c.due_on
     WHERE (c.due_on IS NULL OR coalesce(m.to_day, c.due_on) <= o.today) {of_these_causes}
       AND NOT EXISTS (
           SELECT FROM crm_followup h
            WHERE h.rule = %(rule)s AND h.subject_kind = c.subject_kind AND h.subject_id = c.subject_id
              AND h.cause = c.cause AND h.outcome IN ('done', 'not_needed'))
),
pair AS MATERIALIZED (
    SELECT f.id AS open_id, w.*,
           (f.cause, f.owner_id, f.due_at, f.rank::int, f.why, f.person_id, f.organisation_id, f.lead_id, f.deal_id, f.hand_off_id)
           IS DISTINCT FROM (w.cause, w.owner_id, w.due, w.rank, w.why, w.person_id, w.organisation_id, w.lead_id, w.deal_id, w.hand_off_id)
           AS differs
      FROM (SELECT * FROM crm_followup f WHERE f.rule = %(rule)s AND f.closed_at IS NULL {of_these_follow_ups}) f
      FULL JOIN wanted w ON w.subject_kind = f.subject_kind AND w.subject_id = f.subject_id
),
closed AS (
    UPDATE crm_followup f SET closed_at = %(at)s, outcome = 'cause_gone'
     WHERE f.id = ANY (ARRAY(SELECT open_id FROM pair WHERE subject_id IS NULL)) AND f.closed_at IS NULL
    RETURNING f.id
),
changed AS (
    UPDATE crm_followup f
       SET cause = w.cause, owner_id = w.owner_id, due_at = w.due, rank = w.rank, why = w.why, person_id = w.person_id,
           organisation_id = w.organisation_id, lead_id = w.lead_id, deal_id = w.deal_id, hand_off_id = w.hand_off_id,
           put_off_until = CASE WHEN f.cause = w.cause THEN f.put_off_until END,
           show_at = CASE WHEN f.cause = w.cause THEN greatest(w.due, f.put_off_until) ELSE w.due END
      FROM pair w
     WHERE f.id = w.open_id AND f.closed_at IS NULL
       AND f.id = ANY (ARRAY(SELECT open_id FROM pair WHERE subject_id IS NOT NULL AND differs))
    RETURNING f.id
),
made AS (
    INSERT INTO crm_followup (rule, subject_kind, subject_id, cause, owner_id, due_at, show_at, rank, why, note, person_id, organisation_id,
                              lead_id, deal_id, hand_off_id, created_at, outcome)
    SELECT %(rule)s, w.subject_kind, w.subject_id, w.cause, w.owner_id, w.due, w.due, w.rank, w.why, '', w.person_id, w.organisation_id,
           w.lead_id, w.deal_id, w.hand_off_id, %(at)s, ''
      FROM pair w
     WHERE w.open_id IS NULL
     ORDER BY w.subject_kind, w.subject_id
    ON CONFLICT (rule, subject_kind, subject_id) WHERE closed_at IS NULL AND NOT (rule = '') DO NOTHING
    RETURNING id
)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM changed), (SELECT count(*) FROM closed)
"""

# Compiling would take longer than the statement itself, and what it sorts and keeps fits in memory.
PLANNING = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"

# A rule that reads widely joins by hashing. Left alone the planner guesses one row where thousands come, since it knows nothing of `wanted` and
# little of a table that was empty a moment ago, and would walk through all of them again for each.
PLANNING_WIDELY = f"{PLANNING}; SET LOCAL enable_nestloop = off"


def refresh(
    *, at: datetime, rules: Iterable[Rule] | None = None, subjects: Iterable[Subject] | None = None
) -> RefreshReport:
    """Every cause that holds at `at` has its one open follow-up, with its owner, day and why; those whose cause is gone are closed.

    One transaction and one statement for each rule, so a rule that fails (it is logged and reported) leaves its own follow-ups as they were and
    stops no other. Refreshes of one rule wait for each other. `rules` and `subjects` narrow it to some rules, or to a few leads, deals and so on.
    Refuses nothing.
    """
    todays = {**arrays(at), "zone": settings.TIME_ZONE}
    only = None if subjects is None else list(subjects)
    chosen = [RULES[rule] for rule in RULES if rules is None or rule in set(rules)]
    return RefreshReport([_refresh(rule, todays, only) for rule in chosen])


def _refresh(rule: FollowUpRule, parameters: dict[str, Any], subjects: list[Subject] | None) -> RuleReport:
    these: dict[str, Any] = (
        {}
        if subjects is None
        else {"kinds": [str(kind) for kind, _pk in subjects], "ids": [pk for _kind, pk in subjects]}
    )
    among = (
        "AND ({0}.subject_kind, {0}.subject_id) IN (SELECT * FROM unnest(%(kinds)s::text[], %(ids)s::bigint[]))"
        if these
        else ""
    )
    statement = REFRESH.format(
        owner_and_moved=OWNER_AND_MOVED,
        causes=rule.causes,
        of_these_causes=among.format("c"),
        of_these_follow_ups=among.format("f"),
    )
    try:
        with transaction.atomic():
            locks.hold("follow-ups", rule.key.value)
            with connection.cursor() as cursor:
                cursor.execute(PLANNING_WIDELY if rule.reads_widely and subjects is None else PLANNING)
                cursor.execute(statement, {**parameters, **rule.parameters, **these, "rule": rule.key.value})
                made, changed, closed = cursor.fetchone()
    except DatabaseError as error:
        logger.exception("The rule %s could not be refreshed; its follow-ups stay as they were", rule.key)
        return RuleReport(rule.key, error=str(error))
    return RuleReport(rule.key, made, changed, closed)


# ---- What people do ------------------------------------------------------------------------------------------------


@transaction.atomic
def done(*, follow_up: FollowUp, by: User, at: datetime) -> bool:
    """It is done, by `by`; its cause stays quiet until there is a new one. One about a promise is done when the promise is kept, so it is kept.

    Twice done is done once: the second answers False and changes nothing.
    """
    is_first = _close(follow_up, Outcome.DONE, EventKind.FOLLOW_UP_DONE, by, at, None)
    if is_first and follow_up.rule == Rule.PROMISE:
        promise = (
            Promise.objects.open().select_related("person", "lead", "deal").filter(pk=follow_up.subject_id).first()
        )
        if promise is not None:
            promises.keep(promise=promise, by=by, at=at)
    return is_first


def not_needed(*, follow_up: FollowUp, by: User, at: datetime, why: str = "") -> bool:
    """It need not be done, says `by`; its cause stays quiet until there is a new one. False when it was closed already."""
    return _close(follow_up, Outcome.NOT_NEEDED, EventKind.FOLLOW_UP_NOT_NEEDED, by, at, why.strip() or None)


@transaction.atomic
def _close(follow_up: FollowUp, outcome: Outcome, kind: EventKind, by: User, at: datetime, why: str | None) -> bool:
    claimed = FollowUp.objects.open().filter(pk=follow_up.pk).update(outcome=outcome, closed_at=at, closed_by=by)
    follow_up.refresh_from_db(fields=["outcome", "closed_at", "closed_by"])
    if claimed:
        _record(kind, follow_up, by, at, new={"why": why} if why else {})
    return bool(claimed)


@transaction.atomic
def put_off(*, follow_up: FollowUp, until: date, by: User, at: datetime) -> datetime:
    """It is shown again on the morning of `until`, or of the owner's first working day after it; the answer is that moment.

    A refresh leaves it so while the cause is the same. Refuses a day that is not still to come, and one that is closed.
    """
    calendar = follow_up.owner.calendar
    if until <= at.astimezone(calendar.zone).date():
        raise Refused(_("Choose a day that is still to come."))
    if until > at.astimezone(calendar.zone).date() + timedelta(days=366):
        raise Refused(_("That is more than a year away. Choose a day within a year."))
    moment = working_moment(until, calendar)
    if not FollowUp.objects.open().filter(pk=follow_up.pk).update(put_off_until=moment, show_at=moment):
        raise Refused(_("This follow-up is closed already, so there is nothing to put off."))
    old = follow_up.show_at
    follow_up.refresh_from_db(fields=["put_off_until", "show_at"])
    if old != moment:
        _record(
            EventKind.FOLLOW_UP_PUT_OFF,
            follow_up,
            by,
            at,
            old={"shown": old},
            new={"shown": moment, "until": moment.date()},
        )
    return moment


@transaction.atomic
def make(
    *,
    note: str,
    owner: User,
    due_on: date,
    by: User,
    at: datetime,
    person: Person | None = None,
    organisation: Organisation | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
) -> FollowUp:
    """One more thing to do for `owner`, made by hand, shown from the working morning of `due_on`. Person and organisation come from the lead or
    deal when they are not named. Refuses one without words, one in the past, and an owner who cannot log in."""
    note, moment = checked(note=note, owner=owner, due_on=due_on, at=at)
    subject = deal or lead or person or organisation or owner
    person = person or (deal and deal.person) or (lead and lead.person) or None
    organisation = organisation or (deal and deal.organisation) or (lead and lead.organisation) or None
    follow_up = FollowUp.objects.create(
        subject_kind=events.SUBJECTS[type(subject)],
        subject_id=subject.pk,
        note=note,
        why={"by": by.name},
        owner=owner,
        due_at=moment,
        show_at=moment,
        created_at=at,
        person=person,
        organisation=organisation,
        lead=lead,
        deal=deal,
    )
    _record(EventKind.FOLLOW_UP_MADE, follow_up, by, at, new={"due": due_on, "owner": owner.name})
    return follow_up


def checked(*, note: str, owner: User, due_on: date, at: datetime) -> tuple[str, datetime]:
    """The words, and the working morning of `owner` on which a follow-up made by hand is shown. Refuses one without words, one in the past,
    and an owner who cannot log in."""
    note = " ".join(note.split())
    if not note:
        raise Refused(_("Say what is to be done."))
    if len(note) > 300:
        raise Refused(_("Say it in 300 characters or fewer."))
    if not owner.is_active:
        raise Refused(_("%(name)s does not work with Kring any more. Choose somebody else.") % {"name": owner})
    calendar = owner.calendar
    today = at.astimezone(calendar.zone).date()
    if due_on < today:
        raise Refused(_("Choose today or a day that is still to come."))
    return note, working_moment(due_on, calendar)


def reopen(*, follow_up: FollowUp, by: User, at: datetime) -> FollowUp:
    """It is open again, as it was. Opening an open one changes nothing. Refuses one that Kring closed because its cause had gone, one that was
    closed more than a week ago, one about a promise that is kept, and one that has an open successor."""
    if follow_up.is_open:
        return follow_up
    if follow_up.rule == Rule.PROMISE and not Promise.objects.open().filter(pk=follow_up.subject_id).exists():
        raise Refused(_("This promise is settled. If it was not kept after all, write down a new one."))
    if follow_up.outcome == Outcome.CAUSE_GONE:
        raise Refused(_("Kring closed this one, since there was no reason for it any more."))
    assert follow_up.closed_at
    if at - follow_up.closed_at > REOPEN_WITHIN:
        raise Refused(_("This was closed more than a week ago. Make a new follow-up instead."))
    try:
        with transaction.atomic():
            closed = FollowUp.objects.filter(pk=follow_up.pk, closed_at=follow_up.closed_at)
            was = follow_up.outcome
            reopened = closed.update(outcome="", closed_at=None, closed_by=None)
            follow_up.refresh_from_db(fields=["outcome", "closed_at", "closed_by"])
            if reopened:
                _record(EventKind.FOLLOW_UP_MADE, follow_up, by, at, old={"outcome": was}, new={})
    except IntegrityError as error:
        raise Refused(_("It is open again already: there is something new to do for the same reason.")) from error
    return follow_up


def _record(
    kind: EventKind,
    follow_up: FollowUp,
    by: User,
    at: datetime,
    *,
    new: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    events.record(
        kind,
        subject=follow_up,
        by=by,
        at=at,
        old=old,
        new={"rule": follow_up.rule, "note": follow_up.note, **new},
        person=follow_up.person,
        organisation=follow_up.organisation,
        lead=follow_up.lead,
        deal=follow_up.deal,
    )
