"""The score of a side: pure, fair to what is not known yet, and the same however one arrives at it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qualification.scoring import KINDS, SIDES, Advice, Option, Question, Result, SideResult, percents, score, turns

Sheet = tuple[list[Question], dict[int, str], int, int]
numbers = st.decimals(Decimal(-1000), Decimal(100000), places=2)
thresholds = st.integers(1, 100)
points = st.integers(0, 100)


@st.composite
def asked_questions(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> Question:
    """A question of any kind; a must-have is met from any part of its points."""
    kind = draw(st.sampled_from(kinds))
    options: tuple[Option, ...] = ()
    if kind == "choice":
        labels = draw(st.lists(st.sampled_from("abcdef"), max_size=5, unique=True))
        options = tuple(Option(draw(points), label=label) for label in labels)
    if kind == "number":
        bands = draw(st.lists(numbers, max_size=4, unique=True))
        options = tuple(Option(draw(points), at_least=band) for band in bands)
    return Question(
        key=draw(st.integers(1, 30)),
        side=draw(st.sampled_from(SIDES)),
        weight=0 if kind == "text" else draw(st.integers(1, 100)),
        is_must=kind != "text" and draw(st.booleans()),
        kind=kind,
        options=options,
        must_from=draw(thresholds),
    )


questions = st.lists(asked_questions(), max_size=8, unique_by=lambda question: question.key)


def answers(question: Question) -> st.SearchStrategy[str]:
    """Any answer to this question, not known among them."""
    known = [value for value in question.possible_values() if value]
    by_kind = {"number": numbers.map(str), "text": st.text(max_size=20)}
    return st.one_of(st.just(""), by_kind.get(question.kind, st.sampled_from(known) if known else st.just("")))


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    asked = draw(questions)
    values = {q.key: draw(answers(q)) for q in asked if draw(st.booleans())}
    return asked, values, draw(thresholds), draw(thresholds)


def judge(asked: list[Question], values: dict[int, str], ours: int = 60, theirs: int = 60) -> Result:
    return score(asked, values, threshold_ours=ours, threshold_theirs=theirs)


def sides(result: Result) -> tuple[SideResult, SideResult]:
    return result.ours, result.theirs


@given(sheets())
def test_a_score_is_from_0_to_100_and_never_above_what_is_possible(sheet: Sheet) -> None:
    for side in sides(judge(*sheet)):
        assert 0 <= side.score <= side.best <= 100


@given(sheets())
def test_the_lines_of_a_side_add_up_to_its_score_and_what_is_possible_to_100(sheet: Sheet) -> None:
    for side in sides(judge(*sheet)):
        assert sum(line.points for line in side.lines) == side.score
        assert sum(line.possible for line in side.lines) == (100 if any(q.question.scores for q in side.lines) else 0)
        for line in side.lines:
            assert 0 <= line.points <= line.possible
            assert line.share != 1 or line.points == line.possible
            assert line.share or not line.points


@given(sheets(), st.data())
def test_a_better_answer_never_lowers_a_score_nor_loses_a_yes(sheet: Sheet, data: st.DataObject) -> None:
    asked, values, ours, theirs = sheet
    if not asked:
        return
    question = data.draw(st.sampled_from(asked))
    either = [data.draw(answers(question)) for _twice in range(2)]
    if question.scores and "" in either:
        # What is not known yet earns nothing; knowing it is better when it earns all that it can.
        either = ["", next((value for value in either if value and question.share(value) == 1), "")]
    worse, better = sorted(either, key=lambda value: question.share(value) or Fraction(0))
    before = judge(asked, values | {question.key: worse}, ours, theirs)
    after = judge(asked, values | {question.key: better}, ours, theirs)
    for old, new in zip(sides(before), sides(after), strict=True):
        assert new.score >= old.score
        assert new.best >= old.best
        assert not (old.advice == Advice.YES and new.advice != Advice.YES)
        assert not (old.advice == Advice.UNDECIDED and new.advice == Advice.NO)


@given(asked_questions(kinds=("number",)), numbers, numbers)
def test_a_number_earns_what_the_highest_band_that_it_reaches_gives(
    question: Question, one: Decimal, two: Decimal
) -> None:
    most = max((option.points for option in question.options), default=0)
    reached = [option for option in question.options if (option.at_least or 0) <= one]
    last = max(reached, key=lambda option: option.at_least or 0).points if reached else 0
    assert question.share(str(one)) == (Fraction(last, most) if most else 0)
    rising = all(a.points <= b.points for a, b in pairwise(sorted(question.options, key=lambda o: o.at_least or 0)))
    if rising:
        low, high = sorted([one, two])
        assert (question.share(str(low)) or 0) <= (question.share(str(high)) or 0)


@given(sheets(), st.randoms())
def test_the_order_of_questions_and_answers_does_not_matter(sheet: Sheet, chance: Random) -> None:
    asked, values, ours, theirs = sheet
    mixed, said = list(asked), list(values.items())
    chance.shuffle(mixed)
    chance.shuffle(said)
    one, other = judge(asked, values, ours, theirs), judge(mixed, dict(said), ours, theirs)
    for a, b in zip(sides(one), sides(other), strict=True):
        assert (a.score, a.best, a.advice) == (b.score, b.best, b.advice)
    thresholds = {"threshold_ours": ours, "threshold_theirs": theirs}
    assert set(turns(asked, values, **thresholds)) == set(turns(mixed, dict(said), **thresholds))


@given(sheets())
def test_not_answering_is_the_same_as_unknown(sheet: Sheet) -> None:
    asked, values, ours, theirs = sheet
    unknown = {q.key: "unknown" if q.kind == "yes_no" else "" for q in asked}
    assert judge(asked, values, ours, theirs) == judge(asked, unknown | values, ours, theirs)


@given(st.lists(asked_questions(("yes_no", "scale")), max_size=8, unique_by=lambda q: q.key), thresholds)
def test_unknown_is_not_no(asked: list[Question], threshold: int) -> None:
    nothing = judge(asked, {}, threshold, threshold)
    refused = judge(asked, {q.key: "no" if q.kind == "yes_no" else "1" for q in asked}, threshold, threshold)
    for side, other in zip(sides(nothing), sides(refused), strict=True):
        assert side.advice == Advice.UNDECIDED
        assert other.advice == (Advice.NO if side.lines else Advice.UNDECIDED)


@given(sheets(), st.text(max_size=50))
def test_words_never_score(sheet: Sheet, words: str) -> None:
    asked, values, ours, theirs = sheet
    silent, spoken = (
        judge(asked, values | {q.key: said for q in asked if q.kind == "text"}, ours, theirs) for said in ("", words)
    )
    without = judge([q for q in asked if q.kind != "text"], values, ours, theirs)
    for a, b, c in zip(sides(silent), sides(spoken), sides(without), strict=True):
        assert (a.score, a.best, a.advice) == (b.score, b.best, b.advice) == (c.score, c.best, c.advice)
        assert all((line.points, line.possible) == (0, 0) for line in b.lines if line.question.kind == "text")


@settings(deadline=None)
@given(sheets())
def test_turns_are_exactly_the_single_answers_that_change_the_outcome(sheet: Sheet) -> None:
    asked, values, ours, theirs = sheet
    now = judge(asked, values, ours, theirs).outcome
    oracle: dict[tuple[int, Advice], Fraction] = {}
    for question in asked:
        for value in question.possible_values():
            outcome = judge(asked, values | {question.key: value}, ours, theirs).outcome
            share = question.share(value) or Fraction(0)
            if outcome != now:
                least = oracle.get((question.key, outcome), share)
                oracle[question.key, outcome] = min(least, share)
    found = turns(asked, values, threshold_ours=ours, threshold_theirs=theirs)
    assert {(turn.question.key, turn.outcome): turn.question.share(turn.value) for turn in found} == oracle
    assert len(found) == len(oracle)


@given(asked_questions())
def test_every_share_that_can_be_earned_is_among_the_possible_values(question: Question) -> None:
    shares = {question.share(value) for value in question.possible_values()}
    if question.kind == "number":
        most = question.most
        assert shares >= {Fraction(option.points, most) if most else 0 for option in question.options}
    assert None not in shares


@pytest.mark.parametrize("reply", ["no", "partly"])
def test_a_must_have_that_is_not_fully_met_is_a_no_whatever_the_score(reply: str) -> None:
    asked = [Question(1, "ours", 1, is_must=True), Question(2, "ours", 99)]
    side = judge(asked, {1: reply, 2: "yes"}).ours
    assert side.score >= 99
    assert side.advice == Advice.NO
    assert [line.question.key for line in side.failed_musts] == [1]


def test_an_open_must_have_leaves_a_side_undecided_whatever_the_score() -> None:
    asked = [Question(1, "ours", 1, is_must=True), Question(2, "ours", 99)]
    side = judge(asked, {2: "yes"}).ours
    assert side.advice == Advice.UNDECIDED
    assert [line.question.key for line in side.open_musts] == [1]


def test_a_score_is_rounded_down_so_that_almost_is_not_enough() -> None:
    asked = [Question(1, "ours", 599), Question(2, "ours", 401)]
    side = judge(asked, {1: "yes", 2: "no"}).ours
    assert side.score == 59
    assert side.advice == Advice.NO


def test_a_side_without_questions_says_neither_yes_nor_no() -> None:
    result = judge([Question(1, "ours", 1)], {1: "yes"})
    assert result.theirs.advice == Advice.UNDECIDED
    assert not result.both_yes


def test_qualified_takes_both_sides() -> None:
    asked = [Question(1, "ours", 1), Question(2, "theirs", 1)]
    assert judge(asked, {1: "yes", 2: "yes"}).both_yes
    assert not judge(asked, {1: "yes"}).both_yes
    assert judge(asked, {1: "yes", 2: "no"}).theirs.advice == Advice.NO


def test_a_must_have_is_met_from_its_own_part_of_the_points() -> None:
    size = Question(
        1,
        "ours",
        5,
        is_must=True,
        kind="number",
        must_from=50,
        options=(Option(0, at_least=Decimal(0)), Option(5, at_least=Decimal(10)), Option(10, at_least=Decimal(50))),
    )
    assert judge([size], {1: "9"}).ours.failed_musts
    assert not judge([size], {1: "10"}).ours.failed_musts
    assert judge([size], {1: "50"}).ours.score == 100


def test_a_question_that_can_earn_nothing_earns_nothing() -> None:
    worthless = Question(1, "ours", 5, kind="choice", options=(Option(0, label="a"),))
    assert judge([worthless], {1: "a"}).ours.score == 0


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("yes_no", "perhaps"),
        ("scale", "0"),
        ("scale", "6"),
        ("scale", "unknown"),
        ("choice", "c"),
        ("number", "many"),
        ("number", "1e999999999"),
        ("number", "1,000"),
        ("number", "NaN"),
        ("number", "9" * 13),
    ],
)
def test_an_answer_that_is_none_is_refused(kind: str, value: str) -> None:
    question = Question(1, "ours", 1, kind=kind, options=(Option(1, label="a"), Option(1, at_least=Decimal(1))))
    with pytest.raises(ValueError, match=r"unknown|scale|options|number"):
        judge([question], {1: value})


def test_the_percents_of_a_side_add_up_to_a_hundred() -> None:
    assert percents([5, 4, 5]) == [36, 28, 36]
    assert percents([1, 1, 1]) == [34, 33, 33]
    assert percents([0, 0]) == [0, 0]
    assert percents([]) == []
