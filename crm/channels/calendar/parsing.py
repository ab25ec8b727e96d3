"""Text that says it is a calendar, as components."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from icalendar import Calendar, Component
from icalendar.timezone import tzp

LARGEST = 5 * 1024 * 1024
"""Characters of a calendar; a busy year of somebody's takes less than a tenth."""

_ONE_AT_A_TIME = threading.Lock()


class Unreadable(Exception):
    """This is no calendar that we can read; the message says why."""


@contextmanager
def patience() -> Iterator[None]:
    """Whatever the libraries stumble over in the text of a stranger is `Unreadable`."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:  # They raise what they like: ValueError, KeyError, OverflowError, AttributeError …
        raise Unreadable(_("This calendar is written in a way that Kring cannot read.")) from error


def parsed(text: str) -> list[Component]:
    """The components of the text, one for each calendar in it. Raises `Unreadable` for what is none, or is too large."""
    if len(text) > LARGEST:
        raise Unreadable(_("This calendar is too large to be read."))
    text = text.replace("\0", "").lstrip("\ufeff \t\r\n")
    if not text[:6].upper() == "BEGIN:":
        raise Unreadable(_("This is no calendar: it does not begin as one."))
    # The library keeps each zone by its name for all calendars that it reads later, so one stranger would set the clock of another.
    with patience(), _ONE_AT_A_TIME:
        tzp.use_default()
        return list(Calendar.from_ical(text, multiple=True))
