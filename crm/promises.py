"""The promise ledger, both ways: made, kept, broken, moved, and put right when it was written or settled by a slip."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm import events, locks, notices
from crm.models import Conversation, Deal, EventKind, Lead, NoticeKind, Person, Promise, PromiseSide, PromiseState, User
from crm.refusal import Refused

MOST = 300
"""Characters of what was promised."""


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
    text = _words(text)
    _check_days(due_on, not_before)
    promise = Promise.objects.create(
        side=side,
        text=text,
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
    """The promise is kept, and who watches one of theirs is told when a colleague found out. Keeping it again changes nothing; a broken one is
    refused."""
    return _resolve(promise, PromiseState.KEPT, EventKind.PROMISE_KEPT, by, at)


def break_(*, promise: Promise, by: User, at: datetime) -> Promise:
    """The promise is broken. Breaking it again changes nothing; a kept one is refused."""
    return _resolve(promise, PromiseState.BROKEN, EventKind.PROMISE_BROKEN, by, at)


@transaction.atomic
def _resolve(promise: Promise, state: PromiseState, kind: EventKind, by: User, at: datetime) -> Promise:
    resolved = Promise.objects.filter(pk=promise.pk, state=PromiseState.OPEN).update(state=state, resolved_at=at)
    promise.refresh_from_db(fields=["state", "resolved_at"])
    if resolved:
        _record(kind, promise, by, at, new={"text": promise.text})
        if state == PromiseState.KEPT and promise.side == PromiseSide.THEIRS:
            _tell_watcher(promise, by, at)
    elif promise.state != state:
        raise Refused(_("This promise is settled already: %(state)s.") % {"state": promise.get_state_display()})
    return promise


def _tell_watcher(promise: Promise, by: User, at: datetime) -> None:
    if promise.owner is None:
        return
    notices.tell(
        user=promise.owner,
        kind=NoticeKind.PROMISE_KEPT,
        values={"person": str(promise.person), "text": promise.text, "due_on": promise.due_on},
        path=reverse("crm:promise", args=[promise.pk]),
        at=at,
        by=by,
        subject=promise,
    )


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
        _record(
            EventKind.PROMISE_MOVED,
            promise,
            by,
            at,
            old={"due": old.due_on},
            new={"due": due_on, "text": promise.text},
        )
    return promise


@transaction.atomic
def change(
    *, promise: Promise, by: User, at: datetime, text: str | None = None, not_before: date | None = None
) -> Promise:
    """The promise reads `text` (as it did, when that is None) and is not brought up before `not_before` (None: any day). Old and new stand in its
    history; changing nothing records nothing. Its day changes by `move`. Refuses a settled promise, one without words, and a *not before* after
    its day."""
    row = locks.row(Promise.objects.select_related("person", "lead", "deal"), promise.pk)
    if not row.is_open:
        raise Refused(_("This promise is settled already, so it stays as it is."))
    words = row.text if text is None else _words(text)
    _check_days(row.due_on, not_before)
    wanted = {"text": words, "not_before": not_before}
    old = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
    if old:
        for name in old:
            setattr(row, name, wanted[name])
        row.save(update_fields=sorted(old))
        _record(EventKind.PROMISE_CHANGED, row, by, at, old=old, new={"text": words} | {n: wanted[n] for n in old})
    return row


@transaction.atomic
def reopen(*, promise: Promise, by: User, at: datetime) -> Promise:
    """The promise is open again, as it was before it was settled; that it was settled stays in its history. Opening an open one changes nothing.
    Refuses one that was settled more than a week ago."""
    row = locks.row(Promise.objects.select_related("person", "lead", "deal"), promise.pk)
    if row.is_open:
        return row
    if not row.may_reopen(at):
        raise Refused(_("This was settled more than a week ago. Note a new promise instead."))
    was, row.state, row.resolved_at = row.state, PromiseState.OPEN, None
    row.save(update_fields=["state", "resolved_at"])
    _record(EventKind.PROMISE_REOPENED, row, by, at, old={"state": was}, new={"text": row.text})
    return row


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise Refused(_("Say what was promised."))
    if len(words) > MOST:
        raise Refused(_("Say it in 300 characters or fewer."))
    return words


def _check_days(due_on: date, not_before: date | None) -> None:
    if not_before and not_before > due_on:
        raise Refused(_("“Not before” lies after the promised date. Choose a later promised date."))


def _record(
    kind: EventKind, promise: Promise, by: User, at: datetime, *, new: dict[str, Any], old: dict[str, Any] | None = None
) -> None:
    events.record(
        kind,
        subject=promise,
        by=by,
        at=at,
        person=promise.person,
        lead=promise.lead,
        deal=promise.deal,
        old=old,
        new=new,
    )
