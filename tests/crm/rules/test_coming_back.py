"""Coming back to whom we said no for now, and to who was not ready."""

from __future__ import annotations

import pytest

from crm import verdicts
from crm.models import Lead, Outcome, Rule
from tests import make
from tests.make import AT
from tests.rules import TODAY, badge, days, is_quiet, only, refresh, said

pytestmark = pytest.mark.django_db


def test_a_nurtured_lead_comes_back_on_its_day(sdr):
    lead = make.working_lead(sdr)
    verdicts.nurture(lead=lead, until=TODAY + days(10), by=sdr, at=AT)
    refresh(AT + days(9))
    assert is_quiet(Rule.NURTURE)
    refresh(AT + days(10))
    assert "you agreed to come back from 3 December" in said(only(Rule.NURTURE), AT + days(10))
    lead.refresh_from_db()
    verdicts.reopen(lead=lead, by=sdr, at=AT + days(10))
    refresh(AT + days(10))
    assert is_quiet(Rule.NURTURE)


def test_a_declined_lead_comes_back_only_when_a_day_was_named(sdr):
    verdicts.decline(lead=make.working_lead(sdr), reason="not_now", come_back_on=TODAY + days(7), by=sdr, at=AT)
    verdicts.decline(lead=make.working_lead(sdr), reason="no_need", by=sdr, at=AT)
    refresh(AT + days(7))
    assert said(only(Rule.COME_BACK), AT + days(7)).startswith("We said no to ")
    assert "(“Not the right moment”)" in said(only(Rule.COME_BACK), AT + days(7))


def test_a_declined_lead_that_is_taken_up_again_asks_no_more(sdr):
    lead = make.working_lead(sdr)
    verdicts.decline(lead=lead, reason="not_now", come_back_on=TODAY + days(7), by=sdr, at=AT)
    refresh(AT + days(7))
    follow_up = only(Rule.COME_BACK)
    assert badge(follow_up, AT + days(7)) == ""
    assert badge(follow_up, AT + days(15)) == "time to come back"
    verdicts.reopen(lead=Lead.objects.get(pk=lead.pk), by=sdr, at=AT + days(7))
    refresh(AT + days(7))
    follow_up.refresh_from_db()
    assert follow_up.outcome == Outcome.CAUSE_GONE
