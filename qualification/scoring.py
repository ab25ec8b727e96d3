"""Pure scoring: criteria and answers in, both sides' advice out. No database and no person, and the order of questions and answers decides nothing.

What an answer earns is a share from 0 to 1 of its criterion: of *yes, partly or no* 1, ½ and 0; of a scale from 1 to 5 (value - 1) / 4; of a choice
its points, and of a number the points of the highest band that it reaches, both beside the most that the criterion can earn. The score of a side is
the weighted share over **all** weights of that side, as a whole number from 0 to 100, rounded down: an unknown answer earns nothing but is not a no,
so a side with open questions is *undecided* for as long as the open answers could still bring it to its threshold. Words never score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

REPLIES = {"yes": Fraction(1), "partly": Fraction(1, 2), "no": Fraction(0)}
"""The share that each reply earns."""
SIDES = ("ours", "theirs")
KINDS = ("yes_no", "scale", "choice", "number", "text")
SCALE = ("1", "2", "3", "4", "5")
NUMBER = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,2})?")
"""Digits and at most two decimals after a point or a comma; so a comma never stands for thousands."""


class Advice(StrEnum):
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Option:
    """A possible answer of a choice (`label`), or a band of a number (`at_least`), with its points."""

    points: int
    label: str = ""
    at_least: Decimal | None = None


@dataclass(frozen=True)
class Question:
    """A criterion as scoring needs it. `key` is any hashable identity; `weight` is 1 to 100, and counts for nothing of words; a must-have is met
    from `must_from` percent of what its criterion can earn."""

    key: int
    side: str
    weight: int
    is_must: bool = False
    kind: str = "yes_no"
    options: tuple[Option, ...] = ()
    must_from: int = 100

    @property
    def scores(self) -> bool:
        return self.kind != "text"

    @property
    def most(self) -> int:
        """The most points that an option gives; of a criterion without any, nothing can be earned."""
        return max((option.points for option in self.options), default=0)

    def share(self, value: str) -> Fraction | None:
        """What this answer earns, from 0 to 1; `None` when it is not known yet. Raises `ValueError` for an answer that is none."""
        if not value or not self.scores:
            return None
        if self.kind == "yes_no":
            if value == "unknown":
                return None
            if value not in REPLIES:
                raise ValueError(f"unknown reply {value!r}")
            return REPLIES[value]
        if self.kind == "scale":
            if value not in SCALE:
                raise ValueError(f"{value!r} is not on the scale from 1 to 5")
            return Fraction(SCALE.index(value), len(SCALE) - 1)
        if self.kind == "choice":
            points = next((option.points for option in self.options if option.label == value), None)
            if points is None:
                raise ValueError(f"{value!r} is not among the options")
        else:
            number = as_number(value)
            reached = [option for option in self.options if option.at_least is not None and option.at_least <= number]
            points = max(reached, key=lambda option: option.at_least or 0).points if reached else 0
        return Fraction(points, self.most) if self.most else Fraction(0)

    def fails(self, value: str) -> bool:
        """Whether a must-have is answered and not met."""
        share = self.share(value)
        return self.is_must and share is not None and share * 100 < self.must_from

    def possible_values(self) -> Iterator[str]:
        """Every answer that earns something of its own; for a number, one within each band."""
        if self.kind == "yes_no":
            yield from REPLIES
        elif self.kind == "scale":
            yield from SCALE
        elif self.kind == "choice":
            yield from (option.label for option in self.options)
        elif self.kind == "number":
            bands = sorted(option.at_least for option in self.options if option.at_least is not None)
            if bands:
                yield str(bands[0] - 1)
            yield from map(str, bands)


def as_number(value: str) -> Decimal:
    """The number that this says, as people write it. Raises `ValueError` when it is none, or beyond all reason."""
    if not NUMBER.fullmatch(value):
        raise ValueError(f"{value[:50]!r} is not a number")
    return Decimal(value.replace(",", "."))


@dataclass(frozen=True)
class Line:
    """What one question contributes to the score of its side, in whole points: `points` of the `possible`, and never more. The points of the lines of
    a side add up to its score and what is possible to 100, so what is possible may differ by one from sheet to sheet."""

    question: Question
    value: str
    share: Fraction | None
    points: int
    possible: int

    @property
    def fails(self) -> bool:
        return self.question.fails(self.value)

    @property
    def missing(self) -> bool:
        """Not known yet, of a question that scores."""
        return self.share is None and self.question.scores


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

    @property
    def outcome(self) -> Advice:
        """Both yes is *yes*; one no is *no*; else it is undecided."""
        return _outcome((self.ours.advice, self.theirs.advice))

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.ours.lines + self.theirs.lines


@dataclass(frozen=True)
class Turn:
    """One answer that would change the outcome: if `question` were answered `value`, both sides together would say `outcome`."""

    question: Question
    value: str
    outcome: Advice


def score(
    questions: Iterable[Question], values: Mapping[int, str], *, threshold_ours: int, threshold_theirs: int
) -> Result:
    """Score both sides. `values` maps a question's key to its answer, as `qualification.models.Answer` keeps it; an absent key is unknown.

    Raises `ValueError` for an answer that its question does not know.
    """
    by_side: dict[str, list[tuple[Question, str]]] = {side: [] for side in SIDES}
    for question in questions:
        value = values.get(question.key, "")
        is_unknown = value == "unknown" and question.kind == "yes_no"
        by_side[question.side].append((question, "" if is_unknown else value))
    return Result(_side(by_side["ours"], threshold_ours), _side(by_side["theirs"], threshold_theirs))


def turns(
    questions: Iterable[Question], values: Mapping[int, str], *, threshold_ours: int, threshold_theirs: int
) -> list[Turn]:
    """Each single answer that would change the outcome as it stands, in the order of the questions; of several answers to one question that lead to
    the same outcome, the one that earns least."""
    asked = list(questions)
    thresholds = {"ours": threshold_ours, "theirs": threshold_theirs}
    tallies = {side: _Tally.of((q, values.get(q.key, "")) for q in asked if q.side == side) for side in SIDES}
    advice = {side: tallies[side].advice(thresholds[side]) for side in SIDES}
    now = _outcome(advice.values())
    found = []
    for question in asked:
        seen, side = {now}, question.side
        without = tallies[side] - _Tally.of([(question, values.get(question.key, ""))])
        for value in sorted(question.possible_values(), key=lambda value: question.share(value) or Fraction(0)):
            fresh = (without + _Tally.of([(question, value)])).advice(thresholds[side])
            outcome = _outcome((advice | {side: fresh}).values())
            if outcome not in seen:
                seen.add(outcome)
                found.append(Turn(question, value, outcome))
    return found


@dataclass(frozen=True)
class _Tally:
    """What a side's answers come to: its weights, what of them is earned and what not known yet, and how many must-haves fail or are open."""

    possible: int = 0
    earned: Fraction = Fraction(0)
    unknown: int = 0
    failed: int = 0
    open: int = 0

    @classmethod
    def of(cls, answered: Iterable[tuple[Question, str]]) -> _Tally:
        tally = cls()
        for question, value in answered:
            if question.scores:
                share, weight = question.share(value), question.weight
                is_open = share is None
                tally += cls(
                    weight,
                    (share or Fraction(0)) * weight,
                    weight if is_open else 0,
                    int(question.fails(value)),
                    int(question.is_must and is_open),
                )
        return tally

    def __add__(self, other: _Tally) -> _Tally:
        return _Tally(
            self.possible + other.possible,
            self.earned + other.earned,
            self.unknown + other.unknown,
            self.failed + other.failed,
            self.open + other.open,
        )

    def __sub__(self, other: _Tally) -> _Tally:
        return _Tally(
            self.possible - other.possible,
            self.earned - other.earned,
            self.unknown - other.unknown,
            self.failed - other.failed,
            self.open - other.open,
        )

    @property
    def score(self) -> int:
        return int(self.earned * 100 // self.possible) if self.possible else 0

    @property
    def best(self) -> int:
        return int((self.earned + self.unknown) * 100 // self.possible) if self.possible else 0

    def advice(self, threshold: int) -> Advice:
        if not self.possible:
            return Advice.UNDECIDED
        if self.failed or self.best < threshold:
            return Advice.NO
        return Advice.YES if self.score >= threshold and not self.open else Advice.UNDECIDED


def _outcome(advice: Iterable[Advice]) -> Advice:
    """Both yes is *yes*; one no is *no*; else it is undecided."""
    said = set(advice)
    if said == {Advice.YES}:
        return Advice.YES
    return Advice.NO if Advice.NO in said else Advice.UNDECIDED


def _side(answered: list[tuple[Question, str]], threshold: int) -> SideResult:
    tally = _Tally.of(answered)
    shares = [question.share(value) for question, value in answered]
    weights = [Fraction(question.weight if question.scores else 0) for question, _value in answered]
    earned = [(share or Fraction(0)) * weight for share, weight in zip(shares, weights, strict=True)]
    lost = [weight - part for weight, part in zip(weights, earned, strict=True)]
    points = _apportioned(earned, tally.possible, tally.score)
    rest = _apportioned(lost, tally.possible, 100 - tally.score)
    lines = tuple(
        Line(question, value, share, given, given + left)
        for (question, value), share, given, left in zip(answered, shares, points, rest, strict=True)
    )
    return SideResult(tally.score, tally.best, threshold, tally.advice(threshold), lines)


def percents(weights: Sequence[int]) -> list[int]:
    """What part of its side each weight is, in whole percents that add up to 100, as the points of an assessment do."""
    return _apportioned([Fraction(weight) for weight in weights], sum(weights), 100)


def _apportioned(parts: list[Fraction], whole: int, total: int) -> list[int]:
    """The parts of `whole` as whole points that add up to `total`: each rounded down, and what is left given to the largest remainders (the method of
    Hamilton). The order of the questions decides nothing but a tie, and what has no part gets no point."""
    if not whole:
        return [0] * len(parts)
    exact = [part * 100 / whole for part in parts]
    rounded = [int(each) for each in exact]
    largest_first = sorted(range(len(parts)), key=lambda index: (rounded[index] - exact[index], index))
    for index in largest_first[: total - sum(rounded)]:
        rounded[index] += 1
    return rounded
