"""Who gets a lead, on the screen: rules in order with what they fit, and how much each SDR takes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm import assignment
from crm.models import AssignmentRule, Event, EventKind, GivenBecause, Lead, Team, User
from tests import make

Login = Callable[[User], Client]


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_rule_is_made_changed_and_removed(login: Login, admin_user: User, team: Team, sdr: User) -> None:
    client = login(admin_user)
    answer = client.post(
        "/settings/assignment/new/",
        {"language": "nl", "sector": "Textile", "country": "be", "to": f"team-{team.pk}", "is_active": "on"},
        follow=True,
    )
    assert "Speaks Dutch, sector Textile, from BE" in text(answer)
    assert "by turns in team Gent" in text(answer)
    rule = AssignmentRule.objects.get()
    page = client.get(f"/settings/assignment/{rule.pk}/").content.decode()
    assert f'<option value="team-{team.pk}" selected>' in page
    answer = client.post(f"/settings/assignment/{rule.pk}/", {"origin": "website", "to": f"user-{sdr.pk}"}, follow=True)
    assert "not in use" in text(answer)
    assert "always Sofie Peeters" in text(answer)
    client.post(f"/settings/assignment/{rule.pk}/remove/")
    assert not AssignmentRule.objects.exists()


def test_a_rule_without_a_condition_is_refused_in_words(login: Login, admin_user: User, sdr: User) -> None:
    answer = login(admin_user).post("/settings/assignment/new/", {"to": f"user-{sdr.pk}", "is_active": "on"})
    assert "at least one condition" in text(answer)
    assert not AssignmentRule.objects.exists()


def test_a_rule_moves_by_its_buttons_and_by_dragging(login: Login, admin_user: User, sdr: User) -> None:
    rules = [make.assignment_rule(sdr, by=admin_user, country=country) for country in ("BE", "NL", "FR")]
    client = login(admin_user)
    client.post(f"/settings/assignment/{rules[2].pk}/move/", {"to": "0"})
    assert list(AssignmentRule.objects.values_list("country", flat=True)) == ["FR", "BE", "NL"]
    part = client.post(
        f"/settings/assignment/{rules[2].pk}/move/", {"to": "2"}, headers={"HX-Request": "true", "HX-Target": "rules"}
    )
    assert part.content.decode().lstrip().startswith('<section class="card" id="rules"')
    assert list(AssignmentRule.objects.values_list("country", flat=True)) == ["BE", "NL", "FR"]
    for nonsense in ("", "x", "--5", "²", "9" * 30):
        client.post(f"/settings/assignment/{rules[0].pk}/move/", {"to": nonsense})
    assert list(AssignmentRule.objects.values_list("country", flat=True)) == ["BE", "NL", "FR"]


def test_it_says_what_each_rule_fits_and_what_is_left(login: Login, manager: User, admin_user: User, sdr: User) -> None:
    make.assignment_rule(sdr, by=admin_user, origin="website")
    for origin in ("website", "website", "fair"):
        make.lead(origin=origin)
    page = text(login(manager).get("/settings/assignment/"))
    assert "fits 2 of the last 3 leads" in page
    assert "1 of the last 3 leads" in page
    assert "Whose turn it was" in page


def test_each_sdr_shows_what_they_have_and_whether_they_are_there(
    login: Login, manager: User, sdr: User, teammate: User
) -> None:
    now = timezone.now()
    make.absence(teammate, at=now, days=2)
    for days in (0, 3):
        lead = make.lead()
        Lead.objects.filter(pk=lead.pk).update(owner=sdr, assigned_at=now - timedelta(days=days))
    page = text(login(manager).get("/settings/assignment/"))
    assert "2 of 30 in 30 days · 1 of 2 today" in page
    assert "away until" in page
    assert "takes part" in page


def test_who_leads_says_how_much_somebody_takes_on(login: Login, manager: User, sdr: User) -> None:
    client = login(manager)
    client.post(f"/settings/assignment/shares/{sdr.pk}/", {"lead_capacity": "12"})
    sdr.refresh_from_db()
    assert (sdr.takes_leads, sdr.lead_capacity) == (False, 12)
    answer = client.post(f"/settings/assignment/shares/{sdr.pk}/", {"lead_capacity": "-1"}, follow=True)
    assert "between 0 and 1000" in text(answer)


def test_managers_see_the_rules_and_do_not_change_them(
    login: Login, manager: User, admin_user: User, sdr: User
) -> None:
    rule = make.assignment_rule(sdr, by=admin_user)
    client = login(manager)
    assert "data-reorder" not in client.get("/settings/assignment/").content.decode()
    assert client.get(f"/settings/assignment/{rule.pk}/").status_code == 403


def test_a_lead_that_came_back_says_so_on_its_page(login: Login, sdr: User) -> None:
    at = timezone.now() - timedelta(days=9)
    lead = assignment.give(lead=make.lead(at=at), choice=assignment.Choice(sdr, GivenBecause.RULES), at=at)
    client = login(sdr)
    assert "returned to the pool" not in text(client.get(f"/leads/{lead.pk}/"))
    assignment.return_untouched(at=timezone.now())
    page = text(client.get(f"/leads/{lead.pk}/"))
    assert "returned to the pool" in page
    assert "Nobody touched it while it was with Sofie Peeters" in page
    assert "From Sofie" not in page
    assert "by the rules of assignment" in page
    assert Event.objects.filter(kind=EventKind.LEAD_RETURNED).count() == 1
    assert lead.pk in {row.pk for row in client.get("/leads/?owner=nobody").context["page"]}


@pytest.mark.parametrize("number", [1, 6])
def test_it_asks_the_database_little(
    login: Login, admin_user: User, number: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(number):
        user = make.user(team=make.team())
        make.assignment_rule(user, by=admin_user)
        make.lead(owner=user)
    client = login(admin_user)
    with django_assert_max_num_queries(8):  # session, user, candidates, SDRs, rules twice, last leads, leads waiting
        client.get("/settings/assignment/")
