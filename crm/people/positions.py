"""The jobs that a person holds, or held."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events
from crm.models import EventKind, Organisation, Person, Position, User
from crm.people.recognition import called
from crm.refusal import Refused


@transaction.atomic
def add_position(
    *, person: Person, organisation: Organisation | str, by: User | None, at: datetime, title: str = ""
) -> Position:
    """The person works at this organisation (or at the one of exactly this name, perhaps a new one); with another title when they worked there
    already. Their only job is the main one. Refuses an empty name."""
    where = called(organisation, by, at) if isinstance(organisation, str) else organisation
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
