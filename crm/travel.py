"""What a no before a visit saved, and what a visit too early cost, in kilometres and hours. Reads only.

A distance is noted by hand, one way, from the office of the team: on the lead, or on an appointment about it. Where nobody noted one it is *unknown*,
counted as that and never guessed. There and back is twice the distance; the hours are the driving, and one hour at the table for each visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from crm.models import Appointment, AppointmentKind, AppointmentState, Gate, Lead, Override, Verdict

KM_AN_HOUR = 60
"""Door to door, roads of every kind and the search for a place to park among them: a kilometre a minute is what account managers reckon with."""
HOURS_AT_THE_TABLE = 1
"""A first visit is planned for an hour."""


@dataclass(frozen=True)
class Travel:
    """So many noes (`number`), of which the distance is known of `known`; those add up to `km` there and back, and with their visits to `hours`."""

    number: int
    known: int
    km: int
    hours: int


def saved(noes: QuerySet[Lead]) -> QuerySet[Lead]:
    """Declined before any visit was held: nobody drove."""
    return noes.filter(verdict=Verdict.DECLINED).exclude(Exists(_held_before()))


def wasted(noes: QuerySet[Lead]) -> QuerySet[Lead]:
    """Visited before both sides had said yes, then declined. A verdict against the advice was no yes of both."""
    return noes.filter(verdict=Verdict.DECLINED).filter(Exists(_too_early()))


def of_saved(noes: QuerySet[Lead]) -> Travel:
    """The kilometres and hours of one visit that each of them did not take."""
    return _added(with_distance(saved(noes)), trips=None)


def of_wasted(noes: QuerySet[Lead]) -> Travel:
    """The kilometres and hours of every visit that came too early."""
    visits = _too_early().order_by().values("lead").annotate(number=Count("pk")).values("number")
    return _added(with_distance(wasted(noes)).annotate(trips=Subquery(visits)), trips="trips")


def with_distance(noes: QuerySet[Lead]) -> QuerySet[Lead]:
    """`km`: one way, as noted on the lead, else on an appointment about it; empty when nobody noted it."""
    noted = Appointment.objects.filter(lead=OuterRef("pk")).order_by().values("lead").annotate(km=Max("distance_km"))
    return noes.annotate(km=Coalesce(F("distance_km"), Subquery(noted.values("km"))))


def _added(rows: QuerySet[Lead], trips: str | None) -> Travel:
    driven = F("km") * 2 * (F(trips) if trips else 1)
    summed: dict[str, Any] = rows.order_by().aggregate(
        number=Count("pk"),
        known=Count("pk", filter=Q(km__isnull=False)),
        total=Sum(driven, filter=Q(km__isnull=False)),
        visits=Sum(trips, filter=Q(km__isnull=False)) if trips else Count("pk", filter=Q(km__isnull=False)),
    )
    km = int(summed["total"] or 0)
    return Travel(
        summed["number"], summed["known"], km, round(km / KM_AN_HOUR + HOURS_AT_THE_TABLE * int(summed["visits"] or 0))
    )


def _held_before() -> QuerySet[Appointment]:
    """The visits to the lead of the query around it that were held before the verdict on it."""
    return Appointment.objects.filter(
        lead=OuterRef("pk"),
        kind=AppointmentKind.VISIT,
        state=AppointmentState.HELD,
        starts_at__lt=OuterRef("verdict_at"),
    )


def _too_early() -> QuerySet[Appointment]:
    """Of those, the ones before both sides had said yes."""
    against = Override.objects.filter(gate=Gate.VERDICT, lead=OuterRef("lead"), at__lte=OuterRef("starts_at"))
    return _held_before().filter(
        Q(lead__qualified_at__isnull=True) | Q(lead__qualified_at__gt=F("starts_at")) | Exists(against)
    )
