"""Change what we know of a person or an organisation, and remember what stood there before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.free_mail import company_domain
from crm.models import EventKind, Organisation, Person, User
from crm.people.recognition import PARSERS, organisation_at
from crm.refusal import Refused

PERSON_FIELDS = frozenset(
    {
        "given_name",
        "particle",
        "family_name",
        "language",
        "interests",
        "tier",
        "note",
        "owner",
        "introduced_by",
    }
)
ORGANISATION_FIELDS = frozenset({"name", "domain", "kvk_number", "vat_number", "sector", "city", "country", "owner"})


@transaction.atomic
def change(*, person: Person, by: User | None, at: datetime, **fields: Any) -> Person:
    """The person has these values now; what really changed is remembered as old and new. Refuses to leave somebody without a name, or introduced
    by themselves. Raises `TypeError` for a field that is none."""
    if not any(fields.get(part, getattr(person, part)).strip() for part in ("given_name", "family_name")):
        raise Refused(_("A person needs a name."))
    if fields.get("introduced_by") == person:
        raise Refused(_("Nobody introduces themselves."))
    return _change(person, EventKind.PERSON_CHANGED, PERSON_FIELDS, fields, by, at)


@transaction.atomic
def change_organisation(*, organisation: Organisation, by: User | None, at: datetime, **fields: Any) -> Organisation:
    """The organisation has these values now. Refuses an empty name, a domain that another organisation has, and a VAT or KvK number that is none."""
    if not fields.get("name", organisation.name).strip():
        raise Refused(_("An organisation needs a name."))
    fields = {field: PARSERS[field](value) if field in PARSERS else value for field, value in fields.items()}
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
    return record
