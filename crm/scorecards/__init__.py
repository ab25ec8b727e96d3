"""Write down what a customer is: begin a scorecard, edit its draft, put a version in use and take it out of use.

What was answered keeps the version that it was answered on, so a version that is in use or was used is never edited; its next one is.
"""

from __future__ import annotations

from crm.scorecards.drafts import is_draft
from crm.scorecards.editing import MOST_OPTIONS, MOST_QUESTIONS, Possible, arrange, ask, describe, drop, move
from crm.scorecards.using import begin, discard, new_version, publish, retire

__all__ = [
    "MOST_OPTIONS",
    "MOST_QUESTIONS",
    "Possible",
    "arrange",
    "ask",
    "begin",
    "describe",
    "discard",
    "drop",
    "is_draft",
    "move",
    "new_version",
    "publish",
    "retire",
]
