"""What can be done with many rows at once, and with which values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from crm.models import ConversationKind, Organisation, Person, User
from crm.models.views import ListScreen

MOST = 5_000
"""Rows that one act may be about."""

MOST_TAGS, LONGEST_TAG = 30, 50
UNDO_WITHIN = timedelta(days=7)


class Act(models.TextChoices):
    OWNER = "owner", gettext_lazy("give them an owner")
    TAG = "tag", gettext_lazy("add tags")
    UNTAG = "untag", gettext_lazy("take tags away")
    TIER = "tier", gettext_lazy("set the tier")
    FOLLOW_UP = "follow_up", gettext_lazy("make a follow-up for each")


NOUNS: dict[str, type[Person] | type[Organisation]] = {
    ListScreen.PEOPLE: Person,
    ListScreen.ORGANISATIONS: Organisation,
}
ACTS: dict[str, tuple[Act, ...]] = {
    ListScreen.PEOPLE: tuple(Act),
    ListScreen.ORGANISATIONS: (Act.OWNER, Act.TAG, Act.UNTAG),
}
COLUMNS = {Act.OWNER: "owner", Act.TAG: "tags", Act.UNTAG: "tags", Act.TIER: "tier"}
TYPES = {"owner": "bigint", "tags": "varchar[]", "tier": "varchar"}


@dataclass(frozen=True)
class Change:
    """What is to be done with each: `owner` for OWNER (None: nobody) and FOLLOW_UP, `tags` for TAG and UNTAG, `tier` for TIER (empty: none);
    `note`, `due_on` and `channel` say what, when and how for FOLLOW_UP."""

    act: Act
    owner: User | None = None
    tags: tuple[str, ...] = ()
    tier: str = ""
    note: str = ""
    due_on: date | None = None
    channel: str = ConversationKind.CALL

    @property
    def value(self) -> dict[str, Any]:
        """What was asked, as the act keeps it."""
        owner: dict[str, Any] = {"owner": self.owner and self.owner.pk, "name": self.owner.name if self.owner else ""}
        values: dict[Act, dict[str, Any]] = {
            Act.OWNER: owner,
            Act.TAG: {"tags": list(self.tags)},
            Act.UNTAG: {"tags": list(self.tags)},
            Act.TIER: {"tier": self.tier},
            Act.FOLLOW_UP: {**owner, "note": self.note, "due": str(self.due_on), "channel": str(self.channel)},
        }
        return values[self.act]


def words(text: str) -> tuple[str, ...]:
    """The tags in a text such as "trade fair, planner": each once, one space between words."""
    found: dict[str, str] = {}
    for tag in text.replace("\x00", " ").split(","):
        if tag.strip():
            found.setdefault(" ".join(tag.split()).casefold(), " ".join(tag.split()))
    return tuple(found.values())
