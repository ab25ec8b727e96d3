"""What is agreed with somebody, as the page of a lead, a deal or a person shows it: the appointments to come, and the links that they may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

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
    """Two queries."""
    name = str(subject._meta.model_name)
    coming = access.appointments().booked().select_related("user").filter(**{name: subject}, ends_at__gt=at)
    links = access.booking_links().filter(**{name: subject}, revoked_at__isnull=True, expires_at__gt=at)
    return Meetings(
        about=f"{name}={subject.pk}",
        may_write=may_write,
        coming=list(coming.order_by("starts_at", "id")[:MOST]),
        links=list(links.exclude(appointments__in=access.appointments().standing()).order_by("-made_at", "-id")[:MOST]),
    )
