"""Logging a conversation from anywhere, all of it in one act; looking at one; removing one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm.models import Conversation, Person, Promise, PromiseSide
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TODAY = AT.date()


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def person(account_manager) -> Person:
    return make.person(
        "Peter van der Meulen", owner=account_manager, organisation=make.organisation("Vandermeulen Logistics")
    )


def said(*people: Person | None, **fields: str) -> dict[str, object]:
    keys = [person.pk for person in people if person]
    return {"people": keys, "kind": "call", "direction": "both", "when": "2026-11-23T10:30", **fields}


def test_without_a_name_it_asks_with_whom_and_finds_them(login, account_manager, person):
    make.conversation(person, by=account_manager)
    client = login(account_manager)
    assert f"?person={person.pk}" in client.get("/conversations/new/").content.decode()
    found = client.get("/conversations/new/?named=muelen", headers={"HX-Request": "true", "HX-Target": "choices"})
    assert f"?person={person.pk}" in found.content.decode()
    assert "<html" not in found.content.decode()
    assert "Nobody of that name" in client.get("/conversations/new/?named=zzqqxx").content.decode()


def test_the_form_begins_now_and_shows_what_both_sides_promised(login, account_manager, person):
    make.promise(person, by=account_manager, due_on=TODAY)
    make.promise(person, by=account_manager, due_on=TODAY, side=PromiseSide.THEIRS, text="Ask his sister")
    page = login(account_manager).get(f"/conversations/new/?person={person.pk}").content.decode()
    for words in ('value="2026-11-23T10:30"', "Send the revised schedule", "Ask his sister", "Video call"):
        assert words in page, words
    assert "What did you both agree to do next?" not in page


def test_two_fields_are_enough(login, account_manager, person):
    answer = login(account_manager).post(f"/conversations/new/?person={person.pk}", said(person))
    assert answer["Location"] == f"/people/{person.pk}/"
    row = Conversation.objects.get()
    assert (list(row.people.all()), row.at, row.by, str(row.organisation)) == (
        [person],
        AT,
        account_manager,
        "Vandermeulen Logistics",
    )
    person.refresh_from_db()
    assert person.last_contact_at == AT


def test_what_was_promised_and_agreed_is_stored_in_the_same_act(login, account_manager):
    deal = make.deal(account_manager)
    answer = login(account_manager).post(
        f"/conversations/new/?deal={deal.pk}",
        said(
            deal.person,
            kind="visit",
            minutes="75",
            summary="Two shifts.",
            learned="He decides with his sister.",
            quote="Before Easter.",
            has_gain="on",
            ours="Send the schedule",
            ours_due="2026-11-25",
            theirs="Ask his sister",
            theirs_due="2026-12-04",
            theirs_not_before="2026-12-01",
            next_step="Video with both",
            next_step_on="2026-12-07",
        ),
    )
    assert answer["Location"] == f"/deals/{deal.pk}/"
    deal.refresh_from_db()
    row = Conversation.objects.get()
    assert (deal.next_step, str(deal.next_step_on)) == ("Video with both", "2026-12-07")
    assert (row.has_learning, row.has_gain, row.has_next_step, row.minutes) == (True, True, True, 75)
    assert [(p.side, p.text, str(p.due_on), str(p.not_before)) for p in Promise.objects.order_by("pk")] == [
        ("ours", "Send the schedule", "2026-11-25", "None"),
        ("theirs", "Ask his sister", "2026-12-04", "2026-12-01"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": "2026-11-23T12:00"},
        {"when": ""},
        {"kind": "smoke signals"},
        {"ours": "Send it"},
        {"ours_due": "2026-12-01"},
        {"theirs": "Ask", "theirs_due": "2026-12-01", "theirs_not_before": "2026-12-09"},
        {"next_step": "Call"},
        {"next_step": "Call", "next_step_on": "2026-11-20"},
    ],
)
def test_a_refused_part_is_said_and_nothing_at_all_is_stored(login, account_manager, wrong):
    deal = make.deal(account_manager)
    answer = login(account_manager).post(f"/conversations/new/?deal={deal.pk}", said(deal.person, **wrong))
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode() or "alert-danger" in answer.content.decode()
    assert not Conversation.objects.exists()
    assert not Promise.objects.exists()


def test_colleagues_may_have_been_there_and_strangers_may_not(login, account_manager, person):
    colleague = make.person("Els Claes", organisation=person.positions.get().organisation)
    stranger = make.person("Otto Stranger")
    client = login(account_manager)
    assert "Els Claes" in client.get(f"/conversations/new/?person={person.pk}").content.decode()
    client.post(f"/conversations/new/?person={person.pk}", said(person, colleague))
    assert set(Conversation.objects.get().people.all()) == {person, colleague}
    assert client.post(f"/conversations/new/?person={person.pk}", said(stranger)).status_code == 200
    assert Conversation.objects.count() == 1


def test_our_first_word_to_a_lead_stops_its_clock(login, sdr):
    lead = make.working_lead(sdr)
    answer = login(sdr).post(f"/conversations/new/?lead={lead.pk}", said(lead.person))
    assert answer["Location"] == f"/leads/{lead.pk}/"
    lead.refresh_from_db()
    assert lead.answered_at == AT


def test_an_organisation_without_people_can_be_spoken_to(login, account_manager):
    company = make.organisation(owner=account_manager)
    login(account_manager).post(f"/conversations/new/?organisation={company.pk}", said())
    company.refresh_from_db()
    assert company.last_contact_at == AT


def test_a_teammate_logs_and_another_team_may_not(login, teammate, outsider, person, account_manager):
    assert login(teammate).post(f"/conversations/new/?person={person.pk}", said(person)).status_code == 302
    deal, organisation = make.deal(account_manager), make.organisation(owner=account_manager)
    for query in (f"person={person.pk}", f"deal={deal.pk}", f"organisation={organisation.pk}"):
        assert login(outsider).get(f"/conversations/new/?{query}").status_code == 403
        assert login(outsider).post(f"/conversations/new/?{query}", said(person)).status_code == 403
    assert Conversation.objects.count() == 1


def test_what_does_not_exist_is_not_found_and_nonsense_asks_with_whom(login, account_manager):
    client = login(account_manager)
    assert client.get("/conversations/new/?person=999999").status_code == 404
    assert "With whom did you speak?" in client.get("/conversations/new/?person=peter").content.decode()


def test_a_conversation_shows_what_was_said_and_promised(login, outsider, account_manager, person):
    row = make.conversation(person, by=account_manager, summary="Two shifts.", learned="March.", quote="Before Easter.")
    make.promise(person, by=account_manager, due_on=TODAY, conversation=row)
    page = login(outsider).get(f"/conversations/{row.pk}/").content.decode()
    for words in ("Two shifts.", "March.", "Before Easter.", "Send the revised schedule", "Peter van der Meulen"):
        assert words in page, words
    assert "/delete/" not in page


def test_removing_one_is_asked_first_and_last_contact_is_true_afterwards(login, account_manager, person):
    make.conversation(person, by=account_manager, when=AT - timedelta(days=9))
    row = make.conversation(person, by=account_manager)
    client = login(account_manager)
    assert "Remove it" in client.get(f"/conversations/{row.pk}/delete/").content.decode()
    assert Conversation.objects.count() == 2
    assert client.post(f"/conversations/{row.pk}/delete/")["Location"] == f"/people/{person.pk}/"
    person.refresh_from_db()
    assert person.last_contact_at == AT - timedelta(days=9)
    assert client.post(f"/conversations/{row.pk}/delete/").status_code == 404


def test_another_team_removes_nothing(login, outsider, account_manager, person):
    row = make.conversation(person, by=account_manager)
    assert login(outsider).post(f"/conversations/{row.pk}/delete/").status_code == 403
    assert Conversation.objects.exists()


def test_strangers_go_to_the_login(client, account_manager, person):
    row = make.conversation(person, by=account_manager)
    for address in ("/conversations/new/", f"/conversations/{row.pk}/", f"/conversations/{row.pk}/delete/"):
        assert client.get(address)["Location"].startswith("/accounts/login/")


def test_the_form_takes_few_queries(login, account_manager, person, django_assert_max_num_queries):
    client = login(account_manager)
    company = person.positions.get().organisation
    for _number in range(9):
        make.promise(make.person(organisation=company), by=account_manager, due_on=TODAY)
    with django_assert_max_num_queries(9):
        client.get(f"/conversations/new/?person={person.pk}")
