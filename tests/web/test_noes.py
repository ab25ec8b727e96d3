"""The page of noes: every number opens its list; the lists of overrides and of those to look back on stay quick however long they grow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm import leads, overrides, verdicts
from crm.models import Gate, Override, User
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]


@pytest.fixture
def now() -> Any:
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def a_no(sdr: User, name: str, days: int = 1, **fields: Any) -> Any:
    at = AT - timedelta(days=days)
    lead = make.working_lead(sdr, at=at, name=name, origin="website")
    leads.note_distance(lead=lead, km=10, by=sdr, at=at)
    return verdicts.decline(lead=lead, reason="too_small", by=sdr, at=at, **fields)


def test_every_number_opens_the_list_behind_it(login: Login, sdr: User) -> None:
    a_no(sdr, "Sofie De Wit")
    a_no(sdr, "Piet Peters")
    client = login(sdr)
    page = shown(client, "/noes/?period=year")
    assert "Too small for us to help well" in page
    assert "40 km" in page.replace("\xa0", " ")
    links = set(re.findall(r'href="(/noes/list/\?[^"]*)"', page))
    assert len(links) >= 8
    for link in links:
        shown(client, link)
    behind = shown(client, "/noes/list/?period=year&reason=too_small")
    assert "Sofie De Wit" in behind
    assert "Piet Peters" in behind
    assert "Sofie De Wit" not in shown(client, "/noes/list/?period=year&reason=no_need")


def test_those_to_look_back_on_are_three_months_old(login: Login, sdr: User) -> None:
    a_no(sdr, "Old No", days=100)
    a_no(sdr, "New No")
    page = shown(login(sdr), "/noes/list/?what=later")
    assert "Old No" in page
    assert "New No" not in page


@pytest.mark.parametrize(
    "words", ["period=nonsense&team=x", "what=%00&reason=%00", "origin=%00", "team=999999999999999999999", "after=x"]
)
def test_nonsense_in_the_address_is_no_error(login: Login, sdr: User, words: str) -> None:
    client = login(sdr)
    shown(client, f"/noes/?{words}")
    shown(client, f"/noes/list/?{words}")


def test_a_long_list_costs_no_more_questions(login: Login, sdr: User, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        a_no(sdr, f"Nobody Number{number}", days=100)
    client = login(sdr)
    with django_assert_max_num_queries(9):
        shown(client, "/noes/list/?what=later")
    with django_assert_max_num_queries(14):
        shown(client, "/noes/?period=all")


def test_an_override_is_listed_with_what_came_of_it(
    login: Login, sdr: User, account_manager: User, manager: User
) -> None:
    lead = make.answered(make.working_lead(sdr, name="Sofie De Wit"), by=sdr, replies={"Ten people or more": "no"})
    lead = verdicts.qualify(lead=lead, why="They hire ten in May.", by=sdr, at=AT)
    verdicts.decline(lead=lead, reason="no_budget", by=sdr, at=AT)
    deal = make.won_deal(account_manager)
    overrides.record(gate=Gate.DEAL, why="An old friend", by=account_manager, at=AT, deal=deal)
    client = login(manager)
    page = shown(client, "/overrides/")
    for words in ("Sofie De Wit", "They hire ten in May.", "declined", "An old friend", "won"):
        assert words in page
    assert "An old friend" not in shown(client, "/overrides/?gate=verdict")
    assert login(sdr).get("/overrides/").status_code == 403


def test_many_overrides_cost_no_more_questions(
    login: Login, sdr: User, manager: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(8):
        overrides.record(gate=Gate.VISIT, why="Next door", by=sdr, at=AT, lead=make.lead())
    assert Override.objects.count() == 8
    client = login(manager)
    with django_assert_max_num_queries(7):
        shown(client, "/overrides/")
