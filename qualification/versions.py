"""New versions of a scorecard: answers keep the version that they were given on, so a used one is never edited."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from qualification.models import Criterion, Scorecard


def is_used(scorecard: Scorecard) -> bool:
    """Whether something was assessed by exactly this version."""
    return scorecard.pk is not None and scorecard.assessments.exists()


@transaction.atomic
def begin(scorecard: Scorecard) -> Scorecard:
    """The next version of this scorecard: the same questions, to be edited, and not in use until somebody says so. The old one stays as it is."""
    Scorecard.objects.select_for_update().filter(name=scorecard.name).order_by("pk").first()
    newest = Scorecard.objects.filter(name=scorecard.name).aggregate(newest=Max("version"))["newest"]
    fresh = Scorecard.objects.create(
        name=scorecard.name,
        version=newest + 1,
        description=scorecard.description,
        threshold_ours=scorecard.threshold_ours,
        threshold_theirs=scorecard.threshold_theirs,
        is_active=False,
    )
    Criterion.objects.bulk_create(
        Criterion(
            scorecard=fresh,
            side=criterion.side,
            question=criterion.question,
            help_text=criterion.help_text,
            weight=criterion.weight,
            is_must=criterion.is_must,
            position=criterion.position,
        )
        for criterion in scorecard.criteria.all()
    )
    return fresh
