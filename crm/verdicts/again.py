"""Look at a verdict again: take a lead up once more, judge it anew, and say later whether a no was right."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import advocacy, events, leads, people
from crm.models import Event, EventKind, Lead, LeadStatus, PastAssessment, User, Verdict
from crm.refusal import Refused
from crm.verdicts.giving import cannot, line_of
from qualification import assessing, carrying
from qualification.models import Scorecard

VERDICTS = {
    EventKind.LEAD_QUALIFIED: Verdict.QUALIFIED,
    EventKind.LEAD_DECLINED: Verdict.DECLINED,
    EventKind.LEAD_NURTURED: Verdict.NURTURE,
}


@transaction.atomic
def reopen(*, lead: Lead, by: User, at: datetime) -> Lead:
    """A declined or nurtured lead is being qualified again, by `by`; its earlier verdict stays in the timeline. The quiet that the no promised is
    over, and a referral that was not won because of it goes on, unless its giver has been thanked."""
    lead = leads.held(lead)
    if lead.status not in (LeadStatus.DECLINED, LeadStatus.NURTURE):
        raise Refused(
            _("This lead is %(status)s; only a declined or nurtured one can be taken up again.")
            % {"status": lead.get_status_display()}
        )
    old = lead.status
    if lead.person and old == LeadStatus.DECLINED and lead.come_back_on == lead.person.not_before:
        people.lift_not_before(person=lead.person, by=by, at=at)
    _undecided(lead)
    lead.nurture_until = lead.come_back_on = None
    lead.owner = by
    lead.save(update_fields=[*UNDECIDED, "nurture_until", "come_back_on", "owner"])
    events.record(EventKind.LEAD_REOPENED, subject=lead, by=by, at=at, old={"status": old}, new={"status": lead.status})
    advocacy.resume(lead=lead, by=by, at=at)
    return lead


@transaction.atomic
def judge_anew(*, lead: Lead, by: User, at: datetime) -> Lead:
    """The lead is assessed afresh, on the newest version of its scorecard that is in use: after a first conversation, after it was taken up again,
    after an account manager gave it back. The earlier assessment is kept with its scores and the verdict that stood on it; answers to questions that
    are still asked come along, as they were given. The verdict is open again.

    Refuses a lead that is not in hand, and one of which nothing was answered yet.
    """
    lead = leads.held(lead)
    if lead.status not in (LeadStatus.WORKING, LeadStatus.QUALIFIED):
        raise Refused(_("Take this lead in hand first.") if lead.status == LeadStatus.NEW else cannot(lead))
    earlier = lead.assessment
    if earlier is None or not earlier.answers.exists():
        raise Refused(_("Nothing was answered yet, so there is nothing to judge anew."))
    in_use = Scorecard.objects.current()
    newest = in_use.filter(name=earlier.scorecard.name).first() or in_use.first()
    if newest is None:
        raise Refused(_("There is no scorecard in use. An administrator makes one in the settings."))
    scores = assessing.result(earlier)
    verdict, verdict_at, verdict_by = _standing(lead)
    PastAssessment.objects.create(
        lead=lead,
        assessment=earlier,
        verdict=verdict,
        verdict_at=verdict_at,
        verdict_by=verdict_by,
        score_ours=scores.ours.score,
        score_theirs=scores.theirs.score,
        replaced_at=at,
        replaced_by=by,
    )
    lead.assessment = assessing.begin(newest)
    carried = carrying.carry_over(earlier, lead.assessment)
    _undecided(lead)
    lead.save(update_fields=[*UNDECIDED, "assessment"])
    events.record(
        EventKind.LEAD_REASSESSED,
        subject=lead,
        by=by,
        at=at,
        old={"verdict": verdict, "ours": scores.ours.score, "theirs": scores.theirs.score},
        new={"scorecard": str(newest), "carried": carried},
    )
    return lead


@transaction.atomic
def evaluate_no(*, lead: Lead, would_decide_same: bool, line: str = "", by: User, at: datetime) -> Lead:
    """Somebody looked back on a no: whether we would decide the same, and in a line what we learned. Looking back again replaces it. Refuses a
    lead that is not declined, and a story."""
    lead = leads.held(lead)
    if lead.status != LeadStatus.DECLINED:
        raise Refused(_("Only a no can be looked back on."))
    old = {"same": lead.would_decide_same, "line": lead.evaluation}
    lead.would_decide_same, lead.evaluation = would_decide_same, line_of(line)
    lead.evaluated_at, lead.evaluated_by = at, by
    lead.save(update_fields=["would_decide_same", "evaluation", "evaluated_at", "evaluated_by"])
    events.record(
        EventKind.LEAD_EVALUATED,
        subject=lead,
        by=by,
        at=at,
        old=old,
        new={"same": would_decide_same, "line": lead.evaluation},
    )
    return lead


UNDECIDED = ("status", "verdict", "verdict_at", "verdict_by", "verdict_why", "open_question", "open_question_on")


def _undecided(lead: Lead) -> None:
    lead.status, lead.verdict, lead.verdict_at, lead.verdict_by = LeadStatus.WORKING, Verdict.UNDECIDED, None, None
    lead.verdict_why, lead.open_question, lead.open_question_on = "", "", None


def _standing(lead: Lead) -> tuple[Verdict, datetime | None, User | None]:
    """The verdict that stood on the assessment of this lead; where it was taken back since (taken up again, given back), the last one given."""
    if lead.verdict != Verdict.UNDECIDED:
        return Verdict(lead.verdict), lead.verdict_at, lead.verdict_by
    given = Event.objects.filter(lead=lead, kind__in=VERDICTS).select_related("by").order_by("-at", "-id")
    if (before := lead.past_assessments.first()) is not None:
        given = given.filter(at__gt=before.replaced_at)
    last = given.first()
    return (VERDICTS[EventKind(last.kind)], last.at, last.by) if last else (Verdict.UNDECIDED, None, None)
