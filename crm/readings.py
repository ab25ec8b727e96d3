"""Take the pipeline's health: what the checks find now, and every number of the dashboard as a row of history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from crm import health, locks, metrics
from crm.models import HealthReading

# Three writes about different rows of one snapshot: findings whose cause is gone, those that changed, and new ones.
REFRESH_FINDINGS = """
WITH cause AS MATERIALIZED ({causes}),
cleared AS (
    UPDATE crm_finding f SET cleared_at = %(at)s
     WHERE f.cleared_at IS NULL
       AND NOT EXISTS (SELECT FROM cause c WHERE c.kind = f.kind AND c.subject_kind = f.subject_kind AND c.subject_id = f.subject_id)
    RETURNING f.id
),
changed AS (
    UPDATE crm_finding f SET why = c.why, since = c.since, deal_id = c.deal_id, lead_id = c.lead_id
      FROM cause c
     WHERE f.cleared_at IS NULL AND c.kind = f.kind AND c.subject_kind = f.subject_kind AND c.subject_id = f.subject_id
       AND (f.why, f.since, f.deal_id, f.lead_id) IS DISTINCT FROM (c.why, c.since, c.deal_id, c.lead_id)
    RETURNING f.id
),
found AS (
    INSERT INTO crm_finding (kind, subject_kind, subject_id, why, deal_id, lead_id, since)
    SELECT c.kind, c.subject_kind, c.subject_id, c.why, c.deal_id, c.lead_id, c.since
      FROM cause c
     WHERE NOT EXISTS (SELECT FROM crm_finding f
                        WHERE f.cleared_at IS NULL AND f.kind = c.kind AND f.subject_kind = c.subject_kind AND f.subject_id = c.subject_id)
     ORDER BY c.kind, c.subject_id
    ON CONFLICT (kind, subject_kind, subject_id) WHERE cleared_at IS NULL DO NOTHING
    RETURNING id
)
SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM changed), (SELECT count(*) FROM cleared)
"""


@dataclass(frozen=True)
class Reading:
    """What a reading did: findings found, changed and cleared, and numbers written."""

    found: int
    changed: int
    cleared: int
    numbers: int


@transaction.atomic
def take(*, at: datetime) -> Reading:
    """The open findings are those that hold at `at`, and each metric has its row of that moment. Taking the reading of one moment twice writes it
    once; two at the same time wait for each other. Refuses nothing."""
    locks.hold("health-reading")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(REFRESH_FINDINGS.format(causes=health.causes()), health.parameters(at))
        found, changed, cleared = cursor.fetchone()
    values = metrics.measure(metrics.Scope(at))
    before = HealthReading.objects.filter(taken_at=at).count()
    HealthReading.objects.bulk_create(
        (HealthReading(metric=key, value=value, taken_at=at) for key, value in values.items()), ignore_conflicts=True
    )
    return Reading(found, changed, cleared, HealthReading.objects.filter(taken_at=at).count() - before)
