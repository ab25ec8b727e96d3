"""The page of a person, adding one, and editing who they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import people
from crm.models import Event, EventKind, Person, PromiseSide
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def person(account_manager) -> Person:
    return make.person(
        "Peter van der Meulen",
        email="peter@vandermeulen.example",
        phone="053 12 34 56",
        organisation=make.organisation("Vandermeulen Logistics"),
        title="Director",
        owner=account_manager,
        interests=["sailing"],
        language="nl",
        tier="A",
    )


def edited(**fields: str) -> dict[str, str]:
    return {
        "given_name": "Peter",
        "particle": "van der",
        "family_name": "Meulen",
        "language": "nl",
        "interests": "sailing",
        "tier": "A",
        "owner": "",
        "introduced_by": "",
        "note": "",
    } | fields


def test_the_page_says_who_they_are_and_what_is_open(login, account_manager, person):
    make.conversation(person, by=account_manager, quote="If it works before Easter I do not need a quote.")
    make.promise(
        person,
        by=account_manager,
        due_on=AT.date() - timedelta(days=6),
        text="Introduce his sister",
        side=PromiseSide.THEIRS,
    )
    deal = make.won_deal(account_manager, person=person, name="Planning suite")
    make.referral(account_manager, deal=deal)
    page = login(account_manager).get(f"/people/{person.pk}/").content.decode()
    for words in (
        "Director",
        "Vandermeulen Logistics",
        'href="tel:+3253123456"',
        "+32 53 12 34 56",
        "mailto:peter@vandermeulen.example",
        "Dutch",
        "sailing",
        "A · closest",
        "Introduce his sister",
        "6 days late",
        "before Easter",
        "Planning suite",
        "asked",
        f"/conversations/new/?person={person.pk}",
    ):
        assert words in page, words


def test_a_reader_of_another_team_sees_no_act_that_would_be_refused(login, outsider, person, account_manager):
    make.promise(person, by=account_manager, due_on=AT.date())
    page = login(outsider).get(f"/people/{person.pk}/").content.decode()
    assert "Send the revised schedule" in page
    assert "/edit/" not in page
    assert "/keep/" not in page


def test_the_page_takes_as_many_queries_for_much_as_for_little(
    login, account_manager, person, django_assert_max_num_queries
):
    client = login(account_manager)
    for _number in range(6):
        make.conversation(person, by=account_manager)
        make.promise(person, by=account_manager, due_on=AT.date())
        make.deal(account_manager, person=person)
        make.lead(person=person)
        people.add_position(person=person, organisation=make.organisation(), by=account_manager, at=AT)
    with django_assert_max_num_queries(17):
        client.get(f"/people/{person.pk}/")


def test_a_stranger_is_added_with_what_is_known(login, account_manager):
    answer = login(account_manager).post(
        "/people/new/",
        {
            "name": "Sofie De Wit",
            "email": "Sofie@Notelaar.example",
            "phone": "015 12 34 56",
            "organisation": "Notelaar Interiors",
            "title": "Owner",
            "language": "nl",
            "tier": "",
        },
    )
    person = Person.objects.get()
    assert answer["Location"] == f"/people/{person.pk}/"
    assert (person.family_name, person.owner) == ("De Wit", account_manager)
    assert str(person.positions.get()) == "Owner, Notelaar Interiors"
    assert (person.email_addresses.get().address, person.phone_numbers.get().number) == (
        "sofie@notelaar.example",
        "+3215123456",
    )


def test_somebody_known_at_an_address_is_not_added_twice_unless_two_share_it(login, account_manager, person):
    client = login(account_manager)
    answer = client.post("/people/new/", {"name": "Peter", "email": "peter@vandermeulen.example"})
    assert answer.status_code == 200
    assert "Open their page" in answer.content.decode()
    assert Person.objects.count() == 1
    client.post("/people/new/", {"name": "Petra", "email": "peter@vandermeulen.example", "is_shared": "on"})
    assert Person.objects.count() == 2


@pytest.mark.parametrize("wrong", [{"email": "nonsense"}, {"phone": "call me"}, {"name": " "}])
def test_what_is_wrong_is_said_and_nobody_is_added(login, account_manager, wrong):
    answer = login(account_manager).post("/people/new/", {"name": "Sofie De Wit"} | wrong)
    assert answer.status_code == 200
    assert not Person.objects.exists()


def test_an_edit_is_saved_and_remembered(login, teammate, person):
    answer = login(teammate).post(
        f"/people/{person.pk}/edit/", edited(interests="sailing, two-shift  teams,", note="Early")
    )
    assert answer["Location"] == f"/people/{person.pk}/"
    person.refresh_from_db()
    assert (person.interests, person.note, person.owner) == (["sailing", "two-shift teams"], "Early", None)
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED).count() == 1


def test_the_second_save_changes_nothing(login, teammate, person):
    client = login(teammate)
    for _time in range(2):
        client.post(f"/people/{person.pk}/edit/", edited())
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED).count() == 1


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [("Ilse Maes", True), ("ilse", True), ("ilse@maes.example", True), ("Nobody At All", False), ("Jan", False)],
)
def test_who_introduced_them_is_found_by_name_or_address(login, account_manager, person, typed, is_found):
    ilse = make.person("Ilse Maes", email="ilse@maes.example")
    make.person("Jan Janssens")
    make.person("Jan Aerts")
    answer = login(account_manager).post(f"/people/{person.pk}/edit/", edited(introduced_by=typed))
    person.refresh_from_db()
    assert (person.introduced_by == ilse) is is_found
    assert answer.status_code == (302 if is_found else 200)


@pytest.mark.parametrize("wrong", [{"given_name": "", "family_name": " "}, {"interests": "x" * 51}, {"tier": "Z"}])
def test_a_wrong_edit_is_refused_with_words(login, account_manager, person, wrong):
    answer = login(account_manager).post(f"/people/{person.pk}/edit/", edited(**wrong))
    assert answer.status_code == 200
    assert "alert-danger" in answer.content.decode() or "invalid-feedback" in answer.content.decode()
    person.refresh_from_db()
    assert (str(person), person.tier) == ("Peter van der Meulen", "A")


def test_addresses_numbers_and_jobs_come_and_go(login, account_manager, person):
    client = login(account_manager)
    there = f"/people/{person.pk}/edit/"
    for act, fields in (
        ("email", {"address": "p@gmail.com"}),
        ("phone", {"number": "0475 12 34 56"}),
        ("position", {"organisation": "Sailing Club", "title": "Treasurer"}),
    ):
        assert client.post(f"/people/{person.pk}/{act}/", fields)["Location"] == there
    page = client.get(there).content.decode()
    for words in ("p@gmail.com", "+32 475 12 34 56", "Treasurer, Sailing Club"):
        assert words in page
    client.post(f"/emails/{person.email_addresses.get(is_preferred=True).pk}/remove/")
    client.post(f"/phones/{person.phone_numbers.get(is_preferred=True).pk}/remove/")
    job = person.positions.get(is_main=True)
    assert client.post(f"/positions/{job.pk}/end/")["Location"] == there
    assert [row.address for row in person.email_addresses.all()] == ["p@gmail.com"]
    assert [row.number for row in person.phone_numbers.all()] == ["+32475123456"]
    assert [str(row) for row in person.positions.current()] == ["Treasurer, Sailing Club"]


@pytest.mark.parametrize(
    ("act", "fields"), [("email", {"address": "no"}), ("phone", {"number": "no"}), ("position", {})]
)
def test_what_is_no_address_is_refused_with_words(login, account_manager, person, act, fields):
    answer = login(account_manager).post(f"/people/{person.pk}/{act}/", fields, follow=True)
    assert "alert-danger" in answer.content.decode()


def test_another_team_may_read_and_not_write(login, outsider, person):
    client = login(outsider)
    assert client.get(f"/people/{person.pk}/").status_code == 200
    addresses = (
        f"/people/{person.pk}/edit/",
        f"/people/{person.pk}/email/",
        f"/people/{person.pk}/phone/",
        f"/people/{person.pk}/position/",
        f"/emails/{person.email_addresses.get().pk}/remove/",
        f"/phones/{person.phone_numbers.get().pk}/remove/",
        f"/positions/{person.positions.get().pk}/end/",
    )
    for address in addresses:
        assert client.post(address, {"address": "a@b.example"}).status_code == 403, address
    assert person.email_addresses.count() == 1


def test_nothing_changes_on_get_and_strangers_go_to_the_login(client, login, account_manager, person):
    acts = (f"/people/{person.pk}/email/", f"/emails/{person.email_addresses.get().pk}/remove/", "/positions/1/end/")
    for address in acts:
        assert login(account_manager).get(address).status_code == 405
    for address in ("/people/new/", f"/people/{person.pk}/", f"/people/{person.pk}/edit/", *acts):
        assert client.get(address)["Location"].startswith("/accounts/login/")
    assert login(account_manager).get("/people/999999/").status_code == 404
