"""Each rule: when it asks for a follow-up, when it does not, and how a follow-up of it ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone, translation

from crm import advocacy, appointments, conversations, deals, follow_ups, handoffs, leads, promises, rules, verdicts
from crm.models import Appointment, Deal, FollowUp, Outcome, Person, Promise, PromiseSide, Rule, SubjectKind, Tier, User
from crm.rules.keep_in_touch import IDEAL_DAYS, LATEST_DAYS
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

BRUSSELS = ZoneInfo("Europe/Brussels")
TODAY = AT.astimezone(BRUSSELS).date()
"""Monday 23 November 2026."""


def days(number: int) -> timedelta:
    return timedelta(days=number)


def refresh(at: datetime = AT) -> follow_ups.RefreshReport:
    report = follow_ups.refresh(at=at)
    assert report.failed == []
    return report


def only(rule: Rule) -> FollowUp:
    return FollowUp.objects.open().get(rule=rule)


def is_quiet(rule: Rule) -> bool:
    return not FollowUp.objects.open().filter(rule=rule).exists()


def said(follow_up: FollowUp, at: datetime = AT) -> str:
    with translation.override("en"), timezone.override(BRUSSELS):
        return rules.sentence(FollowUp.objects.for_today().get(pk=follow_up.pk), at)


def badge(follow_up: FollowUp, at: datetime = AT) -> str:
    with translation.override("en"), timezone.override(BRUSSELS):
        found = rules.badge(FollowUp.objects.for_today().get(pk=follow_up.pk), at)
    return found.text if found else ""


def known(name: str, owner: User, tier: Tier | str = "", spoken: datetime | None = None) -> Person:
    """A person whom `owner` has known since long."""
    person = make.person(name)
    long_ago = datetime(2024, 1, 8, 9, tzinfo=UTC)
    Person.objects.filter(pk=person.pk).update(owner=owner, tier=tier, created_at=long_ago)
    if spoken:
        make.conversation(person, by=owner, at=spoken)
    person.refresh_from_db()
    return person


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
    deal = make.deal(account_manager)
    Deal.objects.filter(pk=deal.pk).update(next_step_on=None, next_step="", external_id="old-1")
    refresh()
    follow_up = only(Rule.NEXT_STEP)
    assert said(follow_up) == "This deal has no next step. Agree on one with them, with a date."
    assert badge(follow_up) == "no next step"


# ---- Promises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [PromiseSide.OURS, PromiseSide.THEIRS])
@pytest.mark.parametrize(
    ("due", "not_before", "opens_on"),
    [
        (TODAY, None, TODAY),
        (TODAY - days(6), None, TODAY),
        (TODAY + days(1), None, TODAY + days(1)),
        (TODAY, TODAY + days(2), TODAY + days(2)),
        (TODAY, TODAY - days(2), TODAY),
    ],
)
def test_a_promise_of_either_side_asks_for_itself_when_due_and_not_before_its_not_before(
    account_manager, side, due, not_before, opens_on
):
    promise = make.promise(
        known("Peter van der Meulen", account_manager), by=account_manager, due_on=due, side=side, at=AT - days(20)
    )
    Promise.objects.filter(pk=promise.pk).update(not_before=not_before)
    if opens_on > TODAY:
        refresh(AT + (opens_on - TODAY) - days(1))
        assert is_quiet(Rule.THEIR_PROMISE)
    refresh(AT + (opens_on - TODAY))
    assert only(Rule.THEIR_PROMISE).subject_id == promise.pk


def test_a_promise_says_who_promised_what_and_when(account_manager):
    peter = known("Peter van der Meulen", account_manager)
    make.promise(
        peter,
        by=account_manager,
        due_on=TODAY - days(6),
        side=PromiseSide.THEIRS,
        text="the numbers of last season",
        at=AT - days(30),
    )
    refresh()
    follow_up = only(Rule.THEIR_PROMISE)
    assert said(follow_up) == "On 24 October Peter van der Meulen promised, by 17 November: the numbers of last season"
    assert badge(follow_up) == "promise of theirs, 6 days late"


def test_a_kept_promise_asks_no_more_and_a_moved_one_waits_for_its_new_day(account_manager):
    first = make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    second = make.promise(known("B B", account_manager), by=account_manager, due_on=TODAY)
    assert refresh().made == 2
    promises.keep(promise=first, by=account_manager, at=AT)
    promises.move(promise=second, due_on=TODAY + days(3), by=account_manager, at=AT)
    assert refresh().closed == 2
    assert refresh(AT + days(3)).made == 1


def test_a_promise_that_nobody_watches_is_watched_by_whoever_knows_them(account_manager):
    promise = make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    Promise.objects.filter(pk=promise.pk).update(owner=None)
    refresh()
    assert only(Rule.THEIR_PROMISE).owner == account_manager


def test_the_promise_of_an_introduction_waits_for_the_holiday_to_end(account_manager):
    referral = make.referral(account_manager, at=AT - days(94))
    advocacy.promise(
        referral=referral,
        whom="a sister in purchasing",
        due_on=TODAY - days(60),
        not_before=TODAY - days(70),
        by=account_manager,
        at=AT - days(94),
    )
    refresh(AT - days(65))
    assert is_quiet(Rule.REFERRAL_PROMISE)
    refresh()
    follow_up = only(Rule.REFERRAL_PROMISE)
    assert follow_up.person == referral.referrer
    assert "promised to introduce a sister in purchasing, but not before 14 September. That day has come." in said(
        follow_up
    )
    assert badge(follow_up) == "promise of theirs, 60 days late"


def test_an_introduction_ends_the_wait_for_it(account_manager):
    referral = make.referral(account_manager, at=AT - days(30))
    advocacy.promise(referral=referral, by=account_manager, at=AT - days(30))
    refresh()
    advocacy.introduce(referral=referral, name="An Peeters", email="an@example.org", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.REFERRAL_PROMISE)


# ---- Open question -------------------------------------------------------------------------------------------------


def asked(lead, sdr, question="Who signs?", on=None, at=AT):
    return verdicts.ask_first(lead=lead, question=question, on=on or TODAY + days(3), by=sdr, at=at)


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


# ---- Come back -----------------------------------------------------------------------------------------------------


def test_a_nurtured_lead_comes_back_on_its_day(sdr):
    lead = make.working_lead(sdr)
    verdicts.nurture(lead=lead, until=TODAY + days(10), by=sdr, at=AT)
    refresh(AT + days(9))
    assert is_quiet(Rule.COME_BACK)
    refresh(AT + days(10))
    assert "you agreed to come back from 3 December" in said(only(Rule.COME_BACK), AT + days(10))
    lead.refresh_from_db()
    verdicts.reopen(lead=lead, by=sdr, at=AT + days(10))
    refresh(AT + days(10))
    assert is_quiet(Rule.COME_BACK)


def test_a_declined_lead_comes_back_only_when_a_day_was_named(sdr):
    verdicts.decline(lead=make.working_lead(sdr), reason="not_now", come_back_on=TODAY + days(7), by=sdr, at=AT)
    verdicts.decline(lead=make.working_lead(sdr), reason="no_need", by=sdr, at=AT)
    refresh(AT + days(7))
    assert said(only(Rule.COME_BACK), AT + days(7)).startswith("We said no to ")
    assert "(“Not the right moment”)" in said(only(Rule.COME_BACK), AT + days(7))


# ---- Keep in touch -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", list(Tier))
def test_the_closer_they_are_the_sooner_silence_is_noticed(account_manager, tier):
    spoken = datetime(2026, 1, 5, 10, tzinfo=UTC)
    known("Ilse Maes", account_manager, tier, spoken=spoken)
    quiet_until = spoken.date() + days(IDEAL_DAYS[tier])
    refresh(datetime.combine(quiet_until - days(1), time(12), tzinfo=BRUSSELS))
    assert is_quiet(Rule.KEEP_IN_TOUCH)
    after = datetime.combine(quiet_until + days(4), time(12), tzinfo=BRUSSELS)  # A long weekend may lie between.
    refresh(after)
    follow_up = only(Rule.KEEP_IN_TOUCH)
    assert f"In tier {tier} you like to speak every {IDEAL_DAYS[tier]} days." in said(follow_up, after)
    assert badge(follow_up, after) == ""
    too_long = datetime.combine(spoken.date() + days(LATEST_DAYS[tier] + 4), time(12), tzinfo=BRUSSELS)
    refresh(too_long)
    assert badge(only(Rule.KEEP_IN_TOUCH), too_long) == "silent too long"
    assert only(Rule.KEEP_IN_TOUCH).rank < follow_up.rank


def test_never_is_a_reason_to_get_in_touch_and_not_a_blank(account_manager):
    person = known("Ilse Maes", account_manager, Tier.A)
    assert person.last_contact_at is None
    refresh()
    assert said(only(Rule.KEEP_IN_TOUCH)).startswith("You have never been in touch with Ilse Maes.")
    assert badge(only(Rule.KEEP_IN_TOUCH)) == "never in touch"


def test_a_conversation_by_anybody_starts_the_silence_again(account_manager, sdr):
    ilse = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(50))
    refresh()
    make.conversation(ilse, by=sdr, at=AT)
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)
    assert refresh(AT + days(31)).made == 1


def test_a_conversation_that_is_removed_brings_the_question_back(account_manager):
    ilse = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(50))
    conversation = make.conversation(ilse, by=account_manager, at=AT - days(2))
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)
    conversations.delete(conversation=conversation, by=account_manager, at=AT)
    refresh()
    assert only(Rule.KEEP_IN_TOUCH)


def test_nobody_is_asked_to_keep_in_touch_with_those_outside_the_tiers_or_without_an_owner(account_manager):
    known("No Tier", account_manager)
    nobodys = known("No Owner", account_manager, Tier.A)
    Person.objects.filter(pk=nobodys.pk).update(owner=None)
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)


def test_an_appointment_to_come_is_better_than_a_call_out_of_habit(account_manager):
    friend = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(60))
    row = make.appointment(account_manager, person=friend, starts_at=AT + days(2))
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)
    appointments.cancel(appointment=row, why="They are ill", by=account_manager, at=AT)
    refresh()
    assert only(Rule.KEEP_IN_TOUCH).person == friend


def test_an_agreed_step_is_better_than_a_call_out_of_habit(account_manager):
    ilse = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(50))
    make.deal(account_manager, person=ilse, next_step_on=TODAY + days(10))
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)


def test_one_reason_to_call_is_enough(account_manager):
    ilse = known("Ilse Maes", account_manager, Tier.A, spoken=AT - days(50))
    promise = make.promise(ilse, by=account_manager, due_on=TODAY)
    refresh()
    assert is_quiet(Rule.KEEP_IN_TOUCH)
    promises.keep(promise=promise, by=account_manager, at=AT)
    refresh()
    assert only(Rule.KEEP_IN_TOUCH)


# ---- Working days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promised", "asked"),
    [
        (date(2026, 11, 28), date(2026, 11, 30)),  # A Saturday.
        (date(2026, 11, 29), date(2026, 11, 30)),  # A Sunday.
        (date(2026, 12, 25), date(2026, 12, 28)),  # Christmas, a Friday.
        (date(2026, 11, 27), date(2026, 11, 27)),
    ],
)
def test_what_is_due_on_a_day_off_asks_on_the_next_working_morning(account_manager, promised, asked):
    make.promise(known("A A", account_manager), by=account_manager, due_on=promised)
    noon_before = datetime.combine(asked - days(1), time(12), tzinfo=BRUSSELS)
    refresh(noon_before)
    assert is_quiet(Rule.THEIR_PROMISE)
    refresh(noon_before + days(1))
    assert only(Rule.THEIR_PROMISE).due_at == datetime.combine(asked, time(9), tzinfo=BRUSSELS)


def test_holidays_and_hours_are_those_of_the_owner(account_manager, outsider):
    """21 July is a holiday in Belgium and an ordinary Tuesday in the Netherlands; Otto starts at eight and works in Lisbon."""
    User.objects.filter(pk=outsider.pk).update(work_start=time(8), time_zone="Europe/Lisbon")
    day = date(2026, 7, 21)
    for owner in (account_manager, outsider):
        make.promise(known("A A", owner), by=owner, due_on=day, at=AT - days(200))
    refresh()
    due = {follow_up.owner: follow_up.due_at for follow_up in FollowUp.objects.select_related("owner")}
    assert due[account_manager] == datetime(2026, 7, 22, 9, tzinfo=BRUSSELS)
    assert due[outsider] == datetime(2026, 7, 21, 8, tzinfo=ZoneInfo("Europe/Lisbon"))


def test_one_impossible_profile_does_not_stop_the_others(account_manager, sdr):
    User.objects.filter(pk=sdr.pk).update(time_zone="Mars/Olympus", working_days=[9])
    make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    make.promise(known("B B", sdr), by=account_manager, owner=sdr, due_on=TODAY)
    assert refresh().made == 2


# ---- All rules -----------------------------------------------------------------------------------------------------


# ---- An appointment that is over -----------------------------------------------------------------------------------


def meeting(host: User, hours: int) -> Appointment:
    """An hour with this host that began so many hours ago."""
    return make.appointment(host, starts_at=AT - timedelta(hours=hours), at=AT - days(3))


def test_an_appointment_that_is_over_asks_its_host_how_it_went_and_then_what_was_said(account_manager):
    row = meeting(account_manager, 3)
    refresh(AT - timedelta(hours=2, minutes=30))
    assert is_quiet(Rule.APPOINTMENT), "it goes on still"
    refresh()
    asked = only(Rule.APPOINTMENT)
    assert (asked.owner, asked.person) == (account_manager, row.person)
    assert "How did it go?" in said(asked)
    appointments.held(appointment=row, by=account_manager, at=AT)
    refresh()
    assert "What was said?" in said(only(Rule.APPOINTMENT))
    conversation = make.conversation(row.person, by=account_manager)
    appointments.logged(appointment=row, conversation=conversation, by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


@pytest.mark.parametrize("end", ["no_show", "move", "cancel"])
def test_an_appointment_that_ended_otherwise_asks_nothing(account_manager, end):
    row = meeting(account_manager, 3)
    refresh()
    if end == "no_show":
        appointments.no_show(appointment=row, by=account_manager, at=AT)
    elif end == "move":
        appointments.move(appointment=row, starts_at=AT + days(2), by=account_manager, at=AT)
    else:
        appointments.cancel(appointment=row, why="They are ill", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


def test_an_appointment_of_long_ago_is_asked_about_no_more(account_manager):
    make.appointment(account_manager, starts_at=AT - days(31), at=AT - days(40))
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


def everything(account_manager: User, sdr: User) -> None:
    """One cause for each rule."""
    make.lead(owner=sdr)
    make.hand_off(sdr, account_manager)
    make.deal(account_manager, next_step_on=TODAY)
    make.promise(known("A A", account_manager), by=account_manager, due_on=TODAY)
    advocacy.promise(referral=make.referral(account_manager, at=AT - days(30)), by=account_manager, at=AT - days(30))
    verdicts.nurture(lead=make.working_lead(sdr, at=AT - days(30)), until=TODAY - days(3), by=sdr, at=AT - days(30))
    known("B B", account_manager, Tier.A, spoken=AT - days(50))
    meeting(account_manager, 2 + 2 * Appointment.objects.count())
    unclear = make.working_lead(sdr, at=AT - days(5))
    leads.answer(lead=unclear, message="Thank you. I will call you.", by=sdr, at=AT - days(5))
    asked(unclear, sdr, on=TODAY, at=AT - days(4))


def test_every_rule_has_a_follow_up_a_sentence_and_no_number_of_a_row_in_it(account_manager, sdr):
    everything(account_manager, sdr)
    refresh()
    opened = FollowUp.objects.open()
    assert {follow_up.rule for follow_up in opened} == set(Rule.values)
    for follow_up in opened:
        assert said(follow_up).endswith((".", "?", "?”")) or follow_up.rule in (Rule.NEXT_STEP, Rule.THEIR_PROMISE)
        assert not {key for key in follow_up.why if key.endswith("id")}


def test_a_refresh_asks_one_statement_of_each_rule_however_many_rows(
    account_manager, sdr, django_assert_max_num_queries
):
    everything(account_manager, sdr)
    everything(account_manager, sdr)
    with django_assert_max_num_queries(1 + 5 * len(Rule)):  # Users; savepoint, lock, setting, statement, release.
        refresh()


def test_a_second_refresh_changes_nothing(account_manager, sdr):
    everything(account_manager, sdr)
    assert refresh().made == len(Rule)
    before = list(FollowUp.objects.order_by("pk").values())
    report = refresh(AT + timedelta(minutes=15))
    assert (report.made, report.changed, report.closed) == (0, 0, 0)
    assert list(FollowUp.objects.order_by("pk").values()) == before


def test_a_refresh_of_a_few_subjects_leaves_the_others_alone(account_manager):
    first = make.deal(account_manager, next_step_on=TODAY)
    make.deal(account_manager, next_step_on=TODAY)
    report = follow_ups.refresh(at=AT, subjects=[(SubjectKind.DEAL, first.pk)])
    assert report.made == 1
    assert only(Rule.NEXT_STEP).deal == first
    assert follow_ups.refresh(at=AT, subjects=[]).closed == 0
    assert refresh().made == 1


def test_a_rule_that_fails_stops_no_other_and_loses_nothing(account_manager, sdr, caplog):
    everything(account_manager, sdr)
    refresh()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE crm_promise RENAME COLUMN not_before TO gone")
    make.deal(account_manager, next_step_on=TODAY)
    report = follow_ups.refresh(at=AT)
    assert [failed.rule for failed in report.failed] == [Rule.THEIR_PROMISE]
    assert "not_before" in report.failed[0].error
    assert report.made == 1
    assert only(Rule.THEIR_PROMISE)
    assert "promise" in caplog.text
