"""Who fits: an order that explains itself, that more of a good thing never worsens, and that never begins with somebody who is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import deals, fitting
from crm.fitting import Facts
from crm.models import Absence, Lead, Role, User
from tests import make

MONDAY = make.AT.date()


def unsaved(number: int) -> User:
    return User(pk=number, name=f"AM {number}", language="nl")


def facts(number: int = 1) -> st.SearchStrategy[Facts]:
    def build(**drawn: Any) -> Facts:
        return Facts(user=unsaved(number), sector="interiors", today=MONDAY, **drawn)

    return st.integers(0, 12).flatmap(
        lambda closed: st.builds(
            build,
            speaks=st.booleans(),
            knows_sector=st.booleans(),
            closed=st.just(closed),
            won=st.integers(0, closed),
            shared=st.sampled_from([(), ("sailing",), ("sailing", "chess"), ("a", "b", "c", "d")]),
            in_hand=st.integers(0, 20),
            known_since=st.sampled_from([None, date(2024, 3, 1)]),
            looks_after=st.booleans(),
            orders=st.integers(0, 3),
            away_from=st.sampled_from([None, MONDAY, MONDAY + timedelta(days=1)]),
            away_until=st.just(MONDAY + timedelta(days=9)),
        )
    )


def better(one: Facts) -> list[Facts]:
    """The same account manager, each time with more of one good thing."""
    return [
        replace(one, speaks=True),
        replace(one, knows_sector=True),
        replace(one, won=one.won + 1, closed=one.closed + 1),
        replace(one, shared=(*one.shared, "gardens")),
        replace(one, in_hand=max(0, one.in_hand - 1)),
        replace(one, known_since=date(2020, 1, 1)),
        replace(one, looks_after=True),
        replace(one, orders=one.orders + 1),
        replace(one, away_from=None),
    ]


def place(known: list[Facts], number: int) -> int:
    return [fit.user.pk for fit in fitting.rank(known)].index(number)


@given(facts(1), st.lists(st.integers(2, 5).flatmap(facts), max_size=4, unique_by=lambda each: each.user.pk))
def test_more_of_a_good_thing_never_lowers_a_place(one: Facts, others: list[Facts]) -> None:
    before = place([one, *others], 1)
    for improved in better(one):
        assert place([improved, *others], 1) <= before


@given(st.lists(st.integers(1, 6).flatmap(facts), max_size=6, unique_by=lambda each: each.user.pk), st.randoms())
def test_the_same_facts_give_the_same_order_whatever_order_they_come_in(known: list[Facts], dice: Any) -> None:
    order = [fit.user.pk for fit in fitting.rank(known)]
    mixed = list(known)
    dice.shuffle(mixed)
    assert [fit.user.pk for fit in fitting.rank(mixed)] == order


@given(st.lists(st.integers(1, 6).flatmap(facts), max_size=6, unique_by=lambda each: each.user.pk))
def test_nobody_is_proposed_who_is_away_or_leaves_soon(known: list[Facts]) -> None:
    fits = fitting.rank(known)
    presences = [fit.facts.presence for fit in fits]
    assert presences == sorted(presences)
    best = fitting.suggested(fits)
    assert best is None or best.facts.away_from is None
    assert (best is None) is all(each.away_from is not None for each in known)


@pytest.fixture
def joris(sdr: User) -> User:
    return make.user("Joris Dewael", Role.ACCOUNT_MANAGER, language="nl")


@pytest.fixture
def els(sdr: User) -> User:
    return make.user("Els Verbeke", Role.ACCOUNT_MANAGER, language="en")


def a_lead(sdr: User, **fields: Any) -> Lead:
    organisation = make.organisation("Notelaar", sector="interiors")
    person = make.person("Sofie De Wit", organisation=organisation, language="nl", **fields)
    return make.working_lead(sdr, person=person, company=organisation)


def reasons(lead: Lead) -> dict[str, tuple[str, ...]]:
    return {fit.user.name: fit.reasons for fit in fitting.who_fits(lead, at=make.AT)}


def names(lead: Lead) -> list[str]:
    return [fit.user.name for fit in fitting.who_fits(lead, at=make.AT)]


@pytest.mark.django_db
def test_who_speaks_their_language_comes_first_and_it_says_so(sdr: User, els: User, joris: User) -> None:
    lead = a_lead(sdr)
    assert names(lead) == ["Joris Dewael", "Els Verbeke"]
    assert reasons(lead) == {"Joris Dewael": ("Dutch", "nothing in hand"), "Els Verbeke": ("nothing in hand",)}


@pytest.mark.django_db
def test_a_share_of_orders_counts_from_five_closed_deals_on(sdr: User, els: User) -> None:
    lead = a_lead(sdr)
    company = make.organisation(sector="Interiors")
    for number in range(4):
        make.won_deal(els, organisation=company)
        fit = fitting.who_fits(lead, at=make.AT)[0]
        assert fit.reasons[0] == f"interiors {number + 1} closed so far, too few to tell"
        assert fit.points == fitting.ROOM
    deals.lose(deal=make.deal(els, organisation=company), reason="price", note="", by=els, at=make.AT)
    fit = fitting.who_fits(lead, at=make.AT)[0]
    assert fit.reasons[0] == "interiors 4 of 5 won"
    assert fit.points == pytest.approx(fitting.ROOM + fitting.RECORD * 0.8)


@pytest.mark.django_db
def test_shared_interests_are_found_whatever_their_accents_and_capitals(sdr: User, els: User) -> None:
    els.interests, els.sectors = ["Operá", "chess"], ["INTERIORS"]
    els.save()
    assert reasons(a_lead(sdr, interests=["opera", "sailing"]))["Els Verbeke"][:2] == (
        "knows interiors",
        "likes opera, too",
    )


@pytest.mark.django_db
def test_who_knows_them_goes_on_with_them(sdr: User, els: User, joris: User) -> None:
    lead = a_lead(sdr)
    assert lead.person is not None
    make.conversation(lead.person, by=els, at=make.AT - timedelta(days=800))
    make.won_deal(els, organisation=lead.organisation, person=lead.person)
    lead.person.owner = els
    lead.person.save(update_fields=["owner"])
    assert names(lead)[0] == "Els Verbeke"
    assert reasons(lead)["Els Verbeke"][:4] == (
        "interiors 1 closed so far, too few to tell",
        "looks after them",
        "1 order from them",
        "knows them since 2024",
    )


@pytest.mark.django_db
def test_full_hands_count_beside_those_of_the_others(sdr: User, els: User) -> None:
    make.user("Karel Aerts", Role.ACCOUNT_MANAGER, language="en")
    lead = a_lead(sdr)
    assert names(lead) == ["Els Verbeke", "Karel Aerts"]
    make.deal(els)
    make.hand_off(sdr, els)
    assert names(lead) == ["Karel Aerts", "Els Verbeke"]
    assert reasons(lead)["Els Verbeke"] == ("2 in hand, the most of all",)


@pytest.mark.django_db
def test_who_is_away_stands_last_and_who_leaves_soon_is_not_proposed(sdr: User, els: User, joris: User) -> None:
    lead = a_lead(sdr)
    absence = Absence.objects.create(
        user=joris, starts_on=MONDAY + timedelta(days=3), ends_on=MONDAY + timedelta(days=4)
    )
    fits = fitting.who_fits(lead, at=make.AT)
    assert [fit.user for fit in fits] == [els, joris], "away from the third working day on"
    assert fits[1].reasons[0] == "away from Thursday 26 November"
    best = fitting.suggested(fits)
    assert best is not None
    assert best.user == els
    Absence.objects.create(user=els, starts_on=MONDAY - timedelta(days=1), ends_on=MONDAY)
    Absence.objects.create(user=els, starts_on=MONDAY + timedelta(days=1), ends_on=MONDAY + timedelta(days=2))
    fits = fitting.who_fits(lead, at=make.AT)
    assert [fit.user for fit in fits] == [joris, els]
    assert (fits[1].is_away, fits[1].reasons[0]) == (True, "away until 25 November")
    assert fitting.suggested(fits) is None
    absence.starts_on = absence.ends_on = MONDAY + timedelta(days=4)
    absence.save()
    assert fitting.who_fits(lead, at=make.AT)[0].is_here, "Friday is the fourth working day"


@pytest.mark.django_db
def test_only_who_may_get_a_lead_is_ranked(sdr: User, els: User, manager: User) -> None:
    make.user("Gone", Role.ACCOUNT_MANAGER, is_active=False)
    assert names(a_lead(sdr)) == ["Els Verbeke"]
    assert names(make.working_lead(sdr, organisation="")) == ["Els Verbeke"]


@pytest.mark.django_db
def test_many_account_managers_cost_no_more_questions_than_one(
    sdr: User, els: User, django_assert_num_queries: Any
) -> None:
    lead = Lead.objects.for_page().get(pk=a_lead(sdr).pk)
    for _number in range(2):
        with django_assert_num_queries(8):
            fitting.who_fits(lead, at=make.AT)
        for number in range(6):
            made = make.user(f"AM {number}", Role.ACCOUNT_MANAGER, team=make.team())
            make.conversation(lead.person, by=made)
            make.deal(made)
