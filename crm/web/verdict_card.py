"""The foot of the card *Do we fit each other?*: which verdicts are open, why we said no, and how this lead was judged before."""

from __future__ import annotations

from typing import Any

from crm.models import Lead, LeadStatus
from crm.web import access
from qualification import assessing


def of(lead: Lead, missing: list[str]) -> dict[str, Any]:
    """What the foot shows besides the lead itself: `reason` (of a no, by its name), `past`, and what may be done besides the plain ways on."""
    past: list[dict[str, Any]] = [
        {
            "row": row,
            "answers": [
                {
                    "question": answer.criterion.question,
                    "said": assessing.said(answer.criterion, answer.value),
                    "evidence": answer.evidence,
                }
                for answer in row.assessment.answers.all()
                if answer.value
            ],
        }
        for row in access.past_assessments(lead)
    ]
    reason = ""
    if lead.status == LeadStatus.DECLINED:
        kept = access.decline_reasons().filter(code=lead.decline_reason).first()
        reason = str(kept or lead.decline_reason)
    is_judged = lead.assessment_id is not None
    return {
        "reason": reason,
        "past": past,
        # Answers that are older than the assessment they stand in were carried over into it.
        "carried_before": past[0]["row"].replaced_at if past else None,
        "may_go_against": lead.status == LeadStatus.WORKING and is_judged and bool(missing),
        "may_judge_anew": lead.status in (LeadStatus.WORKING, LeadStatus.QUALIFIED) and is_judged,
    }
