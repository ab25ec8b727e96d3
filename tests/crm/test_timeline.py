"""The timeline: what happened, newest first, in the language of whoever reads it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from crm import conversations, deals, follow_ups, timeline
from crm.models import Deal, Event, FollowUp, LostReason, User
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(account_manager: User) -> Deal:
    return make.deal(account_manager, next_step_on=AT.date())


def bodies(deal: Deal) -> list[str]:
    return [entry.body for entry in timeline.of(deal=deal)]


def test_the_newest_stands_first_whether_it_was_said_or_done(deal: Deal, account_manager: User) -> None:
    person = deal.person
    assert person is not None
    conversations.log(people=[person], deal=deal, kind="call", by=account_manager, at=AT + timedelta(hours=1))
    deals.lose(deal=deal, reason=LostReason.TIMING, by=account_manager, at=AT + timedelta(hours=2))
    moments = [entry.at for entry in timeline.of(deal=deal)]
    assert moments == sorted(moments, reverse=True)
    assert [entry.icon for entry in timeline.of(deal=deal)][:2] == ["circle-x", "phone"]


def test_a_follow_up_says_what_it_was_in_the_readers_language(deal: Deal, account_manager: User) -> None:
    follow_ups.refresh(at=AT)
    with translation.override("nl"):
        follow_ups.done(follow_up=FollowUp.objects.get(), by=account_manager, at=AT + timedelta(hours=1))
    assert bodies(deal)[0] == "next step due"


def test_a_follow_up_made_by_hand_says_its_own_words(deal: Deal, account_manager: User) -> None:
    made = follow_ups.make(
        note="Send the drawing", owner=account_manager, due_on=AT.date(), deal=deal, by=account_manager, at=AT
    )
    follow_ups.not_needed(follow_up=made, why="They found it", by=account_manager, at=AT + timedelta(hours=1))
    assert bodies(deal)[0] == "Send the drawing · They found it"


def test_a_follow_up_put_off_says_the_owners_own_day(deal: Deal, account_manager: User) -> None:
    account_manager.time_zone = "Pacific/Auckland"
    account_manager.save()
    follow_ups.refresh(at=AT)
    follow_ups.put_off(
        follow_up=FollowUp.objects.get(), until=date(2026, 11, 26), by=account_manager, at=AT + timedelta(hours=1)
    )
    assert bodies(deal)[0] == "next step due · until 26 November 2026"


def test_an_order_for_nothing_is_an_order_for_nothing(deal: Deal, account_manager: User) -> None:
    deals.change(deal=deal, buyer_amount=0, seller_amount=500, by=account_manager, at=AT)
    deals.win(deal=deal, by=account_manager, at=AT + timedelta(hours=1))
    assert bodies(deal)[0].endswith("0")


def test_a_long_history_costs_no_more_queries_than_a_short_one(
    deal: Deal, account_manager: User, django_assert_max_num_queries
) -> None:
    for hour in range(12):
        conversations.log(
            people=[deal.person] if deal.person else [],
            deal=deal,
            kind="call",
            by=account_manager,
            at=AT + timedelta(hours=hour),
        )
    with django_assert_max_num_queries(3):
        assert len(timeline.of(deal=deal, limit=10)) == 10


def test_every_sentence_survives_an_event_that_says_nothing(deal: Deal) -> None:
    for event in Event.objects.all():
        assert timeline._event(event).title
    for say in timeline.SENTENCES.values():
        assert isinstance(say({}, {}), str)


def test_a_timeline_is_of_one_record(deal: Deal) -> None:
    with pytest.raises(ValueError, match="one record"):
        timeline.of(deal=deal, person=deal.person)


def test_a_long_history_goes_on_before_its_oldest_entry_and_loses_nothing(deal: Deal, account_manager: User) -> None:
    person = deal.person
    assert person is not None
    for hour in range(7):
        conversations.log(
            people=[person], deal=deal, kind="call", by=account_manager, at=AT + timedelta(hours=1 + hour)
        )
    whole = [entry.at for entry in timeline.of(deal=deal)]
    first = timeline.of(deal=deal, limit=4)
    found, older = [entry.at for entry in first], first.older
    while older:
        page = timeline.of(deal=deal, limit=4, before=older)
        found, older = found + [entry.at for entry in page], page.older
    assert found == whole


def test_what_was_won_is_said_in_the_readers_way_of_writing_money(deal: Deal, account_manager: User) -> None:
    Deal.objects.filter(pk=deal.pk).update(buyer_amount=Decimal(12100))
    deals.win(deal=deal, by=account_manager, at=AT + timedelta(hours=1))
    assert bodies(deal)[0] == "€\N{NO-BREAK SPACE}12,100"
    with translation.override("nl"):
        assert bodies(deal)[0] == "€\N{NO-BREAK SPACE}12.100"


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-11-21", "2026-13-45T00:00", "2026-11-21T10:00"])
def test_an_address_that_names_no_moment_shows_the_newest(text: str | None) -> None:
    assert timeline.moment(text) is None
