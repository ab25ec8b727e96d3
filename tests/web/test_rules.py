"""The rules of the follow-ups on the screen: what each does, its numbers for everybody and for a team, tried before they are saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm import follow_ups
from crm.models import FollowUp, Rule, RuleSetting, Team, Tier, User
from crm.web.rules import COLUMNS
from tests import make

Login = Callable[[User], Client]
PAGE = "/settings/rules/keep_in_touch/"
CHANGE = f"{PAGE}change/"
USUAL = {"ideal_a": "30", "latest_a": "45", "ideal_b": "60", "latest_b": "90", "ideal_c": "120", "latest_c": "180"}
SAYS = USUAL | {"is_on": "on"}


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def quiet(account_manager: User) -> FollowUp:
    """Somebody of tier A with whom it has been quiet for forty days."""
    now = timezone.now()
    person = make.person(at=now - timedelta(days=90), owner=account_manager, tier=Tier.A)
    make.conversation(person, by=account_manager, at=now - timedelta(days=40))
    follow_ups.refresh(at=now)
    return FollowUp.objects.get(rule=Rule.KEEP_IN_TOUCH)


def test_every_rule_stands_in_one_group() -> None:
    assert sorted(rule for column in COLUMNS for _title, rules in column for rule in rules) == sorted(Rule)


def test_the_list_says_what_each_rule_does_and_how_it_fares(
    login: Login, manager: User, admin_user: User, team: Team, quiet: FollowUp
) -> None:
    RuleSetting.objects.create(rule=Rule.NEXT_STEP, is_on=False)
    RuleSetting.objects.create(rule=Rule.KEEP_IN_TOUCH, team=team, numbers={"ideal_a": 20})
    page = text(login(manager).get("/settings/rules/"))
    assert "It has been quiet for a while with somebody whom you want to stay close to." in page
    assert re.search(r"silent too long after 45 days .* otherwise in Gent 1 open today", page)
    assert "Next step due off" in page


def test_a_number_is_tried_saved_and_put_back(login: Login, admin_user: User, team: Team, quiet: FollowUp) -> None:
    client, page, change = login(admin_user), f"{PAGE}?team={team.pk}", f"{CHANGE}?team={team.pk}"
    tried = client.post(change, SAYS | {"ideal_a": "42", "preview": "yes"})
    assert "This would open 0 and close 1 today." in text(tried)
    assert 'value="42"' in tried.content.decode()
    assert not RuleSetting.objects.exists()
    part = client.post(
        change, SAYS | {"ideal_a": "42", "preview": "yes"}, headers={"HX-Request": "true", "HX-Target": "effect"}
    )
    assert part.content.decode().lstrip().startswith('<section class="card mb-3" id="effect"')
    assert "close 1 today" in text(part)
    assert "Nothing would change today." in text(client.post(change, SAYS | {"preview": "yes"}))

    assert "Saved." in text(client.post(change, SAYS | {"ideal_a": "42"}, follow=True))
    kept = RuleSetting.objects.get()
    assert (kept.team, kept.is_on, kept.numbers) == (team, True, {"ideal_a": 42})
    assert "Usual: 30. For everybody: 30." in text(client.get(page))
    assert 'value="30"' in client.get(PAGE).content.decode()

    assert "Back to what is usual." in text(client.post(f"{PAGE}reset/?team={team.pk}", follow=True))
    assert not RuleSetting.objects.exists()


def test_what_cannot_be_is_said_where_it_stands(login: Login, admin_user: User, quiet: FollowUp) -> None:
    client = login(admin_user)
    assert "less than or equal to 730" in text(client.post(CHANGE, SAYS | {"ideal_a": "1000"}))
    assert "cannot be more than" in text(client.post(CHANGE, SAYS | {"ideal_a": "60"}))
    part = client.post(
        CHANGE, SAYS | {"ideal_a": "60", "preview": "yes"}, headers={"HX-Request": "true", "HX-Target": "effect"}
    )
    assert "cannot be more than" in text(part)
    assert not RuleSetting.objects.exists()


@pytest.mark.parametrize("path", ["/settings/rules/no_such/", f"{PAGE}?team=99999999"])
def test_what_is_not_there_is_not_found(login: Login, admin_user: User, path: str) -> None:
    assert login(admin_user).get(path).status_code == 404


def test_a_manager_looks_and_changes_nothing(login: Login, manager: User) -> None:
    page = login(manager).get(PAGE).content.decode()
    assert "Administrators change the rules." in page
    assert "What would this do today" not in page
    assert login(manager).post(CHANGE, SAYS | {"preview": "yes"}).status_code == 403


def test_a_clock_of_the_team_is_changed_with_the_team(login: Login, admin_user: User, team: Team) -> None:
    client = login(admin_user)
    assert (
        f'href="/settings/teams/{team.pk}/"'
        in client.get(f"/settings/rules/first_answer/?team={team.pk}").content.decode()
    )
    assert 'href="/settings/teams/"' in client.get("/settings/rules/hand_off/").content.decode()


def test_a_rule_that_fails_says_so_wherever_it_matters_and_can_be_put_right(
    login: Login, admin_user: User, manager: User, quiet: FollowUp
) -> None:
    bad = RuleSetting.objects.create(rule=Rule.KEEP_IN_TOUCH, numbers={"ideal_a": "abc"})
    follow_ups.refresh(at=timezone.now())
    for user, path in (
        (manager, "/settings/rules/"),
        (manager, "/health/"),
        (manager, "/settings/"),
        (admin_user, PAGE),
    ):
        assert "fails" in text(login(user).get(path)), path
    page = text(login(admin_user).get(PAGE))
    assert "“abc” is no number for ideal_a" in page
    assert "the follow-ups that it made stay as they are" in page
    client = login(admin_user)
    # A team's page tries the number of everybody, which is none.
    team = make.team()
    assert "This rule cannot be tried now." in text(client.post(f"{CHANGE}?team={team.pk}", SAYS | {"preview": "yes"}))
    client.post(CHANGE, SAYS)
    assert not RuleSetting.objects.filter(pk=bad.pk).exists()
    follow_ups.refresh_touched(at=timezone.now())
    assert "fails since" not in text(client.get(PAGE))
    assert "fails since" not in text(login(manager).get("/health/"))


def test_the_number_of_queries_does_not_grow(login: Login, admin_user: User, team: Team) -> None:
    client = login(admin_user)

    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(path)
        return len(captured)

    follow_ups.refresh(at=timezone.now())
    few = [queries(path) for path in ("/settings/rules/", PAGE)]
    for number in range(4):
        other = make.team()
        for rule in (Rule.KEEP_IN_TOUCH, Rule.NEXT_STEP):
            RuleSetting.objects.create(rule=rule, team=other, is_on=bool(number % 2))
    assert [queries(path) for path in ("/settings/rules/", PAGE)] == few
    assert max(few) <= 12
