"""The list of organisations, by name."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import search
from crm.models import Organisation
from crm.models.views import ListScreen
from crm.web import access
from crm.web.keyset import Key
from crm.web.lists import filters
from crm.web.lists.columns import Column, day, worded
from crm.web.lists.listing import Listing


def _last_contact(organisation: Organisation) -> str:
    return day(organisation.last_contact_at) or _("never")


COLUMNS = (
    Column("name", gettext_lazy("Name"), str, (Key("name"),)),
    Column("city", gettext_lazy("City"), lambda row: row.city, **worded("city")),
    Column("sector", gettext_lazy("Sector"), lambda row: row.sector, **worded("sector")),
    Column("country", gettext_lazy("Country"), lambda row: row.country, **worded("country")),
    Column(
        "people",
        gettext_lazy("People"),
        lambda row: str(row.people_here),
        (Key("people_here", field=IntegerField(), nullable=False),),
        prepare=lambda rows: rows.with_people(),
        starts_down=True,
    ),
    Column(
        "customer_since",
        gettext_lazy("Customer since"),
        lambda row: day(row.customer_since),
        (Key("customer_since"),),
        starts_down=True,
    ),
    Column(
        "last_contact",
        gettext_lazy("Last contact"),
        _last_contact,
        (Key("last_contact_at"),),
        prepare=lambda rows: rows.select_related("last_contact__by"),
    ),
    Column("owner", gettext_lazy("Owner"), lambda row: str(row.owner or ""), (Key("owner__name", nulls_last=True),)),
    Column("tags", gettext_lazy("Tags"), lambda row: ", ".join(row.tags)),
    Column("domain", gettext_lazy("Domain"), lambda row: row.domain, **worded("domain")),
    Column("kvk", gettext_lazy("KvK number"), lambda row: row.kvk_number),
    Column("vat", gettext_lazy("VAT number"), lambda row: row.vat_number),
    Column("made", gettext_lazy("Made on"), lambda row: day(row.created_at), (Key("created_at"),), starts_down=True),
)


def _customers(rows: Any, value: str, viewer: filters.Viewer) -> Any:
    return rows.customers() if value == "yes" else rows.filter(customer_since__isnull=True)


ORGANISATIONS = Listing(
    screen=ListScreen.ORGANISATIONS,
    rows=lambda: access.organisations().select_related("owner"),
    columns=COLUMNS,
    shown=("city", "sector", "customer_since", "last_contact", "owner"),
    sort="name",
    named=search.organisations_named,
    filters=(
        filters.word("named", gettext_lazy("Name"), lambda rows, value: rows, longest=200, kind="search"),
        filters.AGE,
        filters.BEFORE,
        filters.OWNER,
        filters.one_of(
            "customers",
            gettext_lazy("Customer"),
            (("yes", gettext_lazy("yes")), ("no", gettext_lazy("not yet"))),
            _customers,
        ),
        filters.TAG,
        filters.word(
            "sector", gettext_lazy("Sector"), lambda rows, value: rows.filter(sector__iexact=value), longest=100
        ),
        filters.word("city", gettext_lazy("City"), lambda rows, value: rows.filter(city__iexact=value), longest=100),
        filters.country(lambda rows, value: rows.filter(country=value)),
        filters.TWICE,
    ),
)
"""The companies we know."""
