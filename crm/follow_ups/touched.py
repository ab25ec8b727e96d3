"""Look again only at whom and what the verbs touched: incremental, and with the same rows as looking at everything.

The database writes a row for each event, in the transaction of the verb (a trigger; migration 0019). A refresh takes those rows away in its own
transaction, so that a worker, a broker or a connection that dies in between loses nothing: the next one finds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from crm.models import SubjectKind, Touched

MOST = 500
"""More than this at once (an import, an act on many) is quicker looked at as a whole."""

WIDE = {
    SubjectKind.USER,
    SubjectKind.TEAM,
    SubjectKind.ABSENCE,
    SubjectKind.RULE,
    SubjectKind.PACING,
    SubjectKind.IMPORT,
    SubjectKind.BULK_ACT,
    SubjectKind.REASON,
    SubjectKind.MERGE,
}
"""What is about everybody: who is away, how a team works, what a rule counts with, whole files."""

NOUNS = {
    SubjectKind.PERSON: "people",
    SubjectKind.ORGANISATION: "organisations",
    SubjectKind.LEAD: "leads",
    SubjectKind.DEAL: "deals",
}

TAKE = """
DELETE FROM crm_touched
 WHERE id IN (SELECT id FROM crm_touched ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING subject_kind, subject_id, person_id, organisation_id, lead_id, deal_id
"""

# Who stands one step away: about whom a lead, a deal, a promise, an appointment or a hand-off is; who gave the referral it came from; where people
# work, and who works at an organisation that was touched.
STEP = """
WITH lead AS (SELECT * FROM crm_lead WHERE id = ANY(%(leads)s)),
deal AS (SELECT * FROM crm_deal WHERE id = ANY(%(deals)s) OR lead_id = ANY(%(leads)s)),
referral AS (
    SELECT r.* FROM crm_referral r
     WHERE r.lead_id = ANY(%(leads)s) OR r.deal_id = ANY(%(deals)s) OR r.lead_id IN (SELECT lead_id FROM deal) OR r.introduced_id = ANY(%(people)s)
)
SELECT ARRAY(SELECT person_id FROM lead UNION SELECT person_id FROM deal UNION SELECT referrer_id FROM referral
             UNION SELECT person_id FROM crm_position WHERE organisation_id = ANY(%(organisations)s)),
       ARRAY(SELECT organisation_id FROM lead UNION SELECT organisation_id FROM deal
             UNION SELECT organisation_id FROM crm_position WHERE person_id = ANY(%(people)s)),
       ARRAY(SELECT lead_id FROM deal UNION SELECT lead_id FROM referral),
       ARRAY(SELECT id FROM deal UNION SELECT deal_id FROM referral)
"""


EVERYTHING: dict[str, Any] = {"is_near": False, **{f"near_{name}": [] for name in NOUNS.values()}}
"""For the statement of a rule that looks at all there is."""


@dataclass(frozen=True)
class Near:
    """A few people, organisations, leads, deals and other subjects, by their keys, with who and what stands one step away."""

    people: frozenset[int] = frozenset()
    organisations: frozenset[int] = frozenset()
    leads: frozenset[int] = frozenset()
    deals: frozenset[int] = frozenset()
    subjects: frozenset[tuple[str, int]] = field(default_factory=frozenset)

    def parameters(self) -> dict[str, Any]:
        """For the statement of a rule. A subject that is a person, organisation, lead or deal is among those."""
        others = sorted(subject for subject in self.subjects if subject[0] not in NOUNS)
        return {
            "is_near": True,
            **{
                f"near_{name}": sorted({*getattr(self, name), *(pk for kind, pk in self.subjects if kind == noun)})
                for noun, name in NOUNS.items()
            },
            "near_kinds": [kind for kind, _pk in others],
            "near_subjects": [pk for _kind, pk in others],
        }


def take() -> list[Touched]:
    """What was touched and is not in other hands, taken away. Needs an open transaction: when it fails, the rows are there again."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [MOST + 1])
        columns = ("subject_kind", "subject_id", "person_id", "organisation_id", "lead_id", "deal_id")
        return [Touched(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]


def near(touched: Iterable[Touched]) -> Near | None:
    """Whom and what to look at again; `None` when that is everything."""
    rows = list(touched)
    if len(rows) > MOST or any(row.subject_kind in WIDE for row in rows):
        return None
    keys: dict[str, set[int]] = {
        "people": {row.person_id for row in rows if row.person_id},
        "organisations": {row.organisation_id for row in rows if row.organisation_id},
        "leads": {row.lead_id for row in rows if row.lead_id},
        "deals": {row.deal_id for row in rows if row.deal_id},
    }
    with connection.cursor() as cursor:
        cursor.execute(STEP, {name: sorted(found) for name, found in keys.items()})
        steps = cursor.fetchone()
    wider = {
        name: frozenset(found | {pk for pk in step if pk is not None})
        for (name, found), step in zip(keys.items(), steps, strict=True)
    }
    return Near(**wider, subjects=frozenset((row.subject_kind, row.subject_id) for row in rows))
