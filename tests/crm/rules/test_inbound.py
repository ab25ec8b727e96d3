"""Leads: the first answer, the silence around one, the hand-off, and what we need to know first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crm import assignment, follow_ups, handoffs, leads, verdicts
from crm.models import Direction, FollowUp, Lead, Outcome, Rule, RuleSetting, User
from tests import make
from tests.make import AT
from tests.rules import TODAY, asked, badge, days, is_quiet, only, refresh, said

pytestmark = pytest.mark.django_db


# ---- First answer --------------------------------------------------------------------------------------------------


def test_a_new_lead_asks_its_owner_for_a_first_answer_at_once(sdr):
    lead = make.lead("Sofie De Wit", owner=sdr, content=make.content("Planning without overtime"))
    refresh(AT + timedelta(minutes=1))
    follow_up = only(Rule.FIRST_ANSWER)
    assert (follow_up.owner, follow_up.lead, follow_up.person) == (sdr, lead, lead.person)
    assert follow_up.show_at == lead.received_at
    assert said(follow_up).startswith(
        "Sofie De Wit came through “Planning without overtime” (10:30) and waits for a first word"
    )
    assert badge(follow_up) == "first answer by 11:30"
    assert badge(follow_up, AT + timedelta(hours=3)) == "first answer, 2 hours late"
    due = follow_up.why["due"]
    assert badge(follow_up, datetime.fromisoformat(due) + timedelta(hours=30)) == "first answer, 1 day late"
    # By the calendar, as on the other screens: thirty-eight hours after a late morning is the day after the next.
    assert badge(follow_up, datetime.fromisoformat(due) + timedelta(hours=38)) == "first answer, 2 days late"


def test_a_lead_without_an_owner_is_everybodys_in_the_inbox_and_nobodys_follow_up(sdr):
    lead = make.lead()
    assert lead.owner is None
    refresh()
    assert is_quiet(Rule.FIRST_ANSWER)


def test_an_answer_ends_the_wait(sdr):
    lead = make.lead(owner=sdr)
    refresh()
    leads.answer(lead=lead, message="Thank you, I will call you.", by=sdr, at=AT + timedelta(minutes=20))
    report = refresh(AT + timedelta(minutes=30))
    assert report.closed == 1
    assert FollowUp.objects.get(rule=Rule.FIRST_ANSWER).outcome == Outcome.CAUSE_GONE


def test_a_lead_from_an_old_file_has_no_clock_and_no_follow_up(sdr):
    lead = make.lead(owner=sdr)
    type(lead).objects.filter(pk=lead.pk).update(answer_due_at=None)
    refresh()
    assert is_quiet(Rule.FIRST_ANSWER)


def test_a_lead_that_goes_to_another_sdr_takes_its_follow_up_along(sdr, teammate):
    lead = make.working_lead(sdr, owner=sdr)
    refresh()
    leads.assign(lead=lead, to=teammate, by=sdr, at=AT)
    report = refresh()
    assert (report.made, report.changed, report.closed) == (0, 1, 0)
    assert only(Rule.FIRST_ANSWER).owner == teammate


def test_somebody_who_cannot_log_in_any_more_gets_no_follow_ups(sdr):
    make.lead(owner=sdr)
    refresh()
    User.objects.filter(pk=sdr.pk).update(is_active=False)
    refresh()
    assert is_quiet(Rule.FIRST_ANSWER)


# ---- Untouched -----------------------------------------------------------------------------------------------------


def answered(sdr: User, at: datetime = AT, **fields) -> Lead:
    """A lead in hand that got its first answer at `at`, so that no clock runs."""
    lead = make.working_lead(sdr, at=at, owner=sdr, **fields)
    leads.answer(lead=lead, message="Thank you. I will call you.", by=sdr, at=at)
    return lead


def test_a_lead_that_lies_still_for_a_week_asks_for_a_step_and_not_before(sdr):
    lead = answered(sdr, name="Sofie De Wit")
    refresh(AT + days(6))
    assert is_quiet(Rule.UNTOUCHED)
    refresh(AT + days(7))
    follow_up = only(Rule.UNTOUCHED)
    assert (follow_up.owner, follow_up.lead) == (sdr, lead)
    assert said(follow_up, AT + days(7)) == (
        "Nobody has done anything for Sofie De Wit since 23 November. Take a step, or say that there is none."
    )
    assert badge(follow_up, AT + days(7)) == "still for 7 days"


def touch(lead: Lead, how: str, sdr: User, to: User, at: datetime) -> None:
    assert lead.person
    if how == "conversation":
        make.conversation(lead.person, lead=lead, by=sdr, at=at)
    elif how == "they wrote":
        make.conversation(lead.person, lead=lead, by=sdr, at=at, direction=Direction.INCOMING)
    elif how == "attempt":
        make.attempt(lead.person, lead=lead, by=sdr, at=at)
    elif how == "criterion":
        make.answered(lead, by=sdr, at=at)
    else:
        leads.assign(lead=lead, to=to, by=sdr, at=at)


@pytest.mark.parametrize("how", ["conversation", "they wrote", "attempt", "criterion", "assignment"])
def test_whatever_anybody_does_with_a_lead_is_a_touch(sdr, teammate, how):
    lead = answered(sdr, phone="+32 478 12 34 56")
    refresh(AT + days(7))
    only(Rule.UNTOUCHED)
    touch(lead, how, sdr, teammate, AT + days(7))
    refresh(AT + days(7))
    assert is_quiet(Rule.UNTOUCHED)
    refresh(AT + days(14))
    assert only(Rule.UNTOUCHED)


@pytest.mark.parametrize("agreed", ["question", "appointment", "promise"])
def test_a_lead_with_which_something_is_agreed_does_not_lie_still(sdr, account_manager, agreed):
    lead, later = answered(sdr), AT + days(12)
    if agreed == "question":
        asked(lead, sdr, on=TODAY + days(15))
    elif agreed == "promise":
        make.promise(lead.person, by=sdr, lead=lead, due_on=TODAY + days(15))
    else:
        make.appointment(account_manager, person=lead.person, lead=lead, starts_at=AT + days(15), override="they asked")
    refresh(later)
    assert is_quiet(Rule.UNTOUCHED)


def test_one_reason_to_do_something_for_a_lead_is_enough(sdr):
    make.working_lead(sdr, owner=sdr)
    refresh(AT + days(8))
    assert only(Rule.FIRST_ANSWER)
    assert is_quiet(Rule.UNTOUCHED)


def test_done_is_a_touch_and_a_slip_of_the_hand_is_none(sdr):
    answered(sdr)
    refresh(AT + days(7))
    follow_up = only(Rule.UNTOUCHED)
    follow_ups.put_off(follow_up=follow_up, until=TODAY + days(9), by=sdr, at=AT + days(7))
    follow_ups.done(follow_up=follow_up, by=sdr, at=AT + days(7))
    assert refresh(AT + days(13)).made == 0
    follow_ups.reopen(follow_up=follow_up, by=sdr, at=AT + days(7))
    assert refresh(AT + days(13)).closed == 0
    assert only(Rule.UNTOUCHED).put_off_until
    follow_ups.done(follow_up=follow_up, by=sdr, at=AT + days(14))
    assert refresh(AT + days(21)).made == 1


def test_what_is_not_needed_stays_quiet_until_something_new_was_done(sdr):
    lead = answered(sdr)
    refresh(AT + days(7))
    follow_ups.not_needed(follow_up=only(Rule.UNTOUCHED), by=sdr, at=AT + days(7))
    assert refresh(AT + days(30)).made == 0
    make.conversation(lead.person, lead=lead, by=sdr, at=AT + days(30))
    assert refresh(AT + days(38)).made == 1


def test_a_new_lead_goes_back_to_the_pool_before_anybody_is_asked_and_then_asks_who_leads(sdr, manager):
    lead = make.lead(owner=sdr)
    type(lead).objects.filter(pk=lead.pk).update(answer_due_at=None)
    refresh(AT + days(7))
    assert is_quiet(Rule.UNTOUCHED)
    type(lead).objects.filter(pk=lead.pk).update(answer_due_at=AT)
    assert assignment.return_untouched(at=AT + days(7) + timedelta(hours=1)) == 1
    refresh(AT + days(8))
    assert is_quiet(Rule.UNTOUCHED)
    refresh(AT + days(14) + timedelta(hours=1))
    follow_up = only(Rule.UNTOUCHED)
    assert follow_up.owner == manager
    assert "belongs to nobody" in said(follow_up)


def test_a_lead_of_nobody_from_an_old_file_asks_nobody(manager):
    lead = make.lead()
    type(lead).objects.filter(pk=lead.pk).update(answer_due_at=None)
    refresh(AT + days(30))
    assert is_quiet(Rule.UNTOUCHED)


def test_how_long_a_lead_may_lie_still_is_the_teams(sdr, outsider):
    RuleSetting.objects.create(rule=Rule.UNTOUCHED, team=sdr.team, numbers={"days": 3})
    for owner in (sdr, outsider):
        answered(owner)
    refresh(AT + days(4))
    assert only(Rule.UNTOUCHED).owner == sdr


# ---- Hand-off ------------------------------------------------------------------------------------------------------


def test_a_hand_off_waits_on_the_screen_of_the_account_manager(sdr, account_manager):
    hand_off = make.hand_off(sdr, account_manager)
    refresh()
    follow_up = only(Rule.HAND_OFF)
    assert (follow_up.owner, follow_up.hand_off, follow_up.lead) == (account_manager, hand_off, hand_off.lead)
    assert (
        said(follow_up)
        == "Qualified by Sofie Peeters, both say yes: “Wants a start before Easter.” Please answer by 14:30."
    )
    assert badge(follow_up) == "hand-off, answer by 14:30"


def test_a_hand_off_that_is_asked_about_waits_for_the_sdr_and_then_comes_back(sdr, account_manager):
    hand_off = make.hand_off(sdr, account_manager)
    refresh()
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.HAND_OFF)
    handoffs.tell(question=asked, answer="She does.", by=sdr, at=AT + timedelta(hours=1))
    refresh(AT + timedelta(hours=1))
    assert badge(only(Rule.HAND_OFF)) == "hand-off, answer by 15:30"


def test_an_answered_hand_off_waits_no_more(sdr, account_manager):
    hand_off = make.hand_off(sdr, account_manager)
    refresh()
    handoffs.reject(hand_off=hand_off, kind="no_fit", reason="Too far away for both of us.", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.HAND_OFF)


# ---- Open question -------------------------------------------------------------------------------------------------


def test_what_we_need_to_know_is_asked_on_its_day(sdr):
    asked(make.working_lead(sdr, name="Sofie De Wit"), sdr)
    refresh()
    assert is_quiet(Rule.OPEN_QUESTION)
    refresh(AT + days(3))
    follow_up = only(Rule.OPEN_QUESTION)
    assert said(follow_up, AT + days(3)) == "Before we decide about Sofie De Wit we need to know: “Who signs?”"
    assert badge(follow_up, AT + days(3)) == ""
    assert badge(follow_up, AT + days(5)) == "to be asked since 26 November"


@pytest.mark.parametrize("ends", ["answer", "verdict", "anew"])
def test_a_question_that_is_settled_is_asked_no_more(sdr, ends):
    lead = make.answered(make.working_lead(sdr), by=sdr)
    lead = asked(lead, sdr, on=TODAY)
    refresh()
    only(Rule.OPEN_QUESTION)
    if ends == "answer":
        verdicts.question_answered(lead=lead, answer="The board", by=sdr, at=AT)
    elif ends == "verdict":
        verdicts.qualify(lead=lead, by=sdr, at=AT)
    else:
        verdicts.judge_anew(lead=lead, by=sdr, at=AT)
    refresh()
    assert is_quiet(Rule.OPEN_QUESTION)
    assert FollowUp.objects.get(rule=Rule.OPEN_QUESTION).outcome == Outcome.CAUSE_GONE


def test_another_question_is_another_thing_to_do(sdr):
    lead = asked(make.working_lead(sdr), sdr, on=TODAY)
    refresh()
    follow_ups.done(follow_up=only(Rule.OPEN_QUESTION), by=sdr, at=AT)
    refresh()
    assert is_quiet(Rule.OPEN_QUESTION)
    asked(lead, sdr, "And who pays?", on=TODAY)
    refresh()
    assert "And who pays?" in said(only(Rule.OPEN_QUESTION))
