"""Agree on a meeting, give it another time, call it off. Whoever acts without a user (`by` is `None`) is the prospect, with a link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events, locks, overrides, pacing
from crm.appointments import inviting, telling
from crm.appointments.fitting_in import Taken, must_fit, zone_of
from crm.appointments.gate import must_be_qualified, organisation_of
from crm.channels import smtp
from crm.models import (
    MEETS_BY,
    Appointment,
    AppointmentKind,
    AppointmentState,
    AttendeeAnswer,
    BookingLink,
    Deal,
    EventKind,
    Gate,
    Lead,
    Person,
    User,
)
from crm.notation import one_line
from crm.refusal import Refused

MOST_NOTE = 4000
WHY_LENGTH = 300


@transaction.atomic
def book(
    *,
    user: User,
    person: Person,
    kind: AppointmentKind | str,
    starts_at: datetime,
    minutes: int,
    subject: str,
    by: User | None,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    place: str = "",
    note: str = "",
    travel_minutes: int = 0,
    distance_km: int | None = None,
    time_zone: str = "",
    link: BookingLink | None = None,
    override: str = "",
) -> Appointment:
    """The appointment is agreed with `user` as host, nobody else can have that time, and the invitations are on their way. `time_zone` is the
    prospect's, where they said so.

    Refuses (`Taken`) a time that is not free: to a prospect any that is not offered, to a colleague any that overlaps. Refuses a host who is away or
    cannot log in, a person who asked not to be contacted in this way, and (`NotQualified`) a visit before both sides said yes without a reason in
    `override`, which is kept. How soon we may come back to somebody does not count: both agreed.
    """
    if kind not in AppointmentKind.values:
        raise Refused(_("Choose how you meet: by phone, by video or at their place."))
    subject = one_line(subject, 200)
    if not subject:
        raise Refused(_("Say what the appointment is about."))
    if by is not None:
        # Who takes an appointment by a link of ours asks for it themselves, whatever they asked before.
        answer = pacing.may_contact(person, MEETS_BY[kind], at, by=by)
        if isinstance(answer, pacing.Never):
            raise Refused(answer.why)
    passes_gate = must_be_qualified(kind=kind, person=person, lead=lead, deal=deal, override=override)
    user = _held(user)
    starts_at = starts_at.astimezone(UTC)
    zone = ZoneInfo(time_zone) if time_zone else zone_of(person)
    travel_minutes = travel_minutes if kind == AppointmentKind.VISIT else 0
    since, until = must_fit(
        user=user,
        starts_at=starts_at,
        minutes=minutes,
        travel_minutes=travel_minutes,
        is_prospect=by is None,
        by=by,
        at=at,
        zone=zone,
    )
    appointment = Appointment(
        user=user,
        person=person,
        organisation=organisation_of(person, lead, deal),
        lead=lead,
        deal=deal,
        link=link,
        kind=kind,
        subject=subject,
        note=note.replace("\0", "").strip()[:MOST_NOTE],
        place=one_line(place, 300),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        blocked_from=since,
        blocked_until=until,
        time_zone=zone.key,
        distance_km=distance_km if kind == AppointmentKind.VISIT else None,
        travel_minutes=travel_minutes,
        state_at=at,
        uid=f"{uuid4().hex}@{smtp.domain(settings.DEFAULT_FROM_EMAIL)}",
        booked_by=by,
        booked_at=at,
    )
    _save(appointment)
    record(EventKind.APPOINTMENT_BOOKED, appointment, by=by, at=at, new=_said(appointment))
    if passes_gate:
        responsible = by or (link.made_by if link else user)
        overrides.record(
            gate=Gate.VISIT, why=override, by=responsible, at=at, lead=lead, deal=deal, appointment=appointment
        )
    inviting.invite(appointment, at=at)
    if by is None:
        telling.booked(appointment, at=at)
    return appointment


@transaction.atomic
def move(
    *,
    appointment: Appointment,
    starts_at: datetime,
    by: User | None,
    at: datetime,
    minutes: int | None = None,
    why: str = "",
) -> Appointment:
    """It takes place at this time instead, under the same UID and a higher sequence; both hear of it, and what they answered is asked anew. The same
    time again changes nothing. Refuses one that is not agreed any more, one that a prospect wants to move after it began, and what `book` refuses of
    a time."""
    appointment = locked(appointment)
    _must_be_booked(appointment)
    if by is None and appointment.starts_at <= at:
        raise Refused(_("This appointment has begun. Ask whoever you meet for another time."))
    starts_at = starts_at.astimezone(UTC)
    length = minutes or round((appointment.ends_at - appointment.starts_at).total_seconds() / 60)
    ends_at = starts_at + timedelta(minutes=length)
    if (starts_at, ends_at) == (appointment.starts_at, appointment.ends_at):
        return appointment
    user = _held(appointment.user)
    since, until = must_fit(
        user=user,
        starts_at=starts_at,
        minutes=length,
        travel_minutes=appointment.travel_minutes,
        is_prospect=by is None,
        by=by,
        at=at,
        zone=ZoneInfo(appointment.time_zone),
        not_counting=appointment,
    )
    old = _said(appointment)
    appointment.starts_at, appointment.ends_at = starts_at, ends_at
    appointment.blocked_from, appointment.blocked_until = since, until
    appointment.sequence += 1
    appointment.answer = appointment.host_answer = AttendeeAnswer.NONE
    appointment.answered_at = None
    _save(appointment)
    why = one_line(why, WHY_LENGTH)
    record(EventKind.APPOINTMENT_MOVED, appointment, by=by, at=at, old=old, new={**_said(appointment), "why": why})
    inviting.update(appointment, at=at)
    if by is None:
        telling.moved(appointment, at=at)
    return appointment


@transaction.atomic
def cancel(*, appointment: Appointment, why: str, by: User | None, at: datetime) -> Appointment:
    """It does not take place: its time is free again, and both hear of it. Cancelling twice changes nothing. Refuses a colleague who gives no reason,
    one that is held or missed already, and a prospect after it began."""
    appointment = locked(appointment)
    if appointment.state == AppointmentState.CANCELLED:
        return appointment
    _must_be_booked(appointment)
    why = one_line(why, WHY_LENGTH)
    if by is not None and not why:
        raise Refused(_("Say why it is called off; they will read it."))
    if by is None and appointment.starts_at <= at:
        raise Refused(_("This appointment has begun, so it cannot be cancelled any more."))
    appointment.state, appointment.state_at, appointment.state_why = AppointmentState.CANCELLED, at, why
    appointment.sequence += 1
    _save(appointment)
    record(EventKind.APPOINTMENT_CANCELLED, appointment, by=by, at=at, new={**_said(appointment), "why": why})
    inviting.withdraw(appointment, at=at)
    if by is None:
        telling.cancelled(appointment, at=at)
    return appointment


def locked(appointment: Appointment) -> Appointment:
    """The row as it is now, with whom and what it is about, held until the transaction ends."""
    return locks.row(
        Appointment.objects.select_related("user__team", "person", "organisation", "lead", "deal", "link__made_by"),
        appointment.pk,
    )


def _held(user: User) -> User:
    """The host as they are now, with their agenda held: who books with the same host at the same moment waits, and then sees what was booked."""
    locks.hold("agenda", user.pk)
    user = User.objects.select_related("team").get(pk=user.pk)
    if not user.is_active:
        raise Refused(_("%(name)s does not work here any more. Choose another colleague.") % {"name": user})
    return user


def _must_be_booked(appointment: Appointment) -> None:
    if appointment.state != AppointmentState.BOOKED:
        raise Refused(
            _("This appointment is not open any more: %(state)s.") % {"state": appointment.get_state_display()}
        )


def _save(appointment: Appointment) -> None:
    """Stored, or `Taken` when the database sees an overlap that nobody held the agenda for."""
    try:
        with transaction.atomic():
            appointment.save()
    except IntegrityError as refused:
        if "appointment_one_at_a_time" not in str(refused):
            raise
        raise Taken(_("This time is no longer free."), []) from refused


def _said(appointment: Appointment) -> dict[str, object]:
    return {
        "subject": appointment.subject,
        "kind": str(appointment.kind),
        "with": str(appointment.user),
        "starts_at": appointment.starts_at,
        "ends_at": appointment.ends_at,
    }


def record(
    kind: EventKind,
    appointment: Appointment,
    *,
    by: User | None,
    at: datetime,
    new: dict[str, object],
    old: dict[str, object] | None = None,
) -> None:
    """The event stands on the appointment, and on all that it is about."""
    events.record(
        kind,
        subject=appointment,
        by=by,
        at=at,
        old=old,
        new=new,
        person=appointment.person,
        organisation=appointment.organisation,
        lead=appointment.lead,
        deal=appointment.deal,
    )
