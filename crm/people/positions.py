"""The jobs that a person holds, or held. One of those held now is the main one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm import duplicates, events, locks
from crm.models import EventKind, Organisation, Person, Position, User
from crm.people.recognition import called
from crm.refusal import Refused


@transaction.atomic
def add_position(
    *,
    person: Person,
    organisation: Organisation | str,
    by: User | None,
    at: datetime,
    title: str = "",
    started_on: date | None = None,
    ended_on: date | None = None,
) -> Position:
    """The person works at this organisation (or at the one of exactly this name, perhaps a new one), or worked there until `ended_on`; with
    another title or beginning when they work there already. Their only job is the main one. Refuses an empty name, and days that cannot be."""
    where = called(organisation, by, at) if isinstance(organisation, str) else organisation
    if where is None:
        raise Refused(_("Where do they work? Write the name of the organisation."))
    locks.row(Person.objects.only("pk"), person.pk)
    _check(started_on, ended_on, by, at)
    title = " ".join(title.split())
    held = None if ended_on else person.positions.current().filter(organisation=where).first()
    if held is not None:
        fields = {"title": title or held.title, "started_on": started_on or held.started_on}
        return _save(held, by, at, **fields)
    position = Position.objects.create(
        person=person,
        organisation=where,
        title=title,
        started_on=started_on,
        ended_on=ended_on,
        is_main=ended_on is None and not person.positions.current().filter(is_main=True).exists(),
    )
    _record(position, by, at, new={"position": said(position)})
    return position


@transaction.atomic
def change_position(
    *,
    position: Position,
    by: User | None,
    at: datetime,
    title: str,
    started_on: date | None,
    ended_on: date | None,
) -> Position:
    """The job has this title and these days. One without an end is held now. Refuses days that cannot be, and to hold one job twice."""
    held = _held(position)
    _check(started_on, ended_on, by, at)
    twice = held.person.positions.current().filter(organisation=held.organisation).exclude(pk=held.pk)
    if ended_on is None and held.ended_on is not None and twice.exists():
        raise Refused(_("They have a job there now. Change that one."))
    _save(held, by, at, title=" ".join(title.split()), started_on=started_on, ended_on=ended_on)
    _keep_one_main(held.person)
    held.refresh_from_db()
    return held


@transaction.atomic
def end_position(*, position: Position, by: User, at: datetime, ended_on: date | None = None) -> Position:
    """The person does not work there any more, since today or the day given. Ending it twice ends it once; another job becomes the main one."""
    held = _held(position)
    if held.ended_on is None:
        today = at.astimezone(by.zone).date()
        _check(held.started_on, ended_on, by, at)
        held.ended_on = max(ended_on or today, held.started_on or today) if ended_on is None else ended_on
        held.save(update_fields=["ended_on"])
        _keep_one_main(held.person)
        _record(held, by, at, old={"position": str(held)})
    position.refresh_from_db()
    return position


@transaction.atomic
def make_main(*, position: Position, by: User | None, at: datetime) -> Position:
    """This job is the one they are known by. Refuses a job that ended."""
    held = _held(position)
    if held.ended_on is not None:
        raise Refused(_("They do not work there any more, so it cannot be their main job."))
    jobs = held.person.positions.current()
    before = jobs.filter(is_main=True).exclude(pk=held.pk).first()
    if held.is_main and before is None:
        return held
    jobs.exclude(pk=held.pk).order_by().update(is_main=False)
    held.is_main = True
    held.save(update_fields=["is_main"])
    old = {"main_position": str(before)} if before else None
    _record(held, by, at, old=old, new={"main_position": str(held)})
    return held


@transaction.atomic
def remove_position(*, position: Position, by: User | None, at: datetime) -> None:
    """They never had this job: it was noted by mistake. The event keeps what stood there."""
    held = _held(position)
    was = said(held)
    Position.objects.filter(pk=held.pk).delete()
    _keep_one_main(held.person)
    _record(held, by, at, old={"wrong_position": was})


def said(position: Position) -> str:
    """The job as an event names it, with the days that are known."""
    days = " – ".join(day.isoformat() if day else "…" for day in (position.started_on, position.ended_on))
    return f"{position} ({days})" if position.started_on or position.ended_on else str(position)


def _save(position: Position, by: User | None, at: datetime, **fields: Any) -> Position:
    before = said(position)
    for name, value in fields.items():
        setattr(position, name, value)
    if said(position) != before:
        position.save(update_fields=list(fields))
        _record(position, by, at, old={"position": before}, new={"position": said(position)})
    return position


def _check(started_on: date | None, ended_on: date | None, by: User | None, at: datetime) -> None:
    if started_on and ended_on and ended_on < started_on:
        raise Refused(_("A job cannot end before it began. Look at the two days again."))
    if ended_on and ended_on > (at.astimezone(by.zone) if by else at).date():
        raise Refused(_("A day that is still to come says nothing yet. Note the end when it is there."))


def _held(position: Position) -> Position:
    """The job as it is now, while nobody else changes any of this person's. Refuses one that is gone."""
    locks.row(Person.objects.only("pk"), position.person_id)
    held = Position.objects.select_related("person", "organisation").filter(pk=position.pk).first()
    if held is None:
        raise Refused(_("It was removed meanwhile. Look at the page again."))
    return held


def _keep_one_main(person: Person) -> None:
    jobs = list(person.positions.current())
    if jobs and not jobs[0].is_main:
        jobs[0].is_main = True
        jobs[0].save(update_fields=["is_main"])


def _record(
    position: Position,
    by: User | None,
    at: datetime,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    where = position.organisation
    events.record(EventKind.PERSON_CHANGED, subject=position.person, by=by, at=at, organisation=where, old=old, new=new)
    duplicates.look(people=[position.person_id], at=at)
