"""Lists that stay quick at any depth: pages found by the last row seen, never by counting rows past.

A screen declares its order once; the page's links carry the sort values of its first and last row. Nothing is counted,
rows that arrive or leave in between neither repeat nor hide others, and a cursor that makes no sense gives page one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.utils.formats import number_format

SIZE = 50
LONGEST_CURSOR = 1000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Key:
    """One column of an order: a model field, a path over relations, or an annotation (then give its `field`).

    Where the column may be empty, "never" counts as the oldest: first when ascending, last when descending.
    `nulls_last` says otherwise. An index must be declared with the same place for the empty ones to be of use.
    """

    name: str
    descending: bool = False
    nulls_last: bool | None = None
    field: Field[Any, Any] | None = None
    nullable: bool | None = None

    @property
    def empties_last(self) -> bool:
        return self.descending if self.nulls_last is None else self.nulls_last

    def resolved(self, model: type[Model]) -> Key:
        """The same key knowing its field and whether it can be empty."""
        if self.field is not None:
            return Key(self.name, self.descending, self.nulls_last, self.field, self.nullable is not False)
        found, nullable = _walk(model, self.name)
        return Key(self.name, self.descending, self.nulls_last, found, nullable)

    def ordering(self, *, reverse: bool) -> OrderBy:
        descending = self.descending != reverse
        column = F(self.name)
        if not self.nullable:  # a plain order, so that a plain index serves it
            return column.desc() if descending else column.asc()
        last = self.empties_last != reverse
        places: dict[str, Any] = {"nulls_last": True} if last else {"nulls_first": True}
        return column.desc(**places) if descending else column.asc(**places)

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def beyond(self, value: Any, *, reverse: bool) -> Q | None:
        """Rows that come after `value` in this direction; None when nothing can."""
        empties_follow = bool(self.nullable) and self.empties_last != reverse
        if value is None:
            return None if empties_follow else Q(**{f"{self.name}__isnull": False})
        comparison = "lt" if self.descending != reverse else "gt"
        rows = Q(**{f"{self.name}__{comparison}": value})
        return rows | Q(**{f"{self.name}__isnull": True}) if empties_follow else rows


@dataclass(frozen=True)
class Page(Generic[M]):
    """The rows of one page, in order, and where its neighbours begin (None: there is no such neighbour)."""

    rows: list[M] = field(default_factory=list)
    previous: str | None = None
    next: str | None = None

    def __iter__(self) -> Iterator[M]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def page(queryset: QuerySet[M], *, order: Sequence[str | Key], at: Mapping[str, Any], size: int = SIZE) -> Page[M]:
    """The page of `queryset` that `at` (usually `request.GET`) asks for with `after` or `before`; else the first.

    `order` is such as `("-received_at", "-id")`; the last key must be unique. One query, or two where a page reaches
    from the filled into the empty values of the first key.
    """
    keys = [_as_key(entry).resolved(queryset.model) for entry in order]
    after = _read_cursor(at.get("after"), keys)
    if after is not None:
        rows, more = _take(queryset, keys, after, size, reverse=False)
        if rows:
            return Page(rows, _cursor(rows[0], keys), _cursor(rows[-1], keys) if more else None)
    before = _read_cursor(at.get("before"), keys) if after is None else None
    if before is not None:
        rows, more = _take(queryset, keys, before, size, reverse=True)
        if more:
            return Page(rows, _cursor(rows[0], keys), _cursor(rows[-1], keys))
        # Fewer than a page lie before the cursor, so the first page is the honest answer.
    rows = list(queryset.order_by(*(key.ordering(reverse=False) for key in keys))[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(rows, None, _cursor(rows[-1], keys) if more else None)


@dataclass(frozen=True)
class BoundedCount:
    """A count that stopped counting in time: `number`, and whether there are `more` than that."""

    number: int
    more: bool

    def __int__(self) -> int:
        return self.number

    def __bool__(self) -> bool:
        return self.number > 0

    def __str__(self) -> str:
        return number_format(self.number, use_l10n=True, force_grouping=True) + ("+" if self.more else "")


def bounded_count(queryset: QuerySet[Any], limit: int = 10_000) -> BoundedCount:
    """How many rows there are, looking at no more than `limit` of them: prints as "312" or "10,000+"."""
    found = queryset.order_by()[: limit + 1].count()
    return BoundedCount(min(found, limit), found > limit)


def _as_key(entry: str | Key) -> Key:
    return entry if isinstance(entry, Key) else Key(entry.removeprefix("-"), descending=entry.startswith("-"))


def _walk(model: type[Model], path: str) -> tuple[Field[Any, Any], bool]:
    """The field at the end of a path over relations, and whether any step of it may be empty."""
    nullable = False
    *steps, last = path.split("__")
    for step in steps:
        relation = model._meta.get_field(step)
        if not relation.is_relation or relation.related_model is None:
            raise FieldDoesNotExist(f"{path!r}: {step!r} leads nowhere.")
        nullable = nullable or bool(relation.null) or not relation.concrete
        model = relation.related_model
    found = model._meta.pk if last == "pk" else model._meta.get_field(last)
    if not isinstance(found, Field):
        raise FieldDoesNotExist(f"{path!r} does not end in a column.")
    return found, nullable or found.null


def _take(
    queryset: QuerySet[M], keys: Sequence[Key], values: Sequence[Any], size: int, *, reverse: bool
) -> tuple[list[M], bool]:
    """Up to `size` rows beyond `values`, in the list's own order, and whether more lie behind them.

    "a < x or (a = x and b < y)" alone would make the database walk the index from its beginning; the range on the first
    key beside it lets it start at the right place. For the same reason empty values are asked for apart.
    """
    ordered = queryset.order_by(*(key.ordering(reverse=reverse) for key in keys))
    first, *_ = keys
    rows: list[M] = []
    for stretch in _stretches(keys, values, reverse=reverse):
        rows += ordered.filter(stretch)[: size + 1 - len(rows)]
        if len(rows) > size:
            break
    more = len(rows) > size
    rows = rows[:size]
    return (rows[::-1] if reverse else rows), more


def _stretches(keys: Sequence[Key], values: Sequence[Any], *, reverse: bool) -> list[Q]:
    first, first_value = keys[0], values[0]
    tie = _beyond_in_ties(keys, values, reverse=reverse)
    is_empty = Q(**{f"{first.name}__isnull": True})
    empties_follow = bool(first.nullable) and first.empties_last != reverse
    if first_value is None:
        stretches = [is_empty & tie] if tie is not None else []
        return stretches if empties_follow else [*stretches, ~is_empty]
    comparison = "lt" if first.descending != reverse else "gt"
    strictly = Q(**{f"{first.name}__{comparison}": first_value})
    upto = Q(**{f"{first.name}__{comparison}e": first_value})
    filled = upto & (strictly | tie) if tie is not None else strictly
    return [filled, is_empty] if empties_follow else [filled]


def _beyond_in_ties(keys: Sequence[Key], values: Sequence[Any], *, reverse: bool) -> Q | None:
    """Rows equal to the cursor in the first key and beyond it in the others; None when there can be none."""
    rows: Q | None = None
    equal = keys[0].same(values[0])
    for key, value in zip(keys[1:], values[1:], strict=True):
        beyond = key.beyond(value, reverse=reverse)
        if beyond is not None:
            rows = equal & beyond if rows is None else rows | (equal & beyond)
        equal &= key.same(value)
    return rows


def _cursor(row: Model, keys: Sequence[Key]) -> str:
    values = []
    for key in keys:
        value: Any = row
        for step in key.name.split("__"):
            value = None if value is None else getattr(value, step, None)
        values.append(value.isoformat() if isinstance(value, date) else value if _is_plain(value) else str(value))
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | bool | float)


def _read_cursor(text: Any, keys: Sequence[Key]) -> list[Any] | None:
    """The values in a cursor, or None for one that is absent, damaged or made for another order."""
    if not isinstance(text, str) or not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(keys):
        return None
    read: list[Any] = []
    for key, value in zip(keys, values, strict=True):
        if value is None:
            if not key.nullable:
                return None
            read.append(None)
            continue
        if not isinstance(value, str | int | float) or (isinstance(value, str) and "\x00" in value):
            return None
        try:
            assert key.field is not None
            value = key.field.to_python(value)
        except (ValidationError, ValueError, TypeError, OverflowError, ArithmeticError):
            return None
        if isinstance(value, datetime) and value.tzinfo is None:
            return None
        if isinstance(value, float) and value != value:
            return None
        read.append(value)
    return read
