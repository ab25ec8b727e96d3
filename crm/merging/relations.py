"""Everything that points at a row, found by walking the nouns: links, tables between two nouns, and rows that name their subject by kind and key.

A noun that is added next year is moved with the rest, without a line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.db.models import ForeignKey, Model

from crm.merging.rows import Columns, columns_of
from crm.models import Event

CLASHES = (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation, psycopg.errors.ExclusionViolation)
SUBJECT = "subject_id"


@dataclass(frozen=True)
class Link:
    """One column by which the rows of a table point at a noun. `kind` is the word of a subject that is named by kind and key."""

    model: type[Model]
    name: str
    kind: str = ""

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def rows(self, pk: int) -> Any:
        kind = {"subject_kind": self.kind} if self.kind else {}
        return self.model._base_manager.filter(**{self.name: pk}, **kind)

    @property
    def column(self) -> Any:
        return self.model._meta.get_field(self.name)

    @property
    def is_watched(self) -> bool:
        """Whether the database refuses a row that points at nothing."""
        return bool(getattr(self.column, "db_constraint", False))


@dataclass
class Log:
    """What was done, so that it can be taken back: `moved` names the rows that point elsewhere now; `rows` has one entry for each row of which
    something else changed (before and after), that went (no after) or that came (no before)."""

    moved: dict[str, list[int]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def drop(self, model: type[Model], pk: int) -> None:
        """The row goes; what it said is kept."""
        self._write(model, pk, columns_of(model, pk), None)
        rows = model._base_manager.filter(pk=pk)
        rows._raw_delete(rows.db)

    def change(self, model: type[Model], pk: int, **values: Any) -> None:
        """The row has these values now; what stood there is kept."""
        before = columns_of(model, pk) or {}
        model._base_manager.filter(pk=pk).update(**values)
        after = columns_of(model, pk) or {}
        differ = [name for name, value in before.items() if value != after[name]]
        if differ:
            self._write(model, pk, {name: before[name] for name in differ}, {name: after[name] for name in differ})

    def add(self, row: Model) -> None:
        """A new row."""
        row.save(force_insert=True)
        self._write(type(row), row.pk, None, columns_of(type(row), row.pk))

    def _write(self, model: type[Model], pk: int, before: Columns | None, after: Columns | None) -> None:
        self.rows.append({"model": model._meta.label, "pk": pk, "before": before, "after": after})


def links(model: type[Model], kind: str) -> list[Link]:
    """Every column of every table that points at this noun. Those that the database does not watch come last: whoever writes such a row also holds
    one that it does watch, so that by then it is there to be seen."""
    relations: list[Any] = [one for one in model._meta.get_fields(include_hidden=True) if one.auto_created]
    found = [Link(one.field.model, one.field.name) for one in relations if one.one_to_many or one.one_to_one]
    found.sort(key=lambda link: (not link.is_watched, link.label))
    return [*subjects(kind), *found]


def subjects(kind: str) -> list[Link]:
    """The tables whose rows name their subject by kind and key; what happened keeps the subject that it had."""
    return [
        Link(model, SUBJECT, kind)
        for model in apps.get_models()
        if model is not Event and {"subject_kind", SUBJECT} <= {one.name for one in model._meta.concrete_fields}
    ]


def move(link: Link, *, gone: int, keep: int, log: Log) -> None:
    """What pointed at the one points at the other. A row that the database refuses there, since there is one like it or it would point at itself,
    goes; one of the merged noun itself loses the link instead."""
    keys = list(link.rows(gone).order_by("pk").values_list("pk", flat=True))
    refused = point(link, keys, keep)
    for pk in refused:
        if link.model is getattr(link.column, "related_model", None):
            log.change(link.model, pk, **{link.name: None})
        else:
            log.drop(link.model, pk)
    if moved := sorted(set(keys) - set(refused)):
        log.moved[link.label] = moved


def point(link: Link, keys: list[int], to: int) -> list[int]:
    """These rows point there now; the keys of those that the database refuses."""
    if not keys or _pointed(link, keys, to):
        return []
    return [pk for pk in keys if not _pointed(link, [pk], to)]


def _pointed(link: Link, keys: list[int], to: int) -> bool:
    try:
        with transaction.atomic():
            link.model._base_manager.filter(pk__in=keys).update(**{link.name: to})
    except IntegrityError as error:
        if isinstance(error.__cause__, CLASHES):
            return False
        raise
    return True


def at(label: str, kind: str) -> Link | None:
    """The link of that name; `None` when the noun or its column exists no more."""
    model_label, _dot, name = label.rpartition(".")
    try:
        model = apps.get_model(model_label)
        model._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return None
    return Link(model, name, kind if name == SUBJECT else "")


def counts(row: Model, kind: str) -> Iterator[tuple[str, int]]:
    """How many rows of which noun point at this row, the most first; one statement."""
    nouns: dict[str, list[Link]] = {}
    for link in links(type(row), kind):
        if link.model is not Event and not link.kind:
            nouns.setdefault(_noun(link)._meta.label, []).append(link)
    selects, params = [], []
    for label, several in nouns.items():
        for link in several:
            selects.append(
                f'SELECT %s AS noun, count(*) AS number FROM "{link.model._meta.db_table}" WHERE "{link.column.column}" = %s'
            )
            params += [label, row.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT noun, sum(number)::int FROM ({' UNION ALL '.join(selects)}) n GROUP BY noun HAVING sum(number) > 0 ORDER BY 2 DESC, 1",
            params,
        )
        found = cursor.fetchall()
    for label, number in found:
        meta = apps.get_model(label)._meta
        yield str(meta.verbose_name if number == 1 else meta.verbose_name_plural), number


def _noun(link: Link) -> type[Model]:
    """What a row of this table stands for: a table between two nouns for the other noun."""
    if not link.model._meta.auto_created:
        return link.model
    others = [one for one in link.model._meta.concrete_fields if isinstance(one, ForeignKey) and one.name != link.name]
    return others[0].related_model if others else link.model
