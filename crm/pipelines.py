"""The pipeline that deals start in: the first one, made with sensible stages when there is none yet."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import get_language, gettext_noop, override
from django.utils.translation import gettext as _

from crm import locks
from crm.models import Pipeline, Stage

STAGES = (
    (gettext_noop("Get acquainted"), 10, 10),
    (gettext_noop("Needs and wishes"), 25, 14),
    (gettext_noop("Proposal"), 50, 14),
    (gettext_noop("Decision"), 75, 10),
)
"""Name, usual chance to win in percent, usual days here: a start that an administrator changes to what their own history says."""


@transaction.atomic
def ensure_default(language: str | None = None) -> Pipeline:
    """The first pipeline, made with four stages in `language` (default: the active one) when there is none."""
    pipeline = Pipeline.objects.order_by("position", "id").first()
    if pipeline is None:
        locks.hold("pipeline")
        pipeline = Pipeline.objects.order_by("position", "id").first()
    if pipeline is None:
        with override(language or get_language()):
            pipeline = Pipeline.objects.create(name=_("Sales"))
            Stage.objects.bulk_create(
                Stage(pipeline=pipeline, name=_(name), position=position, probability=chance, usual_days=days)
                for position, (name, chance, days) in enumerate(STAGES)
            )
    return pipeline


def first_stage() -> Stage:
    """Where a new deal starts."""
    return ensure_default().stages.order_by("position", "id")[0]
