"""What a forwarded mail says it was: from whom, when, about what. A mail forwarded as an attachment says it itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from email.message import Message

import dateparser

from crm.channels.email import parts
from crm.channels.email.headers import Headers, addresses, moment
from crm.channels.email.mail import LONGEST_SUBJECT, LONGEST_TEXT, Forwarded
from crm.channels.email.markup import in_words
from crm.channels.email.quoting import announced_at, as_lines, begins_forward, heading_end, is_quoted, label, split
from crm.channels.email.wording import bounded, one_line

_SUBJECT = re.compile(r"\s*(?:fwd?|doorst|doorgestuurd|dfw|tr|wg|vs|i)\s?:", re.IGNORECASE)
_MAILTO = re.compile(r"[\[(<]\s?mailto:([^\s\])>]{3,254})\s?[\])>]", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[\[(]([^\s\[\]()<>@]{1,64}@[^\s\[\]()<>@]{1,190})[\])]")


def is_forward(subject: str) -> bool:
    """Whether the subject begins as that of a forwarded mail."""
    return bool(_SUBJECT.match(subject))


def forwarded(
    subject: str, text: str, found: parts.Parts, *, zone: tzinfo, languages: Sequence[str]
) -> Forwarded | None:
    """The mail within this mail; None when it holds none, or one that does not say from which address it was.

    `zone` is that of the one who forwards: mail programs write the time of the original in it, without saying so.
    """
    within = _written(subject, text, zone, languages)
    if within is None and len(found.enclosed) == 1 and not found.reports and not found.returned:
        within = _attached(found.enclosed[0])
    return within


def _attached(message: Message) -> Forwarded | None:
    headers = Headers(message)
    sender = next(iter(addresses(headers.every("from"))), None)
    if sender is None:
        return None
    bodies = parts.gather(message).bodies
    plain = "\n\n".join(body.plain if body.plain.strip() else in_words(body.html) for body in bodies)
    said = split(plain, sender=sender)
    return Forwarded(
        sender,
        addresses(headers.every("to")),
        headers.line("subject", LONGEST_SUBJECT),
        moment(headers.first("date")),
        bounded(said.text, LONGEST_TEXT),
    )


def _written(subject: str, text: str, zone: tzinfo, languages: Sequence[str]) -> Forwarded | None:
    """A mail that was copied into the text, below a heading. In a thread that was answered it is no forward."""
    is_said = is_forward(subject)
    lines = as_lines(text)
    if is_said:
        lines = [line.lstrip(" \t")[1:].removeprefix(" ") if is_quoted(line) else line for line in lines]
    answered = announced_at(lines)
    for at, line in enumerate(lines):
        end = heading_end(lines, at)
        if end and (is_said or begins_forward(line)):
            return _told(lines, at, end, zone, languages)
        if end or at in answered or is_quoted(line):
            return None
    return None


def _told(lines: list[str], begin: int, end: int, zone: tzinfo, languages: Sequence[str]) -> Forwarded | None:
    values: dict[str, str] = {}
    kind = ""
    for line in lines[begin:end]:
        if found := label(line):
            kind = found
            values[kind] = line.partition(":")[2].strip(" *_\t")
        elif kind and line.strip():
            values[kind] += " " + line.strip()
    sender = next(iter(addresses([_with_angles(values.get("from", ""))])), None)
    if sender is None:
        return None
    said = split("\n".join(lines[end:]), sender=sender)
    return Forwarded(
        sender,
        addresses([_with_angles(values.get("to", ""))]),
        one_line(values.get("subject", ""), LONGEST_SUBJECT),
        _moment(values.get("sent") or values.get("date", ""), zone, languages),
        bounded(said.text, LONGEST_TEXT),
    )


def _with_angles(value: str) -> str:
    """The ways in which mail programs write an address in a heading, as in a header."""
    value = _IN_BRACKETS.sub(r"<\1>", _MAILTO.sub(r"<\1>", value[:5000]))
    return re.sub(r"<([^<>]+)>\s*<\1>", r"<\1>", value).replace(";", ",")


def _moment(words: str, zone: tzinfo, languages: Sequence[str]) -> datetime | None:
    """A date in words, as "dinsdag 3 november 2026 10:12" or as in a header."""
    words = one_line(words, 80)
    if not words:
        return None
    if (found := moment(words)) is not None and re.search(r"[+-]\d{4}|GMT|UTC", words):
        return found
    words = re.sub(r"\b(?:om|at|um|à)\b", " ", words)
    settings = {"DATE_ORDER": "DMY", "RETURN_AS_TIMEZONE_AWARE": False}
    try:
        told = dateparser.parse(words, languages=list(languages), settings=settings)
    except (ValueError, OverflowError, TypeError, AttributeError, IndexError):
        return None
    if told is None or told.year < 1971:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
