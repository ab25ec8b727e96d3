"""A verdict: qualified by both yeses, let rest until a day, or declined in one kind act."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm import letters, verdicts
from crm.models import Event, EventKind, Lead, LeadStatus, OutgoingMail, ReadyReason, User, Verdict
from crm.refusal import Refused
from qualification.models import Scorecard
from tests import make

pytestmark = pytest.mark.django_db


def test_qualified_takes_both_yeses_and_is_remembered_with_the_scores(sdr: User) -> None:
    lead = make.qualified_lead(sdr)
    assert (lead.status, lead.verdict, lead.qualified_at) == (LeadStatus.QUALIFIED, Verdict.QUALIFIED, make.AT)
    event = Event.objects.get(kind=EventKind.LEAD_QUALIFIED)
    assert event.new is not None
    assert (event.new["ours"], event.new["theirs"]) == (100, 100)


def test_qualifying_twice_changes_nothing(sdr: User) -> None:
    lead = verdicts.qualify(lead=make.qualified_lead(sdr), by=sdr, at=make.AT + timedelta(days=1))
    assert lead.verdict_at == make.AT
    assert Event.objects.filter(kind=EventKind.LEAD_QUALIFIED).count() == 1


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ({"Ten people or more": "no"}, "“Ten people or more” is a must-have and is not met"),
        ({"They chose a date and say why": "unknown"}, "Answer the must-have “They chose a date and say why” first"),
    ],
)
def test_a_missing_must_have_is_named(sdr: User, replies: dict[str, str], says: str) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies=replies)
    with pytest.raises(Refused, match=says):
        verdicts.qualify(lead=lead, by=sdr, at=make.AT)
    lead.refresh_from_db()
    assert lead.status == LeadStatus.WORKING


def test_too_few_points_are_named_side_by_side(sdr: User) -> None:
    Scorecard.objects.filter(pk=make.scorecard().pk).update(threshold_theirs=90)
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"All who decide have spoken to us": "unknown"})
    with pytest.raises(Refused, match="They do not say yes yet: 60 of the 90"):
        verdicts.qualify(lead=lead, by=sdr, at=make.AT)


def test_a_new_lead_is_taken_before_it_is_judged(sdr: User) -> None:
    with pytest.raises(Refused, match="Take this lead"):
        verdicts.nurture(lead=make.lead(), until=date(2027, 1, 4), by=sdr, at=make.AT)


def test_nurture_takes_a_day_in_the_future(sdr: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(Refused, match="future"):
        verdicts.nurture(lead=lead, until=make.AT.date(), by=sdr, at=make.AT)
    lead = verdicts.nurture(lead=lead, until=date(2027, 1, 4), by=sdr, at=make.AT)
    assert (lead.status, lead.verdict, lead.nurture_until) == (LeadStatus.NURTURE, Verdict.NURTURE, date(2027, 1, 4))


def test_a_good_no_is_one_act(sdr: User) -> None:
    lead = make.working_lead(sdr)
    lead = verdicts.decline(
        lead=lead,
        reason=ReadyReason.TOO_SMALL,
        note="three people",
        message="Thank you.",
        come_back_on=date(2027, 11, 2),
        by=sdr,
        at=make.AT,
    )
    assert (lead.status, lead.decline_reason, lead.come_back_on) == ("declined", "too_small", date(2027, 11, 2))
    assert OutgoingMail.objects.get().body == "Thank you."
    assert Lead.objects.get(pk=lead.pk).clock_due_at is None


def test_a_no_needs_a_reason_and_may_stay_silent(sdr: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(Refused, match="reason"):
        verdicts.decline(lead=lead, reason="", by=sdr, at=make.AT)
    verdicts.decline(lead=lead, reason=ReadyReason.NO_REPLY, by=sdr, at=make.AT)
    assert not OutgoingMail.objects.exists()


def test_a_refused_no_sends_nothing(sdr: User) -> None:
    lead = verdicts.decline(lead=make.working_lead(sdr), reason=ReadyReason.NO_NEED, by=sdr, at=make.AT)
    with pytest.raises(Refused, match="declined"):
        verdicts.decline(lead=lead, reason=ReadyReason.NO_NEED, message="Again", by=sdr, at=make.AT)
    assert not OutgoingMail.objects.exists()


def test_a_declined_lead_can_be_taken_up_again_by_a_colleague(sdr: User, teammate: User) -> None:
    lead = verdicts.decline(lead=make.working_lead(sdr), reason=ReadyReason.NOT_NOW, by=sdr, at=make.AT)
    lead = verdicts.reopen(lead=lead, by=teammate, at=make.AT)
    assert (lead.status, lead.verdict, lead.owner) == (LeadStatus.WORKING, Verdict.UNDECIDED, teammate)
    with pytest.raises(Refused, match="only a declined or nurtured"):
        verdicts.reopen(lead=lead, by=teammate, at=make.AT)


def test_every_reason_has_a_kind_text_in_both_languages(sdr: User) -> None:
    person = make.person("Sofie De Wit")
    for reason in ReadyReason:
        english = letters.kind_no(reason, to=person, sender=sdr, language="en")
        dutch = letters.kind_no(reason, to=person, sender=sdr, language="nl")
        assert english.startswith("Dear Sofie,")
        assert english.endswith("Kind regards,\nSofie Peeters")
        assert dutch.startswith("Beste Sofie,")
        assert letters.is_ready_text(dutch.replace("\n", "\r\n"), to=person, sender=sdr, language="nl")
    assert not letters.is_ready_text("My own words", to=person, sender=sdr, language="nl")
