"""The card *Do we fit each other?* of a lead: what each question takes as an answer, and which single answer would change the outcome, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from qualification import assessing
from qualification.assessing import Sheet
from qualification.models import Criterion, CriterionKind, Reply
from qualification.scoring import SCALE, Advice, Turn, as_number

SHOWN = 3
"""How many answers that would help are shown openly; the others are a click away."""


@dataclass(frozen=True)
class Change:
    """One answer that would change the outcome, as a sentence. One that helps brings a yes of both sides nearer."""

    sentence: str
    helps: bool


def of(sheet: Sheet | None, typed: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the card shows of a sheet. `typed` is what was posted and refused, and stays in its fields."""
    if sheet is None:
        return {"questions": [], "changes": [], "further_changes": []}
    told = [_change(sheet, turn) for turn in sheet.turns] if any(row.value for row in sheet.rows) else []
    helping = [change for change in told if change.helps]
    return {
        "questions": [_asked(row, typed) for row in sheet.rows],
        "changes": helping[:SHOWN],
        "further_changes": helping[SHOWN:] + [change for change in told if not change.helps],
    }


def _asked(row: assessing.Row, typed: dict[str, Any] | None) -> dict[str, Any]:
    """One question with its fields as they stand: chosen is what is answered, or what was typed and refused."""
    again = typed if typed and typed["pk"] == row.criterion.pk else None
    chosen = again["value"] if again else (row.value or _unknown(row.criterion)) if row.answer else None
    return {
        "row": row,
        "choices": choices(row.criterion),
        "chosen": chosen,
        "evidence": again["evidence"] if again else row.answer.evidence if row.answer else "",
        "wrong": again["sentence"] if again else "",
    }


def choices(criterion: Criterion) -> list[tuple[str, str]]:
    """What there is to choose from, *not known yet* among it; nothing for a number and for words."""
    unknown = (_unknown(criterion), str(Reply.UNKNOWN.label))
    if criterion.kind == CriterionKind.YES_NO:
        return [(value, str(label)) for value, label in Reply.choices]
    if criterion.kind == CriterionKind.SCALE:
        return [(value, value) for value in SCALE] + [unknown]
    if criterion.kind == CriterionKind.CHOICE:
        return [(option.label, option.label) for option in criterion.options.all()] + [unknown]
    return []


def _unknown(criterion: Criterion) -> str:
    return Reply.UNKNOWN.value if criterion.kind == CriterionKind.YES_NO else ""


def _change(sheet: Sheet, turn: Turn) -> Change:
    criterion = sheet.criterion(turn.question.key)
    said = {"question": criterion.question, "answer": _supposed(criterion, turn.value)}
    if turn.outcome == Advice.YES:
        return Change(_("If “%(question)s” were %(answer)s, both sides would say yes.") % said, helps=True)
    if turn.outcome == Advice.NO:
        return Change(_("If “%(question)s” were %(answer)s, it would be a no.") % said, helps=False)
    helps = sheet.result.outcome == Advice.NO
    if helps:
        return Change(_("If “%(question)s” were %(answer)s, it would be open again.") % said, helps=True)
    return Change(
        _("If “%(question)s” were %(answer)s, there would be no yes of both sides any more.") % said, helps=False
    )


def _supposed(criterion: Criterion, value: str) -> str:
    """An answer as it stands after *were*."""
    if criterion.kind == CriterionKind.YES_NO:
        return {
            "yes": pgettext("were …", "yes"),
            "partly": pgettext("were …", "partly"),
            "no": pgettext("were …", "no"),
        }[value]
    if criterion.kind == CriterionKind.NUMBER:
        bands = [option.at_least for option in criterion.options.all() if option.at_least is not None]
        if as_number(value) < min(bands):
            return _("less than %(number)s") % {"number": assessing.said(criterion, f"{min(bands).normalize():f}")}
        return _("%(number)s or more") % {"number": assessing.said(criterion, f"{as_number(value).normalize():f}")}
    said = assessing.said(criterion, value)
    return f"“{said}”" if criterion.kind == CriterionKind.CHOICE else said
