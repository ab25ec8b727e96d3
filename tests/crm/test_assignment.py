"""Who gets a new lead: somebody who is there and has room for it, by a rule or by turns; and what nobody touches goes back to everybody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm import absences, assignment, leads, tasks
from crm.assignment import Choice
from crm.models import (
    AssignmentRule,
    Event,
    EventKind,
    GivenBecause,
    Lead,
    LeadStatus,
    Organisation,
    OutgoingMail,
    OwnerRule,
    Person,
    Role,
    Team,
    User,
)
from crm.refusal import Refused
from tests import make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)


def chosen(*, at: datetime = make.AT, owner_rule: str = OwnerRule.RULES, **asked: Any) -> User | None:
    given: dict[str, Any] = {"person": None, "organisation": None, "language": "", "origin": "", "owner": None}
    choice = assignment.choose(**given | {"team": None} | asked, owner_rule=owner_rule, at=at)
    return choice.owner if choice else None


def arrives(*, at: datetime = make.AT, **asked: Any) -> User | None:
    """A lead that is chosen for somebody, and is theirs."""
    owner = chosen(at=at, **asked)
    lead = make.lead(at=at)
    Lead.objects.filter(pk=lead.pk).update(owner=owner, assigned_at=at if owner else None)
    return owner


def has(user: User, number: int, *, at: datetime) -> None:
    for _ in range(number):
        lead = make.lead(at=at)
        Lead.objects.filter(pk=lead.pk).update(owner=user, assigned_at=at)


def away(user: User, first: date = TODAY, last: date = FRIDAY, *, at: datetime = make.AT, **how: Any) -> None:
    absences.note(user=user, starts_on=first, ends_on=last, by=user, at=at, **how)


def rule(by: User, **says: Any) -> AssignmentRule:
    return assignment.save_rule(by=by, at=make.AT, **says)


# ---- By turns ------------------------------------------------------------------------------------------------------


def test_by_turns_it_goes_to_who_waited_longest_and_first_to_who_never_had_one(
    sdr: User, teammate: User, outsider: User
) -> None:
    has(sdr, 1, at=make.AT - timedelta(days=1))
    has(teammate, 1, at=make.AT - timedelta(days=2))
    turns = [arrives(at=make.AT + timedelta(minutes=minute)) for minute in range(4)]
    assert turns == [outsider, teammate, sdr, outsider]


def test_account_managers_and_those_who_lead_get_none_by_turns(account_manager: User, manager: User) -> None:
    assert chosen() is None


@pytest.mark.parametrize("fact", ["is_active", "takes_leads"])
def test_nobody_who_left_or_takes_none_gets_one(sdr: User, teammate: User, fact: str) -> None:
    User.objects.filter(pk=sdr.pk).update(**{fact: False})
    assert [arrives(at=make.AT + timedelta(minutes=minute)) for minute in range(2)] == [teammate, teammate]


def test_nobody_who_is_away_gets_one_and_the_day_after_they_do(sdr: User, teammate: User) -> None:
    away(sdr)
    has(teammate, 1, at=make.AT - timedelta(days=1))
    assert chosen() == teammate
    assert chosen(at=make.AT + timedelta(days=4)) == teammate
    assert chosen(at=make.AT + timedelta(days=5)) == sdr


@pytest.mark.parametrize(
    ("zone", "is_away"), [("Europe/Brussels", True), ("Pacific/Auckland", False), ("America/Los_Angeles", True)]
)
def test_a_day_off_is_the_day_where_they_are(sdr: User, zone: str, is_away: bool) -> None:
    """Monday at noon in Brussels; in Auckland Tuesday has begun."""
    sdr.time_zone = zone
    sdr.save()
    away(sdr, TODAY, TODAY, at=make.AT - timedelta(days=3))
    noon = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
    assert (chosen(at=noon) is None) == is_away


@pytest.mark.parametrize(
    ("moment", "is_away"),
    [
        ((2026, 10, 24, 21, 59), False),  # Saturday 23:59, summer time
        ((2026, 10, 24, 22, 1), True),  # Sunday 00:01
        ((2026, 10, 25, 22, 59), True),  # Sunday 23:59, winter time: the day has 25 hours
        ((2026, 10, 25, 23, 1), False),
    ],
)
def test_the_day_on_which_the_clock_goes_back_is_one_day(
    sdr: User, moment: tuple[int, int, int, int, int], is_away: bool
) -> None:
    away(sdr, date(2026, 10, 25), date(2026, 10, 25), at=datetime(2026, 10, 1, tzinfo=UTC))
    assert (chosen(at=datetime(*moment, tzinfo=UTC)) is None) == is_away


def test_a_zone_that_is_no_more_keeps_no_lead_from_arriving(sdr: User) -> None:
    User.objects.filter(pk=sdr.pk).update(time_zone="Europe/Atlantis")
    lead = make.lead(owner_rule=OwnerRule.RULES)
    assert (lead.owner, lead.answer_due_at) == (sdr, make.AT + timedelta(hours=1))


# ---- Capacity ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "days", "share"),
    [
        (30, [0, 1, 2, 3, 4], 2),
        (30, [0, 1], 4),
        (30, [0, 1, 2, 3, 4, 5, 6], 1),
        (5, [0, 1, 2, 3, 4], 1),
        (0, [0, 1, 2, 3, 4], 0),
        (100, [0, 1, 2, 3, 4], 5),
        (30, [], 2),
    ],
)
def test_the_daily_share_is_the_capacity_over_the_working_days_rounded_up(
    capacity: int, days: list[int], share: int
) -> None:
    assert assignment.daily_share(User(lead_capacity=capacity, working_days=days)) == share


def test_on_one_day_nobody_gets_more_than_their_share_and_tomorrow_it_goes_on(sdr: User) -> None:
    assert [arrives(at=make.AT + timedelta(minutes=minute)) for minute in range(3)] == [sdr, sdr, None]
    assert chosen(at=make.AT + timedelta(days=1)) == sdr


def test_in_thirty_days_nobody_gets_more_than_their_capacity(sdr: User) -> None:
    User.objects.filter(pk=sdr.pk).update(lead_capacity=3)
    for days in (29, 20, 10):
        has(sdr, 1, at=make.AT - timedelta(days=days))
    assert chosen() is None
    assert chosen(at=make.AT + timedelta(days=1, minutes=1)) == sdr


def test_a_capacity_of_nothing_gets_nothing(sdr: User) -> None:
    User.objects.filter(pk=sdr.pk).update(lead_capacity=0)
    assert chosen() is None


def test_what_somebody_takes_for_themselves_counts_too(sdr: User) -> None:
    for _ in range(2):
        leads.take(lead=make.lead(), by=sdr, at=make.AT)
    assert chosen() is None


def test_leads_from_an_old_file_count_for_nothing(sdr: User) -> None:
    for _ in range(3):
        lead = make.lead()
        Lead.objects.filter(pk=lead.pk).update(owner=sdr, assigned_at=None)
    assert chosen() == sdr


# ---- Language and working days -------------------------------------------------------------------------------------


def test_who_speaks_their_language_comes_first_and_else_anybody(sdr: User, teammate: User) -> None:
    User.objects.filter(pk=teammate.pk).update(language="nl")
    turns = [arrives(at=make.AT + timedelta(minutes=minute), language="nl") for minute in range(3)]
    assert turns == [teammate, teammate, sdr], "until the share of the day is used"
    person = make.person(language="nl")
    assert chosen(at=make.AT + timedelta(days=1), person=person) == teammate


def test_who_works_today_comes_before_who_does_not(sdr: User, teammate: User) -> None:
    User.objects.filter(pk=sdr.pk).update(working_days=[1, 3])
    has(teammate, 1, at=make.AT - timedelta(hours=1))
    assert chosen() == teammate, "Monday"
    assert chosen(at=make.AT + timedelta(days=1)) == sdr, "Tuesday: it is her turn, and she is there"
    assert chosen(at=make.AT + timedelta(days=5)) == sdr, "Saturday: nobody works, so it goes by turns"


def test_on_a_belgian_holiday_the_dutch_come_first(sdr: User, outsider: User) -> None:
    national_day = datetime(2026, 7, 21, 9, 0, tzinfo=UTC)
    kings_day = datetime(2026, 4, 27, 9, 0, tzinfo=UTC)
    assert (chosen(at=national_day), chosen(at=kings_day)) == (outsider, sdr)


def test_on_a_day_that_a_team_is_closed_another_comes_first(sdr: User, outsider: User) -> None:
    has(outsider, 1, at=make.AT - timedelta(hours=1))
    Team.objects.filter(members=sdr).update(closed_days=[TODAY])
    assert chosen() == outsider
    assert chosen(at=make.AT + timedelta(days=1)) == sdr


# ---- Rules ---------------------------------------------------------------------------------------------------------


def mill(**fields: Any) -> Organisation:
    return make.organisation(sector="Textile", country="BE", **fields)


@pytest.mark.parametrize(
    "condition", [{"language": "nl"}, {"sector": "textile "}, {"country": "be"}, {"origin": "Website"}]
)
def test_a_rule_gives_what_it_names_to_whom_it_names(
    sdr: User, outsider: User, admin_user: User, condition: dict[str, str]
) -> None:
    rule(admin_user, user=outsider, **condition)
    has(outsider, 1, at=make.AT - timedelta(hours=1))
    assert chosen(organisation=mill(), language="nl", origin="website") == outsider
    assert chosen(organisation=make.organisation(sector="Steel", country="FR"), language="en") == sdr


def test_every_condition_of_a_rule_must_hold(sdr: User, outsider: User, admin_user: User) -> None:
    rule(admin_user, user=outsider, sector="Textile", country="NL")
    has(outsider, 1, at=make.AT - timedelta(hours=1))
    assert chosen(organisation=mill()) == sdr
    assert chosen(organisation=mill(), country="NL") == outsider, "the country that they named on the form"


def test_the_first_rule_that_fits_decides(sdr: User, outsider: User, admin_user: User) -> None:
    first, second = rule(admin_user, user=sdr, country="BE"), rule(admin_user, user=outsider, sector="Textile")
    assert chosen(organisation=mill()) == sdr
    assignment.move_rule(rule=second, to=0, by=admin_user, at=make.AT)
    assert chosen(organisation=mill()) == outsider
    assignment.save_rule(
        rule=second, user=outsider, sector="Textile", is_active=False, by=admin_user, at=make.AT
    )  # fmt: skip
    assert chosen(organisation=mill()) == sdr
    assert first.position == 0


def test_a_rule_for_a_team_goes_by_turns_within_it(
    sdr: User, teammate: User, outsider: User, team: Team, admin_user: User
) -> None:
    rule(admin_user, team=team, country="BE")
    turns = [arrives(at=make.AT + timedelta(minutes=minute), organisation=mill()) for minute in range(3)]
    assert turns == [sdr, teammate, sdr]


def test_a_rule_of_which_nobody_is_free_is_passed_over(sdr: User, outsider: User, admin_user: User) -> None:
    rule(admin_user, user=outsider, country="BE")
    away(outsider)
    assert chosen(organisation=mill()) == sdr


# ---- By form: a team, an SDR, nobody -------------------------------------------------------------------------------


def test_nobody_is_nobody(sdr: User) -> None:
    assert chosen(owner_rule=OwnerRule.NOBODY) is None


def test_the_sdr_who_is_named_gets_it_whatever_the_turn_and_when_away_the_rules_decide(
    sdr: User, teammate: User
) -> None:
    has(sdr, 1, at=make.AT - timedelta(minutes=5))
    assert chosen(owner_rule=OwnerRule.USER, owner=sdr) == sdr
    away(sdr)
    assert chosen(owner_rule=OwnerRule.USER, owner=sdr) == teammate


def test_the_stand_in_of_who_is_named_comes_before_the_rules(sdr: User, teammate: User, outsider: User) -> None:
    has(outsider, 1, at=make.AT - timedelta(minutes=5))
    away(sdr, stand_in=outsider)
    assert chosen(owner_rule=OwnerRule.USER, owner=sdr) == outsider
    away(outsider)
    assert chosen(owner_rule=OwnerRule.USER, owner=sdr) == teammate


def test_within_a_team_nobody_else_gets_it_and_without_anybody_it_waits(
    sdr: User, outsider: User, other_team: Team
) -> None:
    for _ in range(2):
        assert arrives(owner_rule=OwnerRule.TEAM, team=other_team) == outsider
    assert chosen(owner_rule=OwnerRule.TEAM, team=other_team) is None


def test_a_team_that_was_removed_leaves_it_to_the_rules(sdr: User) -> None:
    assert chosen(owner_rule=OwnerRule.TEAM, team=None) == sdr


# ---- Somebody we know ----------------------------------------------------------------------------------------------


def known_to(user: User, how: str) -> Person:
    if how == "owner":
        return make.person(owner=user)
    lead = make.lead(at=make.AT - timedelta(days=200))
    Lead.objects.filter(pk=lead.pk).update(owner=user)
    assert lead.person is not None
    return lead.person


@pytest.mark.parametrize("how", ["owner", "lead"])
def test_somebody_we_know_goes_back_to_the_sdr_who_knows_them(
    sdr: User, teammate: User, admin_user: User, how: str
) -> None:
    rule(admin_user, user=teammate, origin="website")
    person = known_to(sdr, how)
    assert chosen(person=person, origin="website") == sdr
    away(sdr)
    assert chosen(person=person, origin="website") == teammate


def test_who_knows_them_is_asked_before_the_turns_of_their_team_and_not_of_another(
    sdr: User, outsider: User, team: Team, other_team: Team
) -> None:
    person = known_to(sdr, "owner")
    assert chosen(person=person, owner_rule=OwnerRule.TEAM, team=team) == sdr
    assert chosen(person=person, owner_rule=OwnerRule.TEAM, team=other_team) == outsider


def test_the_account_manager_of_a_customer_gets_no_new_lead_of_theirs(sdr: User, account_manager: User) -> None:
    assert chosen(person=make.person(owner=account_manager)) == sdr


# ---- One query, one at a time --------------------------------------------------------------------------------------


def test_however_many_they_are_it_is_one_query(django_assert_num_queries: Callable[..., Any]) -> None:
    for _ in range(12):
        has(make.user(), 2, at=make.AT - timedelta(days=3))
    with django_assert_num_queries(1):
        assert len(assignment.candidates(make.AT)) == 12
    with django_assert_num_queries(3):  # the lock, the candidates, the rules
        chosen()


@pytest.mark.django_db(transaction=True)
def test_leads_that_arrive_at_once_go_to_two_people() -> None:
    users = {make.user().pk for _ in range(4)}
    start = Barrier(4)

    def arrive(number: int) -> int | None:
        try:
            start.wait()
            with transaction.atomic():
                owner = chosen()
                lead = make.lead()
                Lead.objects.filter(pk=lead.pk).update(owner=owner, assigned_at=make.AT)
            return owner.pk if owner else None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(arrive, range(4))) == users


# ---- Giving and telling --------------------------------------------------------------------------------------------


def test_whoever_is_given_a_lead_by_kring_is_told_in_their_language(sdr: User) -> None:
    sdr.language = "nl"
    sdr.save()
    lead = make.lead("Bram Maes", organisation="Maes BV", message="Which dates?\nFor twelve people.")
    assignment.give(lead=lead, choice=Choice(sdr, GivenBecause.TURNS), at=make.AT)
    lead.refresh_from_db()
    event = Event.objects.get(kind=EventKind.LEAD_ASSIGNED)
    mail = OutgoingMail.objects.get(to=sdr.email)
    assert (lead.owner, lead.assigned_at) == (sdr, make.AT)
    assert (event.by, event.new) == (None, {"owner": "Sofie Peeters", "why": "turns"})
    assert "Bram Maes" in mail.subject
    for words in ("Maes BV", "> Which dates?\n> For twelve people.", "11:30", f"/leads/{lead.pk}/"):
        assert words in mail.body


def test_a_colleague_who_gives_a_lead_is_named_and_who_takes_one_is_told_nothing(sdr: User, teammate: User) -> None:
    lead = leads.take(lead=make.lead(), by=sdr, at=make.AT)
    assert not OutgoingMail.objects.exists()
    later = make.AT + timedelta(hours=1)
    lead = leads.assign(lead=lead, to=teammate, by=sdr, at=later)
    assert lead.assigned_at == later
    assert "Sofie Peeters gave you a lead" in OutgoingMail.objects.get(to=teammate.email).body


def test_to_take_what_was_given_keeps_since_when_it_is_theirs(sdr: User) -> None:
    lead = assignment.give(lead=make.lead(), choice=Choice(sdr, GivenBecause.TURNS), at=make.AT)
    assert leads.take(lead=lead, by=sdr, at=make.AT + timedelta(days=1)).assigned_at == make.AT


# ---- Back to the pool ----------------------------------------------------------------------------------------------

EIGHT_DAYS = make.AT + timedelta(days=8)


def given(to: User, *, at: datetime = make.AT, **fields: Any) -> Lead:
    lead = assignment.give(lead=make.lead(at=at, **fields), choice=Choice(to, GivenBecause.TURNS), at=at)
    OutgoingMail.objects.all().delete()
    return lead


def test_an_untouched_lead_returns_after_a_week_and_those_who_lead_are_told_once(
    sdr: User, manager: User, admin_user: User
) -> None:
    lead = given(sdr, name="Bram Maes", organisation="Maes BV")
    assert assignment.return_untouched(at=make.AT + timedelta(days=7)) == 0
    assert assignment.return_untouched(at=EIGHT_DAYS) == 1
    lead.refresh_from_db()
    event = Event.objects.get(kind=EventKind.LEAD_RETURNED, lead=lead)
    mail = OutgoingMail.objects.exclude(to=sdr.email).get()
    assert (lead.owner, lead.assigned_at, lead.status) == (None, None, LeadStatus.NEW)
    assert (event.by, event.old and event.old["owner"], event.new) == (None, "Sofie Peeters", {"days": 8})
    assert (mail.to, mail.subject) == (manager.email, "1 lead returned to the pool")
    assert "- Bram Maes (Maes BV), with Sofie Peeters since 23 November" in mail.body
    assert "/leads/?status=new&owner=nobody" in mail.body
    assert OutgoingMail.objects.get(to=sdr.email).subject == "Bram Maes (Maes BV) went back to the pool"
    assert assignment.return_untouched(at=EIGHT_DAYS) == 0
    assert OutgoingMail.objects.count() == 2


def test_several_are_one_mail_to_each_in_their_language(sdr: User, teammate: User, team: Team, manager: User) -> None:
    els = make.user("Els", Role.MANAGER, team=team, language="nl")
    for owner in (sdr, teammate, sdr):
        given(owner)
    assert assignment.return_untouched(at=EIGHT_DAYS) == 3
    mail = OutgoingMail.objects.exclude(to__in=[sdr.email, teammate.email]).get()
    assert mail.to == els.email, "the manager of the team, and no other"
    assert mail.body.count("\n- ") == 3
    assert OutgoingMail.objects.get(to=sdr.email).body.count("\n- ") == 2, "theirs, in one"


def test_each_team_waits_its_own_days(sdr: User, outsider: User, other_team: Team) -> None:
    other_team.untouched_days = 2
    other_team.save()
    given(sdr)
    theirs = given(outsider)
    assert assignment.return_untouched(at=make.AT + timedelta(days=3)) == 1
    theirs.refresh_from_db()
    assert theirs.owner is None


def test_without_a_team_it_is_a_week() -> None:
    given(make.user())
    assert assignment.return_untouched(at=make.AT + timedelta(days=7)) == 0
    assert assignment.return_untouched(at=EIGHT_DAYS) == 1


TOUCHES: dict[str, Callable[[Lead, User, datetime], object]] = {
    "taken": lambda lead, by, at: leads.take(lead=lead, by=by, at=at),
    "conversation": lambda lead, by, at: make.conversation(lead.person, by=by, at=at, lead=lead),
    "conversation with the person": lambda lead, by, at: make.conversation(lead.person, by=by, at=at),
    "answered": lambda lead, by, at: leads.answer_criterion(
        lead=lead,
        criterion=make.scorecard().criteria.all()[0],
        value="yes",
        evidence="they said so",
        by=by,
        at=at,
    ),
    "attempt": lambda lead, by, at: make.attempt(lead.person, by=by, at=at, lead=lead),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("how", sorted(TOUCHES))
def test_a_lead_with_which_somebody_did_something_stays(sdr: User, how: str) -> None:
    lead = given(sdr, phone="+32 9 225 25 25")
    TOUCHES[how](lead, sdr, make.AT + timedelta(days=1))
    assert assignment.return_untouched(at=EIGHT_DAYS) == 0
    lead.refresh_from_db()
    assert lead.owner == sdr


def test_what_came_in_by_itself_touches_nothing(sdr: User, teammate: User) -> None:
    lead = given(sdr)
    Event.objects.create(
        kind=EventKind.LEAD_WROTE_AGAIN, at=make.AT + timedelta(days=1), subject_kind="lead", subject_id=lead.pk, lead=lead
    )  # fmt: skip
    assert assignment.return_untouched(at=EIGHT_DAYS) == 1


def test_nobodys_leads_and_those_from_an_old_file_stay_as_they_are(sdr: User) -> None:
    make.lead()
    Lead.objects.filter(pk=make.lead().pk).update(owner=sdr, assigned_at=None)
    assert assignment.return_untouched(at=EIGHT_DAYS) == 0


def test_the_worker_returns_what_is_untouched_and_looks_at_its_follow_ups(
    sdr: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(tasks, "nudge_follow_ups", lambda: asked.append(True))
    lead = given(sdr, at=timezone.now() - timedelta(days=8))
    for _ in range(2):
        tasks.return_untouched_leads()
    lead.refresh_from_db()
    assert (lead.owner, asked) == (None, [True])


@pytest.mark.django_db(transaction=True)
def test_two_workers_return_a_lead_once() -> None:
    owner, start = make.user(), Barrier(2)
    make.user(role=Role.MANAGER)
    given(owner)

    def work(_number: int) -> int:
        try:
            start.wait()
            return assignment.return_untouched(at=EIGHT_DAYS)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) == 1
    assert Event.objects.filter(kind=EventKind.LEAD_RETURNED).count() == 1


# ---- Editing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"user": None}, "one of the two"),
        ({"country": ""}, "at least one condition"),
        ({"country": "Belgium"}, "two letters"),
        ({"language": "fr"}, "languages"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(sdr: User, admin_user: User, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        rule(admin_user, **{"user": sdr, "country": "BE"} | wrong)


def test_a_rule_is_for_a_team_or_an_sdr_and_for_one_who_works_here(sdr: User, team: Team, admin_user: User) -> None:
    with pytest.raises(Refused, match="one of the two"):
        rule(admin_user, user=sdr, team=team, country="BE")
    sdr.is_active = False
    with pytest.raises(Refused, match="Sofie"):
        rule(admin_user, user=sdr, country="BE")


def test_each_change_of_the_rules_is_remembered_and_no_change_is_none(sdr: User, team: Team, admin_user: User) -> None:
    made = rule(admin_user, user=sdr, country="be")
    rule(admin_user, user=sdr, country="BE", rule=made)
    rule(admin_user, team=team, country="BE", rule=made)
    assignment.remove_rule(rule=made, by=admin_user, at=make.AT)
    assignment.remove_rule(rule=made, by=admin_user, at=make.AT)
    events = Event.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED).order_by("pk")
    assert [(event.old or {}).get("to") for event in events] == [None, "Sofie Peeters", "Gent"]
    assert [(event.new or {}).get("to") for event in events] == ["Sofie Peeters", "Gent", None]


def test_a_rule_moves_to_a_place_and_the_others_close_up(sdr: User, admin_user: User) -> None:
    belgium, holland, france = (rule(admin_user, user=sdr, country=country) for country in ("BE", "NL", "FR"))
    for moved, to, order in (
        (france, 0, ["FR", "BE", "NL"]),
        (france, 99, ["BE", "NL", "FR"]),
        (belgium, -1, ["BE", "NL", "FR"]),
        (belgium, 1, ["NL", "BE", "FR"]),
    ):
        assignment.move_rule(rule=moved, to=to, by=admin_user, at=make.AT)
        assert list(AssignmentRule.objects.values_list("country", flat=True)) == order
    assert Event.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED, new__has_key="place").count() == 3
    assignment.remove_rule(rule=holland, by=admin_user, at=make.AT)
    assignment.move_rule(rule=holland, to=0, by=admin_user, at=make.AT)
    assert AssignmentRule.objects.count() == 2


def test_how_much_somebody_takes_on_is_bounded_and_remembered(sdr: User, manager: User) -> None:
    with pytest.raises(Refused, match="between 0 and 1000"):
        assignment.set_share(user=sdr, takes_leads=True, lead_capacity=1001, by=manager, at=make.AT)
    for _ in range(2):
        assignment.set_share(user=sdr, takes_leads=False, lead_capacity=12, by=manager, at=make.AT)
    sdr.refresh_from_db()
    assert (sdr.takes_leads, sdr.lead_capacity) == (False, 12)
    assert Event.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED, subject_id=sdr.pk).count() == 1


def test_the_preview_counts_the_first_rule_that_fits_each_of_the_last_leads(sdr: User, admin_user: User) -> None:
    dutch = rule(admin_user, user=sdr, language="nl")
    website = rule(admin_user, user=sdr, origin="website")
    rule(admin_user, user=sdr, origin="fair", is_active=False)
    for number in range(52):
        make.lead(
            at=make.AT + timedelta(minutes=number),
            language="nl" if number % 2 else "en",
            origin="website" if number >= 42 else "fair",
        )
    found = assignment.preview()
    assert (found.number, found.by_rule, found.rest) == (50, {dutch.pk: 25, website.pk: 5}, 20)
