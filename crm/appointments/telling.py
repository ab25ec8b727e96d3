"""Tell colleagues what a prospect did with an appointment: the host, and whoever arranged it for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import notices
from crm.appointments.fitting_in import said
from crm.models import Appointment, AttendeeAnswer, User

Words = Callable[[Appointment, User], tuple[str, str]]


def booked(appointment: Appointment, *, at: datetime) -> None:
    """Whoever made the link hears that it was used. The host has the invitation."""
    _tell(_booked, appointment, _arrangers(appointment), at=at)


def moved(appointment: Appointment, *, at: datetime) -> None:
    """They chose another time by their link: who arranged it hears when."""
    _tell(_moved, appointment, _arrangers(appointment), at=at)


def cancelled(appointment: Appointment, *, at: datetime) -> None:
    """They called it off by their link: who arranged it hears why."""
    _tell(_cancelled, appointment, _arrangers(appointment), at=at)


def answered(appointment: Appointment, *, is_host: bool, at: datetime, asks_for: datetime | None = None) -> None:
    """A no is told: theirs to the host and to who arranged it, the host's own to who arranged it. So is another time that they ask for."""
    if asks_for is not None and not is_host:
        _tell(partial(_asked, asks_for), appointment, [appointment.user, *_arrangers(appointment)], at=at)
        return
    answer = appointment.host_answer if is_host else appointment.answer
    if answer != AttendeeAnswer.DECLINED:
        return
    if is_host:
        _tell(_host_declined, appointment, _arrangers(appointment), at=at)
    else:
        _tell(_declined, appointment, [appointment.user, *_arrangers(appointment)], at=at)


def _arrangers(appointment: Appointment) -> list[User]:
    """Who arranged it besides the host: who booked it, or who made the link that was used."""
    arranger = appointment.booked_by or (appointment.link.made_by if appointment.link else None)
    return [arranger] if arranger is not None and arranger.pk != appointment.user_id else []


def _tell(words: Words, appointment: Appointment, users: list[User], *, at: datetime) -> None:
    path = reverse("crm:appointment", args=[appointment.pk])
    for user in users:
        notices.tell(user=user, say=partial(words, appointment, user), path=path, at=at)


def _values(appointment: Appointment, user: User) -> dict[str, object]:
    """By the clock of whoever reads it."""
    return {
        "who": appointment.person,
        "host": appointment.user,
        "subject": appointment.subject,
        "when": said(timezone.localtime(appointment.starts_at, user.zone)),
        "why": appointment.state_why,
    }


def _booked(appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user)
    return (
        _("%(who)s booked an appointment with %(host)s") % values,
        _("%(who)s used your link and meets %(host)s on %(when)s: %(subject)s.") % values,
    )


def _moved(appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user)
    return (
        _("%(who)s moved the appointment with %(host)s") % values,
        _("%(who)s chose another time: %(when)s. It is about: %(subject)s.") % values,
    )


def _cancelled(appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user)
    text = _("%(who)s called off the appointment with %(host)s on %(when)s: %(subject)s.") % values
    if appointment.state_why:
        text = f"{text}\n\n“{appointment.state_why}”"
    return _("%(who)s called off the appointment with %(host)s") % values, text


def _declined(appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user)
    return (
        _("%(who)s declined the invitation") % values,
        _("%(who)s declined the invitation for %(when)s: %(subject)s. Ask them whether another time suits them.")
        % values,
    )


def _asked(asks_for: datetime, appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user) | {"other": said(timezone.localtime(asks_for, user.zone))}
    return (
        _("%(who)s asks for another time") % values,
        _("%(who)s would rather meet on %(other)s than on %(when)s: %(subject)s. Move it, or ask them.") % values,
    )


def _host_declined(appointment: Appointment, user: User) -> tuple[str, str]:
    values = _values(appointment, user)
    return (
        _("%(host)s cannot come to the appointment with %(who)s") % values,
        _("The calendar of %(host)s declined %(when)s with %(who)s: %(subject)s. Agree on another time, or cancel it.")
        % values,
    )
