"""Look into a calendar elsewhere: when its owner is busy from now on. Nothing is stored here."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from crm import sealed
from crm.channels import caldav_client, calendar, ics_feed
from crm.channels.calendar.busy import Stretch
from crm.channels.fetching import CannotFetch, Trouble
from crm.models import Appointment, CalendarKind, ExternalCalendar

AHEAD = timedelta(days=120)


def busy(row: ExternalCalendar, *, at: datetime, within: float) -> list[Stretch]:
    """When its owner is busy until four months from now. Raises `CannotFetch`, after so many seconds at the latest."""
    try:
        url, password = sealed.unseal(row.sealed_url), sealed.unseal(row.sealed_password) if row.sealed_password else ""
    except sealed.CannotOpen as error:
        raise CannotFetch(Trouble.SEALED) from error
    allowed = settings.PRIVATE_CALENDARS
    if row.kind == CalendarKind.CALDAV:
        text = caldav_client.read(
            url,
            username=row.username,
            password=password,
            start=at,
            end=at + AHEAD,
            is_private_allowed=allowed,
            within=within,
        )
    else:
        text = ics_feed.read(url, is_private_allowed=allowed, within=within)
    if not text.strip():
        return []
    # What was agreed here and stands there, too, is known already, and may have moved since.
    ours = set(Appointment.objects.filter(user=row.user, ends_at__gte=at).values_list("uid", flat=True))
    try:
        return calendar.read_busy(text, start=at, end=at + AHEAD, zone=row.user.zone, without=ours)
    except calendar.Unreadable as error:
        raise CannotFetch(Trouble.UNREADABLE) from error
