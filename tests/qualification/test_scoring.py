"""The score of a side: pure, fair to what is not known yet, and the same however one arrives at it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualification.scoring import Advice, Question, Result, score

REPLIES = ("no", "partly", "yes")
questions = st.lists(
    st.builds(
        Question,
        key=st.integers(1, 30),
        side=st.sampled_from(["ours", "theirs"]),
        weight=st.integers(1, 100),
        is_must=st.booleans(),
    ),
    max_size=10,
    unique_by=lambda question: question.key,
)
thresholds = st.integers(1, 100)


@st.composite
def sheets(draw: st.DrawFn) -> tuple[list[Question], dict[int, str], int, int]:
    asked = draw(questions)
    replies = {q.key: draw(st.sampled_from([*REPLIES, "unknown"])) for q in asked if draw(st.booleans())}
    return asked, replies, draw(thresholds), draw(thresholds)


def judge(asked: list[Question], replies: dict[int, str], ours: int = 60, theirs: int = 60) -> Result:
    return score(asked, replies, threshold_ours=ours, threshold_theirs=theirs)


@given(sheets())
def test_a_score_is_from_0_to_100_and_never_above_what_is_possible(
    sheet: tuple[list[Question], dict[int, str], int, int],
) -> None:
    result = judge(*sheet)
    for side in (result.ours, result.theirs):
        assert 0 <= side.score <= side.best <= 100


@given(sheets(), st.data())
def test_a_better_answer_never_lowers_a_score_nor_loses_a_yes(
    sheet: tuple[list[Question], dict[int, str], int, int], data: st.DataObject
) -> None:
    asked, replies, ours, theirs = sheet
    if not asked:
        return
    question = data.draw(st.sampled_from(asked))
    worse, better = data.draw(st.sampled_from([("no", "partly"), ("partly", "yes"), ("no", "yes"), ("unknown", "yes")]))
    before = judge(asked, replies | {question.key: worse}, ours, theirs)
    after = judge(asked, replies | {question.key: better}, ours, theirs)
    for old, new in ((before.ours, after.ours), (before.theirs, after.theirs)):
        assert new.score >= old.score
        assert new.best >= old.best
        assert not (old.advice == Advice.YES and new.advice != Advice.YES)


@given(sheets(), st.randoms())
def test_the_order_of_questions_and_answers_does_not_matter(
    sheet: tuple[list[Question], dict[int, str], int, int], chance: object
) -> None:
    asked, replies, ours, theirs = sheet
    mixed, answers = list(asked), list(replies.items())
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    chance.shuffle(answers)  # type: ignore[attr-defined]
    one, other = judge(asked, replies, ours, theirs), judge(mixed, dict(answers), ours, theirs)
    for a, b in ((one.ours, other.ours), (one.theirs, other.theirs)):
        assert (a.score, a.best, a.advice) == (b.score, b.best, b.advice)


@given(sheets())
def test_not_answering_is_the_same_as_unknown(sheet: tuple[list[Question], dict[int, str], int, int]) -> None:
    asked, replies, ours, theirs = sheet
    assert judge(asked, replies, ours, theirs) == judge(
        asked, {q.key: "unknown" for q in asked} | replies, ours, theirs
    )


@given(questions, thresholds)
def test_unknown_is_not_no(asked: list[Question], threshold: int) -> None:
    nothing = judge(asked, {}, threshold, threshold)
    refused = judge(asked, {q.key: "no" for q in asked}, threshold, threshold)
    for side, other in ((nothing.ours, refused.ours), (nothing.theirs, refused.theirs)):
        assert side.advice == Advice.UNDECIDED
        assert other.advice == (Advice.NO if side.lines else Advice.UNDECIDED)


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


def test_a_reply_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        judge([Question(1, "ours", 1)], {1: "perhaps"})
