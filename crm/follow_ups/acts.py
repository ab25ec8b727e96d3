"""What people do with follow-ups: done, not needed, put off, made by hand, opened again. Each is written as an Event."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events, locks, mentions, promises
from crm.clock import working_moment
from crm.models import (
    PROMISES,
    Deal,
    Event,
    EventKind,
    FollowUp,
    Lead,
    Organisation,
    Outcome,
    Person,
    Promise,
    PromiseState,
    SubjectKind,
    User,
)
from crm.refusal import Refused

REOPEN_WITHIN = timedelta(days=7)
"""How long a follow-up closed by hand can be opened again: long enough for a slip of the hand, too short to rewrite a quarter."""


@transaction.atomic
def done(*, follow_up: FollowUp, by: User, at: datetime) -> bool:
    """It is done, by `by`; its cause stays quiet until there is a new one. One about a promise is done when the promise is kept, so it is kept.

    Twice done is done once: the second answers False and changes nothing.
    """
    is_first = _close(follow_up, Outcome.DONE, EventKind.FOLLOW_UP_DONE, by, at, None)
    if is_first and follow_up.rule in PROMISES:
        promise = (
            Promise.objects.open().select_related("person", "lead", "deal").filter(pk=follow_up.subject_id).first()
        )
        if promise is not None:
            promises.keep(promise=promise, by=by, at=at)
    return is_first


def not_needed(*, follow_up: FollowUp, by: User, at: datetime, why: str = "") -> bool:
    """It need not be done, says `by`; its cause stays quiet until there is a new one. False when it was closed already."""
    return _close(follow_up, Outcome.NOT_NEEDED, EventKind.FOLLOW_UP_NOT_NEEDED, by, at, why.strip() or None)


@transaction.atomic
def _close(follow_up: FollowUp, outcome: Outcome, kind: EventKind, by: User, at: datetime, why: str | None) -> bool:
    claimed = FollowUp.objects.open().filter(pk=follow_up.pk).update(outcome=outcome, closed_at=at, closed_by=by)
    follow_up.refresh_from_db(fields=["outcome", "closed_at", "closed_by"])
    if claimed:
        _record(kind, follow_up, by, at, new={"why": why} if why else {})
    return bool(claimed)


@transaction.atomic
def put_off(*, follow_up: FollowUp, until: date, by: User, at: datetime) -> datetime:
    """It is shown again on the morning of `until`, or of the owner's first working day after it; the answer is that moment.

    A refresh leaves it so while the cause is the same. Refuses a day that is not still to come, and one that is closed.
    """
    calendar = follow_up.owner.calendar
    if until <= at.astimezone(calendar.zone).date():
        raise Refused(_("Choose a day that is still to come."))
    if until > at.astimezone(calendar.zone).date() + timedelta(days=366):
        raise Refused(_("That is more than a year away. Choose a day within a year."))
    moment = working_moment(until, calendar)
    if not FollowUp.objects.open().filter(pk=follow_up.pk).update(put_off_until=moment, show_at=moment):
        raise Refused(_("This follow-up is closed already, so there is nothing to put off."))
    old = follow_up.show_at
    follow_up.refresh_from_db(fields=["put_off_until", "show_at"])
    if old != moment:
        _record(
            EventKind.FOLLOW_UP_PUT_OFF,
            follow_up,
            by,
            at,
            old={"shown": old},
            new={"shown": moment, "until": moment.date()},
        )
    return moment


@transaction.atomic
def bring_back(*, follow_up: FollowUp, by: User, at: datetime) -> FollowUp:
    """It is shown again when it was before it was last put off. Bringing back one that is not put off any more changes nothing. Refuses one that is
    closed, and one that was put off more than a week ago."""
    row = locks.row(FollowUp.objects.all(), follow_up.pk)
    if not row.is_open:
        raise Refused(_("This follow-up is closed already, so there is nothing to bring back."))
    puttings_off = Event.objects.filter(
        kind=EventKind.FOLLOW_UP_PUT_OFF, subject_kind=SubjectKind.FOLLOW_UP, subject_id=row.pk
    )
    last = puttings_off.order_by("-at", "-pk").first()
    if last is not None and _moment(last.new, "shown") == row.put_off_until:
        if at - last.at > REOPEN_WITHIN:
            raise Refused(_("This was put off more than a week ago. Choose another day instead."))
        late, shown = row.show_at, _moment(last.old, "shown") or row.due_at
        row.put_off_until = shown if shown > row.due_at else None
        row.show_at = row.put_off_until or row.due_at
        row.save(update_fields=["put_off_until", "show_at"])
        _record(EventKind.FOLLOW_UP_MADE, row, by, at, old={"shown": late}, new={"shown": row.show_at})
    follow_up.put_off_until, follow_up.show_at = row.put_off_until, row.show_at
    return follow_up


def _moment(values: dict[str, Any] | None, name: str) -> datetime | None:
    text = (values or {}).get(name)
    return datetime.fromisoformat(text) if text else None


@transaction.atomic
def make(
    *,
    note: str,
    owner: User,
    due_on: date,
    by: User,
    at: datetime,
    person: Person | None = None,
    organisation: Organisation | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
) -> FollowUp:
    """One more thing to do for `owner`, made by hand, shown from the working morning of `due_on`. Person and organisation come from the lead or
    deal when they are not named. Refuses one without words, one in the past, and an owner who cannot log in."""
    note, moment = checked(note=note, owner=owner, due_on=due_on, at=at)
    subject = deal or lead or person or organisation or owner
    person = person or (deal and deal.person) or (lead and lead.person) or None
    organisation = organisation or (deal and deal.organisation) or (lead and lead.organisation) or None
    follow_up = FollowUp.objects.create(
        subject_kind=events.SUBJECTS[type(subject)],
        subject_id=subject.pk,
        note=note,
        why={"by": by.name},
        owner=owner,
        due_at=moment,
        show_at=moment,
        created_at=at,
        person=person,
        organisation=organisation,
        lead=lead,
        deal=deal,
    )
    _record(EventKind.FOLLOW_UP_MADE, follow_up, by, at, new={"due": due_on, "owner": owner.name})
    mentions.in_follow_up(follow_up, about=subject, by=by, at=at)
    return follow_up


def checked(*, note: str, owner: User, due_on: date, at: datetime) -> tuple[str, datetime]:
    """The words, and the working morning of `owner` on which a follow-up made by hand is shown. Refuses one without words, one in the past,
    and an owner who cannot log in."""
    note = " ".join(note.split())
    if not note:
        raise Refused(_("Say what is to be done."))
    if len(note) > 300:
        raise Refused(_("Say it in 300 characters or fewer."))
    if not owner.is_active:
        raise Refused(_("%(name)s does not work with Kring any more. Choose somebody else.") % {"name": owner})
    calendar = owner.calendar
    today = at.astimezone(calendar.zone).date()
    if due_on < today:
        raise Refused(_("Choose today or a day that is still to come."))
    return note, working_moment(due_on, calendar)


@transaction.atomic
def reopen(*, follow_up: FollowUp, by: User, at: datetime) -> FollowUp:
    """It is open again, as it was; a promise that was kept by doing it is open again with it. Opening an open one changes nothing. Refuses one that
    Kring closed because its cause had gone, one that was closed more than a week ago, one about a promise that was settled in another way, and one
    that has an open successor."""
    if follow_up.is_open:
        return follow_up
    if follow_up.outcome == Outcome.CAUSE_GONE:
        raise Refused(_("Kring closed this one, since there was no reason for it any more."))
    assert follow_up.closed_at
    if at - follow_up.closed_at > REOPEN_WITHIN:
        raise Refused(_("This was closed more than a week ago. Make a new follow-up instead."))
    if follow_up.rule in PROMISES:
        _take_back(follow_up, by, at)
    try:
        with transaction.atomic():
            closed = FollowUp.objects.filter(pk=follow_up.pk, closed_at=follow_up.closed_at)
            was = follow_up.outcome
            reopened = closed.update(outcome="", closed_at=None, closed_by=None)
            follow_up.refresh_from_db(fields=["outcome", "closed_at", "closed_by"])
            if reopened:
                _record(EventKind.FOLLOW_UP_MADE, follow_up, by, at, old={"outcome": was}, new={})
    except IntegrityError as error:
        raise Refused(_("It is open again already: there is something new to do for the same reason.")) from error
    return follow_up


def _take_back(follow_up: FollowUp, by: User, at: datetime) -> None:
    """The promise is open: it is still, or it was kept by the very act that is undone."""
    promise = Promise.objects.filter(pk=follow_up.subject_id).first()
    if promise is not None and promise.is_open:
        return
    if promise is None or promise.state != PromiseState.KEPT or promise.resolved_at != follow_up.closed_at:
        raise Refused(_("This promise is settled. If it was not kept after all, write down a new one."))
    promises.reopen(promise=promise, by=by, at=at)


def _record(
    kind: EventKind,
    follow_up: FollowUp,
    by: User,
    at: datetime,
    *,
    new: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    events.record(
        kind,
        subject=follow_up,
        by=by,
        at=at,
        old=old,
        new={"rule": follow_up.rule, "note": follow_up.note, **new},
        person=follow_up.person,
        organisation=follow_up.organisation,
        lead=follow_up.lead,
        deal=follow_up.deal,
    )
