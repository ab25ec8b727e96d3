"""Change what we know of a person or an organisation, and remember what stood there before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from crm import duplicates, events, locks
from crm.free_mail import company_domain
from crm.models import EventKind, Organisation, Person, User
from crm.people.recognition import organisation_at, parsed
from crm.refusal import Refused

PERSON_FIELDS = frozenset(
    {
        "given_name",
        "particle",
        "family_name",
        "salutation",
        "language",
        "preferred_channel",
        "country",
        "time_zone",
        "interests",
        "tags",
        "tier",
        "note",
        "owner",
        "introduced_by",
        "lawful_basis",
        "basis_source",
        "basis_since",
        "basis_review_on",
    }
)
ORGANISATION_FIELDS = frozenset(
    {"name", "domain", "kvk_number", "vat_number", "sector", "city", "postcode", "country", "tags", "owner"}
)
HOLD_FIELDS = frozenset({"not_before", "not_before_why"})
BASIS_FIELDS = ("lawful_basis", "basis_source", "basis_since", "basis_review_on")

LOOKED_AT = frozenset({"given_name", "particle", "family_name", "name", "domain", "kvk_number", "vat_number"})
"""What makes a row look like another; when it changes, its possible duplicates are looked for afresh."""


@transaction.atomic
def change(*, person: Person, by: User | None, at: datetime, **fields: Any) -> Person:
    """The person has these values now; what really changed is remembered as old and new. A lawful basis counts from today when nothing else is
    said, and is to be reviewed a year later; without a basis there is no source and no day.

    Refuses to leave somebody without a name, or introduced by themselves, a country or time zone that is none, and words that are too long.
    Raises `TypeError` for a field that is none.
    """
    if not any(fields.get(part, getattr(person, part)).strip() for part in ("given_name", "family_name")):
        raise Refused(_("A person needs a name."))
    if fields.get("introduced_by") == person:
        raise Refused(_("Nobody introduces themselves."))
    if "time_zone" in fields and fields["time_zone"] and fields["time_zone"] not in available_timezones():
        raise Refused(_("“%(zone)s” is not a time zone, such as Europe/Brussels.") % {"zone": fields["time_zone"]})
    if any(name in fields for name in BASIS_FIELDS):
        locks.row(Person.objects.only("pk"), person.pk)
        person.refresh_from_db(fields=BASIS_FIELDS)  # The four are judged together, as they stand now.
        fields |= _basis(person, fields, (at.astimezone(by.zone) if by else at).date())
    return _change(person, EventKind.PERSON_CHANGED, PERSON_FIELDS, _clean(fields), by, at)


def _basis(person: Person, fields: dict[str, Any], today: date) -> dict[str, Any]:
    """The four fields of the lawful basis together, so that none contradicts the others."""
    basis, source, since, review = (fields.get(name, getattr(person, name)) for name in BASIS_FIELDS)
    if not basis:
        return {"lawful_basis": "", "basis_source": "", "basis_since": None, "basis_review_on": None}
    since = since or today
    review = review or a_year_after(since)
    if review < since:
        raise Refused(_("The review comes after the day since which it holds. Look at the two days again."))
    return {"lawful_basis": basis, "basis_source": source, "basis_since": since, "basis_review_on": review}


def a_year_after(day: date) -> date:
    """The same day twelve months later; the last of February when there is no 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def words(value: Sequence[str]) -> list[str]:
    """Tags or things to talk about as we keep them: each once, whatever its capitals, and without empty ones. Refuses one that is too long."""
    tidy = [" ".join(word.split()) for word in value]
    if any(len(word) > 50 for word in tidy):
        raise Refused(_("Keep each to fifty characters, with commas between."))
    kept: dict[str, str] = {}
    for word in filter(None, tidy):
        kept.setdefault(word.casefold(), word)
    return list(kept.values())


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as we keep them. Refuses a country that is none, and a word that is too long."""
    fields = {name: words(value) if name in ("tags", "interests") else value for name, value in fields.items()}
    if "country" in fields:
        fields["country"] = country = fields["country"].strip().upper()
        if country and not re.fullmatch(r"[A-Z]{2}", country):
            raise Refused(_("Write the two letters of the country, such as BE or NL."))
    return fields


@transaction.atomic
def set_not_before(*, person: Person, until: date, by: User, at: datetime, why: str = "") -> Person:
    """They asked to be contacted after this day only, and why. Refuses a day that is not still to come, and a story instead of a few words."""
    why = " ".join(why.split())
    if until <= at.astimezone(by.zone).date():
        raise Refused(_("Choose a day that is still to come."))
    if len(why) > 200:
        raise Refused(_("Say why in a few words."))
    return _change(person, EventKind.PERSON_CHANGED, HOLD_FIELDS, {"not_before": until, "not_before_why": why}, by, at)


@transaction.atomic
def lift_not_before(*, person: Person, by: User | None, at: datetime) -> Person:
    """They may be contacted at any time again. Lifting what is not there changes nothing."""
    return _change(person, EventKind.PERSON_CHANGED, HOLD_FIELDS, {"not_before": None, "not_before_why": ""}, by, at)


@transaction.atomic
def change_organisation(*, organisation: Organisation, by: User | None, at: datetime, **fields: Any) -> Organisation:
    """The organisation has these values now. Refuses an empty name, a domain that another organisation has, and a VAT or KvK number that is none."""
    if not fields.get("name", organisation.name).strip():
        raise Refused(_("An organisation needs a name."))
    fields = _clean(parsed(fields, fields.get("country", organisation.country)))
    if "domain" in fields:
        fields["domain"] = company_domain(fields["domain"])
        if fields["domain"]:
            locks.hold("organisation", fields["domain"])
        other = organisation_at(fields["domain"])
        if other is not None and other.pk != organisation.pk:
            raise Refused(
                _("%(organisation)s already has the domain %(domain)s.")
                % {"organisation": other, "domain": fields["domain"]}
            )
    return _change(organisation, EventKind.ORGANISATION_CHANGED, ORGANISATION_FIELDS, fields, by, at)


def _change(
    record: Any, kind: EventKind, allowed: frozenset[str], fields: dict[str, Any], by: User | None, at: datetime
) -> Any:
    if unknown := fields.keys() - allowed:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))}")
    locks.row(type(record)._default_manager.only("pk"), record.pk)
    record.refresh_from_db(fields=list(fields))  # What stands there now, and not what the page showed.
    old = {name: getattr(record, name) for name in fields}
    changed = {name for name, value in fields.items() if value != old[name]}
    if changed:
        for name in changed:
            setattr(record, name, fields[name])
        record.save(update_fields=sorted(changed))
        record.refresh_from_db(fields=[f.name for f in record._meta.concrete_fields if f.generated])
        events.record(
            kind,
            subject=record,
            by=by,
            at=at,
            old={name: events.readable(old[name]) for name in changed},
            new={name: events.readable(fields[name]) for name in changed},
        )
        if changed & LOOKED_AT:
            is_person = isinstance(record, Person)
            duplicates.look(**{"people" if is_person else "organisations": [record.pk]}, at=at)
    return record
