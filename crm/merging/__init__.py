"""Make two rows one, and two again: people, or organisations, that were kept twice.

`merge` lets one row stay and the other go: everything that points at the row that goes, whatever the table, points at the one that stays
afterwards, and the record of the merge keeps what is needed to put every row back exactly as it was (`undo`, for thirty days).

Nobody is lost to somebody else's work at the same moment: both rows are locked in the order of their keys, so of two merges that share one the
second sees what the first has done; and a row that is added meanwhile for the one that goes is refused by the database when it is committed.
"""

from __future__ import annotations

from crm.merging.fields import Choice, comparison
from crm.merging.relations import counts
from crm.merging.undoing import Undone, undo
from crm.merging.writing import gather, merge

__all__ = ["Choice", "Undone", "comparison", "counts", "gather", "merge", "undo"]
