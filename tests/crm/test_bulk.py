"""Acts on many: what they do to each row, whom they leave out, what they leave behind, and what taking them back restores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import bulk, follow_ups
from crm.bulk import Act, Change
from crm.models import BulkAct, DoNotContact, Event, EventKind, FollowUp, Outcome, Person, User
from crm.models.views import ListScreen
from crm.refusal import Refused
from crm.timeline import of as timeline_of
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
PEOPLE = ListScreen.PEOPLE
TOMORROW = AT.date() + timedelta(days=1)


def do(people, change, by, at=AT, screen=PEOPLE):
    return bulk.do(screen=screen, keys=[row.pk for row in people], change=change, by=by, at=at)


@pytest.fixture
def three(account_manager) -> list[Person]:
    return [make.person(f"Person Number{number}", owner=account_manager, tier="B") for number in range(3)]


def values(column: str) -> list:
    return list(Person.objects.order_by("pk").values_list(column, flat=True))


def test_an_owner_is_given_and_taken_back(three, account_manager, teammate):
    act = do(three, Change(Act.OWNER, owner=teammate), account_manager)
    assert values("owner") == [teammate.pk] * 3
    assert (act.number, act.by) == (3, account_manager)
    undone = bulk.undo(act=act, by=account_manager, at=AT + timedelta(hours=1))
    assert values("owner") == [account_manager.pk] * 3
    assert undone == bulk.Undone(restored=3, left=0)


def test_each_row_tells_it_on_its_timeline(three, account_manager, teammate):
    act = do(three, Change(Act.OWNER, owner=teammate), account_manager)
    event = Event.objects.get(kind=EventKind.BULK_CHANGED, person=three[0])
    assert event.old == {"owner": account_manager.name}
    assert event.new == {"owner": teammate.name, "act": act.pk}
    assert any(
        entry.body == f"Owner: from {account_manager.name} to {teammate.name}."
        for entry in timeline_of(reader=account_manager, person=three[0])
    )
    bulk.undo(act=act, by=account_manager, at=AT)
    assert Event.objects.filter(kind=EventKind.BULK_UNDONE).count() == 3


def test_tags_are_added_once_and_taken_away_whatever_their_capitals(three, account_manager):
    Person.objects.filter(pk=three[0].pk).update(tags=["Planner", "fair"])
    act = do(three, Change(Act.TAG, tags=bulk.words("planner,  trade   fair ,Planner")), account_manager)
    assert values("tags") == [["Planner", "fair", "trade fair"], ["planner", "trade fair"], ["planner", "trade fair"]]
    do(three, Change(Act.UNTAG, tags=("PLANNER",)), account_manager)
    assert values("tags") == [["fair", "trade fair"], ["trade fair"], ["trade fair"]]
    # The tags are not what the first act made of them any more, so they stay.
    assert bulk.undo(act=act, by=account_manager, at=AT) == bulk.Undone(restored=0, left=3)


def test_only_rows_that_differ_are_changed_and_an_act_without_any_is_refused(three, account_manager):
    Person.objects.filter(pk=three[0].pk).update(tier="A")
    found = bulk.plan(screen=PEOPLE, keys=[row.pk for row in three], change=Change(Act.TIER, tier="A"), at=AT)
    assert (len(found), found.same) == (2, 1)
    act = do(three, Change(Act.TIER, tier="A"), account_manager)
    assert (act.number, str(three[0].pk) in act.changes) == (2, False)
    with pytest.raises(Refused, match="Nothing would change"):
        do(three, Change(Act.TIER, tier="A"), account_manager)


def test_undo_leaves_what_somebody_changed_meanwhile(three, account_manager):
    act = do(three, Change(Act.TIER, tier="A"), account_manager)
    Person.objects.filter(pk=three[1].pk).update(tier="C")
    three[2].delete()
    assert bulk.undo(act=act, by=account_manager, at=AT) == bulk.Undone(restored=1, left=2)
    assert values("tier") == ["B", "C"]


def test_it_is_taken_back_once_within_a_week_by_who_did_it_or_who_leads(three, account_manager, teammate, manager):
    act = do(three, Change(Act.TIER, tier="A"), account_manager)
    with pytest.raises(Refused):
        bulk.undo(act=act, by=teammate, at=AT)
    with pytest.raises(Refused, match="more than a week"):
        bulk.undo(act=act, by=account_manager, at=AT + timedelta(days=7, seconds=1))
    bulk.undo(act=act, by=manager, at=AT + timedelta(days=7))
    with pytest.raises(Refused, match="already"):
        bulk.undo(act=act, by=account_manager, at=AT)


def test_an_owner_who_is_no_more_does_not_come_back(three, account_manager, teammate):
    leaver = make.user("Leaver")
    Person.objects.filter(pk=three[0].pk).update(owner=leaver)
    act = do(three, Change(Act.OWNER, owner=teammate), account_manager)
    User.objects.filter(pk=leaver.pk).delete()
    assert bulk.undo(act=act, by=account_manager, at=AT).restored == 2
    assert values("owner") == [teammate.pk, account_manager.pk, account_manager.pk]


def follow_up(owner, **fields) -> Change:
    return Change(Act.FOLLOW_UP, owner=owner, note="Ask about the fair", due_on=TOMORROW, **fields)


def test_a_follow_up_is_made_for_each_who_may_be_contacted_and_the_others_are_named(three, account_manager):
    barred, waiting, free = three
    DoNotContact.objects.create(
        scope="call", person=barred, reason="Asked us", source="by phone", since=AT.date(), made_at=AT
    )
    Person.objects.filter(pk=waiting.pk).update(not_before=TOMORROW + timedelta(days=30), not_before_why="on leave")
    found = bulk.plan(screen=PEOPLE, keys=[row.pk for row in three], change=follow_up(account_manager), at=AT)
    assert {out.key for out in found.left_out} == {barred.pk, waiting.pk}
    assert all(out.why for out in found.left_out)
    do(three, follow_up(account_manager), account_manager)
    made = FollowUp.objects.get(note="Ask about the fair")
    assert (made.person, made.owner, made.subject_id, made.rule) == (free, account_manager, free.pk, "")
    assert made.due_at.date() == TOMORROW
    assert list(Event.objects.filter(kind=EventKind.FOLLOW_UP_MADE).values_list("person", flat=True)) == [free.pk]


def test_who_may_not_be_called_may_still_get_a_follow_up_by_mail(three, account_manager):
    DoNotContact.objects.create(
        scope="call", person=three[0], reason="Asked us", source="by phone", since=AT.date(), made_at=AT
    )
    do(three[:1], follow_up(account_manager, channel="email"), account_manager)
    assert FollowUp.objects.filter(person=three[0], note="Ask about the fair").exists()


def test_when_nobody_may_be_contacted_it_is_refused(three, account_manager):
    for person in three:
        DoNotContact.objects.create(
            scope="contact", person=person, reason="Asked us", source="letter", since=AT.date(), made_at=AT
        )
    with pytest.raises(Refused):
        do(three, follow_up(account_manager, channel="visit"), account_manager)
    assert not BulkAct.objects.exists()


def test_taking_it_back_closes_the_follow_ups_that_are_open(three, account_manager):
    act = do(three, follow_up(account_manager), account_manager)
    done = FollowUp.objects.get(person=three[0], note="Ask about the fair")
    follow_ups.done(follow_up=done, by=account_manager, at=AT)
    assert bulk.undo(act=act, by=account_manager, at=AT) == bulk.Undone(restored=2, left=1)
    assert set(FollowUp.objects.filter(note="Ask about the fair").values_list("outcome", flat=True)) == {
        Outcome.DONE,
        Outcome.NOT_NEEDED,
    }


@pytest.mark.parametrize(
    "change",
    [
        Change(Act.TAG),
        Change(Act.TAG, tags=("x" * 51,)),
        Change(Act.UNTAG, tags=tuple(f"tag{number}" for number in range(31))),
        Change(Act.TIER, tier="Z"),
        Change(Act.OWNER, owner=User(name="Gone", is_active=False)),
        Change(Act.FOLLOW_UP, note="Call"),
        Change(Act.FOLLOW_UP, note=" ", owner=User(), due_on=TOMORROW),
        Change(Act.FOLLOW_UP, note="Call", owner=User(), due_on=AT.date() - timedelta(days=1)),
        Change(Act.FOLLOW_UP, note="Call", owner=User(), due_on=AT.date() + timedelta(days=400)),
    ],
)
def test_what_makes_no_sense_is_refused(three, account_manager, change):
    with pytest.raises(Refused):
        do(three, change, account_manager)
    assert not BulkAct.objects.exists()


def test_more_than_five_thousand_are_refused_and_organisations_have_no_tier(account_manager):
    with pytest.raises(Refused, match="5000|5,000"):
        bulk.do(screen=PEOPLE, keys=range(1, 5002), change=Change(Act.TIER, tier="A"), by=account_manager, at=AT)
    with pytest.raises(Refused):
        do([make.organisation()], Change(Act.TIER, tier="A"), account_manager, screen=ListScreen.ORGANISATIONS)


def test_organisations_get_owners_and_tags(account_manager, teammate):
    company = make.organisation()
    do([company], Change(Act.OWNER, owner=teammate), account_manager, screen=ListScreen.ORGANISATIONS)
    do([company], Change(Act.TAG, tags=("builder",)), account_manager, screen=ListScreen.ORGANISATIONS)
    company.refresh_from_db()
    assert (company.owner, company.tags) == (teammate, ["builder"])
    assert Event.objects.filter(kind=EventKind.BULK_CHANGED, organisation=company).count() == 2


def test_it_takes_as_many_queries_for_many_as_for_few(account_manager, teammate, django_assert_max_num_queries):
    many = [make.person() for _number in range(40)]
    with django_assert_max_num_queries(10):
        act = do(many, Change(Act.OWNER, owner=teammate), account_manager)
    with django_assert_max_num_queries(10):
        bulk.undo(act=act, by=account_manager, at=AT)
    with django_assert_max_num_queries(30):
        do(many, follow_up(account_manager), account_manager)
