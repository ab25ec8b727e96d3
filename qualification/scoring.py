"""Pure scoring: criteria and answers in, both sides' advice out. No database, no person; order of answers never matters.

What an answer earns is a share from 0 to 1 of its criterion: of *yes, partly or no* 1, ½ and 0; of a scale from 1 to 5 (value - 1) / 4; of a choice
its points, and of a number the points of the highest band that it reaches, both beside the most that the criterion can earn. The score of a side is
the weighted share over **all** weights of that side, as a whole number from 0 to 100, rounded down: an unknown answer earns nothing but is not a no,
so a side with open questions is *undecided* for as long as the open answers could still bring it to its threshold. Words never score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

REPLIES = {"yes": Fraction(1), "partly": Fraction(1, 2), "no": Fraction(0)}
"""The share that each reply earns."""
SCALE = ("1", "2", "3", "4", "5")
KINDS = ("yes_no", "scale", "choice", "number", "text")


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
        if value in ("", "unknown") or not self.scores:
            return None
        if self.kind == "yes_no":
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
    """The number that this says, written with a point. Raises `ValueError` when it is none, or no finite one."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


@dataclass(frozen=True)
class Line:
    """What one question contributes to the score of its side, in points of 100: `points` of the `possible`. The points of the lines of a side add up
    to its score, and what is possible to 100."""

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
        if self.both_yes:
            return Advice.YES
        return Advice.NO if Advice.NO in (self.ours.advice, self.theirs.advice) else Advice.UNDECIDED

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
    by_side: dict[str, list[tuple[Question, str]]] = {"ours": [], "theirs": []}
    for question in questions:
        value = values.get(question.key, "")
        by_side[question.side].append((question, "" if value == "unknown" and question.scores else value))
    return Result(_side(by_side["ours"], threshold_ours), _side(by_side["theirs"], threshold_theirs))


def turns(
    questions: Iterable[Question], values: Mapping[int, str], *, threshold_ours: int, threshold_theirs: int
) -> list[Turn]:
    """Each single answer that would change the outcome as it stands, in the order of the questions; of several answers to one question that lead to
    the same outcome, the least."""
    asked = list(questions)
    thresholds = {"threshold_ours": threshold_ours, "threshold_theirs": threshold_theirs}
    now = score(asked, values, **thresholds).outcome
    found = []
    for question in asked:
        seen = {now}
        ordered = sorted(question.possible_values(), key=lambda value: question.share(value) or Fraction(0))
        for value in ordered:
            outcome = score(asked, {**values, question.key: value}, **thresholds).outcome
            if outcome not in seen:
                seen.add(outcome)
                found.append(Turn(question, value, outcome))
    return found


def _side(answered: list[tuple[Question, str]], threshold: int) -> SideResult:
    shares = [question.share(value) for question, value in answered]
    weights = [question.weight if question.scores else 0 for question, _value in answered]
    parts = [(share or Fraction(0)) * weight for share, weight in zip(shares, weights, strict=True)]
    possible, earned = sum(weights), sum(parts)
    unknown = sum(weight for share, weight in zip(shares, weights, strict=True) if share is None)
    now = int(earned * 100 // possible) if possible else 0
    best = int((earned + unknown) * 100 // possible) if possible else 0
    points = _apportioned(parts, possible, now)
    most = _apportioned([Fraction(weight) for weight in weights], possible, 100 if possible else 0)
    lines = tuple(
        Line(question, value, share, given, top)
        for (question, value), share, given, top in zip(answered, shares, points, most, strict=True)
    )
    if any(line.fails for line in lines) or best < threshold:
        advice = Advice.NO if possible else Advice.UNDECIDED
    elif now >= threshold and not any(line.question.is_must and line.missing for line in lines):
        advice = Advice.YES
    else:
        advice = Advice.UNDECIDED
    return SideResult(now, best, threshold, advice, lines)


def _apportioned(parts: list[Fraction], whole: int, total: int) -> list[int]:
    """The parts of `whole` as whole points that add up to `total`: each rounded down, and what is left given to the largest remainders (the method of
    Hamilton), so that the order of the questions decides nothing but a tie."""
    if not whole:
        return [0] * len(parts)
    exact = [part * 100 / whole for part in parts]
    rounded = [int(each) for each in exact]
    largest_first = sorted(range(len(parts)), key=lambda index: (rounded[index] - exact[index], index))
    for index in largest_first[: total - sum(rounded)]:
        rounded[index] += 1
    return rounded
