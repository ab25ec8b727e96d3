"""A referral's life: each state, each move; nothing promised is forgotten, and the one who gave it hears how it went."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm import advocacy, deals, handoffs, leads, verdicts
from crm.models import (
    REFERRAL_MOVES,
    Advocate,
    Deal,
    Event,
    EventKind,
    Lead,
    LostReason,
    Referral,
    ReferralState,
)
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

S = ReferralState
LATER = AT + timedelta(days=2)


@pytest.fixture
def am(account_manager):
    return account_manager


def introduced(referral: Referral, am) -> Lead:
    return advocacy.introduce(referral=referral, name="Bram de Wit", email="bram@dewit.example", by=am, at=AT)


def settled(referral: Referral, am, *, is_won: bool) -> None:
    referral.refresh_from_db()
    advocacy.settle(lead=referral.lead, is_won=is_won, by=am, at=AT)


WAYS: dict[str, tuple[str, ...]] = {
    S.ASKED: (),
    S.PROMISED: ("promise",),
    S.INTRODUCED: ("promise", "introduce"),
    S.MET: ("introduce", "meet"),
    S.WON: ("introduce", "win"),
    S.LOST: ("introduce", "lose"),
    S.THANKED: ("introduce", "win", "thank"),
    S.REFUSED: ("refuse",),
    S.LAPSED: ("promise", "lapse"),
}
"""How each state is reached, by verbs only."""

ACTS: dict[str, tuple[Callable[..., object], str]] = {
    "promise": (lambda r, am: advocacy.promise(referral=r, by=am, at=AT), S.PROMISED),
    "introduce": (introduced, S.INTRODUCED),
    "meet": (lambda r, am: advocacy.meet(referral=r, by=am, at=AT), S.MET),
    "refuse": (lambda r, am: advocacy.refuse(referral=r, by=am, at=AT), S.REFUSED),
    "lapse": (lambda r, am: advocacy.lapse(referral=r, by=am, at=AT), S.LAPSED),
    "win": (lambda r, am: settled(r, am, is_won=True), S.WON),
    "lose": (lambda r, am: advocacy.lose(referral=r, by=am, at=AT), S.LOST),
    "thank": (lambda r, am: advocacy.thank(referral=r, by=am, at=AT), S.THANKED),
}
"""What can be done, and to which state it leads."""

SILENT = {("introduce", state) for state in (S.INTRODUCED, S.MET, S.WON, S.LOST, S.THANKED)} | {
    ("win", state) for state in S.values if S.WON not in REFERRAL_MOVES[state]
}
"""An introduction known already gives the same lead; a deal that ends elsewhere does not disturb a settled referral."""


def referral_in(state: str, am) -> Referral:
    referral = make.referral(am)
    for act in WAYS[state]:
        ACTS[act][0](referral, am)
        referral.refresh_from_db()
    assert referral.state == state
    return referral


def test_every_state_can_be_reached():
    assert set(WAYS) == set(S.values)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", S.values)
def test_every_move_from_every_state(am, state, act):
    referral = referral_in(state, am)
    verb, target = ACTS[act]
    before = Referral.objects.values().get(pk=referral.pk)
    known = Lead.objects.count()
    if target in REFERRAL_MOVES[state] and (act, state) not in SILENT:
        verb(referral, am)
        referral.refresh_from_db()
        assert referral.state == target
        return
    if state == target or (act, state) in SILENT:
        verb(referral, am)
    else:
        with pytest.raises(Refused):
            verb(referral, am)
    assert Referral.objects.values().get(pk=referral.pk) == before
    assert Lead.objects.count() == known


# ---- Asking --------------------------------------------------------------------------------------------------------


def test_the_order_comes_first(am):
    deal = make.deal(am)
    assert deal.person is not None
    with pytest.raises(Refused, match="after the order"):
        advocacy.ask(person=deal.person, deal=deal, by=am, at=AT)


def test_without_a_deal_a_stranger_is_not_asked(am):
    with pytest.raises(Refused, match="after the order"):
        advocacy.ask(person=make.person(organisation=make.organisation()), by=am, at=AT)


def test_whoever_works_for_a_customer_or_recommends_us_may_be_asked(am):
    customer = make.organisation(customer_since=AT)
    advocacy.ask(person=make.person(organisation=customer), by=am, at=AT)
    fan = make.person()
    advocacy.name_advocate(person=fan, evidence="Spoke at our event", by=am, at=AT)
    advocacy.ask(person=fan, by=am, at=AT)
    assert Referral.objects.count() == 2


def test_one_question_at_a_time(am):
    referral = make.referral(am)
    with pytest.raises(Refused, match="One question at a time"):
        advocacy.ask(person=referral.referrer, deal=referral.deal, by=am, at=LATER)
    advocacy.refuse(referral=referral, by=am, at=LATER)
    advocacy.ask(person=referral.referrer, deal=referral.deal, by=am, at=LATER)
    assert Referral.objects.count() == 2


# ---- The promise ---------------------------------------------------------------------------------------------------


def test_a_promise_without_a_date_is_asked_about_after_a_fortnight(am):
    referral = advocacy.promise(referral=make.referral(am), by=am, at=AT)
    assert referral.due_on == AT.date() + timedelta(days=14)


def test_after_her_holiday_is_not_too_soon(am):
    back = AT.date() + timedelta(days=30)
    referral = advocacy.promise(referral=make.referral(am), not_before=back, by=am, at=AT)
    assert (referral.not_before, referral.due_on) == (back, back + timedelta(days=14))


def test_a_promise_due_before_it_may_be_asked_about_is_refused(am):
    with pytest.raises(Refused, match="Not before"):
        advocacy.promise(
            referral=make.referral(am), due_on=AT.date(), not_before=AT.date() + timedelta(days=1), by=am, at=AT
        )


def test_a_promise_said_again_corrects_its_dates(am):
    referral = advocacy.promise(referral=make.referral(am), whom="her brother", by=am, at=AT)
    again = advocacy.promise(referral=referral, due_on=date(2027, 1, 5), by=am, at=LATER)
    assert (again.whom, again.due_on, again.promised_at) == ("her brother", date(2027, 1, 5), AT)


def test_late_is_the_same_for_a_row_and_for_a_selection(am):
    today = AT.date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    for due_on, not_before in [(yesterday, None), (yesterday, yesterday), (today, None), (tomorrow, tomorrow)]:
        advocacy.promise(referral=make.referral(am), due_on=due_on, not_before=not_before, by=am, at=AT)
    held = make.referral(am)
    Referral.objects.filter(pk=held.pk).update(state=S.PROMISED, due_on=yesterday, not_before=tomorrow)
    late = set(Referral.objects.late(today))
    assert len(late) == 2
    assert late == {row for row in Referral.objects.all() if row.is_late(today)}


def test_who_promises_is_an_advocate_once(am):
    referral = advocacy.promise(referral=make.referral(am), by=am, at=AT)
    advocacy.promise(referral=referral, by=am, at=LATER)
    advocacy.name_advocate(person=referral.referrer, evidence="again", by=am, at=LATER)
    assert Advocate.objects.get().since == AT
    assert Event.objects.filter(kind=EventKind.ADVOCATE_NAMED).count() == 1


# ---- The introduction ----------------------------------------------------------------------------------------------


def test_an_introduction_is_a_lead_whose_origin_is_the_referral(am, sdr):
    referral = make.referral(am)
    lead = advocacy.introduce(
        referral=referral,
        name="Bram de Wit",
        email="bram@dewit.example",
        message="He plans too.",
        sdr=sdr,
        by=am,
        at=AT,
    )
    referral.refresh_from_db()
    assert (lead.origin, lead.channel, lead.owner, lead.message) == ("referral", "referral", sdr, "He plans too.")
    assert lead.person is not None
    assert (lead.referral, lead.person.introduced_by) == (referral, referral.referrer)
    assert referral.introduced == lead.person
    assert referral.lead == lead


def test_introduced_twice_is_one_lead(am):
    referral = make.referral(am)
    assert introduced(referral, am) == introduced(referral, am)
    assert Lead.objects.count() == 1


def test_nobody_introduces_themselves(am):
    referral = make.referral(am)
    own = referral.referrer.email_addresses.get().address
    with pytest.raises(Refused, match="introduces themselves"):
        advocacy.introduce(referral=referral, name="Somebody", email=own, by=am, at=AT)
    referral.refresh_from_db()
    assert referral.state == S.ASKED
    assert not Lead.objects.exists()


@pytest.mark.parametrize("wrong", [{"name": " "}, {"email": "no address"}, {"phone": "12"}])
def test_a_wrong_introduction_stores_nothing(am, wrong):
    referral = make.referral(am)
    with pytest.raises(Refused):
        advocacy.introduce(referral=referral, **{"name": "Bram", "by": am, "at": AT} | wrong)
    assert not Lead.objects.exists()


def test_known_people_keep_who_introduced_them_first(am):
    first = make.referral(am)
    bram = introduced(first, am).person
    assert bram is not None
    second = make.referral(am)
    introduced(second, am)
    bram.refresh_from_db()
    assert bram.introduced_by == first.referrer


# ---- The end -------------------------------------------------------------------------------------------------------


def deal_of(referral: Referral, am, sdr) -> Deal:
    """The deal that comes of an introduction, by the whole way."""
    lead = leads.take(lead=introduced(referral, am), by=sdr, at=AT)
    lead = verdicts.qualify(lead=make.answered(lead, by=sdr), by=sdr, at=AT)
    hand_off = handoffs.submit(lead=lead, to=am, by=sdr, at=AT)
    return handoffs.accept(
        hand_off=hand_off, next_step="Meet", next_step_on=AT.date(), buyer_amount=Decimal(9000), by=am, at=AT
    )


def test_a_won_deal_wins_the_referral_that_led_to_it(am, sdr):
    referral = make.referral(am)
    deal = deal_of(referral, am, sdr)
    deals.win(deal=deal, by=am, at=LATER)
    deals.win(deal=deal, by=am, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.WON
    assert Event.objects.filter(kind=EventKind.REFERRAL_MOVED).count() == 1


def test_a_lost_deal_loses_it(am, sdr):
    referral = make.referral(am)
    deals.lose(deal=deal_of(referral, am, sdr), reason=LostReason.TIMING, by=am, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.LOST


def test_a_declined_lead_settles_the_referral_so_that_its_giver_can_be_told(am, sdr):
    referral = make.referral(am)
    lead = leads.take(lead=introduced(referral, am), by=sdr, at=AT)
    verdicts.decline(lead=lead, reason="no_match", by=sdr, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.LOST
    assert advocacy.thank(referral=referral, by=am, at=LATER).state == S.THANKED


def test_a_lead_that_is_taken_up_again_takes_its_referral_along_to_the_order(am, sdr):
    referral = make.referral(am)
    lead = leads.take(lead=introduced(referral, am), by=sdr, at=AT)
    verdicts.decline(lead=lead, reason="not_now", by=sdr, at=AT)
    verdicts.reopen(lead=lead, by=sdr, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.INTRODUCED
    advocacy.settle(lead=lead, is_won=True, by=am, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.WON


def test_whoever_has_been_thanked_is_not_thanked_for_the_same_again(am, sdr):
    referral = make.referral(am)
    lead = leads.take(lead=introduced(referral, am), by=sdr, at=AT)
    verdicts.decline(lead=lead, reason="not_now", by=sdr, at=AT)
    advocacy.thank(referral=referral, by=am, at=AT)
    verdicts.reopen(lead=lead, by=sdr, at=LATER)
    advocacy.settle(lead=lead, is_won=True, by=am, at=LATER)
    referral.refresh_from_db()
    assert referral.state == S.THANKED


def test_an_order_wins_a_referral_that_was_given_up(am, sdr):
    referral = referral_in(S.LOST, am)
    settled(referral, am, is_won=True)
    referral.refresh_from_db()
    assert referral.state == S.WON


def test_while_its_deal_is_open_that_deal_decides(am, sdr):
    referral = make.referral(am)
    deal_of(referral, am, sdr)
    with pytest.raises(Refused, match="still open"):
        advocacy.lose(referral=referral, by=am, at=LATER)


def test_thanked_twice_is_remembered_once(am):
    referral = referral_in(S.WON, am)
    advocacy.thank(referral=referral, by=am, at=AT)
    advocacy.thank(referral=referral, by=am, at=LATER)
    referral.refresh_from_db()
    assert referral.thanked_at == AT
    assert Event.objects.filter(kind=EventKind.REFERRAL_THANKED).count() == 1


def test_revenue_counts_each_order_once(am, sdr):
    referral = make.referral(am)
    deal = deal_of(referral, am, sdr)
    deals.win(deal=deal, by=am, at=LATER)
    for _ in range(3):  # Other referrals by the same person multiply nothing.
        advocacy.refuse(referral=advocacy.ask(person=referral.referrer, by=am, at=LATER), by=am, at=LATER)
    (row,) = Referral.objects.revenue("referrer")
    assert (row["referrer"], row["currency"], row["won"], row["worth"]) == (referral.referrer_id, "EUR", 1, 9000)
