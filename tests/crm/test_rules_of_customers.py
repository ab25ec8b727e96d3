"""Rules of customers, of the circle and of what we keep: when each asks, when it does not, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from crm import advocacy, conversations, deals, do_not_contact, follow_ups, leads, people, promises, verdicts
from crm.models import (
    Advocate,
    Deal,
    Direction,
    FollowUp,
    Organisation,
    Outcome,
    Person,
    Position,
    Referral,
    ReferralState,
    Rule,
    RuleSetting,
    Team,
    Tier,
    User,
)
from tests import make
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, badge, days, is_quiet, known, only, refresh, said

pytestmark = pytest.mark.django_db

OURS = (
    *(Rule.ASK_REFERRAL, Rule.THANK_REFERRER, Rule.TELL_REFERRER),
    *(Rule.CHECK_IN, Rule.RE_ORDER, Rule.JOURNEY, Rule.LAWFUL_BASIS),
)


def customer(owner: User, name: str = "Maes & Zn", *, since: datetime | None = None) -> Organisation:
    """An organisation that is a customer since more than a year."""
    since = since or AT - days(400)
    company = make.organisation(name, owner=owner, at=since)
    Organisation.objects.filter(pk=company.pk).update(customer_since=since)
    company.refresh_from_db()
    return company


def works_at(company: Organisation, name: str = "Ilse Maes", *, owner: User | None = None, tier: str = "") -> Person:
    return make.person(name, organisation=company, owner=owner or company.owner, tier=tier, at=AT - days(500))


def order(owner: User, company: Organisation, person: Person, at: datetime, **fields: object) -> Deal:
    return make.won_deal(owner, organisation=company, person=person, at=at, **fields)


def set_for(team: Team, rule: Rule, **numbers: int) -> None:
    RuleSetting.objects.create(rule=rule, team=team, numbers=numbers)


def open_on(rule: Rule, at: datetime) -> bool:
    refresh(at)
    return not is_quiet(rule)


# ---- A good moment to ask ------------------------------------------------------------------------------------------


def gains(person: Person, owner: User, at: datetime) -> None:
    make.conversation(person, by=owner, at=at, has_gain=True)


def keeps(person: Person, owner: User, at: datetime) -> None:
    made = make.promise(person, by=owner, due_on=at.date(), at=at - days(3), text="Send the plan")
    promises.keep(promise=made, by=owner, at=at)


def orders(person: Person, owner: User, at: datetime) -> None:
    order(owner, person.positions.get().organisation, person, at)


def colleague_orders(person: Person, owner: User, at: datetime) -> None:
    company = person.positions.get().organisation
    make.conversation(person, by=owner, at=at - days(60))
    order(owner, company, works_at(company, "Bert Maes"), at)


def named(person: Person, owner: User, at: datetime) -> None:
    advocacy.name_advocate(person=person, by=owner, at=at, evidence="Praised us on a fair")


MOMENTS: list[tuple[Callable[[Person, User, datetime], None], str]] = [
    (gains, "Ilse Maes was helped on 16 November: they gained something when you spoke."),
    (keeps, "On 16 November we kept our promise to Ilse Maes: “Send the plan”."),
    (orders, "Ilse Maes ordered on 16 November."),
    (colleague_orders, "Maes & Zn, where Ilse Maes works, ordered on 16 November."),
    (named, "Ilse Maes has spoken well of us since 16 November."),
]


@pytest.mark.parametrize(("happens", "words"), MOMENTS, ids=[happens.__name__ for happens, _words in MOMENTS])
def test_who_was_just_helped_or_is_happy_is_asked_for_a_fortnight(account_manager, happens, words):
    ilse = works_at(customer(account_manager))
    happens(ilse, account_manager, AT - days(7))
    refresh()
    follow_up = FollowUp.objects.open().get(rule=Rule.ASK_REFERRAL, person=ilse)
    assert (follow_up.owner, follow_up.rank) == (account_manager, 6)
    assert said(follow_up) == f"{words} They have never been asked whom they would call in your place."
    assert badge(follow_up) == "a good moment to ask"
    refresh(AT + days(7))
    assert FollowUp.objects.open().filter(rule=Rule.ASK_REFERRAL, person=ilse).exists()
    refresh(AT + days(8))
    follow_up.refresh_from_db()
    assert follow_up.outcome == Outcome.CAUSE_GONE


def test_who_never_ordered_nor_works_for_a_customer_is_not_asked_unless_they_speak_well_of_us(account_manager):
    stranger = known("Ilse Maes", account_manager)
    gains(stranger, account_manager, AT - days(1))
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL)
    named(stranger, account_manager, AT - days(300))
    refresh()
    assert "was helped on 22 November" in said(only(Rule.ASK_REFERRAL))


def test_who_left_the_customer_is_not_asked_for_it(account_manager):
    ilse = works_at(customer(account_manager))
    gains(ilse, account_manager, AT - days(1))
    Position.objects.update(ended_on=TODAY - days(2))
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL)


def test_of_a_whole_company_only_who_ever_answered_us_is_asked_about_its_order(account_manager):
    company = customer(account_manager)
    ilse, _silent = works_at(company), works_at(company, "Bert Maes")
    order(account_manager, company, ilse, AT - days(2))
    refresh()
    assert only(Rule.ASK_REFERRAL).person == ilse


@pytest.mark.parametrize(("ago", "asks"), [(89, False), (90, True), (140, True)])
def test_who_was_asked_lately_is_not_asked_again(account_manager, ago, asks):
    ilse = works_at(customer(account_manager))
    referral = advocacy.ask(person=ilse, by=account_manager, at=AT - days(ago))
    Referral.objects.filter(pk=referral.pk).update(state=ReferralState.LAPSED)
    gains(ilse, account_manager, AT - days(11))
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL) is not asks
    if asks:
        assert f"They have not been asked for an introduction for {ago} days." in said(only(Rule.ASK_REFERRAL))


@pytest.mark.parametrize("state", ["asked", "promised", "refused"])
def test_one_question_at_a_time_and_none_after_a_no(account_manager, state):
    ilse = works_at(customer(account_manager))
    referral = advocacy.ask(person=ilse, by=account_manager, at=AT - days(200))
    if state == "promised":
        advocacy.promise(referral=referral, by=account_manager, at=AT - days(200))
    elif state == "refused":
        advocacy.refuse(referral=referral, by=account_manager, at=AT - days(200))
    gains(ilse, account_manager, AT - days(1))
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL)


def test_asking_ends_it_and_so_does_a_wish_to_be_left_in_peace(account_manager):
    company = customer(account_manager)
    ilse, bert = works_at(company), works_at(company, "Bert Maes")
    for person in (ilse, bert):
        gains(person, account_manager, AT - days(1))
    assert refresh().made == 2
    advocacy.ask(person=ilse, by=account_manager, at=AT)
    make.wish(person=bert, by=account_manager)
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL)


def test_contact_me_after_holds_for_asking(account_manager):
    ilse = works_at(customer(account_manager))
    gains(ilse, account_manager, AT - days(1))
    people.set_not_before(person=ilse, until=TODAY + days(4), why="Stocktaking", by=account_manager, at=AT)
    assert not open_on(Rule.ASK_REFERRAL, AT + days(3))
    assert open_on(Rule.ASK_REFERRAL, AT + days(4))


def test_what_a_colleague_keeps_private_is_no_moment(account_manager):
    ilse = works_at(customer(account_manager))
    make.conversation(ilse, by=account_manager, at=AT - days(1), has_gain=True, private_to=account_manager)
    refresh()
    assert is_quiet(Rule.ASK_REFERRAL)


def test_a_moment_that_was_put_off_is_still_there_afterwards(account_manager):
    ilse = works_at(customer(account_manager))
    gains(ilse, account_manager, AT - days(10))
    refresh()
    follow_up = only(Rule.ASK_REFERRAL)
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(21), by=account_manager, at=AT)
    refresh(AT + days(21))
    assert only(Rule.ASK_REFERRAL) == follow_up
    refresh(AT + days(36))
    assert is_quiet(Rule.ASK_REFERRAL)


def test_who_was_asked_by_hand_is_asked_again_only_at_a_new_moment(account_manager):
    ilse = works_at(customer(account_manager))
    gains(ilse, account_manager, AT - days(1))
    refresh()
    follow_ups.not_needed(follow_up=only(Rule.ASK_REFERRAL), by=account_manager, at=AT)
    assert refresh(AT + days(1)).made == 0
    gains(ilse, account_manager, AT + days(2))
    refresh(AT + days(2))
    assert "on 25 November" in said(only(Rule.ASK_REFERRAL))


# ---- Thank, and tell how it went -----------------------------------------------------------------------------------


def introduced(owner: User, at: datetime) -> Referral:
    """Peter introduced An."""
    company = customer(owner, "Vandermeulen Logistics")
    referral = advocacy.ask(person=works_at(company, "Peter van der Meulen"), by=owner, at=at - days(20))
    advocacy.introduce(referral=referral, name="An Claes", email="an@claes.example", by=owner, at=at)
    referral.refresh_from_db()
    return referral


@pytest.mark.parametrize(
    ("on", "due"),
    [
        (date(2026, 11, 19), date(2026, 11, 23)),  # A Thursday: two working days later is Monday.
        (date(2026, 12, 23), date(2026, 12, 28)),  # Christmas, a Friday, and a weekend between.
        (date(2026, 10, 23), date(2026, 10, 27)),  # Over the end of summer time.
        (date(2027, 3, 25), date(2027, 3, 30)),  # Easter Monday, and the beginning of summer time.
    ],
)
def test_who_introduced_somebody_is_thanked_within_two_working_days(account_manager, on, due):
    at = datetime.combine(on, time(10), tzinfo=BRUSSELS)
    referral = introduced(account_manager, at)
    morning = datetime.combine(due, time(9), tzinfo=BRUSSELS)
    assert not open_on(Rule.THANK_REFERRER, morning - days(1))
    refresh(morning)
    follow_up = only(Rule.THANK_REFERRER)
    assert (follow_up.person, follow_up.due_at, follow_up.rank) == (referral.referrer, morning, 4)
    assert said(follow_up, morning).startswith("Peter van der Meulen introduced An Claes on")
    assert said(follow_up, morning).endswith("and nobody has thanked them yet.")
    assert badge(follow_up, morning) == "thanks, due today"
    assert badge(follow_up, morning + days(2)) == "thanks, 2 days late"


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"at": AT}, True),
        ({"at": AT, "direction": Direction.OUTGOING}, True),
        ({"at": AT, "direction": Direction.INCOMING}, False),
        ({"at": AT, "is_automatic": True}, False),
        ({"at": AT - days(8)}, False),
    ],
)
def test_a_word_of_ours_after_the_introduction_is_the_thanks(account_manager, teammate, fields, ends):
    referral = introduced(account_manager, AT - days(7))
    refresh()
    only(Rule.THANK_REFERRER)
    make.conversation(referral.referrer, by=teammate, **fields)
    refresh(AT + timedelta(hours=1))
    assert is_quiet(Rule.THANK_REFERRER) is ends


def test_the_referrer_hears_within_five_working_days_that_an_order_came_of_it(account_manager):
    referral = introduced(account_manager, AT - days(40))
    make.conversation(referral.referrer, by=account_manager, at=AT - days(38))
    deal = make.deal(account_manager, person=referral.introduced, at=AT - days(20))
    Deal.objects.filter(pk=deal.pk).update(lead=referral.lead)
    deal.refresh_from_db()
    deals.win(deal=deal, by=account_manager, at=AT - days(6))  # A Tuesday.
    assert not open_on(Rule.TELL_REFERRER, AT - days(1))
    refresh(AT + days(1))
    follow_up = only(Rule.TELL_REFERRER)
    assert (follow_up.person, follow_up.owner, follow_up.rank) == (referral.referrer, account_manager, 4)
    assert follow_up.due_at == datetime(2026, 11, 24, 9, tzinfo=BRUSSELS)
    assert (
        said(follow_up)
        == "An Claes, whom Peter van der Meulen introduced, ordered on 17 November. Tell them how it went, and thank them."
    )
    assert badge(follow_up, AT + days(1)) == "tell how it went, due today"
    make.conversation(referral.referrer, by=account_manager, at=AT + days(1))
    assert open_on(Rule.TELL_REFERRER, AT + days(1)), "only telling them ends it"
    advocacy.thank(referral=referral, by=account_manager, at=AT + days(1))
    assert not open_on(Rule.TELL_REFERRER, AT + days(1))


@pytest.mark.parametrize("how", ["declined", "lost", "given up"])
def test_the_referrer_hears_too_when_nothing_came_of_it(account_manager, how):
    referral = introduced(account_manager, AT - days(40))
    make.conversation(referral.referrer, by=account_manager, at=AT - days(38))
    assert referral.lead
    if how == "declined":
        lead = leads.take(lead=referral.lead, by=account_manager, at=AT - days(30))
        verdicts.decline(lead=lead, reason="not_now", by=account_manager, at=AT - days(14))
    elif how == "lost":
        deal = make.deal(account_manager, person=referral.introduced, at=AT - days(20))
        Deal.objects.filter(pk=deal.pk).update(lead=referral.lead)
        deal.refresh_from_db()
        deals.lose(deal=deal, reason="price", by=account_manager, at=AT - days(14))
    else:
        advocacy.lose(referral=referral, by=account_manager, at=AT - days(14))
    # A Monday; the Wednesday of that week is Armistice Day.
    assert not open_on(Rule.TELL_REFERRER, AT - days(7))
    refresh(AT - days(6))
    assert (
        said(only(Rule.TELL_REFERRER))
        == "With An Claes, whom Peter van der Meulen introduced, it came to no order, as was clear on 9 November. Tell them, and thank them."
    )


def test_who_wants_peace_is_not_thanked_nor_told(account_manager):
    referral = introduced(account_manager, AT - days(40))
    told = introduced_and_lost(account_manager)
    refresh()
    assert only(Rule.THANK_REFERRER).person == referral.referrer
    assert only(Rule.TELL_REFERRER).person == told.referrer, "who hears how it went hears our thanks, too"
    for one in (referral, told):
        make.wish(person=one.referrer, by=account_manager)
    refresh()
    assert is_quiet(Rule.THANK_REFERRER)
    assert is_quiet(Rule.TELL_REFERRER)


# ---- First check-in ------------------------------------------------------------------------------------------------


def test_a_fortnight_after_an_order_somebody_asks_how_it_is_going(account_manager):
    deal = make.won_deal(account_manager, name="Planning suite", at=AT - days(14))
    assert not open_on(Rule.CHECK_IN, AT - days(1))
    refresh()
    follow_up = only(Rule.CHECK_IN)
    assert (follow_up.deal, follow_up.person, follow_up.owner) == (deal, deal.person, account_manager)
    assert (
        said(follow_up)
        == f"{deal.person} ordered “Planning suite” on 9 November, and nobody has spoken with them since. Ask how it is going."
    )
    assert badge(follow_up) == "ordered 14 days ago"
    assert open_on(Rule.CHECK_IN, AT + days(76))
    assert not open_on(Rule.CHECK_IN, AT + days(77)), "no first check-in any more"


def test_an_old_order_from_a_file_asks_nothing(account_manager):
    make.won_deal(account_manager, at=AT - days(800))
    refresh()
    assert is_quiet(Rule.CHECK_IN)


@pytest.mark.parametrize(
    ("ends", "quiet"),
    [
        ("spoke", True),
        ("wrote", False),
        ("they wrote", True),
        ("on the day", False),
        ("booked", True),
        ("ordered again", True),
        ("colleague spoke", False),
        ("peace", True),
    ],
)
def test_a_two_way_contact_since_the_order_is_the_check_in(account_manager, ends, quiet):
    deal = make.won_deal(account_manager, at=AT - days(20))
    person, company = deal.person, deal.organisation
    assert person
    assert company
    refresh()
    before = only(Rule.CHECK_IN)
    match ends:
        case "spoke":
            make.conversation(person, by=account_manager, at=AT - days(10))
        case "wrote":
            make.conversation(person, by=account_manager, at=AT - days(10), direction=Direction.OUTGOING)
        case "they wrote":
            make.conversation(person, by=account_manager, at=AT - days(10), direction=Direction.INCOMING)
        case "on the day":
            make.conversation(person, by=account_manager, at=AT - days(20) + timedelta(hours=2))
        case "booked":
            make.appointment(account_manager, person=person)
        case "ordered again":
            order(account_manager, company, person, AT - days(2))
        case "colleague spoke":
            make.conversation(works_at(company, "Bert Maes"), by=account_manager, at=AT - days(10))
        case "peace":
            make.wish(person=person, by=account_manager)
    refresh()
    assert FollowUp.objects.open().filter(pk=before.pk).exists() is not quiet


def test_a_check_in_that_was_put_off_beyond_its_time_is_still_there(account_manager):
    make.won_deal(account_manager, at=AT - days(80))
    refresh()
    follow_up = only(Rule.CHECK_IN)
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(30), by=account_manager, at=AT)
    refresh(AT + days(30))
    assert only(Rule.CHECK_IN) == follow_up


# ---- The usual moment to order again -------------------------------------------------------------------------------


def ordered(owner: User, *ago: int) -> tuple[Organisation, Person]:
    """A customer who ordered so many days ago."""
    company = customer(owner)
    ilse = works_at(company)
    for number in ago:
        order(owner, company, ilse, AT - days(number))
    return company, ilse


@pytest.mark.parametrize(
    ("ago", "median"),
    [
        ((160, 100, 60), 50),  # 60 and 40 days apart.
        ((165, 100, 60), 53),  # 52.5 days is no day: the next whole one.
        ((400, 120, 100, 60), 40),  # 280, 20 and 40: one long pause says little.
        ((160, 100, 100, 60), 50),  # Two orders of one day are one moment.
    ],
)
def test_a_customer_is_asked_when_their_own_usual_while_has_passed(account_manager, ago, median):
    company, ilse = ordered(account_manager, *ago)
    moment = AT - days(60) + days(median)
    assert not open_on(Rule.RE_ORDER, moment - days(1))
    refresh(moment)
    follow_up = only(Rule.RE_ORDER)
    assert (follow_up.organisation, follow_up.person, follow_up.owner) == (company, ilse, account_manager)
    assert (follow_up.why["median"], follow_up.why["orders"]) == (median, len(set(ago)))
    assert badge(follow_up) == "usual moment to order again"


def test_a_usual_moment_says_how_often_and_how_far_apart(account_manager):
    ordered(account_manager, 160, 100, 60)
    refresh()
    assert (
        said(only(Rule.RE_ORDER))
        == "Maes & Zn ordered 3 times, mostly 50 days apart. Their last order was on 24 September, 60 days ago."
    )


def test_two_orders_are_no_habit_unless_the_team_says_so(account_manager, team):
    ordered(account_manager, 100, 60)
    refresh()
    assert is_quiet(Rule.RE_ORDER)
    set_for(team, Rule.RE_ORDER, orders=2)
    refresh()
    assert only(Rule.RE_ORDER).why["median"] == 40


@pytest.mark.parametrize("ends", ["ordered", "open deal", "long ago"])
def test_a_usual_moment_ends(account_manager, ends):
    company, ilse = ordered(account_manager, 160, 100, 60)
    refresh()
    before = only(Rule.RE_ORDER)
    at = AT
    if ends == "ordered":
        order(account_manager, company, ilse, AT)
    elif ends == "open deal":
        make.deal(account_manager, organisation=company, person=ilse)
    else:
        at = AT + days(356)
    refresh(at)
    before.refresh_from_db()
    assert before.outcome == Outcome.CAUSE_GONE


def test_a_usual_moment_names_nobody_who_left_or_wants_peace(account_manager):
    _company, ilse = ordered(account_manager, 160, 100, 60)
    refresh()
    wish = make.wish(person=ilse, by=account_manager)
    refresh()
    assert only(Rule.RE_ORDER).person is None
    wish.delete()
    Position.objects.filter(person=ilse).update(ended_on=TODAY)
    refresh()
    assert only(Rule.RE_ORDER).person is None


# ---- The journey interview -----------------------------------------------------------------------------------------


def test_a_core_customer_is_asked_once_how_they_came_to_buy(account_manager):
    company = customer(account_manager, since=AT - days(30))
    works_at(company, "Bert Maes")
    ilse = works_at(company, tier=Tier.A)
    later = works_at(company, "Karim Boulhani", tier=Tier.A)
    make.conversation(ilse, by=account_manager, at=AT - days(40))
    make.conversation(later, by=account_manager, at=AT - days(35))
    assert not open_on(Rule.JOURNEY, AT - days(1))
    refresh()
    follow_up = only(Rule.JOURNEY)
    assert (follow_up.organisation, follow_up.person, follow_up.rank) == (company, later, 7)
    assert (
        said(follow_up)
        == "Maes & Zn has been a customer since 24 October, and nobody has asked yet how they came to buy. Karim Boulhani may like to tell."
    )
    assert badge(follow_up) == "journey interview"


@pytest.mark.parametrize(
    ("tier", "orders", "core"), [("", 1, False), ("B", 1, False), ("A", 0, True), ("", 2, True), ("left", 0, False)]
)
def test_a_core_customer_has_somebody_in_tier_a_or_ordered_twice(account_manager, tier, orders, core):
    company = customer(account_manager)
    ilse = works_at(company, tier=tier.replace("left", "A"))
    for number in range(orders):
        order(account_manager, company, ilse, AT - days(200 + number))
    if tier == "left":
        Position.objects.update(ended_on=TODAY - days(1))
    refresh()
    assert is_quiet(Rule.JOURNEY) is not core


@pytest.mark.parametrize("where", ["organisation", "person", "elsewhere"])
def test_an_interview_with_them_ends_it(account_manager, where):
    company = customer(account_manager)
    ilse = works_at(company, tier=Tier.A)
    refresh()
    only(Rule.JOURNEY)
    other = make.organisation("Elsewhere")
    made = make.conversation(
        ilse,
        by=account_manager,
        organisation={"organisation": company, "elsewhere": other}.get(where, company),
        is_journey_interview=True,
    )
    if where == "person":
        conversations.change(conversation=made, organisation=None, by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.JOURNEY) is (where != "elsewhere")
    conversations.change(conversation=made, is_journey_interview=False, by=account_manager, at=AT)
    refresh()
    only(Rule.JOURNEY)


def test_nobody_is_named_for_the_interview_when_all_want_peace(account_manager):
    ilse = works_at(customer(account_manager), tier=Tier.A)
    make.wish(person=ilse, by=account_manager)
    refresh()
    follow_up = only(Rule.JOURNEY)
    assert follow_up.person is None
    assert said(follow_up).endswith("and nobody has asked yet how they came to buy.")


def test_an_interview_that_is_not_needed_is_not_asked_for_again(account_manager):
    works_at(customer(account_manager), tier=Tier.A)
    refresh()
    follow_ups.not_needed(follow_up=only(Rule.JOURNEY), by=account_manager, at=AT)
    assert not open_on(Rule.JOURNEY, AT + days(200))


# ---- Lawful basis --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "review", "opens"),
    [
        (TODAY - days(100), TODAY + days(1), TODAY + days(1)),
        (date(2025, 11, 25), None, date(2026, 11, 25)),
        (date(2024, 2, 29), None, date(2026, 11, 23)),  # Long since.
        (None, TODAY, TODAY),
        (None, None, None),
    ],
)
def test_the_ground_for_keeping_data_is_looked_at_again_in_time(account_manager, since, review, opens):
    ilse = known("Ilse Maes", account_manager)
    Person.objects.filter(pk=ilse.pk).update(lawful_basis="interest", basis_since=since, basis_review_on=review)
    if opens is None:
        assert not open_on(Rule.LAWFUL_BASIS, AT + days(700))
        return
    moment = datetime.combine(opens, time(10), tzinfo=BRUSSELS)
    if opens > TODAY:
        assert not open_on(Rule.LAWFUL_BASIS, moment - days(1))
    refresh(moment)
    follow_up = only(Rule.LAWFUL_BASIS)
    assert (follow_up.person, follow_up.owner, follow_up.rank) == (ilse, account_manager, 7)


def test_a_review_says_on_which_ground_and_since_when(account_manager):
    ilse = known("Ilse Maes", account_manager)
    people.change(person=ilse, lawful_basis="consent", by=account_manager, at=AT - days(368))
    assert not open_on(Rule.LAWFUL_BASIS, AT - days(4))
    refresh()
    follow_up = only(Rule.LAWFUL_BASIS)
    assert (
        said(follow_up)
        == "Since 20 November 2025 we keep the data of Ilse Maes on this ground: “They agreed to it”. See whether it still holds."
    )
    assert badge(follow_up) == "review, 3 days late"
    people.change(person=ilse, basis_review_on=TODAY + days(300), by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.LAWFUL_BASIS)


def test_a_review_is_the_managers_when_nobody_knows_them_and_does_not_ask_for_contact(account_manager, manager):
    nobodys = make.person("Ilse Maes")
    make.wish(person=nobodys, by=account_manager)
    people.change(person=nobodys, lawful_basis="contract", basis_review_on=TODAY, by=account_manager, at=AT - days(9))
    Person.objects.filter(pk=make.person().pk).update(basis_review_on=TODAY)  # No ground, so nothing to review.
    refresh()
    assert only(Rule.LAWFUL_BASIS).owner == manager


def test_a_review_is_no_reason_to_call_so_it_keeps_nobody_from_being_in_touch(account_manager):
    ilse = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(50))
    people.change(person=ilse, lawful_basis="contract", basis_review_on=TODAY, by=account_manager, at=AT - days(9))
    refresh()
    assert only(Rule.LAWFUL_BASIS).person == ilse
    assert only(Rule.KEEP_IN_TOUCH).person == ilse


# ---- All of them ---------------------------------------------------------------------------------------------------


def everything_of_customers(account_manager: User) -> None:
    """One cause for each rule of this room: Ilse was helped, Peter introduced two people, Karim ordered, others ordered thrice, and so on."""
    gains(works_at(customer(account_manager)), account_manager, AT - days(3))
    introduced(account_manager, AT - days(7))
    told = introduced_and_lost(account_manager)
    make.conversation(told.referrer, by=account_manager, at=AT - days(38))
    make.won_deal(account_manager, at=AT - days(20))
    regular = customer(account_manager, "De Linde")
    anke = works_at(regular, "Anke Smeets")
    for number in (260, 200, 160):
        order(account_manager, regular, anke, AT - days(number))
    make.conversation(anke, by=account_manager, at=AT - days(150), is_journey_interview=True)
    works_at(customer(account_manager, "Notelaar"), "Sofie De Wit", tier=Tier.A)
    kept = known("Bert Claes", account_manager)
    people.change(person=kept, lawful_basis="consent", basis_review_on=TODAY, by=account_manager, at=AT - days(9))


def introduced_and_lost(owner: User) -> Referral:
    company = customer(owner, "Boulhani")
    referral = advocacy.ask(person=works_at(company, "Karim Boulhani"), by=owner, at=AT - days(60))
    advocacy.introduce(referral=referral, name="Jan Boon", email="jan@boon.example", by=owner, at=AT - days(40))
    advocacy.lose(referral=referral, by=owner, at=AT - days(14))
    return referral


def test_each_rule_of_customers_is_caused_once_says_why_and_is_quiet_the_second_time(account_manager):
    everything_of_customers(account_manager)
    assert not Advocate.objects.filter(since__gt=AT - days(6)).exists()
    refresh()
    opened = list(FollowUp.objects.open().filter(rule__in=OURS))
    assert sorted(row.rule for row in opened) == sorted(OURS)
    for row in opened:
        assert said(row).endswith(".")
        assert not {key for key in row.why if key.endswith("id")}
    assert refresh(AT + timedelta(minutes=15)).made == 0


def test_each_rule_counts_with_the_numbers_of_its_team(account_manager, team):
    """What is open with the numbers as they come closes when the team waits longer."""
    everything_of_customers(account_manager)
    refresh()
    longer = {
        Rule.ASK_REFERRAL: {"days": 2},
        Rule.THANK_REFERRER: {"days": 9},
        Rule.TELL_REFERRER: {"days": 20},
        Rule.CHECK_IN: {"days": 21},
        Rule.RE_ORDER: {"orders": 4},
        Rule.JOURNEY: {"days": 730},
        Rule.LAWFUL_BASIS: {},
    }
    for rule, numbers in longer.items():
        set_for(team, rule, **numbers)
    RuleSetting.objects.filter(rule=Rule.LAWFUL_BASIS).update(is_on=False)
    refresh()
    assert not FollowUp.objects.open().filter(rule__in=longer).exists()


def test_a_review_without_a_day_of_its_own_comes_when_the_team_says(account_manager, team):
    ilse = known("Ilse Maes", account_manager)
    Person.objects.filter(pk=ilse.pk).update(lawful_basis="interest", basis_since=TODAY - days(200))
    refresh()
    assert is_quiet(Rule.LAWFUL_BASIS)
    set_for(team, Rule.LAWFUL_BASIS, months=6)
    refresh()
    only(Rule.LAWFUL_BASIS)


def test_what_a_verb_touched_is_looked_at_again_as_everything_would_be(account_manager):
    """After each of these acts the refresh of what it touched leaves a complete one nothing to do."""
    by: dict[str, Any] = {"by": account_manager, "at": AT}
    company = customer(account_manager)
    ilse, bert = works_at(company, tier=Tier.A), works_at(company, "Bert Maes")
    make.conversation(bert, by=account_manager, at=AT - days(300))
    for number in (260, 200, 160):
        order(account_manager, company, bert, AT - days(number))
    referral = introduced(account_manager, AT - days(40))
    newcomer = referral.introduced
    assert newcomer
    bought = make.won_deal(account_manager, at=AT - days(20))
    follow_ups.refresh(at=AT)
    talk = conversations.log(people=[bert, ilse], kind="visit", **by)
    wish = make.wish(person=ilse)
    acts: list[Callable[[], object]] = [
        lambda: conversations.change(conversation=talk, has_gain=True, is_journey_interview=True, **by),
        lambda: conversations.delete(conversation=talk, **by),
        lambda: do_not_contact.lift(wish=wish, why="She called us herself", **by),
        lambda: people.change(person=ilse, tier="", lawful_basis="consent", basis_review_on=TODAY, **by),
        lambda: people.end_position(position=bert.positions.get(), **by),
        lambda: order(account_manager, company, ilse, AT),
        lambda: people.change(person=newcomer, family_name="Boon", **by),
        lambda: advocacy.lose(referral=referral, **by),
        lambda: advocacy.thank(referral=referral, **by),
        lambda: make.appointment(account_manager, person=bought.person),
    ]
    for act in acts:
        act()
        follow_ups.refresh_touched(at=AT)
        left = [
            report
            for report in follow_ups.refresh(at=AT, rules=OURS).rules
            if report.made + report.changed + report.closed
        ]
        assert left == []
    assert FollowUp.objects.filter(rule__in=OURS, closed_at__isnull=False).count() >= 4
