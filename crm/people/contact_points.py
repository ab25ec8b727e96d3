"""The addresses and numbers at which a person is reached: one of each is preferred, as soon as there is any."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import duplicates, events, locks
from crm.models import ContactPointKind, EmailAddress, EventKind, Person, PhoneNumber, User
from crm.notation import parse_email, parse_phone
from crm.refusal import Refused

Point = EmailAddress | PhoneNumber

SAID_AS = {EmailAddress: "email", PhoneNumber: "phone"}
"""How an event calls each."""


def country_of(person: Person) -> str:
    """In which country a number that they give is read: theirs, else that of where they work; empty when neither says."""
    if person.country:
        return person.country
    main = person.positions.current().select_related("organisation").first()
    return main.organisation.country if main else ""


@transaction.atomic
def add_email(
    *,
    person: Person,
    address: str,
    by: User | None,
    at: datetime,
    kind: str = ContactPointKind.WORK,
    is_confirmed: bool = True,
) -> EmailAddress:
    """The person can be reached at this address too; adding it again changes nothing, but may confirm it. Refuses what is no address or kind."""
    rows = EmailAddress.objects.filter(person=person, address=parse_email(address))
    new = EmailAddress(person=person, address=parse_email(address), kind=_kind(kind), is_confirmed=is_confirmed)
    return _add(new, rows.first, by, at)


@transaction.atomic
def add_phone(
    *,
    person: Person,
    number: str,
    by: User | None,
    at: datetime,
    kind: str = "",
    is_confirmed: bool = True,
) -> PhoneNumber:
    """The person can be called at this number too, which is read as one of their country; adding it again changes nothing, but may confirm it.
    Without a kind it is a work number. Refuses what is no number or kind."""
    read = parse_phone(number, country_of(person))
    rows = PhoneNumber.objects.filter(person=person, number=read)
    new = PhoneNumber(person=person, number=read, kind=_kind(kind or ContactPointKind.WORK), is_confirmed=is_confirmed)
    return _add(new, rows.first, by, at)


def _add(new: Any, known: Any, by: User | None, at: datetime) -> Any:
    person = new.person
    locks.row(Person.objects.only("pk"), person.pk)
    if found := known():
        if new.is_confirmed and not found.is_confirmed:
            confirm(point=found, by=by, at=at)
        return found
    new.is_preferred = not _points(new).filter(is_preferred=True).exists()
    new.save()
    events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, new={SAID_AS[type(new)]: _said(new)})
    duplicates.look(people=[person.pk], at=at)
    return new


@transaction.atomic
def remove_email(*, address: EmailAddress, by: User | None, at: datetime) -> None:
    """The person is not reached at this address any more; mail from it is a stranger's from now on."""
    _remove(address, by, at)


@transaction.atomic
def remove_phone(*, number: PhoneNumber, by: User | None, at: datetime) -> None:
    """The person is not called at this number any more."""
    _remove(number, by, at)


def _remove(point: Point, by: User | None, at: datetime) -> None:
    person = point.person
    locks.row(Person.objects.only("pk"), person.pk)
    rows, said = _points(point), {SAID_AS[type(point)]: _said(point)}
    if not rows.filter(pk=point.pk).delete()[0]:
        return
    if not rows.filter(is_preferred=True).exists() and (other := rows.order_by("-is_confirmed", "pk").first()):
        rows.filter(pk=other.pk).update(is_preferred=True)
    events.record(EventKind.PERSON_CHANGED, subject=person, by=by, at=at, old=said)
    duplicates.look(people=[person.pk], at=at)


@transaction.atomic
def prefer(*, point: Point, by: User | None, at: datetime) -> Point:
    """This is the address, or the number, at which they are reached first; the one before is one among the others."""
    held = _held(point)
    if held.is_preferred:
        return held
    rows = _points(held)
    before = rows.filter(is_preferred=True).first()
    rows.filter(is_preferred=True).update(is_preferred=False)
    held.is_preferred = True
    held.save(update_fields=["is_preferred"])
    word = f"preferred_{SAID_AS[type(held)]}"
    old = {word: _said(before)} if before else None
    events.record(EventKind.PERSON_CHANGED, subject=held.person, by=by, at=at, old=old, new={word: _said(held)})
    return held


@transaction.atomic
def confirm(*, point: Point, by: User | None, at: datetime) -> Point:
    """Somebody who knows says that this is really theirs. It is preferred when the preferred one is not confirmed."""
    held = _held(point)
    if held.is_confirmed:
        return held
    held.is_confirmed = True
    if not _points(held).filter(is_preferred=True, is_confirmed=True).exists():
        _points(held).update(is_preferred=False)
        held.is_preferred = True
    held.save(update_fields=["is_confirmed", "is_preferred"])
    word = f"confirmed_{SAID_AS[type(held)]}"
    events.record(EventKind.PERSON_CHANGED, subject=held.person, by=by, at=at, new={word: _said(held)})
    return held


@transaction.atomic
def change_kind(*, point: Point, kind: str, by: User | None, at: datetime) -> Point:
    """It is of this kind: work, mobile, private or other. Refuses a kind that is none."""
    held, kind = _held(point), _kind(kind)
    if held.kind == kind:
        return held
    before, held.kind = _said(held), kind
    held.save(update_fields=["kind"])
    word = SAID_AS[type(held)]
    events.record(
        EventKind.PERSON_CHANGED, subject=held.person, by=by, at=at, old={word: before}, new={word: _said(held)}
    )
    return held


@transaction.atomic
def works_again(*, address: EmailAddress, by: User | None, at: datetime) -> EmailAddress:
    """Mail to this address arrives again: it is no longer marked as one from which mail came back."""
    held = _held(address)
    if held.bounced_at is None:
        return held
    held.bounced_at, held.bounce_why = None, ""
    held.save(update_fields=["bounced_at", "bounce_why"])
    events.record(EventKind.PERSON_CHANGED, subject=held.person, by=by, at=at, new={"working_email": held.address})
    return held


def _held(point: Any) -> Any:
    """The point as it is now, while nobody else changes any of this person's. Refuses one that is gone."""
    locks.row(Person.objects.only("pk"), point.person_id)
    held = type(point).objects.select_related("person").filter(pk=point.pk).first()
    if held is None:
        raise Refused(_("It was removed meanwhile. Look at the page again."))
    return held


def _points(point: Any) -> Any:
    """All addresses of their person, or all numbers."""
    return type(point).objects.filter(person_id=point.person_id)


def _kind(kind: str) -> str:
    if kind not in ContactPointKind.values:
        raise Refused(_("Choose work, mobile, private or other."))
    return kind


def _said(point: Point) -> str:
    """As an event names it: with its kind, when that is not the usual one."""
    said = point.address if isinstance(point, EmailAddress) else point.readable
    return said if point.kind == ContactPointKind.WORK else f"{said} ({point.kind})"
