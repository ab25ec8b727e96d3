"""Answers keep the version that they were given on: a new one changes nothing about them, and asks the same until somebody edits it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from qualification import assessing, ready_made, versions
from qualification.models import Assessment, Criterion, Option, Scorecard
from qualification.scoring import SCALE

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OF_CRITERION = [
    "key", "side", "kind", "question", "help_text", "weight", "is_must", "must_from", "asks_prospect", "prospect_question",
    "position",
]  # fmt: skip
OF_OPTION = ["criterion__key", "label", "at_least", "points", "position"]


def best(criterion: Criterion) -> str:
    question = assessing.question(criterion)
    return max(question.possible_values(), key=lambda value: question.share(value) or 0, default="words")


def answered(scorecard: Scorecard) -> Assessment:
    assessment = assessing.begin(scorecard)
    for criterion in scorecard.criteria.all():
        assessing.answer(assessment, criterion, value=best(criterion), evidence="they said so", at=AT)
    return assessment


@pytest.mark.django_db
def test_a_copied_version_asks_the_very_same_and_is_not_in_use() -> None:
    old = ready_made.make(ready_made.BANT)
    fresh = versions.begin(old)
    assert (fresh.name, fresh.version, fresh.is_active) == (old.name, 2, False)
    assert list(fresh.criteria.values(*OF_CRITERION)) == list(old.criteria.values(*OF_CRITERION))
    options = [
        sorted(Option.objects.filter(criterion__scorecard=card).values_list(*OF_OPTION), key=str)
        for card in (old, fresh)
    ]
    assert options[0] == options[1] != []
    assert not versions.is_used(fresh)


@pytest.mark.django_db
def test_versions_count_on_from_the_newest() -> None:
    old = ready_made.make(ready_made.BANT)
    versions.begin(old)
    assert versions.begin(old).version == 3


class Stable(TestCase):
    @settings(max_examples=15, deadline=None)
    @given(st.data())
    def test_answers_give_the_same_result_whatever_happens_to_a_newer_version(self, data: st.DataObject) -> None:
        old = ready_made.make(ready_made.MEDDICC)
        assessment = answered(old)
        before = assessing.result(assessment)
        fresh = versions.begin(old)
        for criterion in fresh.criteria.all():
            if data.draw(st.booleans()):
                criterion.options.all().delete()
                criterion.delete()
            else:
                criterion.weight = data.draw(st.integers(1, 100)) if criterion.weight else 0
                criterion.save()
        fresh.threshold_ours = data.draw(st.integers(1, 100))
        fresh.save()
        again = Assessment.objects.select_related("scorecard").get(pk=assessment.pk)
        assert assessing.result(again) == before
        assert before.both_yes


@pytest.mark.django_db
def test_an_answer_is_kept_in_its_plainest_form() -> None:
    criterion = ready_made.make(ready_made.IDEAL_CLIENT).criteria.get(kind="number")
    assert [assessing.as_kept(criterion, value) for value in ("12", " 12.50 ", "1,5", "", "-0")] == [
        "12",
        "12.5",
        "1.5",
        "",
        "0",
    ]
    with pytest.raises(ValueError, match="number"):
        assessing.as_kept(criterion, "a dozen")


@pytest.mark.django_db
def test_what_the_prospect_said_stays_theirs_until_it_is_answered_otherwise() -> None:
    criterion = ready_made.make(ready_made.MEDDICC).criteria.filter(kind="scale").first()
    assert criterion is not None
    assessment = assessing.begin(criterion.scorecard)
    assert assessing.answer(assessment, criterion, value="4", evidence="by the form", at=AT, is_theirs=True)[
        0
    ].is_theirs
    assert assessing.answer(assessment, criterion, value="4", evidence="and on the phone", at=AT)[0].is_theirs
    assert not assessing.answer(assessment, criterion, value=SCALE[-1], evidence="more, it turned out", at=AT)[
        0
    ].is_theirs


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("yes_no", "partly", "Partly"),
        ("scale", "4", "4 of 5"),
        ("number", "12.5", "12.5"),
        ("choice", "This year", "This year"),
        ("text", "", ""),
    ],
)
def test_an_answer_is_said_in_words(kind: str, value: str, said: str) -> None:
    assert assessing.said(Criterion(kind=kind), value) == said
