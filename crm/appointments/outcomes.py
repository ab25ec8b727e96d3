"""What became of an appointment: what was answered to the invitation, whether it was held, and what was said."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from crm.appointments import telling
from crm.appointments.booking import locked, record
from crm.models import Appointment, AppointmentState, AttendeeAnswer, Conversation, EventKind, User
from crm.refusal import Refused

CORRECT_WITHIN = timedelta(days=7)
"""How long *held* can be made *they did not come*, and back: long enough for a slip of the hand, too short to rewrite a quarter."""

EVENTS = {
    AppointmentState.HELD: EventKind.APPOINTMENT_HELD,
    AppointmentState.NO_SHOW: EventKind.APPOINTMENT_NO_SHOW,
}


@transaction.atomic
def held(*, appointment: Appointment, by: User, at: datetime) -> Appointment:
    """You met. Saying so twice changes nothing. Refuses one that has not begun or was called off, and one of which it was said more than a week ago
    that they did not come."""
    return _end(appointment, AppointmentState.HELD, by=by, at=at)


@transaction.atomic
def no_show(*, appointment: Appointment, by: User, at: datetime) -> Appointment:
    """They did not come. Saying so twice changes nothing. Refuses one that has not begun or was called off, one whose conversation is logged, and one
    of which it was said more than a week ago that it was held."""
    return _end(appointment, AppointmentState.NO_SHOW, by=by, at=at)


@transaction.atomic
def answer(
    *,
    appointment: Appointment,
    answer: AttendeeAnswer | str,
    at: datetime,
    is_host: bool = False,
    asks_for: datetime | None = None,
) -> Appointment:
    """What the prospect (or the host, from a calendar of their own) answered to the invitation is known, and who must know of a no, or of another
    time that they ask for, is told. The same answer again changes nothing, nor does one to what was called off."""
    appointment = locked(appointment)
    answer = AttendeeAnswer(answer)
    known = appointment.host_answer if is_host else appointment.answer
    if (answer == known and asks_for is None) or appointment.state == AppointmentState.CANCELLED:
        return appointment
    if is_host:
        appointment.host_answer = answer
        appointment.save(update_fields=["host_answer"])
    else:
        appointment.answer, appointment.answered_at = answer, at
        appointment.save(update_fields=["answer", "answered_at"])
    record(
        EventKind.APPOINTMENT_ANSWERED,
        appointment,
        by=None,
        at=at,
        old={"answer": str(known)},
        new={"answer": str(answer), "who": str(appointment.user if is_host else appointment.person)}
        | ({"asks_for": asks_for} if asks_for else {}),
    )
    if appointment.state == AppointmentState.BOOKED and appointment.starts_at > at:
        telling.answered(appointment, is_host=is_host, asks_for=asks_for, at=at)
    return appointment


@transaction.atomic
def logged(*, appointment: Appointment, conversation: Conversation, by: User, at: datetime) -> Appointment:
    """The conversation that was had is this one, and so it was held. Refuses one that was called off, and one that has its conversation already."""
    appointment = locked(appointment)
    if appointment.conversation_id == conversation.pk:
        return appointment
    if appointment.conversation_id is not None:
        raise Refused(_("The conversation of this appointment is logged already."))
    appointment = _end(appointment, AppointmentState.HELD, by=by, at=at)
    appointment.conversation = conversation
    appointment.save(update_fields=["conversation"])
    return appointment


def _end(appointment: Appointment, state: AppointmentState, *, by: User, at: datetime) -> Appointment:
    appointment = locked(appointment)
    if appointment.state == state:
        return appointment
    if appointment.starts_at > at:
        raise Refused(_("This appointment has not begun yet."))
    if not appointment.may_move_to(state):
        raise Refused(
            _("This appointment is not open any more: %(state)s.") % {"state": appointment.get_state_display()}
        )
    if appointment.state != AppointmentState.BOOKED and appointment.state_at + CORRECT_WITHIN < at:
        raise Refused(_("This was written down more than a week ago, so it stays as it is."))
    if state == AppointmentState.NO_SHOW and appointment.conversation_id is not None:
        raise Refused(_("The conversation of this appointment is logged, so they did come."))
    old = appointment.state
    appointment.state, appointment.state_at = state, at
    appointment.save(update_fields=["state", "state_at"])
    record(
        EVENTS[state],
        appointment,
        by=by,
        at=at,
        old={"state": str(old)},
        new={"subject": appointment.subject, "with": str(appointment.user), "starts_at": appointment.starts_at},
    )
    return appointment
