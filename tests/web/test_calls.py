"""From the wish to call somebody to how the call ended: what stands in the way is said, and only a talk is a conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import attempts
from crm.models import Attempt, Conversation, DoNotContact, Event, EventKind, Lead, Person, PhoneNumber, PromiseSide
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TODAY = AT.date()
NUMBER = "+3292252525"


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def person(account_manager) -> Person:
    return make.person("Ilse Maes", phone="+32 9 225 25 25", owner=account_manager, interests=["sailing"])


@pytest.fixture
def attempt(person, account_manager) -> Attempt:
    return make.attempt(person, by=account_manager)


def test_before_the_call_both_sides_promises_and_what_to_talk_about_are_shown(login, account_manager, person):
    make.promise(person, by=account_manager, due_on=TODAY)
    make.promise(person, by=account_manager, due_on=TODAY, side=PromiseSide.THEIRS, text="Ask her sister")
    page = login(account_manager).get(f"/people/{person.pk}/call/").content.decode()
    for words in ("Send the revised schedule", "Ask her sister", "sailing", "+32 9 225 25 25"):
        assert words in page, words
    assert "tel:" not in page
    assert not Attempt.objects.exists()


def test_pressed_twice_it_is_one_attempt_and_the_number_stands_there_big(login, account_manager, person):
    client = login(account_manager)
    there = {client.post(f"/people/{person.pk}/call/", {"number": NUMBER})["Location"] for _time in range(2)}
    attempt = Attempt.objects.get()
    assert there == {f"/attempts/{attempt.pk}/"}
    page = client.get(f"/attempts/{attempt.pk}/").content.decode()
    assert f'href="tel:{NUMBER}" data-dial="{attempt.pk}"' in page
    person.refresh_from_db()
    assert person.last_contact_at is None


def test_after_a_minute_it_no_longer_dials_by_itself(login, account_manager, attempt):
    Attempt.objects.update(at=AT - timedelta(seconds=61))
    assert "data-dial" not in login(account_manager).get(f"/attempts/{attempt.pk}/").content.decode()


def test_too_soon_says_until_when_and_why_and_asks_for_a_reason(login, account_manager, person):
    Person.objects.filter(pk=person.pk).update(not_before=TODAY + timedelta(days=9), not_before_why="Her holiday")
    client, address = login(account_manager), f"/people/{person.pk}/call/"
    for answer in (client.get(address), client.post(address, {"number": NUMBER})):
        page = answer.content.decode()
        assert "Her holiday" in page
        assert "Why call all the same?" in page
    assert "Say why you call all the same" in client.post(address, {"number": NUMBER, "override": " "}).content.decode()
    assert not Attempt.objects.exists()
    assert client.post(address, {"number": NUMBER, "override": "She wrote to me"}).status_code == 302
    assert Event.objects.get(kind=EventKind.PACING_OVERRIDDEN).by == account_manager


def test_never_says_why_and_there_is_no_way_round(login, account_manager, person):
    DoNotContact.objects.create(
        scope="call", person=person, reason="No calls please", source="her letter", since=TODAY, made_at=AT
    )
    client, address = login(account_manager), f"/people/{person.pk}/call/"
    page = client.get(address).content.decode()
    assert "No calls please" in page
    assert "override" not in page
    assert 'name="number"' not in page
    page = client.post(address, {"number": NUMBER, "override": "But I want to"}).content.decode()
    assert "No calls please" in page
    assert not Attempt.objects.exists()


def test_without_a_number_it_says_so(login, account_manager):
    person = make.person(owner=account_manager)
    assert "No number is known" in login(account_manager).get(f"/people/{person.pk}/call/").content.decode()


@pytest.mark.parametrize("number", ["", "+3292252526", "tel", "\x00"])
def test_a_number_that_is_not_theirs_is_refused(login, account_manager, person, number):
    answer = login(account_manager).post(f"/people/{person.pk}/call/", {"number": number})
    assert answer.status_code == 200
    assert "not one of theirs" in answer.content.decode()


def test_who_works_a_lead_calls_its_person_and_another_team_does_not(login, sdr, outsider):
    lead = make.working_lead(sdr, phone="+32 9 225 25 25")
    assert lead.person is not None
    Person.objects.filter(leads=lead).update(owner=outsider)
    client, address = login(sdr), f"/people/{lead.person_id}/call/"
    assert client.get(address).status_code == 403
    client.post(f"{address}?lead={lead.pk}", {"number": NUMBER})
    assert Attempt.objects.get().lead == lead
    stranger = make.user(team=make.team())
    assert login(stranger).get(f"{address}?lead={lead.pk}").status_code == 403


def test_who_may_not_write_the_lead_calls_their_own_person_about_something_else(login, sdr, outsider):
    lead = make.working_lead(sdr, phone="+32 9 225 25 25")
    Person.objects.filter(leads=lead).update(owner=outsider)
    login(outsider).post(f"/people/{lead.person_id}/call/?lead={lead.pk}", {"number": NUMBER})
    assert Attempt.objects.get().lead is None


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "busy"])
def test_without_an_answer_we_are_back_and_no_contact_is_noted(login, account_manager, attempt, outcome):
    answer = login(account_manager).post(f"/attempts/{attempt.pk}/end/", {"outcome": outcome, "note": "rang long"})
    assert answer["Location"] == f"/people/{attempt.person_id}/"
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.note) == (outcome, "rang long")
    assert not Conversation.objects.exists()


def test_a_wrong_number_can_be_removed_there_and_then(login, account_manager, attempt):
    client = login(account_manager)
    page = client.post(f"/attempts/{attempt.pk}/end/", {"outcome": "wrong"}, follow=True).content.decode()
    number = PhoneNumber.objects.get()
    assert f"/phones/{number.pk}/remove/" in page
    client.post(f"/phones/{number.pk}/remove/")
    assert "Remove this number?" not in client.get(f"/attempts/{attempt.pk}/").content.decode()


def test_who_spoke_says_what_was_said_and_the_call_is_logged_once(login, account_manager, sdr):
    lead = make.working_lead(sdr, phone="+32 9 225 25 25")
    assert lead.person is not None
    attempt = make.attempt(lead.person, by=sdr, lead=lead, at=AT - timedelta(minutes=12))
    client = login(sdr)
    address = client.post(f"/attempts/{attempt.pk}/end/", {"outcome": "spoke"})["Location"]
    assert address == f"/conversations/new/?attempt={attempt.pk}"
    form = client.get(address).context["form"]
    assert (form["minutes"].value(), form["people"].value()) == (12, [lead.person_id])
    said = {"kind": "call", "direction": "both", "when": "2026-11-23T10:18", "people": [lead.person_id]}
    assert client.post(address, said)["Location"] == f"/leads/{lead.pk}/"
    row = Conversation.objects.get()
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.conversation, row.lead) == ("spoke", row, lead)
    assert Lead.objects.get(pk=lead.pk).answered_at == AT - timedelta(minutes=12)
    for again in (client.get(address), client.post(address, said), client.get(f"/attempts/{attempt.pk}/")):
        assert again["Location"] == f"/conversations/{row.pk}/"
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("outcome", ["", "sneezed"])
def test_it_does_not_end_in_any_other_way(login, account_manager, attempt, outcome):
    answer = login(account_manager).post(f"/attempts/{attempt.pk}/end/", {"outcome": outcome}, follow=True)
    assert "Say how the call ended" in answer.content.decode()
    attempt.refresh_from_db()
    assert attempt.outcome == ""


def test_another_team_neither_sees_nor_ends_it(login, outsider, attempt):
    client = login(outsider)
    assert client.get(f"/attempts/{attempt.pk}/").status_code == 403
    assert client.post(f"/attempts/{attempt.pk}/end/", {"outcome": "busy"}).status_code == 403
    assert client.get(f"/conversations/new/?attempt={attempt.pk}").status_code == 403


def test_get_makes_no_attempt_and_ends_none(login, account_manager, person, attempt):
    client = login(account_manager)
    client.get(f"/people/{person.pk}/call/?number={NUMBER}")
    assert client.get(f"/attempts/{attempt.pk}/end/").status_code == 405
    assert Attempt.objects.count() == 1


def test_the_number_of_attempts_counts_as_no_conversation(login, account_manager, attempt):
    attempts.end(attempt=attempt, outcome="no_answer", by=account_manager, at=AT)
    assert not Conversation.objects.contacts().exists()


def test_the_pages_take_few_queries(login, account_manager, person, attempt, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(9):
        make.promise(person, by=account_manager, due_on=TODAY)
    with django_assert_max_num_queries(24):
        client.get(f"/people/{person.pk}/call/")
    with django_assert_max_num_queries(9):
        client.get(f"/attempts/{attempt.pk}/")
