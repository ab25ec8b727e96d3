"""The lists as people like to see them: kept under a name, shared or not. Keeping one never overwrites another unless its owner says so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, SavedView, User
from crm.models.views import ListScreen
from crm.refusal import Refused

LONGEST_NAME, LONGEST_QUERY = 60, 2000
MOST = 100
"""Views that one person keeps of one list."""


@transaction.atomic
def save(
    *, screen: ListScreen, name: str, query: str, is_shared: bool, by: User, at: datetime, replace: bool = False
) -> SavedView:
    """`by` has a view of this name that shows `query`. Refuses an empty or too long name, and one that `by` uses already unless `replace` says
    that the old one may go. What somebody else keeps under the same name stays as it is."""
    name = _checked(name)
    if len(query) > LONGEST_QUERY:
        raise Refused(_("There are too many filters in this view. Take some away and save it again."))
    locks.hold("views", by.pk, screen)
    mine = SavedView.objects.filter(owner=by, screen=screen)
    found = mine.filter(name=name).first()
    if found is None:
        if mine.count() >= MOST:
            raise Refused(_("You keep %(most)d views of this list. Remove one first.") % {"most": MOST})
        return SavedView.objects.create(
            screen=screen, name=name, query=query, is_shared=is_shared, owner=by, created_at=at
        )
    if not replace:
        raise _taken(name)
    found.query, found.is_shared = query, is_shared
    found.save(update_fields=["query", "is_shared"])
    return found


@transaction.atomic
def change(*, view: SavedView, name: str, is_shared: bool, by: User) -> SavedView:
    """The view has this name and is shared, or not. Refuses a name that its owner uses already, and whoever is not its owner."""
    if view.owner_id != by.pk:
        raise Refused(_("Only its owner changes a view. Save it under a name of your own."))
    name = _checked(name)
    locks.hold("views", by.pk, view.screen)
    if SavedView.objects.filter(owner=by, screen=view.screen, name=name).exclude(pk=view.pk).exists():
        raise _taken(name)
    view.name, view.is_shared = name, is_shared
    view.save(update_fields=["name", "is_shared"])
    return view


@transaction.atomic
def remove(*, view: SavedView, by: User) -> None:
    """The view is no more. Refuses whoever is not its owner; those who lead may remove a shared one."""
    if view.owner_id != by.pk and not (view.is_shared and by.is_leading):
        raise Refused(_("Only its owner removes a view."))
    SavedView.objects.filter(pk=view.pk).delete()


@transaction.atomic
def downloaded(
    *, screen: ListScreen, query: str, columns: list[str], rows: int, left_out: int, by: User, at: datetime
) -> None:
    """It is remembered who took which list along, with how many rows. Refuses nothing."""
    events.record(
        EventKind.LIST_EXPORTED,
        subject=by,
        by=by,
        at=at,
        new={"list": str(screen), "query": query, "columns": columns, "rows": rows, "left_out": left_out},
    )


def _checked(name: str) -> str:
    name = " ".join(name.replace("\x00", " ").split())
    if not name:
        raise Refused(_("Give the view a name."))
    if len(name) > LONGEST_NAME:
        raise Refused(_("Use a name of %(most)d characters or fewer.") % {"most": LONGEST_NAME})
    return name


def _taken(name: str) -> Refused:
    return Refused(_("You already keep a view called “%(name)s”. Choose another name, or replace it.") % {"name": name})
