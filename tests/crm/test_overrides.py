"""Going past a gate is remembered, with the reason."""

from __future__ import annotations

import pytest

from crm import overrides
from crm.models import Event, EventKind, Gate, Override
from crm.refusal import Refused
from crm.timeline import sentences
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def test_an_override_stands_with_its_reason_and_on_the_timeline_of_the_lead(sdr):
    lead = make.working_lead(sdr)
    row = overrides.record(gate=Gate.VISIT, why=" They are next door. ", by=sdr, at=AT, lead=lead)
    assert (row.gate, row.why, row.by, row.at, row.lead) == (Gate.VISIT, "They are next door.", sdr, AT, lead)
    event = Event.objects.get(kind=EventKind.GATE_OVERRIDDEN)
    assert (event.lead_id, event.person_id, event.by) == (lead.pk, lead.person_id, sdr)
    said = sentences.SENTENCES[EventKind.GATE_OVERRIDDEN](event.old or {}, event.new or {})
    assert "visit before qualified" in said.lower()
    assert "They are next door." in said


def test_an_override_of_a_deal_stands_on_the_timeline_of_its_buyer(account_manager):
    deal = make.deal(account_manager)
    overrides.record(gate=Gate.DEAL, why="An old friend", by=account_manager, at=AT, deal=deal)
    event = Event.objects.get(kind=EventKind.GATE_OVERRIDDEN)
    assert (event.deal_id, event.person_id, event.organisation_id) == (deal.pk, deal.person_id, deal.organisation_id)


@pytest.mark.parametrize("why", ["", "  ", "\x00", "x" * 301])
def test_an_override_without_a_reason_of_a_line_is_refused(sdr, why):
    with pytest.raises(Refused):
        overrides.record(gate=Gate.VERDICT, why=why, by=sdr, at=AT, lead=make.working_lead(sdr))
    assert not Override.objects.exists()


def test_an_override_about_nothing_is_a_mistake_of_the_caller(sdr):
    with pytest.raises(TypeError):
        overrides.record(gate=Gate.VERDICT, why="because", by=sdr, at=AT)
