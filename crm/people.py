"""Know people and organisations when they come back, and add those who are new."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.free_mail import company_domain
from crm.models import EmailAddress, EventKind, Organisation, Person, PhoneNumber, Position, User
from crm.notation import parse_email, parse_kvk, parse_name, parse_phone, parse_vat
from crm.refusal import Refused

PARSERS = {"vat_number": parse_vat, "kvk_number": parse_kvk}


def with_email(address: str) -> Person | None:
    """The person known longest at this address, or `None`."""
    found = EmailAddress.objects.filter(address=address.strip().lower()).select_related("person").order_by("id").first()
    return found.person if found else None


def organisation_at(domain: str) -> Organisation | None:
    """The organisation with this domain, or `None`; free-mail domains belong to nobody."""
    domain = company_domain(domain)
    return Organisation.objects.filter(domain=domain).first() if domain else None


@transaction.atomic
def add_organisation(*, name: str, by: User | None, at: datetime, domain: str = "", **fields: Any) -> Organisation:
    """A new organisation. Refuses an empty name, a domain that another organisation has, and a VAT or KvK number that is none."""
    name, domain = name.strip(), company_domain(domain)
    if not name:
        raise Refused(_("An organisation needs a name."))
    if domain:
        locks.hold("organisation", domain)
        if other := organisation_at(domain):
            raise Refused(
                _("%(organisation)s already has the domain %(domain)s.") % {"organisation": other, "domain": domain}
            )
    fields = {field: PARSERS[field](value) if field in PARSERS else value for field, value in fields.items()}
    organisation = Organisation.objects.create(name=name, domain=domain, **fields)
    events.record(EventKind.ORGANISATION_MADE, subject=organisation, by=by, at=at, new={"name": name, "domain": domain})
    return organisation


@transaction.atomic
def add(
    *,
    name: str,
    by: User | None,
    at: datetime,
    email: str = "",
    phone: str = "",
    organisation: Organisation | str | None = None,
    title: str = "",
    **fields: Any,
) -> Person:
    """A new person with what is known of them. An organisation that is given by its name is the one with exactly that name, else a new one.

    Refuses a name that is empty or does not fit, and an address or number that is none; then nobody is added.
    """
    if not name.strip():
        raise Refused(_("A person needs a name."))
    organisation = _called(organisation, by, at) if isinstance(organisation, str) else organisation
    split = parse_name(name)
    if any(len(part) > most for part, most in ((split.given, 100), (split.particle, 30), (split.family, 100))):
        raise Refused(_("This name is longer than we can keep. Write it shorter."))
    person = Person.objects.create(given_name=split.given, particle=split.particle, family_name=split.family, **fields)
    if email:
        EmailAddress.objects.create(person=person, address=parse_email(email), is_preferred=True)
    if phone:
        PhoneNumber.objects.create(person=person, number=parse_phone(phone), is_preferred=True)
    if organisation:
        Position.objects.create(person=person, organisation=organisation, title=title)
    events.record(
        EventKind.PERSON_MADE, subject=person, by=by, at=at, organisation=organisation, new={"name": str(person)}
    )
    return person


def _called(name: str, by: User | None, at: datetime) -> Organisation | None:
    """The organisation with exactly this name, known longest; else a new one. No name, no organisation."""
    name = " ".join(name.split())
    if not name:
        return None
    known = Organisation.objects.filter(name__iexact=name).order_by("id").first()
    return known or add_organisation(name=name, by=by, at=at)


@transaction.atomic
def recognise(
    *,
    by: User | None,
    at: datetime,
    name: str = "",
    email: str = "",
    phone: str = "",
    organisation: str = "",
    language: str = "",
) -> tuple[Person | None, Organisation | None]:
    """The person and the organisation behind a message: known ones when we can tell, else new ones from what it says.

    A person is known by e-mail address; an organisation by the domain of that address (never by a free-mail domain), else by the person's main
    position, else by exactly the same name. What a known person newly gives (phone, position) is added to what we know. Two messages of one
    new sender at the same moment make one person. Without name and address there is no person (`None`).
    """
    email = parse_email(email) if email.strip() else ""
    number = parse_phone(phone) if phone.strip() else ""
    domain = company_domain(email)
    for lock in sorted(filter(None, (email, domain))):
        locks.hold("recognise", lock)

    person = with_email(email) if email else None
    company = organisation_at(domain) if domain else None
    if company is None and person is not None:
        main = person.positions.current().select_related("organisation").first()
        company = main.organisation if main else None
    if company is None and organisation.strip():
        company = Organisation.objects.filter(name__iexact=organisation.strip()).order_by("id").first()
    if company is None and organisation.strip():
        company = add_organisation(name=organisation, domain=domain, by=by, at=at)

    if person is None and (name.strip() or email):
        person = add(
            name=name.strip() or email.partition("@")[0],
            email=email,
            phone=number,
            organisation=company,
            language=language,
            by=by,
            at=at,
        )
    elif person is not None:
        if number:
            PhoneNumber.objects.get_or_create(person=person, number=number)
        if company is not None and not person.positions.current().exists():
            Position.objects.create(person=person, organisation=company)
    return person, company


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


@transaction.atomic
def add_email(*, person: Person, address: str, by: User | None, at: datetime) -> EmailAddress:
    """The person can be reached at this address too; adding it again changes nothing."""
    found, is_new = EmailAddress.objects.get_or_create(
        person=person, address=parse_email(address), defaults={"is_preferred": not person.email_addresses.exists()}
    )
    if is_new:
        events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, new={"email": found.address})
    return found


@transaction.atomic
def add_phone(*, person: Person, number: str, by: User | None, at: datetime) -> PhoneNumber:
    """The person can be called at this number too; adding it again changes nothing."""
    found, is_new = PhoneNumber.objects.get_or_create(
        person=person, number=parse_phone(number), defaults={"is_preferred": not person.phone_numbers.exists()}
    )
    if is_new:
        events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, new={"phone": found.number})
    return found


@transaction.atomic
def remove_email(*, address: EmailAddress, by: User | None, at: datetime) -> None:
    """The person is not reached at this address any more; mail from it is a stranger's from now on."""
    person, was_preferred = address.person, address.is_preferred
    address.delete()
    if was_preferred and (other := person.email_addresses.first()):
        other.is_preferred = True
        other.save(update_fields=["is_preferred"])
    events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, old={"email": address.address})


@transaction.atomic
def remove_phone(*, number: PhoneNumber, by: User | None, at: datetime) -> None:
    """The person is not called at this number any more."""
    person, was_preferred = number.person, number.is_preferred
    number.delete()
    if was_preferred and (other := person.phone_numbers.first()):
        other.is_preferred = True
        other.save(update_fields=["is_preferred"])
    events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, old={"phone": number.number})


@transaction.atomic
def add_position(
    *, person: Person, organisation: Organisation | str, by: User | None, at: datetime, title: str = ""
) -> Position:
    """The person works at this organisation (or at the one of exactly this name, perhaps a new one); with another title when they worked there
    already. Their only job is the main one. Refuses an empty name."""
    where = _called(organisation, by, at) if isinstance(organisation, str) else organisation
    if where is None:
        raise Refused(_("Where do they work? Write the name of the organisation."))
    found, is_new = Position.objects.get_or_create(
        person=person,
        organisation=where,
        ended_on=None,
        defaults={"title": title.strip(), "is_main": not person.positions.current().exists()},
    )
    old = None if is_new else {"position": str(found)}
    if not is_new and title.strip() and found.title != title.strip():
        found.title = title.strip()
        found.save(update_fields=["title"])
    elif not is_new:
        return found
    events.record(
        EventKind.PERSON_CHANGED,
        subject=person,
        by=by,
        at=at,
        organisation=where,
        old=old,
        new={"position": str(found)},
    )
    return found


@transaction.atomic
def end_position(*, position: Position, by: User, at: datetime) -> Position:
    """The person does not work there any more, since today. Ending it twice ends it once; another job becomes the main one."""
    today = at.astimezone(by.zone).date()
    ended = Position.objects.filter(pk=position.pk, ended_on__isnull=True).update(
        ended_on=max(today, position.started_on or today)
    )
    position.refresh_from_db()
    if ended:
        rest = position.person.positions.current()
        if position.is_main and (other := rest.first()) and not other.is_main:
            other.is_main = True
            other.save(update_fields=["is_main"])
        events.record(
            EventKind.PERSON_CHANGED,
            subject=position.person,
            by=by,
            at=at,
            organisation=position.organisation,
            old={"position": str(position)},
        )
    return position
