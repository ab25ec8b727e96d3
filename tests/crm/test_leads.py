"""A lead in the SDR's hands: taken, answered, judged by both sides, and let go in one of three ways."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm import leads, letters
from crm.models import DeclineReason, Event, EventKind, Lead, LeadStatus, OutgoingMail, User, Verdict
from crm.refusal import Refused
from qualification.models import Criterion, Scorecard
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
        lead=lead, criterion=must("Pain they name themselves"), reply="yes", evidence="a day a week", by=sdr, at=make.AT
    )
    lead.refresh_from_db()
    result = leads.result(lead)
    assert result is not None
    assert (result.ours.score, result.theirs.score) == (42, 0)


def test_an_answer_needs_evidence_and_not_knowing_needs_none(sdr: User) -> None:
    lead, criterion = make.working_lead(sdr), must("Ten people or more")
    with pytest.raises(Refused, match="how you know"):
        leads.answer_criterion(lead=lead, criterion=criterion, reply="no", evidence=" ", by=sdr, at=make.AT)
    leads.answer_criterion(lead=lead, criterion=criterion, reply="unknown", evidence="", by=sdr, at=make.AT)


def test_an_answer_remembers_what_was_answered_before(sdr: User) -> None:
    lead, criterion = make.working_lead(sdr), must("Ten people or more")
    for reply in ("no", "yes"):
        leads.answer_criterion(lead=lead, criterion=criterion, reply=reply, evidence="they said", by=sdr, at=make.AT)
    event = Event.objects.filter(kind=EventKind.LEAD_ANSWER_SCORED).latest("id")
    assert event.old == {"reply": "no"}
    assert event.new == {"question": "Ten people or more", "reply": "yes", "evidence": "they said"}


def test_a_question_of_another_scorecard_is_refused(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    other = make.scorecard("BANT").criteria.first()
    assert other is not None
    with pytest.raises(Refused, match="not on the scorecard"):
        leads.answer_criterion(lead=lead, criterion=other, reply="yes", evidence="x", by=sdr, at=make.AT)


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
        leads.assess(lead=lead, at=make.AT)


def test_qualified_takes_both_yeses_and_is_remembered_with_the_scores(sdr: User) -> None:
    lead = make.qualified_lead(sdr)
    assert (lead.status, lead.verdict, lead.qualified_at) == (LeadStatus.QUALIFIED, Verdict.QUALIFIED, make.AT)
    event = Event.objects.get(kind=EventKind.LEAD_QUALIFIED)
    assert event.new is not None
    assert (event.new["ours"], event.new["theirs"]) == (100, 100)


def test_qualifying_twice_changes_nothing(sdr: User) -> None:
    lead = leads.qualify(lead=make.qualified_lead(sdr), by=sdr, at=make.AT + timedelta(days=1))
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
        leads.qualify(lead=lead, by=sdr, at=make.AT)
    lead.refresh_from_db()
    assert lead.status == LeadStatus.WORKING


def test_too_few_points_are_named_side_by_side(sdr: User) -> None:
    Scorecard.objects.filter(pk=make.scorecard().pk).update(threshold_theirs=90)
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"All who decide have spoken to us": "unknown"})
    with pytest.raises(Refused, match="They do not say yes yet: 60 of the 90"):
        leads.qualify(lead=lead, by=sdr, at=make.AT)


def test_a_new_lead_is_taken_before_it_is_judged(sdr: User) -> None:
    with pytest.raises(Refused, match="Take this lead"):
        leads.nurture(lead=make.lead(), until=date(2027, 1, 4), by=sdr, at=make.AT)


def test_nurture_takes_a_day_in_the_future(sdr: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(Refused, match="future"):
        leads.nurture(lead=lead, until=make.AT.date(), by=sdr, at=make.AT)
    lead = leads.nurture(lead=lead, until=date(2027, 1, 4), by=sdr, at=make.AT)
    assert (lead.status, lead.verdict, lead.nurture_until) == (LeadStatus.NURTURE, Verdict.NURTURE, date(2027, 1, 4))


def test_a_good_no_is_one_act(sdr: User) -> None:
    lead = make.working_lead(sdr)
    lead = leads.decline(
        lead=lead,
        reason=DeclineReason.TOO_SMALL,
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
        leads.decline(lead=lead, reason="", by=sdr, at=make.AT)
    leads.decline(lead=lead, reason=DeclineReason.NO_REPLY, by=sdr, at=make.AT)
    assert not OutgoingMail.objects.exists()


def test_a_refused_no_sends_nothing(sdr: User) -> None:
    lead = leads.decline(lead=make.working_lead(sdr), reason=DeclineReason.NO_NEED, by=sdr, at=make.AT)
    with pytest.raises(Refused, match="declined"):
        leads.decline(lead=lead, reason=DeclineReason.NO_NEED, message="Again", by=sdr, at=make.AT)
    assert not OutgoingMail.objects.exists()


def test_a_declined_lead_can_be_taken_up_again_by_a_colleague(sdr: User, teammate: User) -> None:
    lead = leads.decline(lead=make.working_lead(sdr), reason=DeclineReason.NOT_NOW, by=sdr, at=make.AT)
    lead = leads.reopen(lead=lead, by=teammate, at=make.AT)
    assert (lead.status, lead.verdict, lead.owner) == (LeadStatus.WORKING, Verdict.UNDECIDED, teammate)
    with pytest.raises(Refused, match="only a declined or nurtured"):
        leads.reopen(lead=lead, by=teammate, at=make.AT)


def test_every_reason_has_a_kind_text_in_both_languages(sdr: User) -> None:
    person = make.person("Sofie De Wit")
    for reason in DeclineReason:
        english = letters.kind_no(reason, to=person, sender=sdr, language="en")
        dutch = letters.kind_no(reason, to=person, sender=sdr, language="nl")
        assert english.startswith("Dear Sofie,")
        assert english.endswith("Kind regards,\nSofie Peeters")
        assert dutch.startswith("Beste Sofie,")
        assert letters.is_ready_text(dutch.replace("\n", "\r\n"), to=person, sender=sdr, language="nl")
    assert not letters.is_ready_text("My own words", to=person, sender=sdr, language="nl")


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
