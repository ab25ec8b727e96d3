"""A call asks the guard first and says how it ended; without an answer it is no conversation."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from crm import attempts, conversations, logbook, permission
from crm.models import (
    Attempt,
    AttemptOutcome,
    Conversation,
    DoNotContact,
    Event,
    EventKind,
    Person,
    User,
)
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
NUMBER = "+3292252525"
SECOND = timedelta(seconds=1)


@pytest.fixture
def person(account_manager) -> Person:
    return make.person("Ilse Maes", phone="+32 9 225 25 25", owner=account_manager)


def call(person: Person, by: User, **fields) -> Attempt:
    return attempts.start(**{"person": person, "number": NUMBER, "by": by, "at": AT, **fields})


def test_a_call_that_begins_is_an_attempt_and_no_contact(person, sdr):
    attempt = call(person, sdr)
    person.refresh_from_db()
    assert (attempt.outcome, attempt.by, person.last_contact_at) == ("", sdr, None)
    assert Event.objects.get(kind=EventKind.ATTEMPT_MADE).person == person
    assert not Conversation.objects.exists()


def test_on_a_deal_it_stands_there_and_on_its_lead(account_manager):
    deal = make.deal(account_manager)
    made = make.person("Els Claes", phone="+32 9 225 25 25")
    assert call(made, account_manager, deal=deal).deal == deal
    assert Event.objects.get(kind=EventKind.ATTEMPT_MADE).deal == deal


def test_pressed_twice_it_is_one_call_and_a_minute_later_another(person, sdr):
    first = call(person, sdr)
    assert call(person, sdr, at=AT + 59 * SECOND) == first
    assert call(person, sdr, at=AT + 60 * SECOND, override="They rang off by mistake") != first
    assert Attempt.objects.count() == 2


def test_a_number_that_is_not_theirs_is_refused(person, sdr):
    with pytest.raises(Refused):
        call(person, sdr, number="+3292252526")
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("whose", ["person", "number"])
def test_who_asked_not_to_be_called_is_not_called_whatever_the_reason(person, sdr, whose):
    what = {"person": person} if whose == "person" else {"number": NUMBER}
    DoNotContact.objects.create(
        scope="call", reason="No calls please", source="letter", since=AT.date(), made_at=AT, **what
    )
    with pytest.raises(Refused) as refusal:
        call(person, sdr, override="But I want to")
    assert not isinstance(refusal.value, permission.TooEarly)
    assert not Attempt.objects.exists()


def test_too_soon_needs_a_reason_that_is_kept(person, sdr):
    person.not_before, person.not_before_why = AT.date() + timedelta(days=9), "On holiday"
    person.save()
    with pytest.raises(permission.TooEarly):
        call(person, sdr)
    assert not Attempt.objects.exists()
    call(person, sdr, override="She wrote to me today")
    assert (Event.objects.get(kind=EventKind.PACING_OVERRIDDEN).new or {})["why"] == "She wrote to me today"


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "busy", "wrong"])
def test_without_an_answer_no_last_contact_moves(person, sdr, outcome):
    attempt = attempts.end(attempt=call(person, sdr), outcome=outcome, note=" rang  long ", by=sdr, at=AT)
    attempts.end(attempt=attempt, outcome=outcome, by=sdr, at=AT)
    person.refresh_from_db()
    assert (attempt.outcome, attempt.note, person.last_contact_at) == (outcome, "rang long", None)
    assert Event.objects.get(kind=EventKind.ATTEMPT_ENDED).new == {"outcome": outcome, "note": "rang long"}


def test_a_slip_of_the_hand_can_be_put_right(person, sdr):
    attempt = attempts.end(attempt=call(person, sdr), outcome="busy", by=sdr, at=AT)
    assert attempts.end(attempt=attempt, outcome="no_answer", by=sdr, at=AT).outcome == AttemptOutcome.NO_ANSWER


@pytest.mark.parametrize("outcome", ["", "sneezed", "spoke"])
def test_it_does_not_end_in_any_other_way(person, sdr, outcome):
    attempt = call(person, sdr)
    with pytest.raises(Refused):
        attempts.end(attempt=attempt, outcome=outcome, by=sdr, at=AT)


def test_what_was_said_makes_it_a_conversation_once(person, sdr):
    attempt = call(person, sdr)
    said = logbook.write(people=[person], kind="call", attempt=attempt, by=sdr, at=AT)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.conversation) == (AttemptOutcome.SPOKE, said)
    with pytest.raises(Refused):
        logbook.write(people=[person], kind="call", attempt=attempt, by=sdr, at=AT)
    with pytest.raises(Refused):
        attempts.end(attempt=attempt, outcome="busy", by=sdr, at=AT)
    assert Conversation.objects.count() == 1


def test_when_the_conversation_is_removed_the_attempt_stays(person, sdr):
    attempt = call(person, sdr)
    said = logbook.write(people=[person], kind="call", attempt=attempt, by=sdr, at=AT)
    conversations.delete(conversation=said, by=sdr, at=AT)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.conversation) == (AttemptOutcome.SPOKE, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_colleagues_who_call_at_once_one_waits_for_the_other_and_is_told(sdr, teammate):
    person = make.person("Ilse Maes", phone="+32 9 225 25 25")
    start, told = threading.Barrier(2), []

    def ring(by: User) -> None:
        try:
            start.wait(10)
            call(person, by)
        except permission.TooEarly as refusal:
            told.append(refusal)
        finally:
            connection.close()

    both = [threading.Thread(target=ring, args=(by,)) for by in (sdr, teammate)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert (Attempt.objects.count(), len(told)) == (1, 1)
