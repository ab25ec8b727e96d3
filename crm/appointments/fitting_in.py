"""Whether a time can be had: a prospect gets free times only, a colleague any time that does not overlap. Needs the host's agenda held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm import agenda
from crm.models import Appointment, Person, User
from crm.pacing import hours
from crm.people.contact_points import country_of
from crm.refusal import Refused

LATEST = timedelta(days=366)
SHORTEST, LONGEST = 5, 480
LONGEST_TRAVEL = 720


class Taken(Refused):
    """Somebody else was first, or the time is not free. `free` are the nearest free times, in the zone of whoever asks."""

    def __init__(self, message: str, free: Sequence[datetime]) -> None:
        self.free = list(free)
        if self.free:
            near = _("Free near it: %(times)s.") % {"times": ", ".join(said(moment) for moment in self.free)}
            message = f"{message} {near}"
        super().__init__(message)


def said(moment: datetime) -> str:
    """The moment as people say it, by the clock that it carries."""
    return date_format(moment, _("D j F H:i"))


def zone_of(person: Person) -> ZoneInfo:
    """By which clock they live, as far as we know: their own zone, else that of their country or telephone number, else ours."""
    number = person.phone_numbers.values_list("number", flat=True).first() or ""
    return hours.place(time_zone=person.time_zone, country=country_of(person), number=number).zone


def must_fit(
    *,
    user: User,
    starts_at: datetime,
    minutes: int,
    travel_minutes: int,
    is_prospect: bool,
    by: User | None,
    at: datetime,
    zone: ZoneInfo,
    not_counting: Appointment | None = None,
) -> tuple[datetime, datetime]:
    """The stretch that it blocks. Refuses a time in the past or more than a year ahead, a length that is none, a host who is away, and (`Taken`) a
    time that overlaps; for a prospect, any that is not offered as free."""
    if not SHORTEST <= minutes <= LONGEST:
        raise Refused(
            _("An appointment takes between %(least)d and %(most)d minutes.") % {"least": SHORTEST, "most": LONGEST}
        )
    if not 0 <= travel_minutes <= LONGEST_TRAVEL:
        raise Refused(_("Give the minutes of travel, one way, up to %(most)d.") % {"most": LONGEST_TRAVEL})
    if starts_at <= at:
        raise Refused(_("Choose a moment in the future."))
    if starts_at > at + LATEST:
        raise Refused(_("Choose a moment within a year."))
    ends_at = starts_at + timedelta(minutes=minutes)
    known = agenda.availabilities([user], start=starts_at, end=ends_at, not_counting=not_counting)[user.pk]
    kept = agenda.blocked(starts_at, ends_at, travel_minutes=travel_minutes, buffer_minutes=user.buffer_minutes)
    if is_prospect:
        offered = known.starts(
            minutes=minutes,
            start=starts_at,
            end=starts_at + timedelta(seconds=1),
            at=at,
            travel_minutes=travel_minutes,
        )
        fits = starts_at in list(offered)
    else:
        if known.is_away(starts_at.astimezone(user.zone).date()):
            raise Refused(_("%(name)s is away on that day. Choose another day, or another colleague.") % {"name": user})
        # What stands in their own calendar elsewhere, they may overrule themselves.
        stretches = known.agreed if by is not None and by.pk == user.pk else known.taken
        fits = all(kept[1] <= since or until <= kept[0] for since, until in stretches)
    if not fits:
        free = agenda.nearest(
            user,
            to=starts_at,
            minutes=minutes,
            at=at,
            zone=zone if is_prospect else timezone.get_current_timezone(),
            travel_minutes=travel_minutes,
            not_counting=not_counting,
        )
        raise Taken(_("This time is no longer free."), free)
    return kept
