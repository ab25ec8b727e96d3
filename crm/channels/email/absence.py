"""Until when somebody says to be away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime


def away_until(subject: str, text: str, *, at: datetime, languages: Sequence[str]) -> date | None:
    """The last day of absence, or None when none is told."""
    return None
