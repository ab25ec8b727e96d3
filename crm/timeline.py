"""What happened, newest first, as a person reads it: events and conversations of one person, organisation, lead or deal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.models import (
    Conversation,
    ConversationKind,
    Deal,
    DeclineReason,
    Direction,
    Event,
    EventKind,
    Lead,
    LostReason,
    Organisation,
    Person,
    ReferralState,
    Rule,
)
from crm.money import money

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
    EventKind.LEAD_QUALIFIED: "circle-check",
    EventKind.LEAD_DECLINED: "circle-x",
    EventKind.LEAD_NURTURED: "plant-2",
    EventKind.HAND_OFF_SUBMITTED: "arrow-right",
    EventKind.HAND_OFF_ACCEPTED: "heart-handshake",
    EventKind.HAND_OFF_REJECTED: "arrow-back-up",
    EventKind.DEAL_OPENED: "briefcase",
    EventKind.DEAL_WON: "trophy",
    EventKind.DEAL_LOST: "circle-x",
    EventKind.DEAL_STEP_SET: "calendar",
    EventKind.PROMISE_MADE: "heart-handshake",
    EventKind.PROMISE_KEPT: "circle-check",
    EventKind.PROMISE_BROKEN: "circle-x",
    EventKind.REFERRAL_ASKED: "message-question",
    EventKind.REFERRAL_PROMISED: "heart-handshake",
    EventKind.REFERRAL_INTRODUCED: "users",
    EventKind.REFERRAL_THANKED: "heart",
    EventKind.ADVOCATE_NAMED: "speakerphone",
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
        EventKind.FOLLOW_UP_PUT_OFF,
        EventKind.FOLLOW_UP_MADE,
        EventKind.BULK_CHANGED,
        EventKind.BULK_UNDONE,
    }
)

HIDDEN = (EventKind.CONVERSATION_LOGGED, EventKind.IMPORT_RUN)
"""Conversations show themselves; imports have a page of their own."""


def of(
    *,
    person: Person | None = None,
    organisation: Organisation | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> Entries:
    """The newest `limit` entries of exactly one of these records, or the newest before a moment, in the reader's language. Two queries,
    whatever the length. What happened at the same moment stays together, and a scorecard that was filled in is one entry."""
    (link, record), *more = [
        (k, v) for k, v in (("person", person), ("organisation", organisation), ("lead", lead), ("deal", deal)) if v
    ]
    if more:
        raise ValueError("a timeline is of one record")
    events: QuerySet[Event] = Event.objects.filter(**{link: record}).exclude(kind__in=HIDDEN).for_timeline()
    spoken = (
        Conversation.objects.filter(**{"people" if link == "person" else link: record})
        .for_timeline()
        .order_by("-at", "-id")
    )
    if before:
        events, spoken = events.filter(at__lt=before), spoken.filter(at__lt=before)
    found = [_event(event) for event in events[: limit + 1]]
    found += [_conversation(conversation) for conversation in spoken[: limit + 1]]
    found.sort(key=lambda entry: entry.at, reverse=True)
    shown = found[:limit]
    if len(found) > limit:
        whole = [entry for entry in shown if entry.at > found[limit].at]
        shown = whole or shown
    entries = Entries(_folded(shown))
    entries.older = shown[-1].at if len(found) > len(shown) else None
    return entries


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


def _conversation(row: Conversation) -> Entry:
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
    learned = _("Learned: %(what)s") % {"what": row.learned} if row.learned else ""
    return Entry(
        title=title,
        at=row.at,
        icon=CONVERSATION_ICONS[kind],
        who=row.by.get_short_name() if row.by else "",
        body="\n".join(filter(None, (row.summary, learned))),
        quote=row.quote,
        badges=_value(row),
        href=reverse("crm:conversation", args=[row.pk]),
        outgoing=row.direction == Direction.OUTGOING,
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


def _event(row: Event) -> Entry:
    kind = EventKind(row.kind)
    say = SENTENCES.get(kind)
    return Entry(
        title=str(kind.label),
        at=row.at,
        icon=ICONS.get(kind, "point"),
        who=row.by.get_short_name() if row.by else _("Kring"),
        body=say(row.old or {}, row.new or {}) if say else "",
        quiet=kind in QUIET,
    )


def _day(value: Any) -> str:
    """An ISO date as the reader writes it; empty when there is none."""
    return date_format(date.fromisoformat(value[:10]), "j F Y") if value else ""


def _from_to(name: str) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    def say(old: dict[str, Any], new: dict[str, Any]) -> str:
        if old.get(name):
            return _("From %(old)s to %(new)s.") % {"old": old[name], "new": new.get(name) or "—"}
        return str(new.get(name) or "")

    return say


def _choice(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value or "")


def _lead_received(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("Through %(content)s.") % {"content": new["content"]} if new.get("content") else ""


def _criterion(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = _("%(question)s: %(reply)s") % {
        "question": new.get("question", ""),
        "reply": {"yes": _("yes"), "no": _("no"), "partly": _("partly")}.get(new.get("reply", ""), _("not known yet")),
    }
    return " · ".join(filter(None, (said, str(new.get("evidence") or ""))))


def _qualified(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("We: %(ours)s of 100. They: %(theirs)s of 100.") % {
        "ours": new.get("ours", "?"),
        "theirs": new.get("theirs", "?"),
    }


def _declined(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = [_choice(DeclineReason, new.get("reason")), str(new.get("note") or "")]
    if new.get("come_back_on"):
        said.append(_("Comes back on %(day)s.") % {"day": _day(new["come_back_on"])})
    return " · ".join(filter(None, said))


def _until(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_("Until %(day)s") % {"day": _day(new.get("until"))}, str(new.get("note") or ""))))


def _hand_off(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_("To %(name)s") % {"name": new.get("to", "")}, str(new.get("note") or ""))))


def _step(old: dict[str, Any], new: dict[str, Any]) -> str:
    return f"{new.get('next_step', '')} · {_day(new.get('next_step_on'))}"


def _won(old: dict[str, Any], new: dict[str, Any]) -> str:
    return money(new["amount"], new.get("currency") or "EUR") if new.get("amount") is not None else ""


def _lost(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_choice(LostReason, new.get("reason")), str(new.get("note") or ""))))


def _promised(old: dict[str, Any], new: dict[str, Any]) -> str:
    by = _("by %(day)s") % {"day": _day(new["due"])} if new.get("due") else ""
    return " · ".join(filter(None, (str(new.get("text") or new.get("whom") or ""), by)))


def _promise_moved(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(text)s: from %(old)s to %(new)s.") % {
        "text": new.get("text", ""),
        "old": _day(old.get("due")),
        "new": _day(new.get("due")),
    }


def _referral_moved(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _choice(ReferralState, new.get("state"))


def _follow_up(old: dict[str, Any], new: dict[str, Any]) -> str:
    what = str(new.get("note") or _choice(Rule, new.get("rule")))
    until = _("until %(day)s") % {"day": _day(new["until"])} if new.get("until") else ""
    return " · ".join(filter(None, (what, until, str(new.get("why") or ""))))


def _of_many(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What an act on many changed of this one: its owner, tags or tier."""
    said = {"owner": _("Owner"), "tags": _("Tags"), "tier": _("Tier")}
    changed = [
        _("%(what)s: from %(old)s to %(new)s.") % {"what": word, "old": old[name] or "—", "new": new[name] or "—"}
        for name, word in said.items()
        if name in old and name in new
    ]
    return " ".join([*changed, str(old.get("note") or "")]).strip()


def _word(name: str) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    return lambda old, new: str(new.get(name) or "")


SENTENCES: dict[EventKind, Callable[[dict[str, Any], dict[str, Any]], str]] = {
    EventKind.LEAD_RECEIVED: _lead_received,
    EventKind.LEAD_ASSIGNED: _from_to("owner"),
    EventKind.LEAD_ANSWER_SCORED: _criterion,
    EventKind.LEAD_QUALIFIED: _qualified,
    EventKind.LEAD_DECLINED: _declined,
    EventKind.LEAD_NURTURED: _until,
    EventKind.HAND_OFF_SUBMITTED: _hand_off,
    EventKind.HAND_OFF_REJECTED: _word("reason"),
    EventKind.DEAL_OPENED: _word("name"),
    EventKind.DEAL_MOVED: _from_to("stage"),
    EventKind.DEAL_STEP_SET: _step,
    EventKind.DEAL_WON: _won,
    EventKind.DEAL_LOST: _lost,
    EventKind.PROMISE_MADE: _promised,
    EventKind.PROMISE_KEPT: _word("text"),
    EventKind.PROMISE_BROKEN: _word("text"),
    EventKind.PROMISE_MOVED: _promise_moved,
    EventKind.FOLLOW_UP_MADE: _follow_up,
    EventKind.FOLLOW_UP_DONE: _follow_up,
    EventKind.FOLLOW_UP_NOT_NEEDED: _follow_up,
    EventKind.FOLLOW_UP_PUT_OFF: _follow_up,
    EventKind.REFERRAL_ASKED: _word("whom"),
    EventKind.REFERRAL_PROMISED: _promised,
    EventKind.REFERRAL_INTRODUCED: _word("introduced"),
    EventKind.REFERRAL_MOVED: _referral_moved,
    EventKind.ADVOCATE_NAMED: _word("evidence"),
    EventKind.BULK_CHANGED: _of_many,
    EventKind.BULK_UNDONE: _of_many,
}
"""What an event says besides its name, from its old and new values."""
