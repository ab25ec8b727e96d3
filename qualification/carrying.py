"""Take answers along from one assessment to the next, where the same question is still asked and still knows such an answer."""

from __future__ import annotations

from qualification import assessing
from qualification.models import Answer, Assessment


def carry_over(earlier: Assessment, later: Assessment) -> int:
    """The answers of `earlier` stand in `later` as they were given (with their evidence, their day and who said it), wherever a criterion of the same
    key is answered in the same way and still knows that answer; returns how many. What does not fit any more is asked again."""
    criteria = {criterion.key: criterion for criterion in later.scorecard.criteria.prefetch_related("options")}
    carried = []
    for answer in earlier.answers.select_related("criterion"):
        criterion = criteria.get(answer.criterion.key)
        if criterion is None or criterion.kind != answer.criterion.kind or not answer.value:
            continue
        try:
            value = assessing.as_kept(criterion, answer.value)
        except ValueError:
            continue
        carried.append(
            Answer(
                assessment=later,
                criterion=criterion,
                value=value,
                evidence=answer.evidence,
                is_theirs=answer.is_theirs,
                answered_at=answer.answered_at,
            )
        )
    return len(Answer.objects.bulk_create(carried))
