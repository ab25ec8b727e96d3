"""Take a merge back: both rows are there again, each with its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events
from crm.merging import relations, rows
from crm.merging.fields import PASSED_ON
from crm.merging.relations import CLASHES
from crm.merging.writing import look_again, may_begin
from crm.models import EventKind, Merge, Mergeable, Organisation, Person, User
from crm.refusal import Refused

UNMERGED = {Mergeable.PERSON: EventKind.PERSON_UNMERGED, Mergeable.ORGANISATION: EventKind.ORGANISATION_UNMERGED}


@dataclass
class Undone:
    """The row that is back, the one that had stayed, and which of its fields keep their value since somebody changed them after the merge."""

    back: Person | Organisation
    kept: Person | Organisation
    unchanged: list[str] = field(default_factory=list)


@transaction.atomic
def undo(*, merge: Merge, by: User | None, at: datetime) -> Undone:
    """The row that went is back under its own key, with all that the merge moved and that still points where it was moved to; what had to go is
    back as well, and the row that stayed is as it was before. What is new since the merge stays with that one, and so does a value that somebody
    gave it since.

    Refuses after thirty days, a second time, while a later merge of the row that stayed stands, and when something is in the way.
    """
    may_begin()
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    kind = Mergeable(merge.kind)
    model = rows.MODELS[kind]
    if merge.undone_at is not None:
        raise Refused(_("This merge was undone already."))
    if not merge.may_be_undone(at):
        raise Refused(_("A merge can be undone for thirty days, and those have passed. Add the other one by hand."))
    later = Merge.objects.standing().filter(kind=kind, gone_id=merge.kept_id).first()
    if later is not None:
        raise Refused(_("%(name)s was merged again later. Undo the later merge first.") % {"name": later.gone_name})
    kept = model._base_manager.select_for_update().filter(pk=merge.kept_id).first()
    if kept is None:
        raise Refused(_("The one that stayed is not here any more, so the two cannot be parted."))

    before, unchanged = _before(model, merge)
    rows.update(model, kept.pk, {name: value for name, value in before.items() if name in PASSED_ON})
    columns = rows.findable(model, merge.gone_id, merge.gone) or merge.gone
    _nothing_in_the_way(model, columns)
    rows.insert(model, columns)
    rows.update(model, kept.pk, rows.findable(model, kept.pk, before) or {})
    for entry in reversed(merge.dropped):
        _take_back(entry)
    for label, keys in merge.moved.items():
        if link := relations.at(label, kind):
            held = list(link.rows(merge.kept_id).filter(pk__in=keys).values_list("pk", flat=True))
            relations.point(link, held, merge.gone_id)
    merge.undone_at, merge.undone_by = at, by
    merge.save(update_fields=["undone_at", "undone_by"])
    look_again(kind, sorted((merge.kept_id, merge.gone_id)), at)
    back = model._base_manager.get(pk=merge.gone_id)
    kept.refresh_from_db()
    for row, other in ((kept, back), (back, kept)):
        events.record(UNMERGED[kind], subject=row, by=by, at=at, new={"name": str(other), "merge": merge.pk})
    return Undone(back, kept, unchanged)


def _before(model: type[Person] | type[Organisation], merge: Merge) -> tuple[rows.Columns, list[str]]:
    """The values that the row that stayed gets back, and the names of those that somebody changed since, which stay."""
    now = rows.columns_of(model, merge.kept_id) or {}
    before = {name: was for name, (was, became) in merge.changed.items() if now.get(name) == became}
    return before, _labels(model, merge.changed.keys() - before.keys())


def _labels(model: type[Any], columns: Iterable[str]) -> list[str]:
    wanted = set(columns)
    return [str(one.verbose_name) for one in model._meta.concrete_fields if one.column in wanted]


def _nothing_in_the_way(model: type[Person] | type[Organisation], columns: rows.Columns) -> None:
    for name in ("domain", "external_id"):
        if value := columns.get(name):
            holder = model._base_manager.filter(**{name: value}).first()
            if holder is not None:
                raise Refused(
                    _("%(holder)s has “%(value)s” now, which the other one had. Take it away there, then undo.")
                    % {"holder": holder, "value": value}
                )


def _take_back(entry: dict[str, Any]) -> None:
    """The row is as it was before the merge, unless somebody changed or removed it since."""
    try:
        model = apps.get_model(entry["model"])
    except LookupError:
        return
    pk, before, after = entry["pk"], entry["before"], entry["after"]
    if before is None:
        model._base_manager.filter(pk=pk).delete()
        return
    columns = rows.findable(model, pk, before)
    if columns is None:
        return
    now = rows.columns_of(model, pk)
    try:
        with transaction.atomic():
            if after is None and now is None:
                rows.insert(model, columns)
            elif after is not None and now is not None:
                rows.update(model, pk, {name: value for name, value in columns.items() if now.get(name) == after[name]})
    except IntegrityError as error:
        # There is one like it again, which somebody made since: that one stays.
        if not isinstance(error.__cause__, CLASHES):
            raise
