"""What became of our noes: counted by reason and source, with those that came back, and what they saved on the road."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm import deals, leads, noes, overrides, pipelines, travel, verdicts
from crm.clock import Period
from crm.models import Appointment, AppointmentKind, AppointmentState, Gate, Lead, User
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
PERIOD = Period(date(2026, 11, 1), date(2026, 11, 30), ZoneInfo("Europe/Brussels"))


def no(by: User, *, at: datetime = AT, reason: str = "no_need", km: int | None = None, **fields: Any) -> Lead:
    lead = make.working_lead(by, at=at - timedelta(days=1), **fields)
    if km is not None:
        leads.note_distance(lead=lead, km=km, by=by, at=at)
    return verdicts.decline(lead=lead, reason=reason, by=by, at=at)


def visited(lead: Lead, by: User, *, at: datetime = AT - timedelta(hours=5), **fields: Any) -> Appointment:
    """A visit that was held."""
    assert lead.person is not None
    row = make.appointment(by, person=lead.person, at=AT - timedelta(days=9))
    changes = {
        "lead": lead,
        "kind": AppointmentKind.VISIT,
        "state": AppointmentState.HELD,
        "starts_at": at,
        "ends_at": at + timedelta(hours=1),
        "blocked_from": at,
        "blocked_until": at + timedelta(hours=1),
    }
    Appointment.objects.filter(pk=row.pk).update(**changes | fields)
    return row


def test_noes_are_counted_by_reason_and_by_source_within_the_period(sdr: User) -> None:
    no(sdr, origin="website")
    no(sdr, reason="too_small", origin="website")
    no(sdr, at=AT - timedelta(days=40))
    told = noes.told(PERIOD)
    assert told.number == 2
    assert [(row.key, row.number) for row in told.by_reason] == [("no_need", 1), ("too_small", 1)]
    assert [(row.key, row.number) for row in told.by_origin] == [("website", 2)]
    assert noes.told(PERIOD, team_id=0).number == 0


def test_a_no_that_was_taken_up_again_still_counts_on_the_day_it_was_said(sdr: User) -> None:
    lead = verdicts.reopen(lead=no(sdr), by=sdr, at=AT + timedelta(days=20))
    assert [row.pk for row in noes.said(PERIOD)] == [lead.pk]
    december = Period(date(2026, 12, 1), date(2026, 12, 31), PERIOD.zone)
    assert not noes.said(december).exists()


def test_who_ordered_after_our_no_came_back(sdr: User, account_manager: User) -> None:
    company = make.organisation("De Notelaar")
    back = no(sdr, company=company, person=make.person(organisation=company))
    no(sdr)
    make.won_deal(account_manager, at=AT + timedelta(days=200), organisation=company)
    early = make.organisation("Early")
    make.won_deal(account_manager, at=AT - timedelta(days=30), organisation=early)
    no(sdr, company=early, person=make.person(organisation=early))
    assert [row.pk for row in noes.came_back(noes.said(PERIOD))] == [back.pk]
    assert noes.told(PERIOD).came_back == 1


def test_the_same_lead_can_come_back(sdr: User, account_manager: User) -> None:
    lead = verdicts.reopen(lead=no(sdr), by=sdr, at=AT + timedelta(days=20))
    lead = make.answered(lead, by=sdr, at=AT + timedelta(days=21))
    lead = verdicts.qualify(lead=lead, by=sdr, at=AT + timedelta(days=21))
    deal = deals.open(
        name="Suite",
        stage=pipelines.first_stage(),
        owner=account_manager,
        lead=lead,
        next_step="Call",
        next_step_on=AT.date() + timedelta(days=30),
        by=account_manager,
        at=AT + timedelta(days=22),
    )
    deals.win(deal=deal, by=account_manager, at=AT + timedelta(days=40))
    assert noes.told(PERIOD).came_back == 1


def test_a_no_is_looked_back_on_after_three_months_and_once(sdr: User) -> None:
    lead = no(sdr)
    assert not noes.to_look_back(AT + timedelta(days=90)).exists()
    later = AT + timedelta(days=91)
    assert noes.to_look_back(later).get() == lead
    verdicts.evaluate_no(lead=lead, would_decide_same=True, by=sdr, at=later)
    assert not noes.to_look_back(later).exists()
    told = noes.told(PERIOD)
    assert (told.evaluated, told.same) == (1, 1)


# ---- On the road -----------------------------------------------------------------------------------------------------


def test_a_no_before_a_visit_saves_the_way_there_and_back_and_the_hour(sdr: User) -> None:
    no(sdr, km=45)
    no(sdr, km=0)
    no(sdr)
    assert travel.of_saved(noes.said(PERIOD)) == travel.Travel(number=3, known=2, km=90, hours=4)
    assert travel.of_wasted(noes.said(PERIOD)) == travel.Travel(0, 0, 0, 0)


def test_a_distance_noted_on_an_appointment_counts_where_the_lead_has_none(sdr: User) -> None:
    lead = no(sdr)
    visited(lead, sdr, state=AppointmentState.CANCELLED, distance_km=30)
    assert travel.of_saved(noes.said(PERIOD)).km == 60


def test_a_visit_before_both_said_yes_is_wasted_and_each_counts(sdr: User) -> None:
    lead = no(sdr, km=20)
    visited(lead, sdr)
    visited(lead, sdr, at=AT - timedelta(days=3))
    assert travel.of_wasted(noes.said(PERIOD)) == travel.Travel(number=1, known=1, km=80, hours=3)
    assert travel.of_saved(noes.said(PERIOD)).number == 0


def test_a_visit_after_both_said_yes_is_neither_saved_nor_wasted(sdr: User) -> None:
    lead = make.qualified_lead(sdr, at=AT - timedelta(days=2))
    visited(lead, sdr)
    verdicts.decline(lead=lead, reason="no_match", why="They chose another", by=sdr, at=AT)
    assert travel.of_saved(noes.said(PERIOD)).number == travel.of_wasted(noes.said(PERIOD)).number == 0


def test_a_verdict_against_the_advice_was_no_yes_of_both(sdr: User) -> None:
    lead = make.qualified_lead(sdr, at=AT - timedelta(days=2))
    overrides.record(gate=Gate.VERDICT, why="A feeling", by=sdr, at=AT - timedelta(days=2), lead=lead)
    visited(lead, sdr)
    verdicts.decline(lead=lead, reason="no_match", why="They chose another", by=sdr, at=AT)
    assert travel.of_wasted(noes.said(PERIOD)).number == 1


@pytest.mark.parametrize("km", [-1, 2001])
def test_a_distance_that_nobody_drives_is_refused(sdr: User, km: int) -> None:
    with pytest.raises(Refused):
        leads.note_distance(lead=make.lead(), km=km, by=sdr, at=AT)
