"""Open deals: a step that is due or missing, a date of theirs that has passed, and silence."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from crm import deals, follow_ups, pipelines
from crm.models import Deal, Direction, FollowUp, Outcome, Rule, RuleSetting, Stage, User
from tests import make
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, badge, days, is_quiet, only, refresh, said, without_a_step

pytestmark = pytest.mark.django_db


# ---- Next step -----------------------------------------------------------------------------------------------------


def test_a_next_step_asks_for_itself_on_its_day_and_not_before(account_manager):
    deal = make.deal(account_manager, next_step="Call about the dates", next_step_on=TODAY + days(1))
    refresh()
    assert is_quiet(Rule.NEXT_STEP)
    refresh(AT + days(1))
    follow_up = only(Rule.NEXT_STEP)
    assert (follow_up.deal, follow_up.person, follow_up.organisation) == (deal, deal.person, deal.organisation)
    assert follow_up.due_at == datetime.combine(TODAY + days(1), time(9), tzinfo=BRUSSELS)
    assert said(follow_up, AT + days(1)) == "Agreed for 24 November: Call about the dates"
    assert badge(follow_up, AT + days(1)) == "next step today"
    assert badge(follow_up, AT + days(3)) == "next step, 2 days late"


def test_today_begins_at_the_owners_midnight_and_not_at_that_of_utc(account_manager):
    make.deal(account_manager, next_step_on=TODAY + days(1))
    just_before = datetime.combine(TODAY, time(23, 59), tzinfo=BRUSSELS)
    refresh(just_before)
    assert is_quiet(Rule.NEXT_STEP)
    refresh(just_before + timedelta(minutes=2))  # Still 23:01 the day before in UTC.
    assert only(Rule.NEXT_STEP)


def test_a_new_day_for_the_step_closes_the_old_question_and_asks_a_new_one(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    deals.set_step(deal=deal, next_step="Visit", next_step_on=TODAY + days(7), by=account_manager, at=AT)
    assert refresh().closed == 1
    assert refresh(AT + days(7)).made == 1


def test_a_step_that_was_done_stays_quiet_until_there_is_a_new_one(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    follow_ups.done(follow_up=only(Rule.NEXT_STEP), by=account_manager, at=AT)
    assert refresh().made == 0
    assert refresh(AT + days(1)).made == 0
    deals.set_step(deal=deal, next_step="Visit", next_step_on=TODAY + days(2), by=account_manager, at=AT)
    assert refresh(AT + days(2)).made == 1


def test_a_deal_that_ends_asks_for_nothing(account_manager):
    deal = make.deal(account_manager, next_step_on=TODAY)
    refresh()
    deals.win(deal=deal, by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.NEXT_STEP)


def test_an_imported_deal_without_a_step_asks_for_one(account_manager):
    without_a_step(make.deal(account_manager))
    refresh()
    follow_up = only(Rule.NO_NEXT_STEP)
    assert said(follow_up) == "This deal has no next step. Agree on one with them, with a date."
    assert badge(follow_up) == "no next step"


# ---- The buyer's date has passed -----------------------------------------------------------------------------------


def dated(owner: User, theirs: date, ours: date | None = None) -> Deal:
    """A deal with a step next week, and a date that the buyer named."""
    deal = make.deal(owner, next_step_on=TODAY + days(30))
    Deal.objects.filter(pk=deal.pk).update(buyer_date=theirs, seller_date=ours)
    return deal


def test_a_date_of_theirs_is_asked_about_the_morning_after_it_passed(account_manager):
    deal = dated(account_manager, TODAY, TODAY + days(7))
    refresh()
    assert is_quiet(Rule.BUYERS_DATE)
    refresh(AT + days(1))
    follow_up = only(Rule.BUYERS_DATE)
    assert (follow_up.owner, follow_up.deal) == (account_manager, deal)
    assert said(follow_up) == (
        "Their own date was 23 November and has passed. Ask them again before you trust yours (30 November)."
    )
    assert badge(follow_up, AT + days(1)) == ""
    assert badge(follow_up, AT + days(16)) == "their date, 16 days ago"


def test_a_date_of_theirs_without_ours_is_asked_about_too(account_manager):
    dated(account_manager, TODAY - days(8))
    refresh()
    assert said(only(Rule.BUYERS_DATE)).endswith("has passed. Ask them which day it is now.")


@pytest.mark.parametrize("end", ["a new date", "no date", "won"])
def test_a_new_answer_of_theirs_ends_the_question(account_manager, end):
    deal = dated(account_manager, TODAY - days(8))
    refresh()
    if end == "won":
        deals.win(deal=Deal.objects.get(pk=deal.pk), by=account_manager, at=AT)
    else:
        Deal.objects.filter(pk=deal.pk).update(buyer_date=TODAY + days(20) if end == "a new date" else None)
    assert refresh().closed == 1
    assert FollowUp.objects.get(rule=Rule.BUYERS_DATE).outcome == Outcome.CAUSE_GONE


def test_who_asked_again_is_left_in_peace_until_the_next_date_has_passed(account_manager):
    deal = dated(account_manager, TODAY - days(8))
    refresh()
    follow_ups.done(follow_up=only(Rule.BUYERS_DATE), by=account_manager, at=AT)
    assert refresh(AT + days(9)).made == 0
    Deal.objects.filter(pk=deal.pk).update(buyer_date=TODAY + days(9))
    refresh(AT + days(10))
    assert only(Rule.BUYERS_DATE)


# ---- Silence -------------------------------------------------------------------------------------------------------


def quiet(owner: User, spoken: datetime = AT, stage: Stage | None = None) -> Deal:
    """A deal without anything agreed, in which they last spoke on that day. Usual in its stage are seven days."""
    deal = make.deal(owner, at=AT - days(30), next_step_on=TODAY, stage=stage or pipelines.first_stage())
    make.conversation(deal.person, deal=deal, by=owner, at=spoken)
    deal.refresh_from_db()
    return deal


def test_silence_is_noticed_at_half_as_long_again_as_usual_and_not_before(account_manager):
    deal = quiet(account_manager)
    refresh(AT + days(10))
    assert is_quiet(Rule.SILENCE)
    refresh(AT + days(11))
    follow_up = only(Rule.SILENCE)
    assert (follow_up.owner, follow_up.deal, follow_up.person) == (account_manager, deal, deal.person)
    assert said(follow_up, AT + days(11)) == (
        "You last heard from them on 23 November, 11 days ago; usual in “Get acquainted” is 7. Nothing is agreed for later."
    )
    assert badge(follow_up, AT + days(11)) == "quiet for 11 days"


def test_who_never_said_a_word_is_silent_since_the_deal_opened(account_manager):
    make.deal(account_manager, at=AT - days(30), next_step_on=TODAY)
    refresh()
    assert said(only(Rule.SILENCE)).startswith("They have not said a word since it opened on 24 October, 30 days ago")


@pytest.mark.parametrize(
    ("direction", "is_a_word"), [(Direction.BOTH, True), (Direction.INCOMING, True), (Direction.OUTGOING, False)]
)
def test_a_word_of_theirs_breaks_the_silence_and_one_of_ours_does_not(account_manager, direction, is_a_word):
    deal, later = quiet(account_manager), AT + days(12)
    refresh(later)
    make.conversation(deal.person, deal=deal, by=account_manager, at=later, direction=direction)
    refresh(later)
    assert is_quiet(Rule.SILENCE) is is_a_word


@pytest.mark.parametrize("agreed", ["step", "appointment", "appointment with the person"])
def test_what_is_agreed_for_later_is_no_silence(account_manager, agreed):
    deal, later = quiet(account_manager), AT + days(12)
    refresh(later)
    only(Rule.SILENCE)
    if agreed == "step":
        step_on = TODAY + days(40)
        deals.set_step(deal=deal, next_step="Visit", next_step_on=step_on, by=account_manager, at=later)
    else:
        about = deal if agreed == "appointment" else None
        make.appointment(account_manager, person=deal.person, starts_at=later + days(2), at=later, deal=about)
    refresh(later)
    assert is_quiet(Rule.SILENCE)


def test_who_tried_and_heard_nothing_tries_again_after_as_long(account_manager):
    deal = quiet(account_manager)
    refresh(AT + days(11))
    follow_ups.done(follow_up=only(Rule.SILENCE), by=account_manager, at=AT + days(11))
    refresh(AT + days(21))
    assert is_quiet(Rule.SILENCE)
    refresh(AT + days(22))
    follow_up = only(Rule.SILENCE)
    assert "23 November, 22 days ago" in said(follow_up, AT + days(22))
    follow_ups.not_needed(follow_up=follow_up, by=account_manager, at=AT + days(22))
    refresh(AT + days(60))
    assert is_quiet(Rule.SILENCE)
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT + days(60))
    refresh(AT + days(72))
    assert only(Rule.SILENCE)


def test_won_deals_say_what_is_usual_once_there_are_enough(account_manager):
    stage = pipelines.first_stage()
    quiet(account_manager, spoken=AT - days(5), stage=stage)
    Stage.objects.filter(pk=stage.pk).update(learned_contact_days=2, learned_from=29)
    refresh()
    assert is_quiet(Rule.SILENCE)
    Stage.objects.filter(pk=stage.pk).update(learned_from=30)
    refresh()
    assert said(only(Rule.SILENCE)).endswith(
        "usual in “Get acquainted” is 2. Nothing is agreed for later. That is what 30 won deals show."
    )


def test_how_long_a_silence_may_last_is_the_teams(account_manager, outsider):
    for owner in (account_manager, outsider):
        quiet(owner)
    RuleSetting.objects.create(rule=Rule.SILENCE, team=account_manager.team, numbers={"percent": 100})
    refresh(AT + days(7))
    assert only(Rule.SILENCE).owner == account_manager
