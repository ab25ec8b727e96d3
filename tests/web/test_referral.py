"""A referral's page: what may be done now, whom they introduced, and thanks at the end."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine

from crm import advocacy
from crm.models import Advocate, Lead, Referral, ReferralState
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

ASK = "/circle/referrals/new/"
HTMX = {"HX-Request": "true", "HX-Target": "referral"}
BRAM = {"introduce-name": "Bram de Wit", "introduce-email": "bram@dewit.example"}


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


@pytest.fixture
def referral(am) -> Referral:
    return make.referral(am)


def page(referral: Referral, act: str = "") -> str:
    return f"/circle/referrals/{referral.pk}/" + (f"{act}/" if act else "")


def seen(client, address: str, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\xa0", " ")


def introduced(referral: Referral, am) -> Lead:
    return advocacy.introduce(referral=referral, name="Bram de Wit", email="bram@dewit.example", by=am, at=AT)


# ---- Ask -----------------------------------------------------------------------------------------------------------


def test_without_a_name_it_offers_those_who_ordered_and_were_not_asked(mine, am, outsider, referral):
    waiting = make.won_deal(am, person=make.person("Sofie De Wit"))
    make.won_deal(outsider, person=make.person("Of Another Team"))
    shown = seen(mine, ASK)
    assert f"?deal={waiting.pk}" in shown
    assert "Sofie De Wit" in shown
    assert "Of Another Team" not in shown
    assert str(referral.referrer) not in shown


def test_nobody_to_ask_says_what_comes_first(mine):
    assert "Nobody to ask at the moment" in seen(mine, ASK)


def test_after_an_order_the_buyer_is_asked(mine, am):
    deal = make.won_deal(am)
    assert str(deal.person) in seen(mine, f"{ASK}?deal={deal.pk}")
    answer = mine.post(ASK, {"deal": deal.pk, "person": deal.person_id, "whom": "her brother"})
    referral = Referral.objects.get()
    assert answer.url == page(referral)
    assert (referral.referrer, referral.deal, referral.owner, referral.whom) == (deal.person, deal, am, "her brother")


def test_from_a_person_no_deal_is_needed(mine):
    who = make.person(organisation=make.organisation(customer_since=AT))
    assert mine.post(ASK, {"person": who.pk}).status_code == 302
    assert Referral.objects.get().referrer == who


def test_the_order_comes_first(mine, am):
    deal = make.deal(am)
    answer = mine.post(ASK, {"deal": deal.pk, "person": deal.person_id})
    assert answer.status_code == 200
    assert "Ask for a referral after the order" in answer.content.decode()


def test_asked_twice_is_one_question(mine, referral):
    fields = {"deal": referral.deal_id, "person": referral.referrer_id}
    assert "One question at a time" in seen(mine, f"{ASK}?deal={referral.deal_id}")
    answer = mine.post(ASK, fields)
    assert answer.status_code == 200
    assert "One question at a time" in answer.content.decode()
    assert Referral.objects.count() == 1


def test_only_people_around_the_order_are_asked(mine, am):
    deal = make.won_deal(am)
    colleague = make.person(organisation=deal.organisation)
    assert mine.post(ASK, {"deal": deal.pk, "person": make.person().pk}).status_code == 200
    assert mine.post(ASK, {"deal": deal.pk, "person": colleague.pk}).status_code == 302


def test_another_team_does_not_ask_and_nobody_without_a_login(client, login, outsider, am):
    deal = make.won_deal(am)
    assert login(outsider).get(f"{ASK}?deal={deal.pk}").status_code == 403
    assert login(outsider).post(ASK, {"deal": deal.pk, "person": deal.person_id}).status_code == 403
    assert client.get(ASK).status_code == 302


# ---- Its life ------------------------------------------------------------------------------------------------------

OFFERED = {
    "asked": {"promise", "introduce", "refuse"},
    "promised": {"promise", "introduce", "lapse"},
    "introduced": {"met", "lose"},
    "met": {"lose"},
    "won": {"thank"},
    "lost": {"thank"},
    "thanked": set(),
    "refused": set(),
    "lapsed": set(),
}


def in_state(referral: Referral, state: str, am) -> None:
    if state in ("promised", "lapsed"):
        advocacy.promise(referral=referral, by=am, at=AT)
    if state in ("introduced", "met", "won", "lost", "thanked"):
        lead = introduced(referral, am)
    if state == "lapsed":
        advocacy.lapse(referral=referral, by=am, at=AT)
    if state == "refused":
        advocacy.refuse(referral=referral, by=am, at=AT)
    if state == "met":
        advocacy.meet(referral=referral, by=am, at=AT)
    if state in ("won", "lost", "thanked"):
        advocacy.settle(lead=lead, is_won=state != "lost", by=am, at=AT)
    if state == "thanked":
        advocacy.thank(referral=referral, by=am, at=AT)


@pytest.mark.parametrize("state", ReferralState.values)
def test_each_state_offers_its_own_acts_and_no_other(mine, login, outsider, am, referral, state):
    in_state(referral, state, am)
    acts = {"promise", "introduce", "refuse", "lapse", "met", "lose", "thank"}
    shown = seen(mine, page(referral))
    assert {act for act in acts if f'action="{page(referral, act)}"' in shown} == OFFERED[state]
    shown = seen(login(outsider), page(referral))
    assert not {act for act in acts if f'action="{page(referral, act)}"' in shown}


def test_the_whole_life_by_plain_forms(mine, am, sdr, referral):
    answer = mine.post(
        page(referral, "promise"), {"promise-whom": "her brother", "promise-not_before": "2026-12-10"}, follow=True
    )
    shown = unescape(answer.content.decode())
    assert "promised to introduce her brother" in shown
    assert "Too soon to ask" in shown
    answer = mine.post(page(referral, "introduce"), BRAM | {"introduce-sdr": sdr.pk}, follow=True)
    lead = Lead.objects.get()
    assert f"/leads/{lead.pk}/" in answer.content.decode()
    assert (lead.owner, lead.origin, lead.referral) == (sdr, "referral", referral)
    assert "has met" not in answer.content.decode()
    mine.post(page(referral, "met"))
    mine.post(page(referral, "lose"))
    answer = mine.post(page(referral, "thank"), follow=True)
    assert "life is complete" in unescape(answer.content.decode())
    referral.refresh_from_db()
    assert referral.state == ReferralState.THANKED


def test_htmx_gets_the_part_and_what_was_said(mine, referral):
    answer = mine.post(page(referral, "introduce"), BRAM, headers=HTMX)
    shown = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert shown.lstrip().startswith('<div id="referral">')
    assert "Bram de Wit is a lead now" in shown


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        (
            "promise",
            {"promise-due_on": "2026-12-01", "promise-not_before": "2026-12-10"},
            "lies after the promised date",
        ),
        ("promise", {"promise-due_on": "soon"}, "valid date"),
        ("introduce", {"introduce-name": ""}, "required"),
        ("introduce", BRAM | {"introduce-email": "no address"}, "valid email"),
        ("introduce", BRAM | {"introduce-phone": "12"}, "not a phone number"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(mine, referral, act, fields, words, headers):
    answer = mine.post(page(referral, act), fields, headers=headers)
    shown = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert words in shown
    assert '<details class="fold" open>' in shown
    referral.refresh_from_db()
    assert referral.state == ReferralState.ASKED


def test_introduced_twice_is_one_lead(mine, referral):
    for _ in range(2):
        assert mine.post(page(referral, "introduce"), BRAM).status_code == 302
    assert Lead.objects.count() == 1


def test_an_act_out_of_its_time_is_refused_in_words(mine, referral):
    answer = mine.post(page(referral, "thank"), headers=HTMX)
    assert answer.status_code == 200
    assert "it cannot become thanked" in unescape(answer.content.decode())
    referral.refresh_from_db()
    assert referral.state == ReferralState.ASKED


def test_late_and_resting_promises_say_so(mine, am, referral):
    advocacy.promise(referral=referral, by=am, at=AT)
    Referral.objects.filter(pk=referral.pk).update(due_on=AT.date() - timedelta(days=6))
    shown = seen(mine, page(referral))
    assert "6 days late" in shown
    assert "A kind question is in place" in shown


ACTS = {"promise": {}, "introduce": BRAM, "refuse": {}, "met": {}, "lapse": {}, "lose": {}, "thank": {}}


@pytest.mark.parametrize("act", ACTS)
def test_who_may_act(client, login, teammate, manager, outsider, referral, act):
    assert client.post(page(referral, act), ACTS[act]).url.startswith("/accounts/login/")
    assert login(outsider).post(page(referral, act), ACTS[act]).status_code == 403
    assert login(manager).post(page(referral, act), ACTS[act]).status_code == 302
    assert login(teammate).post(page(referral, act), ACTS[act]).status_code == 302
    assert login(manager).get(page(referral, act)).status_code == 405


def test_unknown_rows_and_acts_are_404(mine, referral):
    assert mine.get("/circle/referrals/999999/").status_code == 404
    assert mine.post("/circle/referrals/999999/thank/").status_code == 404
    assert mine.post(page(referral, "delete")).status_code == 404


def test_its_page_costs_few_queries(mine, am, referral, django_assert_max_num_queries):
    introduced(referral, am)
    with django_assert_max_num_queries(5):
        mine.get(page(referral))


# ---- Advocates -----------------------------------------------------------------------------------------------------


def test_an_advocate_is_named_from_a_persons_page_once(mine, login, outsider, am):
    who = make.person(owner=am)
    address = f"/people/{who.pk}/advocate/"
    assert mine.post(address, {"evidence": "Spoke at our event"}).url == f"/people/{who.pk}/"
    mine.post(address, {"evidence": "again"})
    assert Advocate.objects.get().evidence == "Spoke at our event"
    assert login(outsider).post(address).status_code == 403
    assert mine.get(address).status_code == 405


def test_a_persons_page_offers_what_the_circle_has_for_them(mine, am):
    prospect = make.person(organisation=make.organisation())
    assert "/circle/referrals/new/" not in seen(mine, f"/people/{prospect.pk}/")
    customer = make.organisation(customer_since=AT)
    who = make.person(organisation=customer)
    shown = seen(mine, f"/people/{who.pk}/")
    assert f"/circle/referrals/new/?person={who.pk}" in shown
    assert f"/deals/new/?person={who.pk}" in shown
    assert f'action="/people/{who.pk}/advocate/"' in shown
    advocacy.name_advocate(person=who, evidence="Spoke at our event", by=am, at=AT)
    shown = seen(mine, f"/people/{who.pk}/")
    assert "Spoke at our event" in shown
    assert f'action="/people/{who.pk}/advocate/"' not in shown
    assert f"/deals/new/?organisation={customer.pk}" in seen(mine, f"/organisations/{customer.pk}/")
