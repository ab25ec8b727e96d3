"""Whom the half hour proposes and why: in six ways, each liked one once before any twice, and nobody too soon, unwilling, or twice."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from crm import follow_ups, proposals, prospecting
from crm.models import (
    Acquaintance,
    Content,
    Conversation,
    EmailAddress,
    FollowUp,
    Person,
    ProspectingBlock,
    ProspectingItem,
    Rule,
    Scope,
    Touch,
    User,
    Way,
)
from crm.proposals.choosing import MOST_READERS, expected_minutes
from crm.refusal import Refused
from tests import make
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, refresh

pytestmark = pytest.mark.django_db


def ago(days: int) -> datetime:
    return AT - timedelta(days=days)


def reachable(name: str = "", **fields: Any) -> Person:
    """Somebody with a telephone and an address."""
    number = f"+3247{Person.objects.count():07}"
    return make.person(name, phone=number, **{"at": ago(500)} | fields)


def happy(user: User, name: str = "", *, days: int = 40) -> Person:
    """Somebody who ordered of this user, and whom a talk did good so many days ago."""
    person = reachable(name)
    make.won_deal(user, at=ago(300), person=person)
    make.conversation(person, by=user, at=ago(days), has_gain=True)
    return person


def kind(user: User, name: str = "") -> Person:
    """Somebody who ordered of this user, still speaks with them, and with whom nothing runs."""
    person = reachable(name)
    make.won_deal(user, at=ago(300), person=person)
    make.conversation(person, by=user, at=ago(40))
    return person


def connected(user: User, name: str = "") -> Person:
    """Somebody who knows who is behind a quiet lead of this user."""
    person, wanted = reachable(name), make.person("Karim Boulhani", at=ago(100))
    make.conversation(person, by=user, at=ago(40))
    make.working_lead(user, at=ago(100), person=wanted)
    Acquaintance.objects.create(person=person, other=wanted, at=ago(90), how="sailed together")
    return person


def dormant(user: User, name: str = "", *, days: int = 430) -> Person:
    """Somebody of this user with whom nobody spoke for so long."""
    person = reachable(name, owner=user)
    make.conversation(person, by=user, at=ago(days))
    return person


def reader(user: User, name: str = "", *, pieces: int = 2) -> Person:
    """Somebody of this user who read so many pieces on what a webinar is about."""
    Content.objects.get_or_create(
        title="Planning live",
        defaults={"kind": "webinar", "topic": "planning", "happens_on": TODAY + timedelta(days=17)},
    )
    person = reachable(name, owner=user)
    for _ in range(pieces):
        Touch.objects.create(person=person, content=make.content(topic="Planning"), at=ago(9))
    return person


def newcomer(user: User, name: str = "") -> Person:
    """Somebody on the list of this user who never heard from us."""
    return reachable(name, owner=user, at=ago(60))


MAKES = {
    Way.ASK_CUSTOMER: happy,
    Way.IN_MY_PLACE: kind,
    Way.INTRODUCTION: connected,
    Way.REVIVE: dormant,
    Way.INVITE: reader,
    Way.OUTBOUND: newcomer,
}


@pytest.fixture
def one_of_each(sdr: User) -> dict[Way, Person]:
    return {way: makes(sdr, f"{way.name.title().replace('_', ' ')}") for way, makes in MAKES.items()}


def chosen(user: User, *ways: Way, minutes: int = 60, at: datetime = AT) -> list[proposals.Proposal]:
    return proposals.choose(user, ways=ways or tuple(Way), minutes=minutes, day=at.astimezone(BRUSSELS).date(), at=at)


def whom(found: Iterable[proposals.Proposal]) -> list[int]:
    return [person for proposal in found for person in proposal.people]


def by_way(user: User, ways: Iterable[Way]) -> dict[Way, list[int]]:
    """Whom each way proposes when it is the only one, those with someone."""
    return {way: found for way in ways if (found := whom(chosen(user, way)))}


# ---- In each way ---------------------------------------------------------------------------------------------------


def test_each_way_finds_its_people_and_never_who_asked_to_be_contacted_later(
    sdr: User, one_of_each: dict[Way, Person]
) -> None:
    found = by_way(sdr, Way)
    assert [way for way, person in one_of_each.items() if person.pk not in found.get(way, [])] == []
    Person.objects.update(not_before=TODAY + timedelta(days=3), not_before_why="After the fair")
    assert by_way(sdr, Way) == {}


def test_who_wants_no_contact_is_proposed_in_no_way(sdr: User, one_of_each: dict[Way, Person]) -> None:
    for person in one_of_each.values():
        make.wish(person=person, by=sdr, at=ago(1))
    found = by_way(sdr, Way)
    assert {pk for each in found.values() for pk in each} & {person.pk for person in one_of_each.values()} == set()


def test_who_wants_no_calls_is_not_called_and_without_an_address_nobody_is_invited(sdr: User) -> None:
    unwilling, willing = newcomer(sdr), newcomer(sdr)
    make.wish(person=unwilling, by=sdr, at=ago(1), scope=Scope.CALL)
    assert whom(chosen(sdr, Way.OUTBOUND)) == [willing.pk]
    silent, mailed = reader(sdr), reader(sdr)
    EmailAddress.objects.filter(person=silent).delete()
    assert whom(chosen(sdr, Way.INVITE)) == [mailed.pk]
    make.wish(person=mailed, by=sdr, at=ago(1), scope=Scope.MAIL)
    assert chosen(sdr, Way.INVITE) == []


def test_a_number_in_a_register_is_not_called_and_not_at_all_somebody_else_s_people(sdr: User, teammate: User) -> None:
    listed = newcomer(sdr)
    make.register(listed.phone_numbers.get().number, at=ago(2))
    for makes in MAKES.values():
        makes(teammate)
    assert chosen(sdr) == []


def test_what_a_colleague_keeps_private_makes_nobody_happy(sdr: User, teammate: User) -> None:
    person = happy(sdr)
    Conversation.objects.update(private_to=teammate)
    assert chosen(sdr, Way.ASK_CUSTOMER) == []
    Conversation.objects.update(private_to=sdr)
    assert whom(chosen(sdr, Way.ASK_CUSTOMER)) == [person.pk]


def test_an_invitation_leaves_out_one_piece_and_who_met_it_and_holds_few(sdr: User) -> None:
    reader(sdr, pieces=1)
    met = reader(sdr)
    Touch.objects.create(person=met, content=Content.objects.get(kind="webinar"), at=ago(2))
    readers = {reader(sdr).pk for _ in range(MOST_READERS + 2)}
    [invitation] = chosen(sdr, Way.INVITE)
    assert len(invitation.people) == MOST_READERS
    assert set(invitation.people) < readers


# ---- A set ---------------------------------------------------------------------------------------------------------


def test_each_liked_way_comes_once_before_any_twice_and_nobody_stands_in_it_twice(sdr: User) -> None:
    for _ in range(3):
        happy(sdr)
        dormant(sdr)
        newcomer(sdr)
    liked = (Way.ASK_CUSTOMER, Way.REVIVE, Way.OUTBOUND)
    found = chosen(sdr, *liked, minutes=30)
    assert {proposal.way for proposal in found[:3]} == set(liked)
    assert sorted(proposal.way for proposal in found) == sorted(liked * 2)
    asked_in_both = whom(chosen(sdr, Way.ASK_CUSTOMER, Way.IN_MY_PLACE, minutes=120))
    assert len(asked_in_both) == len(set(asked_in_both)) == 3


def test_the_same_morning_gives_the_same_set_and_another_day_begins_in_another_way(sdr: User) -> None:
    dormant(sdr)
    newcomer(sdr)
    ways = (Way.REVIVE, Way.OUTBOUND)
    assert chosen(sdr, *ways) == chosen(sdr, *ways)
    days = (AT, AT + timedelta(days=1))
    assert {chosen(sdr, *ways, minutes=5, at=at)[0].way for at in days} == set(ways)


def test_what_does_not_fit_is_not_proposed_but_one_thing_always_is(sdr: User) -> None:
    for _ in range(4):
        newcomer(sdr)
    assert [len(chosen(sdr, Way.OUTBOUND, minutes=minutes)) for minutes in (0, 4, 10, 14, 15)] == [1, 1, 2, 2, 3]


def test_an_invitation_keeps_the_readers_that_are_left_when_one_is_in_the_set_already(sdr: User) -> None:
    first, second = reader(sdr), reader(sdr)
    make.conversation(first, by=sdr, at=ago(430))
    # On a day on which somebody is revived first.
    order = next(
        at for at in (AT, AT + timedelta(days=1)) if chosen(sdr, Way.REVIVE, Way.INVITE, at=at)[0].way == Way.REVIVE
    )
    assert {one.way: one.people for one in chosen(sdr, Way.REVIVE, Way.INVITE, at=order)} == {
        Way.REVIVE: (first.pk,),
        Way.INVITE: (second.pk,),
    }


def test_who_was_left_out_this_week_stands_in_a_half_hour_or_was_approached_lately_is_not_proposed(
    sdr: User, teammate: User
) -> None:
    left, left_long_ago, approached, elsewhere = (newcomer(sdr) for _ in range(4))
    for user, person, days, mark in (
        (sdr, left, 6, "left_out_at"),
        (sdr, left_long_ago, 8, "left_out_at"),
        (teammate, approached, 20, "done_at"),
    ):
        make.half_hour(user, person, at=ago(days), way=Way.OUTBOUND).items.update(**{mark: ago(days)})
    make.half_hour(teammate, elsewhere, way=Way.OUTBOUND)
    assert whom(chosen(sdr, Way.OUTBOUND)) == [left_long_ago.pk]


def test_who_asks_for_more_gets_one_though_no_minutes_are_left(sdr: User) -> None:
    make.prospecting_plan(sdr, minutes=5, ways=["outbound"])
    for _ in range(2):
        newcomer(sdr)
    block = prospecting.propose(user=sdr, day=TODAY, at=AT)
    ProspectingBlock.objects.filter(pk=block.pk).update(measured_seconds=1800)
    assert len(prospecting.propose_more(block=block, at=AT, by=sdr)) == 1
    assert ProspectingItem.objects.values("people").distinct().count() == 2
    with pytest.raises(Refused, match="nobody else"):
        prospecting.propose_more(block=block, at=AT, by=sdr)


def test_as_many_queries_for_many_people_as_for_one(sdr: User, one_of_each: dict[Way, Person]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as sent:
            assert chosen(sdr)
        return len(sent)

    few = queries()
    for makes in MAKES.values():
        makes(sdr)
    assert queries() == few <= 40


@pytest.mark.django_db(transaction=True)
def test_two_who_propose_at_once_make_one_block(sdr: User) -> None:
    make.prospecting_plan(sdr, ways=["outbound"])
    for _ in range(3):
        newcomer(sdr)

    def propose(_number: int) -> int:
        try:
            return prospecting.propose(user=sdr, day=TODAY, at=AT).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(propose, range(4)))) == 1
    assert ProspectingItem.objects.count() == 3


# ---- Minutes -------------------------------------------------------------------------------------------------------


def test_minutes_are_the_median_of_ones_own_things_else_the_team_s_else_five(
    sdr: User, teammate: User, outsider: User
) -> None:
    def took(user: User, *minutes: int) -> None:
        block = make.half_hour(user, *[make.person() for _ in minutes], at=ago(20 + ProspectingBlock.objects.count()))
        for item, each in zip(block.items.all(), minutes, strict=True):
            ProspectingItem.objects.filter(pk=item.pk).update(done_at=ago(20), seconds=each * 60)

    def expected() -> int:
        return expected_minutes(sdr, AT)[Way.REVIVE]

    took(outsider, *[30] * 9)
    took(sdr, 2, 2, 3, 20)
    assert expected() == 5
    took(teammate, 9, 9)
    assert expected() == 6  # The median of the team's 2, 2, 3, 9, 9, 20.
    took(sdr, 4)
    assert expected() == 3
    assert expected_minutes(sdr, AT)[Way.OUTBOUND] == 5


# ---- Beside the follow-ups -----------------------------------------------------------------------------------------


def hand_made(person: Person, owner: User) -> FollowUp:
    return follow_ups.make(note="Send the plan", owner=owner, due_on=TODAY, person=person, by=owner, at=AT)


def test_who_has_a_follow_up_today_is_left_to_it(sdr: User, one_of_each: dict[Way, Person]) -> None:
    for person in one_of_each.values():
        hand_made(person, sdr)
    found = by_way(sdr, Way)
    assert {pk for each in found.values() for pk in each} & {person.pk for person in one_of_each.values()} == set()
    FollowUp.objects.update(show_at=AT + timedelta(days=4), due_at=AT + timedelta(days=4))
    assert set(by_way(sdr, Way)) == set(Way)


def test_a_good_moment_to_ask_is_taken_in_the_half_hour_done_with_it_and_open_again_with_it(sdr: User) -> None:
    ilse = happy(sdr, "Ilse Maes", days=6)
    refresh()
    moment = FollowUp.objects.open().get(person=ilse)
    assert moment.rule == Rule.ASK_REFERRAL
    make.prospecting_plan(sdr, ways=["ask_customer"])
    item = prospecting.propose(user=sdr, day=TODAY, at=AT).items.get()
    assert item.people.get() == ilse
    prospecting.done(item=item, by=sdr, at=AT)
    moment.refresh_from_db()
    assert (moment.outcome, moment.closed_by) == ("done", sdr)
    refresh(AT + timedelta(minutes=1))
    assert not FollowUp.objects.open().filter(person=ilse, rule=Rule.ASK_REFERRAL).exists()
    prospecting.undo(item=item, by=sdr, at=AT + timedelta(minutes=2))
    moment.refresh_from_db()
    assert moment.is_open


def test_a_moment_that_is_a_colleague_s_is_left_to_them(sdr: User, teammate: User) -> None:
    happy(sdr, days=6)
    refresh()
    FollowUp.objects.filter(rule=Rule.ASK_REFERRAL).update(owner=teammate)
    assert chosen(sdr, Way.ASK_CUSTOMER) == []


def test_only_ways_that_do_it_take_a_follow_up_along(sdr: User) -> None:
    karim = reader(sdr)
    make.conversation(karim, by=sdr, at=ago(430))
    Person.objects.filter(pk=karim.pk).update(tier="A")
    refresh()
    touch = FollowUp.objects.open().get(person=karim)
    assert touch.rule == Rule.KEEP_IN_TOUCH
    assert whom(chosen(sdr, Way.REVIVE)) == [karim.pk]
    assert chosen(sdr, Way.INVITE) == []
    invited = make.half_hour(sdr, karim, way=Way.INVITE).items.get()
    prospecting.done(item=invited, by=sdr, at=AT)
    touch.refresh_from_db()
    assert touch.is_open


# ---- Words ---------------------------------------------------------------------------------------------------------


def item(way: Way, *names: str, content: Content | None = None, **why: Any) -> ProspectingItem:
    """A thing as a half hour holds it."""
    block, _is_new = ProspectingBlock.objects.get_or_create(
        user=User.objects.get(), day=TODAY, defaults={"starts_at": "08:30", "planned_minutes": 30, "proposed_at": AT}
    )
    thing = ProspectingItem.objects.create(block=block, position=0, way=way, why=why, content=content)
    thing.people.set([make.person(name) for name in names])
    return thing


def said(thing: ProspectingItem, language: str) -> tuple[str, str]:
    with translation.override(language), timezone.override(BRUSSELS):
        return proposals.title(thing), proposals.sentence(thing, AT)


def test_each_way_says_what_to_do_and_why_in_both_languages(sdr: User) -> None:
    webinar = make.content("Planning live", kind="webinar", topic="planning", happens_on=date(2026, 12, 10))
    event = make.content("The fair", kind="event", happens_on=date(2026, 12, 10))
    ilse = "Ilse Maes"
    for thing, title, why in (
        (
            item(Way.ASK_CUSTOMER, ilse, orders=2, happy_since="2026-11-12", asked_on="2026-07-06"),
            "Ask Ilse Maes for a referral",
            "Ordered twice, happy since 12 November, not asked in 140 days",
        ),
        (
            item(Way.IN_MY_PLACE, ilse, orders=0, was="lost", replied_on="2026-10-14"),
            "Ask Ilse Maes whom they would call in your place",
            "Did not order the last time, spoke with us on 14 October, never asked",
        ),
        (
            item(Way.INTRODUCTION, ilse, whom="Karim", organisation="Notelaar", link="colleague"),
            "Ask Ilse Maes to introduce you to Karim",
            "Works with Karim at Notelaar",
        ),
        (
            item(
                Way.REVIVE,
                ilse,
                organisation="De Linde",
                last_contact="2025-09-23",
                was="nurture",
                is_oldest=True,
                channel="email",
            ),  # fmt: skip
            "Write to Ilse Maes of De Linde",
            "Oldest on your list: last contact 14 months ago, was “not now”",
        ),
        (
            item(Way.INVITE, ilse, "Anke", content=webinar, on="2026-12-10", pieces=3, topic="planning"),
            "Invite 2 readers to the 10 Dec webinar",
            "Each read 3 pieces on planning in the last month",
        ),
        (
            item(Way.INVITE, ilse, content=event, on="2026-12-10", pieces=2),
            "Invite Ilse Maes to “The fair” on 10 Dec",
            "Read 2 pieces in the last month",
        ),
        (
            item(Way.OUTBOUND, ilse, organisation="De Linde", since="2025-11-02"),
            "Call Ilse Maes of De Linde",
            "Never spoken with, on your list since 2 November 2025",
        ),
    ):
        assert said(thing, "en") == (title, why)
        in_dutch = said(thing, "nl")
        assert in_dutch[0] != title
        assert in_dutch[1] != why


def test_what_was_found_is_what_is_said(sdr: User, one_of_each: dict[Way, Person]) -> None:
    values = {proposal.way: set(proposal.why) for way in Way for proposal in chosen(sdr, way)[:1]}
    assert values == {
        Way.ASK_CUSTOMER: {"channel", "orders", "happy_since"},
        Way.IN_MY_PLACE: {"channel", "orders", "replied_on"},
        Way.INTRODUCTION: {"channel", "whom", "how", "link", "replied_on"},
        Way.REVIVE: {"channel", "last_contact", "is_oldest"},
        Way.INVITE: {"channel", "topic", "on", "pieces"},
        Way.OUTBOUND: {"channel", "since"},
    }
