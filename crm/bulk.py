"""One act on many people or organisations at once: what it would do is shown first, what it did stands in one `BulkAct`, and it can be taken back
for a week. Each statement is about all rows together, so that five thousand take as many queries as five."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import events, follow_ups, locks, pacing
from crm.models import (
    BulkAct,
    ConversationKind,
    EventKind,
    FollowUp,
    Organisation,
    Outcome,
    Person,
    SubjectKind,
    Tier,
    User,
)
from crm.models.views import ListScreen
from crm.refusal import Refused

MOST = 5_000
"""Rows that one act may be about."""

MOST_TAGS, LONGEST_TAG = 30, 50
UNDO_WITHIN = timedelta(days=7)


class Act(models.TextChoices):
    OWNER = "owner", gettext_lazy("give them an owner")
    TAG = "tag", gettext_lazy("add tags")
    UNTAG = "untag", gettext_lazy("take tags away")
    TIER = "tier", gettext_lazy("set the tier")
    FOLLOW_UP = "follow_up", gettext_lazy("make a follow-up for each")


NOUNS: dict[str, type[Person] | type[Organisation]] = {
    ListScreen.PEOPLE: Person,
    ListScreen.ORGANISATIONS: Organisation,
}
ACTS: dict[str, tuple[Act, ...]] = {
    ListScreen.PEOPLE: tuple(Act),
    ListScreen.ORGANISATIONS: (Act.OWNER, Act.TAG, Act.UNTAG),
}
COLUMNS = {Act.OWNER: "owner", Act.TAG: "tags", Act.UNTAG: "tags", Act.TIER: "tier"}
TYPES = {"owner": "bigint", "tags": "varchar[]", "tier": "varchar"}


@dataclass(frozen=True)
class Change:
    """What is to be done with each: `owner` for OWNER (None: nobody) and FOLLOW_UP, `tags` for TAG and UNTAG, `tier` for TIER (empty: none);
    `note`, `due_on` and `channel` say what, when and how for FOLLOW_UP."""

    act: Act
    owner: User | None = None
    tags: tuple[str, ...] = ()
    tier: str = ""
    note: str = ""
    due_on: date | None = None
    channel: str = ConversationKind.CALL

    @property
    def value(self) -> dict[str, Any]:
        """What was asked, as the act keeps it."""
        owner: dict[str, Any] = {"owner": self.owner and self.owner.pk, "name": self.owner.name if self.owner else ""}
        values: dict[Act, dict[str, Any]] = {
            Act.OWNER: owner,
            Act.TAG: {"tags": list(self.tags)},
            Act.UNTAG: {"tags": list(self.tags)},
            Act.TIER: {"tier": self.tier},
            Act.FOLLOW_UP: {**owner, "note": self.note, "due": str(self.due_on), "channel": str(self.channel)},
        }
        return values[self.act]


@dataclass(frozen=True)
class LeftOut:
    """Somebody with whom nothing is done, and why not."""

    name: str
    why: str
    key: int


@dataclass(frozen=True)
class Plan:
    """What an act would do: for each row that changes its value before and after; how many are so already; and who is left out."""

    changes: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    same: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.changes)


@dataclass(frozen=True)
class Undone:
    """How many rows are as they were, and how many were left since somebody changed them meanwhile."""

    restored: int
    left: int


def plan(*, screen: str, keys: Iterable[int], change: Change, at: datetime) -> Plan:
    """What `do` would do now with these rows. Reads only. Refuses what cannot be done with any row: too many, no words, a day that has passed."""
    chosen = sorted(set(keys))
    if change.act not in ACTS[screen]:
        raise Refused(_("That cannot be done with this list."))
    if len(chosen) > MOST:
        raise Refused(
            _("That is more than %(most)d at once. Narrow the list with a filter, and go in two steps.")
            % {"most": MOST}
        )
    _check(change, at)
    return _planned(NOUNS[screen]._default_manager.filter(pk__in=chosen).order_by("pk"), change, at)


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


def words(text: str) -> tuple[str, ...]:
    """The tags in a text such as "trade fair, planner": each once, one space between words."""
    found: dict[str, str] = {}
    for tag in text.replace("\x00", " ").split(","):
        if tag.strip():
            found.setdefault(" ".join(tag.split()).casefold(), " ".join(tag.split()))
    return tuple(found.values())


# ---- What would change ---------------------------------------------------------------------------------------------


def _check(change: Change, at: datetime) -> None:
    if change.act in (Act.TAG, Act.UNTAG):
        if not change.tags:
            raise Refused(_("Write at least one tag."))
        if len(change.tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in change.tags):
            raise Refused(_("Use at most 30 tags of 50 characters or fewer."))
    if change.act == Act.TIER and change.tier not in ("", *Tier.values):
        raise Refused(_("Choose a tier."))
    if change.act == Act.OWNER and change.owner and not change.owner.is_active:
        raise Refused(_("%(name)s does not work with Kring any more. Choose somebody else.") % {"name": change.owner})
    if change.act == Act.FOLLOW_UP:
        if change.owner is None or change.due_on is None:
            raise Refused(_("Say who does it, and when."))
        if change.due_on > at.date() + timedelta(days=366):
            raise Refused(_("That is more than a year away. Choose a day within a year."))
        follow_ups.checked(note=change.note, owner=change.owner, due_on=change.due_on, at=at)


def _planned(rows: models.QuerySet[Any], change: Change, at: datetime) -> Plan:
    found = list(rows)
    names = {row.pk: str(row) for row in found}
    if change.act == Act.FOLLOW_UP:
        return _planned_follow_ups(found, names, change, at)
    changes = {}
    for row in found:
        before, after = _pair(row, change)
        if before != after:
            changes[row.pk] = (before, after)
    return Plan(changes, names, same=len(found) - len(changes))


def _pair(row: Any, change: Change) -> tuple[Any, Any]:
    if change.act == Act.OWNER:
        return row.owner_id, change.owner.pk if change.owner else None
    if change.act == Act.TIER:
        return row.tier, change.tier
    asked = {tag.casefold() for tag in change.tags}
    if change.act == Act.UNTAG:
        return row.tags, [tag for tag in row.tags if tag.casefold() not in asked]
    has = {tag.casefold() for tag in row.tags}
    return row.tags, [*row.tags, *(tag for tag in change.tags if tag.casefold() not in has)]


def _planned_follow_ups(found: Sequence[Person], names: dict[int, str], change: Change, at: datetime) -> Plan:
    """Who may be contacted by that channel on the morning of that day."""
    assert change.owner
    assert change.due_on
    _note, moment = follow_ups.checked(note=change.note, owner=change.owner, due_on=change.due_on, at=at)
    answers = pacing.judge(found, change.channel, moment, by=change.owner)
    plan = Plan(names=names)
    for person in found:
        answer = answers[person.pk]
        if isinstance(answer, pacing.Allowed):
            plan.changes[person.pk] = (None, None)
        else:
            plan.left_out.append(LeftOut(str(person), answer.why, person.pk))
    return plan


# ---- Writing -------------------------------------------------------------------------------------------------------


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
