"""Use a scorecard: begin an assessment, answer its criteria with evidence, and read the advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from qualification import scoring
from qualification.models import Answer, Assessment, Criterion, CriterionKind, Reply, Scorecard

MOST_LETTERS = 500
"""Of an answer in words, and of the evidence for any."""


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
    def said(self) -> str:
        """The answer in words, in the active language; empty when it is not known yet."""
        return said(self.criterion, self.value)

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
    """A scorecard as it stands for one subject: every question in its order, ours first, and both sides' advice."""

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

    The same value again keeps who gave it first: what the prospect said stays theirs when somebody adds evidence. Raises `ValueError` when the
    criterion belongs to another scorecard, or does not know such an answer.
    """
    if criterion.scorecard_id != assessment.scorecard_id:
        raise ValueError("this criterion belongs to another scorecard")
    value, evidence = as_kept(criterion, value), evidence.replace("\0", "")[:MOST_LETTERS]
    row, is_new = Answer.objects.select_for_update().get_or_create(
        assessment=assessment,
        criterion=criterion,
        defaults={"value": value, "evidence": evidence, "answered_at": at, "is_theirs": is_theirs},
    )
    before = "" if is_new else row.value
    if not is_new:
        row.is_theirs = is_theirs or (row.is_theirs and row.value == value)
        row.value, row.evidence, row.answered_at = value, evidence, at
        row.save(update_fields=["value", "evidence", "answered_at", "is_theirs"])
    return row, before


def as_kept(criterion: Criterion, value: str) -> str:
    """The answer as it is kept: a reply without *unknown*, a number in its plainest form. Raises `ValueError` for one that the criterion does not
    know."""
    value = value.replace("\0", "").strip()
    if len(value) > MOST_LETTERS:
        raise ValueError("too many letters for an answer")
    if criterion.kind == CriterionKind.YES_NO and value == Reply.UNKNOWN:
        return ""
    if criterion.kind == CriterionKind.NUMBER and value:
        return f"{scoring.as_number(value).normalize() + 0:f}"
    question(criterion).share(value)
    return value


def said(criterion: Criterion, value: str) -> str:
    """An answer to this criterion as a person reads it, in the active language; empty when there is none."""
    if not value:
        return ""
    if criterion.kind == CriterionKind.YES_NO:
        return str(Reply(value).label)
    if criterion.kind == CriterionKind.SCALE:
        return _("%(value)s of 5") % {"value": value}
    return number_format(value) if criterion.kind == CriterionKind.NUMBER else value


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
    criteria = list(scorecard.criteria.order_by("side", "position", "pk").prefetch_related("options"))
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
