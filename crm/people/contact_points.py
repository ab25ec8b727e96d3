"""The addresses and numbers at which a person is reached."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm import events
from crm.models import EmailAddress, EventKind, Person, PhoneNumber, User
from crm.notation import parse_email, parse_phone


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
