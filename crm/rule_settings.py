"""Keep what administrators set of the rules: whether each is at work and with which numbers, for everybody and for teams that need something else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, Rule, RuleSetting, Team, User
from crm.refusal import Refused
from crm.rules import RULES, FollowUpRule


@transaction.atomic
def change(
    *, rule: Rule, team: Team | None, is_on: bool, numbers: Mapping[str, int], by: User | None, at: datetime
) -> RuleSetting | None:
    """The rule is at work like this for the team (for everybody whose team says nothing else without one). Only what differs is kept, so that the
    rest follows when it changes above; `None` when nothing differs. The same again changes nothing.

    Refuses a number that the rule does not know, one beyond its bounds, and two that contradict each other, here or in a team that sets one of them.
    """
    locks.hold("rule-settings", rule.value)
    old = _kept(rule).get(team.pk if team else None)
    new = trial(rule=rule, team=team, is_on=is_on, numbers=numbers)
    _must_leave_teams_sound(rule, new)
    before, after = _says(old), _says(new) if _differs(new) else None
    if before == after:
        return old
    kept = old or new
    kept.is_on, kept.numbers = new.is_on, new.numbers
    if after is not None:
        kept.save()
    _record(kept, before, after, by, at)
    if after is None:
        kept.delete()
        return None
    return kept


@transaction.atomic
def reset(*, rule: Rule, team: Team | None, by: User | None, at: datetime) -> None:
    """The rule is for the team as it is for everybody, and without a team as Kring comes. Twice is once. Refuses to leave a team with two numbers
    that contradict each other."""
    locks.hold("rule-settings", rule.value)
    old = _kept(rule).get(team.pk if team else None)
    if old is None:
        return
    if team is None:
        _must_leave_teams_sound(rule, RuleSetting(rule=rule, team=None))
    _record(old, _says(old), None, by, at)
    old.delete()


def trial(*, rule: Rule, team: Team | None, is_on: bool, numbers: Mapping[str, int]) -> RuleSetting:
    """The setting as it would be kept, to be tried by `follow_ups.preview`; nothing is written. Refuses as `change` does."""
    chosen = RULES[rule]
    known = {number.key: number for number in chosen.numbers}
    for key, value in numbers.items():
        number = known.get(key)
        if number is None:
            raise Refused(_("This rule does not count with “%(key)s”.") % {"key": key})
        if not isinstance(value, int) or isinstance(value, bool) or not number.least <= value <= number.most:
            raise Refused(
                _("%(label)s: choose a whole number between %(least)s and %(most)s.")
                % {"label": number.label, "least": number.least, "most": number.most}
            )
    otherwise = above(rule, team)
    _must_be_sound(chosen, {**otherwise, **numbers}, None)
    differing = {key: value for key, value in numbers.items() if value != otherwise[key]}
    return RuleSetting(rule=rule, team=team, is_on=is_on, numbers=differing)


def above(rule: Rule, team: Team | None) -> dict[str, int]:
    """The numbers that hold where `team` sets none: those of everybody, else the rule's own."""
    everybody = _kept(rule).get(None) if team else None
    return RULES[rule].defaults() | (_known(RULES[rule], everybody.numbers) if everybody else {})


def _kept(rule: Rule) -> dict[int | None, RuleSetting]:
    return {row.team_id: row for row in RuleSetting.objects.filter(rule=rule).select_related("team")}


def _known(rule: FollowUpRule, numbers: Any) -> dict[str, int]:
    """The whole numbers among what is kept that the rule still has."""
    keys = rule.defaults()
    kept = numbers.items() if isinstance(numbers, dict) else ()
    return {key: value for key, value in kept if key in keys and isinstance(value, int)}


def _must_leave_teams_sound(rule: Rule, everybodys: RuleSetting) -> None:
    """A team that sets one number of a pair takes the other from everybody."""
    if everybodys.team is not None:
        return
    chosen = RULES[rule]
    for row in _kept(rule).values():
        if row.team is not None:
            own = {**chosen.defaults(), **everybodys.numbers, **_known(chosen, row.numbers)}
            _must_be_sound(chosen, own, row.team)


def _must_be_sound(rule: FollowUpRule, numbers: Mapping[str, int], team: Team | None) -> None:
    labels = {number.key: number.label for number in rule.numbers}
    for lower, upper in rule.ascending:
        if numbers[lower] <= numbers[upper]:
            continue
        values = {"lower": labels[lower], "upper": labels[upper], "team": team}
        if team:
            raise Refused(
                _(
                    "“%(lower)s” would come after “%(upper)s” in team %(team)s, which sets one of them for itself. Change that first."
                )
                % values
            )
        raise Refused(_("“%(lower)s” cannot be more than “%(upper)s”.") % values)


def _differs(setting: RuleSetting) -> bool:
    """Whether it says something that would not hold without it."""
    everybody = _kept(Rule(setting.rule)).get(None) if setting.team else None
    return bool(setting.numbers) or setting.is_on != (everybody.is_on if everybody else True)


def _says(setting: RuleSetting | None) -> dict[str, Any] | None:
    return None if setting is None else {"is_on": setting.is_on, "numbers": setting.numbers}


def _record(
    setting: RuleSetting, old: dict[str, Any] | None, new: dict[str, Any] | None, by: User | None, at: datetime
) -> None:
    about = {"rule": setting.rule, "team": events.readable(setting.team)}
    events.record(
        EventKind.RULE_CHANGED, subject=setting, by=by, at=at,
        old=old and {**about, **old}, new={**about, **new} if new else about,
    )  # fmt: skip
