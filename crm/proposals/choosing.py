"""A set for the half hour: nobody too soon, nobody who asked for peace, nobody twice, each liked way once before one comes again, and no more
minutes than there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

from django.db import connection

from crm import pacing
from crm.models import ConversationKind, Person, ProspectingItem, User, Way
from crm.proposals.candidates import Candidate, found
from crm.proposals.words import channel

USUAL_MINUTES = 5
"""What a thing is expected to take while nobody's history says better."""

ENOUGH = 5
"""So many things done in a way say how long it takes."""

HISTORY = timedelta(days=365)

MOST_THINGS = 12
MOST_READERS = 6
"""So many readers are invited together: more than that is a mailing."""


@dataclass(frozen=True)
class Proposal:
    """One thing to do: a way, with whom (keys of people), how many minutes it is expected to take, and the values that say why."""

    way: str
    people: tuple[int, ...]
    minutes: int
    why: dict[str, Any] = field(default_factory=dict)
    lead: int | None = None
    content: int | None = None


def choose(user: User, *, ways: Collection[str], minutes: int, day: date, at: datetime) -> list[Proposal]:
    """What fits into so many minutes on `day`, one thing at least when anybody is found, in the order in which to do it.

    Which way comes first turns with the day, so that a short half hour has another one each day. `at` is when they would be contacted.
    """
    liked = [way for way in Way if way in ways]
    if not liked:
        return []
    turn = day.toordinal() % len(liked)
    order = liked[turn:] + liked[:turn]
    takes = expected_minutes(user, at)
    waiting = _waiting({way: found(way, user, day=day, at=at) for way in order}, user, at, takes)
    chosen: list[Proposal] = []
    used: set[int] = set()
    is_growing = True
    while is_growing:
        is_growing = False
        for way in order:
            proposal = _next(waiting[way], used)
            fits = proposal is not None and sum(one.minutes for one in chosen) + proposal.minutes <= minutes
            if proposal is not None and fits and len(chosen) < MOST_THINGS:
                chosen.append(proposal)
                used.update(proposal.people)
                is_growing = True
    if not chosen:
        firsts = (proposal for way in order if (proposal := _next(waiting[way], used)))
        return sorted(firsts, key=lambda proposal: proposal.minutes)[:1]
    return chosen


def answers(items: Iterable[ProspectingItem], at: datetime, *, by: User) -> dict[int, pacing.Answer]:
    """Whether these things may be done at `at`, by their keys: the strictest answer of the people of each. Reads `people` of the items; the number of
    queries does not grow with them."""
    items = list(items)
    asked = [(channel(item), [person.pk for person in item.people.all()]) for item in items]
    said = _judged(((by_channel, person) for by_channel, people in asked for person in people), at, by)
    return {
        item.pk: max((said[by_channel, person] for person in people), key=_strictness, default=pacing.Allowed())
        for item, (by_channel, people) in zip(items, asked, strict=True)
    }


def expected_minutes(user: User, at: datetime) -> dict[Way, int]:
    """How many minutes a thing of each way takes: the median of this user's own in the last year, else of their team's, else the usual. One query."""
    with connection.cursor() as cursor:
        cursor.execute(TAKES, {"user": user.pk, "team": user.team_id, "since": at - HISTORY, "at": at})
        rows = {Way(way): row for way, *row in cursor.fetchall()}
    takes = {}
    for way in Way:
        own, own_median, team, team_median = rows.get(way, (0, None, 0, None))
        seconds = own_median if own >= ENOUGH else team_median if team >= ENOUGH else USUAL_MINUTES * 60
        takes[way] = max(1, ceil(seconds / 60))
    return takes


TAKES = """
SELECT i.way,
       count(*) FILTER (WHERE b.user_id = %(user)s),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY i.seconds) FILTER (WHERE b.user_id = %(user)s),
       count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY i.seconds)
FROM crm_prospectingitem i
JOIN crm_prospectingblock b ON b.id = i.block_id
JOIN crm_user u ON u.id = b.user_id
WHERE i.done_at > %(since)s AND i.done_at <= %(at)s AND i.seconds > 0 AND (b.user_id = %(user)s OR u.team_id = %(team)s)
GROUP BY i.way
"""


def _waiting(
    found_in: dict[Way, list[Candidate]], user: User, at: datetime, takes: dict[Way, int]
) -> dict[Way, list[Proposal]]:
    """What may be proposed in each way, in order; all candidates are judged at once for each channel."""
    pairs = ((candidate.channel, candidate.person) for candidates in found_in.values() for candidate in candidates)
    said = _judged(pairs, at, user)
    return {
        way: _proposals(
            way,
            [
                candidate
                for candidate in candidates
                if isinstance(said[candidate.channel, candidate.person], pacing.Allowed)
            ],
            takes[way],
        )
        for way, candidates in found_in.items()
    }


def _proposals(way: Way, candidates: Sequence[Candidate], minutes: int) -> list[Proposal]:
    if way == Way.INVITE:
        return [
            _invitation(list(readers)[:MOST_READERS], minutes)
            for _content, readers in groupby(candidates, key=lambda candidate: candidate.content)
        ]
    return [
        Proposal(
            way=way,
            people=(candidate.person,),
            minutes=minutes,
            why={
                **candidate.why,
                "channel": candidate.channel,
                **({"is_oldest": True} if way == Way.REVIVE and place == 0 else {}),
            },
            lead=candidate.lead,
            content=candidate.content,
        )
        for place, candidate in enumerate(candidates)
    ]


def _invitation(readers: Sequence[Candidate], minutes: int) -> Proposal:
    """One invitation to all of them; what each of them read at least."""
    return Proposal(
        way=Way.INVITE,
        people=tuple(reader.person for reader in readers),
        minutes=minutes,
        why={
            **readers[0].why,
            "pieces": min(reader.why["pieces"] for reader in readers),
            "channel": readers[0].channel,
        },
        content=readers[0].content,
    )


def _next(waiting: Sequence[Proposal], used: set[int]) -> Proposal | None:
    """The first with somebody who is not in the set yet, and only with those who are not."""
    for proposal in waiting:
        people = tuple(person for person in proposal.people if person not in used)
        if people:
            return replace(proposal, people=people)
    return None


def _judged(pairs: Iterable[tuple[str, int]], at: datetime, by: User) -> dict[tuple[str, int], pacing.Answer]:
    """What the guard says of each of these people by each of these channels."""
    by_channel: dict[str, set[int]] = {}
    for how, person in pairs:
        by_channel.setdefault(how, set()).add(person)
    return {
        (how, person): answer
        for how, people in by_channel.items()
        for person, answer in pacing.judge(
            [Person(pk=key) for key in sorted(people)], ConversationKind(how), at, by=by
        ).items()
    }


def _strictness(answer: pacing.Answer) -> tuple[int, float]:
    if isinstance(answer, pacing.Never):
        return 2, 0.0
    return (1, answer.until.timestamp()) if isinstance(answer, pacing.TooSoon) else (0, 0.0)
