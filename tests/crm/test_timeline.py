"""The timeline: what happened, newest first, in the language of whoever reads it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from crm import conversations, deals, follow_ups, people, timeline
from crm.models import Attempt, Conversation, Deal, Event, EventKind, FollowUp, LostReason, Person, User
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(account_manager: User) -> Deal:
    return make.deal(account_manager, next_step_on=AT.date())


def owner_of(deal: Deal) -> User:
    assert deal.owner is not None
    return deal.owner


def bodies(deal: Deal) -> list[str]:
    return [entry.body for entry in timeline.of(reader=owner_of(deal), deal=deal)]


def test_the_newest_stands_first_whether_it_was_said_or_done(deal: Deal, account_manager: User) -> None:
    person = deal.person
    assert person is not None
    conversations.log(people=[person], deal=deal, kind="call", by=account_manager, at=AT + timedelta(hours=1))
    deals.lose(deal=deal, reason=LostReason.TIMING, by=account_manager, at=AT + timedelta(hours=2))
    moments = [entry.at for entry in timeline.of(reader=owner_of(deal), deal=deal)]
    assert moments == sorted(moments, reverse=True)
    assert [entry.icon for entry in timeline.of(reader=owner_of(deal), deal=deal)][:2] == ["circle-x", "phone"]


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
    with django_assert_max_num_queries(4):
        assert len(timeline.of(reader=owner_of(deal), deal=deal, limit=10)) == 10


def test_every_sentence_survives_an_event_that_says_nothing(deal: Deal) -> None:
    for event in Event.objects.all():
        assert timeline.entry(event).title
    for say in timeline.sentences.SENTENCES.values():
        assert isinstance(say({}, {}), str)


def test_a_timeline_is_of_one_record(deal: Deal) -> None:
    with pytest.raises(ValueError, match="one record"):
        timeline.of(reader=owner_of(deal), deal=deal, person=deal.person)


def test_a_long_history_goes_on_before_its_oldest_entry_and_loses_nothing(deal: Deal, account_manager: User) -> None:
    person = deal.person
    assert person is not None
    for hour in range(7):
        conversations.log(
            people=[person], deal=deal, kind="call", by=account_manager, at=AT + timedelta(hours=1 + hour)
        )
    whole = [entry.at for entry in timeline.of(reader=owner_of(deal), deal=deal)]
    first = timeline.of(reader=owner_of(deal), deal=deal, limit=4)
    found, older = [entry.at for entry in first], first.older
    while older:
        page = timeline.of(reader=owner_of(deal), deal=deal, limit=4, before=older)
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


@pytest.fixture
def person(account_manager: User) -> Person:
    return make.person("Peter van der Meulen", owner=account_manager)


def test_what_changed_is_said_as_a_sentence(person: Person, account_manager: User) -> None:
    people.change(person=person, tier="A", interests=["sailing", "bread"], by=account_manager, at=AT)
    people.change(
        person=person, tier="B", interests=[], preferred_channel="email", by=account_manager, at=AT + timedelta(hours=1)
    )
    people.set_not_before(
        person=person, until=date(2026, 12, 1), why="after her holiday", by=account_manager, at=AT + timedelta(hours=2)
    )
    newest = timeline.of(reader=account_manager, person=person)[0]
    said = newest.body.splitlines()
    assert "tier: A to B" in said
    assert "talk about: no longer sailing, bread" in said
    assert "is reached best by: E-mail" in said
    assert "not before: 1 December 2026" in said
    assert "why not before: after her holiday" in said


def test_how_somebody_is_reached_and_where_they_work_is_said_in_words(person: Person, account_manager: User) -> None:
    number = people.add_phone(person=person, number="0475 12 34 56", kind="mobile", by=account_manager, at=AT)
    people.change_kind(point=number, kind="private", by=account_manager, at=AT)
    people.add_position(
        person=person, organisation="Notelaar", title="Owner", started_on=date(2024, 5, 1), by=account_manager, at=AT
    )
    people.introduce(person=person, other=make.person("Sofie De Wit"), how="sister", by=account_manager, at=AT)
    said = "\n".join(entry.body for entry in timeline.of(reader=account_manager, person=person))
    assert "Can be called at +32 475 12 34 56 (mobile)" in said
    assert "+32 475 12 34 56 (mobile) became +32 475 12 34 56 (private)" in said
    assert "Works as Owner, Notelaar (1 May 2024 – …)" in said
    assert "Knows Sofie De Wit (sister)" in said
    with translation.override("nl"):
        assert "1 mei 2024" in "\n".join(entry.body for entry in timeline.of(reader=account_manager, person=person))


def test_a_private_conversation_says_nothing_to_others_wherever_it_is_shown(account_manager: User, sdr: User) -> None:
    deal = make.deal(account_manager)
    assert deal.person is not None
    row = conversations.log(
        people=[deal.person],
        deal=deal,
        kind="email",
        summary="secret summary",
        learned="secret lesson",
        quote="secret quote",
        by=account_manager,
        at=AT + timedelta(hours=1),
    )
    Conversation.objects.filter(pk=row.pk).update(private_to=account_manager, subject="secret subject")
    for record in ({"person": deal.person}, {"organisation": deal.organisation}, {"deal": deal}):
        theirs = timeline.of(reader=sdr, **record)[0]
        assert "secret" not in repr(theirs)
        assert [badge["text"] for badge in theirs.badges] == ["private"]
        assert theirs.href == ""
        mine = timeline.of(reader=account_manager, **record)[0]
        assert all(f"secret {word}" in mine.body + mine.quote for word in ("subject", "summary", "lesson", "quote"))


def test_a_try_without_an_answer_stands_on_the_timeline_and_one_that_was_answered_does_not(
    account_manager: User,
) -> None:
    company = make.organisation()
    person = make.person(organisation=company)
    Attempt.objects.create(person=person, at=AT, by=account_manager, outcome="no_answer", note="after lunch")
    spoken = make.conversation(person, by=account_manager, at=AT)
    Attempt.objects.create(person=person, at=AT, by=account_manager, outcome="spoke", conversation=spoken)
    for record in ({"person": person}, {"organisation": company}):
        tried = [entry for entry in timeline.of(reader=account_manager, **record) if "Tried" in entry.title]
        assert [(entry.title, entry.body) for entry in tried] == [("Tried to reach, no answer", "after lunch")]


def test_each_part_of_a_timeline_shows_its_own_and_together_they_show_all(deal: Deal, account_manager: User) -> None:
    assert deal.person is not None
    conversations.log(people=[deal.person], deal=deal, kind="call", by=account_manager, at=AT)
    conversations.log(people=[deal.person], deal=deal, kind="email", by=account_manager, at=AT)
    make.promise(deal.person, by=account_manager, due_on=AT.date())
    people.change(person=deal.person, tier="A", by=account_manager, at=AT)
    Attempt.objects.create(person=deal.person, at=AT, by=account_manager)
    whole = timeline.of(reader=account_manager, person=deal.person)
    parts = {show: timeline.of(reader=account_manager, person=deal.person, show=show) for show in timeline.FILTERS}
    assert sorted(entry.icon for entry in parts["conversations"]) == ["phone", "phone-off"]
    assert [entry.icon for entry in parts["mail"]] == ["mail"]
    assert [entry.title for entry in parts["promises"]] == ["Promise made"]
    assert sum(map(len, parts.values())) == len(whole)
    assert len(timeline.of(reader=account_manager, person=deal.person, show="nonsense")) == len(whole)


def test_every_kind_of_event_belongs_to_one_part() -> None:
    shown = [kind for part in timeline.FILTERS.values() for kind in part.kinds]
    assert len(shown) == len(set(shown))
    elsewhere = {"register", "mailbox", "list"}  # What is about no person, organisation, lead or deal.
    elsewhere |= {"form", "content", "hook", "assignment", "team", "absence", "scorecard", "reason", "alternative"}
    elsewhere |= {"calendar", "feed", "agenda", "rule"}
    assert {kind for kind in EventKind if kind.value.partition(".")[0] not in elsewhere} - timeline.HIDDEN == set(shown)


def test_a_changed_conversation_says_which_words_changed_and_not_what_they_were() -> None:
    say = timeline.sentences.SENTENCES[EventKind.CONVERSATION_CHANGED]
    said = say({"summary": "secret", "minutes": 5}, {"summary": "hidden", "minutes": 10})
    assert said.splitlines() == ["minutes: 5 to 10", "what was said"]
