"""The lists of people and of organisations: their columns, filters and orders, said once and used by the screen, the acts on many and the file."""

from __future__ import annotations

from crm.models.views import ListScreen
from crm.web.lists.listing import Asked, Listing, Viewer
from crm.web.lists.organisations import ORGANISATIONS
from crm.web.lists.people import PEOPLE

__all__ = ["LISTINGS", "ORGANISATIONS", "PEOPLE", "Asked", "Listing", "Viewer"]

LISTINGS: dict[str, Listing] = {ListScreen.PEOPLE: PEOPLE, ListScreen.ORGANISATIONS: ORGANISATIONS}
