"""What became of hand-offs, per SDR who gave them and per account manager who got them. A booked meeting counts for nobody: only an accepted hand-off
whose appointment was held does. One statement; every number is a selection of `of`, so that it opens the list behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from crm.clock import Period
from crm.models import Appointment, AppointmentState, HandOff, HandOffState, RejectReason
from crm.models.hand_offs import HandOffQuerySet

GIVER, RECEIVER = "from_user", "to_user"
STATES = {
    "given": Q(),
    "waiting": Q(state=HandOffState.SUBMITTED),
    "accepted": Q(state=HandOffState.ACCEPTED),
    "rejected": Q(state=HandOffState.REJECTED),
    "moved": Q(state=HandOffState.MOVED),
    "expired": Q(escalated_at__isnull=False),
    "held": Q(state=HandOffState.ACCEPTED, was_held=True),
}
"""What a column counts. *Expired*: nobody answered in time, whatever came later; *held*: accepted, and they met."""


@dataclass(frozen=True)
class Line:
    """One person's hand-offs of the period: by the words of `STATES`, rejections by kind, and the median time to an answer, in working minutes."""

    user_id: int
    name: str
    counts: Mapping[str, int]
    kinds: Mapping[str, int] = field(default_factory=dict)
    median_minutes: int | None = None


def of(period: Period, *, state: str = "given", kind: str = "") -> HandOffQuerySet:
    """The hand-offs that a number counts, those of everybody: each belongs to the day on which it was given."""
    was_held = Appointment.objects.filter(
        Q(lead=OuterRef("lead")) | Q(deal__lead=OuterRef("lead")), state=AppointmentState.HELD
    )
    rows = HandOff.objects.filter(submitted_at__gte=period.begins, submitted_at__lt=period.ends)
    if state == "held":
        rows = rows.annotate(was_held=Exists(was_held))
    rows = rows.filter(STATES[state])
    return rows.filter(reject_kind=kind, state=HandOffState.REJECTED) if kind else rows


COUNTS = """
WITH held AS (
    SELECT coalesce(a.lead_id, d.lead_id) AS lead_id
      FROM crm_appointment a LEFT JOIN crm_deal d ON d.id = a.deal_id
     WHERE a.state = 'held'
    UNION
    SELECT d.lead_id FROM crm_appointment a JOIN crm_deal d ON d.id = a.deal_id WHERE a.state = 'held'
), offered AS (
    SELECT h.*, h.state = 'accepted' AND h.lead_id IN (SELECT lead_id FROM held WHERE lead_id IS NOT NULL) AS is_held
      FROM crm_handoff h
     WHERE h.submitted_at >= %(begin)s AND h.submitted_at < %(end)s
), each AS (
    SELECT 'from_user' AS side, from_user_id AS user_id, * FROM offered
    UNION ALL
    SELECT 'to_user', to_user_id, * FROM offered
)
SELECT e.side, e.user_id, u.name, count(*),
       count(*) FILTER (WHERE e.state = 'submitted'), count(*) FILTER (WHERE e.state = 'accepted'),
       count(*) FILTER (WHERE e.state = 'rejected'), count(*) FILTER (WHERE e.state = 'moved'),
       count(*) FILTER (WHERE e.escalated_at IS NOT NULL), count(*) FILTER (WHERE e.is_held),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY e.answer_minutes),
       array_agg(e.reject_kind) FILTER (WHERE e.state = 'rejected' AND e.reject_kind <> '')
  FROM each e JOIN crm_user u ON u.id = e.user_id
 GROUP BY e.side, e.user_id, u.name
 ORDER BY e.side, 4 DESC, u.name, e.user_id
"""


def counted(period: Period) -> dict[str, list[Line]]:
    """For those who gave (`GIVER`) and those who got (`RECEIVER`) hand-offs in the period, who has most first. A hand-off counts once on each side:
    two views of the same, not to be added up."""
    lines: dict[str, list[Line]] = {GIVER: [], RECEIVER: []}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"begin": period.begins, "end": period.ends})
        found = cursor.fetchall()
    for side, user, name, *numbers, median, kinds in found:
        lines[side].append(
            Line(
                user,
                name,
                dict(zip(STATES, numbers, strict=True)),
                {kind: (kinds or []).count(kind) for kind in RejectReason.values},
                None if median is None else round(median),
            )
        )
    return lines


def totals(lines: list[Line]) -> dict[str, Any]:
    """What the lines of one side add up to."""
    counts = {state: sum(line.counts[state] for line in lines) for state in STATES}
    return counts | {"kinds": {kind: sum(line.kinds[kind] for line in lines) for kind in RejectReason.values}}
