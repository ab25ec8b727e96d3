"""What administrators set of the rules: for everybody and for teams, only what differs, and nothing that contradicts itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm import follow_ups, rule_settings
from crm.models import Event, EventKind, FollowUp, Rule, RuleSetting, Team, Tier, User
from crm.refusal import Refused
from tests import make
from tests.make import AT

KEEP = Rule.KEEP_IN_TOUCH


def change(by: User, team: Team | None = None, *, is_on: bool = True, **numbers: int) -> RuleSetting | None:
    return rule_settings.change(rule=KEEP, team=team, is_on=is_on, numbers=numbers, by=by, at=AT)


def told() -> list[Any]:
    return list(Event.objects.filter(kind=EventKind.RULE_CHANGED).order_by("pk").values_list("old", "new"))


def test_only_what_differs_is_kept_and_told_once_with_old_and_new(admin_user):
    kept = change(admin_user, ideal_a=20, latest_a=45)
    assert kept is not None
    assert kept.numbers == {"ideal_a": 20}
    change(admin_user, ideal_a=20)
    about = {"rule": "keep_in_touch", "team": None, "is_on": True}
    assert told() == [(None, about | {"numbers": {"ideal_a": 20}})]
    assert change(admin_user, ideal_a=30) is None
    assert not RuleSetting.objects.exists()
    assert told()[1] == (about | {"numbers": {"ideal_a": 20}}, {"rule": "keep_in_touch", "team": None})


def test_what_a_team_leaves_open_follows_everybody(admin_user, team, other_team):
    change(admin_user, team, latest_a=50)
    change(admin_user, ideal_a=20, latest_a=40)
    kept = change(admin_user, other_team, ideal_a=20, latest_a=45)
    assert kept is not None
    assert kept.numbers == {"latest_a": 45}
    assert rule_settings.above(KEEP, team)["ideal_a"] == 20
    assert rule_settings.above(KEEP, None)["ideal_a"] == 30


def test_a_team_may_be_at_work_where_nobody_else_is(admin_user, team):
    change(admin_user, is_on=False)
    kept = change(admin_user, team, is_on=True)
    assert kept is not None
    assert (kept.is_on, kept.numbers) == (True, {})


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"ideal_a": 0}, "between 1 and 730"),
        ({"ideal_a": 731}, "between 1 and 730"),
        ({"ideal_a": "abc"}, "between 1 and 730"),
        ({"ideal_a": True}, "between 1 and 730"),
        ({"speed": 3}, "does not count with"),
        ({"ideal_a": 60}, "cannot be more than"),
        ({"ideal_b": 70, "latest_b": 60}, "cannot be more than"),
    ],
)
def test_what_is_beyond_its_bounds_or_contradicts_itself_is_refused(admin_user, numbers, sentence):
    with pytest.raises(Refused, match=sentence):
        change(admin_user, **numbers)
    assert not RuleSetting.objects.exists()
    assert told() == []


def test_a_change_for_everybody_does_not_break_a_team_that_sets_the_other_number(admin_user, team):
    change(admin_user, team, latest_a=32)
    with pytest.raises(Refused, match="in team Gent"):
        change(admin_user, ideal_a=35)
    change(admin_user, ideal_a=10, latest_a=20)
    change(admin_user, team, ideal_a=15)
    with pytest.raises(Refused, match="in team Gent"):
        change(admin_user, ideal_a=10, latest_a=12)


def test_reset_goes_back_to_what_holds_above_and_twice_is_once(admin_user, team):
    change(admin_user, ideal_a=20)
    change(admin_user, team, is_on=False)
    for _twice in range(2):
        rule_settings.reset(rule=KEEP, team=team, by=admin_user, at=AT)
    assert RuleSetting.objects.get().team is None
    assert told()[-1] == (
        {"rule": "keep_in_touch", "team": "Gent", "is_on": False, "numbers": {}},
        {"rule": "keep_in_touch", "team": "Gent"},
    )
    assert len(told()) == 3


def test_everybody_does_not_go_back_where_a_team_could_not_follow(admin_user, team):
    change(admin_user, ideal_a=10)
    change(admin_user, team, latest_a=15)
    with pytest.raises(Refused, match="in team Gent"):
        rule_settings.reset(rule=KEEP, team=None, by=admin_user, at=AT)


def test_a_number_that_is_none_can_be_put_right(admin_user, team):
    RuleSetting.objects.create(rule=KEEP, team=None, numbers={"ideal_a": "abc"})
    RuleSetting.objects.create(rule=KEEP, team=team, numbers={"latest_a": "never"})
    kept = change(admin_user, team, latest_a=50)
    assert kept is not None
    assert kept.numbers == {"latest_a": 50}
    assert change(admin_user, ideal_a=30) is None


def test_the_rules_look_again_at_everything_after_a_change(admin_user, account_manager):
    make.person(owner=account_manager, tier=Tier.A, at=AT - timedelta(days=25))
    person = make.person(owner=account_manager, tier=Tier.A, at=AT - timedelta(days=90))
    make.conversation(person, by=account_manager, at=AT - timedelta(days=25))
    follow_ups.refresh(at=AT)
    rows = FollowUp.objects.open().filter(rule=KEEP, person=person)
    assert not rows.exists()
    change(admin_user, ideal_a=20)
    follow_ups.refresh_touched(at=AT)
    assert rows.exists()
    change(admin_user, is_on=False)
    follow_ups.refresh_touched(at=AT)
    assert not FollowUp.objects.open().filter(rule=KEEP).exists()
