"""What happened, newest first, as a person reads it: events and conversations of one person, organisation, lead or deal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import (
    Attempt,
    AttemptOutcome,
    Conversation,
    ConversationKind,
    Deal,
    Direction,
    Event,
    EventKind,
    Lead,
    Organisation,
    Person,
    Position,
    SubjectKind,
    User,
)
from crm.timeline.sentences import SENTENCES

Badge = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One line of a timeline. `outgoing` is what we did towards them; `quiet` is small print, such as a changed field."""

    title: str
    at: datetime
    icon: str
    who: str
    body: str = ""
    quote: str = ""
    badges: tuple[Badge, ...] = ()
    href: str = ""
    outgoing: bool = False
    quiet: bool = False


class Entries(list[Entry]):
    """One page of a timeline, newest first. `older` is the moment before which the next page begins; None at the very beginning."""

    older: datetime | None = None


CONVERSATION_ICONS = {
    ConversationKind.CALL: "phone",
    ConversationKind.EMAIL: "mail",
    ConversationKind.VIDEO: "video",
    ConversationKind.VISIT: "map-pin",
    ConversationKind.CHAT: "message",
    ConversationKind.EVENT: "users",
}

ICONS = {
    EventKind.LEAD_RECEIVED: "inbox",
    EventKind.LEAD_WROTE_AGAIN: "inbox",
    EventKind.LEAD_QUALIFIED: "circle-check",
    EventKind.LEAD_DECLINED: "circle-x",
    EventKind.LEAD_NURTURED: "plant-2",
    EventKind.HAND_OFF_SUBMITTED: "arrow-right",
    EventKind.PROSPECTED: "coffee",
    EventKind.HAND_OFF_ACCEPTED: "heart-handshake",
    EventKind.HAND_OFF_REJECTED: "arrow-back-up",
    EventKind.DEAL_OPENED: "briefcase",
    EventKind.DEAL_WON: "trophy",
    EventKind.DEAL_LOST: "circle-x",
    EventKind.DEAL_STEP_SET: "calendar",
    EventKind.APPOINTMENT_BOOKED: "calendar-plus",
    EventKind.APPOINTMENT_MOVED: "calendar-time",
    EventKind.APPOINTMENT_CANCELLED: "calendar-x",
    EventKind.APPOINTMENT_HELD: "calendar-check",
    EventKind.APPOINTMENT_NO_SHOW: "user-question",
    EventKind.BOOKING_OFFERED: "link",
    EventKind.PROMISE_MADE: "heart-handshake",
    EventKind.PROMISE_KEPT: "circle-check",
    EventKind.PROMISE_BROKEN: "circle-x",
    EventKind.REFERRAL_ASKED: "message-question",
    EventKind.REFERRAL_PROMISED: "heart-handshake",
    EventKind.REFERRAL_INTRODUCED: "users",
    EventKind.REFERRAL_THANKED: "heart",
    EventKind.ADVOCATE_NAMED: "speakerphone",
    EventKind.PERSON_MERGED: "users",
    EventKind.ORGANISATION_MERGED: "building",
    EventKind.CONTACT_BARRED: "ban",
    EventKind.CONTACT_ALLOWED: "circle-check",
    EventKind.PACING_OVERRIDDEN: "clock",
    EventKind.MAIL_BOUNCED: "mail-off",
    EventKind.MAIL_HELD: "mail-pause",
}

QUIET = frozenset(
    {
        EventKind.LEAD_ANSWER_SCORED,
        EventKind.LEAD_ANSWERED,
        EventKind.LEAD_ASSIGNED,
        EventKind.PERSON_MADE,
        EventKind.PERSON_CHANGED,
        EventKind.ORGANISATION_MADE,
        EventKind.ORGANISATION_CHANGED,
        EventKind.DEAL_CHANGED,
        EventKind.CONVERSATION_CHANGED,
        EventKind.FOLLOW_UP_PUT_OFF,
        EventKind.FOLLOW_UP_MADE,
        EventKind.BULK_CHANGED,
        EventKind.BULK_UNDONE,
    }
)

HIDDEN = frozenset(
    {EventKind.CONVERSATION_LOGGED, EventKind.ATTEMPT_MADE, EventKind.ATTEMPT_ENDED, EventKind.IMPORT_RUN}
)
"""Conversations and attempts show themselves; imports have a page of their own."""


@dataclass(frozen=True)
class Filter:
    """A part of a timeline: these events, and the conversations and attempts of these kinds."""

    label: Any
    events: tuple[str, ...]
    conversations: tuple[ConversationKind, ...] = ()

    @property
    def kinds(self) -> list[EventKind]:
        return [kind for kind in EventKind if kind.value.partition(".")[0] in self.events and kind not in HIDDEN]


SPOKEN = tuple(kind for kind in ConversationKind if kind != ConversationKind.EMAIL)

FILTERS: dict[str, Filter] = {
    "conversations": Filter(gettext_lazy("Conversations"), ("conversation",), SPOKEN),
    "mail": Filter(gettext_lazy("Mail"), ("mail",), (ConversationKind.EMAIL,)),
    "promises": Filter(gettext_lazy("Promises"), ("promise",)),
    "work": Filter(
        gettext_lazy("Leads and deals"),
        ("lead", "submission", "gate", "appointment", "booking", "hand_off", "deal", "referral", "advocate", "block"),
    ),
    "changes": Filter(
        gettext_lazy("Changes"), ("person", "organisation", "contact", "pacing", "follow_up", "bulk", "import")
    ),
}
"""The parts of a timeline by the word that an address uses."""


def of(
    *,
    reader: User,
    person: Person | None = None,
    organisation: Organisation | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
    show: str = "",
    before: datetime | None = None,
    limit: int = 50,
) -> Entries:
    """The newest `limit` entries of exactly one of these records, or the newest before a moment, in the reader's language; of the part that
    `show` names, if any. Of a conversation that is private to somebody else the reader learns only that it was. A few queries, whatever the
    length. What happened at the same moment stays together, and a scorecard that was filled in is one entry."""
    (link, record), *more = [
        (k, v) for k, v in (("person", person), ("organisation", organisation), ("lead", lead), ("deal", deal)) if v
    ]
    if more:
        raise ValueError("a timeline is of one record")
    part = FILTERS.get(show)
    events: QuerySet[Event] = Event.objects.filter(**{link: record}).exclude(kind__in=HIDDEN).for_timeline()
    spoken = (
        Conversation.objects.filter(**{"people" if link == "person" else link: record})
        .for_timeline()
        .select_related("private_to")
        .order_by("-at", "-id")
    )
    tried = _attempts(link, record)
    if part:
        events = events.filter(kind__in=part.kinds)
        spoken, tried = spoken.filter(kind__in=part.conversations), tried.filter(kind__in=part.conversations)
    if before:
        events, spoken = events.filter(at__lt=before), spoken.filter(at__lt=before)
        tried = tried.filter(at__lt=before)
    found = [entry(event) for event in events[: limit + 1]]
    found += [_conversation(conversation, reader) for conversation in spoken[: limit + 1]]
    found += [_attempt(attempt) for attempt in tried[: limit + 1]]
    found.sort(key=lambda entry: entry.at, reverse=True)
    shown = found[:limit]
    if len(found) > limit:
        whole = [entry for entry in shown if entry.at > found[limit].at]
        shown = whole or shown
    entries = Entries(_folded(shown))
    entries.older = shown[-1].at if len(found) > len(shown) else None
    return entries


def _attempts(link: str, record: Any) -> QuerySet[Attempt]:
    """Tries that became no conversation; of an organisation those to reach the people who work there."""
    tried = Attempt.objects.filter(conversation__isnull=True).select_related("by", "person").order_by("-at", "-id")
    if link == "organisation":
        jobs = Position.objects.current().filter(organisation=record).order_by()
        return tried.filter(person__in=jobs.values("person"))
    return tried.filter(**{link: record})


def moment(text: str | None) -> datetime | None:
    """The moment that an address names, such as the `older` of a page; None for anything else."""
    try:
        found = parse_datetime(text or "")
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None


def _folded(entries: list[Entry]) -> list[Entry]:
    """Small print of one kind by one person in a row, such as a scorecard that was filled in, is one entry of several lines."""
    folded: list[Entry] = []
    for entry in entries:
        last = folded[-1] if folded else None
        if last and entry.quiet and (last.title, last.who, last.quiet) == (entry.title, entry.who, True):
            folded[-1] = replace(last, body="\n".join(filter(None, (last.body, entry.body))))
        else:
            folded.append(entry)
    return folded


def _conversation(row: Conversation, reader: User) -> Entry:
    kind = ConversationKind(row.kind)
    if row.direction == Direction.OUTGOING:
        title = {ConversationKind.EMAIL: _("Mail sent"), ConversationKind.CHAT: _("Message sent")}.get(
            kind, str(kind.label)
        )
    elif row.direction == Direction.INCOMING:
        title = {ConversationKind.EMAIL: _("Mail received"), ConversationKind.CHAT: _("Message received")}.get(
            kind, str(kind.label)
        )
    else:
        title = str(kind.label)
    if row.minutes:
        title = _("%(title)s, %(minutes)s min") % {"title": title, "minutes": row.minutes}
    shown = Entry(
        title=title,
        at=row.at,
        icon=CONVERSATION_ICONS[kind],
        who=row.by.get_short_name() if row.by else "",
        outgoing=row.direction == Direction.OUTGOING,
    )
    private: tuple[Badge, ...] = ({"text": _("private"), "colour": "secondary"},) if row.private_to else ()
    if not row.is_open_to(reader):
        return replace(shown, icon="lock", badges=private)
    automatic: tuple[Badge, ...] = ({"text": _("automatic"), "colour": "secondary"},) if row.is_automatic else ()
    journey: tuple[Badge, ...] = ()
    if row.is_journey_interview:
        journey = ({"text": _("how they came to buy"), "colour": "azure"},)
    learned = _("Learned: %(what)s") % {"what": row.learned} if row.learned else ""
    return replace(
        shown,
        body="\n".join(filter(None, (row.subject, row.summary, learned))),
        quote=row.quote,
        badges=(*private, *automatic, *journey, *_value(row)),
        href=reverse("crm:conversation", args=[row.pk]),
    )


def _attempt(row: Attempt) -> Entry:
    outcome = _("no answer noted yet") if not row.outcome else str(AttemptOutcome(row.outcome).label)
    return Entry(
        title=_("Tried to reach, %(outcome)s") % {"outcome": outcome},
        at=row.at,
        icon="phone-off" if row.kind == ConversationKind.CALL else CONVERSATION_ICONS[ConversationKind(row.kind)],
        who=row.by.get_short_name() if row.by else "",
        body=row.note,
        outgoing=True,
    )


def _value(row: Conversation) -> tuple[Badge, ...]:
    gained = [
        word
        for flag, word in (
            (row.has_learning, _("learned")),
            (row.has_gain, _("they gained")),
            (row.has_next_step, _("step agreed")),
        )
        if flag
    ]
    return ({"text": _("of value: %(what)s") % {"what": ", ".join(gained)}, "colour": "green"},) if gained else ()


def entry(row: Event) -> Entry:
    """One event as a line of a timeline, or of the history of the row that it is about."""
    kind = EventKind(row.kind)
    say = SENTENCES.get(kind)
    return Entry(
        title=str(kind.label),
        at=row.at,
        icon=ICONS.get(kind, "point"),
        who=row.by.get_short_name() if row.by else _("Kring"),
        body=say(row.old or {}, row.new or {}) if say else "",
        quiet=kind in QUIET,
        href=reverse("crm:appointment", args=[row.subject_id]) if row.subject_kind == SubjectKind.APPOINTMENT else "",
    )
