"""A scorecard to start with, for a company that has not written its own definition of a customer yet."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from qualification.models import Criterion, Scorecard, Side

IDEAL_CLIENT = (
    (Side.OURS, gettext_noop("They name a pain that we can take away"), gettext_noop("In their own words, with an example."), 5, True),
    (Side.OURS, gettext_noop("They have the size that we help best"), gettext_noop("Neither too small nor too large for us."), 4, True),
    (Side.OURS, gettext_noop("They treat people as we do"), gettext_noop("How they speak of their own people."), 5, False),
    (Side.THEIRS, gettext_noop("They chose a date and say why"), gettext_noop("Their date, and what happens then."), 6, True),
    (Side.THEIRS, gettext_noop("All who decide have spoken to us"), gettext_noop("Also the partner, the accountant, the board."), 6, False),
)  # fmt: skip
"""Side, question, what to look for, weight, must-have: few questions, both sides, to be replaced by a company's own."""


@transaction.atomic
def ideal_client() -> tuple[Scorecard, bool]:
    """The scorecard *Ideal client* in the active language, in use, and whether it was made now. Asked for again it is left as it is."""
    scorecard, is_new = Scorecard.objects.get_or_create(name=_("Ideal client"), version=1)
    if is_new:
        Criterion.objects.bulk_create(
            Criterion(
                scorecard=scorecard,
                side=side,
                question=_(question),
                help_text=_(help_text),
                weight=weight,
                is_must=is_must,
                position=position,
            )
            for position, (side, question, help_text, weight, is_must) in enumerate(IDEAL_CLIENT)
        )
    return scorecard, is_new
