"""Note when somebody is away for whole days, besides their weekends and holidays. Nobody gives them new work then, and who stands in is known."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import Absence, EventKind, User
from crm.notation import one_line
from crm.refusal import Refused

MOST_DAYS = 366
"""A year: whoever is away longer is noted again, and somebody looks at it once more."""


@transaction.atomic
def note(
    *,
    user: User,
    starts_on: date,
    ends_on: date,
    by: User,
    at: datetime,
    why: str = "",
    stand_in: User | None = None,
    absence: Absence | None = None,
) -> Absence:
    """`user` is away from the first day up to and including the last one; with `absence` that one has these days now.

    Refuses days that are over (one that has begun keeps its first day), a last day before the first, more than a year, days that touch another
    absence of theirs, a stand-in who cannot log in or is the one who is away, somebody who cannot log in themselves, and the days of a colleague
    by anybody but those who lead.
    """
    _must_be_noted_by(by, user)
    locks.hold("absences", user.pk)
    if absence is not None:
        absence = locks.row(Absence.objects.all(), absence.pk)
    if not user.is_active:
        raise Refused(_("%(name)s no longer works with Kring.") % {"name": user})
    today = timezone.localdate(at, user.zone)
    if ends_on < starts_on:
        raise Refused(_("The last day comes before the first. Turn them round."))
    if ends_on < today:
        raise Refused(_("These days are over. Choose days from today on."))
    if starts_on < today and (absence is None or absence.starts_on != starts_on):
        raise Refused(_("The first day is over already. Let it begin today or later."))
    if (ends_on - starts_on).days >= MOST_DAYS:
        raise Refused(_("Note at most a year at a time."))
    if stand_in is not None and stand_in.pk == user.pk:
        raise Refused(_("Nobody stands in for themselves. Choose a colleague, or nobody."))
    if stand_in is not None and not stand_in.is_active:
        raise Refused(_("%(name)s no longer works with Kring. Choose somebody else.") % {"name": stand_in})
    others = Absence.objects.filter(user=user, starts_on__lte=ends_on, ends_on__gte=starts_on)
    clash = others.exclude(pk=absence.pk).first() if absence else others.first()
    if clash is not None:
        raise Refused(
            _("%(name)s is away already from %(first)s to %(last)s. Change that, or choose other days.")
            % {"name": user, "first": _day(clash.starts_on), "last": _day(clash.ends_on)}
        )
    old = _days(absence) if absence else None
    absence = absence or Absence(user=user)
    absence.starts_on, absence.ends_on, absence.stand_in = starts_on, ends_on, stand_in
    absence.why = one_line(why, 200)
    absence.save()
    events.record(EventKind.ABSENCE_SET, subject=absence, by=by, at=at, old=old, new=_days(absence))
    return absence


@transaction.atomic
def remove(*, absence: Absence, by: User, at: datetime) -> None:
    """They are not away on those days. Twice is once. Refuses that of a colleague by anybody but those who lead."""
    _must_be_noted_by(by, absence.user)
    locks.hold("absences", absence.user_id)
    row = Absence.objects.filter(pk=absence.pk).select_related("user", "stand_in").first()
    if row is None:
        return
    events.record(EventKind.ABSENCE_REMOVED, subject=row, by=by, at=at, old=_days(row))
    row.delete()


def _must_be_noted_by(by: User, user: User) -> None:
    if by.pk != user.pk and not by.is_leading:
        raise Refused(_("Absences of colleagues are noted by themselves and by those who lead."))


def _days(absence: Absence) -> dict[str, object]:
    """What the memory keeps. Why somebody is away is theirs, and goes when the row goes."""
    return {
        "user": str(absence.user),
        "starts_on": absence.starts_on,
        "ends_on": absence.ends_on,
        "stand_in": events.readable(absence.stand_in),
    }


def _day(day: date) -> str:
    return date_format(day, "j F Y")
