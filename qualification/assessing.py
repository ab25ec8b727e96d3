"""Use a scorecard: begin an assessment, answer its criteria with evidence, and read the advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from qualification import scoring
from qualification.models import Answer, Assessment, Criterion, CriterionKind, Reply, Scorecard


@dataclass(frozen=True)
class Row:
    """One question of a sheet, its answer and what that contributes; `answer` is `None` as long as nobody looked at it."""

    criterion: Criterion
    answer: Answer | None
    line: scoring.Line

    @property
    def value(self) -> str:
        return self.answer.value if self.answer else ""

    @property
    def mark(self) -> str:
        """How it looks: *yes* when it earns all that it can (or says words), *no* when nothing, *partly* between, *unknown* when nobody knows."""
        if self.criterion.kind == CriterionKind.TEXT:
            return "yes" if self.value else "unknown"
        if self.line.share is None:
            return "unknown"
        return "yes" if self.line.share == 1 else "partly" if self.line.share else "no"


@dataclass(frozen=True)
class Sheet:
    """A scorecard as it stands for one subject: every question in its order, and both sides' advice."""

    scorecard: Scorecard
    rows: tuple[Row, ...]
    result: scoring.Result

    def question(self, key: int) -> str:
        return self.criterion(key).question

    def criterion(self, key: int) -> Criterion:
        return next(row.criterion for row in self.rows if row.criterion.pk == key)

    @cached_property
    def turns(self) -> list[scoring.Turn]:
        """Each single answer that would change the outcome."""
        return scoring.turns(
            [row.line.question for row in self.rows],
            {row.criterion.pk: row.value for row in self.rows},
            threshold_ours=self.scorecard.threshold_ours,
            threshold_theirs=self.scorecard.threshold_theirs,
        )


def begin(scorecard: Scorecard) -> Assessment:
    """A fresh assessment, on exactly this version of the scorecard, with nothing answered."""
    return Assessment.objects.create(scorecard=scorecard)


def answer(
    assessment: Assessment, criterion: Criterion, *, value: str, evidence: str, at: datetime, is_theirs: bool = False
) -> tuple[Answer, str]:
    """The criterion is answered so; returns the answer and the earlier value (empty when there was none).

    Raises `ValueError` when the criterion belongs to another scorecard, or does not know such an answer.
    """
    if criterion.scorecard_id != assessment.scorecard_id:
        raise ValueError("this criterion belongs to another scorecard")
    value = as_kept(criterion, value)
    row, is_new = Answer.objects.select_for_update().get_or_create(
        assessment=assessment,
        criterion=criterion,
        defaults={"value": value, "evidence": evidence, "answered_at": at, "is_theirs": is_theirs},
    )
    before = "" if is_new else row.value
    if not is_new:
        row.value, row.evidence, row.answered_at, row.is_theirs = value, evidence, at, is_theirs
        row.save(update_fields=["value", "evidence", "answered_at", "is_theirs"])
    return row, before


def as_kept(criterion: Criterion, value: str) -> str:
    """The answer as it is kept: without *unknown*, a number in its plainest form. Raises `ValueError` for one that the criterion does not know."""
    value = value.strip()
    if value == Reply.UNKNOWN and criterion.kind != CriterionKind.TEXT:
        return ""
    if criterion.kind == CriterionKind.NUMBER and value:
        value = f"{scoring.as_number(value).normalize():f}"
    if len(value) > 500:
        raise ValueError("an answer has at most 500 letters")
    question(criterion).share(value)
    return value


def question(criterion: Criterion) -> scoring.Question:
    """The criterion as scoring needs it. Reads `options` of a choice and of a number."""
    kind = CriterionKind(criterion.kind)
    has_options = kind in (CriterionKind.CHOICE, CriterionKind.NUMBER)
    return scoring.Question(
        criterion.pk,
        criterion.side,
        criterion.weight,
        criterion.is_must,
        kind.value,
        tuple(scoring.Option(each.points, each.label, each.at_least) for each in criterion.options.all())
        if has_options
        else (),
        criterion.must_from,
    )


def sheet(scorecard: Scorecard, assessment: Assessment | None = None) -> Sheet:
    """The scorecard with the answers of `assessment`; without one, nothing is answered yet. Three queries."""
    answers = {answer.criterion_id: answer for answer in assessment.answers.all()} if assessment else {}
    criteria = list(scorecard.criteria.prefetch_related("options"))
    result = scoring.score(
        [question(criterion) for criterion in criteria],
        {key: answer.value for key, answer in answers.items()},
        threshold_ours=scorecard.threshold_ours,
        threshold_theirs=scorecard.threshold_theirs,
    )
    lines = {line.question.key: line for line in result.lines}
    rows = tuple(Row(criterion, answers.get(criterion.pk), lines[criterion.pk]) for criterion in criteria)
    return Sheet(scorecard, rows, result)


def result(assessment: Assessment) -> scoring.Result:
    """Both sides' scores and advice, from the answers as they stand."""
    return sheet(assessment.scorecard, assessment).result
