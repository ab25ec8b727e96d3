"""What the card of the half hour offers: never a way to somebody who asked for peace, and no button that the next page refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client

from crm.models import Person, Scope, User, Way
from tests import make
from tests.make import AT

Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def monday_morning() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def offered(client: Client, person: Person) -> list[str]:
    """Where the buttons of the card lead."""
    card = client.get("/").content.decode().partition('id="half-hour"')[2].partition("</section>")[0]
    found = re.findall(r'href="([^"]*)"', card)
    return [address.replace("&amp;", "&") for address in found if str(person.pk) in re.split(r"\D+", address)]


def test_who_asked_for_peace_since_this_morning_is_not_offered_and_it_says_why(login: Login, sdr: User) -> None:
    person = make.person("Ilse Maes", phone="+3292345678")
    make.half_hour(sdr, person)
    client = login(sdr)
    assert f"/people/{person.pk}/call/" in offered(client, person)
    make.wish(person=person, scope=Scope.CALL, by=sdr)
    assert offered(client, person) == []
    assert "asked us" in client.get("/").content.decode()


def test_a_colleagues_person_is_reached_through_ones_own_deal_or_looked_at(
    login: Login, sdr: User, outsider: User
) -> None:
    bought = make.person("Ilse Maes", owner=outsider, phone="+3292345678")
    known = make.person("Karim Boulhani", owner=outsider, phone="+3292345679")
    deal = make.deal(sdr, person=bought)
    make.half_hour(sdr, bought, known, way=Way.INTRODUCTION)
    client = login(sdr)
    assert offered(client, known) == [f"/people/{known.pk}/"]
    through = offered(client, bought)
    assert f"/people/{bought.pk}/call/?deal={deal.pk}" in through
    for address in [*through, *offered(client, known)]:
        assert client.get(address).status_code == 200
