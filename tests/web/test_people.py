"""The list of people: who was not spoken to for longest comes first, never is a word, and everyone is found."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from crm.models import Advocate, DoNotContact, EmailAddress, Person, PossibleDuplicate, Scope
from crm.web.lists import PEOPLE
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
    company = make.organisation("Notelaar Interiors", country="BE")
    make.person("Ilse Maes", owner=account_manager, tier="A", email="ilse@maes.example")
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


def change(name: str, **columns) -> Person:
    Person.objects.filter(full_name=name).update(**columns)
    return Person.objects.get(full_name=name)


EVERYBODY = ["Ilse Maes", "Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]


def test_the_oldest_contact_comes_first_and_never_is_older_than_anything(circle, login, account_manager):
    assert names(login(account_manager)) == EVERYBODY


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort=-last_contact", EVERYBODY[::-1]),
        ("sort=name", ["Anke Aerts", "Zoë van den Berg", "Karim Boulhani", "Ilse Maes"]),
        ("sort=-name", ["Ilse Maes", "Karim Boulhani", "Zoë van den Berg", "Anke Aerts"]),
        ("sort=tier", ["Ilse Maes", "Zoë van den Berg", "Karim Boulhani", "Anke Aerts"]),
        ("sort=-tier", ["Zoë van den Berg", "Ilse Maes", "Anke Aerts", "Karim Boulhani"]),
        ("owner=me", ["Ilse Maes", "Karim Boulhani", "Zoë van den Berg"]),
        ("owner=team", ["Ilse Maes", "Karim Boulhani", "Zoë van den Berg"]),
        ("owner=nobody", []),
        ("owner=somebody", EVERYBODY),
        ("tier=A", ["Ilse Maes"]),
        ("tier=none", ["Anke Aerts", "Karim Boulhani"]),
        ("ring=customer", ["Karim Boulhani"]),
        ("ring=known", ["Ilse Maes", "Anke Aerts", "Zoë van den Berg"]),
        ("contact=never", ["Ilse Maes", "Anke Aerts"]),
        ("contact=30", ["Ilse Maes", "Anke Aerts", "Karim Boulhani"]),
        ("contact_before=2026-01-01", ["Ilse Maes", "Anke Aerts", "Karim Boulhani"]),
        ("contact_before=2020-01-01", ["Ilse Maes", "Anke Aerts"]),
        ("country=be", ["Karim Boulhani"]),
        ("named=zoe", ["Zoë van den Berg"]),
        ("named=boulahni", ["Karim Boulhani"]),
        ("named=zoe&tier=A", []),
        ("owner=me&contact=30&ring=customer", ["Karim Boulhani"]),
        ("named=qqqq", []),
        ("owner=nonsense&tier=Q&sort=wild&ring=x&contact=-1&country=1&contact_before=soon&show=x", EVERYBODY),
        ("owner=99999999999999999999999", EVERYBODY),
        ("owner=999999", EVERYBODY),
        ("contact=99999999999", EVERYBODY),
        ("contact_before=0001-01-01", EVERYBODY),
        ("named=%00&tag=%00", EVERYBODY),
    ],
)
def test_it_sorts_and_filters_and_forgives_nonsense(circle, login, account_manager, query, found):
    assert names(login(account_manager), query) == found


def test_a_person_is_of_the_nearest_ring(circle, login, account_manager):
    client = login(account_manager)
    make.lead(person=Person.objects.get(full_name="Anke Aerts"))
    assert names(client, "ring=prospect") == ["Anke Aerts"]
    Advocate.objects.create(person=Person.objects.get(full_name="Karim Boulhani"), since=AT)
    assert names(client, "ring=customer") == []
    assert names(client, "ring=advocate") == ["Karim Boulhani"]
    page = client.get("/people/?show=ring").content.decode()
    assert [page.count(f'-lt">{ring}</span>') for ring in ("advocate", "prospect")] == [1, 1]


def test_whom_we_leave_in_peace_is_found_by_person_number_address_and_register(circle, login, account_manager):
    client = login(account_manager)
    make.wish(scope=Scope.CALL, person=Person.objects.get(full_name="Anke Aerts"))
    make.wish(scope=Scope.CONTACT, person=Person.objects.get(full_name="Karim Boulhani"))
    make.wish(scope=Scope.MAIL, address="ilse@maes.example")
    make.register("+32475123456")
    assert names(client, "no_call=yes") == ["Anke Aerts", "Karim Boulhani", "Zoë van den Berg"]
    assert names(client, "no_call=no") == ["Ilse Maes"]
    assert names(client, "no_mail=yes") == ["Ilse Maes", "Karim Boulhani"]
    DoNotContact.objects.update(lifted_at=AT, lifted_why="They said so")
    assert names(client, "no_call=yes") == ["Zoë van den Berg"]


def test_tags_interests_country_language_and_what_needs_a_look(circle, login, account_manager):
    client = login(account_manager)
    change("Ilse Maes", tags=["fair"], interests=["sailing"], language="nl", country="NL")
    change("Anke Aerts", not_before=AT.date() + timedelta(days=1), not_before_why="moving house")
    anke, zoe = change("Anke Aerts", tier="C"), change("Zoë van den Berg", tier="B")
    EmailAddress.objects.filter(person=zoe).update(is_confirmed=False)
    PossibleDuplicate.objects.create(
        kind="person",
        first_id=min(anke.pk, zoe.pk),
        second_id=max(anke.pk, zoe.pk),
        reasons=["name"],
        likeness=1,
        found_at=AT,
    )
    for query, found in (
        ("tag=fair", ["Ilse Maes"]),
        ("about=sailing", ["Ilse Maes"]),
        ("language=nl", ["Ilse Maes"]),
        ("language=none&contact=never", ["Anke Aerts"]),
        ("country=NL", ["Ilse Maes"]),
        ("later=yes", ["Anke Aerts"]),
        ("unconfirmed=yes", ["Zoë van den Berg"]),
        ("twice=yes", ["Anke Aerts", "Zoë van den Berg"]),
    ):
        assert names(client, query) == found, query
    PossibleDuplicate.objects.update(dismissed_at=AT)
    assert names(client, "twice=yes") == []


def test_a_row_says_position_last_contact_by_whom_and_how_to_reach_them(circle, login, account_manager):
    page = login(account_manager).get("/people/").content.decode()
    person = Person.objects.get(full_name="Zoë van den Berg")
    for words in ("Planner", "Notelaar Interiors", "never", "14 months ago", "Arjan", f"/people/{person.pk}/call/"):
        assert words in page
    assert f"/mail/new/?person={person.pk}" in page
    assert "tel:" not in page
    assert "mailto:" not in page


def test_last_contact_is_never_empty(circle, login, account_manager):
    page = login(account_manager).get("/people/?show=last_contact&show=last_reply").content.decode()
    cells = re.findall(r'<td class="list-last_(?:contact|reply)"[^>]*>(.*?)</td>', page, re.DOTALL)
    assert len(cells) == 8
    assert all(re.sub("<[^>]+>", "", cell).strip() for cell in cells)
    assert sum("never" in cell for cell in cells) == 4


def test_htmx_gets_the_list_alone(circle, login, account_manager):
    answer = login(account_manager).get("/people/", headers={"HX-Request": "true", "HX-Target": "people"})
    assert answer.content.decode().lstrip().startswith("<section")
    assert "HX-Target" in answer["Vary"]


@pytest.mark.parametrize(
    "sort", ["", "-last_contact", "tier", "-tier", "country", "-follow_up", "owner", "-not_before", "name", "-made"]
)
def test_pages_follow_each_other_without_gap_or_repeat(login, account_manager, sort):
    for number in range(120):
        person = make.person(f"Marie Peeters{number}", owner=account_manager if number % 3 else None)
        if number % 2:
            make.conversation(person, by=account_manager, when=AT - timedelta(days=number))
            change(
                f"Marie Peeters{number}",
                tier="AB"[number % 4 == 1],
                country="BE",
                not_before=AT.date() + timedelta(days=number % 7),
            )
    client, seen, query = login(account_manager), [], f"sort={sort}"
    while True:
        page = client.get(f"/people/?{query}").content.decode()
        seen += re.findall(r"<span>(Marie Peeters\d+)</span></a>", page)
        following = re.search(r'rel="next" href="\?([^"]+)"', page)
        if not following:
            break
        query = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(login, account_manager, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(50):
        person = make.person(organisation=make.organisation(), owner=account_manager, phone="0475 12 34 56")
        make.conversation(person, by=account_manager)
    every = "&".join(f"show={column.key}" for column in PEOPLE.columns)
    with django_assert_max_num_queries(12):
        client.get(f"/people/?ring=known&named=person&{every}")
    with django_assert_max_num_queries(10):
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
