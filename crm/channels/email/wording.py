"""Bytes and header lines turned into text that can be kept: whatever their charset, it is decoded, bounded and clean."""

from __future__ import annotations

import binascii
import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from django.utils.translation import gettext as _

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
NOT_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape"})
"""Codecs of Python that no mail is written in, and of which some take very long."""
READ_AS = {"ascii": "utf-8", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "latin-1": "cp1252"}
"""What programs call one thing and write as another, read as mail programs do."""

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Marks without a width. In a name or a subject they only serve to show something else than what stands there."""


def clean(text: str) -> str:
    """Without NUL and other control characters, with plain line ends; a lone surrogate becomes the replacement character."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub(REPLACEMENT, _UNWANTED.sub("", text))


def one_line(text: str, longest: int) -> str:
    """On one line, without marks that cannot be seen, and no longer than `longest`."""
    line = " ".join(_UNSEEN.sub("", clean(text[: longest * 20])).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def bounded(text: str, longest: int) -> str:
    """Cut to `longest`; what was cut says so."""
    if len(text) <= longest:
        return text
    mark = "\n" + _("[The rest was cut off: this message is too long.]")
    return text[: longest - len(mark)] + mark


def decoded(content: bytes, charset: str | None) -> str:
    """Text of bytes: by the charset they claim, else UTF-8, else Windows-1252. Never raises."""
    codec = _codec(charset)
    for name in dict.fromkeys((codec or "utf-8", "utf-8")):
        try:
            return clean(content.decode(name))
        except (UnicodeError, ValueError):
            continue
    if codec not in (None, "utf-8"):
        return clean(content.decode(codec, "replace"))
    text = content.decode("utf-8", "replace")
    high = sum(1 for byte in content if byte > 127)
    if text.count(REPLACEMENT) * 4 > high:
        text = content.decode("cp1252", "replace")
    return clean(text)


def _codec(charset: str | None) -> str | None:
    """The codec of a charset, or None when it is unknown or cannot be one of a text."""
    if not charset or len(charset) > 50:
        return None
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name
        "".encode(name)
    except (LookupError, UnicodeError, ValueError):
        return None
    if name in NOT_TEXT:
        return None
    return READ_AS.get(name, name)


def raw_header(value: object) -> str:
    """A header line as the parser gives it, with its eight-bit characters read as UTF-8 or Windows-1252, on one line."""
    text = str(value)
    if not text.isascii():
        text = decoded(text.encode("utf-8", "surrogateescape"), None)
    return clean(re.sub(r"[\r\n]+[ \t]*", " ", text))


def spoken(value: str) -> str:
    """A header in words: encoded words (RFC 2047) decoded; what cannot be decoded stays as it is."""
    if "=?" not in value:
        return clean(value)
    try:
        pieces = decode_header(value)
    except (HeaderParseError, binascii.Error, ValueError, LookupError, AssertionError):
        return clean(value)
    words = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            words.append(piece)
        elif charset is None:
            words.append(_plain_piece(piece))
        else:
            words.append(decoded(piece, charset))
    return clean("".join(words))


def _plain_piece(piece: bytes) -> str:
    """What stood between encoded words; the standard library hands it over in this codec."""
    try:
        return piece.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        return piece.decode("latin-1")
