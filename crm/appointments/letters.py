"""What an invitation says to somebody outside, readable without any calendar: who, when by their own clock, where, and how to move it.

Written by hand in both languages, as all letters are; `crm.letters` frames it.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name

from crm import letters
from crm.models import Appointment, AppointmentKind, User

LOCALES = {"en": "en_GB", "nl": "nl_BE"}
SUBJECTS = {
    "invite": {"en": "Our appointment: {subject}", "nl": "Onze afspraak: {subject}"},
    "update": {"en": "Our appointment has another time: {subject}", "nl": "Onze afspraak is verplaatst: {subject}"},
    "withdraw": {"en": "Our appointment is called off: {subject}", "nl": "Onze afspraak gaat niet door: {subject}"},
}
OPENINGS = {
    "invite": {
        AppointmentKind.PHONE: {"en": "We talk by phone.", "nl": "We spreken elkaar aan de telefoon."},
        AppointmentKind.VIDEO: {"en": "We talk by video.", "nl": "We spreken elkaar per video."},
        AppointmentKind.VISIT: {"en": "We come and see you.", "nl": "We komen bij u langs."},
    },
    "update": {
        kind: {"en": "Our appointment has another time.", "nl": "Onze afspraak heeft een ander tijdstip."}
        for kind in AppointmentKind
    },
    "withdraw": {
        kind: {"en": "Our appointment does not take place.", "nl": "Onze afspraak gaat niet door."}
        for kind in AppointmentKind
    },
}
LINES = {
    "en": {"about": "About", "when": "When", "with": "With", "where": "Where", "why": "Why"},
    "nl": {"about": "Onderwerp", "when": "Wanneer", "with": "Met", "where": "Waar", "why": "Waarom"},
}
BY_LINK = {
    "en": "Does it not suit you after all? Here you move it or call it off:\n{url}",
    "nl": "Past het toch niet? Hier verplaatst u de afspraak, of zegt u ze af:\n{url}",
}
BY_REPLY = {
    "en": "Does it not suit you after all? Then just reply to this mail.",
    "nl": "Past het toch niet? Antwoord dan gewoon op deze mail.",
}


def subject(act: str, appointment: Appointment, language: str) -> str:
    return SUBJECTS[act][_known(language)].format(subject=appointment.subject)


def letter(act: str, appointment: Appointment, *, sender: User, language: str, url: str) -> str:
    """The whole mail, greeting to closing. `act` is invite, update or withdraw; `url` is where they can move it themselves, or empty."""
    language = _known(language)
    return letters.framed(
        words(act, appointment, language=language, url=url), to=appointment.person, sender=sender, language=language
    )


def words(act: str, appointment: Appointment, *, language: str, url: str) -> str:
    """The same without greeting and closing, as the calendar shows it."""
    language = _known(language)
    name = LINES[language]
    facts = [
        (name["about"], appointment.subject),
        (name["when"], when(appointment.starts_at, appointment.ends_at, appointment.time_zone, language)),
        (name["with"], str(appointment.user)),
        (name["where"], appointment.place),
        (name["why"], appointment.state_why if act == "withdraw" else ""),
    ]
    parts = [OPENINGS[act][AppointmentKind(appointment.kind)][language]]
    parts.append("\n".join(f"{label}: {value}" for label, value in facts if value))
    if act != "withdraw":
        parts.append(BY_LINK[language].format(url=url) if url else BY_REPLY[language])
    return "\n\n".join(parts)


def when(starts_at: datetime, ends_at: datetime, zone: str, language: str) -> str:
    """Tuesday 1 December 2026, 10:00–10:45 (Central European Standard Time, Europe/Brussels)."""
    locale = LOCALES[_known(language)]
    begins, ends = starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
    day = format_date(begins.date(), "EEEE d MMMM y", locale=locale)
    hours = "–".join(format_time(moment, "HH:mm", tzinfo=moment.tzinfo, locale=locale) for moment in (begins, ends))
    named = get_timezone_name(begins, "long", locale=locale)
    return f"{day}, {hours} ({named}, {zone})"


def _known(language: str) -> str:
    return language if language in LOCALES else "en"
