"""The list of people: who was not spoken to for longest comes first, never is a word, and everyone is found."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def circle(account_manager, outsider):
    """Four people: never, long ago, lately, and one of another team."""
    company = make.organisation("Notelaar Interiors")
    make.person("Ilse Maes", owner=account_manager, tier="A")
    old = make.person("Karim Boulhani", owner=account_manager, organisation=company, title="Planner")
    new = make.person("Zoë van den Berg", owner=account_manager, tier="B", phone="0475 12 34 56")
    make.person("Anke Aerts", owner=outsider)
    make.conversation(old, by=account_manager, when=AT - timedelta(days=430))
    make.conversation(new, by=account_manager, when=AT - timedelta(days=2))
    make.won_deal(account_manager, organisation=company, person=old)


def names(client, query: str = "", **headers: str) -> list[str]:
    answer = client.get(f"/people/?{query}", headers=headers)
    assert answer.status_code == 200
    return re.findall(r'class="person-link".*?<span>([^<]+)</span></a>', answer.content.decode(), re.DOTALL)


def test_the_oldest_contact_comes_first_and_never_is_older_than_anything(circle, login, account_manager):
    assert names(login(account_manager)) == ["Ilse Maes", "Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort=newest", ["Zoë van den Berg", "Karim Boulhani", "Anke Aerts", "Ilse Maes"]),
        ("sort=name", ["Anke Aerts", "Zoë van den Berg", "Karim Boulhani", "Ilse Maes"]),
        ("owner=me", ["Ilse Maes", "Karim Boulhani", "Zoë van den Berg"]),
        ("owner=nobody", []),
        ("tier=A", ["Ilse Maes"]),
        ("tier=none", ["Anke Aerts", "Karim Boulhani"]),
        ("customers=yes", ["Karim Boulhani"]),
        ("named=zoe", ["Zoë van den Berg"]),
        ("named=boulahni", ["Karim Boulhani"]),
        ("named=qqqq", []),
        ("owner=nonsense&tier=Q&sort=wild", ["Ilse Maes", "Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]),
        ("owner=99999999999999999999999", ["Ilse Maes", "Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]),
        ("named=%00", ["Ilse Maes", "Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]),
    ],
)
def test_it_sorts_and_filters_and_forgives_nonsense(circle, login, account_manager, query, found):
    assert names(login(account_manager), query) == found


def test_a_row_says_position_last_contact_and_how_to_reach_them(circle, login, account_manager):
    page = login(account_manager).get("/people/").content.decode()
    for words in ("Planner", "Notelaar Interiors", "never", "14 months ago", 'href="tel:+32475123456"', "mailto:"):
        assert words in page


def test_htmx_gets_the_list_alone(circle, login, account_manager):
    answer = login(account_manager).get("/people/", headers={"HX-Request": "true", "HX-Target": "people"})
    assert answer.content.decode().lstrip().startswith("<section")
    assert "HX-Target" in answer["Vary"]


def test_pages_follow_each_other_without_gap_or_repeat(login, account_manager):
    for number in range(120):
        person = make.person(f"Marie Peeters{number}")
        if number % 2:
            make.conversation(person, by=account_manager, when=AT - timedelta(days=number))
    client, seen, query = login(account_manager), [], ""
    while True:
        page = client.get(f"/people/?{query}").content.decode()
        seen += re.findall(r"<span>(Marie Peeters\d+)</span></a>", page)
        following = re.search(r'rel="next" href="\?([^"]+)"', page)
        if not following:
            break
        query = following[1]
    assert len(seen) == len(set(seen)) == 120


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(login, account_manager, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(50):
        make.person(organisation=make.organisation(), owner=account_manager, phone="0475 12 34 56")
    with django_assert_max_num_queries(11):
        client.get("/people/?customers=yes&named=person")
    with django_assert_max_num_queries(8):
        client.get("/people/")


def test_an_empty_list_says_what_to_do_next(login, account_manager):
    page = login(account_manager).get("/people/").content.decode()
    assert "Nobody yet" in page
    assert "Show everybody" in login(account_manager).get("/people/?named=zoe").content.decode()


def test_it_takes_no_post_and_asks_for_a_login(client, login, account_manager):
    assert login(account_manager).post("/people/").status_code == 405
    answer = client.get("/people/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
