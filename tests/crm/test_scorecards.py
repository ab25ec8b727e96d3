"""A scorecard is edited as a draft, used as it stands, and tried on the leads of before, first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm import scorecard_trial, scorecards
from crm.models import Event, EventKind, User
from crm.refusal import Refused
from crm.scorecards import Possible
from crm.timeline.sentences import SENTENCES
from qualification import ready_made, versions
from qualification.models import Criterion, CriterionKind, Scorecard, Side
from tests import make

pytestmark = pytest.mark.django_db
AT = make.AT


def draft(by: User, ready: str = "bant") -> Scorecard:
    return scorecards.begin(ready=ready, by=by, at=AT)


def ask(scorecard: Scorecard, by: User, **said: Any) -> Criterion:
    return scorecards.ask(
        **{
            "scorecard": scorecard,
            "side": "ours",
            "kind": "yes_no",
            "question": "Do they pay?",
            "by": by,
            "at": AT,
            **said,
        }
    )


def order(scorecard: Scorecard, side: Side = Side.OURS) -> list[int]:
    return list(scorecard.criteria.filter(side=side).order_by("position").values_list("pk", flat=True))


@pytest.mark.parametrize("code", sorted(ready_made.READY))
def test_a_ready_made_one_begins_as_a_draft(admin_user: User, code: str) -> None:
    card = draft(admin_user, code)
    assert scorecards.is_draft(card)
    assert not Scorecard.objects.current().exists()
    assert Event.objects.get(kind=EventKind.SCORECARD_CHANGED, subject_id=card.pk, new__act="begun").by == admin_user
    with pytest.raises(Refused, match="of this name already"):
        draft(admin_user, code)


@pytest.mark.parametrize(
    ("said", "words"),
    [({"name": "  "}, "a name"), ({"ready": "astrology"}, "Choose one"), ({"name": "x" * 101}, "too long")],
)
def test_a_beginning_that_is_none_is_refused(admin_user: User, said: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        scorecards.begin(**said, by=admin_user, at=AT)


def test_a_version_in_use_or_used_is_never_edited(admin_user: User, sdr: User) -> None:
    make.qualified_lead(sdr)
    used = make.scorecard()
    criterion = used.criteria.first()
    assert criterion is not None
    for in_use in (True, False):
        (scorecards.publish if in_use else scorecards.retire)(scorecard=used, by=admin_user, at=AT)
        for attempt in (
            lambda: ask(used, admin_user),
            lambda: ask(used, admin_user, criterion=criterion),
            lambda: scorecards.drop(criterion=criterion, by=admin_user, at=AT),
            lambda: scorecards.move(criterion=criterion, is_up=False, by=admin_user, at=AT),
            lambda: scorecards.arrange(scorecard=used, order=[], by=admin_user, at=AT),
            lambda: scorecards.discard(scorecard=used, by=admin_user, at=AT),
            lambda: scorecards.describe(
                scorecard=used, name="Other", description="", threshold_ours=1, threshold_theirs=1, by=admin_user, at=AT
            ),
        ):
            with pytest.raises(Refused, match="Make a new version"):
                attempt()
    assert used.criteria.count() == 5


def test_the_next_version_is_a_draft_once_and_the_one_in_use_stays_in_use(admin_user: User, sdr: User) -> None:
    make.qualified_lead(sdr)
    used = make.scorecard()
    fresh = scorecards.new_version(scorecard=used, by=admin_user, at=AT)
    assert scorecards.new_version(scorecard=used, by=admin_user, at=AT) == fresh
    assert (fresh.version, scorecards.is_draft(fresh)) == (2, True)
    assert list(Scorecard.objects.current()) == [used]
    scorecards.publish(scorecard=fresh, by=admin_user, at=AT)
    assert list(Scorecard.objects.filter(is_active=True)) == [fresh]
    scorecards.publish(scorecard=used, by=admin_user, at=AT)
    assert list(Scorecard.objects.filter(is_active=True)) == [used]
    assert versions.is_used(used)


def test_a_side_that_is_asked_nothing_can_never_say_yes_so_it_is_not_put_in_use(admin_user: User) -> None:
    card = scorecards.begin(name="Our own", by=admin_user, at=AT)
    for side, kind, missing in (("theirs", "text", "we want them"), ("ours", "yes_no", "they want us")):
        ask(card, admin_user, side=side, kind=kind)
        with pytest.raises(Refused, match="we want them" if side == "theirs" else missing):
            scorecards.publish(scorecard=card, by=admin_user, at=AT)
    ask(card, admin_user, side="theirs", kind="scale")
    assert scorecards.publish(scorecard=card, by=admin_user, at=AT).is_active
    assert not scorecards.retire(scorecard=card, by=admin_user, at=AT).is_active


def test_a_changed_question_keeps_its_key_and_its_place(admin_user: User) -> None:
    card = draft(admin_user)
    before = card.criteria.get(kind=CriterionKind.NUMBER)
    changed = ask(
        card,
        admin_user,
        criterion=before,
        kind="choice",
        question="How many?",
        weight=7,
        is_must=True,
        must_from=40,
        asks_prospect=True,
        prospect_question="How many are you?",
        options=[Possible(10, label=" Many\0 "), Possible(3, label="Some"), Possible(9, label=" ")],
    )
    assert (changed.key, changed.position, changed.pk) == (before.key, before.position, before.pk)
    assert [(option.label, option.points) for option in changed.options.all()] == [("Many", 10), ("Some", 3)]
    assert (changed.is_must, changed.must_from, changed.prospect_question) == (True, 40, "How many are you?")
    words = ask(
        card, admin_user, criterion=changed, kind="text", is_must=True, weight=9, options=[Possible(1, label="a")]
    )
    assert (words.weight, words.is_must, words.must_from, words.options.count(), words.prospect_question) == (
        0,
        False,
        100,
        0,
        "",
    )


def test_bands_stand_from_the_lowest_up(admin_user: User) -> None:
    row = ask(
        draft(admin_user),
        admin_user,
        kind="number",
        options=[Possible(10, at_least=Decimal(50)), Possible(0, at_least=Decimal(0)), Possible(9)],
    )
    assert [(option.at_least, option.points) for option in row.options.all()] == [(Decimal(0), 0), (Decimal(50), 10)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"question": " \0 "}, "Write the question"),
        ({"question": "x" * 201}, "too long"),
        ({"side": "both"}, "whose side"),
        ({"kind": "mood"}, "whose side"),
        ({"weight": 0}, "from 1 to 100"),
        ({"is_must": True, "must_from": 101}, "percent"),
        ({"kind": "choice", "options": [Possible(1, label="a")]}, "two answers"),
        ({"kind": "choice", "options": [Possible(1, label="a"), Possible(2, label="a ")]}, "here once"),
        ({"kind": "choice", "options": [Possible(0, label="a"), Possible(0, label="b")]}, "at least one answer"),
        ({"kind": "choice", "options": [Possible(101, label="a"), Possible(0, label="b")]}, "from 0 to 100"),
        ({"kind": "choice", "options": [Possible(n, label=str(n)) for n in range(21)]}, "at most 20"),
        ({"kind": "number", "options": []}, "from which number"),
        ({"kind": "number", "options": [Possible(1, at_least=Decimal(10) ** 12)]}, "twelve digits"),
        (
            {"kind": "number", "options": [Possible(1, at_least=Decimal(1)), Possible(2, at_least=Decimal("1.00"))]},
            "here once",
        ),
    ],
)
def test_a_question_that_could_not_be_scored_is_refused(admin_user: User, said: dict[str, Any], words: str) -> None:
    card = scorecards.begin(name="Our own", by=admin_user, at=AT)
    with pytest.raises(Refused, match=words):
        ask(card, admin_user, **said)
    assert not card.criteria.exists()


def test_questions_are_arranged_by_hand_and_one_by_one(admin_user: User) -> None:
    card = draft(admin_user)
    one, two, three, four = order(card)
    theirs = order(card, Side.THEIRS)
    scorecards.arrange(scorecard=card, order=[four, 999999, one, two, three, one], by=admin_user, at=AT)
    assert order(card) == [four, one, two, three]
    assert order(card, Side.THEIRS) == theirs
    second = Criterion.objects.get(pk=one)
    scorecards.move(criterion=second, is_up=True, by=admin_user, at=AT)
    scorecards.move(criterion=second, is_up=True, by=admin_user, at=AT)
    assert order(card) == [one, four, two, three]
    scorecards.move(criterion=Criterion.objects.get(pk=three), is_up=False, by=admin_user, at=AT)
    assert order(card) == [one, four, two, three]
    assert Event.objects.filter(kind=EventKind.SCORECARD_CHANGED, new__act="arranged").count() == 2


def test_a_dropped_question_and_a_discarded_draft_are_gone(admin_user: User) -> None:
    card = draft(admin_user)
    criterion = card.criteria.first()
    assert criterion is not None
    for _twice in range(2):
        scorecards.drop(criterion=criterion, by=admin_user, at=AT)
    assert card.criteria.count() == 6
    scorecards.discard(scorecard=card, by=admin_user, at=AT)
    assert not Scorecard.objects.exists()
    acts = Event.objects.filter(kind=EventKind.SCORECARD_CHANGED).order_by("pk").values_list("new__act", flat=True)
    assert list(acts) == ["begun", "question_removed", "discarded"]


def test_a_name_is_that_of_all_versions(admin_user: User, sdr: User) -> None:
    make.qualified_lead(sdr)
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=AT)
    draft(admin_user)

    def describe(name: str, ours: int = 70) -> Scorecard:
        return scorecards.describe(
            scorecard=fresh,
            name=name,
            description="Whom we help.",
            threshold_ours=ours,
            threshold_theirs=55,
            by=admin_user,
            at=AT,
        )

    for _twice in range(2):
        describe("Who fits")
    assert list(Scorecard.objects.filter(name="Who fits").order_by("version").values_list("version", flat=True)) == [
        1,
        2,
    ]
    changed = Event.objects.get(kind=EventKind.SCORECARD_CHANGED, new__act="described")
    assert changed.old == {"name": "Ideal client", "description": "", "threshold_ours": 60, "threshold_theirs": 60}
    with pytest.raises(Refused, match="of this name already"):
        describe("BANT")
    with pytest.raises(Refused, match="from 1 to 100"):
        describe("Who fits", ours=0)


def test_what_was_changed_is_said_in_a_sentence(admin_user: User) -> None:
    card = draft(admin_user)
    ask(card, admin_user, question="Do they sail?")
    say = SENTENCES[EventKind.SCORECARD_CHANGED]
    said = [say(event.old or {}, event.new or {}) for event in Event.objects.order_by("pk")]
    assert said == ["BANT v1 is begun.", "BANT v1: “Do they sail?” is asked."]


# ---- The trial -----------------------------------------------------------------------------------------------------


def test_a_draft_is_tried_on_the_leads_that_were_assessed(admin_user: User, sdr: User) -> None:
    yes = make.qualified_lead(sdr)
    open_ = make.answered(make.working_lead(sdr), by=sdr, replies={"Ten people or more": "unknown"})
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=AT)
    same = scorecard_trial.of(fresh)
    assert (same.tried, same.changed) == (2, [])
    size = fresh.criteria.get(question="Ten people or more")
    ask(fresh, admin_user, criterion=size, question="Ten people or more", kind="scale", is_must=True)
    changed = scorecard_trial.of(fresh)
    assert [(row.lead, row.before.outcome, row.after.outcome) for row in changed.changed] == [(yes, "yes", "undecided")]
    scorecards.drop(criterion=size, by=admin_user, at=AT)
    assert [(row.lead, row.after.outcome) for row in scorecard_trial.of(fresh).changed] == [(open_, "yes")]


def test_a_stricter_threshold_changes_those_between(admin_user: User, sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"They treat people as we do": "no"})
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=AT)
    fresh.threshold_ours = 90
    assert [(row.lead, row.before.outcome, row.after.outcome) for row in scorecard_trial.of(fresh).changed] == [
        (lead, "yes", "no")
    ]


def test_a_scorecard_that_nobody_answered_is_tried_on_nobody(admin_user: User, sdr: User) -> None:
    make.qualified_lead(sdr)
    assert scorecard_trial.of(draft(admin_user)) == scorecard_trial.Trial(0, [])


def test_the_trial_takes_a_handful_of_queries_and_the_newest_leads(
    admin_user: User, sdr: User, django_assert_max_num_queries: Any
) -> None:
    leads = [make.qualified_lead(sdr) for _number in range(4)]
    fresh = scorecards.new_version(scorecard=make.scorecard(), by=admin_user, at=AT)
    fresh.threshold_ours = fresh.threshold_theirs = 100
    for criterion in fresh.criteria.all():
        scorecards.ask(
            scorecard=fresh,
            criterion=criterion,
            side=criterion.side,
            kind="scale",
            question="Else?",
            by=admin_user,
            at=AT,
        )
    with django_assert_max_num_queries(7):
        trial = scorecard_trial.of(fresh, most=3)
    assert trial.tried == 3
    assert [row.lead for row in trial.changed] == leads[:0:-1]
