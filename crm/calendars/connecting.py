"""Connect a calendar of one's own, change how it is reached, and let go of it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events, locks, sealed
from crm.calendars.looking import busy
from crm.calendars.refreshing import store
from crm.channels import fetching
from crm.channels.fetching import CannotFetch
from crm.models import CalendarKind, EventKind, ExternalCalendar, User
from crm.notation import one_line
from crm.refusal import Refused

TRIED_WITHIN = 20.0
MOST_CALENDARS = 10


class NotConnected(Refused):
    """The calendar was tried and cannot be read; `said` is what its server said, shortened to harmless letters, or nothing."""

    def __init__(self, message: Any, said: str = "") -> None:
        self.said = said
        super().__init__(message)


def connect(
    *,
    by: User,
    at: datetime,
    kind: CalendarKind | str,
    name: str,
    url: str,
    username: str = "",
    password: str = "",
) -> ExternalCalendar:
    """Whenever their calendar says that `by` is busy, nobody books them; address and password are kept sealed.

    It is read first, within twenty seconds: `NotConnected` when that fails. Refuses an address that is none of a calendar, a name that they have
    used already, and more than ten calendars.
    """
    row = ExternalCalendar(user=by, kind=kind, name=one_line(name, 100), username=username.strip(), created_at=at)
    _must_be_possible(row, password)
    if ExternalCalendar.objects.filter(user=by).count() >= MOST_CALENDARS:
        raise Refused(_("You have %(most)d calendars connected; disconnect one first.") % {"most": MOST_CALENDARS})
    if ExternalCalendar.objects.filter(user=by, name=row.name).exists():
        raise Refused(_used(row.name))
    row.sealed_url = sealed.seal(_address(url))
    row.sealed_password = sealed.seal(password) if password else ""
    found = _tried(row, at)
    row.checked_at = at
    try:
        with transaction.atomic():
            row.save()
            store(row, found)
            _record(EventKind.CALENDAR_CONNECTED, row, by, at)
    except IntegrityError:
        raise Refused(_used(row.name)) from None
    return row


def change(
    *,
    calendar: ExternalCalendar,
    by: User,
    at: datetime,
    name: str,
    url: str = "",
    username: str = "",
    password: str = "",
) -> ExternalCalendar:
    """The calendar is called and reached in this way from now on. Without an address the one that is kept stays; whatever changes about how it is
    reached was tried first. Refuses what `connect` refuses, and another address or user name for CalDAV without the password: else it could be sent
    to a server of somebody else's."""
    row = ExternalCalendar.objects.select_related("user").get(pk=calendar.pk)
    row.name = one_line(name, 100)
    is_caldav = row.kind == CalendarKind.CALDAV
    elsewhere = bool(url.strip()) or (is_caldav and username.strip() != row.username)
    if is_caldav and elsewhere and not password:
        raise Refused(_("Type the password again, since you changed where it is sent to."))
    row.username = username.strip() if is_caldav else ""
    _must_be_possible(row, password or "kept")
    if ExternalCalendar.objects.filter(user=row.user, name=row.name).exclude(pk=row.pk).exists():
        raise Refused(_used(row.name))
    if url.strip():
        row.sealed_url = sealed.seal(_address(url))
    if password and is_caldav:
        row.sealed_password = sealed.seal(password)
    found = _tried(row, at) if elsewhere or password else None
    try:
        with transaction.atomic():
            locks.row(ExternalCalendar.objects.all(), row.pk)
            fields = ["name"]
            if found is not None:
                row.checked_at, row.failure, row.failing_since, row.claimed_until = at, "", None, None
                fields += ["sealed_url", "username", "sealed_password"]
                fields += ["checked_at", "failure", "failing_since", "claimed_until"]
                store(row, found)
            row.save(update_fields=fields)
            if elsewhere:
                _record(EventKind.CALENDAR_CONNECTED, row, by, at)
    except IntegrityError:
        raise Refused(_used(row.name)) from None
    return row


@transaction.atomic
def disconnect(*, calendar: ExternalCalendar, by: User, at: datetime) -> None:
    """Its address, its password and what it said are gone. Twice is once."""
    row = ExternalCalendar.objects.select_for_update(of=("self",)).filter(pk=calendar.pk).first()
    if row is not None:
        _record(EventKind.CALENDAR_DISCONNECTED, row, by, at)
        row.delete()


def _must_be_possible(row: ExternalCalendar, password: str) -> None:
    if row.kind not in CalendarKind.values:
        raise Refused(_("Choose what kind of calendar it is."))
    if not row.name:
        raise Refused(_("Give the calendar a name, such as Work."))
    if row.kind == CalendarKind.CALDAV and not (row.username and password):
        raise Refused(_("A CalDAV server asks for a user name and a password."))
    if any(not text.isprintable() or len(text) > 254 for text in (row.username, password)):
        raise Refused(_("A user name or password cannot hold line breaks, and neither is longer than 254 characters."))


def _address(url: str) -> str:
    try:
        return fetching.checked(url, is_private_allowed=settings.PRIVATE_CALENDARS)
    except CannotFetch as error:
        raise Refused(str(error.trouble.label)) from error


def _tried(row: ExternalCalendar, at: datetime) -> list[tuple[datetime, datetime]]:
    try:
        return busy(row, at=at, within=TRIED_WITHIN)
    except CannotFetch as error:
        raise NotConnected(error.trouble.label, error.said) from error


def _used(name: str) -> str:
    return _("You have a calendar called “%(name)s” already. Give this one another name.") % {"name": name}


def _record(kind: EventKind, row: ExternalCalendar, by: User, at: datetime) -> None:
    """What it is called and where it is are its owner's business."""
    events.record(kind, subject=row, by=by, at=at, new={"kind": str(row.kind), "owner": str(row.user)})
