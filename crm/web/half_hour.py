"""The card of the half hour on Today: what fits today and why, the timer, what was left, and how the week goes. It shows; `half_hour_acts` does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm import pacing, proposals, prospecting, yields
from crm.models import ConversationKind, ProspectingBlock, ProspectingItem, ProspectingPlan, User, Way
from crm.web import access
from crm.web.counting import in_words
from crm.web.page import Request

NEARLY = 2
"""Seconds by which the clock of a page and ours may differ: what is so near the end has come to it."""

AHEAD = 21
"""Days in which the next half hour is looked for: a longer holiday says nothing of its end."""


@dataclass(frozen=True)
class Thing:
    """One small thing as a box: what to do with whom and why, and where it is done."""

    item: ProspectingItem
    title: str
    why: str
    act: str = ""
    act_url: str = ""
    log_url: str = ""


@dataclass(frozen=True)
class Clock:
    """The seconds that count so far, and when the page is to say that it is time: after the minutes planned, and as many again for who goes on."""

    spent: int
    planned: int

    @property
    def left(self) -> int:
        return max(0, self.planned - self.spent)

    @property
    def until(self) -> int:
        return ((self.spent + NEARLY) // self.planned + 1) * self.planned

    @property
    def is_full(self) -> bool:
        return self.spent + NEARLY >= self.planned

    @property
    def words(self) -> str:
        """What is left as a clock says it, or what was spent beyond the plan."""
        seconds = self.left or self.spent - self.planned
        return f"{'' if self.left or not seconds else '+'}{seconds // 60:02}:{seconds % 60:02}"


@dataclass(frozen=True)
class Card:
    """`state` is one of: none (for who leads and does not prospect), unplanned, day off, to propose, nobody, proposed, running, paused, ended."""

    state: str
    plan: ProspectingPlan
    block: ProspectingBlock | None = None
    clock: Clock | None = None
    is_silent: bool = False
    begins: time | None = None
    ends: time | None = None
    things: list[Thing] = field(default_factory=list)
    number: str = ""
    open: int = 0
    next_day: date | None = None
    left: list[Thing] = field(default_factory=list)
    left_on: date | None = None
    week_minutes: int = 0
    week_planned: int = 0
    week_share: int = 0
    best: Way | None = None


def card(request: Request, at: datetime) -> dict[str, Any]:
    """What the template reads. Proposes nothing by itself: looking changes nothing."""
    return {"half_hour": _card(request, at), "at": at}


def _card(request: Request, at: datetime) -> Card:
    """For the user's own day."""
    user, day = request.user, timezone.localtime(at).date()
    plan = prospecting.plan_of(user)
    monday = day - timedelta(days=day.weekday())
    week = list(access.blocks(user).filter(day__range=(monday, monday + timedelta(days=6))))
    block = next((one for one in week if one.day == day), None)
    if block is None and not plan.is_on:
        return Card("none" if user.is_leading else "unplanned", plan)
    planned = yields.planned_days([plan], monday, monday + timedelta(days=6 + AHEAD)).get(user.pk, set())
    minutes = sum(one.minutes for one in week)
    goal = plan.minutes * len([one for one in planned if one < monday + timedelta(days=7)])
    left = prospecting.left_over(user, day) if block is None or block.ended_at is None else []
    shared: dict[str, Any] = {
        "plan": plan,
        "week_minutes": minutes,
        "week_planned": goal,
        "week_share": min(100, round(100 * minutes / goal)) if goal else 0,
        "best": yields.best_way(user, at),
        "left": [thing(item, at) for item in left],
        "left_on": left[0].block.day if left else None,
    }
    if block is None:
        begins, ends = plan.starts_at, _after(plan.starts_at, plan.minutes)
        if day in planned:
            return Card("to propose", begins=begins, ends=ends, **shared)
        return Card("day off", next_day=min((one for one in planned if one > day), default=None), **shared)
    people = access.people().select_related("owner").prefetch_related("phone_numbers", "email_addresses")
    prefetch_related_objects([block], Prefetch("items__people", queryset=people), "items__content")
    items = list(block.items.all())
    doors = _doors(user, [item for item in items if item.is_open])
    return Card(
        _state(block, items, at),
        block=block,
        clock=clock(block, at),
        is_silent=block.is_running and _is_silent(block, at),
        begins=block.starts_at,
        ends=_after(block.starts_at, block.planned_minutes),
        things=[thing(item, at, doors.get(item.pk, OPEN)) for item in items],
        number=in_words(len(items)),
        open=len([item for item in items if item.is_open]),
        **shared,
    )


@dataclass(frozen=True)
class Door:
    """How the user comes to who stands in a thing: `about` is the deal or lead of theirs through which they may, when the person is a colleague's.
    Shut when there is none; `never` says that everybody in it asked to be left in peace by this channel."""

    about: str = ""
    is_shut: bool = False
    never: str = ""


OPEN = Door()


def thing(item: ProspectingItem, at: datetime, door: Door = OPEN) -> Thing:
    """How an item is shown. Reads its people and content."""
    people = [person.pk for person in item.people.all()]
    title, why = proposals.title(item), proposals.sentence(item, at)
    if not people or door.never:
        return Thing(item, title, door.never or why)
    if door.is_shut:
        return Thing(item, title, why, _("Look"), reverse("crm:person", args=people[:1]))
    is_call = proposals.channel(item) == ConversationKind.CALL
    call, write = reverse("crm:call", args=people[:1]), f"{reverse('crm:mail-new')}?{_persons(people)}"
    log = f"{reverse('crm:conversation-new')}?{urlencode({'person': people[0], 'item': item.pk})}"
    return Thing(
        item,
        title,
        why,
        pgettext("act", "Call") if is_call else pgettext("act", "Write"),
        (f"{call}?{door.about}" if door.about else call) if is_call else "&".join(filter(None, [write, door.about])),
        "&".join(filter(None, [log, door.about])) if len(people) == 1 else "",
    )


def _doors(user: User, items: list[ProspectingItem]) -> dict[int, Door]:
    """For these things, by their keys: two queries for each channel, and two when somebody is a colleague's."""
    never: dict[str, dict[int, pacing.Never]] = {}
    for channel in {proposals.channel(item) for item in items}:
        reached = [person for item in items if proposals.channel(item) == channel for person in item.people.all()]
        never[channel] = pacing.never(reached, channel)
    theirs = {person.pk for item in items for person in item.people.all() if not access.may_write(user, person.owner)}
    about: dict[int, str] = {}
    if theirs:
        for name, rows in (("lead", access.leads()), ("deal", access.deals())):
            own = rows.filter(owner=user, person__in=theirs).order_by("pk").values_list("person", "pk")
            about |= {person: f"{name}={pk}" for person, pk in own}
    return {
        item.pk: _door([person.pk for person in item.people.all()], never[proposals.channel(item)], theirs, about)
        for item in items
    }


def _door(
    people: list[int], never: Mapping[int, pacing.Never], theirs: Collection[int], about: Mapping[int, str]
) -> Door:
    if people and all(person in never for person in people):
        return Door(never=never[people[0]].why)
    # A mail to several leaves out by itself whom a colleague keeps in touch with.
    if len(people) != 1 or people[0] not in theirs:
        return OPEN
    return Door(about=about[people[0]]) if people[0] in about else Door(is_shut=True)


def clock(block: ProspectingBlock, at: datetime) -> Clock:
    """As it stands at `at`: with the seconds since the last beat, which the next one will count."""
    spent = block.measured_seconds
    if block.is_running and block.beat_at is not None and not _is_silent(block, at):
        spent += max(0, int((at - block.beat_at).total_seconds()))
    return Clock(spent, block.planned_minutes * 60)


def _state(block: ProspectingBlock, items: list[ProspectingItem], at: datetime) -> str:
    if block.is_running and not _is_silent(block, at):
        return "running"
    if block.ended_at is not None:
        return "ended"
    if block.started_at is not None:
        return "paused"
    return "proposed" if items else "nobody"


def _is_silent(block: ProspectingBlock, at: datetime) -> bool:
    """Whether its page said nothing for so long that it is closed, though nobody has written that down yet."""
    return block.beat_at is not None and at - block.beat_at > prospecting.LONGEST_GAP


def _after(start: time, minutes: int) -> time:
    return (datetime.combine(date(2000, 1, 1), start) + timedelta(minutes=minutes)).time()


def _persons(keys: Iterable[int]) -> str:
    return "&".join(f"person={key}" for key in keys)
