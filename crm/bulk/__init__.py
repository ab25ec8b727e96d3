"""One act on many people or organisations at once: what it would do is shown first, what it did stands in one `BulkAct`, and it can be taken back
for a week."""

from __future__ import annotations

from crm.bulk.acts import ACTS, MOST, UNDO_WITHIN, Act, Change, words
from crm.bulk.planning import LeftOut, Plan, plan
from crm.bulk.writing import Undone, do, undo

__all__ = ["ACTS", "MOST", "UNDO_WITHIN", "Act", "Change", "LeftOut", "Plan", "Undone", "do", "plan", "undo", "words"]
