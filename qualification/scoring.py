"""Pure scoring: criteria and answers in, both sides' advice out. No database, no person; order of answers never matters.

The score of a side is the weighted share of what is answered *yes* (1), *partly* (½) or *no* (0) over **all** weights of that side, as a whole
number from 0 to 100, rounded down: an unknown answer earns nothing but is not a no, so a side with open questions is *undecided* for as long as
the open answers could still bring it to its threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

EARNS = {"yes": 2, "partly": 1, "no": 0}
"""Half points that a reply earns for each unit of weight."""


class Advice(StrEnum):
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Question:
    """A criterion as scoring needs it. `key` is any hashable identity; `weight` is 1 to 100."""

    key: int
    side: str
    weight: int
    is_must: bool = False


@dataclass(frozen=True)
class Line:
    """What one question contributes: `reply` is yes, partly, no or unknown; `fails` when it is a must-have that is answered no or partly."""

    question: Question
    reply: str
    points: int
    possible: int

    @property
    def fails(self) -> bool:
        return self.question.is_must and self.reply in ("no", "partly")

    @property
    def missing(self) -> bool:
        return self.reply == "unknown"


@dataclass(frozen=True)
class SideResult:
    """One side's score (0 to 100), the best score still possible, and the advice."""

    score: int
    best: int
    threshold: int
    advice: Advice
    lines: tuple[Line, ...]

    @property
    def failed_musts(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.fails)

    @property
    def open_musts(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.question.is_must and line.missing)


@dataclass(frozen=True)
class Result:
    """Both sides beside each other. `both_yes` is what a qualified verdict needs."""

    ours: SideResult
    theirs: SideResult

    @property
    def both_yes(self) -> bool:
        return self.ours.advice == Advice.YES and self.theirs.advice == Advice.YES


def score(
    questions: Iterable[Question], replies: Mapping[int, str], *, threshold_ours: int, threshold_theirs: int
) -> Result:
    """Score both sides. `replies` maps a question's key to yes, partly, no or unknown; an absent key is unknown.

    Raises `ValueError` for a reply that is none of these.
    """
    by_side: dict[str, list[Line]] = {"ours": [], "theirs": []}
    for question in questions:
        reply = replies.get(question.key, "unknown")
        if reply != "unknown" and reply not in EARNS:
            raise ValueError(f"unknown reply {reply!r}")
        by_side[question.side].append(Line(question, reply, EARNS.get(reply, 0) * question.weight, 2 * question.weight))
    return Result(_side(by_side["ours"], threshold_ours), _side(by_side["theirs"], threshold_theirs))


def _side(lines: list[Line], threshold: int) -> SideResult:
    possible = sum(line.possible for line in lines)
    earned = sum(line.points for line in lines)
    reachable = earned + sum(line.possible for line in lines if line.missing)
    now = earned * 100 // possible if possible else 0
    best = reachable * 100 // possible if possible else 0
    if any(line.fails for line in lines) or best < threshold:
        advice = Advice.NO if possible else Advice.UNDECIDED
    elif now >= threshold and not any(line.question.is_must and line.missing for line in lines):
        advice = Advice.YES
    else:
        advice = Advice.UNDECIDED
    return SideResult(now, best, threshold, advice, tuple(lines))
