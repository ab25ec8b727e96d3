"""Use a scorecard: begin an assessment, answer its criteria with evidence, and read the advice."""

from __future__ import annotations

from datetime import datetime

from qualification import scoring
from qualification.models import Answer, Assessment, Criterion, Reply, Scorecard


def begin(scorecard: Scorecard) -> Assessment:
    """A fresh assessment, on exactly this version of the scorecard, with nothing answered."""
    return Assessment.objects.create(scorecard=scorecard)


def answer(
    assessment: Assessment, criterion: Criterion, *, reply: Reply | str, evidence: str, at: datetime
) -> tuple[Answer, str]:
    """The criterion is answered so; returns the answer and the earlier reply (*unknown* when there was none).

    Raises `ValueError` when the criterion belongs to another scorecard or the reply is none.
    """
    if criterion.scorecard_id != assessment.scorecard_id:
        raise ValueError("this criterion belongs to another scorecard")
    reply = Reply(reply)
    row, is_new = Answer.objects.select_for_update().get_or_create(
        assessment=assessment, criterion=criterion, defaults={"reply": reply, "evidence": evidence, "answered_at": at}
    )
    before = Reply.UNKNOWN if is_new else Reply(row.reply)
    if not is_new:
        row.reply, row.evidence, row.answered_at = reply, evidence, at
        row.save(update_fields=["reply", "evidence", "answered_at"])
    return row, before


def result(assessment: Assessment) -> scoring.Result:
    """Both sides' scores and advice, from the answers as they stand."""
    scorecard = assessment.scorecard
    questions = [scoring.Question(c.pk, c.side, c.weight, c.is_must) for c in scorecard.criteria.all()]
    replies = dict(assessment.answers.values_list("criterion_id", "reply"))
    return scoring.score(
        questions, replies, threshold_ours=scorecard.threshold_ours, threshold_theirs=scorecard.threshold_theirs
    )
