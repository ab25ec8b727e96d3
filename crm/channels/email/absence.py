"""Until when somebody says to be away: read from the sentences people write in an automatic reply, in Dutch and in English.

`dateparser` reads the dates; the words around them say whether that day is the last one away or the first one back. Where no such words stand
near a date there is no answer, as a date alone ("we move on 1 March") says nothing about an absence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import dateparser

LONGEST = 4000
"""Characters that are looked at: an absence is told at the beginning."""
FURTHEST = timedelta(days=366)
MOST_DATES = 6
MOST_SENTENCES = 60

_MONTHS = (
    r"jan(?:uari|uary|\.)?|feb(?:ruari|ruary|\.)?|maart|mrt\.?|mar(?:ch|\.)?|apr(?:il|\.)?|mei|may|juni?|june?|juli?|july?|aug(?:ustus|ust|\.)?"
    r"|sep(?:t|tember|\.)?|okt(?:ober|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?"
)
_WEEKDAYS = (
    r"(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:ma|di|wo|do|vr|za|zo|mon|tue|wed|thu|fri|sat|sun)\.?"
)
_DAY = r"(?:[0-3]?\d)(?:\s?(?:e|de|ste|st|nd|rd|th))?"
_YEAR = r"(?:,?\s(?:20)\d\d|\s'\d\d)?"
DATE = (
    rf"(?:(?:{_WEEKDAYS}),?\s(?:the\s|de\s)?)?"
    rf"(?:\d{{4}}-\d\d?-\d\d?|[0-3]?\d[-/.][01]?\d(?:[-/.](?:20)?\d\d)?(?!\d|[:./-]\d)"
    rf"|{_DAY}\s(?:of\s)?(?:{_MONTHS})(?!\w){_YEAR}|(?:{_MONTHS})\s{_DAY}(?!\d|\w){_YEAR})"
)
NAMED = (
    r"(?:(?:next|volgende|aanstaande|komende|coming|this)\s)?(?:(?:maan|dins|woens|donder|vrij|zater|zon)dag"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)|morgen|tomorrow|overmorgen"
)
_BETWEEN = (
    r"\s?(?:on|op|per|from|vanaf|sinds|the|as of|at|in|again|weer|to|office"
    r"|kantoor|aanwezig|bereikbaar|available|work|werk|my desk|,|:|-|\s){0,40}\s?"
)

_UNTIL = (
    r"tot en met", r"t/m", r"t\.?e\.?m\.?", r"tot", r"up to and including", r"until and including", r"through(?: to)?", r"thru",
    r"until", r"till", r"til",
)  # fmt: skip
"""After these words comes the last day away. Whether "until the 5th" includes the 5th nobody knows; one day later is never too early."""
_BACK = (
    r"\bback", r"\bterug", r"\breturn(?:s|ing)?", r"\bkeer ik(?: weer)? terug",
    r"\bweer (?:aanwezig|bereikbaar|beschikbaar|op kantoor|aan het werk|in functie|present|terug)",
    r"\b(?:available|reachable|present|in the office) again", r"\bretour",
)  # fmt: skip
"""After these words comes the first day back."""

_BACK_AFTER = (
    r"terug", r"weer (?:aanwezig|bereikbaar|beschikbaar|op kantoor|terug|aan het werk)", r"(?:ben|is|zijn) (?:ik|er|wij|we) (?:er )?weer",
    r"(?:lees|lezen|beantwoord|beantwoorden|reageer|reageren) (?:ik|wij|we)",
    r"(?:I|we) (?:am|are|will be|shall be) (?:back|available)", r"(?:I'm|I’m|I'll be|I’ll be|we're|we'll be) back",
    r"(?:I|we) (?:will|shall) (?:return|answer|reply|read)",
)  # fmt: skip
"""Before these words, in one clause, stands the first day back: "vanaf 7 december ben ik terug"."""

_DATE = re.compile(rf"(?<![\w/.-])(?:{DATE}|{NAMED})(?!\w)", re.IGNORECASE)
_BEFORE = {
    "until": re.compile(rf"\b(?:{'|'.join(_UNTIL)})(?:\s(?:and including|the|op|on|uiterlijk))?\s?$", re.IGNORECASE),
    "dash": re.compile(r"\d\w*\s?[-–]\s?$"),
    "back": re.compile(rf"(?:{'|'.join(_BACK)}){_BETWEEN}$", re.IGNORECASE),
    "on": re.compile(r"\b(?:op|on|per|vanaf|from|as of|as from)\s?$", re.IGNORECASE),
}
_WEEKDAY_BEFORE = re.compile(rf"\b{_WEEKDAYS}\s\S+(?:\s\S+){{0,2}}\s?$", re.IGNORECASE)
_AFTER = re.compile(rf"\s?,?\s?(?:[^\s.,;]+\s){{0,3}}?(?:{'|'.join(_BACK_AFTER)})\b", re.IGNORECASE)
_RANGE_START = re.compile(rf"(?:van|from|tussen|between|vanaf)\s(?:{DATE})\s?(?:en|and|-|–|to|tot)\s?$", re.IGNORECASE)
_ABSENT = re.compile(
    r"\b(?:away|absent|out of (?:the )?office|on (?:\w+ )?(?:leave|holidays?|vacation)|closed|unavailable|not (?:available|in the office|working)"
    r"|travell?ing|afwezig|afwezigheid|niet (?:aanwezig|bereikbaar|beschikbaar|op kantoor)|\w*vakantie|\w*verlof|vrij|gesloten|buiten kantoor"
    r"|weg|op reis|er(?: even)? niet)\b",
    re.IGNORECASE,
)
_OF_ONE_MONTH = re.compile(rf"\b\d\d?\s?[-–]\s?(?=\d\d?\s(?:{_MONTHS})(?!\w))", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def away_until(subject: str, text: str, *, at: datetime, languages: Sequence[str]) -> date | None:
    """The last day of absence. None when none is told, when it is past, or further off than a year.

    Somebody who is back on a day was away until the day before. Of several answers the latest one counts: "from 1 to 10 December, back on the 11th".
    """
    sure: list[date] = []
    likely: list[date] = []
    is_absence = bool(_ABSENT.search(subject))
    for sentence in _sentences(f"{subject}\n{text[:LONGEST]}")[:MOST_SENTENCES]:
        is_absent = bool(_ABSENT.search(sentence))
        is_absence = is_absence or is_absent
        for is_back, day in _days(sentence, at, languages):
            (sure if is_back or is_absent else likely).append(day)
    today = at.date()
    told = sure or (likely if is_absence else [])
    return max((day for day in told if today <= day <= today + FURTHEST), default=None)


def _sentences(text: str) -> list[str]:
    joined = re.sub(r"(?<![.!?:\n])\n(?=[a-z0-9])", " ", text.replace("\r", ""))
    return [
        _SPACE.sub(" ", part).strip()
        for part in re.split(r"(?<=[a-z0-9)][.!?])\s+(?=[A-Z])|\n+", joined)
        if part.strip()
    ]


def _days(sentence: str, at: datetime, languages: Sequence[str]) -> list[tuple[bool, date]]:
    """The last days away that one sentence tells, and whether it tells them as the first day back."""
    days = []
    sentence = _OF_ONE_MONTH.sub("t/m ", sentence)
    for match in list(_DATE.finditer(sentence))[:MOST_DATES]:
        before, after = sentence[max(0, match.start() - 120) : match.start()], sentence[match.end() : match.end() + 60]
        meaning = _meaning(before, after, sentence)
        day = _day(match[0], at, languages) if meaning else None
        if day is not None:
            days.append((meaning == "back", day - timedelta(days=1) if meaning == "back" else day))
    return days


def _meaning(before: str, after: str, sentence: str) -> str:
    """What a date means: the "last" day away, the first day "back", or nothing. Office hours too are told "from Monday until Friday"."""
    if _BEFORE["back"].search(before):
        return "back"
    is_absent = bool(_ABSENT.search(sentence))
    if _BEFORE["until"].search(before):
        return "" if _WEEKDAY_BEFORE.search(before) and not is_absent else "last"
    if _BEFORE["dash"].search(before) or _RANGE_START.search(before):
        return "last" if is_absent else ""
    if (_BEFORE["on"].search(before) or before.rstrip()[-1:] in ("", ";", ":")) and _AFTER.match(after):
        return "back"
    return ""


def _day(words: str, at: datetime, languages: Sequence[str]) -> date | None:
    """The day that these words name, seen from when they were received."""
    words = re.sub(r"(?i)(?<=\d)\s?(?:e|de|ste|st|nd|rd|th)\b", "", words)
    words = re.sub(r"(?i)^(?:next|volgende|aanstaande|komende|coming|this)\s", "", words)
    settings = {"DATE_ORDER": "DMY", "PREFER_DATES_FROM": "future", "RELATIVE_BASE": at.replace(tzinfo=None)}
    try:
        found = dateparser.parse(words, languages=list(languages), settings=settings)
    except (ValueError, OverflowError, TypeError, AttributeError, IndexError):
        return None
    return found.date() if found else None
