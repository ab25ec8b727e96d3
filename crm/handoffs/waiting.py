"""A hand-off that waits for its answer: held, so that of two who decide one is first, and its clock in the receiver's own working hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from crm import clock, locks
from crm.models import HandOff, HandOffState, User
from crm.refusal import Refused

HOURS_WITHOUT_TEAM = 4
"""Half a working day, so that a prospect who said yes in the morning hears the same day. A team sets its own."""


def held(hand_off: HandOff) -> HandOff:
    """The hand-off as it is now. Whoever comes second waits here until the first has committed, and then sees what was decided."""
    return locks.row(HandOff.objects.select_related("lead", "from_user__team", "to_user__team"), hand_off.pk)


def must_wait(hand_off: HandOff) -> None:
    """Refuses a hand-off that was answered, or given to somebody else."""
    if hand_off.state == HandOffState.ACCEPTED:
        raise Refused(_("%(name)s has accepted this hand-off already.") % {"name": hand_off.to_user})
    if hand_off.state == HandOffState.REJECTED:
        raise Refused(_("This hand-off was rejected already."))
    if hand_off.state == HandOffState.MOVED:
        raise Refused(_("This hand-off was given to somebody else. Open the lead to see to whom."))


def answer_by(to: User, at: datetime) -> datetime:
    """Until when `to` has the time of their team to answer what is offered at `at`."""
    hours = to.team.hand_off_hours if to.team else HOURS_WITHOUT_TEAM
    return clock.add_working_time(at, timedelta(hours=hours), to.calendar)


def minutes_taken(hand_off: HandOff, at: datetime) -> int:
    """The working minutes from the offer to `at` by the receiver's calendar, without those in which they waited for an answer themselves."""
    calendar = hand_off.to_user.calendar
    taken = clock.working_time_between(hand_off.submitted_at, at, calendar)
    for question in hand_off.questions.all():
        taken -= clock.working_time_between(question.asked_at, question.answered_at or at, calendar)
    return max(0, int(taken.total_seconds() // 60))
