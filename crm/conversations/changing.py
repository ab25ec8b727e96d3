"""Put right what was noted about a conversation, move it to where it belongs, and keep it to oneself; nobody's words are overwritten unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import copy
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.conversations import response_clock
from crm.conversations.last_contact import recompute_around
from crm.conversations.writing import KEPT, TEXTS, must_be_open_to, must_be_past, must_concern_somebody
from crm.models import Conversation, Event, EventKind, MailMessage, Person, User
from crm.refusal import Refused

PLACES = ("organisation", "lead", "deal")
CHANGEABLE = frozenset({*KEPT, *PLACES, "people", "when"} - {"at"})
"""What `change` may change: everything but by whom it was and who may read it. `when` is when it happened, as in `log`."""


class ChangedMeanwhile(Refused):
    """Somebody else changed it since it was opened; nothing was saved. `by` (a name, or empty for Kring itself) and `at` say who and when."""

    def __init__(self, by: str, at: datetime | None) -> None:
        self.by, self.at = by, at
        super().__init__(
            _(
                "%(name)s changed this conversation while you did. What you typed still stands here; look at theirs first."
            )
            % {"name": by or _("Somebody")}
        )


def fingerprint(conversation: Conversation) -> str:
    """What the conversation says now, in a few letters: a form carries it, so that saving it notices what others changed meanwhile."""
    values: dict[str, Any] = {name: getattr(conversation, name) for name in KEPT}
    values |= {name: getattr(conversation, f"{name}_id") for name in (*PLACES, "private_to")}
    values["people"] = sorted(conversation.people.values_list("pk", flat=True))
    return sha256(json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()[:32]


@transaction.atomic
def change(*, conversation: Conversation, by: User | None, at: datetime, seen: str = "", **fields: Any) -> Conversation:
    """The conversation says what `fields` say; last contact of everybody and everything that it concerned before and concerns now is true, and
    the response clocks of both leads are. Old and new of what really changed stand in one event. Changing nothing records nothing.

    `people` is all who took part. One on a deal is also one on that deal's lead; one that leaves a deal leaves its lead. `seen` is the
    `fingerprint` from which the change was made: `ChangedMeanwhile` when that is not what stands there any more. Refuses one that was removed
    or that somebody else keeps private, the future, and nobody. Raises `TypeError` for a field outside `CHANGEABLE`.
    """
    if unknown := fields.keys() - CHANGEABLE:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))}")
    row = _held(conversation)
    must_be_open_to(row, by)
    if seen and seen != fingerprint(row):
        raise _meanwhile(row)
    was, were = copy(row), list(row.people.order_by("pk"))
    if "when" in fields:
        fields["at"] = fields.pop("when")
    now = _all(fields.pop("people"), were) if "people" in fields else were
    _set(row, fields)
    must_be_past(row.at, at)
    must_concern_somebody(now, row.deal or row.lead, row.organisation)

    changed = [name for name in KEPT if getattr(row, name) != getattr(was, name)]
    changed += [name for name in PLACES if getattr(row, f"{name}_id") != getattr(was, f"{name}_id")]
    if changed:
        row.save(update_fields=changed)
    old: dict[str, Any] = {name: events.readable(getattr(was, name)) for name in changed}
    new: dict[str, Any] = {name: events.readable(getattr(row, name)) for name in changed}
    if {person.pk for person in now} != {person.pk for person in were}:
        row.people.set(now)
        old["people"], new["people"] = [str(person) for person in were], [str(person) for person in now]
    if not new:
        return row
    recompute_around(was, row, people=[person.pk for person in (*were, *now)])
    _set_clocks(was, row, at)
    _record(row, now, by, at, old, new)
    return row


@transaction.atomic
def keep_private(*, conversation: Conversation, by: User, at: datetime) -> Conversation:
    """Only `by` reads what was said from now on; colleagues see that there was contact. Refuses anybody but whoever it is by."""
    row = _held(conversation)
    if row.by_id != by.pk:
        raise Refused(_("Only whoever had this conversation can keep it private."))
    return _now_private_to(row, by, by, at)


@transaction.atomic
def show(*, conversation: Conversation, by: User, at: datetime) -> Conversation:
    """Colleagues read it, too. Refuses anybody but the one who keeps it private."""
    row = _held(conversation)
    must_be_open_to(row, by)
    return _now_private_to(row, None, by, at)


def kept_by(user: User | None, *, answering: Iterable[str]) -> User | None:
    """`user`, when they keep one of the messages with these keys private: an answer quotes what it answers, so it is kept, too."""
    if user is None:
        return None
    kept = MailMessage.objects.filter(key__in=[key for key in answering if key], conversation__private_to=user)
    return user if kept.exists() else None


def _now_private_to(row: Conversation, reader: User | None, by: User, at: datetime) -> Conversation:
    if row.private_to != reader:
        was, row.private_to = row.private_to, reader
        row.save(update_fields=["private_to"])
        _record(
            row,
            list(row.people.order_by("pk")),
            by,
            at,
            {"private_to": events.readable(was)},
            {"private_to": events.readable(reader)},
        )
    return row


def _held(conversation: Conversation) -> Conversation:
    rows = Conversation.objects.select_related("by", "organisation", "lead", "deal__lead", "private_to")
    try:
        return locks.row(rows, conversation.pk)
    except Conversation.DoesNotExist:
        raise Refused(_("This conversation was removed meanwhile.")) from None


def _meanwhile(row: Conversation) -> ChangedMeanwhile:
    subject = events.SUBJECTS[Conversation]
    last = (
        Event.objects.filter(subject_kind=subject, subject_id=row.pk, kind=EventKind.CONVERSATION_CHANGED)
        .for_timeline()
        .first()
    )
    return ChangedMeanwhile(str(last.by) if last and last.by else "", last.at if last else None)


def _all(people: Iterable[Person], were: list[Person]) -> list[Person]:
    """Each once, those who were there already first."""
    chosen = {person.pk: person for person in people}
    first = [chosen.pop(person.pk) for person in were if person.pk in chosen]
    return [*first, *chosen.values()]


def _set(row: Conversation, fields: dict[str, Any]) -> None:
    was_deal, was_lead = row.deal, row.lead_id
    for name, value in fields.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    row.subject = row.subject[:300]
    row.has_learning = row.has_learning or bool(row.learned)
    if row.deal is not None and row.deal.lead_id:
        row.lead = row.deal.lead
    elif was_deal != row.deal and was_deal is not None and was_deal.lead_id and row.lead_id == was_lead:
        row.lead = None if was_deal.lead_id == was_lead else row.lead


def _set_clocks(was: Conversation, row: Conversation, at: datetime) -> None:
    if (was.lead_id, was.at, response_clock.answers(was)) == (row.lead_id, row.at, response_clock.answers(row)):
        return
    if was.lead_id and response_clock.answers(was):
        response_clock.restart(was.lead_id, stopped_at=was.at)
    if row.lead is not None and response_clock.answers(row):
        row.lead.refresh_from_db(fields=["answered_at", "answered_by", "answer_due_at"])
        response_clock.stop(row.lead, by=row.by, when=row.at, at=at)


def _record(
    row: Conversation, people: list[Person], by: User | None, at: datetime, old: dict[str, Any], new: dict[str, Any]
) -> None:
    hidden = sorted(name for name in new if name in TEXTS) if row.private_to_id else []
    events.record(
        EventKind.CONVERSATION_CHANGED,
        subject=row,
        by=by,
        at=at,
        person=people[0] if people else None,
        organisation=row.organisation,
        lead=row.lead,
        deal=row.deal,
        old={name: value for name, value in old.items() if name not in hidden},
        new={name: value for name, value in new.items() if name not in hidden} | ({"unsaid": hidden} if hidden else {}),
    )
