"""A list and what an address asks of it. Everything that can be asked stands in the address, so that a list can be kept, shared and gone back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from crm.models import User
from crm.models.views import ListScreen
from crm.web import keyset
from crm.web.lists.columns import Column
from crm.web.lists.filters import Filter, Viewer

__all__ = ["Asked", "Chip", "Listing", "Sort", "Viewer"]


@dataclass(frozen=True)
class Chip:
    """A filter in force, in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Sort:
    """A column as a head of the list: how it is sorted now (`ascending`, `descending` or not) and where a click leads."""

    column: Column
    state: str
    href: str


@dataclass(frozen=True)
class Listing:
    """`columns` begins with the name, which is always shown. The list's template of cells has a part for each."""

    screen: ListScreen
    rows: Callable[[], Any]
    columns: tuple[Column, ...]
    shown: tuple[str, ...]
    sort: str
    filters: tuple[Filter, ...]
    named: Callable[[Any, str], Any]
    has_reach: bool = False
    """Whether a row ends with the ways to reach somebody."""

    @property
    def by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}

    @property
    def url(self) -> str:
        return reverse(f"crm:{self.screen}")

    def cell(self, key: str) -> str:
        """The template of the cells of one column."""
        return f"crm/lists/{self.screen}.html#{key}"

    @property
    def name_cell(self) -> str:
        return self.cell("name")

    @property
    def reach_cell(self) -> str:
        return self.cell("reach") if self.has_reach else ""

    def ask(self, asked: QueryDict, *, user: User, at: datetime) -> Asked:
        """What this address asks, as far as it makes sense."""
        viewer = Viewer(user, at, timezone.localdate(at))
        values = {
            entry.name: value
            for entry in self.filters
            if (value := entry.read(asked.get(entry.name, "").replace("\x00", " "), viewer))
        }
        sort = asked.get("sort", "")
        column = self.by_key.get(sort.removeprefix("-"))
        wanted = set(asked.getlist("show"))
        shown = tuple(column.key for column in self.columns[1:] if column.key in wanted)
        return Asked(self, viewer, values, sort if column and column.order else self.sort, shown or self.shown)


@dataclass(frozen=True)
class Asked:
    """One look at a list: filters in force by their names, the order, and the columns shown besides the name."""

    listing: Listing
    viewer: Viewer
    values: Mapping[str, str]
    sort: str
    shown: tuple[str, ...]

    @property
    def columns(self) -> list[Column]:
        return [self.listing.by_key[key] for key in self.shown]

    @cached_property
    def query(self) -> str:
        """This look as the query of an address; the same look is always the same text."""
        return self.query_with()

    def query_with(self, *, sort: str | None = None, without: str = "", filtered: bool = True) -> str:
        asked = QueryDict(mutable=True)
        if filtered:
            for name, value in self.values.items():
                if name != without:
                    asked[name] = value
        if (chosen := sort or self.sort) != self.listing.sort:
            asked["sort"] = chosen
        if self.shown != self.listing.shown:
            asked.setlist("show", list(self.shown))
        return asked.urlencode()

    @property
    def clear(self) -> str:
        """The same look without filters."""
        return self._address(self.query_with(filtered=False))

    def _address(self, query: str) -> str:
        return f"{self.listing.url}?{query}" if query else self.listing.url

    @property
    def address(self) -> str:
        return self._address(self.query)

    @property
    def chips(self) -> list[Chip]:
        return [
            Chip(entry.say(self.values[entry.name], self.viewer), self._address(self.query_with(without=entry.name)))
            for entry in self.listing.filters
            if entry.name in self.values
        ]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The filters as fields of a form."""
        return [
            {
                "filter": entry,
                "value": self.values.get(entry.name, ""),
                "choices": entry.choices(self.viewer),
            }
            for entry in self.listing.filters
        ]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What a form of the columns has to send along: the filters and the order."""
        return [*self.values.items(), *([("sort", self.sort)] if self.sort != self.listing.sort else [])]

    @property
    def heads(self) -> list[Sort]:
        return [self._head(column) for column in (self.listing.columns[0], *self.columns)]

    def _head(self, column: Column) -> Sort:
        state = {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "")
        down = state == "ascending" or (not state and column.starts_down)
        return Sort(column, state, self._address(self.query_with(sort=f"{'-' if down else ''}{column.key}")))

    @property
    def cells(self) -> list[tuple[Column, str]]:
        return [(column, self.listing.cell(column.key)) for column in self.columns]

    @property
    def sorts(self) -> list[Column]:
        return [column for column in self.listing.columns if column.order]

    @property
    def sorted_by(self) -> Column:
        return self.listing.by_key[self.sort.removeprefix("-")]

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    # -- The rows ----------------------------------------------------------------------------------------------------

    @cached_property
    def selected(self) -> Any:
        """Every row that the filters keep, in no order."""
        rows = self.listing.rows()
        for entry in self.listing.filters:
            if entry.name in self.values and entry.name != "named":
                rows = entry.keep(rows, self.values[entry.name], self.viewer)
        # By name comes last: when no name holds the words, the near ones are looked for among the rows that are left.
        return self.listing.named(rows, self.values["named"]) if "named" in self.values else rows

    @property
    def order(self) -> tuple[keyset.Key, ...]:
        return self.sorted_by.sorted(descending=self.is_descending)

    def prepared(self, rows: Any, columns: list[Column]) -> Any:
        """With what these columns show."""
        for prepare in dict.fromkeys(column.prepare for column in columns):
            rows = prepare(rows)
        return rows

    def page(self, at: Mapping[str, Any]) -> keyset.Page[Any]:
        return keyset.page(self.prepared(self.selected, [*self.columns, self.sorted_by]), order=self.order, at=at)

    def in_order(self, rows: Any, most: int) -> list[int]:
        """The first so many of these selected rows in this order, by their keys."""
        ordered = self.prepared(rows, [self.sorted_by]).order_by(
            *(key.resolved(rows.model).ordering(reverse=False) for key in self.order)
        )
        return list(ordered.values_list("pk", flat=True)[:most])
