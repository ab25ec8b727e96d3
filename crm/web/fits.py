"""Who fits a lead, as the card on its page and the form of the hand-off show it: each with the reasons, the first with a free time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm import agenda, fitting
from crm.fitting import Fit
from crm.models import Lead

ASKED = 3
"""So many of the first are asked for a free time: who stands further down is seldom chosen for it."""

WEEK = timedelta(days=6)
MEETING = 30
"""Minutes of a first meeting."""


@dataclass(frozen=True)
class FitLine:
    fit: Fit
    free: str

    @property
    def why(self) -> str:
        return " · ".join(self.fit.reasons)


def of(lead: Lead, at: datetime) -> list[FitLine]:
    """Every account manager, who fits best first."""
    fits = fitting.who_fits(lead, at=at)
    asked = [fit.user for fit in fits[:ASKED] if not fit.is_away]
    free = agenda.first_free(asked, minutes=MEETING, at=at) if asked else {}
    return [FitLine(fit, _free(free.get(fit.user.pk), at)) for fit in fits]


def _free(moment: datetime | None, at: datetime) -> str:
    """*free Mon 10:30*; with its date when that is not within the week."""
    if moment is None:
        return ""
    words = date_format(moment, _("D H:i") if moment - at < WEEK else _("D j M, H:i"))
    return _("free %(moment)s") % {"moment": words}
