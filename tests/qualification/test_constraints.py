"""What the database refuses of a scorecard, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from qualification.models import Answer, Assessment, Criterion, Scorecard

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


ATTACKS: dict[str, Callable[[], object]] = {
    "scorecard_version_once": lambda: (card(), card()),
    "scorecard_threshold_percent": lambda: Scorecard.objects.create(name="Too strict", threshold_theirs=101),
    "criterion_side_known": lambda: criterion(side="both"),
    "criterion_weight_positive": lambda: criterion(weight=0),
    "answer_once_per_criterion": lambda: answer(value="no"),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_database_refuses(name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ATTACKS[name]()
    assert refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def test_every_constraint_is_attacked() -> None:
    models = apps.get_app_config("qualification").get_models()
    assert {constraint.name for model in models for constraint in model._meta.constraints} == set(ATTACKS)
