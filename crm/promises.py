"""The promise ledger, both ways: made, kept, broken, moved."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import Conversation, Deal, EventKind, Lead, Person, Promise, PromiseSide, PromiseState, User
from crm.refusal import Refused


@transaction.atomic
def make(
    *,
    side: PromiseSide | str,
    text: str,
    person: Person,
    due_on: date,
    by: User,
    at: datetime,
    not_before: date | None = None,
    owner: User | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
    conversation: Conversation | None = None,
) -> Promise:
    """The promise stands in the ledger, watched by `owner` (default: who wrote it down). Refuses one without words, and one that may not be
    asked about until after it is due."""
    if not text.strip():
        raise Refused(_("Say what was promised."))
    if not_before and not_before > due_on:
        raise Refused(_("“Not before” lies after the promised date. Choose a later promised date."))
    promise = Promise.objects.create(
        side=side,
        text=text.strip(),
        person=person,
        owner=owner or by,
        lead=lead,
        deal=deal,
        conversation=conversation,
        made_at=at,
        due_on=due_on,
        not_before=not_before,
    )
    events.record(
        EventKind.PROMISE_MADE,
        subject=promise,
        by=by,
        at=at,
        person=person,
        lead=lead,
        deal=deal,
        new={"side": side, "text": text, "due": due_on},
    )
    return promise


def keep(*, promise: Promise, by: User, at: datetime) -> Promise:
    """The promise is kept. Keeping it again changes nothing; a broken one is refused."""
    return _resolve(promise, PromiseState.KEPT, EventKind.PROMISE_KEPT, by, at)


def break_(*, promise: Promise, by: User, at: datetime) -> Promise:
    """The promise is broken. Breaking it again changes nothing; a kept one is refused."""
    return _resolve(promise, PromiseState.BROKEN, EventKind.PROMISE_BROKEN, by, at)


@transaction.atomic
def _resolve(promise: Promise, state: PromiseState, kind: EventKind, by: User, at: datetime) -> Promise:
    resolved = Promise.objects.filter(pk=promise.pk, state=PromiseState.OPEN).update(state=state, resolved_at=at)
    promise.refresh_from_db(fields=["state", "resolved_at"])
    if resolved:
        events.record(
            kind,
            subject=promise,
            by=by,
            at=at,
            person=promise.person,
            lead=promise.lead,
            deal=promise.deal,
            new={"text": promise.text},
        )
    elif promise.state != state:
        raise Refused(_("This promise is settled already: %(state)s.") % {"state": promise.get_state_display()})
    return promise


@transaction.atomic
def move(*, promise: Promise, due_on: date, by: User, at: datetime) -> Promise:
    """The promise has another date; the old one stays in its history. A *not before* after it is lifted.
    Refuses a settled promise, and a day that has passed."""
    if due_on < at.astimezone(by.zone).date():
        raise Refused(_("This day has passed. Choose today or a later day."))
    old = locks.row(Promise.objects.all(), promise.pk)
    if not old.is_open:
        raise Refused(_("This promise is settled already, so it cannot move."))
    promise.due_on = due_on
    promise.not_before = None if old.not_before and old.not_before > due_on else old.not_before
    promise.save(update_fields=["due_on", "not_before"])
    if old.due_on != due_on:
        events.record(
            EventKind.PROMISE_MOVED,
            subject=promise,
            by=by,
            at=at,
            person=promise.person,
            lead=promise.lead,
            deal=promise.deal,
            old={"due": old.due_on},
            new={"due": due_on, "text": promise.text},
        )
    return promise
