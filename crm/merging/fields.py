"""What the row that stays knows afterwards, field by field: its own value, that of the row that goes, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Field, ForeignKey

from crm.models import Organisation, Person
from crm.models.contact import Contacted

Row = Person | Organisation

KEEP, GONE = "keep", "gone"
TOGETHER: dict[str, tuple[str, ...]] = {
    "family_name": ("particle",),
    "not_before": ("not_before_why",),
    "lawful_basis": ("basis_source", "basis_since", "basis_review_on"),
}
"""Fields that mean something only with another: they come from the same row as it does."""
BOTH = frozenset({"tags", "interests", "note"})
"""Fields of which the row that stays has what either says."""
DERIVED = frozenset(one.name for one in Contacted._meta.get_fields()) | {"id", "created_at"}
PASSED_ON = frozenset({"external_id", "domain"})
"""Unique columns: they can change hands only when the other row is gone."""


@dataclass(frozen=True)
class Choice:
    """One field on which the two differ, as a person reads it, and which of the two is taken when nobody says otherwise."""

    name: str
    label: str
    keep: str
    gone: str
    default: str
    is_both: bool = False


def choosable(model: type[Row]) -> list[Field[Any, Any]]:
    """The fields for which a person may pick the row."""
    followers = {name for names in TOGETHER.values() for name in names}
    left_out = DERIVED | BOTH | followers | {"external_id", "customer_since"}
    return [field for field in model._meta.concrete_fields if not field.generated and field.name not in left_out]


def comparison(keep: Row, gone: Row) -> list[Choice]:
    """The fields that either fills in, with those of which both are kept at the end."""
    found = []
    for field in choosable(type(keep)):
        mine, other = shown(keep, field), shown(gone, field)
        if mine or other:
            default = GONE if _default(keep, gone, field.name) else KEEP
            found.append(Choice(field.name, str(field.verbose_name), mine, other, default))
    for field in type(keep)._meta.concrete_fields:
        if field.name in BOTH and (getattr(keep, field.name) or getattr(gone, field.name)):
            found.append(
                Choice(field.name, str(field.verbose_name), shown(keep, field), shown(gone, field), KEEP, is_both=True)
            )
    return found


def shown(row: Row, field: Field[Any, Any]) -> str:
    """The value as a person reads it; empty when there is none."""
    if isinstance(field, ForeignKey):
        return str(getattr(row, field.name) or "")
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    value = getattr(row, field.name)
    if isinstance(value, list):
        return ", ".join(value)
    words = [getattr(row, "particle", ""), value] if field.name == "family_name" else [value]
    return " ".join(str(word) for word in words if word)


def chosen(keep: Row, gone: Row, choices: Mapping[str, str]) -> dict[str, Any]:
    """What the row that stays has in each field. Raises `TypeError` for a choice that cannot be made."""
    names = {field.name for field in choosable(type(keep))}
    if unknown := [name for name, side in choices.items() if name not in names or side not in (KEEP, GONE)]:
        raise TypeError(f"cannot choose {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for name in names:
        side = choices.get(name)
        from_gone = side == GONE if side else _default(keep, gone, name)
        source = gone if from_gone else keep
        for one in (name, *TOGETHER.get(name, ())):
            values[one] = getattr(source, one)
    if isinstance(keep, Person) and isinstance(gone, Person):
        _of_people(keep, gone, values)
    if isinstance(keep, Organisation) and isinstance(gone, Organisation):
        since = [moment for moment in (keep.customer_since, gone.customer_since) if moment]
        values["customer_since"] = min(since) if since else None
    values["tags"] = _words(keep.tags, gone.tags)
    values["external_id"] = keep.external_id or gone.external_id
    return values


def _of_people(keep: Person, gone: Person, values: dict[str, Any]) -> None:
    values["interests"] = _words(keep.interests, gone.interests)
    notes = [keep.note.strip(), gone.note.strip()]
    values["note"] = keep.note if notes[1] in notes[0] else "\n\n".join(filter(None, notes))
    if keep.family_name.casefold() == gone.family_name.casefold():
        values["particle"] = values["particle"] or keep.particle or gone.particle
    # Nobody introduces themselves: of the two, who introduced the other says nothing any more.
    if values["introduced_by"] in (keep, gone):
        others = [row.introduced_by for row in (keep, gone) if row.introduced_by not in (None, keep, gone)]
        values["introduced_by"] = others[0] if others else None


def _default(keep: Row, gone: Row, name: str) -> bool:
    """Whether the value of the row that goes is taken: when the other has none, and of two days to wait for the later one."""
    mine, other = getattr(keep, name), getattr(gone, name)
    if name == "not_before" and mine and other:
        return bool(other > mine)
    return not mine and bool(other)


def _words(mine: list[str], others: list[str]) -> list[str]:
    """Both lists, each word once whatever its capitals."""
    known = {word.casefold() for word in mine}
    return [*mine, *(word for word in others if word.casefold() not in known)]
