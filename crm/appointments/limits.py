"""How full an agenda may get, as its user wants it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, User
from crm.refusal import Refused

LONGEST_BUFFER, MOST_A_DAY, LONGEST_NOTICE = 240, 50, 720


@transaction.atomic
def set_limits(
    *, user: User, buffer_minutes: int, most_appointments: int, notice_hours: int, by: User, at: datetime
) -> User:
    """From now on free times keep these limits; what is booked stays. Refuses numbers with which nobody could be met. The same numbers again change
    nothing."""
    if not (
        0 <= buffer_minutes <= LONGEST_BUFFER
        and 1 <= most_appointments <= MOST_A_DAY
        and 0 <= notice_hours <= LONGEST_NOTICE
    ):
        raise Refused(
            _(
                "Keep at most %(buffer)d minutes free, between 1 and %(most)d appointments a day, and at most %(notice)d hours of notice."
            )
            % {"buffer": LONGEST_BUFFER, "most": MOST_A_DAY, "notice": LONGEST_NOTICE}
        )
    user = locks.row(User.objects.all(), user.pk)
    new = {
        "buffer_minutes": buffer_minutes,
        "most_appointments": most_appointments,
        "notice_hours": notice_hours,
    }
    old = {name: getattr(user, name) for name in new}
    if old != new:
        for name, value in new.items():
            setattr(user, name, value)
        user.save(update_fields=list(new))
        events.record(EventKind.AGENDA_CHANGED, subject=user, by=by, at=at, old=old, new=new)
    return user
