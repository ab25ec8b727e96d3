"""The engine of the follow-ups: looking at what was touched ends as looking at everything, whatever happened; twice is once; each one is with who
does the work, on a day on which they work; and a rule that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm import (
    absences,
    advocacy,
    appointments,
    conversations,
    deals,
    do_not_contact,
    follow_ups,
    handoffs,
    leads,
    people,
    promises,
    rule_settings,
    teams,
    verdicts,
)
from crm.follow_ups import touched
from crm.models import (
    Absence,
    Appointment,
    AppointmentKind,
    Conversation,
    ConversationKind,
    Deal,
    Direction,
    DoNotContact,
    FollowUp,
    HandOff,
    HandOffQuestion,
    Lead,
    LostReason,
    Notice,
    NoticeKind,
    Organisation,
    Person,
    Position,
    Promise,
    PromiseSide,
    Referral,
    RejectReason,
    Role,
    Rule,
    RuleRun,
    RuleSetting,
    Scope,
    Tier,
    Touched,
    User,
)
from crm.refusal import Refused
from crm.rules import RULES
from tests import make
from tests.make import AT
from tests.running import wait_for

pytestmark = pytest.mark.django_db


def days(number: int) -> timedelta:
    return timedelta(days=number)


COMPARED = (
    "rule", "subject_kind", "subject_id", "cause", "owner", "on_behalf_of", "due_at", "show_at", "put_off_until", "rank", "why", "person",
    "organisation", "lead", "deal", "hand_off",
)  # fmt: skip


def open_rows() -> list[dict[str, Any]]:
    """What is open, as it matters: without the number of the row and the moment it was made."""
    return list(FollowUp.objects.open().order_by("rule", "subject_kind", "subject_id", "pk").values(*COMPARED))


def rows_of(rule: Rule) -> list[dict[str, Any]]:
    return [row for row in open_rows() if row["rule"] == rule]


# ---- Incremental equals complete -----------------------------------------------------------------------------------


class House:
    """A small house in which anything may happen: `did` is what each act does, with the number that chance gave it."""

    def __init__(self) -> None:
        self.at = AT
        self.teams = [make.team("Gent"), make.team("Utrecht", country="NL")]
        self.users = [
            make.user("Sofie", Role.SDR, team=self.teams[0]),
            make.user("Arjan", Role.ACCOUNT_MANAGER, team=self.teams[0], working_days=[0, 1, 3]),
            make.user("Otto", Role.ACCOUNT_MANAGER, team=self.teams[1]),
        ]
        self.manager = make.user("Mieke", Role.MANAGER)
        long_ago = AT - days(200)
        for number, tier in enumerate((Tier.A, Tier.B, Tier.C)):
            owner = self.users[number % 3]
            company = make.organisation(at=long_ago, owner=owner)
            person = make.person(at=long_ago, owner=owner, tier=tier, organisation=company)
            make.person(at=long_ago, owner=owner, tier=tier, organisation=company)
            make.conversation(person, by=owner, at=AT - days(50 + 40 * number), direction=Direction.BOTH)
            make.won_deal(owner, at=AT - days(100), person=person, organisation=company)
        sdr, seller, _otto = self.users
        self.deal = make.deal(seller, at=AT - days(40), next_step_on=AT.date() - days(5))
        make.hand_off(sdr, seller, at=AT)
        make.lead(at=AT - days(9), owner=sdr)
        make.promise(self.deal.person, by=seller, due_on=AT.date(), at=AT - days(3), side=PromiseSide.THEIRS)
        asked, given = make.referral(seller, at=AT - days(30)), make.referral(seller, at=AT - days(30))
        advocacy.promise(referral=asked, by=seller, at=AT - days(20))
        advocacy.introduce(
            referral=given, name="Karel Friend", email="karel@x.example", by=seller, at=AT - days(9), sdr=sdr
        )
        for _number in range(2):
            make.working_lead(sdr, at=AT - days(2))
        verdicts.nurture(
            lead=make.working_lead(sdr, at=AT - days(2)), until=AT.date() + days(2), by=sdr, at=AT - days(1)
        )
        make.appointment(seller, at=AT - days(1), starts_at=AT - timedelta(hours=2), person=self.deal.person)
        make.wish(person=make.person(at=AT, owner=seller, tier=Tier.A), by=seller)
        make.absence(self.users[2], stand_in=seller)

    def one(self, model: Any, number: int) -> Any:
        """One of all there are; who has none of them does something else."""
        rows = list(model.objects.order_by("pk"))
        if not rows:
            raise Refused("There is none.")
        return rows[number % len(rows)]

    def day(self, number: int) -> date:
        return self.at.date() + days(number % 6)

    def act(self, name: str, number: int) -> None:
        with transaction.atomic():
            ACTS[name](self, number)


def _log(house: House, n: int) -> None:
    with_ = [house.one(Person, n), house.one(Person, n // 3)][: 1 + n % 2]
    on = [{}, {"deal": house.one(Deal, n)}, {"lead": house.one(Lead, n)}][n % 3]
    conversations.log(
        people=list({person.pk: person for person in with_}.values()), kind=list(ConversationKind)[n % len(ConversationKind)],
        direction=list(Direction)[n % 3], by=house.users[n % 3], at=house.at, when=house.at - timedelta(hours=n % 70), has_gain=n % 4 == 0, **on,
    )  # fmt: skip


def _change_said(house: House, n: int) -> None:
    people_ = [house.one(Person, n // 5)]
    conversations.change(
        conversation=house.one(Conversation, n),
        by=house.manager,
        at=house.at,
        people=people_,
        when=house.at - days(n % 90),
    )


def _promise(house: House, n: int) -> None:
    side, deal = list(PromiseSide)[n % 2], house.one(Deal, n) if n % 3 else None
    promises.make(
        side=side, text="Send it", person=house.one(Person, n), due_on=house.day(n), by=house.users[n % 3], at=house.at, deal=deal,
        not_before=house.at.date() - days(1) if n % 5 == 0 else None,
    )  # fmt: skip


def _open_deal(house: House, n: int) -> None:
    seller, person = house.users[1 + n % 2], house.one(Person, n)
    organisation = house.one(Organisation, n)
    make.deal(seller, at=house.at, person=person, organisation=organisation, next_step_on=house.day(n))


def _book(house: House, n: int) -> None:
    appointments.book(
        user=house.users[n % 3], person=house.one(Person, n), kind=AppointmentKind.VIDEO, starts_at=house.at + timedelta(hours=3 + n % 60),
        minutes=30, subject="Getting acquainted", by=house.users[n % 3], at=house.at, deal=house.one(Deal, n) if n % 3 == 0 else None,
    )  # fmt: skip


def _decline(house: House, n: int) -> None:
    verdicts.decline(
        lead=house.one(Lead, n), reason=make.decline_reason(by=house.manager, at=house.at), by=house.users[0], at=house.at,
        come_back_on=house.at.date() + days(1 + n % 5) if n % 2 else None, why="Not now",
    )  # fmt: skip


def _introduce(house: House, n: int) -> None:
    advocacy.introduce(
        referral=house.one(Referral, n),
        name="Karel Friend",
        email=f"friend{n}@x.example",
        by=house.users[1],
        at=house.at,
        sdr=house.users[0],
    )


def _away(house: House, n: int) -> None:
    user = house.users[n % 3]
    stand_in = house.users[(n + 1) % 3] if n % 4 else None
    first = house.at.date() + days(n % 2)
    absences.note(user=user, starts_on=first, ends_on=first + days(n % 5), by=user, at=house.at, stand_in=stand_in)


def _owner(house: House, n: int) -> None:
    people.change(person=house.one(Person, n), by=house.manager, at=house.at, owner=house.users[n % 3])


def _number(house: House, n: int) -> None:
    rule_settings.change(
        rule=Rule.KEEP_IN_TOUCH,
        team=[None, *house.teams][n % 3],
        is_on=n % 5 > 0,
        numbers={"ideal_b": 10 + n % 80},
        by=house.manager,
        at=house.at,
    )


def _by_hand(house: House, n: int) -> None:
    follow_ups.make(
        note="Bring the samples",
        owner=house.users[n % 3],
        due_on=house.day(n),
        by=house.manager,
        at=house.at,
        person=house.one(Person, n),
    )


def _follow_up(house: House, n: int) -> Any:
    rows = list(FollowUp.objects.open().order_by("rule", "pk"))
    if not rows:
        raise Refused("There is none.")
    return rows[n % len(rows)]


ACTS: dict[str, Callable[[House, int], Any]] = {
    "log": _log,
    "change what was said": _change_said,
    "take back what was said": lambda h, n: conversations.delete(conversation=h.one(Conversation, n), by=h.manager, at=h.at),
    "promise": _promise,
    "keep a promise": lambda h, n: promises.keep(promise=h.one(Promise, n), by=h.users[1], at=h.at),
    "move a promise": lambda h, n: promises.move(promise=h.one(Promise, n), due_on=h.day(n), by=h.users[1], at=h.at),
    "break a promise": lambda h, n: promises.break_(promise=h.one(Promise, n), by=h.users[1], at=h.at),
    "open a deal": _open_deal,
    "set a step": lambda h, n: deals.set_step(deal=h.one(Deal, n), next_step="Call", next_step_on=h.day(n), by=h.users[1], at=h.at),
    "what the buyer said": lambda h, n: deals.change(deal=h.one(Deal, n), by=h.users[1], at=h.at, buyer_date=h.day(n)),
    "give a deal": lambda h, n: deals.change(deal=h.one(Deal, n), by=h.manager, at=h.at, owner=h.users[1 + n % 2]),
    "win": lambda h, n: deals.win(deal=h.one(Deal, n), by=h.users[1], at=h.at),
    "lose": lambda h, n: deals.lose(deal=h.one(Deal, n), reason=LostReason.PRICE, by=h.users[1], at=h.at),
    "a lead": lambda h, n: make.lead(at=h.at, owner=[None, *h.users][n % 4], **({"person": h.one(Person, n)} if n % 2 else {})),
    "take a lead": lambda h, n: leads.take(lead=h.one(Lead, n), by=h.users[0], at=h.at),
    "give a lead": lambda h, n: leads.assign(lead=h.one(Lead, n), to=h.users[n % 3], by=h.manager, at=h.at),
    "ask first": lambda h, n: verdicts.ask_first(lead=h.one(Lead, n), question="Which date?", on=h.day(n), by=h.users[0], at=h.at),
    "it is answered": lambda h, n: verdicts.question_answered(lead=h.one(Lead, n), answer="In May", by=h.users[0], at=h.at),
    "nurture": lambda h, n: verdicts.nurture(lead=h.one(Lead, n), until=h.at.date() + days(1 + n % 5), by=h.users[0], at=h.at),
    "decline": _decline,
    "reopen": lambda h, n: verdicts.reopen(lead=h.one(Lead, n), by=h.users[0], at=h.at),
    "hand off": lambda h, n: make.hand_off(h.users[0], h.users[1 + n % 2], at=h.at),
    "accept": lambda h, n: handoffs.accept(hand_off=h.one(HandOff, n), next_step="Call", next_step_on=h.day(n), by=h.users[1 + n % 2], at=h.at),
    "reject": lambda h, n: handoffs.reject(hand_off=h.one(HandOff, n), kind=RejectReason.OTHER, reason="Not ours", by=h.users[1], at=h.at),
    "ask about it": lambda h, n: handoffs.ask(hand_off=h.one(HandOff, n), question="Who decides?", by=h.users[1], at=h.at),
    "tell about it": lambda h, n: handoffs.tell(question=h.one(HandOffQuestion, n), answer="She does", by=h.users[0], at=h.at),
    "ask a referral": lambda h, n: advocacy.ask(person=h.one(Person, n), by=h.users[1], at=h.at),
    "promise one": lambda h, n: advocacy.promise(referral=h.one(Referral, n), by=h.users[1], at=h.at, due_on=h.day(n)),
    "introduce": _introduce,
    "meet": lambda h, n: advocacy.meet(referral=h.one(Referral, n), by=h.users[1], at=h.at),
    "refuse": lambda h, n: advocacy.refuse(referral=h.one(Referral, n), by=h.users[1], at=h.at),
    "thank": lambda h, n: advocacy.thank(referral=h.one(Referral, n), by=h.users[1], at=h.at),
    "leave in peace": lambda h, n: make.wish(scope=list(Scope)[n % 3], person=h.one(Person, n), by=h.users[1], at=h.at),
    "not any more": lambda h, n: do_not_contact.lift(wish=h.one(DoNotContact, n), by=h.manager, at=h.at, why="they wrote"),
    "not before": lambda h, n: people.set_not_before(person=h.one(Person, n), until=h.day(n) + days(1), by=h.users[1], at=h.at),
    "book": _book,
    "it was held": lambda h, n: appointments.held(appointment=h.one(Appointment, n), by=h.users[1], at=h.at),
    "call it off": lambda h, n: appointments.cancel(appointment=h.one(Appointment, n), why="ill", by=h.users[1], at=h.at),
    "be away": _away,
    "be back": lambda h, n: absences.remove(absence=h.one(Absence, n), by=h.manager, at=h.at),
    "another owner": _owner,
    "another tier": lambda h, n: people.change(person=h.one(Person, n), by=h.manager, at=h.at, tier=["", *Tier.values][n % 4]),
    "another owner of theirs": lambda h, n: people.change_organisation(
        organisation=h.one(Organisation, n), by=h.manager, at=h.at, owner=h.users[n % 3]
    ),
    "another job": lambda h, n: people.add_position(person=h.one(Person, n), organisation=h.one(Organisation, n // 7), by=h.manager, at=h.at),
    "leave a job": lambda h, n: people.end_position(position=h.one(Position, n), by=h.manager, at=h.at),
    "another team": lambda h, n: teams.join(user=h.users[n % 3], team=[None, *h.teams][n // 3 % 3], by=h.manager, at=h.at),
    "another number": _number,
    "by hand": _by_hand,
    "done": lambda h, n: follow_ups.done(follow_up=_follow_up(h, n), by=h.users[1], at=h.at),
    "not needed": lambda h, n: follow_ups.not_needed(follow_up=_follow_up(h, n), by=h.users[1], at=h.at),
    "put off": lambda h, n: follow_ups.put_off(follow_up=_follow_up(h, n), until=h.at.date() + days(2 + n % 5), by=h.users[1], at=h.at),
}  # fmt: skip
PASSES = "time passes"
HISTORIES = st.lists(
    st.tuples(st.sampled_from([*ACTS, PASSES, PASSES, PASSES]), st.integers(0, 999)), min_size=4, max_size=10
)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def house() -> House:
    """Built once; each history begins with it."""
    house = House()
    follow_ups.refresh(at=house.at)
    return house


@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(history=HISTORIES)
def test_looking_at_what_was_touched_ends_as_looking_at_everything(house, history):
    house.at = AT
    with undone():
        for act, number in history:
            if act == PASSES:
                house.at += timedelta(hours=7 + number % 90)
                follow_ups.refresh(at=house.at)
                continue
            try:
                house.act(act, number)
            except Refused:
                continue
            assert follow_ups.refresh_touched(at=house.at).failed == []
        touched = open_rows()
        follow_ups.refresh(at=house.at)
        assert touched == open_rows()


# ---- Twice is once -------------------------------------------------------------------------------------------------


def test_looking_twice_changes_nothing(house):
    was = open_rows()
    assert len({row["rule"] for row in was}) > 3, "Too little goes on in this house."
    report = follow_ups.refresh(at=house.at)
    assert (report.made, report.changed, report.closed) == (0, 0, 0)
    assert open_rows() == was


def test_what_was_touched_is_looked_at_once(house, django_assert_num_queries):
    promises.make(
        side=PromiseSide.OURS, text="Send it", person=house.deal.person, due_on=AT.date(), by=house.users[1], at=AT
    )
    assert follow_ups.refresh_touched(at=AT).made == 1
    assert not Touched.objects.exists()
    with django_assert_num_queries(3):  # A savepoint, the taking of nothing, and its end.
        assert follow_ups.refresh_touched(at=AT).rules == []


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_end_as_one():
    seller = make.user("Arjan", Role.ACCOUNT_MANAGER)
    for _number in range(12):
        make.deal(seller, at=AT - days(9), next_step_on=AT.date() - days(2))
    start, failed = Barrier(4), []

    def look(how: Callable[..., follow_ups.RefreshReport]) -> None:
        try:
            start.wait()
            failed.extend(how(at=AT).failed)
        finally:
            connection.close()

    threads = [Thread(target=look, args=(how,)) for how in (follow_ups.refresh_touched, follow_ups.refresh) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert not Touched.objects.exists()
    was = open_rows()
    assert [row["rule"] for row in was].count(Rule.NEXT_STEP) == 12
    assert follow_ups.refresh(at=AT).made == 0
    assert open_rows() == was


# ---- A connection that is lost -------------------------------------------------------------------------------------

SLOWLY = """
CREATE SEQUENCE midway;
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('midway'), pg_sleep(0.1);
    RETURN NEW;
END $$;
CREATE TRIGGER slowly BEFORE INSERT ON crm_followup FOR EACH ROW WHEN (NEW.rule = 'next_step') EXECUTE FUNCTION slowly();
"""
AT_ONCE = "DROP TRIGGER slowly ON crm_followup; DROP FUNCTION slowly(); DROP SEQUENCE midway;"


def run_sql(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("look", [follow_ups.refresh, follow_ups.refresh_touched])
def test_a_connection_that_is_lost_midway_leaves_nothing_half_done_and_accuses_no_rule(look):
    seller = make.user("Arjan", Role.ACCOUNT_MANAGER)
    for _number in range(20):
        make.deal(seller, at=AT - days(9), next_step_on=AT.date())
    touched = Touched.objects.count()
    run_sql(SLOWLY)
    backends: list[int] = []
    ends: list[Exception] = []

    def work() -> None:
        try:
            backends.extend(run_sql("SELECT pg_backend_pid()"))
            look(at=AT)
        except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
            ends.append(error)
        finally:
            connection.close()

    worker = Thread(target=work)
    worker.start()
    try:
        wait_for(lambda: run_sql("SELECT last_value FROM midway")[0] >= 3, why="the worker to be in the middle")
        run_sql(f"SELECT pg_terminate_backend({backends[0]})")
        worker.join()
    finally:
        run_sql(AT_ONCE)
    assert [type(error) for error in ends] == [OperationalError]
    assert not FollowUp.objects.filter(rule=Rule.NEXT_STEP).exists()
    assert Touched.objects.count() == touched
    assert not RuleRun.objects.filter(failing_since__isnull=False).exists()
    assert follow_ups.refresh_touched(at=AT).failed == []
    assert len(rows_of(Rule.NEXT_STEP)) == 20
    was = open_rows()
    follow_ups.refresh(at=AT)
    assert open_rows() == was


# ---- Whoever is away -----------------------------------------------------------------------------------------------


@pytest.fixture
def step(account_manager: User) -> Deal:
    """Something that Arjan has to do today."""
    return make.deal(account_manager, at=AT - days(9), next_step_on=AT.date())


def doing(deal: Deal, at: datetime = AT) -> tuple[User, User | None]:
    """Who does the step of this deal, and in whose place."""
    assert follow_ups.refresh(at=at).failed == []
    row = FollowUp.objects.open().get(deal=deal, rule=Rule.NEXT_STEP)
    return row.owner, row.on_behalf_of


def test_while_somebody_is_away_their_stand_in_does_it_and_then_it_is_theirs_again(step, account_manager, teammate):
    make.absence(account_manager, days=1, stand_in=teammate)
    assert doing(step) == (teammate, account_manager)
    assert doing(step, AT + days(1)) == (teammate, account_manager)
    assert doing(step, AT + days(2)) == (account_manager, None)


def test_somebody_who_is_away_without_a_stand_in_keeps_it(step, account_manager):
    make.absence(account_manager)
    assert doing(step) == (account_manager, None)


def test_nothing_is_handed_over_before_the_days_away_begin(step, account_manager, teammate):
    make.absence(account_manager, starts_on=AT.date() + days(1), ends_on=AT.date() + days(1), stand_in=teammate)
    assert doing(step) == (account_manager, None)


def test_who_stands_in_for_somebody_who_stands_in_does_both(step, account_manager, teammate, sdr):
    make.absence(account_manager, stand_in=teammate)
    make.absence(teammate, stand_in=sdr)
    assert doing(step) == (sdr, account_manager)


def test_two_who_stand_in_for_each_other_keep_their_own(step, account_manager, teammate):
    make.absence(account_manager, stand_in=teammate)
    make.absence(teammate, stand_in=account_manager)
    assert doing(step) == (account_manager, None)


def test_the_work_of_who_left_goes_to_who_leads_their_team(step, account_manager, team, manager):
    leader = make.user("Lena", Role.MANAGER, team=team)
    by_hand = follow_ups.make(note="Call", owner=account_manager, due_on=AT.date(), by=account_manager, at=AT)
    account_manager.is_active = False
    account_manager.save(update_fields=["is_active"])
    assert doing(step) == (leader, account_manager)
    by_hand.refresh_from_db()
    assert (by_hand.owner, by_hand.on_behalf_of) == (leader, account_manager)


def test_what_was_made_by_hand_goes_along_and_comes_back(account_manager, teammate):
    mine = follow_ups.make(note="Call", owner=account_manager, due_on=AT.date(), by=account_manager, at=AT)
    make.absence(account_manager, stand_in=teammate)
    follow_ups.refresh_touched(at=AT)
    mine.refresh_from_db()
    assert (mine.owner, mine.on_behalf_of) == (teammate, account_manager)
    follow_ups.refresh(at=AT + days(1))
    mine.refresh_from_db()
    assert (mine.owner, mine.on_behalf_of) == (account_manager, None)


def test_what_was_put_off_stays_put_off_in_other_hands(step, account_manager, teammate):
    doing(step)
    row = FollowUp.objects.get()
    until = follow_ups.put_off(follow_up=row, until=AT.date() + days(3), by=account_manager, at=AT)
    make.absence(account_manager, days=1, stand_in=teammate)
    for day, does in ((0, teammate), (2, account_manager)):
        assert doing(step, AT + days(day))[0] == does
        row.refresh_from_db()
        assert (row.put_off_until, row.show_at) == (until, until)


# ---- Working days --------------------------------------------------------------------------------------------------


def shown(due_on: date, at: datetime | None = None, **who: Any) -> datetime:
    """When a step of that day is shown to somebody who works like this."""
    seller = make.user("Somebody", Role.ACCOUNT_MANAGER, **who)
    seller.refresh_from_db()
    made_at = datetime.combine(due_on, time(6), UTC) - days(30)
    make.deal(seller, at=made_at, next_step_on=due_on)
    follow_ups.refresh(at=at or made_at + days(60))
    row = FollowUp.objects.get(owner=seller, rule=Rule.NEXT_STEP)
    return row.show_at


DUTCH: dict[str, Any] = {"time_zone": "Europe/Amsterdam"}


@pytest.mark.parametrize(
    ("due_on", "team", "who", "moment"),
    [
        # The clock goes forward and back on a Sunday: nine in the morning stays nine in the morning.
        (date(2026, 3, 27), {}, {}, "2026-03-27T09:00+01:00"),
        (date(2026, 3, 29), {}, {}, "2026-03-30T09:00+02:00"),
        (date(2026, 10, 25), {}, {}, "2026-10-26T09:00+01:00"),
        # Year's end is a Thursday, New Year a Friday, and then comes a weekend.
        (date(2026, 12, 31), {}, {}, "2026-12-31T09:00+01:00"),
        (date(2027, 1, 1), {}, {}, "2027-01-04T09:00+01:00"),
        # The Belgian national day and Armistice Day; the Dutch work on both, and not on the birthday of their king.
        (date(2026, 7, 21), {}, {}, "2026-07-22T09:00+02:00"),
        (date(2026, 7, 21), {"country": "NL"}, DUTCH, "2026-07-21T09:00+02:00"),
        (date(2026, 11, 11), {}, {}, "2026-11-12T09:00+01:00"),
        (date(2026, 11, 11), {"country": "NL"}, DUTCH, "2026-11-11T09:00+01:00"),
        (date(2026, 4, 27), {}, {}, "2026-04-27T09:00+02:00"),
        (date(2026, 4, 27), {"country": "NL"}, DUTCH, "2026-04-28T09:00+02:00"),
        # Three days a week, an afternoon person, and a team that closes between Christmas and New Year.
        (date(2026, 11, 24), {}, {"working_days": [0, 3]}, "2026-11-26T09:00+01:00"),
        (date(2026, 11, 27), {}, {"working_days": [0, 3], "work_start": time(13)}, "2026-11-30T13:00+01:00"),
        (date(2026, 12, 28), {"closed_days": [date(2026, 12, day) for day in (28, 29, 30, 31)]}, {}, "2027-01-04T09:00+01:00"),
    ],
)  # fmt: skip
def test_a_day_on_which_they_do_not_work_is_moved_to_the_next_on_which_they_do(due_on, team, who, moment):
    assert shown(due_on, team=make.team(**team), **who) == datetime.fromisoformat(moment)


def test_a_day_counts_as_that_of_who_does_the_work(account_manager, outsider):
    """On the twenty-first of July nobody works in Ghent; Arjan is away besides, and Otto, who is Dutch, works."""
    at = datetime(2026, 7, 21, 12, tzinfo=UTC)
    deal = make.deal(account_manager, at=at - days(9), next_step_on=at.date())
    make.absence(account_manager, at=at, stand_in=outsider)
    assert doing(deal, at) == (outsider, account_manager)


# ---- A rule that fails ---------------------------------------------------------------------------------------------


def runs() -> dict[str, tuple[datetime | None, str]]:
    return {run.rule: (run.failing_since, run.error) for run in RuleRun.objects.all()}


@pytest.fixture
def quiet_person(account_manager: User) -> Person:
    return make.person(at=AT - days(90), owner=account_manager, tier=Tier.A)


def test_a_number_that_is_none_stops_its_rule_alone_and_it_recovers(step, quiet_person, account_manager, caplog):
    follow_ups.refresh(at=AT)
    was = open_rows()
    bad = RuleSetting.objects.create(rule=Rule.KEEP_IN_TOUCH, team=None, numbers={"ideal_a": "abc"})
    other = make.deal(account_manager, at=AT, next_step_on=AT.date())
    report = follow_ups.refresh(at=AT + days(1))
    assert [one.rule for one in report.failed] == [Rule.KEEP_IN_TOUCH]
    assert rows_of(Rule.KEEP_IN_TOUCH) == [row for row in was if row["rule"] == Rule.KEEP_IN_TOUCH] != []
    assert FollowUp.objects.open().filter(deal=other).exists()
    assert "keep_in_touch" in caplog.text
    since, error = runs()[Rule.KEEP_IN_TOUCH]
    assert since == AT + days(1)
    assert "“abc” is no number for ideal_a" in error
    assert runs()[Rule.NEXT_STEP] == (None, "")
    follow_ups.refresh(at=AT + days(2))
    assert runs()[Rule.KEEP_IN_TOUCH][0] == AT + days(1)
    bad.delete()
    assert follow_ups.refresh(at=AT + days(2)).failed == []
    assert runs()[Rule.KEEP_IN_TOUCH] == (None, "")


def test_a_statement_that_the_database_refuses_stops_its_rule_alone(step, quiet_person, account_manager, monkeypatch):
    follow_ups.refresh(at=AT)
    was = rows_of(Rule.NEXT_STEP)
    monkeypatch.setitem(RULES, Rule.NEXT_STEP, replace(RULES[Rule.NEXT_STEP], causes="SELECT 1 / 0"))
    promises.make(side=PromiseSide.OURS, text="Send", person=quiet_person, due_on=AT.date(), by=account_manager, at=AT)
    report = follow_ups.refresh_touched(at=AT)
    assert [one.rule for one in report.failed] == [Rule.NEXT_STEP]
    assert report.made == 1
    assert rows_of(Rule.NEXT_STEP) == was
    assert runs()[Rule.NEXT_STEP][0] == AT


def test_administrators_are_told_once_for_each_time_that_it_begins_to_fail(admin_user, manager):
    def told() -> int:
        return Notice.objects.filter(user=admin_user, kind=NoticeKind.RULE_FAILS).count()

    bad = {"rule": Rule.KEEP_IN_TOUCH, "numbers": {"ideal_a": "abc"}}
    RuleSetting.objects.create(**bad)
    for hour in range(3):
        follow_ups.refresh(at=AT + timedelta(hours=hour))
    assert told() == 1
    assert Notice.objects.get().path == "/settings/rules/keep_in_touch/"
    RuleSetting.objects.all().delete()
    follow_ups.refresh(at=AT + days(1))
    RuleSetting.objects.create(**bad)
    follow_ups.refresh(at=AT + days(2))
    assert told() == 2
    assert not Notice.objects.filter(user=manager).exists()


def test_what_is_set_is_read_once_for_all_rules(quiet_person):
    with CaptureQueriesContext(connection) as queries:
        follow_ups.refresh(at=AT)
    assert len([query for query in queries if 'FROM "crm_rulesetting"' in query["sql"]]) == 1


def test_whoever_is_the_subject_is_among_those_that_a_rule_begins_with(quiet_person):
    near = touched.near([Touched(subject_kind="person", subject_id=quiet_person.pk)])
    assert near is not None
    assert near.parameters()["near_people"] == [quiet_person.pk]
