"""Use a scorecard: begin an assessment, answer its criteria with evidence, and read the advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from qualification import scoring
from qualification.models import Answer, Assessment, Criterion, Reply, Scorecard


@dataclass(frozen=True)
class Row:
    """One question of a sheet and its answer; `answer` is `None` as long as nobody looked at it."""

    criterion: Criterion
    answer: Answer | None

    @property
    def reply(self) -> Reply:
        return Reply(self.answer.reply) if self.answer else Reply.UNKNOWN


@dataclass(frozen=True)
class Sheet:
    """A scorecard as it stands for one subject: every question in its order, and both sides' advice."""

    scorecard: Scorecard
    rows: tuple[Row, ...]
    result: scoring.Result

    def question(self, key: int) -> str:
        return next(row.criterion.question for row in self.rows if row.criterion.pk == key)


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


def sheet(scorecard: Scorecard, assessment: Assessment | None = None) -> Sheet:
    """The scorecard with the answers of `assessment`; without one, nothing is answered yet. Two queries."""
    answers = {answer.criterion_id: answer for answer in assessment.answers.all()} if assessment else {}
    rows = tuple(Row(criterion, answers.get(criterion.pk)) for criterion in scorecard.criteria.all())
    return Sheet(
        scorecard,
        rows,
        scoring.score(
            [scoring.Question(c.pk, c.side, c.weight, c.is_must) for c in (row.criterion for row in rows)],
            {row.criterion.pk: row.reply for row in rows},
            threshold_ours=scorecard.threshold_ours,
            threshold_theirs=scorecard.threshold_theirs,
        ),
    )


def result(assessment: Assessment) -> scoring.Result:
    """Both sides' scores and advice, from the answers as they stand."""
    return sheet(assessment.scorecard, assessment).result
