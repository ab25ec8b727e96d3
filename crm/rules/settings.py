"""Which numbers a rule counts with, and for which teams it is at work: what administrators set, over the rule's own defaults. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import RuleSetting, Team
from crm.rules.definition import FollowUpRule
from crm.rules.owners import NO_TEAM, literal


@dataclass(frozen=True)
class Set:
    """What holds for one team: whether the rule is at work, and each of its numbers."""

    is_on: bool
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Kept:
    """The teams, and what is set of each rule for everybody (`None`) and for teams, as it stood at one moment."""

    teams: Sequence[int]
    by_rule: Mapping[str, Mapping[int | None, RuleSetting]]


def kept() -> Kept:
    """What is set now. Two queries, however many rules there are."""
    by_rule: dict[str, dict[int | None, RuleSetting]] = defaultdict(dict)
    for setting in RuleSetting.objects.all():
        by_rule[setting.rule][setting.team_id] = setting
    return Kept(list(Team.objects.order_by("pk").values_list("pk", flat=True)), by_rule)


def effective(rule: FollowUpRule, now: Kept, *, trial: RuleSetting | None = None) -> dict[int, Set]:
    """What holds for each team, by its key (`NO_TEAM` for who has none). `trial` is a setting as it might become, in place of the one that is kept.

    Raises `ValueError` for a number that is none: whatever keeps it, a rule never runs on a guess.
    """
    own = dict(now.by_rule.get(rule.key, {}))
    if trial is not None:
        own[trial.team_id] = trial
    everybody = _set(rule, own.get(None), Set(True, rule.defaults()))
    return {NO_TEAM: everybody} | {team: _set(rule, own.get(team), everybody) for team in now.teams}


def _set(rule: FollowUpRule, setting: RuleSetting | None, else_: Set) -> Set:
    if setting is None:
        return else_
    numbers = dict(else_.numbers)
    for number in rule.numbers:
        if number.key in setting.numbers:
            value = setting.numbers[number.key]
            if not isinstance(value, int) or isinstance(value, bool) or not number.least <= value <= number.most:
                raise ValueError(f"{rule.key}: “{value}” is no number for {number.key}")
            numbers[number.key] = value
    return Set(setting.is_on, numbers)


def number_cte(rule: FollowUpRule, settings: Mapping[int, Set]) -> tuple[str, dict[str, Any]]:
    """The statement's `number` (team, is_on and a column for each number of the rule), and its parameters."""
    keys = [number.key for number in rule.numbers]
    arrays = {
        "number_teams": literal(settings),
        "number_is_on": literal("tf"[not one.is_on] for one in settings.values()),
    }
    arrays |= {f"number_{key}": literal(one.numbers[key] for one in settings.values()) for key in keys}
    sources = ["%(number_teams)s::bigint[]", "%(number_is_on)s::bool[]", *(f"%(number_{key})s::int[]" for key in keys)]
    columns = ", ".join(["team", "is_on", *keys])
    return f"number AS (SELECT * FROM unnest({', '.join(sources)}) AS n({columns}))", arrays
