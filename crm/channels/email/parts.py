"""The parts of one e-mail: its texts, as written and as HTML, and its files. A broken or endless structure gives what can be had."""

from __future__ import annotations

import binascii
import mimetypes
import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message

from crm.channels.email.headers import Headers
from crm.channels.email.mail import DEEPEST_PART, LARGEST_FILE, LARGEST_FILES, MOST_FILES, MOST_PARTS, File
from crm.channels.email.wording import decoded, one_line, raw_header, spoken

LONGEST_SOURCE = 2_000_000
"""Characters of text or HTML that are looked at; beyond that nobody reads it."""
TINY_IMAGE = 1024
"""An image of fewer bytes shown inside the HTML is a rule, a dot or a counter, and no attachment."""

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")


@dataclass
class Body:
    """One text of a message, in one or both of its forms."""

    plain: str = ""
    html: str = ""


@dataclass
class Parts:
    """What was found in a message; `enclosed` are the messages attached to it, `reports` the parts of a delivery report,
    `returned` the headers of a message that came back."""

    bodies: list[Body] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    enclosed: list[Message] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    seen: int = 0
    kept: int = 0


def gather(message: Message) -> Parts:
    """Every text and file of a message, in order, within the bounds."""
    parts = Parts()
    _gather(message, parts, 0)
    return parts


def _gather(part: Message, parts: Parts, depth: int) -> None:
    parts.seen += 1
    if parts.seen > MOST_PARTS or depth > DEEPEST_PART:
        return
    kind = content_type(part)
    children = within(part)
    if kind == "message/rfc822" and depth:
        _enclose(part, parts)
    elif kind.endswith("/delivery-status"):
        parts.reports.append(part)
    elif kind == "text/rfc822-headers":
        parts.returned.append(text_of(part))
    elif children:
        if kind == "multipart/alternative":
            _choose(children, parts, depth)
        else:
            for child in children:
                _gather(child, parts, depth + 1)
    elif kind.startswith("multipart/") or (kind in ("text/plain", "text/html") and not is_file(part)):
        _say(part, kind, parts)
    else:
        _keep(part, kind, parts)


def _choose(children: list[Message], parts: Parts, depth: int) -> None:
    """Several forms of one text: the plain one and the HTML one belong together."""
    own = Parts(seen=parts.seen, kept=parts.kept)
    for child in children:
        _gather(child, own, depth + 1)
    plain = "\n\n".join(body.plain for body in own.bodies if body.plain.strip())
    html = "\n".join(body.html for body in own.bodies if body.html.strip())
    if plain or html:
        parts.bodies.append(Body(plain, html))
    parts.files += own.files
    parts.enclosed += own.enclosed
    parts.reports += own.reports
    parts.returned += own.returned
    parts.seen, parts.kept = own.seen, own.kept


def _say(part: Message, kind: str, parts: Parts) -> None:
    text = text_of(part)
    if not text.strip():
        return
    if kind == "text/html":
        parts.bodies.append(Body(html=text))
        return
    if str(part.get_param("format", "")).lower() == "flowed":
        text = unflowed(text, str(part.get_param("delsp", "")).lower() == "yes")
    parts.bodies.append(Body(plain=text))


def _keep(part: Message, kind: str, parts: Parts) -> None:
    content = bytes_of(part)
    name = file_name(part, kind)
    if not content and not part.get_filename():
        return
    if kind.startswith("image/") and len(content) < TINY_IMAGE and _is_inline(part):
        return
    _add(parts, name, kind, content)


def _enclose(part: Message, parts: Parts) -> None:
    """A message attached to the message: a file by the name of its subject, and a message that can be looked into."""
    inner = next(iter(within(part)), None)
    if inner is None:
        _keep(part, "message/rfc822", parts)
        return
    parts.enclosed.append(inner)
    try:
        content = inner.as_bytes()
    except (ValueError, TypeError, LookupError, KeyError, AttributeError, MessageError, RecursionError):
        content = b""
    subject = Headers(inner).line("subject", 80)
    _add(
        parts, (part.get_filename() and file_name(part, "")) or f"{subject or 'message'}.eml", "message/rfc822", content
    )


def _add(parts: Parts, name: str, kind: str, content: bytes) -> None:
    if len(parts.files) == MOST_FILES:
        return
    is_kept = len(content) <= LARGEST_FILE and parts.kept + len(content) <= LARGEST_FILES
    if is_kept:
        parts.kept += len(content)
    parts.files.append(File(name, kind, content if is_kept else None, len(content)))


# ── One part ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def within(part: Message) -> list[Message]:
    """The parts of a part."""
    children = part.get_payload() if part.is_multipart() else []
    return [child for child in children if isinstance(child, Message)]


def content_type(part: Message) -> str:
    """In lower case; what cannot be one is plain bytes."""
    try:
        kind = part.get_content_type()
    except (ValueError, IndexError, TypeError):
        return "text/plain"
    return kind if _TYPE.fullmatch(kind) else "application/octet-stream"


def is_file(part: Message) -> bool:
    """Said to be an attachment, or given a name."""
    disposition = raw_header(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(_given_name(part))


def _is_inline(part: Message) -> bool:
    return "content-id" in part or raw_header(part.get("content-disposition", "")).strip().lower().startswith("inline")


def bytes_of(part: Message) -> bytes:
    """The content of a part with its transfer encoding undone, as far as that can be done."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, TypeError, LookupError, binascii.Error, AssertionError):
        return b""
    return content if isinstance(content, bytes) else b""


def text_of(part: Message) -> str:
    try:
        charset = part.get_content_charset()
    except (ValueError, TypeError, LookupError):
        charset = None
    return decoded(bytes_of(part)[: LONGEST_SOURCE * 2], charset)[:LONGEST_SOURCE]


def _given_name(part: Message) -> str:
    """The file name by RFC 2231, and where a program wrote an encoded word instead, that one decoded."""
    try:
        name = part.get_filename() or ""
    except (ValueError, TypeError, LookupError, IndexError):
        name = ""
    return spoken(raw_header(name[:5000]))


def file_name(part: Message, kind: str) -> str:
    """What the file is called, without a path; one without a name is called after its type."""
    name = one_line(re.split(r"[/\\]", _given_name(part))[-1], 200).strip(". ")
    return name or "attachment" + (mimetypes.guess_extension(kind) or "")


def unflowed(text: str, without_space: bool) -> str:
    """Format=flowed (RFC 3676) undone: lines that end with a space go on in the next of the same quote depth."""
    lines: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        goes_on = rest.endswith(" ") and rest != "-- "
        said = rest[:-1] if goes_on and without_space else rest
        if depth == open_depth and rest != "-- ":
            lines[-1].append(said)
        else:
            lines.append([">" * depth + " " if depth else "", said])
        open_depth = depth if goes_on else -1
    return "\n".join("".join(line) for line in lines)
