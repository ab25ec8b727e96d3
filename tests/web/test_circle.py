"""The circle: customers, those who recommend us, and every referral on its way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine

from crm import advocacy, deals, handoffs, leads, verdicts
from crm.models import Referral, ReferralState
from crm.web import circle
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

CIRCLE = "/circle/"
HTMX = {"HX-Request": "true", "HX-Target": "circle"}


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def am(account_manager):
    return account_manager


@pytest.fixture
def mine(login, am):
    return login(am)


def seen(client, address: str = CIRCLE, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\xa0", " ")


def won_referral(am, sdr, amount: int = 9000, currency: str = "EUR") -> Referral:
    referral = make.referral(am)
    lead = advocacy.introduce(
        referral=referral, name="Bram de Wit", email=f"bram{referral.pk}@dewit.example", by=am, at=AT
    )
    lead = verdicts.qualify(lead=make.answered(leads.take(lead=lead, by=sdr, at=AT), by=sdr), by=sdr, at=AT)
    hand_off = handoffs.submit(lead=lead, to=am, by=sdr, at=AT)
    deal = handoffs.accept(
        hand_off=hand_off,
        next_step="Meet",
        next_step_on=AT.date(),
        buyer_amount=Decimal(amount),
        currency=currency,
        by=am,
        at=AT,
    )
    deals.win(deal=deal, by=am, at=AT)
    referral.refresh_from_db()
    return referral


def test_it_asks_for_a_login(client):
    assert client.get(CIRCLE).status_code == 302


def test_empty_it_teaches_what_to_do(mine):
    shown = seen(mine)
    for words in ("Nobody was asked yet", "One referral per happy customer", "No advocates yet", "No customers yet"):
        assert words in shown


def test_customers_show_their_orders_and_what_these_are_worth(mine, am):
    customer = make.organisation("Notelaar Interiors", customer_since=AT - timedelta(days=9))
    who = make.person(organisation=customer)
    for amount, currency in ((1000, "EUR"), (2500, "EUR"), (70, "GBP")):
        won = make.won_deal(am, organisation=customer, person=who, buyer_amount=Decimal(amount), currency=currency)
        make.promise(who, by=am, due_on=AT.date(), deal=won)  # what else there is multiplies nothing
        make.conversation(who, by=am, deal=won)
    make.deal(am, organisation=customer, person=who, buyer_amount=Decimal(99999))
    (row,) = mine.get(CIRCLE).context["customers"]
    assert (row.won, [(total["currency"], total["worth"]) for total in row.totals]) == (3, [("EUR", 3500), ("GBP", 70)])
    assert "€ 3,500" in seen(mine)
    assert "£ 70" in seen(mine)


def test_advocates_show_what_came_of_their_referrals(mine, am, sdr):
    referral = won_referral(am, sdr)
    for _ in range(2):
        again = advocacy.ask(person=referral.referrer, by=am, at=AT)
        advocacy.refuse(referral=again, by=am, at=AT)
    make.promise(referral.referrer, by=am, due_on=AT.date())
    (row,) = mine.get(CIRCLE).context["advocates"]
    assert (row.person, row.given, row.won) == (referral.referrer, 3, 1)
    assert [(total["currency"], total["worth"]) for total in row.totals] == [("EUR", 9000)]


def test_each_referral_stands_in_the_column_of_its_state(mine, am, sdr):
    asked = make.referral(am)
    promised = advocacy.promise(referral=make.referral(am), by=am, at=AT)
    met = make.referral(am)
    advocacy.introduce(referral=met, name="Lies Aerts", by=am, at=AT)
    advocacy.meet(referral=met, by=am, at=AT)
    won = won_referral(am, sdr)
    refused = advocacy.refuse(referral=make.referral(am), by=am, at=AT)
    context = mine.get(CIRCLE).context
    assert {column.key: [row.pk for row, _ in column.cards] for column in context["columns"]} == {
        "asked": [asked.pk],
        "promised": [promised.pk],
        "introduced": [],
        "met": [met.pk],
        "thank": [won.pk],
    }
    assert context["referrals"] == 5
    assert [state for state, _, _ in context["ended"]] == [refused.state]


def test_a_late_promise_is_marked_and_a_resting_one_says_until_when(mine, am):
    late = advocacy.promise(referral=make.referral(am), whom="her sister", by=am, at=AT)
    Referral.objects.filter(pk=late.pk).update(due_on=AT.date() - timedelta(days=6))
    advocacy.promise(referral=make.referral(am), not_before=AT.date() + timedelta(days=20), by=am, at=AT)
    shown = seen(mine)
    assert "6 days late" in shown
    assert "1 promised and late" in shown
    assert "not before 13 Dec" in shown


def test_a_long_column_leads_to_its_list(mine, am, monkeypatch):
    monkeypatch.setattr(circle, "CARDS", 2)
    for _ in range(4):
        make.referral(am)
    shown = seen(mine)
    assert "2 more in the list" in shown
    assert "?show=referrals&state=asked" in shown
    assert len(mine.get(CIRCLE + "?show=referrals&state=asked").context["rows"]) == 4


@pytest.mark.parametrize("state", ["", *ReferralState.values])
def test_the_list_of_each_state_opens(mine, am, state):
    make.referral(am)
    expected = 1 if state in ("", "asked") else 0
    assert len(mine.get(f"{CIRCLE}?show=referrals&state={state}").context["rows"]) == expected


@pytest.mark.parametrize("shown", ["customers", "advocates", "referrals"])
def test_lists_page_by_key_and_end(mine, am, shown):
    for number in range(53):
        customer = make.organisation(customer_since=AT - timedelta(hours=number))
        who = make.person(organisation=customer)
        advocacy.name_advocate(person=who, by=am, at=AT)
        advocacy.ask(person=who, by=am, at=AT)
    first = mine.get(f"{CIRCLE}?show={shown}").context
    second = mine.get(f"{CIRCLE}?show={shown}&after={first['page'].next}").context
    assert (len(first["rows"]), len(second["rows"]), second["page"].next) == (50, 3, None)
    assert not {row.pk for row in first["page"]} & {row.pk for row in second["page"]}
    assert str(second["count"]) == "53"


def test_ten_times_the_rows_cost_no_more_queries(mine, am, sdr, django_assert_max_num_queries):
    for _ in range(4):
        won_referral(am, sdr)
        advocacy.promise(referral=make.referral(am), by=am, at=AT)
    with django_assert_max_num_queries(16):
        mine.get(CIRCLE)
    for shown, most in (("customers", 6), ("advocates", 9), ("referrals", 5)):
        with django_assert_max_num_queries(most):
            mine.get(f"{CIRCLE}?show={shown}")


def test_htmx_gets_the_part_alone_and_nothing_is_written_here(mine):
    assert seen(mine, CIRCLE + "?show=customers", headers=HTMX).lstrip().startswith('<div id="circle">')
    assert mine.post(CIRCLE).status_code == 405


def test_everybody_reads(login, sdr, outsider, manager, am):
    make.referral(am)
    for user in (sdr, outsider, manager):
        assert "Waiting for their answer" in seen(login(user))
