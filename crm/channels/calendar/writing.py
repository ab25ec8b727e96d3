"""Write an invitation, its cancellation, and a feed of appointments, so that Outlook, Gmail and Apple's calendar follow them.

Times are local ones with their VTIMEZONE, so that they stay what was agreed; one that the clock shows twice in the night when summer ends is written
in UTC instead, since a local time means the first of the two (RFC 5545, 3.3.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

from crm.channels.calendar.zones import rules

MAKER = "-//Kring//Kring//EN"
REFRESH = timedelta(minutes=15)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Guest:
    """Somebody who is invited. `answer` is a PARTSTAT; `is_asked` whether we want to hear from them."""

    name: str
    address: str
    answer: str = "NEEDS-ACTION"
    is_asked: bool = True
    is_host: bool = False


@dataclass(frozen=True)
class Meeting:
    """What is agreed. `organizer` hears the answers; `sent_by` is the address of who invites in their name. `zone`: such as Europe/Brussels."""

    uid: str
    sequence: int
    subject: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    organizer: Guest
    guests: tuple[Guest, ...]
    place: str = ""
    words: str = ""
    link: str = ""
    sent_by: str = ""


@dataclass(frozen=True)
class Entry:
    """One appointment of a feed. `changed_at` is when it last became what it is."""

    uid: str
    sequence: int
    subject: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    place: str = ""
    words: str = ""
    link: str = ""
    is_cancelled: bool = False


def invitation(meeting: Meeting, *, at: datetime) -> str:
    """The invitation, or with a higher `sequence` its change (METHOD:REQUEST)."""
    return _message("REQUEST", meeting, at, status="CONFIRMED")


def cancellation(meeting: Meeting, *, at: datetime) -> str:
    """The meeting is called off (METHOD:CANCEL)."""
    return _message("CANCEL", meeting, at, status="CANCELLED")


def feed(entries: Iterable[Entry], *, name: str, zone: str) -> str:
    """Appointments as a calendar to subscribe to; the same appointments give the same text."""
    calendar = _calendar("PUBLISH")
    calendar.add("name", _line(name))
    calendar.add("x-wr-calname", _line(name))
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    zones: dict[str, list[datetime]] = {}
    for entry in entries:
        event = _event(entry.uid, entry.sequence, entry.subject, entry.changed_at)
        _when(event, entry.starts_at, entry.ends_at, zone, zones)
        _about(event, entry.place, entry.words, entry.link)
        event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT" if entry.is_cancelled else "OPAQUE")
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    _add_zones(calendar, zones)
    return _written(calendar)


def _message(method: str, meeting: Meeting, at: datetime, *, status: str) -> str:
    calendar = _calendar(method)
    event = _event(meeting.uid, meeting.sequence, meeting.subject, at)
    zones: dict[str, list[datetime]] = {}
    _when(event, meeting.starts_at, meeting.ends_at, meeting.zone, zones)
    event.add("organizer", _address(meeting.organizer, sent_by=meeting.sent_by))
    for guest in meeting.guests:
        event.add("attendee", _attendee(guest))
    _about(event, meeting.place, meeting.words, meeting.link)
    event.add("status", status)
    event.add("transp", "OPAQUE")
    calendar.add_component(event)
    _add_zones(calendar, zones)
    return _written(calendar)


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _event(uid: str, sequence: int, subject: str, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    event.add("summary", _line(subject))
    return event


def _when(event: Event, starts_at: datetime, ends_at: datetime, zone: str, zones: dict[str, list[datetime]]) -> None:
    there = ZoneInfo(zone)
    local = [moment.astimezone(there).replace(microsecond=0) for moment in (starts_at, ends_at)]
    if zone == "UTC" or any(moment.fold for moment in local):
        local = [moment.astimezone(UTC) for moment in local]
    else:
        zones.setdefault(zone, []).extend(local)
    event.add("dtstart", local[0])
    event.add("dtend", local[1])


def _about(event: Event, place: str, words: str, link: str) -> None:
    if place.strip():
        event.add("location", _line(place))
    if words.strip():
        event.add("description", _CONTROL.sub("", words.replace("\r\n", "\n").replace("\r", "\n")).strip())
    if link:
        event.add("url", link)


def _address(who: Guest, *, sent_by: str = "") -> vCalAddress:
    address = vCalAddress(f"mailto:{who.address}")
    if who.name:
        address.params["CN"] = vText(_line(who.name).replace('"', ""))
    if sent_by and sent_by != who.address:
        address.params["SENT-BY"] = f"mailto:{sent_by}"
    return address


def _attendee(guest: Guest) -> vCalAddress:
    address = _address(guest)
    address.params["CUTYPE"] = "INDIVIDUAL"
    address.params["ROLE"] = "CHAIR" if guest.is_host else "REQ-PARTICIPANT"
    address.params["PARTSTAT"] = guest.answer
    address.params["RSVP"] = "TRUE" if guest.is_asked else "FALSE"
    return address


def _add_zones(calendar: Calendar, zones: dict[str, list[datetime]]) -> None:
    """The rules of each zone that is used, for the years in which it is."""
    for position, (zone, moments) in enumerate(zones.items()):
        calendar.subcomponents.insert(position, rules(zone, min(moments).year, max(moments).year))


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _written(calendar: Calendar) -> str:
    return calendar.to_ical().decode()
