"""What somebody read of ours: since when, how much, what last. The first touch brought them and the last moved them, so they are kept apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min

from crm.models import Person, Touch


@dataclass(frozen=True)
class Reading:
    """`since` is `None` when they never met a piece of ours; `pieces` counts each piece once; `latest` has the newest touches first."""

    since: datetime | None = None
    pieces: int = 0
    latest: list[Touch] = field(default_factory=list)

    @property
    def last(self) -> Touch | None:
        return self.latest[0] if self.latest else None


def of(person: Person | None, *, latest: int = 10) -> Reading:
    """What this person read, with the newest `latest` touches. Two queries; none for nobody."""
    if person is None:
        return Reading()
    touches = person.touches.order_by("-at", "-id").select_related("content")[:latest]
    found = person.touches.aggregate(since=Min("at"), pieces=Count("content", distinct=True))
    return Reading(found["since"], found["pieces"], list(touches))
