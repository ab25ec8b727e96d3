"""How long a silence may last with those whom we want to stay close to."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from crm import appointments, conversations, promises
from crm.models import Person, Rule, Tier
from crm.rules.keep_in_touch import IDEAL_DAYS, LATEST_DAYS
from tests import make
from tests.make import AT
from tests.rules import BRUSSELS, TODAY, badge, days, is_quiet, known, only, refresh, said

pytestmark = pytest.mark.django_db


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
