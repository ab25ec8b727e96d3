"""The page of a person, adding one, and editing who they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import people
from crm.models import Channel, Conversation, Event, EventKind, Person, PromiseSide
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
        "tags": "",
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
        f'href="/people/{person.pk}/call/"',
        "+32 53 12 34 56",
        "/mail/new/?person=",
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
        make.lead(person=person, channel=Channel.BY_HAND)
        people.add_position(person=person, organisation=make.organisation(), by=account_manager, at=AT)
    with django_assert_max_num_queries(28):
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


def on_the_page(client, person) -> str:
    return client.get(f"/people/{person.pk}/").content.decode()


def test_the_page_says_when_and_by_whom_we_spoke_last_or_never(login, account_manager, person):
    client = login(account_manager)
    assert "last contact: never" in on_the_page(client, person)
    said = make.conversation(person, by=account_manager, at=AT - timedelta(days=6))
    page = on_the_page(client, person)
    assert (
        f'<a href="/conversations/{said.pk}/">last contact 6 days ago, by {account_manager.get_short_name()}</a>'
        in page
    )


def test_a_number_that_a_stranger_gave_waits_on_the_page_and_is_confirmed_there(login, account_manager, person):
    people.recognise(email="peter@vandermeulen.example", phone="0475 12 34 56", by=None, at=AT)
    client = login(account_manager)
    assert "not confirmed yet" in on_the_page(client, person)
    number = person.phone_numbers.get(is_confirmed=False)
    there = f"/people/{person.pk}/"
    assert client.post(f"/phones/{number.pk}/confirm/", {"next": there})["Location"] == there
    assert "not confirmed yet" not in on_the_page(client, person)


def test_a_bounced_address_says_when_and_why_until_it_works_again(login, account_manager, person):
    address = person.email_addresses.get()
    address.bounced_at, address.bounce_why = AT - timedelta(days=40), "mailbox full"
    address.save()
    client = login(account_manager)
    page = on_the_page(client, person)
    assert "Mail came back" in page
    assert "mailbox full" in page
    client.post(f"/emails/{address.pk}/works-again/")
    assert "mailbox full" not in on_the_page(client, person).partition('id="timeline"')[0]


def test_what_is_preferred_and_of_which_kind_is_changed_by_a_button(login, account_manager, person):
    client = login(account_manager)
    client.post(f"/people/{person.pk}/phone/", {"number": "0475 12 34 56", "kind": "mobile"})
    client.post(f"/people/{person.pk}/email/", {"address": "p@gmail.com", "kind": "private"})
    number, address = person.phone_numbers.get(kind="mobile"), person.email_addresses.get(kind="private")
    client.post(f"/phones/{number.pk}/prefer/")
    client.post(f"/emails/{address.pk}/prefer/")
    client.post(f"/phones/{number.pk}/kind/", {"kind": "private"})
    client.post(f"/emails/{address.pk}/kind/", {"kind": "nonsense"})
    client.post(f"/emails/{address.pk}/confirm/")
    assert person.phone_numbers.get(is_preferred=True).kind == "private"
    assert person.email_addresses.get(is_preferred=True).kind == "private"
    client.post(f"/emails/{address.pk}/kind/", {"kind": "other"})
    assert person.email_addresses.get(is_preferred=True).kind == "other"


def test_jobs_have_days_one_is_the_main_one_and_past_ones_fold(login, account_manager, person):
    client = login(account_manager)
    there = f"/people/{person.pk}/edit/"
    fields = {"organisation": "Notelaar", "title": "Adviser", "started_on": "2024-05-01", "ended_on": ""}
    assert client.post(f"/people/{person.pk}/position/", fields)["Location"] == there
    job = person.positions.get(title="Adviser")
    client.post(f"/positions/{job.pk}/main/")
    assert person.positions.get(is_main=True) == job
    refused = client.post(
        f"/positions/{job.pk}/", {"title": "Adviser", "started_on": "2024-05-01", "ended_on": "2023-01-01"}
    )
    assert "before it began" in refused.content.decode()
    assert "Adviser" in client.get(f"/positions/{job.pk}/").content.decode()
    client.post(f"/positions/{job.pk}/", {"title": "Adviser", "started_on": "2024-05-01", "ended_on": "2025-05-01"})
    page = on_the_page(client, person)
    assert "May 2024 – May 2025" in page
    client.post(f"/positions/{job.pk}/remove/")
    assert "Adviser" not in on_the_page(client, person).partition('id="timeline"')[0]


def test_whom_they_know_is_noted_and_forgotten_on_the_page(login, account_manager, person):
    sofie = make.person("Sofie De Wit", email="sofie@notelaar.example")
    client = login(account_manager)
    there = f"/people/{person.pk}/acquaintances/"
    client.post(there, {"name": "sofie@notelaar.example", "how": "sisters"})
    for seen_from, friend in ((person, sofie), (sofie, person)):
        page = on_the_page(client, seen_from).partition('id="timeline"')[0]
        assert f'<a href="/people/{friend.pk}/">{friend}</a>' in page
        assert "sisters" in page
    for wrong in ("", "Nobody At All", "peter@vandermeulen.example"):
        assert "alert-danger" in client.post(there, {"name": wrong}, follow=True).content.decode()
    client.post(f"{there}remove/", {"acquaintance": person.acquaintances.get().pk})
    assert "sisters" not in on_the_page(client, person).partition('id="timeline"')[0]
    assert client.post(f"{there}remove/", {"acquaintance": "12"}).status_code == 302


def test_the_circle_shows_colleagues_and_whom_they_introduced(login, account_manager, person):
    company = person.positions.get().organisation
    make.person("Ilse Maes", organisation=company, title="Planner")
    make.person("Karim Haddad", introduced_by=person)
    page = on_the_page(login(account_manager), person)
    assert all(name in page for name in ("Ilse Maes", "Planner", "Karim Haddad"))


def test_what_they_like_to_talk_about_is_added_and_removed_with_what_others_like_offered(
    login, account_manager, person
):
    client = login(account_manager)
    for kind, word in (("interests", "bread"), ("tags", "VIP"), ("tags", "vip")):
        client.post(f"/people/{person.pk}/words/{kind}/", {"word": word})
    client.post(f"/people/{person.pk}/words/interests/remove/", {"word": "sailing"})
    person.refresh_from_db()
    assert (person.interests, person.tags) == (["bread"], ["VIP"])
    assert '<option value="bread">' in client.get("/words/interests/").content.decode()
    assert '<option value="VIP">' in client.get("/words/tags/").content.decode()
    assert (
        "alert-danger" in client.post(f"/people/{person.pk}/words/tags/", {"word": " "}, follow=True).content.decode()
    )
    assert client.get("/words/name/").status_code == 404
    assert client.post(f"/people/{person.pk}/words/note/", {"word": "x"}).status_code == 404


def test_only_the_most_used_words_are_offered(login, account_manager):
    make.person(tags=[f"tag {number}" for number in range(60)])
    make.person(tags=["common"])
    make.person(tags=["Common"])
    offered = login(account_manager).get("/words/tags/").content.decode().split("<option")[1:]
    assert len(offered) == 50
    assert "ommon" in offered[0]


def test_until_when_they_want_to_be_left_alone_is_set_and_lifted_on_the_page(login, account_manager, person):
    client = login(account_manager)
    there = f"/people/{person.pk}/not-before/"
    for wrong in ("", "2026-13-45", "2026-11-23"):
        assert "alert-danger" in client.post(there, {"until": wrong}, follow=True).content.decode()
    client.post(there, {"until": "2026-12-01", "why": "after her holiday"})
    page = on_the_page(client, person)
    assert "Contact them after 1 December 2026." in page
    assert "after her holiday" in page
    with time_machine.travel(AT + timedelta(days=30), tick=False):
        assert "That day has passed." in on_the_page(login(account_manager), person)
    client.post(f"{there}lift/")
    assert "Contact them after 1 December" not in on_the_page(client, person)


def test_a_lawful_basis_is_shown_and_its_review_is_overdue_when_passed(login, account_manager, person):
    client = login(account_manager)
    fields = edited(
        owner=str(account_manager.pk), lawful_basis="interest", basis_source="trade fair", basis_since="2025-10-01"
    )
    assert client.post(f"/people/{person.pk}/edit/", fields).status_code == 302
    page = on_the_page(client, person)
    assert "Our legitimate interest" in page
    assert "trade fair" in page
    assert "was to be reviewed on 1 October 2026" in page
    people.change(person=person, basis_review_on=AT.date() + timedelta(days=1), by=account_manager, at=AT)
    assert "to be reviewed on 24 November 2026" in on_the_page(client, person)
    assert "was to be reviewed" not in on_the_page(client, person)


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "B1"},
        {"time_zone": "Nowhere"},
        {"lawful_basis": "because"},
        {"tags": "x" * 51},
        {"salutation": "dr"},
    ],
)
def test_a_wrong_field_is_refused_with_words_and_nothing_is_saved(login, account_manager, person, wrong):
    answer = login(account_manager).post(f"/people/{person.pk}/edit/", edited(**wrong))
    assert answer.status_code == 200
    assert "alert-danger" in answer.content.decode() or "invalid-feedback" in answer.content.decode()
    assert not Event.objects.filter(kind=EventKind.PERSON_CHANGED).exists()


def test_the_parts_of_the_timeline_are_links_that_work_with_and_without_htmx(login, account_manager, person):
    make.conversation(person, by=account_manager, summary="We spoke of bread")
    make.promise(person, by=account_manager, due_on=AT.date())
    client = login(account_manager)
    there = f"/people/{person.pk}/?show=promises"
    page = client.get(there).content.decode()
    timeline = page.partition('id="timeline"')[2]
    assert "Promise made" in timeline
    assert "We spoke of bread" not in timeline
    assert "<h1>" in page
    part = client.get(there, headers={"HX-Request": "true", "HX-Target": "timeline"}).content.decode()
    assert part.strip().startswith('<section class="card" id="timeline"')
    assert "We spoke of bread" in on_the_page(client, person).partition('id="timeline"')[2]


def test_a_private_mail_says_nothing_on_the_page_of_others(login, account_manager, teammate, person):
    said = make.conversation(person, by=account_manager, summary="secret summary", quote="secret quote")
    Conversation.objects.filter(pk=said.pk).update(private_to=account_manager, kind="email")
    page = on_the_page(login(teammate), person)
    assert "secret" not in page
    assert "private" in page
    assert "secret quote" in on_the_page(login(account_manager), person)
