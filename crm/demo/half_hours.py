"""The half hours of a year, and today's: who prospects when, the minutes that they spent, and which talks came of it.

The talks themselves are of the story; here stands in which of them somebody used the half hour. They are many and nothing follows from one of them,
so they are written at once and not told one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from crm import prospecting
from crm.demo.walk import Walk
from crm.models import (
    Conversation,
    ConversationKind,
    Direction,
    ProspectingBlock,
    ProspectingItem,
    Referral,
    User,
    Way,
)

WEEKS = 40
MOST_A_DAY = 4


class HalfHours:
    """Joris every day, Els three days and Noor two, as people do: mostly, and not always for as long as they meant to."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng
        self.items: list[ProspectingItem] = []

    def remember(self) -> None:
        """Plans, the blocks of the past weeks with what was done in them, and the block of today when it is a day for one."""
        plans = (
            (self.cast.joris, (0, 1, 2, 3, 4), time(8, 30), 0.85, [str(way) for way in Way]),
            (self.cast.els, (0, 2, 4), time(9), 0.7, [str(way) for way in Way if way != Way.OUTBOUND]),
            (self.cast.noor, (1, 3), time(11), 0.6, [str(Way.REVIVE), str(Way.INVITE), str(Way.OUTBOUND)]),
        )
        for user, days, starts_at, chance, ways in plans:
            prospecting.change_plan(user=user, is_on=True, days=days, starts_at=starts_at, minutes=30, ways=ways)
            self._past(user, days, starts_at, chance, ways)
        created = ProspectingItem.objects.bulk_create(self.items)
        through = ProspectingItem.people.through
        through.objects.bulk_create(
            through(prospectingitem_id=item.pk, person_id=person.pk)
            for item in created
            if item.conversation
            for person in item.conversation.people.all()
        )
        for user, days, *_ in plans:
            if self.days.is_working(self.days.today) and self.days.today.weekday() in days:
                prospecting.propose(user=user, day=self.days.today, at=self.days.at)

    def _past(self, user: User, days: tuple[int, ...], starts_at: time, chance: float, ways: list[str]) -> None:
        talks = self._talks(user)
        asked = {
            (referrer, at.astimezone(self.days.zone).date()): referral
            for referral, referrer, at in Referral.objects.filter(owner=user).values_list("pk", "referrer", "asked_at")
        }
        for day in self._mornings(days):
            if self.rng.random() > chance:
                continue
            found = talks.get(day, [])[:MOST_A_DAY]
            begins = datetime.combine(day, starts_at, tzinfo=self.days.zone)
            seconds = self.rng.randint(4, 8) * 60 * len(found) if found else self.rng.randint(6, 16) * 60
            block = ProspectingBlock.objects.create(
                user=user,
                day=day,
                starts_at=starts_at,
                planned_minutes=30,
                proposed_at=begins - timedelta(hours=1),
                started_at=begins,
                beat_at=begins + timedelta(seconds=seconds),
                ended_at=begins + timedelta(seconds=seconds),
                measured_seconds=seconds,
            )
            if self.rng.random() < 0.05:
                block.corrected_minutes, block.corrected_at = 30, begins + timedelta(hours=1)
                block.save(update_fields=["corrected_minutes", "corrected_at"])
            for position, talk in enumerate(found):
                referral = next(
                    (asked[key] for person in talk.people.all() if (key := (person.pk, day)) in asked), None
                )
                way = Way.ASK_CUSTOMER if referral else self.rng.choice([way for way in ways if way != Way.INVITE])
                self.items.append(
                    ProspectingItem(
                        block=block,
                        position=position,
                        way=way,
                        lead_id=talk.lead_id,
                        seconds=seconds // len(found),
                        done_at=begins + timedelta(seconds=seconds * (position + 1) // len(found)),
                        conversation=talk,
                        referral_id=referral,
                    )
                )

    def _talks(self, user: User) -> dict[date, list[Conversation]]:
        """The calls and letters of somebody, by day, in order."""
        first = self.days.today - timedelta(weeks=WEEKS)
        kinds = (ConversationKind.CALL, ConversationKind.EMAIL)
        talks: dict[date, list[Conversation]] = defaultdict(list)
        rows = Conversation.objects.filter(by=user, kind__in=kinds, is_automatic=False, at__date__gte=first)
        for talk in rows.exclude(direction=Direction.INCOMING).order_by("at", "pk").prefetch_related("people"):
            talks[talk.at.astimezone(self.days.zone).date()].append(talk)
        return talks

    def _mornings(self, days: tuple[int, ...]) -> Iterator[date]:
        first = self.days.today - timedelta(weeks=WEEKS)
        every = (first + timedelta(days=number) for number in range(WEEKS * 7))
        return (day for day in every if day.weekday() in days and self.days.is_working(day))
