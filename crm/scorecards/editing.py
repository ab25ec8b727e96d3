"""Edit a draft: what it is called, what it asks, what the answers are worth, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.models import User
from crm.refusal import Refused
from crm.scorecards import drafts
from qualification.models import Criterion, CriterionKind, Option, Scorecard, Side

MOST_QUESTIONS = 60
MOST_OPTIONS = 20


@dataclass(frozen=True)
class Possible:
    """A possible answer of a choice (its `label`), or a band of a number (from `at_least` on), with its points."""

    points: int
    label: str = ""
    at_least: Decimal | None = None


@transaction.atomic
def describe(
    *,
    scorecard: Scorecard,
    name: str,
    description: str,
    threshold_ours: int,
    threshold_theirs: int,
    by: User,
    at: datetime,
) -> Scorecard:
    """The draft is called and described so, and each side says yes from its own threshold on. A name is that of all versions, so they are renamed
    together. Refuses a name that another scorecard has, and a threshold that is not from 1 to 100."""
    scorecard = drafts.held(scorecard.pk)
    name, description = drafts.line(name, 100), description.replace("\0", "").strip()[:2000]
    if not name:
        raise Refused(_("Give the scorecard a name."))
    if not (1 <= threshold_ours <= 100 and 1 <= threshold_theirs <= 100):
        raise Refused(_("A side says yes from 1 to 100 points on."))
    wanted = {
        "name": name,
        "description": description,
        "threshold_ours": threshold_ours,
        "threshold_theirs": threshold_theirs,
    }
    before = {field: getattr(scorecard, field) for field in wanted}
    changed = [field for field, value in wanted.items() if before[field] != value]
    if not changed:
        return scorecard
    if "name" in changed:
        drafts.must_be_free(name)
        Scorecard.objects.filter(name=scorecard.name).update(name=name)
    for field in changed:
        setattr(scorecard, field, wanted[field])
    scorecard.save(update_fields=changed)
    drafts.record(
        scorecard,
        "described",
        by,
        at,
        old={field: before[field] for field in changed},
        **{field: wanted[field] for field in changed},
    )
    return scorecard


@transaction.atomic
def ask(
    *,
    scorecard: Scorecard,
    side: str,
    kind: str,
    question: str,
    by: User,
    at: datetime,
    criterion: Criterion | None = None,
    help_text: str = "",
    weight: int = 1,
    is_must: bool = False,
    must_from: int = 100,
    asks_prospect: bool = False,
    prospect_question: str = "",
    options: Sequence[Possible] = (),
) -> Criterion:
    """The draft asks this: as its last question, or as `criterion`, which keeps its key and place. Words weigh nothing and are no must-have; only a
    choice and a number have possible answers.

    Refuses an empty question, a weight or a percentage out of bounds, a choice of fewer than two answers, a number without a band, the same answer
    twice, and answers that all earn nothing.
    """
    scorecard = drafts.held(scorecard.pk)
    row = _held(criterion, scorecard) if criterion else Criterion(scorecard=scorecard)
    if side not in Side.values or kind not in CriterionKind.values:
        raise Refused(_("Choose whose side this is about, and how it is answered."))
    if not (question := drafts.line(question, 200)):
        raise Refused(_("Write the question."))
    scores = kind != CriterionKind.TEXT
    if scores and not 1 <= weight <= 100:
        raise Refused(_("A weight is from 1 to 100."))
    if scores and is_must and not 1 <= must_from <= 100:
        raise Refused(_("A must-have is met from 1 to 100 percent of its points on."))
    possible = _possible(kind, options)
    if criterion is None:
        if scorecard.criteria.count() >= MOST_QUESTIONS:
            raise Refused(_("A scorecard has at most %(most)d questions.") % {"most": MOST_QUESTIONS})
        last = scorecard.criteria.order_by("-position").values_list("position", flat=True).first()
        row.position = 0 if last is None else last + 1
    row.side, row.kind, row.question, row.help_text = side, kind, question, drafts.line(help_text, 300)
    row.weight, row.is_must = (weight, is_must) if scores else (0, False)
    row.must_from = must_from if row.is_must else 100
    row.asks_prospect = asks_prospect
    row.prospect_question = drafts.line(prospect_question, 200) if asks_prospect else ""
    row.save()
    row.options.all().delete()
    Option.objects.bulk_create(
        Option(criterion=row, label=each.label, at_least=each.at_least, points=each.points, position=place)
        for place, each in enumerate(possible)
    )
    drafts.record(scorecard, "question_changed" if criterion else "question_added", by, at, question=question)
    return row


@transaction.atomic
def drop(*, criterion: Criterion, by: User, at: datetime) -> None:
    """The draft asks this no more. Twice is once."""
    scorecard = drafts.held(criterion.scorecard_id)
    if scorecard.criteria.filter(pk=criterion.pk).delete()[0]:
        drafts.record(scorecard, "question_removed", by, at, question=criterion.question)


@transaction.atomic
def arrange(*, scorecard: Scorecard, order: Sequence[int], by: User, at: datetime) -> None:
    """These questions of the draft stand in this order, in the places that they have together; the others stay where they are. What is not one of
    its questions is passed over."""
    scorecard = drafts.held(scorecard.pk)
    standing = list(scorecard.criteria.order_by("position", "pk"))
    own = {row.pk: row for row in standing}
    wanted = iter([own[key] for key in dict.fromkeys(order) if key in own])
    moving = own.keys() & set(order)
    arranged = [next(wanted) if row.pk in moving else row for row in standing]
    if arranged == standing and [row.position for row in standing] == list(range(len(standing))):
        return
    for place, row in enumerate(arranged):
        row.position = place
    Criterion.objects.bulk_update(arranged, ["position"])
    if arranged != standing:
        drafts.record(scorecard, "arranged", by, at)


@transaction.atomic
def move(*, criterion: Criterion, is_up: bool, by: User, at: datetime) -> None:
    """The question changes places with the one before it on its side, or after it; the first and the last stay where they are."""
    keys = list(
        Criterion.objects.filter(scorecard=criterion.scorecard_id, side=criterion.side)
        .order_by("position", "pk")
        .values_list("pk", flat=True)
    )
    if criterion.pk not in keys:
        return
    place = keys.index(criterion.pk)
    other = place - 1 if is_up else place + 1
    if 0 <= other < len(keys):
        keys[place], keys[other] = keys[other], keys[place]
        arrange(scorecard=criterion.scorecard, order=keys, by=by, at=at)


def _held(criterion: Criterion, scorecard: Scorecard) -> Criterion:
    row = scorecard.criteria.filter(pk=criterion.pk).first()
    if row is None:
        raise Refused(_("This question is not there any more."))
    return row


def _possible(kind: str, options: Sequence[Possible]) -> list[Possible]:
    """The possible answers as they are kept: of a choice in the order given, of a number from the lowest band up."""
    if kind not in (CriterionKind.CHOICE, CriterionKind.NUMBER):
        return []
    if len(options) > MOST_OPTIONS:
        raise Refused(_("A question has at most %(most)d possible answers.") % {"most": MOST_OPTIONS})
    if any(not 0 <= each.points <= 100 for each in options):
        raise Refused(_("Points are from 0 to 100."))
    if kind == CriterionKind.CHOICE:
        kept = [Possible(each.points, label=label) for each in options if (label := drafts.line(each.label, 100))]
        seen: list[Any] = [each.label for each in kept]
        if len(kept) < 2:
            raise Refused(_("Write at least two answers to choose from."))
    else:
        bands = [(each.at_least, each.points) for each in options if each.at_least is not None]
        kept = [Possible(points, at_least=at_least) for at_least, points in sorted(bands)]
        seen = [each.at_least for each in kept]
        if not kept:
            raise Refused(_("Say from which number on there are how many points."))
        if any(abs(at_least) >= Decimal(10) ** 12 for at_least, _points in bands):
            raise Refused(_("A number has at most twelve digits."))
    if len(set(seen)) < len(seen):
        raise Refused(_("Each answer stands here once."))
    if not any(each.points for each in kept):
        raise Refused(_("Give points to at least one answer."))
    return kept
