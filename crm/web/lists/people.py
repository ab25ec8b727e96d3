"""The list of people: whom we did not speak to for longest first, never before anybody."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, DateTimeField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import search
from crm.models import Language, Person, Ring, Scope, Tier
from crm.models.views import ListScreen
from crm.web import access
from crm.web.keyset import Key
from crm.web.lists import filters
from crm.web.lists.columns import Column, day, worded
from crm.web.lists.listing import Listing


def _position(person: Any) -> str:
    return str(person.current_positions[0]) if person.current_positions else ""


def _last_contact(person: Person) -> str:
    return day(person.last_contact_at) or _("never")


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


COLUMNS = (
    Column("name", gettext_lazy("Name"), str, (Key("family_name"), Key("given_name"))),
    Column("position", gettext_lazy("Position"), _position),
    Column(
        "last_contact",
        gettext_lazy("Last contact"),
        _last_contact,
        (Key("last_contact_at"),),
        prepare=lambda rows: rows.select_related("last_contact__by"),
    ),
    Column(
        "last_reply",
        gettext_lazy("Their last word"),
        lambda person: day(person.last_reply_at) or _("never"),
        (Key("last_reply_at"),),
    ),
    Column("tier", gettext_lazy("Tier"), lambda person: person.tier, **worded("tier")),
    Column("tags", gettext_lazy("Tags"), lambda person: ", ".join(person.tags)),
    Column(
        "owner", gettext_lazy("Owner"), lambda person: str(person.owner or ""), (Key("owner__name", nulls_last=True),)
    ),
    Column(
        "ring",
        gettext_lazy("Ring"),
        lambda person: _label(Ring, person.ring),
        prepare=lambda rows: rows.with_ring(),
    ),
    Column(
        "country",
        gettext_lazy("Country"),
        lambda person: person.country_here or "",
        (Key("country_here", nulls_last=True, field=CharField()),),
        prepare=lambda rows: rows.with_country(),
    ),
    Column(
        "language", gettext_lazy("Language"), lambda person: _label(Language, person.language), **worded("language")
    ),
    Column(
        "email",
        gettext_lazy("E-mail"),
        lambda person: ", ".join(point.address for point in person.email_addresses.all()),
    ),
    Column(
        "phone", gettext_lazy("Phone"), lambda person: ", ".join(point.readable for point in person.phone_numbers.all())
    ),
    Column(
        "not_before",
        gettext_lazy("Not before"),
        lambda person: day(person.not_before),
        (Key("not_before", nulls_last=True),),
    ),
    Column(
        "follow_up",
        gettext_lazy("Next follow-up"),
        lambda person: day(person.next_follow_up_at),
        (Key("next_follow_up_at", nulls_last=True, field=DateTimeField()),),
        prepare=lambda rows: rows.with_next_follow_up(),
    ),
    Column(
        "made", gettext_lazy("Made on"), lambda person: day(person.created_at), (Key("created_at"),), starts_down=True
    ),
)


def _tier(rows: Any, value: str, viewer: filters.Viewer) -> Any:
    return rows.filter(tier="" if value == "none" else value)


def _language(rows: Any, value: str, viewer: filters.Viewer) -> Any:
    return rows.filter(language="" if value == "none" else value)


def _peace(name: str, label: Any, scope: str) -> filters.Filter:
    return filters.yes_or_no(name, label, lambda rows: rows.barred(scope), lambda rows: rows.not_barred(scope))


PEOPLE = Listing(
    screen=ListScreen.PEOPLE,
    rows=lambda: access.people().for_list(),
    columns=COLUMNS,
    shown=("position", "last_contact", "tier", "owner"),
    sort="last_contact",
    named=search.people_named,
    has_reach=True,
    filters=(
        filters.word("named", gettext_lazy("Name"), lambda rows, value: rows, longest=200, kind="search"),
        filters.AGE,
        filters.BEFORE,
        filters.OWNER,
        filters.one_of("tier", gettext_lazy("Tier"), [*Tier.choices, ("none", gettext_lazy("none"))], _tier),
        filters.one_of("ring", gettext_lazy("Ring"), Ring.choices, lambda rows, value, viewer: rows.in_ring(value)),
        filters.TAG,
        filters.word(
            "about",
            gettext_lazy("Talks about"),
            lambda rows, value: rows.filter(interests__contains=[value]),
        ),
        filters.country(lambda rows, value: rows.in_country(value)),
        filters.language(_language),
        _peace("no_call", gettext_lazy("Do not call"), Scope.CALL),
        _peace("no_mail", gettext_lazy("Do not mail"), Scope.MAIL),
        filters.only("later", gettext_lazy("asked to wait"), lambda rows, viewer: rows.not_before_after(viewer.today)),
        filters.only(
            "unconfirmed", gettext_lazy("with a number or address to confirm"), lambda rows, viewer: rows.unconfirmed()
        ),
        filters.TWICE,
    ),
)
"""Everybody we know."""
