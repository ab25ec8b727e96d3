"""A verdict: qualified by both yeses, let rest until a day, or declined in one kind act."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm import handoffs, outbox, people, verdicts
from crm.models import (
    DeclineReason,
    Event,
    EventKind,
    Gate,
    Lead,
    LeadStatus,
    OutgoingMail,
    Override,
    PastAssessment,
    Person,
    ReadyReason,
    User,
    Verdict,
)
from crm.refusal import Refused
from crm.timeline import sentences
from qualification.models import Answer, Criterion, CriterionKind, Scorecard
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
        ({"Ten people or more": "no"}, "The must-have “Ten people or more” is not met"),
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


# ---- Against the advice ----------------------------------------------------------------------------------------------


def test_qualifying_against_the_advice_asks_why_and_lists_the_override(sdr: User, account_manager: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"Ten people or more": "no"})
    with pytest.raises(verdicts.AgainstAdvice):
        verdicts.qualify(lead=lead, by=sdr, at=make.AT, why="  ")
    lead = verdicts.qualify(lead=lead, by=sdr, at=make.AT, why="They hire ten in May.")
    assert (lead.status, lead.verdict_why) == (LeadStatus.QUALIFIED, "They hire ten in May.")
    override = Override.objects.get()
    assert (override.gate, override.lead, override.why) == (Gate.VERDICT, lead, "They hire ten in May.")
    event = Event.objects.get(kind=EventKind.LEAD_QUALIFIED)
    assert "They hire ten in May." in sentences.SENTENCES[EventKind.LEAD_QUALIFIED]({}, event.new or {})
    offered = handoffs.submit(lead=lead, to=account_manager, by=sdr, at=make.AT)
    assert offered.lead.status == LeadStatus.HANDED_OFF


def test_a_reason_is_kept_only_where_it_was_needed(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    assert verdicts.qualify(lead=lead, by=sdr, at=make.AT, why="just because").verdict_why == ""
    assert not Override.objects.exists()


def test_a_lead_without_an_answer_cannot_be_qualified_for_any_reason(sdr: User) -> None:
    with pytest.raises(Refused, match="Answer the scorecard") as refused:
        verdicts.qualify(lead=make.working_lead(sdr), by=sdr, at=make.AT, why="I feel it")
    assert not isinstance(refused.value, verdicts.AgainstAdvice)


def test_declining_when_both_say_yes_asks_why(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    with pytest.raises(verdicts.AgainstAdvice):
        verdicts.decline(lead=lead, reason="no_match", by=sdr, at=make.AT)
    lead = verdicts.decline(lead=lead, reason="no_match", why="They sued two suppliers.", by=sdr, at=make.AT)
    assert (lead.status, lead.verdict_why) == (LeadStatus.DECLINED, "They sued two suppliers.")
    assert not Override.objects.exists()
    event = Event.objects.get(kind=EventKind.LEAD_DECLINED)
    assert "They sued two suppliers." in sentences.SENTENCES[EventKind.LEAD_DECLINED]({}, event.new or {})


# ---- Need to know more -----------------------------------------------------------------------------------------------


def ask(lead: Lead, sdr: User, question: str = "Who signs?", days: int = 2) -> Lead:
    return verdicts.ask_first(
        lead=lead, question=question, on=make.AT.date() + timedelta(days=days), by=sdr, at=make.AT
    )


def test_a_question_keeps_the_lead_in_hand(sdr: User) -> None:
    lead = ask(make.working_lead(sdr), sdr)
    assert (lead.status, lead.verdict, lead.open_question) == (LeadStatus.WORKING, Verdict.UNDECIDED, "Who signs?")
    event = Event.objects.get(kind=EventKind.LEAD_QUESTIONED)
    assert "Who signs?" in sentences.SENTENCES[EventKind.LEAD_QUESTIONED](event.old or {}, event.new or {})
    assert ask(lead, sdr).open_question == "Who signs?"
    assert Event.objects.filter(kind=EventKind.LEAD_QUESTIONED).count() == 1


@pytest.mark.parametrize(("question", "days"), [("", 1), ("x" * 301, 1), ("Who signs?", -1)])
def test_a_question_is_a_line_with_a_day_to_come(sdr: User, question: str, days: int) -> None:
    with pytest.raises(Refused):
        ask(make.working_lead(sdr), sdr, question, days)


def test_only_a_lead_that_is_being_qualified_has_a_question(sdr: User) -> None:
    for lead in (make.lead(), make.qualified_lead(sdr)):
        with pytest.raises(Refused):
            ask(lead, sdr)


def test_an_answer_and_any_verdict_end_the_question(sdr: User) -> None:
    lead = ask(make.working_lead(sdr), sdr)
    with pytest.raises(Refused):
        verdicts.question_answered(lead=lead, answer=" ", by=sdr, at=make.AT)
    lead = verdicts.question_answered(lead=lead, answer="Their board, in May", by=sdr, at=make.AT)
    assert (lead.open_question, lead.open_question_on) == ("", None)
    event = Event.objects.filter(kind=EventKind.LEAD_QUESTIONED).latest("pk")
    assert "Their board, in May" in sentences.SENTENCES[EventKind.LEAD_QUESTIONED](event.old or {}, event.new or {})
    lead = verdicts.nurture(lead=ask(lead, sdr), until=date(2027, 1, 4), by=sdr, at=make.AT)
    assert (lead.open_question, lead.open_question_on) == ("", None)


# ---- A good no -------------------------------------------------------------------------------------------------------


def test_quiet_until_the_day_on_which_we_come_back(sdr: User) -> None:
    lead = make.working_lead(sdr)
    day = date(2027, 11, 2)
    lead = verdicts.decline(
        lead=lead, reason="not_now", message="Until next year.", come_back_on=day, by=sdr, at=make.AT
    )
    person = Person.objects.get(leads=lead)
    assert person.not_before == day
    assert "Not the right moment" in person.not_before_why
    assert outbox.send_due(at=make.AT) == 1
    assert not OutgoingMail.objects.filter(held_at__isnull=False).exists()
    lead = verdicts.reopen(lead=lead, by=sdr, at=make.AT)
    assert Person.objects.get(leads=lead).not_before is None


def test_who_asked_for_longer_quiet_keeps_it(sdr: User) -> None:
    lead = make.working_lead(sdr)
    assert lead.person is not None
    later = date(2028, 1, 3)
    people.set_not_before(person=lead.person, until=later, why="a sabbatical", by=sdr, at=make.AT)
    lead = verdicts.decline(lead=lead, reason="not_now", come_back_on=date(2027, 11, 2), by=sdr, at=make.AT)
    verdicts.reopen(lead=lead, by=sdr, at=make.AT)
    assert Person.objects.get(leads=lead).not_before == later


def test_what_we_offered_instead_stays_with_the_lead(sdr: User, admin_user: User) -> None:
    offered = make.alternative("A webinar", by=admin_user)
    lead = verdicts.decline(lead=make.working_lead(sdr), reason="too_small", alternative=offered, by=sdr, at=make.AT)
    assert lead.alternative == offered
    offered.is_active = False
    with pytest.raises(Refused, match="not offered any more"):
        verdicts.decline(lead=make.working_lead(sdr), reason="too_small", alternative=offered, by=sdr, at=make.AT)


def test_a_reason_that_is_closed_or_unknown_is_none(sdr: User) -> None:
    DeclineReason.objects.filter(code="too_large").update(is_active=False)
    for code in ("too_large", "nonsense"):
        with pytest.raises(Refused, match="Choose the reason"):
            verdicts.decline(lead=make.working_lead(sdr), reason=code, by=sdr, at=make.AT)


def test_we_look_back_on_a_no_and_only_on_a_no(sdr: User) -> None:
    lead = make.working_lead(sdr)
    with pytest.raises(Refused):
        verdicts.evaluate_no(lead=lead, would_decide_same=True, by=sdr, at=make.AT)
    lead = verdicts.decline(lead=lead, reason="too_small", by=sdr, at=make.AT)
    lead = verdicts.evaluate_no(
        lead=lead, would_decide_same=False, line="They grew fast.", by=sdr, at=make.AT + timedelta(days=120)
    )
    assert (lead.would_decide_same, lead.evaluation, lead.evaluated_by) == (False, "They grew fast.", sdr)
    event = Event.objects.get(kind=EventKind.LEAD_EVALUATED)
    assert "They grew fast." in sentences.SENTENCES[EventKind.LEAD_EVALUATED]({}, event.new or {})
    lead = verdicts.reopen(lead=lead, by=sdr, at=make.AT + timedelta(days=121))
    lead = verdicts.decline(lead=lead, reason="no_budget", by=sdr, at=make.AT + timedelta(days=122))
    assert (lead.would_decide_same, lead.evaluation, lead.evaluated_at) == (None, "", None)


# ---- Judged anew -----------------------------------------------------------------------------------------------------


def test_judging_anew_keeps_the_earlier_assessment_with_its_scores_and_verdict(sdr: User, teammate: User) -> None:
    lead = make.qualified_lead(sdr)
    old = lead.assessment_id
    lead = verdicts.judge_anew(lead=lead, by=teammate, at=make.AT + timedelta(days=1))
    past = PastAssessment.objects.get()
    assert (past.assessment_id, past.verdict, past.verdict_by) == (old, Verdict.QUALIFIED, sdr)
    assert (past.score_ours, past.score_theirs, past.replaced_by) == (100, 100, teammate)
    assert (lead.status, lead.verdict, lead.verdict_at) == (LeadStatus.WORKING, Verdict.UNDECIDED, None)
    assert lead.assessment_id != old
    assert Answer.objects.filter(assessment=lead.assessment).count() == 5
    assert Answer.objects.filter(assessment=old).count() == 5


def test_judging_anew_takes_the_newest_version_and_only_the_answers_that_still_fit(sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    first = make.scorecard()
    second = make.scorecard(version=2)
    for old, new in zip(first.criteria.all(), second.criteria.all(), strict=True):
        Criterion.objects.filter(pk=new.pk).update(key=old.key)
    changed = second.criteria.get(question="Ten people or more")
    Criterion.objects.filter(pk=changed.pk).update(kind=CriterionKind.SCALE)
    gone = second.criteria.get(question="Pain they name themselves")
    Criterion.objects.filter(pk=gone.pk).update(key="another")
    lead = verdicts.judge_anew(lead=lead, by=sdr, at=make.AT)
    assert lead.assessment is not None
    assert lead.assessment.scorecard == second
    carried = set(lead.assessment.answers.values_list("criterion__question", "evidence"))
    assert carried == {
        ("They treat people as we do", "they said so"),
        ("They chose a date and say why", "they said so"),
        ("All who decide have spoken to us", "they said so"),
    }


def test_the_verdict_that_was_taken_back_stands_on_the_earlier_assessment(sdr: User, account_manager: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"They treat people as we do": "no"})
    lead = verdicts.decline(lead=lead, reason="no_match", why="pride", by=sdr, at=make.AT)
    lead = verdicts.reopen(lead=lead, by=sdr, at=make.AT + timedelta(days=9))
    lead = verdicts.judge_anew(lead=lead, by=sdr, at=make.AT + timedelta(days=10))
    past = PastAssessment.objects.get()
    assert (past.verdict, past.verdict_at, past.verdict_by) == (Verdict.DECLINED, make.AT, sdr)
    lead = verdicts.judge_anew(lead=lead, by=sdr, at=make.AT + timedelta(days=11))
    assert [row.verdict for row in lead.past_assessments.all()] == [Verdict.UNDECIDED, Verdict.DECLINED]


def test_nothing_is_judged_anew_before_it_was_judged(sdr: User) -> None:
    for lead in (make.lead(), make.working_lead(sdr)):
        with pytest.raises(Refused):
            verdicts.judge_anew(lead=lead, by=sdr, at=make.AT)
    declined = verdicts.decline(lead=make.working_lead(sdr), reason="no_need", by=sdr, at=make.AT)
    with pytest.raises(Refused):
        verdicts.judge_anew(lead=declined, by=sdr, at=make.AT)
