"""Read the answer to an invitation, as calendars send it by mail (METHOD:REPLY), or their wish for another time (METHOD:COUNTER)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from icalendar import Component

from crm.channels.calendar.parsing import Unreadable, parsed, patience

LARGEST_REPLY = 200_000
ANSWERS = {"ACCEPTED": "accepted", "TENTATIVE": "tentative", "DECLINED": "declined", "DELEGATED": "tentative"}
MOST_COMMENT = 500

_READY = re.compile(r"google|apple|icloud")


@dataclass(frozen=True)
class Reply:
    """What was answered to which invitation, and by which address. `answer` is accepted, tentative, declined or none; `asks_for` is the other time
    that they would like; `has_ready_text` when the text around it is the program's and nobody's own."""

    uid: str
    sequence: int
    address: str
    answer: str
    comment: str = ""
    asks_for: datetime | None = None
    has_ready_text: bool = False


def read_reply(text: str) -> Reply:
    """The answer in this text. Raises `Unreadable` when it is none: not a calendar, an invitation or anything else, without UID or who answers."""
    if len(text) > LARGEST_REPLY:
        raise Unreadable(_("This calendar is too large to be read."))
    for component in parsed(text):
        with patience():
            method = str(component.get("method", "")).strip().upper()
            event = next(iter(component.walk("VEVENT")), None)
            if method in ("REPLY", "COUNTER") and event is not None:
                maker = str(component.get("prodid", "")).lower()
                return replace(
                    _reply(event, is_counter=method == "COUNTER"), has_ready_text=_READY.search(maker) is not None
                )
    raise Unreadable(_("This is no answer to an invitation."))


def _reply(event: Component, *, is_counter: bool) -> Reply:
    uid = str(event.get("uid", "")).strip()
    attendees = [_attendee(one) for one in _several(event.get("attendee"))]
    # Exchange and others send only who answers; of several, the one who did.
    answered = [one for one in attendees if one[0] and one[1] != "none"] or [one for one in attendees if one[0]]
    if not uid or not answered:
        raise Unreadable(_("This is no answer to an invitation."))
    address, answer = answered[0]
    if is_counter:
        answer = "tentative"
    # Google keeps it with who answers.
    beside = [getattr(one, "params", {}).get("X-RESPONSE-COMMENT", "") for one in _several(event.get("attendee"))]
    comment = " ".join(str(one) for one in [*_several(event.get("comment")), *beside])
    return Reply(
        uid=uid[:255],
        sequence=_number(event.get("sequence")),
        address=address,
        answer=answer,
        comment=" ".join(comment.split())[:MOST_COMMENT],
        asks_for=_moment(event) if is_counter else None,
    )


def _attendee(value: Any) -> tuple[str, str]:
    """Address and answer. Where the address is not one of mail, a parameter may say it (Apple)."""
    written = str(value).strip()
    scheme, _colon, rest = written.partition(":")
    params = getattr(value, "params", {})
    address = (
        rest if scheme.lower() == "mailto" else str(params.get("EMAIL", "")) or (written if "@" in written else "")
    )
    answer = ANSWERS.get(str(params.get("PARTSTAT", "")).upper(), "none")
    return address.partition("?")[0].strip().strip("<>").lower()[:254], answer


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> int:
    try:
        return min(max(int(value or 0), 0), 2_000_000_000)
    except (TypeError, ValueError):
        return 0


def _moment(event: Component) -> datetime | None:
    start = event.get("dtstart")
    moment = getattr(start, "dt", None)
    return moment if isinstance(moment, datetime) and moment.tzinfo is not None else None
