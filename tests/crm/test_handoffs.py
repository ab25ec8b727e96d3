"""A hand-off: offered with a clock, accepted once by one, or given back with a reason."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from crm import handoffs, leads
from crm.handoffs import waiting
from crm.models import (
    Absence,
    Deal,
    Event,
    EventKind,
    HandOff,
    HandOffQuestion,
    HandOffState,
    LeadStatus,
    OutgoingMail,
    Role,
    Team,
    User,
    Verdict,
)
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
        handoffs.reject(hand_off=hand_off, kind="no_fit", reason=" ", by=account_manager, at=make.AT)
    hand_off = handoffs.reject(
        hand_off=hand_off, kind="no_fit", reason="No budget before June.", by=account_manager, at=make.AT
    )
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


# ---- The clock -----------------------------------------------------------------------------------------------------


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of 2026 in UTC; Brussels is an hour ahead in winter."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.django_db
def test_the_time_to_answer_is_that_of_the_account_managers_team(sdr: User, account_manager: User, team: Team) -> None:
    team.hand_off_hours = 2
    team.save()
    assert make.hand_off(sdr, account_manager).answer_due_at == make.AT + timedelta(hours=2)


@pytest.mark.django_db
def test_without_a_team_it_is_half_a_working_day(sdr: User) -> None:
    alone = make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    assert make.hand_off(sdr, alone).answer_due_at == make.AT + timedelta(hours=4)


@pytest.mark.django_db
def test_the_clock_rests_over_weekend_holiday_and_the_days_that_somebody_does_not_work(
    sdr: User, account_manager: User
) -> None:
    # Friday 16:30 in Brussels: an hour is left, and three follow on Monday.
    assert make.hand_off(sdr, account_manager, at=at(20, 15, 30)).answer_due_at == at(23, 11)
    # The day before Armistice Day.
    assert make.hand_off(sdr, account_manager, at=at(10, 15, 30)).answer_due_at == at(12, 11)
    account_manager.working_days = [1, 3]
    account_manager.work_start, account_manager.work_end = time(13), time(17)
    account_manager.save()
    # Tuesday 16:00: an hour, and three on Thursday.
    assert make.hand_off(sdr, account_manager, at=at(24, 15)).answer_due_at == at(26, 15)


@pytest.mark.django_db
def test_the_minutes_of_an_answer_are_working_minutes(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager, at=at(20, 15, 30))
    handoffs.accept(hand_off=hand_off, by=account_manager, at=at(23, 8, 30), **{**STEP})  # type: ignore[arg-type]
    hand_off.refresh_from_db()
    assert hand_off.answer_minutes == 90


# ---- Asking back ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_question_stops_the_clock_until_it_is_answered(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)  # 10:30 in Brussels, to be answered by 14:30.
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=at(23, 10, 30))
    assert handoffs.escalate_overdue(at=at(24, 15)) == 0
    handoffs.tell(question=asked, answer="Her brother does.", by=sdr, at=at(24, 8, 30))
    hand_off.refresh_from_db()
    assert hand_off.answer_due_at == at(24, 11, 30), "three hours were left when it was asked"
    assert handoffs.escalate_overdue(at=at(24, 11, 31)) == 1
    handoffs.accept(hand_off=hand_off, by=account_manager, at=at(24, 9), **STEP)  # type: ignore[arg-type]
    hand_off.refresh_from_db()
    assert hand_off.answer_minutes == 90, "an hour before the question and half an hour after the answer"
    kinds = Event.objects.filter(lead=hand_off.lead).values_list("kind", flat=True)
    assert {EventKind.HAND_OFF_ASKED, EventKind.HAND_OFF_TOLD} <= set(kinds)


@pytest.mark.django_db
@pytest.mark.parametrize("asked_at", [at(23, 13, 29), at(23, 15)])
def test_an_hour_of_work_is_left_after_the_answer(sdr: User, account_manager: User, asked_at: datetime) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=asked_at)
    handoffs.tell(question=asked, answer="She does.", by=sdr, at=at(23, 16))
    hand_off.refresh_from_db()
    assert hand_off.answer_due_at == at(24, 8, 30), "half an hour on Monday and half an hour on Tuesday"


@pytest.mark.django_db
def test_one_question_at_a_time_and_an_answer_once(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    with pytest.raises(Refused, match="what you need to know"):
        handoffs.ask(hand_off=hand_off, question=" ", by=account_manager, at=make.AT)
    with pytest.raises(Refused, match="2000 letters"):
        handoffs.ask(hand_off=hand_off, question="x" * 2001, by=account_manager, at=make.AT)
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    with pytest.raises(Refused, match="open already"):
        handoffs.ask(hand_off=hand_off, question="And when?", by=account_manager, at=make.AT)
    with pytest.raises(Refused, match="your answer"):
        handoffs.tell(question=asked, answer="", by=sdr, at=make.AT)
    handoffs.tell(question=asked, answer="She does.", by=sdr, at=make.AT)
    with pytest.raises(Refused, match="Sofie Peeters has answered this question already"):
        handoffs.tell(question=asked, answer="He does.", by=sdr, at=make.AT)
    handoffs.ask(hand_off=hand_off, question="And when?", by=account_manager, at=make.AT)
    assert hand_off.questions.count() == 2


@pytest.mark.django_db
def test_what_is_decided_is_not_asked_about_nor_answered(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="accepted this hand-off already"):
        handoffs.ask(hand_off=hand_off, question="And when?", by=account_manager, at=make.AT)
    with pytest.raises(Refused, match="decided meanwhile"):
        handoffs.tell(question=asked, answer="She does.", by=sdr, at=make.AT)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What comes of acts that begin at the same moment, each on a connection of its own: their answers, or their refusals."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=10)
            return act()
        except Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_two_questions_at_the_same_moment_one_is_asked(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    said = at_once(
        *(
            lambda question=question: handoffs.ask(hand_off=hand_off, question=question, by=account_manager, at=make.AT)
            for question in ("Who decides?", "And when?")
        )
    )
    assert sorted(isinstance(each, HandOffQuestion) for each in said) == [False, True]
    assert HandOffQuestion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_question_and_an_acceptance_at_the_same_moment_leave_an_accepted_hand_off(
    sdr: User, account_manager: User
) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    said = at_once(
        lambda: handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT),
        lambda: handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP),  # type: ignore[arg-type]
    )
    assert isinstance(said[1], Deal)
    hand_off.refresh_from_db()
    assert hand_off.state == HandOffState.ACCEPTED
    assert (said[0] == f"{account_manager} has accepted this hand-off already.") is not HandOffQuestion.objects.exists()


# ---- Nobody answers ------------------------------------------------------------------------------------------------


def told() -> set[tuple[str, str]]:
    """To whom a mail is on its way, and about what."""
    return set(OutgoingMail.objects.values_list("to", "subject"))


@pytest.mark.django_db
def test_what_nobody_answers_in_time_comes_before_those_who_lead_once(
    sdr: User, account_manager: User, manager: User
) -> None:
    hand_off = make.hand_off(sdr, account_manager, name="Sofie De Wit")
    assert handoffs.escalate_overdue(at=hand_off.answer_due_at) == 0
    late = hand_off.answer_due_at + timedelta(minutes=1)
    assert [handoffs.escalate_overdue(at=late) for _again in range(2)] == [1, 0]
    hand_off.refresh_from_db()
    assert (hand_off.state, hand_off.escalated_at) == (HandOffState.SUBMITTED, late)
    assert (manager.email, f"Sofie De Wit still waits for {account_manager}") in told()
    assert Event.objects.filter(kind=EventKind.HAND_OFF_ESCALATED, lead=hand_off.lead).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_the_same_moment_escalate_once(sdr: User, account_manager: User, manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    late = hand_off.answer_due_at + timedelta(minutes=1)
    assert sum(at_once(*[lambda: handoffs.escalate_overdue(at=late)] * 2)) == 1
    assert Event.objects.filter(kind=EventKind.HAND_OFF_ESCALATED).count() == 1


@pytest.mark.django_db
def test_who_leads_gives_it_to_somebody_else_and_the_history_stays(
    sdr: User, account_manager: User, manager: User
) -> None:
    hand_off = make.hand_off(sdr, account_manager, name="Sofie De Wit")
    els = make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=account_manager.team)
    with pytest.raises(Refused, match="by a manager"):
        handoffs.redirect(hand_off=hand_off, to=els, by=account_manager, at=make.AT)
    with pytest.raises(Refused, match="waits for Arjan"):
        handoffs.redirect(hand_off=hand_off, to=account_manager, by=manager, at=make.AT)
    later = make.AT + timedelta(hours=5)
    new = handoffs.redirect(hand_off=hand_off, to=els, by=manager, at=later)
    hand_off.refresh_from_db()
    new.lead.refresh_from_db()
    assert (hand_off.state, hand_off.to_user, hand_off.answered_at) == (HandOffState.MOVED, account_manager, later)
    assert (new.state, new.to_user, new.from_user, new.note) == (HandOffState.SUBMITTED, els, sdr, hand_off.note)
    assert new.answer_due_at == waiting.answer_by(els, later)
    assert new.lead.status == LeadStatus.HANDED_OFF
    with pytest.raises(Refused, match="given to somebody else"):
        handoffs.accept(hand_off=hand_off, by=account_manager, at=later, **STEP)  # type: ignore[arg-type]
    assert handoffs.accept(hand_off=new, by=els, at=later, **STEP).owner == els  # type: ignore[arg-type]
    goes = "Sofie De Wit goes to Els Verbeke"
    assert {
        (account_manager.email, goes),
        (sdr.email, goes),
        (els.email, "Sofie Peeters hands Sofie De Wit off to you"),
    } <= told()


# ---- Who is told, and who is not there -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_of_the_two_is_told_of_what_the_other_does_in_their_own_language(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager, name="Sofie De Wit")
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    handoffs.tell(question=asked, answer="She does.", by=sdr, at=make.AT)
    handoffs.accept(hand_off=hand_off, by=account_manager, at=make.AT, **STEP)  # type: ignore[arg-type]
    handoffs.reject(
        hand_off=make.hand_off(sdr, account_manager, name="Piet Maes"),
        kind="no_room",
        reason="Els has room.",
        by=account_manager,
        at=make.AT,
    )
    arjan, sofie = account_manager.email, sdr.email
    assert {
        (arjan, "Sofie Peeters hands Sofie De Wit off to you"),
        (sofie, "Arjan van der Meer asks about Sofie De Wit"),
        (arjan, "Sofie Peeters answers about Sofie De Wit"),
        (sofie, "Arjan van der Meer accepted Sofie De Wit"),
        (sofie, "Arjan van der Meer gives Piet Maes back to you"),
    } <= told()
    body = OutgoingMail.objects.get(subject__startswith="Arjan van der Meer gives").body
    assert "I have no room for it." in body
    assert "Els has room." in body


@pytest.mark.django_db
def test_somebody_who_is_away_gets_nothing_and_it_is_said_who_fits(sdr: User, account_manager: User) -> None:
    lead = make.qualified_lead(sdr)
    Absence.objects.create(user=account_manager, starts_on=date(2026, 11, 20), ends_on=date(2026, 12, 4))
    with pytest.raises(Refused, match="away until 4 December. Choose somebody else."):
        handoffs.submit(lead=lead, to=account_manager, by=sdr, at=make.AT)
    els = make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    with pytest.raises(Refused, match="away until 4 December. Els Verbeke fits as well."):
        handoffs.submit(lead=lead, to=account_manager, by=sdr, at=make.AT)
    assert handoffs.submit(lead=lead, to=els, by=sdr, at=make.AT).to_user == els


@pytest.mark.django_db
def test_the_day_of_an_absence_is_the_account_managers_own(sdr: User, account_manager: User) -> None:
    account_manager.time_zone = "Pacific/Auckland"
    account_manager.save()
    Absence.objects.create(user=account_manager, starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 24))
    with pytest.raises(Refused, match="away until 24 November"):
        make.hand_off(sdr, account_manager, at=at(23, 12))


@pytest.mark.django_db
def test_a_lead_that_was_qualified_against_the_advice_is_handed_off(sdr: User, account_manager: User) -> None:
    lead = make.qualified_lead(sdr)
    must = make.scorecard().criteria.filter(is_must=True).first()
    assert must is not None
    leads.answer_criterion(lead=lead, criterion=must, value="no", evidence="They told us so", by=sdr, at=make.AT)
    lead.verdict_why = "They buy through their partner."
    lead.save(update_fields=["verdict_why"])
    assert handoffs.submit(lead=lead, to=account_manager, by=sdr, at=make.AT).state == HandOffState.SUBMITTED


@pytest.mark.django_db
def test_a_rejection_says_of_which_kind_it_is(sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    with pytest.raises(Refused, match="so that we can count it"):
        handoffs.reject(hand_off=hand_off, kind="mood", reason="No.", by=account_manager, at=make.AT)
    handoffs.reject(hand_off=hand_off, kind="too_early", reason="After Easter.", by=account_manager, at=make.AT)
    hand_off.refresh_from_db()
    assert (hand_off.reject_kind, hand_off.answer_minutes) == ("too_early", 0)
