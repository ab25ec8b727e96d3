"""Tries to reach somebody by telephone: each asks the guard first, and says afterwards how it ended.

A try without an answer is an attempt and no conversation: it moves no last contact, and only makes us wait longer. One that was answered becomes
a conversation when what was said is logged.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks, permission
from crm.models import (
    Attempt,
    AttemptOutcome,
    Conversation,
    ConversationKind,
    Deal,
    EventKind,
    Lead,
    Person,
    PhoneNumber,
    User,
)
from crm.refusal import Refused

SAME_CALL = timedelta(minutes=1)
"""Within this time the same user calls the same number once: the second click is the same call."""


@transaction.atomic
def start(
    *,
    person: Person,
    number: str,
    by: User,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    override: str = "",
) -> Attempt:
    """The attempt stands in the record before the telephone rings; pressed twice it is one. Two colleagues who call at once wait for each other,
    so the second is judged with the first one's attempt.

    Refuses a number that is not theirs, and what `permission.obtain` refuses: never, or `TooEarly` without a reason in `override`.
    """
    person = locks.row(Person.objects.all(), person.pk)
    twin = Attempt.objects.filter(person=person, number=number, by=by, outcome="", at__gt=at - SAME_CALL).first()
    if twin is not None:
        return twin
    if not PhoneNumber.objects.filter(person=person, number=number).exists():
        raise Refused(_("This number is not one of theirs any more. Choose another."))
    permission.obtain(person=person, channel=ConversationKind.CALL, by=by, at=at, number=number, override=override)
    attempt = Attempt.objects.create(
        person=person,
        kind=ConversationKind.CALL,
        number=number,
        lead=lead or (deal.lead if deal else None),
        deal=deal,
        at=at,
        by=by,
    )
    _record(EventKind.ATTEMPT_MADE, attempt, by, at, number=number)
    return attempt


@transaction.atomic
def end(*, attempt: Attempt, outcome: AttemptOutcome | str, by: User, at: datetime, note: str = "") -> Attempt:
    """It is known how the attempt ended; saying the same again changes nothing, and a slip can be put right until a conversation comes of it.

    Refuses an outcome that is none, one that was answered (log what was said, then it is), and one of which a conversation came already.
    """
    if outcome not in AttemptOutcome.values:
        raise Refused(_("Say how the call ended."))
    if outcome == AttemptOutcome.SPOKE:
        raise Refused(_("You spoke. Log what was said, then this call is a conversation."))
    row = _held(attempt)
    note = " ".join(note.split())[:300]
    if row.outcome != outcome or (note and row.note != note):
        row.outcome, row.note = outcome, note
        row.save(update_fields=["outcome", "note"])
        _record(EventKind.ATTEMPT_ENDED, row, by, at, outcome=str(outcome), note=note)
    return row


@transaction.atomic
def answered(*, attempt: Attempt, conversation: Conversation) -> Attempt:
    """This conversation came of the attempt, and tells what was said. Refuses one of which another came already, so that a call is logged once."""
    row = _held(attempt)
    row.outcome, row.conversation = AttemptOutcome.SPOKE, conversation
    row.save(update_fields=["outcome", "conversation"])
    return row


def _held(attempt: Attempt) -> Attempt:
    row = locks.row(Attempt.objects.select_related("person", "lead", "deal"), attempt.pk)
    if row.outcome == AttemptOutcome.SPOKE:
        raise Refused(_("This call is logged already as a conversation."))
    return row


def _record(kind: EventKind, attempt: Attempt, by: User, at: datetime, **new: str) -> None:
    events.record(
        kind,
        subject=attempt,
        by=by,
        at=at,
        person=attempt.person,
        lead=attempt.lead,
        deal=attempt.deal,
        new={name: value for name, value in new.items() if value},
    )
