"""Scorecards to start with: whole, on both sides, and such as can be scored from the first day."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from qualification import assessing, ready_made
from qualification.models import CriterionKind
from qualification.scoring import Advice, score

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code", sorted(ready_made.READY))
def test_it_asks_both_sides_and_the_best_answers_are_a_yes_of_both(code: str) -> None:
    card = ready_made.make(ready_made.READY[code])
    assert not card.is_active
    questions = [assessing.question(criterion) for criterion in card.criteria.prefetch_related("options")]
    assert {question.side for question in questions if question.scores} == {"ours", "theirs"}
    best = {
        question.key: max(question.possible_values(), key=lambda value: question.share(value) or 0)
        for question in questions
        if question.scores
    }
    thresholds = {"threshold_ours": card.threshold_ours, "threshold_theirs": card.threshold_theirs}
    result = score(questions, best, **thresholds)
    assert (result.ours.score, result.theirs.score, result.outcome) == (100, 100, Advice.YES)
    assert score(questions, {}, **thresholds).outcome == Advice.UNDECIDED


@pytest.mark.parametrize("code", sorted(ready_made.READY))
def test_it_is_worth_reading(code: str) -> None:
    criteria = list(ready_made.make(ready_made.READY[code]).criteria.prefetch_related("options"))
    assert len({criterion.kind for criterion in criteria}) >= 4
    assert any(criterion.is_must for criterion in criteria)
    assert any(criterion.asks_prospect and criterion.prospect_question for criterion in criteria)
    assert all(criterion.help_text for criterion in criteria)
    for criterion in criteria:
        has_options = criterion.kind in (CriterionKind.CHOICE, CriterionKind.NUMBER)
        assert (len(criterion.options.all()) >= 3) == has_options, criterion


def test_it_is_in_the_language_of_whoever_begins_and_begun_once() -> None:
    with translation.override("nl"):
        card = ready_made.make(ready_made.IDEAL_CLIENT)
        assert card.name == translation.gettext("Ideal client")
        with pytest.raises(IntegrityError), transaction.atomic():
            ready_made.make(ready_made.IDEAL_CLIENT)
