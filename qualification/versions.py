"""New versions of a scorecard: answers keep the version that they were given on, so a used one is never edited."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from qualification.models import Option, Scorecard


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
    for criterion in scorecard.criteria.prefetch_related("options"):
        options = list(criterion.options.all())
        criterion.pk, criterion.scorecard, criterion._state.adding = None, fresh, True
        criterion.save(force_insert=True)
        for option in options:
            option.pk, option.criterion = None, criterion
        Option.objects.bulk_create(options)
    return fresh
