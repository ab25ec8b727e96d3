"""One column of a list: its name, what a file says in it, what it needs of the database, and how a list is sorted by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import CharField
from django.utils import timezone

from crm.models.selections import filled
from crm.web.keyset import Key

Prepare = Callable[[Any], Any]


def as_it_is(rows: Any) -> Any:
    return rows


@dataclass(frozen=True)
class Column:
    """`text` is the cell of a file; the cell on the screen is the part of this key in the list's template of cells.

    `order` sorts by it, A to Z or oldest first; empty when nobody would sort by it. `starts_down` says that the first click shows the last first.
    """

    key: str
    label: Any
    text: Callable[[Any], str]
    order: tuple[Key, ...] = ()
    prepare: Prepare = as_it_is
    starts_down: bool = False

    def sorted(self, *, descending: bool) -> tuple[Key, ...]:
        """The order and, so that it is one, the key of the row."""
        keys = (*self.order, Key("id"))
        return tuple(replace(key, descending=not key.descending) for key in keys) if descending else keys


def worded(column: str) -> dict[str, Any]:
    """Of a column of text that may be empty: sorted with the empty ones at the end, whichever way."""
    return {
        "order": (Key(f"{column}_or_none", nulls_last=True, field=CharField()),),
        "prepare": lambda rows: filled(rows, column),
    }


def day(value: date | datetime | None) -> str:
    """A day as a spreadsheet reads it in every language."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return value.isoformat() if value else ""
