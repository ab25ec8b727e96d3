"""What a draft of a scorecard would have said about the leads that were assessed last: their answers scored again by it, matched by criterion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crm.models import Lead
from qualification import assessing, scoring
from qualification.models import Criterion, Scorecard
from qualification.scoring import Question, Result

MOST = 50
"""How many leads are tried."""


@dataclass(frozen=True)
class Changed:
    """A lead about which the draft says something else than the version that it was assessed by."""

    lead: Lead
    before: Result
    after: Result


@dataclass(frozen=True)
class Trial:
    """So many leads were `tried`; `changed` are those with another outcome, the newest assessment first."""

    tried: int
    changed: list[Changed]


def of(scorecard: Scorecard, *, most: int = MOST) -> Trial:
    """The last leads that were assessed by a version with at least one of its criteria, by the draft. An answer that the draft's criterion does not
    know, such as one of another kind, counts as not known yet. Seven queries at most."""
    fresh = {criterion.key: assessing.question(criterion) for criterion in _criteria(scorecard)}
    used = {
        version.pk: version
        for version in Scorecard.objects.filter(criteria__key__in=fresh)
        .exclude(pk=scorecard.pk)
        .distinct()
        .prefetch_related("criteria__options")
    }
    asked = {pk: {each.pk: each for each in version.criteria.all()} for pk, version in used.items()}
    questions = {pk: [assessing.question(each) for each in criteria.values()] for pk, criteria in asked.items()}
    leads = list(
        Lead.objects.filter(assessment__scorecard__in=used)
        .select_related("person", "organisation", "assessment")
        .prefetch_related("assessment__answers")
        .order_by("-assessment_id")[:most]
    )
    changed = []
    for lead in leads:
        assert lead.assessment is not None
        version = used[lead.assessment.scorecard_id]
        values = {answer.criterion_id: answer.value for answer in lead.assessment.answers.all()}
        keys = {asked[version.pk][pk].key: value for pk, value in values.items()}
        matched = {q.key: keys[key] for key, q in fresh.items() if _knows(q, keys.get(key, ""))}
        before = _scored(version, questions[version.pk], values)
        after = _scored(scorecard, fresh.values(), matched)
        if before.outcome != after.outcome:
            changed.append(Changed(lead, before, after))
    return Trial(len(leads), changed)


def _criteria(scorecard: Scorecard) -> list[Criterion]:
    return list(scorecard.criteria.prefetch_related("options"))


def _scored(scorecard: Scorecard, questions: Iterable[Question], values: dict[int, str]) -> Result:
    return scoring.score(
        questions, values, threshold_ours=scorecard.threshold_ours, threshold_theirs=scorecard.threshold_theirs
    )


def _knows(question: Question, value: str) -> bool:
    try:
        return bool(value) and (question.share(value) is not None or not question.scores)
    except ValueError:
        return False
