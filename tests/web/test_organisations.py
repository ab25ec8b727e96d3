"""Organisations: the list, a page of each, and their data checked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from crm import follow_ups, people
from crm.models import Event, EventKind, Organisation
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def organisation(account_manager) -> Organisation:
    return make.organisation("Notelaar Interiors", domain="notelaar.example", city="Mechelen", owner=account_manager)


def names(client, query: str = "") -> list[str]:
    page = client.get(f"/organisations/?{query}").content.decode()
    return re.findall(r'class="person-link"[^>]*>([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Aerts Logistics", "Notelaar Interiors", "Zeeman Bouw"]),
        ("owner=me", ["Notelaar Interiors"]),
        ("owner=nobody", ["Aerts Logistics", "Zeeman Bouw"]),
        ("named=notelar", ["Notelaar Interiors"]),
        ("customers=yes", ["Aerts Logistics", "Zeeman Bouw"]),
        ("customers=no", ["Notelaar Interiors"]),
        ("sort=-customer_since", ["Zeeman Bouw", "Aerts Logistics", "Notelaar Interiors"]),
        ("sort=city", ["Notelaar Interiors", "Aerts Logistics", "Zeeman Bouw"]),
        ("city=mechelen&owner=team", ["Notelaar Interiors"]),
        ("contact=never&sort=-people", ["Zeeman Bouw", "Aerts Logistics", "Notelaar Interiors"]),
        ("sector=x", []),
        ("named=qqqq", []),
    ],
)
def test_it_lists_and_filters(login, account_manager, organisation, query, found):
    for name, days in (("Aerts Logistics", 90), ("Zeeman Bouw", 3)):
        company = make.organisation(name)
        company.customer_since = AT - timedelta(days=days)
        company.save()
    assert names(login(account_manager), query) == found


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(login, account_manager, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(50):
        make.organisation(owner=account_manager)
    with django_assert_max_num_queries(7):
        client.get("/organisations/?show=people&show=last_contact&show=tags&show=vat")


def test_the_page_shows_people_work_and_since_when_they_are_a_customer(login, outsider, account_manager, organisation):
    person = make.person("Sofie De Wit", organisation=organisation, title="Owner")
    make.promise(person, by=account_manager, due_on=AT.date())
    make.won_deal(account_manager, organisation=organisation, person=person, name="Planning suite")
    Organisation.objects.update(customer_since=AT)
    page = login(outsider).get(f"/organisations/{organisation.pk}/").content.decode()
    for words in (
        "Mechelen",
        "Sofie De Wit",
        "Owner",
        "Planning suite",
        "customer since 23 November 2026",
        "Send the revised schedule",
    ):
        assert words in page, words
    assert f"/organisations/{organisation.pk}/edit/" not in page


def test_the_page_takes_few_queries(login, account_manager, organisation, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(7):
        person = make.person(organisation=organisation)
        make.conversation(person, by=account_manager)
        make.promise(person, by=account_manager, due_on=AT.date())
        make.deal(account_manager, organisation=organisation, person=person)
    with django_assert_max_num_queries(22):
        client.get(f"/organisations/{organisation.pk}/")


def test_one_is_added_with_its_numbers_in_good_shape(login, account_manager):
    answer = login(account_manager).post(
        "/organisations/new/",
        {
            "name": "Vandermeulen Logistics",
            "domain": "https://www.Vandermeulen.example/contact",
            "country": "be",
            "kvk_number": "01234567",
            "vat_number": "BE 0428.759.497",
            "owner": account_manager.pk,
        },
    )
    row = Organisation.objects.get()
    assert answer["Location"] == f"/organisations/{row.pk}/"
    assert (row.domain, row.country, row.kvk_number, row.vat_number, row.owner) == (
        "vandermeulen.example",
        "BE",
        "01234567",
        "BE0428759497",
        account_manager,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"vat_number": "BE0428759498"},
        {"kvk_number": "1234567"},
        {"domain": "gmail.com"},
        {"domain": "not a domain.x"},
        {"country": "B1"},
        {"domain": "taken.example"},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(login, account_manager, wrong):
    make.organisation("Taken", domain="taken.example")
    answer = login(account_manager).post("/organisations/new/", {"name": "Vandermeulen"} | wrong)
    assert answer.status_code == 200
    assert re.search("alert-danger|invalid-feedback", answer.content.decode())
    assert Organisation.objects.count() == 1


def test_a_teammate_edits_and_a_second_save_leaves_no_second_trace(login, teammate, organisation):
    client = login(teammate)
    for _time in range(2):
        client.post(f"/organisations/{organisation.pk}/edit/", {"name": "Notelaar", "domain": "notelaar.example"})
    organisation.refresh_from_db()
    assert (organisation.name, organisation.city) == ("Notelaar", "")
    assert Event.objects.filter(kind=EventKind.ORGANISATION_CHANGED).count() == 1


def test_another_team_may_read_and_not_write(login, outsider, organisation):
    client = login(outsider)
    assert client.get(f"/organisations/{organisation.pk}/").status_code == 200
    assert client.get(f"/organisations/{organisation.pk}/edit/").status_code == 403
    assert client.post(f"/organisations/{organisation.pk}/edit/", {"name": "Mine"}).status_code == 403


def test_strangers_go_to_the_login_and_lists_take_no_post(client, login, account_manager, organisation):
    for address in ("/organisations/", "/organisations/new/", f"/organisations/{organisation.pk}/"):
        assert client.get(address)["Location"].startswith("/accounts/login/")
    assert login(account_manager).post("/organisations/").status_code == 405
    assert login(account_manager).post(f"/organisations/{organisation.pk}/").status_code == 405
    assert login(account_manager).get("/organisations/999999/").status_code == 404


def test_the_page_says_who_worked_there_what_is_planned_and_what_comes_of_referrals(
    login, account_manager, organisation
):
    past = make.person("Karim Haddad")
    people.add_position(
        person=past,
        organisation=organisation,
        title="Planner",
        ended_on=(AT - timedelta(days=200)).date(),
        by=account_manager,
        at=AT,
    )
    sofie = make.person("Sofie De Wit", organisation=organisation, title="Owner")
    follow_ups.make(
        note="Send the drawing", owner=account_manager, due_on=AT.date(), person=sofie, by=account_manager, at=AT
    )
    deal = make.won_deal(account_manager, organisation=organisation, person=sofie)
    referral = make.referral(account_manager, deal=deal)
    client = login(account_manager)
    there = f"/organisations/{organisation.pk}/"
    page = client.get(there).content.decode()
    for words in ("Karim Haddad", "Who worked there before", "Send the drawing", f"/circle/referrals/{referral.pk}/"):
        assert words in page, words
    assert "last contact: never" in page
    said = make.conversation(sofie, by=account_manager, organisation=organisation, quote="Bread above all")
    page = client.get(there).content.decode()
    assert f'<a href="/conversations/{said.pk}/">last contact' in page
    assert "Bread above all" in page


def test_the_timeline_of_an_organisation_has_parts(login, account_manager, organisation):
    client = login(account_manager)
    assert "Nothing of this kind." in client.get(f"/organisations/{organisation.pk}/?show=mail").content.decode()
    part = client.get(
        f"/organisations/{organisation.pk}/?show=changes", headers={"HX-Request": "true", "HX-Target": "timeline"}
    )
    assert part.content.decode().strip().startswith('<section class="card" id="timeline"')
    assert "Organisation added" in part.content.decode()


@pytest.mark.parametrize("typed", ["0428.759.497", "BE 0428.759.497", "428759497"])
def test_a_belgian_number_is_taken_with_or_without_its_country(login, account_manager, typed):
    login(account_manager).post(
        "/organisations/new/", {"name": "Notelaar", "country": "BE", "vat_number": typed, "tags": "VIP, bakers,vip"}
    )
    row = Organisation.objects.get()
    assert (row.vat_number, row.tags) == ("BE0428759497", ["VIP", "bakers"])
