"""What an act on many would do: which rows change from what to what, which are so already, and who is left out and why. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from crm import follow_ups, pacing
from crm.bulk.acts import ACTS, LONGEST_TAG, MOST, MOST_TAGS, NOUNS, Act, Change
from crm.models import Person, Tier
from crm.refusal import Refused


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
