"""Where deals can stand: the pipeline that exists from the start, so that a first deal has a place."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm import locks
from crm.models import Pipeline, Stage


@transaction.atomic
def ensure_default() -> Pipeline:
    """The first pipeline, which is made with four stages when there is none. Its names are in the organisation's language.

    A pipeline without stages gets them too: a deal always has a place to stand. Two who ask at the same moment get the same one.
    """
    pipeline = Pipeline.objects.first()
    if pipeline is not None and pipeline.stages.exists():
        return pipeline
    locks.hold("pipelines")
    with translation.override(settings.LANGUAGE_CODE):
        pipeline = Pipeline.objects.first() or Pipeline.objects.create(name=_("New customers"))
        if not pipeline.stages.exists():
            stages = (
                (_("Get acquainted"), 10, 10),
                (_("Needs and wishes"), 14, 25),
                (_("Proposal"), 14, 50),
                (_("Decision"), 10, 75),
            )
            Stage.objects.bulk_create(
                Stage(pipeline=pipeline, name=name, position=position, usual_days=days, probability=chance)
                for position, (name, days, chance) in enumerate(stages, start=1)
            )
    return pipeline


def first_stage() -> Stage:
    """Where a new deal starts."""
    stage = ensure_default().stages.first()
    assert stage is not None
    return stage
