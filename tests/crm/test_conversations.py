"""Last contact is what the conversations say, always: after adding and deleting in any order, for people, organisations, leads and deals."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm import conversations, deals, handoffs, logbook
from crm.models import Conversation, Deal, Event, EventKind, Lead, Organisation, Person, Promise, PromiseSide, Role
from crm.refusal import Refused
from tests import make
from tests.make import AT

HOUR = timedelta(hours=1)


def computed_afresh(row: Any) -> tuple[Any, Any]:
    """Last contact and last reply by the definition, in plain Python."""
    said = [
        each
        for each in Conversation.objects.prefetch_related("people")
        if (isinstance(row, Person) and row in each.people.all())
        or (isinstance(row, Organisation) and each.organisation_id == row.pk)
        or (isinstance(row, Lead) and each.lead_id == row.pk)
        or (isinstance(row, Deal) and (each.deal_id == row.pk or (row.lead_id and each.lead_id == row.lead_id)))
    ]
    return (
        max((each.at for each in said), default=None),
        max((each.at for each in said if each.direction in ("both", "incoming")), default=None),
    )


def everything() -> list[Any]:
    return [row for model in (Person, Organisation, Lead, Deal) for row in model.objects.all()]


def all_true() -> bool:
    return all((row.last_contact_at, row.last_reply_at) == computed_afresh(row) for row in everything())


class TestAnyOrder(TestCase):
    """Random acts on two people, two leads and two deals, one of which came from a lead."""

    def setUp(self) -> None:
        self.sdr, self.am = make.user(), make.user(role=Role.ACCOUNT_MANAGER)
        company = make.organisation(domain="notelaar.example")
        self.people = [make.person(organisation=company), make.person()]
        offered = make.hand_off(self.sdr, self.am)
        from_lead = handoffs.accept(hand_off=offered, next_step="Video", next_step_on=AT.date(), by=self.am, at=AT)
        self.about: list[dict[str, Any]] = [
            {},
            {"lead": make.working_lead(self.sdr)},
            {"lead": offered.lead},
            {"deal": from_lead},
            {"deal": make.deal(self.am)},
            {"organisation": company},
        ]

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.tuples(
                    st.just("log"),
                    st.sets(st.integers(0, 1)),
                    st.integers(0, 5),
                    st.sampled_from(["both", "outgoing", "incoming"]),
                    st.integers(0, 400),
                ),
                st.tuples(st.just("delete"), st.integers(0, 30)),
            ),
            max_size=12,
        )
    )
    def test_every_column_equals_a_fresh_computation(self, acts):
        for act, *rest in acts:
            if act == "log":
                whom, about, direction, hours = rest
                people = [self.people[index] for index in sorted(whom)]
                if not people and not self.about[about]:
                    continue
                conversations.log(
                    people=people,
                    kind="call",
                    direction=direction,
                    when=AT - hours * HOUR,
                    by=self.sdr,
                    at=AT,
                    **self.about[about],
                )
            elif rows := list(Conversation.objects.order_by("pk")):
                conversations.delete(conversation=rows[rest[0] % len(rows)], by=self.sdr, at=AT)
            assert all_true()


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


# ---- The logbook: the conversation with its promises and next step -------------------------------------------------


def test_one_act_writes_conversation_promises_and_next_step(account_manager):
    deal = make.deal(account_manager)
    said = logbook.write(
        people=[],
        deal=deal,
        kind="visit",
        summary="They want two shifts.",
        ours=logbook.Promised("Send the schedule", AT.date() + timedelta(days=2)),
        theirs=logbook.Promised("Ask the brother", AT.date() + timedelta(days=9), AT.date() + timedelta(days=5)),
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
        {"ours": logbook.Promised("Send it", AT.date(), AT.date() + timedelta(days=1))},
        {"theirs": logbook.Promised(" ", AT.date())},
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


def test_a_next_step_on_a_won_deal_is_refused_and_the_conversation_is_not(account_manager):
    deal = make.won_deal(account_manager)
    logbook.write(people=[], deal=deal, kind="call", by=account_manager, at=AT)
    with pytest.raises(Refused):
        logbook.write(
            people=[],
            deal=deal,
            kind="call",
            next_step="More",
            next_step_on=AT.date(),
            by=account_manager,
            at=AT,
        )
    assert Conversation.objects.count() == 1


def test_a_promise_needs_somebody(account_manager):
    with pytest.raises(Refused):
        logbook.write(
            people=[],
            organisation=make.organisation(),
            kind="call",
            ours=logbook.Promised("Send it", AT.date()),
            by=account_manager,
            at=AT,
        )
    assert not Conversation.objects.exists()


def test_a_deal_without_a_word_keeps_never(account_manager):
    deal = make.deal(account_manager)
    deals.set_step(deal=deal, next_step="Call", next_step_on=AT.date(), by=account_manager, at=AT)
    deal.refresh_from_db()
    assert deal.last_contact_at is None
