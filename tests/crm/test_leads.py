"""A lead in the SDR's hands: taken, answered, judged by both sides, and let go in one of three ways."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm import leads
from crm.models import Event, EventKind, Lead, LeadStatus, OutgoingMail, User
from crm.refusal import Refused
from qualification.models import Criterion
from tests import make

pytestmark = pytest.mark.django_db


def must(question: str) -> Criterion:
    return make.scorecard().criteria.get(question=question)


def test_taking_a_lead_makes_it_mine_and_working(sdr: User) -> None:
    lead = leads.take(lead=make.lead(), by=sdr, at=make.AT)
    assert (lead.owner, lead.status) == (sdr, LeadStatus.WORKING)
    assert Event.objects.filter(kind=EventKind.LEAD_TAKEN, lead=lead, by=sdr).count() == 1


def test_taking_my_own_lead_again_changes_nothing(sdr: User) -> None:
    lead = make.working_lead(sdr)
    leads.take(lead=lead, by=sdr, at=make.AT)
    assert Event.objects.filter(kind=EventKind.LEAD_TAKEN).count() == 1


def test_a_lead_that_a_colleague_took_is_refused_by_name(sdr: User, teammate: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(Refused, match="Sofie Peeters"):
        leads.take(lead=lead, by=teammate, at=make.AT)


def test_a_lead_is_not_given_to_somebody_who_has_left(sdr: User, teammate: User) -> None:
    teammate.is_active = False
    with pytest.raises(Refused, match="Tine"):
        leads.assign(lead=make.working_lead(sdr), to=teammate, by=sdr, at=make.AT)


def test_giving_a_lead_away_is_remembered_with_old_and_new(sdr: User, teammate: User) -> None:
    lead = leads.assign(lead=make.working_lead(sdr), to=teammate, by=sdr, at=make.AT)
    event = Event.objects.get(kind=EventKind.LEAD_ASSIGNED)
    assert lead.owner == teammate
    assert (event.old, event.new) == ({"owner": "Sofie Peeters"}, {"owner": "Tine Claes"})


def test_an_answer_takes_a_new_lead_stops_its_clock_and_waits_in_the_outbox(sdr: User) -> None:
    lead = make.lead("Bram Maes", email="bram@maes.example")
    leads.answer(lead=lead, message="Thank you, we have dates in May.", by=sdr, at=make.AT)
    lead.refresh_from_db()
    mail = OutgoingMail.objects.get()
    assert (lead.owner, lead.status, lead.answered_at, lead.answered_by) == (sdr, LeadStatus.WORKING, make.AT, sdr)
    assert lead.clock_due_at is None
    assert (mail.to, mail.reply_to, mail.lead) == ("bram@maes.example", sdr.email, lead)
    assert lead.last_contact_at == make.AT
    assert lead.last_reply_at is None


def test_a_double_click_sends_one_answer(sdr: User) -> None:
    lead = make.lead()
    first = leads.answer(lead=lead, message="Thank you.", by=sdr, at=make.AT)
    second = leads.answer(lead=lead, message="Thank you. ", by=sdr, at=make.AT + timedelta(seconds=2))
    assert second == first
    assert OutgoingMail.objects.count() == 1
    leads.answer(lead=lead, message="And one more thing.", by=sdr, at=make.AT + timedelta(seconds=9))
    assert OutgoingMail.objects.count() == 2


def test_an_answer_needs_words_and_an_address(sdr: User) -> None:
    with pytest.raises(Refused, match="Write something"):
        leads.answer(lead=make.lead(), message="  ", by=sdr, at=make.AT)
    with pytest.raises(Refused, match="no e-mail address"):
        leads.answer(lead=make.lead("Jan", email=""), message="Hello", by=sdr, at=make.AT)


def test_the_subject_of_an_answer_is_in_their_language(sdr: User) -> None:
    leads.answer(lead=make.lead(language="nl"), message="Dank u.", by=sdr, at=make.AT)
    assert OutgoingMail.objects.get().subject == "Uw vraag"


def test_answers_recompute_both_sides(sdr: User) -> None:
    lead = make.working_lead(sdr)
    leads.answer_criterion(
        lead=lead, criterion=must("Pain they name themselves"), value="yes", evidence="a day a week", by=sdr, at=make.AT
    )
    lead.refresh_from_db()
    result = leads.result(lead)
    assert result is not None
    assert (result.ours.score, result.theirs.score) == (42, 0)


def test_an_answer_needs_evidence_and_not_knowing_needs_none(sdr: User) -> None:
    lead, criterion = make.working_lead(sdr), must("Ten people or more")
    with pytest.raises(Refused, match="how you know"):
        leads.answer_criterion(lead=lead, criterion=criterion, value="no", evidence=" ", by=sdr, at=make.AT)
    leads.answer_criterion(lead=lead, criterion=criterion, value="unknown", evidence="", by=sdr, at=make.AT)


def test_an_answer_remembers_what_was_answered_before(sdr: User) -> None:
    lead, criterion = make.working_lead(sdr), must("Ten people or more")
    for reply in ("no", "yes"):
        leads.answer_criterion(lead=lead, criterion=criterion, value=reply, evidence="they said", by=sdr, at=make.AT)
    event = Event.objects.filter(kind=EventKind.LEAD_ANSWER_SCORED).latest("id")
    assert event.old == {"value": "no"}
    assert event.new == {"question": "Ten people or more", "kind": "yes_no", "value": "yes", "evidence": "they said"}


def test_a_question_of_another_scorecard_is_refused(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    other = make.scorecard("BANT").criteria.first()
    assert other is not None
    with pytest.raises(Refused, match="not on the scorecard"):
        leads.answer_criterion(lead=lead, criterion=other, value="yes", evidence="x", by=sdr, at=make.AT)


def test_a_new_version_of_the_scorecard_leaves_answers_on_the_old_one(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    make.scorecard(version=2)
    standing = leads.sheet(lead)
    assert standing is not None
    assert standing.scorecard.version == 1
    fresh = leads.sheet(make.lead())
    assert fresh is not None
    assert fresh.scorecard.version == 2


def test_without_a_scorecard_there_is_no_sheet_and_no_assessment() -> None:
    lead = make.lead()
    assert leads.sheet(lead) is None
    with pytest.raises(Refused, match="no scorecard in use"):
        leads.assess(lead=lead)


@pytest.mark.django_db(transaction=True)
def test_two_people_take_a_lead_at_the_same_moment_and_one_hears_who_was_first(sdr: User, teammate: User) -> None:
    lead = make.lead(owner=make.user("Els", team=sdr.team))
    barrier = Barrier(2)

    def take(user: User) -> Lead | str:
        try:
            barrier.wait(timeout=10)
            return leads.take(lead=lead, by=user, at=make.AT)
        except Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(take, [sdr, teammate]))
    (taken,) = [answer for answer in answers if isinstance(answer, Lead)]
    (sentence,) = [answer for answer in answers if isinstance(answer, str)]
    assert sentence == f"{taken.owner} has taken this lead already."
