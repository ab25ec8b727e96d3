"""Tell a colleague who is named in what another writes: `@Noor`, or `@Noor De Smet` where there are more of that name.

Only whoever may read it is told, and of one piece of writing once, however often it is put right. A name that several share tells nobody, since
a wrong guess tells the wrong one; `find` says so, and the page does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Model
from django.urls import reverse

from crm import events, notices
from crm.models import Conversation, Deal, FollowUp, HandOff, Lead, Notice, NoticeKind, Organisation, Person, User
from crm.models.notices import NoticeQuerySet

Names = dict[str, list[User]]
"""The colleagues of each name, in small letters."""
MOST_TOLD = 600
"""Letters of the text that go along."""

# No part of an address or of a longer word stands before the @.
START = r"(?<![\w@.+/-])@"
# Nor does the name go on after it; a full stop that ends a sentence is no part of a name.
END = r"(?!\w|[-.]\w)"
NAMED = re.compile(START + r"\w")

PAGES: dict[type[Model], str] = {
    Deal: "crm:deal",
    Lead: "crm:lead",
    Person: "crm:person",
    Organisation: "crm:organisation",
}


@dataclass(frozen=True)
class Found:
    """Who is named in a text, each once, and the names that several colleagues share."""

    colleagues: list[User] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def find(text: str) -> Found:
    """Who is named in this text. Nothing is read from the database for one in which nobody can be."""
    found = Found()
    if not may_name(text):
        return found
    known = colleagues()
    for match in _pattern(known).finditer(text):
        users = known.get(_folded(match[1]), [])
        if not users:
            continue  # A letter that only looks like it, such as a long s, which is the same to a pattern.
        if len(users) > 1:
            found.unclear.append(match[1])
        elif users[0] not in found.colleagues:
            found.colleagues.append(users[0])
    return found


def may_name(text: str) -> bool:
    """Whether anybody can be named in this text."""
    return NAMED.search(text) is not None


def colleagues() -> Names:
    """Who answers to each name: the full one, and the given one. Who bears a name in full comes before those who share a part of it."""
    full: Names = defaultdict(list)
    given: Names = defaultdict(list)
    for user in User.objects.active().order_by("name", "pk"):
        if user.name.strip():
            full[_folded(user.name)].append(user)
            given[_folded(user.name.split()[0])].append(user)
    return {**given, **full}


def parts(text: str, known: Names) -> list[tuple[str, bool]]:
    """The text in pieces, in order, each with whether it names one of these colleagues."""
    pieces, end = [], 0
    for match in _pattern(known).finditer(text):
        if len(known.get(_folded(match[1]), [])) == 1:
            pieces += [(text[end : match.start()], False), (match[0], True)]
            end = match.end()
    return [(piece, is_name) for piece, is_name in [*pieces, (text[end:], False)] if piece]


def in_conversation(conversation: Conversation, *, by: User | None, at: datetime) -> None:
    """Whoever is named in what was said is told; nobody, when the conversation is kept private."""
    about = conversation.people.order_by("pk").first() or conversation.organisation or conversation.deal
    _tell(
        conversation.summary if conversation.private_to_id is None else "",
        what="conversation",
        about=about,
        path=reverse("crm:conversation", args=[conversation.pk]),
        subject=conversation,
        by=by,
        at=at,
    )


def in_hand_off(hand_off: HandOff, *, by: User, at: datetime) -> None:
    """Whoever is named in the note is told. The receiver reads it anyhow."""
    _tell(
        hand_off.note,
        what="hand_off",
        about=hand_off.lead,
        path=reverse("crm:hand-off", args=[hand_off.pk]),
        subject=hand_off,
        by=by,
        at=at,
        besides=hand_off.to_user,
    )


def in_follow_up(follow_up: FollowUp, *, about: Model | None, by: User, at: datetime) -> None:
    """Whoever is named in a follow-up made by hand is told, with a link to whom or what it is about."""
    noun = about._meta.concrete_model if about is not None else None
    page = PAGES.get(noun) if noun is not None else None
    _tell(
        follow_up.note,
        what="follow_up",
        about=about if page else None,
        path=reverse(page, args=[about.pk]) if about is not None and page else reverse("crm:today"),
        subject=follow_up,
        by=by,
        at=at,
    )


def put_right(conversation: Conversation) -> None:
    """What notices repeat of it is what it says now: a word that was taken out stands nowhere any more."""
    rows = list(_about(conversation).filter(values__has_key="text"))
    for row in rows:
        row.values["text"] = conversation.summary.strip()[:MOST_TOLD]
    Notice.objects.bulk_update(rows, ["values"])


@transaction.atomic
def withdraw(subject: Model) -> None:
    """No notice repeats what stands in this any more, since it is gone or is kept private. Who was told stays told."""
    _about(subject).update(is_shown=False, values={})


def _about(subject: Model) -> NoticeQuerySet:
    return Notice.objects.filter(
        kind=NoticeKind.MENTION, subject_kind=events.subject_kind(subject), subject_id=subject.pk
    )


def _tell(
    text: str,
    *,
    what: str,
    about: Model | None,
    path: str,
    subject: Model,
    by: User | None,
    at: datetime,
    besides: User | None = None,
) -> None:
    for user in find(text).colleagues:
        if user != besides:
            notices.tell(
                user=user,
                kind=NoticeKind.MENTION,
                values={"what": what, "about": str(about or ""), "text": text.strip()[:MOST_TOLD]},
                path=path,
                at=at,
                by=by,
                subject=subject,
                key=f"mention-{what}-{subject.pk}",
            )


def _pattern(known: Names) -> re.Pattern[str]:
    names = sorted(known, key=len, reverse=True)
    either = "|".join(r"\s+".join(re.escape(part) for part in name.split()) for name in names) or r"(?!)"
    return re.compile(f"{START}({either}){END}", re.IGNORECASE)


def _folded(name: str) -> str:
    return " ".join(name.lower().split())
