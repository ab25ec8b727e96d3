"""Appointments, the links by which they are booked, and when somebody is busy. Everybody reads agendas, since that is how an appointment is made;
an appointment is changed by its host and by whoever arranged it, their teams and those who lead."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from crm.models import Absence, Appointment, BookingLink, BusyTime, User
from crm.models.appointments import AppointmentQuerySet
from crm.models.users import AbsenceQuerySet
from crm.web.access.rights import may_write
from crm.web.page import Request


def appointments() -> AppointmentQuerySet:
    return Appointment.objects.all()


def appointment(request: Request, pk: int, *, write: bool = False) -> Appointment:
    rows = Appointment.objects.for_list().select_related("user__team", "link__made_by", "conversation")
    row = get_object_or_404(rows, pk=pk)
    if write and not may_change(request.user, row):
        raise PermissionDenied
    return row


def may_change(user: User, row: Appointment) -> bool:
    """Whether `user` may move it, call it off and say how it went."""
    arranger = row.booked_by or (row.link.made_by if row.link else None)
    return may_write(user, row.user) or (arranger is not None and may_write(user, arranger))


def booking_links() -> QuerySet[BookingLink]:
    return BookingLink.objects.select_related("user", "person", "lead", "deal", "made_by")


def booking_link(request: Request, pk: int) -> BookingLink:
    """Whoever has its address can book by it, so it is shown only to who may change it: who made it, the host, the owner of the lead or deal, their
    teams and those who lead."""
    row = get_object_or_404(booking_links().select_related("lead__owner", "deal__owner", "user__team"), pk=pk)
    owners = [row.user, row.made_by, *(about.owner for about in (row.lead, row.deal) if about is not None)]
    if not any(may_write(request.user, owner) for owner in owners):
        raise PermissionDenied
    return row


def booking_link_of(token: str) -> BookingLink:
    """The one with this token, for anybody who has it; one that we never made is a 404."""
    if "\0" in token:
        raise Http404
    return get_object_or_404(BookingLink.objects.select_related("user__team", "person", "lead", "deal"), token=token)


def busy_times(user: User) -> QuerySet[BusyTime]:
    """When they are busy elsewhere, by their calendars in use."""
    return BusyTime.objects.filter(calendar__user=user, calendar__is_active=True)


def absences() -> AbsenceQuerySet:
    """Who is away and until when, everybody may know."""
    return Absence.objects.all()


def absences_of(user: User) -> QuerySet[Absence]:
    return Absence.objects.filter(user=user)


def hosts() -> QuerySet[User]:
    """Colleagues whom somebody can meet, with their teams."""
    return User.objects.active().select_related("team").order_by("name", "id")


def host(pk: int) -> User:
    rows: QuerySet[Any] = User.objects.active().select_related("team")
    return get_object_or_404(rows, pk=pk)
