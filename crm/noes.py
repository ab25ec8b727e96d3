"""What became of our noes: for which reasons and from where, which came back and ordered, and whether we would decide the same. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, When

from crm import travel
from crm.clock import Period
from crm.models import Deal, DealState, Event, EventKind, Lead, Verdict
from crm.travel import Travel

LOOK_BACK_AFTER = timedelta(days=90)
"""A quarter later it is known what became of them, and still remembered why we said no."""


@dataclass(frozen=True)
class Counted:
    """So many noes of one reason, or from one origin."""

    key: str
    number: int


@dataclass(frozen=True)
class Told:
    """The page of noes in numbers. `same` of `evaluated` would be decided the same."""

    number: int
    by_reason: list[Counted]
    by_origin: list[Counted]
    came_back: int
    evaluated: int
    same: int
    saved: Travel
    wasted: Travel


def said(period: Period, *, team_id: int | None = None) -> QuerySet[Lead]:
    """The leads that were declined in this period (of one team: those that its members own), those that were taken up again since among them; each
    with `said_at`."""
    declined = Event.objects.filter(
        lead=OuterRef("pk"), kind=EventKind.LEAD_DECLINED, at__gte=period.begins, at__lt=period.ends
    )
    stands = Q(verdict=Verdict.DECLINED, verdict_at__gte=period.begins, verdict_at__lt=period.ends)
    # Only one that was taken up again has to be looked for among the events: its verdict is another one now, or of another day.
    taken_up = ~Q(decline_reason="") & ~Q(verdict=Verdict.DECLINED) & Exists(declined)
    last = declined.order_by().values("lead").annotate(last=Max("at")).values("last")
    said_at = Case(When(verdict=Verdict.DECLINED, then=F("verdict_at")), default=Subquery(last))
    rows = Lead.objects.filter(stands | taken_up).annotate(said_at=said_at)
    return rows if team_id is None else rows.filter(owner__team_id=team_id)


def came_back(noes: QuerySet[Lead]) -> QuerySet[Lead]:
    """Those who ordered after our no: through the same lead, or the same person or organisation later."""
    won = Deal.objects.filter(state=DealState.WON, won_at__gt=OuterRef("said_at"))
    return noes.filter(
        Exists(won.filter(lead=OuterRef("pk")))
        | Exists(won.filter(person=OuterRef("person")))
        | Exists(won.filter(organisation=OuterRef("organisation")))
    )


SELECTIONS: dict[str, Callable[[QuerySet[Lead]], QuerySet[Lead]]] = {
    "all": lambda noes: noes,
    "came_back": came_back,
    "evaluated": lambda noes: noes.filter(evaluated_at__isnull=False),
    "same": lambda noes: noes.filter(would_decide_same=True),
    "otherwise": lambda noes: noes.filter(would_decide_same=False),
    "saved": travel.saved,
    "wasted": travel.wasted,
}
"""What a number of the page counts, and the list behind it shows."""


def told(period: Period, *, team_id: int | None = None) -> Told:
    """The numbers of the page."""
    noes = said(period, team_id=team_id)
    counts = noes.order_by().aggregate(
        number=Count("pk"),
        evaluated=Count("pk", filter=Q(evaluated_at__isnull=False)),
        same=Count("pk", filter=Q(would_decide_same=True)),
    )
    return Told(
        **counts,
        by_reason=_counted(noes, "decline_reason"),
        by_origin=_counted(noes, "origin"),
        came_back=came_back(noes).count(),
        saved=travel.of_saved(noes),
        wasted=travel.of_wasted(noes),
    )


def to_look_back(at: datetime) -> QuerySet[Lead]:
    """The noes that are old enough to be judged, and were not yet."""
    return Lead.objects.filter(verdict=Verdict.DECLINED, verdict_at__lt=at - LOOK_BACK_AFTER, evaluated_at__isnull=True)


def _counted(noes: QuerySet[Lead], field: str) -> list[Counted]:
    rows: Any = noes.order_by().values_list(field).annotate(number=Count("pk")).order_by("-number", field)
    return [Counted(key, number) for key, number in rows]
