"""Tell colleagues what a prospect did with an appointment: the host, and whoever arranged it for them."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from crm import notices
from crm.models import Appointment, AttendeeAnswer, NoticeKind, User


def booked(appointment: Appointment, *, at: datetime) -> None:
    """Whoever made the link hears that it was used. The host has the invitation."""
    _tell("booked", appointment, _arrangers(appointment), at=at)


def moved(appointment: Appointment, *, at: datetime) -> None:
    """They chose another time by their link: who arranged it hears when."""
    _tell("moved", appointment, _arrangers(appointment), at=at)


def cancelled(appointment: Appointment, *, at: datetime) -> None:
    """They called it off by their link: who arranged it hears why."""
    _tell("cancelled", appointment, _arrangers(appointment), at=at)


def answered(appointment: Appointment, *, is_host: bool, at: datetime, asks_for: datetime | None = None) -> None:
    """A no is told: theirs to the host and to who arranged it, the host's own to who arranged it. So is another time that they ask for."""
    if asks_for is not None and not is_host:
        _tell("asks_for", appointment, [appointment.user, *_arrangers(appointment)], at=at, asks_for=asks_for)
        return
    answer = appointment.host_answer if is_host else appointment.answer
    if answer != AttendeeAnswer.DECLINED:
        return
    if is_host:
        _tell("host_declined", appointment, _arrangers(appointment), at=at)
    else:
        _tell("declined", appointment, [appointment.user, *_arrangers(appointment)], at=at)


def _arrangers(appointment: Appointment) -> list[User]:
    """Who arranged it besides the host: who booked it, or who made the link that was used."""
    arranger = appointment.booked_by or (appointment.link.made_by if appointment.link else None)
    return [arranger] if arranger is not None and arranger.pk != appointment.user_id else []


def _tell(
    what: str, appointment: Appointment, users: list[User], *, at: datetime, asks_for: datetime | None = None
) -> None:
    for user in users:
        notices.tell(
            user=user,
            kind=NoticeKind.APPOINTMENT,
            values={
                "what": what,
                "who": str(appointment.person),
                "host": str(appointment.user),
                "subject": appointment.subject,
                "starts_at": appointment.starts_at,
                "asks_for": asks_for,
                "why": appointment.state_why,
            },
            path=reverse("crm:appointment", args=[appointment.pk]),
            at=at,
            subject=appointment,
        )
