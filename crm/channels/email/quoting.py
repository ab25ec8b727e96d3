"""What a mail adds, apart from what it repeats and from how it is signed. No word is lost: each line goes to one of the three.

Read line by line with patterns that take no longer than the text is long. The library for this (`mail-parser-reply`) was tried against the same
mails: it takes minutes over 64 kB of "On a On a", which anybody may send us, and it misses the Dutch "het volgende:", answers below a quote and
announcements that are wrapped. The table of words is ours therefore; another language is another row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.channels.email.mail import Address
from crm.channels.email.signing import signature_at

MOST_LINES = 6_000
LONGEST_ANNOUNCEMENT = 400
WRAPPED_OVER = 4
"""Lines over which a mail program may have wrapped "On … wrote:"."""

LABELS = {
    "from": ("from", "van", "von", "de", "от", "da"),
    "sent": ("sent", "verzonden", "gesendet", "envoyé", "отправлено", "inviato"),
    "date": ("date", "datum", "дата", "data"),
    "to": ("to", "aan", "an", "à", "кому", "a"),
    "cc": ("cc", "kopie", "copie", "kopia"),
    "subject": ("subject", "onderwerp", "betreff", "objet", "тема", "oggetto"),
    "reply-to": ("reply-to", "antwoord aan", "beantwoorden aan", "antwort an"),
}
"""What Outlook and others call the lines they put above a mail that is answered or forwarded."""

WROTE = (
    "wrote",
    "writes",
    "schreef",
    "schreven",
    "geschreven",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "escreveu",
    "skrev",
    "napisał",
    "написал",
)
OPENERS = ("on", "op", "am", "le", "el", "il", "em", "den", "dnia", "w", "in")
ORIGINAL = (
    "original message", "oorspronkelijk bericht", "origineel bericht", "originele bericht", "ursprüngliche nachricht",
    "original-nachricht", "originalnachricht", "message d'origine", "message d’origine", "message original",
)  # fmt: skip
FORWARD = (
    "forwarded message", "doorgestuurd bericht", "weitergeleitete nachricht", "message transféré", "forwarded by", "fwd message",
)  # fmt: skip
BEGINS_FORWARD = (
    "begin forwarded message", "begin doorgestuurd bericht", "anfang der weitergeleiteten nachricht", "début du message réexpédié",
    "start of forwarded message", "start doorgestuurd bericht",
)  # fmt: skip

_LABEL_OF = {word: kind for kind, words in LABELS.items() for word in words}
_LABEL = re.compile(
    r"[\s>*_]{0,12}([^\W\d_][^\W\d_ '’-]{0,20}(?:[ -][^\W\d_]{1,10})?)[*_ \t\xa0]{0,4}:[*_]{0,2}(?:\s|$|[^/\s])"
)
_WROTE = re.compile(
    r"(?<!\bI )(?<!\bwe )(?<!\bik )(?<!\bwij )\b(?:" + "|".join(WROTE) + r")\b(?! (?:ik|we|wij|ich|je)\b)",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b\d{1,2}[:.]\d{2}\b|\b(?:19|20)\d\d\b|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b")
_ADDRESS = re.compile(r"[^\s<>\"(),;:]{1,64}@[^\s<>\"(),;:]{1,255}")
_RULE = re.compile(r"\s{0,3}[_=*-]{10,}\s*")
_BETWEEN_RULES = re.compile(r"[\s>]{0,6}[-_=*]{2,}\s{0,3}([^\W\d_][^_=*]{3,40}?)\s{0,3}[-_=*]{2,}\s*")
_QUOTED = re.compile(r"[ \t]?(?:>|\|>)")
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Said:
    text: str
    quoted: str = ""
    signature: str = ""


@dataclass
class _Sorted:
    """Lines on their way to one of two places; `own` in stretches, as quotes part them."""

    own: list[list[str]] = field(default_factory=lambda: [[]])
    quoted: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.own[-1].append(line)

    def quote(self, lines: Sequence[str]) -> None:
        if self.quoted and self.own[-1] and not any(line.strip() for line in self.own[-1]):
            self.quoted.append("")
            self.own[-1].clear()
        self.quoted += lines
        if any(line.strip() for line in self.own[-1]):
            self.own.append([])


def split(plain: str, *, sender: Address | None = None, is_forward: bool = False) -> Said:
    """Sort the lines of a text. Answers below or between quoted lines stay text.

    What follows an announcement and is not marked line by line is quoted to the end. When nothing stands above such an announcement it cannot be
    told where the answer begins, and all stays text; unless it is a forward, where nothing need be said.
    """
    lines = as_lines(plain)
    sorted_lines = _Sorted()
    announced = announced_at(lines)
    at = 0
    while at < len(lines):
        end = announced.get(at) or heading_end(lines, at)
        if is_quoted(lines[at]):
            sorted_lines.quote(lines[at : at + 1])
            at += 1
        elif end and _is_marked(lines, end):
            sorted_lines.quote(lines[at:end])
            at = end
        elif end and (at not in announced or has_moment(" ".join(lines[at:end]))):
            has_words = any(line.strip() for stretch in sorted_lines.own for line in stretch)
            if not has_words and not is_forward and not sorted_lines.quoted and not begins_forward(lines[at]):
                return _signed([lines], [], sender)
            sorted_lines.quote(lines[at:])
            break
        else:
            sorted_lines.add(lines[at])
            at += 1
    return _signed(sorted_lines.own, sorted_lines.quoted, sender)


def _signed(own: list[list[str]], quoted: list[str], sender: Address | None) -> Said:
    """The stretches of own words together, their signatures apart."""
    texts, signatures = [], []
    for stretch in own:
        start = signature_at(stretch, sender)
        texts.append("\n".join(stretch[: start.begin] + stretch[start.end :]).strip("\n"))
        signatures.append("\n".join(stretch[start.begin : start.end]).strip("\n"))
    return Said(_joined(texts), "\n".join(quoted).strip("\n"), _joined(signatures))


def _joined(pieces: list[str]) -> str:
    text = "\n\n".join(piece for piece in pieces if piece.strip())
    return re.sub(r"\n{4,}", "\n\n\n", text).strip()


# ── What announces a quote ───────────────────────────────────────────────────────────────────────────────────────────


def as_lines(plain: str) -> list[str]:
    """Lines without marks that cannot be seen; what is beyond `MOST_LINES` stays together as the last one."""
    text = _UNSEEN.sub("", plain).replace("\xa0", " ")
    return [line.rstrip() if line != "-- " else line for line in text.split("\n", MOST_LINES)]


def is_quoted(line: str) -> bool:
    return bool(_QUOTED.match(line))


def _is_marked(lines: Sequence[str], at: int) -> bool:
    """Whether the first line with words from here on is marked as a quote."""
    return is_quoted(next((line for line in lines[at : at + 10] if line.strip()), ""))


def has_moment(text: str) -> bool:
    """Whether a date or a time stands here, other than within an address."""
    return bool(_TIME.search(_ADDRESS.sub("", text)))


def announced_at(lines: list[str]) -> dict[int, int]:
    """Where "On … wrote:" begins and ends, in whatever way it was wrapped."""
    found: dict[int, int] = {}
    for last, line in enumerate(lines):
        if not line.endswith((":", ">")) or is_quoted(line):
            continue
        first = _announcement(lines, last)
        if first is not None:
            found[first] = last + 1
    return found


def _announcement(lines: list[str], last: int) -> int | None:
    """The line on which the announcement that ends here began. One that opens as mail programs do is preferred to a shorter one."""
    shortest = None
    for first in range(last, max(last - WRAPPED_OVER, -1), -1):
        if not lines[first].strip() or is_quoted(lines[first]):
            break
        joined = " ".join(line.strip() for line in lines[first : last + 1])
        if len(joined) > LONGEST_ANNOUNCEMENT:
            break
        if joined.count("<") < joined.count(">"):
            continue  # Wrapped within an address.
        if announces(joined, is_followed_by_quote=_is_marked(lines, last + 1)):
            if joined.lstrip("- ").partition(" ")[0].lower().rstrip(".") in OPENERS:
                return first
            shortest = first if shortest is None else shortest
    return shortest


def announces(line: str, *, is_followed_by_quote: bool) -> bool:
    """Whether this line says who wrote what follows: a verb with a date or a name before quoted lines, or an address with a moment."""
    if len(line) > LONGEST_ANNOUNCEMENT:
        return False
    has_address = bool(_ADDRESS.search(line))
    has_time = has_moment(line)
    if not line.endswith(":"):
        return is_followed_by_quote and has_address and has_time and bool(_WROTE.search(line)) and _opens(line)
    if _WROTE.search(line):
        return is_followed_by_quote or (has_time and (has_address or _opens(line)))
    return has_address and has_time and (is_followed_by_quote or line.endswith(">:"))


def _opens(line: str) -> bool:
    words = line.lstrip("- ").lower().split(maxsplit=1)
    return bool(words) and (words[0] in OPENERS or words[0][0].isdigit() or bool(_TIME.search(line)))


def label(line: str) -> str:
    """Which line of a heading this is: "from", "sent", "to", …; empty when it is none."""
    match = _LABEL.match(line)
    return _LABEL_OF.get(match[1].lower(), "") if match else ""


def heading_end(lines: Sequence[str], at: int) -> int:
    """Where the heading that begins here ends: a separator with words, or From, Sent, To, Subject under each other. 0 when none begins."""
    line = lines[at]
    if len(line) > LONGEST_ANNOUNCEMENT:
        return 0
    if is_separator(line) or begins_forward(line):
        after = _past_blank(lines, at + 1)
        return _labels_end(lines, after, fewest=1) or at + 1
    if _RULE.fullmatch(line):
        after = _past_blank(lines, at + 1)
        return _labels_end(lines, after, fewest=3)
    return _labels_end(lines, at, fewest=3)


def is_separator(line: str) -> bool:
    match = _BETWEEN_RULES.fullmatch(line)
    return match is not None and match[1].lower().strip(" -").startswith(ORIGINAL + FORWARD)


def begins_forward(line: str) -> bool:
    """Whether this line says that what follows is forwarded."""
    match = _BETWEEN_RULES.fullmatch(line)
    if match and match[1].lower().strip(" -").startswith(FORWARD):
        return True
    return line.strip(" >*_").lower().removesuffix(":").strip() in BEGINS_FORWARD


def _past_blank(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _labels_end(lines: Sequence[str], at: int, *, fewest: int) -> int:
    """The end of labelled lines under each other, each perhaps wrapped; 0 when they are fewer, or name no sender as a mail does."""
    kinds: dict[str, int] = {}
    end, unlabelled, is_quote = at, 0, at < len(lines) and is_quoted(lines[at])
    for position in range(at, min(at + 40, len(lines))):
        line = lines[position]
        if not line.strip(" >"):
            break
        kind = label(line) if is_quoted(line) == is_quote else ""
        if kind == "from" and kind in kinds:
            break
        if kind:
            kinds.setdefault(kind, position)
            end, unlabelled = position + 1, 0
        elif not kinds or unlabelled == 3:
            break
        else:
            unlabelled += 1
    if "from" not in kinds or len(kinds) < fewest:
        return 0
    if fewest > 1 and not ({"sent", "subject"} & kinds.keys() or any("@" in line for line in lines[at:end])):
        return 0
    return _wrapped_end(lines, end) if is_quote is False else end


def _wrapped_end(lines: Sequence[str], end: int) -> int:
    """A subject may go on in the next line; it ends at an empty one."""
    following = list(lines[end : end + 2])
    return end + 1 if len(following) == 2 and following[0].startswith((" ", "\t")) and not following[1].strip() else end
