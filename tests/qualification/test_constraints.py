"""What the database refuses of a scorecard, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from qualification.models import Answer, Assessment, Criterion, Option, Scorecard

pytestmark = pytest.mark.django_db


def card() -> Scorecard:
    return Scorecard.objects.create(name="Ideal client", version=1)


def criterion(**fields: object) -> Criterion:
    return Criterion.objects.create(
        **{"scorecard": card(), "side": "ours", "question": "Ten people or more?", **fields}
    )


def answer(**fields: object) -> Answer:
    asked = criterion()
    assessment = Assessment.objects.create(scorecard=asked.scorecard)
    row = Answer.objects.create(assessment=assessment, criterion=asked, value="yes")
    return Answer.objects.create(**{"assessment": assessment, "criterion": asked, **fields}) if fields else row


def twice(**fields: object) -> object:
    """Two possible answers of one question."""
    asked = criterion(kind="choice")
    return [Option.objects.create(criterion=asked, **fields) for _time in range(2)]


def same_key() -> object:
    one = criterion()
    return Criterion.objects.create(scorecard=one.scorecard, side="ours", question="Again?", key=one.key)


ATTACKS: dict[str, Callable[[], object]] = {
    "scorecard_version_once": lambda: (card(), card()),
    "scorecard_threshold_percent": lambda: Scorecard.objects.create(name="Too strict", threshold_theirs=101),
    "criterion_side_known": lambda: criterion(side="both"),
    "criterion_kind_known": lambda: criterion(kind="mood"),
    "criterion_weight_positive": lambda: criterion(weight=0),
    "criterion_must_percent": lambda: criterion(is_must=True, must_from=0),
    "criterion_key_once": same_key,
    "option_label_once": lambda: twice(label="Perhaps"),
    "option_band_once": lambda: twice(at_least=10),
    "option_says_what": lambda: Option.objects.create(criterion=criterion(kind="choice"), points=1),
    "option_points_percent": lambda: Option.objects.create(criterion=criterion(kind="choice"), label="A", points=101),
    "answer_once_per_criterion": lambda: answer(value="no"),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_database_refuses(name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ATTACKS[name]()
    assert refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


@pytest.mark.parametrize("fields", [{"weight": 1}, {"weight": 0, "is_must": True}])
def test_words_weigh_nothing_and_are_no_must_have(fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="criterion_weight_positive"), transaction.atomic():
        criterion(kind="text", **fields)


def test_every_constraint_is_attacked() -> None:
    models = apps.get_app_config("qualification").get_models()
    assert {constraint.name for model in models for constraint in model._meta.constraints} == set(ATTACKS)
