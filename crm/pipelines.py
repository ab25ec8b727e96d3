"""Where deals can stand: the pipeline that exists from the start, so that a first deal has a place, and what won deals teach about its stages."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from crm import locks
from crm.models import Pipeline, Stage

YEARS_LEARNED = 3
"""Years of won deals that teach: how we sold longer ago says little of now."""

# A pause lies between two days on which they spoke or wrote, one after the other, and counts for the stage in which the deal stood when it began:
# that is what is asked of an open deal. A day with ten mails is one day.
LEARN = """
WITH reply AS (
    SELECT DISTINCT c.deal_id, (c.at AT TIME ZONE %(zone)s)::date AS day
      FROM crm_conversation c
      JOIN crm_deal d ON d.id = c.deal_id
     WHERE d.state = 'won' AND d.won_at <= %(at)s AND d.won_at > %(at)s - make_interval(years => %(years)s)
       AND c.at BETWEEN d.opened_at AND d.won_at AND c.direction IN ('both', 'incoming') AND NOT c.is_automatic
),
pause AS (
    SELECT deal_id, day, lead(day) OVER (PARTITION BY deal_id ORDER BY day) - day AS days FROM reply
),
learned AS (
    SELECT stood.stage_id, count(DISTINCT p.deal_id) AS deals,
           greatest(1, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY p.days)))::int AS days
      FROM pause p
      CROSS JOIN LATERAL (SELECT g.to_stage_id AS stage_id FROM crm_stagechange g
                           WHERE g.deal_id = p.deal_id AND (g.at AT TIME ZONE %(zone)s)::date <= p.day
                           ORDER BY g.at DESC, g.id DESC LIMIT 1) stood
     WHERE p.days IS NOT NULL
     GROUP BY stood.stage_id
)
UPDATE crm_stage s SET learned_contact_days = l.days, learned_from = coalesce(l.deals, 0)
  FROM crm_stage k LEFT JOIN learned l ON l.stage_id = k.id
 WHERE s.id = k.id AND (s.learned_contact_days, s.learned_from) IS DISTINCT FROM (l.days, coalesce(l.deals, 0)::int)
"""


@transaction.atomic
def learn(*, at: datetime) -> int:
    """Each stage knows how many days usually lay between two replies while won deals stood there, and how many deals say so; the answer is how many
    stages learned something new. Whether that is enough to go by is for who counts with it. Refuses nothing."""
    locks.hold("pipelines")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(LEARN, {"at": at, "zone": settings.TIME_ZONE, "years": YEARS_LEARNED})
        return cursor.rowcount


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
