"""An act on many, done and taken back: each statement is about all rows together, so that five thousand take as many queries as five."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from crm import events, follow_ups, locks
from crm.bulk.acts import COLUMNS, MOST, NOUNS, TYPES, UNDO_WITHIN, Act, Change
from crm.bulk.planning import Plan, plan
from crm.models import BulkAct, EventKind, FollowUp, Organisation, Outcome, Person, SubjectKind, User
from crm.refusal import Refused


@dataclass(frozen=True)
class Undone:
    """How many rows are as they were, and how many were left since somebody changed them meanwhile."""

    restored: int
    left: int


@transaction.atomic
def do(*, screen: str, keys: Iterable[int], change: Change, by: User, at: datetime) -> BulkAct:
    """Every row that can have it has the new value, or its follow-up, and a line of it on its timeline; what stood there is kept. Refuses as `plan`
    does, and an act that would change nothing. Whether `by` may write the rows is asked at the door."""
    noun = NOUNS[screen]
    chosen = sorted(set(keys))[: MOST + 1]
    # Held in the order of their keys, so that two acts wait for each other and never both.
    list(
        noun._default_manager.filter(pk__in=chosen)
        .select_for_update(no_key=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    found = plan(screen=screen, keys=chosen, change=change, at=at)
    if not found.changes:
        raise Refused(_("Nothing would change, so nothing was done."))
    act = BulkAct(screen=screen, act=change.act, value=change.value, changes={}, number=len(found), at=at, by=by)
    if change.act == Act.FOLLOW_UP:
        made = _make_follow_ups(found, change, by, at)
        act.changes = {str(key): [None, pk] for key, pk in made.items()}
        act.save()
        return act
    _write(noun, COLUMNS[change.act], {key: (after, before) for key, (before, after) in found.changes.items()})
    act.changes = {str(key): list(pair) for key, pair in found.changes.items()}
    act.save()
    _tell(EventKind.BULK_CHANGED, noun, COLUMNS[change.act], found.changes, act, by, at)
    return act


@transaction.atomic
def undo(*, act: BulkAct, by: User, at: datetime) -> Undone:
    """What the act changed is as it was, wherever it is still what the act made of it; the follow-ups that it made are closed when they are open.
    Refuses a second time, after a week, and whoever neither did it nor leads."""
    act = locks.row(BulkAct.objects.all(), act.pk)
    if act.by_id != by.pk and not by.is_leading:
        raise Refused(_("Only who did this takes it back, or somebody who leads."))
    if act.undone_at is not None:
        raise Refused(_("This was taken back already."))
    if at - act.at > UNDO_WITHIN:
        raise Refused(_("This was done more than a week ago. Change it as a new step instead."))
    changes = {int(key): (before, after) for key, (before, after) in act.changes.items()}
    kind, noun = Act(act.act), NOUNS[act.screen]
    if kind == Act.FOLLOW_UP:
        restored = _close_follow_ups(changes, by, at)
        told = {key: ({"note": act.value["note"]}, None) for key in restored}
        events.record_many(EventKind.BULK_UNDONE, noun=noun, values=told, by=by, at=at)
    else:
        column = COLUMNS[kind]
        if column == "owner":  # An owner who is no more cannot come back.
            known = set(User.objects.filter(pk__in={before for before, _after in changes.values()}).values_list("pk"))
            changes = {key: pair for key, pair in changes.items() if pair[0] is None or (pair[0],) in known}
        restored = _write(noun, column, changes)
        back = {key: (after, before) for key, (before, after) in changes.items() if key in restored}
        _tell(EventKind.BULK_UNDONE, noun, column, back, act, by, at)
    act.undone_at = at
    act.save(update_fields=["undone_at"])
    return Undone(len(restored), act.number - len(restored))


def _write(noun: type[models.Model], column: str, values: Mapping[int, tuple[Any, Any]]) -> set[int]:
    """Each row has the first of its two values where the second stood; the keys of those that have it now."""
    field = noun._meta.get_field(column)
    assert isinstance(field, models.Field)
    name, kind = field.column, TYPES[column]
    rows = [{"id": key, "value": value, "stood": stood} for key, (value, stood) in values.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {noun._meta.db_table} t SET {name} = v.value
              FROM jsonb_to_recordset(%s::jsonb) AS v(id bigint, value {kind}, stood {kind})
             WHERE t.id = v.id AND t.{name} IS NOT DISTINCT FROM v.stood
            RETURNING t.id
            """,
            [json.dumps(rows)],
        )
        return {key for (key,) in cursor.fetchall()}


def _make_follow_ups(found: Plan, change: Change, by: User, at: datetime) -> dict[int, int]:
    """The new follow-up of each person."""
    assert change.owner
    assert change.due_on
    note, moment = follow_ups.checked(note=change.note, owner=change.owner, due_on=change.due_on, at=at)
    rows = [
        FollowUp(
            subject_kind=SubjectKind.PERSON,
            subject_id=key,
            note=note,
            why={"by": by.name},
            owner=change.owner,
            due_at=moment,
            show_at=moment,
            created_at=at,
            person_id=key,
        )
        for key in found.changes
    ]
    made = FollowUp.objects.bulk_create(rows, batch_size=1000)
    told = {"rule": "", "note": note, "due": change.due_on, "owner": change.owner.name}
    events.record_many(
        EventKind.FOLLOW_UP_MADE, noun=Person, values=dict.fromkeys(found.changes, (None, told)), by=by, at=at
    )
    return {row.subject_id: row.pk for row in made}


def _close_follow_ups(changes: Mapping[int, tuple[Any, Any]], by: User, at: datetime) -> set[int]:
    """The open ones among them are closed; the keys of their people."""
    mine = FollowUp.objects.open().filter(pk__in=[made for _before, made in changes.values()])
    people = dict(mine.select_for_update().order_by("pk").values_list("pk", "subject_id"))
    FollowUp.objects.filter(pk__in=people).update(outcome=Outcome.NOT_NEEDED, closed_at=at, closed_by=by)
    return {key for key, (_before, made) in changes.items() if made in people}


def _tell(
    kind: EventKind,
    noun: type[Person] | type[Organisation],
    column: str,
    changes: Mapping[int, tuple[Any, Any]],
    act: BulkAct,
    by: User,
    at: datetime,
) -> None:
    """On the timeline of each: what stood there and what stands there, in words."""
    keys = {value for pair in changes.values() for value in pair} if column == "owner" else set()
    owners: dict[Any, str] = {user.pk: user.name for user in User.objects.filter(pk__in=keys)} if keys else {}

    def said(value: Any) -> Any:
        return owners.get(value, "") if column == "owner" else ", ".join(value) if column == "tags" else value

    values = {
        key: ({column: said(before)}, {column: said(after), "act": act.pk}) for key, (before, after) in changes.items()
    }
    events.record_many(kind, noun=noun, values=values, by=by, at=at)
