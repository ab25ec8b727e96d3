"""A hand-off: offered with a clock, accepted once by one, or given back with a reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm import handoffs, leads
from crm.models import Deal, Event, EventKind, HandOff, HandOffState, LeadStatus, Role, User, Verdict
from crm.refusal import Refused
from tests import make

STEP = {"next_step": "Video about the dates", "next_step_on": date(2026, 11, 30)}


@pytest.mark.django_db
def test_a_qualified_lead_waits_for_the_account_manager_with_a_clock(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    assert hand_off.state == HandOffState.SUBMITTED
    assert hand_off.answer_due_at == make.AT + timedelta(hours=4)
    assert hand_off.lead.status == LeadStatus.HANDED_OFF
    assert Event.objects.filter(kind=EventKind.HAND_OFF_SUBMITTED, lead=hand_off.lead).count() == 1


@pytest.mark.django_db
def test_a_lead_whose_scorecard_says_no_since_is_not_handed_off(sdr: User, account_manager: User) -> None:
    lead = make.qualified_lead(sdr)
    must = make.scorecard().criteria.filter(is_must=True).first()
    assert must is not None
    leads.answer_criterion(lead=lead, criterion=must, value="no", evidence="They told us so", by=sdr, at=make.AT)
    with pytest.raises(Refused, match="both sides do not say yes"):
        handoffs.submit(lead=lead, to=account_manager, by=sdr, at=make.AT)


@pytest.mark.django_db
def test_the_clock_runs_in_the_account_managers_own_hours(sdr: User, account_manager: User) -> None:
    account_manager.time_zone = "America/New_York"
    account_manager.save()
    assert make.hand_off(sdr, account_manager).answer_due_at == datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_only_a_qualified_lead_is_handed_off_and_only_once(sdr: User, account_manager: User) -> None:
    with pytest.raises(Refused, match="qualified"):
        handoffs.submit(lead=make.working_lead(sdr), to=account_manager, by=sdr, at=make.AT)
    hand_off = make.hand_off(sdr, account_manager)
    with pytest.raises(Refused, match="already"):
        handoffs.submit(lead=hand_off.lead, to=account_manager, by=sdr, at=make.AT)
    assert HandOff.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.SDR}])
def test_nobody_gets_a_lead_who_cannot_make_it_a_deal(
    sdr: User, account_manager: User, change: dict[str, object]
) -> None:
    for name, value in change.items():
        setattr(account_manager, name, value)
    with pytest.raises(Refused, match="Arjan van der Meer"):
        handoffs.submit(lead=make.qualified_lead(sdr), to=account_manager, by=sdr, at=make.AT)


@pytest.mark.django_db
def test_acceptance_makes_a_deal_with_a_dated_next_step(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager, organisation="Notelaar", email="s@notelaar.example")
    deal = handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, buyer_amount=9000, **STEP)  # type: ignore[arg-type]
    assert (deal.owner, deal.sdr, deal.lead) == (account_manager, sdr, hand_off.lead)
    assert (deal.name, deal.next_step, deal.next_step_on) == ("Notelaar", STEP["next_step"], STEP["next_step_on"])
    assert deal.buyer_amount == 9000
    hand_off.refresh_from_db()
    hand_off.lead.refresh_from_db()
    assert (hand_off.state, hand_off.answered_at) == (HandOffState.ACCEPTED, make.AT)
    assert hand_off.lead.status == LeadStatus.ACCEPTED


@pytest.mark.django_db
def test_accepting_ones_own_again_gives_the_same_deal(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    first = handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP)  # type: ignore[arg-type]
    assert handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP) == first  # type: ignore[arg-type]
    assert Deal.objects.count() == 1


@pytest.mark.django_db
def test_a_deal_without_a_next_step_is_refused_and_the_hand_off_waits_on(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    for step in ({"next_step": " ", "next_step_on": date(2026, 11, 30)}, {**STEP, "next_step_on": date(2026, 11, 1)}):
        with pytest.raises(Refused):
            handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **step)  # type: ignore[arg-type]
    hand_off.refresh_from_db()
    assert hand_off.state == HandOffState.SUBMITTED


@pytest.mark.django_db
def test_an_sdr_does_not_accept_a_hand_off(sdr: User, teammate: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    with pytest.raises(Refused, match="account manager"):
        handoffs.accept(hand_off=hand_off, by=teammate, at=make.AT, **STEP)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_rejection_returns_the_lead_to_its_sdr_with_the_reason(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    with pytest.raises(Refused, match="why"):
        handoffs.reject(hand_off=hand_off, reason=" ", by=account_manager, at=make.AT)
    hand_off = handoffs.reject(hand_off=hand_off, reason="No budget before June.", by=account_manager, at=make.AT)
    lead = hand_off.lead
    lead.refresh_from_db()
    assert (hand_off.state, hand_off.reject_reason) == (HandOffState.REJECTED, "No budget before June.")
    assert (lead.status, lead.verdict, lead.owner) == (LeadStatus.WORKING, Verdict.UNDECIDED, sdr)
    with pytest.raises(Refused, match="rejected already"):
        handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_two_people_accept_at_the_same_moment_and_one_wins(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    colleague = make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=account_manager.team)
    barrier = Barrier(2)

    def accept(user: User) -> Deal | str:
        try:
            barrier.wait(timeout=10)
            return handoffs.accept(hand_off=hand_off, by=user, at=make.AT, **STEP)  # type: ignore[arg-type]
        except Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(accept, [account_manager, colleague]))
    (deal,) = [answer for answer in answers if isinstance(answer, Deal)]
    (sentence,) = [answer for answer in answers if isinstance(answer, str)]
    assert sentence == f"{deal.owner} has accepted this hand-off already."
    assert Deal.objects.get() == deal
    hand_off.refresh_from_db()
    assert hand_off.to_user == deal.owner
