"""What one e-mail says, as plain values, and the bounds within which it is kept. Text here never holds NUL or a lone surrogate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

LARGEST_MESSAGE = 50 * 1024 * 1024
LARGEST_FILE = 10 * 1024 * 1024
LARGEST_FILES = 25 * 1024 * 1024
"""Bytes that the attachments of one message may be together. What is beyond is named with its size and not kept."""
MOST_FILES = 50
LONGEST_TEXT = 200_000
LONGEST_KEY = 255
LONGEST_ADDRESS = 254
LONGEST_NAME = 200
LONGEST_SUBJECT = 300
MOST_ADDRESSES = 500
MOST_REFERENCES = 100
DEEPEST_PART = 20
MOST_PARTS = 500


class Unreadable(Exception):
    """These bytes cannot be read as an e-mail at all; the message is a translated sentence that says why."""


@dataclass(frozen=True)
class Address:
    """`address` is in lower case and never empty; `name` is empty when none was given."""

    name: str
    address: str


@dataclass(frozen=True)
class File:
    """An attachment. `content` is None when it was too large to keep; `size` is always what it was."""

    name: str
    content_type: str
    content: bytes | None
    size: int


@dataclass(frozen=True)
class Bounce:
    """A mail of ours that could not be delivered to `recipient`. `original_id` is the key of that mail, when it was returned."""

    recipient: str
    is_permanent: bool
    why: str
    original_id: str


@dataclass(frozen=True)
class Forwarded:
    """What a forwarded mail says it was."""

    sender: Address
    to: tuple[Address, ...]
    subject: str
    sent_at: datetime | None
    text: str


@dataclass(frozen=True)
class ReadMail:
    """One e-mail. `text` is what it adds; what it repeats is `quoted`; how it is signed is `signature`.

    `key` is its Message-ID, or "sha256:" and the hash of its bytes; `references` and `in_reply_to` hold keys likewise. `html` is cleaned and
    holds the new part only, where that can be told. `away_until` is the last day of absence that an automatic reply speaks of;
    `calendar` is what a calendar answers in it to an invitation (iCalendar).
    """

    key: str
    references: tuple[str, ...]
    in_reply_to: str
    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    sent_at: datetime | None
    text: str
    quoted: str
    signature: str
    html: str
    attachments: tuple[File, ...]
    is_automatic: bool
    away_until: date | None
    bounce: Bounce | None
    forwarded: Forwarded | None
    is_list: bool
    calendar: str = ""

    @property
    def thread(self) -> str:
        """The key of the first message of its thread: itself when it answers nothing."""
        return self.references[0] if self.references else self.in_reply_to or self.key
