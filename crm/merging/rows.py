"""Rows as the database itself writes them down and reads them back, so that what comes back is what was there, to the microsecond."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import ForeignKey, Model

from crm.models import Merge, Mergeable, Organisation, Person

Columns = dict[str, Any]

MODELS: dict[str, type[Person] | type[Organisation]] = {
    Mergeable.PERSON: Person,
    Mergeable.ORGANISATION: Organisation,
}


def columns_of(model: type[Model], pk: int) -> Columns | None:
    """The columns of this row as JSON values, without those that the database computes; `None` when there is no such row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {_table(model)} t WHERE t.id = %s", [pk])
        found = cursor.fetchone()
    if found is None:
        return None
    row = json.loads(found[0])
    return {str(field.column): row[field.column] for field in model._meta.concrete_fields if not field.generated}


def insert(model: type[Model], columns: Columns) -> None:
    """The row stands in its table again, under its own key."""
    names = ", ".join(f'"{field.column}"' for field in _fields(model, columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(model)} ({names}) SELECT {names} FROM jsonb_populate_record(NULL::{_table(model)}, %s::jsonb)",
            [json.dumps(columns)],
        )


def update(model: type[Model], pk: int, columns: Columns) -> None:
    """These columns of the row have these values."""
    if not columns:
        return
    values = ", ".join(f'"{field.column}" = r."{field.column}"' for field in _fields(model, columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_table(model)} t SET {values} FROM jsonb_populate_record(NULL::{_table(model)}, %s::jsonb) r WHERE t.id = %s",
            [json.dumps(columns), pk],
        )


def findable(model: type[Model], pk: int, columns: Columns) -> Columns | None:
    """The same columns, where a link to a row that went meanwhile leads to the one that it became part of, or to nothing; `None` when the row
    cannot be without what is gone."""
    found = dict(columns)
    for field in _fields(model, columns):
        if not isinstance(field, ForeignKey) or found[field.column] is None:
            continue
        if not field.db_constraint:  # type: ignore[attr-defined]
            continue
        target = field.related_model
        if target._base_manager.filter(pk=found[field.column]).exists():
            continue
        kind = next((kind for kind, one in MODELS.items() if one is target), None)
        stayed = Merge.objects.stayed(kind, found[field.column]) if kind else None
        found[field.column] = None if target is model and stayed == pk else stayed  # Nothing points at itself.
        if found[field.column] is None and not field.null:
            return None
    return found


def _table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def _fields(model: type[Model], columns: Columns) -> list[Any]:
    """Those of its fields that were written down; a column that exists no more is left out."""
    return [field for field in model._meta.concrete_fields if not field.generated and field.column in columns]
