"""What stands between a lead and a qualified verdict, in sentences."""

from __future__ import annotations

from django.utils.translation import gettext as _

from qualification.assessing import Sheet
from qualification.scoring import SideResult


def missing(sheet: Sheet) -> list[str]:
    """What stands between this lead and a qualified verdict, in sentences, the gravest first; empty when both sides say yes."""
    ours, theirs = sheet.result.ours, sheet.result.theirs
    return [
        *_failed(sheet, ours),
        *_failed(sheet, theirs),
        *_open(sheet, ours),
        *_open(sheet, theirs),
        *_too_few(
            ours, _("We do not say yes yet: %(score)s of the %(threshold)s points that it takes, of at most %(best)s.")
        ),
        *_too_few(
            theirs,
            _("They do not say yes yet: %(score)s of the %(threshold)s points that it takes, of at most %(best)s."),
        ),
    ]


def _failed(sheet: Sheet, side: SideResult) -> list[str]:
    return [
        _("The must-have “%(question)s” is not met.") % {"question": sheet.question(line.question.key)}
        for line in side.failed_musts
    ]


def _open(sheet: Sheet, side: SideResult) -> list[str]:
    return [
        _("Answer the must-have “%(question)s” first.") % {"question": sheet.question(line.question.key)}
        for line in side.open_musts
    ]


def _too_few(side: SideResult, sentence: str) -> list[str]:
    """Points are worth naming only when no must-have stands in the way."""
    if side.score >= side.threshold or side.open_musts or side.failed_musts:
        return []
    return [sentence % {"score": side.score, "threshold": side.threshold, "best": side.best}]
