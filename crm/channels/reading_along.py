"""What a visitor's browser remembered of our site (`static/js/read-along.js`) and sent with a form becomes plain values: which pieces they read
and since when, and how they came the first time and the last. A browser may send anything, so all of it is hearsay: bounded, and never refused."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

LONGEST = 20_000
"""Letters; what the script keeps is never longer. More than this is not read at all."""
MOST_PIECES = 50
LONGEST_PAGE = 300
LONGEST_WORD = 100
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
REMEMBERED = timedelta(days=5 * 365)
"""What is older says more about a wrong clock than about a reader."""
CLOCK_SKEW = timedelta(minutes=10)
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
"""The words of a campaign that we keep; whatever else stands in an address is dropped."""
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Piece:
    """One page that they read: `url` as `address` writes it, first and last time, and how often."""

    url: str
    since: datetime
    last: datetime
    times: int = 1


@dataclass(frozen=True)
class Visit:
    """One time that they came from elsewhere: on which page (as `address` writes it), from which host, and the words of the campaign."""

    at: datetime
    page: str = ""
    referrer: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""


@dataclass(frozen=True)
class Reading:
    """Everything that a browser told, or nothing."""

    pieces: tuple[Piece, ...] = ()
    first: Visit | None = None
    last: Visit | None = None

    def __bool__(self) -> bool:
        return bool(self.pieces or self.first or self.last)

    def as_of(self, at: datetime) -> Reading:
        """Without what lies after `at`, but for a clock that runs a little ahead, and without what is absurdly old."""

        def is_possible(moment: datetime) -> bool:
            return at - REMEMBERED <= moment <= at + CLOCK_SKEW

        def possible(visit: Visit | None) -> Visit | None:
            return replace(visit, at=min(visit.at, at)) if visit and is_possible(visit.at) else None

        pieces = tuple(
            replace(piece, since=min(piece.since, at), last=min(piece.last, at))
            for piece in self.pieces
            if is_possible(piece.since) and is_possible(piece.last)
        )
        return Reading(pieces, possible(self.first), possible(self.last))

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it: `read` of this text is this reading."""
        kept: dict[str, Any] = {
            "p": {piece.url: [_seconds(piece.since), _seconds(piece.last), piece.times] for piece in self.pieces}
        }
        for name, visit in (("f", self.first), ("l", self.last)):
            if visit:
                words = {word: getattr(visit, word) for word in UTM if getattr(visit, word)}
                kept[name] = {"p": visit.page, "r": visit.referrer, "a": _seconds(visit.at), "u": words}
        return kept if self else {}


def read(text: str) -> Reading:
    """What the text of the hidden field `reading` says, as far as it can be believed; nothing when it is no such text. Raises nothing.

    Its shape: `{"h": host, "p": {path: [since, last, times]}, "f": visit, "l": visit}`, with a visit `{"p": path, "r": host, "a": moment,
    "u": {utm_…: word}}` and moments in seconds since 1970.
    """
    if not text or len(text) > LONGEST:
        return Reading()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return Reading()
    if not isinstance(said, dict):
        return Reading()
    host = _host(said.get("h"))
    pages = said.get("p")
    found = [_piece(host, path, times) for path, times in pages.items()] if isinstance(pages, dict) else []
    known: dict[str, Piece] = {}
    for piece in filter(None, found):
        known[piece.url] = _joined(known[piece.url], piece) if piece.url in known else piece
    newest = sorted(known.values(), key=lambda piece: (piece.last, piece.url), reverse=True)
    return Reading(tuple(newest[:MOST_PIECES]), _visit(host, said.get("f")), _visit(host, said.get("l")))


def address(url: str) -> str:
    """A page by its host and path, so that the ways in which one address can be written are one: *example.com/guide*. Empty when it is none."""
    try:
        parts = urlsplit(url.strip() if "//" in url else f"//{url.strip()}")
        host = (parts.netloc.rpartition("@")[2]).lower().removeprefix("www.")
    except ValueError:
        return ""
    if not HOST.fullmatch(host):
        return ""
    return _words(host + parts.path.lower(), LONGEST_PAGE).rstrip("/")


def _piece(host: str, path: object, times: object) -> Piece | None:
    if not isinstance(times, list) or len(times) != 3:
        return None
    url, since, last = _page(host, path), _moment(times[0]), _moment(times[1])
    if not url or since is None or last is None:
        return None
    often = times[2] if isinstance(times[2], int) and not isinstance(times[2], bool) else 1
    return Piece(url, min(since, last), max(since, last), min(max(often, 1), 9999))


def _joined(one: Piece, other: Piece) -> Piece:
    """Two ways to write one address."""
    return Piece(one.url, min(one.since, other.since), max(one.last, other.last), min(one.times + other.times, 9999))


def _visit(host: str, said: object) -> Visit | None:
    if not isinstance(said, dict) or (at := _moment(said.get("a"))) is None:
        return None
    words = said.get("u")
    utm = {name: _words(words.get(name), LONGEST_WORD) for name in UTM} if isinstance(words, dict) else {}
    return Visit(at, _page(host, said.get("p")), _host(said.get("r")), **utm)


def _page(host: str, path: object) -> str:
    """A path of the site that told it; what is kept already has its host."""
    if not isinstance(path, str) or not path:
        return ""
    return address(f"https://{host}{path}" if path.startswith("/") and host else path)


def _host(value: object) -> str:
    host = value.lower().removeprefix("www.") if isinstance(value, str) else ""
    return host if len(host) <= 253 and HOST.fullmatch(host) else ""


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if not EARLIEST.timestamp() <= value < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(value, UTC)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _words(value: object, most: int) -> str:
    """A text on one line, without what nobody can see or a database cannot keep."""
    if not isinstance(value, str):
        return ""
    seen = "".join(letter for letter in value if letter == " " or unicodedata.category(letter)[0] not in "CZ")
    return " ".join(seen.split())[:most].strip()
