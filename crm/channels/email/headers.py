"""The header lines of one e-mail: who, to whom, when, about what and in answer to what. Nonsense gives nothing rather than an error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime

from django.utils.timezone import get_default_timezone

from crm.channels.email.mail import LONGEST_ADDRESS, LONGEST_KEY, LONGEST_NAME, MOST_ADDRESSES, MOST_REFERENCES, Address
from crm.channels.email.wording import one_line, raw_header, spoken

LONGEST_HEADER = 64 * 1024
LONGEST_CONTENT_HEADER = 4 * 1024
MOST_HEADERS = 1000
EARLIEST = 1971
"""A message dated before e-mail existed tells nothing about when it was sent."""
AHEAD = timedelta(days=1)
"""A clock may be wrong by this much; a date further ahead of its arrival is no date."""

_ADDRESS = re.compile(r"[^\s<>()\[\]\",;:@\\]+@[^\s<>()\[\]\",;:@\\]+")
_IN_ANGLES = re.compile(r"<([^<>@\s]{1,64}@[^<>@\s]{1,255})>")
_KEY = re.compile(r"<([^<>]{1,2000})>")


class Lenient(Compat32):
    """The lenient policy of the standard library, with header lines cut while they are read: it looks for the parameters of a Content-Type in a
    time that grows with the square of their number."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[: LONGEST_CONTENT_HEADER if name.lower().startswith("content-") else LONGEST_HEADER]


LENIENT = Lenient()


class Headers:
    """The header lines of one message, bounded in number and length, found by name whatever its case."""

    def __init__(self, message: Message) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in list(message.raw_items())[:MOST_HEADERS]:
            self._lines.setdefault(name.lower(), []).append(raw_header(str(value)[:LONGEST_HEADER]))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._lines

    def every(self, name: str) -> list[str]:
        return self._lines.get(name.lower(), [])

    def first(self, name: str) -> str:
        """Its value with white space trimmed, or an empty text."""
        return next((value.strip() for value in self.every(name)), "")

    def line(self, name: str, longest: int) -> str:
        """In words, on one line."""
        return one_line(spoken(self.first(name)[: longest * 20]), longest)


def addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """Every address in these headers once, in order. What is no address is left out."""
    found: dict[str, Address] = {}
    for value in values:
        for name, address in _pairs(value):
            address = address.strip().strip("'\"").lower()
            if address in found or len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
                continue
            shown = one_line(spoken(name[:2000]), LONGEST_NAME).strip("'\" ")
            found[address] = Address("" if shown.lower() == address else shown, address)
            if len(found) == MOST_ADDRESSES:
                return tuple(found.values())
    return tuple(found.values())


def _pairs(value: str) -> list[tuple[str, str]]:
    """Name and address. Brackets that do not pair may hide an address in a name: only those in angle brackets count then."""
    in_angles = [("", address) for address in _IN_ANGLES.findall(value)]
    if in_angles and value.count("(") != value.count(")"):
        return in_angles
    try:
        pairs = getaddresses([value])
    except (ValueError, IndexError, RecursionError):
        pairs = []
    return pairs if any(address for _, address in pairs) else in_angles


def key(text: str) -> str:
    """A Message-ID as it is compared: without brackets, its domain in lower case; a very long one becomes its hash."""
    text = "".join(text.strip().strip("<>").split())
    left, at, domain = text.rpartition("@")
    text = one_line(left + at + domain.lower(), LONGEST_HEADER)
    if len(text) > LONGEST_KEY:
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return text


def keys(values: Iterable[str]) -> tuple[str, ...]:
    """Every Message-ID in these headers once, in order; of a very long row the first and the last ones."""
    found: list[str] = []
    for value in values:
        found += _KEY.findall(value) or value.split()[:1]
    kept = tuple(dict.fromkeys(filter(None, map(key, found))))
    return kept if len(kept) <= MOST_REFERENCES else (kept[0], *kept[1 - MOST_REFERENCES :])


def zone(text: str) -> tzinfo:
    """The zone in which a Date was written; one that says UTC was written by a server, and tells nothing: then that of this installation."""
    try:
        found = parsedate_to_datetime(text[:200])
    except (ValueError, TypeError, OverflowError, IndexError):
        return get_default_timezone()
    return found.tzinfo if found.tzinfo is not None and found.utcoffset() else get_default_timezone()


def moment(text: str, *, before: datetime | None = None) -> datetime | None:
    """The date of a header, aware; without a zone it is UTC. None for what is no date, or one after `before`."""
    try:
        found = parsedate_to_datetime(text[:200])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found.year < EARLIEST or found.year > 9000:
        return None
    found = found.astimezone(UTC)
    return None if before is not None and found > before + AHEAD else found
