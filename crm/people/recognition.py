"""Know people and organisations when they come back, and add those who are new."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import duplicates, events, locks
from crm.free_mail import company_domain
from crm.models import EmailAddress, EventKind, Merge, Mergeable, Organisation, Person, PhoneNumber, Position, User
from crm.notation import parse_email, parse_kvk, parse_name, parse_phone, parse_vat
from crm.people.contact_points import add_phone
from crm.refusal import Refused


def parsed(fields: dict[str, Any], country: str) -> dict[str, Any]:
    """The numbers among these fields of an organisation as we keep them; a VAT number without its country is read as one of this country.
    Refuses those that are none."""
    if "vat_number" in fields:
        fields = {**fields, "vat_number": parse_vat(fields["vat_number"], country)}
    if "kvk_number" in fields:
        fields = {**fields, "kvk_number": parse_kvk(fields["kvk_number"])}
    return fields


def with_email(address: str) -> Person | None:
    """The person known longest at this address, or `None`."""
    found = EmailAddress.objects.filter(address=address.strip().lower()).select_related("person").order_by("id").first()
    return found.person if found else None


def organisation_at(domain: str) -> Organisation | None:
    """The organisation with this domain, or that one with it became part of, or `None`; free-mail domains belong to nobody."""
    domain = company_domain(domain)
    if not domain:
        return None
    found = Organisation.objects.filter(domain=domain).first()
    if found is None and (pk := Merge.objects.stayed_with(Mergeable.ORGANISATION, domain=domain)):
        found = Organisation.objects.filter(pk=pk).first()
    return found


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
    fields = parsed(fields, fields.get("country", ""))
    organisation = Organisation.objects.create(name=name, domain=domain, **fields)
    events.record(EventKind.ORGANISATION_MADE, subject=organisation, by=by, at=at, new={"name": name, "domain": domain})
    duplicates.look(organisations=[organisation.pk], at=at)
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
    organisation = called(organisation, by, at) if isinstance(organisation, str) else organisation
    split = parse_name(name)
    if any(len(part) > most for part, most in ((split.given, 100), (split.particle, 30), (split.family, 100))):
        raise Refused(_("This name is longer than we can keep. Write it shorter."))
    person = Person.objects.create(given_name=split.given, particle=split.particle, family_name=split.family, **fields)
    country = person.country or (organisation.country if organisation else "")
    if email:
        EmailAddress.objects.create(person=person, address=parse_email(email), is_preferred=True)
    if phone:
        PhoneNumber.objects.create(person=person, number=parse_phone(phone, country), is_preferred=True)
    if organisation:
        Position.objects.create(person=person, organisation=organisation, title=title)
    events.record(
        EventKind.PERSON_MADE, subject=person, by=by, at=at, organisation=organisation, new={"name": str(person)}
    )
    duplicates.look(people=[person.pk], at=at)
    return person


def called(name: str, by: User | None, at: datetime) -> Organisation | None:
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
    position, else by exactly the same name. What a known person newly gives (phone, position) is added to what we know; a number that no colleague
    typed is not confirmed. Two messages of one new sender at the same moment make one person. Without name and address there is no person
    (`None`).
    """
    email = parse_email(email) if email.strip() else ""
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
            phone=phone.strip(),
            organisation=company,
            language=language,
            by=by,
            at=at,
        )
    elif person is not None:
        if phone.strip():  # Whoever knows an address may write anything in its name, so a stranger's number waits for somebody who knows.
            add_phone(person=person, number=phone, is_confirmed=by is not None, by=by, at=at)
        if company is not None and not person.positions.current().exists():
            Position.objects.create(person=person, organisation=company)
        duplicates.look(people=[person.pk], at=at)
    return person, company
