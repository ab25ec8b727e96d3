"""What is agreed with somebody, as the page of a lead, a deal or a person shows it: the appointments to come, and the links that they may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from crm.models import Appointment, BookingLink, Deal, Lead, Person
from crm.web import access

MOST = 5


@dataclass(frozen=True)
class Meetings:
    """`about` is what the address of a new appointment says."""

    about: str
    may_write: bool
    coming: list[Appointment] = field(default_factory=list)
    links: list[BookingLink] = field(default_factory=list)


def of(subject: Lead | Deal | Person, *, at: datetime, may_write: bool) -> Meetings:
    """Two queries. What was agreed on a lead is agreed on the deal that it became."""
    name = str(subject._meta.model_name)
    about = Q(**{name: subject})
    if isinstance(subject, Deal) and subject.lead_id is not None:
        about |= Q(lead=subject.lead_id)
    coming = access.appointments().booked().select_related("user").filter(about, ends_at__gt=at)
    links = access.booking_links().filter(about, revoked_at__isnull=True, expires_at__gt=at)
    return Meetings(
        about=f"{name}={subject.pk}",
        may_write=may_write,
        coming=list(coming.order_by("starts_at", "id")[:MOST]),
        links=list(links.exclude(appointments__in=access.appointments().standing()).order_by("-made_at", "-id")[:MOST]),
    )
