"""Log what was said, change and remove it, and keep every *last contact* true.

This is the only code that writes the columns of last contact and last reply: always by computing them afresh from the conversations that exist,
so that adding, editing, deleting or moving one can never leave a wrong date, and "never" stays `NULL`.
"""

from __future__ import annotations

from crm.conversations.changing import ChangedMeanwhile, change, fingerprint, keep_private, kept_by, show
from crm.conversations.last_contact import recompute
from crm.conversations.writing import delete, log

__all__ = [
    "ChangedMeanwhile",
    "change",
    "delete",
    "fingerprint",
    "keep_private",
    "kept_by",
    "log",
    "recompute",
    "show",
]
