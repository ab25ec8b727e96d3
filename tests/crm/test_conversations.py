"""Last contact is what the conversations say, always: after adding and deleting in any order, for people, organisations, leads and deals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from crm import conversations, deals, handoffs, logbook
from crm.models import (
    Conversation,
    Deal,
    Event,
    EventKind,
    FollowUp,
    Lead,
    Person,
    Promise,
    PromiseSide,
)
from crm.refusal import Refused
from tests import make
from tests.make import AT

HOUR = timedelta(hours=1)


pytestmark = pytest.mark.django_db


@pytest.fixture
def person(account_manager) -> Person:
    return make.person("Peter van der Meulen", owner=account_manager)


def test_never_is_a_state_until_the_first_word(person, sdr):
    assert person.last_contact_at is None
    make.conversation(person, by=sdr)
    person.refresh_from_db()
    assert person.last_contact_at == AT


def test_what_we_wrote_is_contact_and_no_reply(person, sdr):
    make.conversation(person, by=sdr, direction="outgoing")
    person.refresh_from_db()
    assert (person.last_contact_at, person.last_reply_at) == (AT, None)


def test_an_older_conversation_that_is_noted_later_does_not_hide_a_newer_one(person, sdr):
    make.conversation(person, by=sdr)
    make.conversation(person, by=sdr, when=AT - 10 * HOUR)
    person.refresh_from_db()
    assert person.last_contact_at == AT


def test_deleting_the_only_conversation_makes_it_never_again(person, sdr):
    spoken = make.conversation(person, by=sdr, summary="About sailing")
    conversations.delete(conversation=spoken, by=sdr, at=AT)
    person.refresh_from_db()
    assert (person.last_contact_at, person.last_reply_at) == (None, None)
    assert Event.objects.filter(kind=EventKind.CONVERSATION_DELETED, old__summary="About sailing").exists()


def test_removed_from_two_pages_it_is_removed_once(person, sdr):
    said = make.conversation(person, by=sdr)
    stale = Conversation.objects.get(pk=said.pk)
    conversations.delete(conversation=said, by=sdr, at=AT)
    conversations.delete(conversation=stale, by=sdr, at=AT)
    assert Event.objects.filter(kind=EventKind.CONVERSATION_DELETED).count() == 1


def test_what_is_said_on_a_lead_is_said_on_the_deal_that_came_of_it(account_manager, sdr):
    offered = make.hand_off(sdr, account_manager)
    deal = handoffs.accept(hand_off=offered, next_step="Video", next_step_on=AT.date(), by=account_manager, at=AT)
    conversations.log(people=[], lead=deal.lead, kind="call", by=sdr, at=AT + HOUR)
    deal.refresh_from_db()
    assert deal.last_contact_at == AT + HOUR


def test_a_conversation_in_the_future_is_refused(person, sdr):
    with pytest.raises(Refused):
        make.conversation(person, by=sdr, when=AT + HOUR)


def test_a_conversation_with_nobody_is_refused(sdr):
    with pytest.raises(Refused):
        conversations.log(people=[], kind="call", by=sdr, at=AT)


def test_our_first_word_stops_the_clock_and_without_it_the_clock_runs_again(sdr):
    lead = make.working_lead(sdr)
    first = conversations.log(people=[], lead=lead, kind="call", by=sdr, at=AT + HOUR)
    second = conversations.log(people=[], lead=lead, kind="call", by=sdr, at=AT + 2 * HOUR)
    conversations.delete(conversation=first, by=sdr, at=AT + 3 * HOUR)
    lead.refresh_from_db()
    assert (lead.answered_at, lead.answered_by) == (AT + 2 * HOUR, sdr)
    conversations.delete(conversation=second, by=sdr, at=AT + 3 * HOUR)
    lead.refresh_from_db()
    assert lead.answered_at is None
    assert Lead.objects.unanswered().get() == lead


@pytest.mark.django_db(transaction=True)
def test_two_conversations_at_the_same_moment_see_each_other(sdr):
    person = make.person()
    begun, ended = threading.Event(), threading.Event()

    def newer() -> None:
        try:
            with transaction.atomic():
                make.conversation(person, by=sdr)
                begun.set()
                ended.wait(0.5)
        finally:
            connection.close()

    other = threading.Thread(target=newer)
    other.start()
    assert begun.wait(10)
    make.conversation(person, by=sdr, when=AT - HOUR)  # waits for the other, which is not through yet
    ended.set()
    other.join(10)
    person.refresh_from_db()
    assert person.last_contact_at == AT


# ---- Changing one --------------------------------------------------------------------------------------------------


def changed(conversation: Conversation) -> Event:
    return Event.objects.filter(kind=EventKind.CONVERSATION_CHANGED, subject_id=conversation.pk).latest("pk")


def test_old_and_new_of_what_really_changed_stand_in_one_event(person, sdr, account_manager):
    said = make.conversation(person, by=sdr, summary="Two shifts", minutes=10)
    conversations.change(
        conversation=said, summary=" Three shifts ", minutes=10, kind="visit", by=account_manager, at=AT
    )
    said.refresh_from_db()
    assert (said.summary, said.kind, said.by) == ("Three shifts", "visit", sdr)
    event = changed(said)
    assert (event.by, event.old, event.new) == (
        account_manager,
        {"kind": "call", "summary": "Two shifts"},
        {"kind": "visit", "summary": "Three shifts"},
    )


def test_changing_nothing_records_nothing(person, sdr):
    said = make.conversation(person, by=sdr, summary="Two shifts")
    conversations.change(conversation=said, summary="Two shifts", people=[person], by=sdr, at=AT)
    assert not Event.objects.filter(kind=EventKind.CONVERSATION_CHANGED).exists()


def test_last_contact_is_true_for_those_before_and_those_now(person, sdr):
    other = make.person("Els Claes")
    said = make.conversation(person, by=sdr)
    conversations.change(conversation=said, people=[other], by=sdr, at=AT)
    person.refresh_from_db()
    other.refresh_from_db()
    assert (person.last_contact_at, other.last_contact_at) == (None, AT)
    assert (changed(said).old, changed(said).new) == (
        {"people": ["Peter van der Meulen"]},
        {"people": ["Els Claes"]},
    )


def test_it_moves_between_leads_with_its_clock(sdr):
    first, second = make.working_lead(sdr), make.working_lead(sdr)
    said = conversations.log(people=[], lead=first, kind="call", by=sdr, at=AT + HOUR)
    conversations.change(conversation=said, lead=second, people=[second.person], by=sdr, at=AT + 2 * HOUR)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.answered_at, first.last_contact_at) == (None, None)
    assert (second.answered_at, second.answered_by, second.last_contact_at) == (AT + HOUR, sdr, AT + HOUR)


@pytest.mark.parametrize(
    ("fields", "answered_at"),
    [
        ({"when": AT + HOUR / 2}, AT + HOUR / 2),
        ({"when": AT + 3 * HOUR}, AT + 2 * HOUR),
        ({"direction": "incoming"}, AT + 2 * HOUR),
        ({"is_automatic": True}, AT + 2 * HOUR),
        ({"lead": None}, AT + 2 * HOUR),
        ({"summary": "Other words"}, AT + HOUR),
    ],
)
def test_the_clock_stands_at_the_first_word_that_is_left(sdr, fields, answered_at):
    lead = make.working_lead(sdr)
    first = conversations.log(people=[], lead=lead, kind="call", by=sdr, at=AT + HOUR)
    conversations.log(people=[], lead=lead, kind="call", by=sdr, at=AT + 2 * HOUR)
    conversations.change(conversation=first, **fields, by=sdr, at=AT + 4 * HOUR)
    lead.refresh_from_db()
    assert lead.answered_at == answered_at


def test_what_turns_out_to_be_our_word_stops_the_clock(sdr):
    lead = make.working_lead(sdr)
    said = conversations.log(people=[], lead=lead, kind="email", direction="incoming", by=sdr, at=AT + HOUR)
    conversations.change(conversation=said, direction="both", by=sdr, at=AT + 2 * HOUR)
    lead.refresh_from_db()
    assert lead.answered_at == AT + HOUR


def test_moved_to_a_deal_it_is_on_that_deals_lead_and_leaves_with_it(account_manager, sdr, person):
    offered = make.hand_off(sdr, account_manager)
    deal = handoffs.accept(hand_off=offered, next_step="Video", next_step_on=AT.date(), by=account_manager, at=AT)
    other = make.deal(account_manager)
    said = make.conversation(person, by=sdr)
    said = conversations.change(conversation=said, deal=deal, by=sdr, at=AT)
    assert said.lead == deal.lead
    said = conversations.change(conversation=said, deal=other, by=sdr, at=AT)
    assert (said.lead, said.deal) == (None, other)
    deal.refresh_from_db()
    other.refresh_from_db()
    assert (deal.last_contact_at, other.last_contact_at) == (None, AT)


@pytest.mark.parametrize("wrong", [{"when": AT + HOUR}, {"people": [], "organisation": None}])
def test_a_change_to_the_future_or_to_nobody_is_refused(person, sdr, wrong):
    said = make.conversation(person, by=sdr)
    with pytest.raises(Refused):
        conversations.change(conversation=said, **wrong, by=sdr, at=AT)
    said.refresh_from_db()
    assert (said.at, list(said.people.all())) == (AT, [person])


def test_what_a_colleague_changed_meanwhile_is_not_overwritten(person, sdr, teammate):
    said = make.conversation(person, by=sdr, summary="Two shifts")
    seen = conversations.fingerprint(said)
    conversations.change(conversation=said, summary="Three shifts", seen=seen, by=teammate, at=AT)
    with pytest.raises(conversations.ChangedMeanwhile) as refusal:
        conversations.change(conversation=said, summary="Four shifts", seen=seen, by=sdr, at=AT + HOUR)
    assert (refusal.value.by, refusal.value.at) == (str(teammate), AT)
    said.refresh_from_db()
    assert said.summary == "Three shifts"


def test_one_that_was_removed_cannot_be_changed(person, sdr):
    said = make.conversation(person, by=sdr)
    stale = Conversation.objects.get(pk=said.pk)
    conversations.delete(conversation=said, by=sdr, at=AT)
    with pytest.raises(Refused):
        conversations.change(conversation=stale, summary="Words", by=sdr, at=AT)
    assert not Conversation.objects.exists()


def test_by_whom_it_was_is_no_field(person, sdr):
    with pytest.raises(TypeError):
        conversations.change(conversation=make.conversation(person, by=sdr), private_to=sdr, by=sdr, at=AT)


def test_what_a_machine_wrote_is_no_contact_and_no_answer(sdr):
    lead = make.working_lead(sdr)
    said = conversations.log(people=[], lead=lead, kind="email", direction="outgoing", is_automatic=True, by=sdr, at=AT)
    lead.refresh_from_db()
    assert (lead.last_contact_at, lead.answered_at) == (None, None)
    conversations.change(conversation=said, is_automatic=False, by=sdr, at=AT)
    lead.refresh_from_db()
    assert (lead.last_contact_at, lead.answered_at) == (AT, AT)


# ---- Kept private --------------------------------------------------------------------------------------------------


def test_who_had_it_keeps_it_private_and_shows_it_again(person, sdr, manager):
    said = make.conversation(person, by=sdr, summary="She is ill")
    with pytest.raises(Refused):
        conversations.keep_private(conversation=said, by=manager, at=AT)
    said = conversations.keep_private(conversation=said, by=sdr, at=AT)
    assert (said.is_open_to(sdr), said.is_open_to(manager)) == (True, False)
    for verb in (conversations.show, conversations.delete):
        with pytest.raises(Refused):
            verb(conversation=said, by=manager, at=AT)
    with pytest.raises(Refused):
        conversations.change(conversation=said, summary="x", by=manager, at=AT)
    assert conversations.show(conversation=said, by=sdr, at=AT).is_open_to(manager)
    assert [event.new for event in Event.objects.filter(kind=EventKind.CONVERSATION_CHANGED).order_by("pk")] == [
        {"private_to": str(sdr)},
        {"private_to": None},
    ]


def test_no_event_tells_what_was_said_in_private(person, sdr):
    said = make.conversation(person, by=sdr, summary="She is ill", subject="Health", private_to=sdr)
    conversations.change(conversation=said, summary="She is very ill", minutes=5, by=sdr, at=AT)
    assert (changed(said).old, changed(said).new) == ({"minutes": None}, {"minutes": 5, "unsaid": ["summary"]})
    conversations.delete(conversation=said, by=sdr, at=AT)
    assert "ill" not in str(list(Event.objects.values_list("old", "new")))
    assert "Health" not in str(list(Event.objects.values_list("old", "new")))


# ---- At once -------------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[BaseException | None]:
    """What each act raised, run at the same time on connections of their own."""
    start = threading.Barrier(len(acts))
    raised: list[BaseException | None] = [None] * len(acts)

    def run(number: int) -> None:
        try:
            start.wait(10)
            acts[number]()
        except Exception as error:
            raised[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


@pytest.mark.django_db(transaction=True)
def test_removed_and_changed_at_once_ends_removed_and_true(sdr):
    for _time in range(5):
        person, other = make.person(), make.person()
        said = make.conversation(person, by=sdr)
        mine, theirs = Conversation.objects.get(pk=said.pk), Conversation.objects.get(pk=said.pk)
        removed, moved = at_once(
            partial(conversations.delete, conversation=mine, by=sdr, at=AT),
            partial(conversations.change, conversation=theirs, people=[other], by=sdr, at=AT),
        )
        assert removed is None
        assert moved is None or isinstance(moved, Refused)
        assert not Conversation.objects.exists()
        assert not Person.objects.exclude(last_contact_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_the_same_form_at_once_one_is_told(sdr, teammate):
    said = make.conversation(make.person(), by=sdr)
    seen = conversations.fingerprint(said)
    raised = at_once(
        *(
            lambda by=by: conversations.change(conversation=said, summary=f"Of {by}", seen=seen, by=by, at=AT)
            for by in (sdr, teammate)
        )
    )
    assert sorted(type(error).__name__ for error in raised) == ["ChangedMeanwhile", "NoneType"]


@pytest.mark.django_db(transaction=True)
def test_a_deal_that_is_opened_while_something_is_logged_on_its_lead_knows_it(account_manager, sdr):
    offered = make.hand_off(sdr, account_manager)
    raised = at_once(
        lambda: conversations.log(people=[], lead=Lead.objects.get(pk=offered.lead_id), kind="call", by=sdr, at=AT),
        lambda: handoffs.accept(hand_off=offered, next_step="Video", next_step_on=AT.date(), by=account_manager, at=AT),
    )
    assert raised == [None, None]
    assert Deal.objects.get().last_contact_at == AT


# ---- The logbook: the conversation with its promises and next step -------------------------------------------------


def test_one_act_writes_conversation_promises_and_next_step(account_manager):
    deal = make.deal(account_manager)
    said = logbook.write(
        people=[],
        deal=deal,
        kind="visit",
        summary="They want two shifts.",
        ours=[logbook.Promised("Send the schedule", AT.date() + timedelta(days=2))],
        theirs=[logbook.Promised("Ask the brother", AT.date() + timedelta(days=9), AT.date() + timedelta(days=5))],
        next_step="Video with both",
        next_step_on=AT.date() + timedelta(days=10),
        by=account_manager,
        at=AT,
    )
    deal.refresh_from_db()
    assert (deal.next_step, said.has_next_step) == ("Video with both", True)
    assert [(row.side, row.deal, row.conversation) for row in Promise.objects.order_by("pk")] == [
        (PromiseSide.OURS, deal, said),
        (PromiseSide.THEIRS, deal, said),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ours": [logbook.Promised("Send it", AT.date(), AT.date() + timedelta(days=1))]},
        {"theirs": [logbook.Promised(" ", AT.date())]},
        {"next_step": "Call", "next_step_on": AT.date() - timedelta(days=1)},
        {"next_step": "Call", "next_step_on": None},
    ],
)
def test_a_refused_part_leaves_no_half_of_the_rest(account_manager, wrong):
    deal = make.deal(account_manager)
    with pytest.raises(Refused):
        logbook.write(people=[], deal=deal, kind="call", by=account_manager, at=AT, **wrong)
    deal.refresh_from_db()
    assert not Conversation.objects.exists()
    assert not Promise.objects.exists()
    assert deal.last_contact_at is None


def test_what_was_agreed_without_an_open_deal_is_a_follow_up_of_ours(account_manager):
    deal, person = make.won_deal(account_manager), make.person("Ilse Maes")
    day = AT.date() + timedelta(days=9)
    for about in ({"deal": deal, "people": []}, {"people": [person]}):
        said = logbook.write(
            **about, kind="call", next_step="Drink coffee", next_step_on=day, by=account_manager, at=AT
        )
        assert said.has_next_step
    assert [(row.person, row.deal, row.owner, row.note) for row in FollowUp.objects.order_by("pk")] == [
        (deal.person, deal, account_manager, "Drink coffee"),
        (person, None, account_manager, "Drink coffee"),
    ]


@pytest.mark.parametrize("wrong", [{"next_step": "Call"}, {"next_step_on": AT.date()}])
def test_a_next_step_without_a_day_or_words_is_refused_whole(account_manager, wrong):
    with pytest.raises(Refused):
        logbook.write(people=[make.person()], kind="call", by=account_manager, at=AT, **wrong)
    assert not Conversation.objects.exists()


def test_several_promises_of_each_side_stand_in_the_ledger(account_manager):
    logbook.write(
        people=[make.person()],
        kind="call",
        ours=[logbook.Promised(text, AT.date()) for text in ("One", "Two", "Three")],
        theirs=[logbook.Promised(text, AT.date()) for text in ("Four", "Five")],
        by=account_manager,
        at=AT,
    )
    assert [(row.side, row.text) for row in Promise.objects.order_by("pk")] == [
        ("ours", "One"),
        ("ours", "Two"),
        ("ours", "Three"),
        ("theirs", "Four"),
        ("theirs", "Five"),
    ]


def test_a_newcomer_is_known_afterwards_and_known_already_is_not_known_twice(account_manager):
    for _time in range(2):
        said = logbook.write(
            people=[make.person()],
            newcomer=logbook.Newcomer("Els Claes", "els@claes.example"),
            kind="visit",
            by=account_manager,
            at=AT,
        )
        assert "Els Claes" in {str(person) for person in said.people.all()}
    assert Person.objects.filter(family_name="Claes").count() == 1
    assert Person.objects.get(family_name="Claes").last_contact_at == AT


def test_a_promise_needs_somebody(account_manager):
    with pytest.raises(Refused):
        logbook.write(
            people=[],
            organisation=make.organisation(),
            kind="call",
            ours=[logbook.Promised("Send it", AT.date())],
            by=account_manager,
            at=AT,
        )
    assert not Conversation.objects.exists()


def test_a_deal_without_a_word_keeps_never(account_manager):
    deal = make.deal(account_manager)
    deals.set_step(deal=deal, next_step="Call", next_step_on=AT.date(), by=account_manager, at=AT)
    deal.refresh_from_db()
    assert deal.last_contact_at is None
