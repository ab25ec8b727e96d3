"""Where a mail is signed. What stands after the signature and is plainly said, such as a P.S., stays with what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crm.channels.email.mail import Address

LONGEST_SIGNED = 40
"""Lines below "-- ": a text that is longer is no signature, whatever stands above it."""
MOST_SIGNED = 14
LONGEST_LINE = 72
"""A signature without a mark of its own has few lines, and short ones."""

CLOSINGS = (
    "met vriendelijke groet", "met vriendelijke groeten", "met hartelijke groet", "met hartelijke groeten", "vriendelijke groet",
    "vriendelijke groeten", "hartelijke groet", "hartelijke groeten",
    "met groet", "met groeten", "met beste groeten", "beste groet", "beste groeten",
    "groet", "groeten", "groetjes", "lieve groet", "lieve groeten", "warme groet", "warme groeten",
    "zonnige groet", "fijne groet", "veel groeten",
    "hoogachtend", "mvg", "m.v.g.", "met vr. gr.", "vr. gr.", "vr.gr.", "gr.", "gr", "grtz", "greetz", "tot dan", "tot snel", "tot ziens", "liefs",
    "kind regards", "kindest regards", "best regards", "warm regards", "warmest regards", "with kind regards", "with best regards",
    "regards", "best wishes", "with best wishes", "all the best", "yours sincerely", "yours faithfully", "yours truly", "sincerely", "cheers",
    "best", "kr", "br", "rgds", "talk soon", "speak soon", "take care", "many greetings",
    "mit freundlichen grüßen", "mit freundlichen grüssen", "freundliche grüße", "viele grüße", "beste grüße", "liebe grüße", "mfg",
    "cordialement", "bien cordialement", "bien à vous", "meilleures salutations", "salutations", "с уважением",
)  # fmt: skip
THANKS = (
    "thanks", "thank you", "many thanks", "thanks a lot", "thanks in advance", "thanks again", "thx",
    "bedankt", "dank", "dankjewel", "dank je wel", "dank u wel",
    "alvast bedankt", "alvast dank", "bij voorbaat dank", "hartelijk dank", "met dank", "veel dank", "merci", "danke", "vielen dank",
)  # fmt: skip
"""These close a mail only when a name follows; by themselves they are words."""

_APPS = re.compile(
    r"(?:sent|verzonden|verstuurd|gesendet|envoyé)\s(?:from|via|with|by|using|vanaf|vanuit|van|met|von|mit|de|depuis)\s"
    r"(?:my|mijn|de|the|meinem|mon)?\s?.{0,20}"
    r"(?:iphone|ipad|ipod|android|phone|telefoon|mobiel|mobile|smartphone|tablet|galaxy|samsung|huawei|xiaomi|blackberry|nokia|windows|outlook"
    r"|gmail|mail|sparrow|spark|proton|yahoo|superhuman|hey|handy|device|apparaat|toestel)\b.{0,80}"
    r"|(?:get|download|haal|installeer)\s(?:outlook|bluemail|aqua mail)\b.{0,80}"
    r"|outlook\s(?:voor|for)\s(?:ios|android|mac)\b.{0,60}"
    r"|(?:sent )?via (?:mobile|mobiel|iphone|android)\.?",
    re.IGNORECASE,
)
_DASHES = re.compile(r"\s{0,2}(?:--|__|—|–)\s*")
_RULE = re.compile(r"\s{0,2}[-_=*~]{3,}\s*")
_CONTACT = re.compile(
    r"(?i)[\w.+-]{1,64}@[\w-]{1,63}\.\w|\bwww\.|https?://|\+\d[\d ()./-]{7,}"
    r"|\(?\b0\d[\d ()./-]{6,}|\(\d{3}\) ?\d{3}|\b\d{3}-\d{3}-\d{4}\b|\b(?:kvk|btw|iban|tel|mob|fax|skype|[tmfew])\b ?[.:]"
)
_POSTSCRIPT = re.compile(r"\s*(?:p\.? ?s\.?|n\.?b\.?|ps\d)\s?[:.,-]?\s+\S|\s*p\.?s\.?:", re.IGNORECASE)
_SENTENCE = re.compile(
    r"[?!]\s*$|\b(?:you|your|je|jij|jouw|u|uw|ik|we|wij|wat|wanneer|what|when|please"
    r"|graag|kun|can|could|zou|will|want|maar|but|because)\b"
)
_END = " \t,.!;-"


@dataclass(frozen=True)
class Stretch:
    """The lines of a signature: from `begin` up to `end`."""

    begin: int
    end: int


def signature_at(lines: Sequence[str], sender: Address | None) -> Stretch:
    """Where these lines are signed; an empty stretch at their end when they are not."""
    end = _postscript_at(lines)
    last = end
    while last and not lines[last - 1].strip():
        last -= 1
    begin = _begin(lines, last, sender)
    return Stretch(begin, last if end < len(lines) else end) if begin < last else Stretch(len(lines), len(lines))


def _postscript_at(lines: Sequence[str]) -> int:
    """Where a P.S. follows the signature; the end of the lines when none does."""
    near_end = range(max(1, len(lines) - MOST_SIGNED), len(lines))
    return next((at for at in near_end if _POSTSCRIPT.match(lines[at])), len(lines))


def _begin(lines: Sequence[str], last: int, sender: Address | None) -> int:
    found = [last]
    for at in range(max(0, last - LONGEST_SIGNED), last):
        if lines[at].strip() and _signs(lines, at, last, sender):
            found.append(at)
            break
    found.append(_contact_block(lines, last))
    return min(found)


def _signs(lines: Sequence[str], at: int, last: int, sender: Address | None) -> bool:
    """Whether what follows from this line on is how somebody signs."""
    line = lines[at]
    if len(line) > LONGEST_LINE * 3:
        return False
    following = [text for text in lines[at + 1 : last] if text.strip()]
    if _DASHES.fullmatch(line):
        return bool(following)
    if _APPS.fullmatch(line.strip(" *_<>[]()")):
        return all(_is_short(text) for text in following)
    if _RULE.fullmatch(line):
        return bool(following) and _look_signed(following) and _speak_of_contact(following)
    words = line.rstrip(_END).strip(" *_").lower()
    if words in CLOSINGS:
        return _look_signed(following[:2]) and not _goes_on(lines, at, last)
    is_first = not any(text.strip() for text in lines[:at])  # "Best Noor," opens a letter.
    if words.startswith(CLOSINGS) and len(line) <= 60 and not is_first and _closes_with_name(line):
        return _look_signed(following[:2]) and not _goes_on(lines, at, last)
    if words in THANKS:
        return bool(following) and _look_signed(following)
    return _is_name(line, sender) and at > 0 and _look_signed(following) and not _goes_on(lines, at, last)


def _closes_with_name(line: str) -> bool:
    """As in "Groeten, Jan" or "Groetjes Jan en Piet": what follows the closing is a name and no sentence."""
    lower = line.strip(" *_").lower()
    closing = max((words for words in CLOSINGS if lower.startswith(words)), key=len)
    rest = line.strip(" *_")[len(closing) :]
    name = rest.strip(" ,.!-/|&")
    if not name:
        return True
    if rest[:1].isalnum() or _SENTENCE.search(name):
        return False
    if name.lower().startswith(CLOSINGS):
        return True
    return (
        len(name.split()) <= 5
        and name[:1].isupper()
        and (rest[:1] == "," or all(w[:1].isupper() or len(w) <= 3 for w in name.split()))
    )


def _is_short(line: str) -> bool:
    return len(line) <= LONGEST_LINE


def _look_signed(lines: Sequence[str]) -> bool:
    """Few and short lines, none of which asks or tells the reader something."""
    return len(lines) <= MOST_SIGNED and all(
        _is_short(line) and (not _SENTENCE.search(line) or _CONTACT.search(line)) for line in lines
    )


def _speak_of_contact(lines: Sequence[str]) -> bool:
    return any(_CONTACT.search(line) for line in lines)


def _goes_on(lines: Sequence[str], at: int, last: int) -> bool:
    """Whether so much follows that the closing was not the end of the letter; a disclaimer is long, but comes after a way to reach them."""
    following = [line for line in lines[at + 1 : last] if line.strip()]
    return len(following) > MOST_SIGNED and not _speak_of_contact(following[:MOST_SIGNED])


def _is_name(line: str, sender: Address | None) -> bool:
    """Whether this line is the name of the sender, or their first name."""
    if sender is None or not sender.name:
        return False
    said = line.strip(" -–—*_,.").lower()
    name = sender.name.lower()
    return len(said) > 1 and said in (name, name.split()[0], " ".join(reversed(name.split(", "))))


def _contact_block(lines: Sequence[str], last: int) -> int:
    """The last paragraph when it holds two ways to reach somebody, in short lines, below something else."""
    first = last
    while first and lines[first - 1].strip():
        first -= 1
    block = lines[first:last]
    ways = sum(1 for line in block if _CONTACT.search(line))
    has_words_above = any(line.strip() for line in lines[:first])
    return first if has_words_above and ways >= 2 and ways * 3 >= len(block) and _look_signed(block) else last
