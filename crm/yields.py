"""What each way of prospecting brings per hour, and how even the half hours are. Reads only.

A thing brought the conversations of value, the qualified leads and the orders that came after it with the people it was about (or whom they
introduced), for as long as `LATER` says. What came after several things counts for the last of them. Below `ENOUGH` things nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from crm.clock import is_working_day
from crm.models import Absence, ProspectingBlock, ProspectingPlan, Team, User, Way

ENOUGH = 10
"""Fewer things than this say nothing about a way."""

SINCE = timedelta(days=365)
LATER = {"of_value": timedelta(days=14), "qualified": timedelta(days=180), "won": timedelta(days=365)}
"""How long after a thing something may still have come of it."""

WEEKS = 8
"""Evenness looks back so far."""

LEAST_PEOPLE = 2
"""A team of fewer who prospect is one person, whom nobody else is shown: neither how even their days are nor what they bring."""


@dataclass(frozen=True)
class Yield:
    """What a way brought: from how many things, in how much time."""

    way: Way
    things: int = 0
    seconds: int = 0
    of_value: int = 0
    qualified: int = 0
    won: int = 0

    @property
    def is_enough(self) -> bool:
        return self.things >= ENOUGH and self.seconds > 0

    @property
    def minutes(self) -> int:
        return (self.seconds + 30) // 60

    @property
    def of_value_per_hour(self) -> float:
        return self._per_hour(self.of_value)

    @property
    def qualified_per_hour(self) -> float:
        return self._per_hour(self.qualified)

    @property
    def won_per_hour(self) -> float:
        return self._per_hour(self.won)

    def _per_hour(self, number: int) -> float:
        return number * 3600 / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Evenness:
    """On how many of the planned days there was a half hour, and how many of them in a row went by without."""

    kept: int
    planned: int
    gap: int
    people: int = 1

    @property
    def share(self) -> float:
        return self.kept / self.planned if self.planned else 0.0


@dataclass(frozen=True)
class OfTeam:
    """One team, as those who lead see it; `evenness` is nothing, and `ways` are none, while they would be those of one person."""

    team: Team
    evenness: Evenness | None
    ways: list[Yield]


def of_user(user: User, at: datetime) -> list[Yield]:
    """Every way, in its own order, as this user did it in the last year. One query."""
    found = _found("b.user_id = %(who)s", at, {"who": user.pk})
    return _filled(found[user.team_id].ways if user.team_id in found else {})


def best_way(user: User, at: datetime) -> Way | None:
    """The way that brought this user most conversations of value per hour; nothing while no way has enough things behind it."""
    return best(of_user(user, at))


def best(ways: Iterable[Yield]) -> Way | None:
    enough = [one for one in ways if one.is_enough and one.of_value]
    return max(enough, key=lambda one: one.of_value_per_hour).way if enough else None


def of_teams(at: datetime) -> list[OfTeam]:
    """Each team in which somebody prospects, by name. The number of queries does not grow with teams or people."""
    found = _found("u.team_id IS NOT NULL", at, {})
    plans = ProspectingPlan.objects.filter(is_on=True, user__is_active=True, user__team__isnull=False)
    by_team: dict[int, list[ProspectingPlan]] = {}
    for plan in plans.select_related("user__team"):
        by_team.setdefault(plan.user.team_id, []).append(plan)  # type: ignore[arg-type]
    each = _evenness([plan for one in by_team.values() for plan in one], at)
    return [
        OfTeam(
            team,
            _together([each[plan.user_id] for plan in by_team.get(team.pk, [])]),
            _filled(found[team.pk].ways) if team.pk in found and found[team.pk].people >= LEAST_PEOPLE else [],
        )
        for team in Team.objects.filter(pk__in={*found, *by_team})
    ]


def evenness(plan: ProspectingPlan, at: datetime) -> Evenness:
    """How even the last weeks of this plan's user were."""
    return _evenness([plan], at)[plan.user_id]


def planned_days(plans: Iterable[ProspectingPlan], first: date, last: date) -> dict[int, set[date]]:
    """By user, the days on which the plan has a half hour: not on holidays, nor while its user is away. Reads `user__team` of the plans."""
    plans = [plan for plan in plans if plan.is_on]
    away: dict[int, list[tuple[date, date]]] = {}
    absences = Absence.objects.filter(
        user__in=[plan.user_id for plan in plans], starts_on__lte=last, ends_on__gte=first
    )
    for user, begin, end in absences.values_list("user", "starts_on", "ends_on") if plans else ():
        away.setdefault(user, []).append((begin, end))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {
        plan.user_id: {
            day
            for day in days
            if day.weekday() in plan.days
            and is_working_day(day, plan.user.calendar)
            and not any(begin <= day <= end for begin, end in away.get(plan.user_id, ()))
        }
        for plan in plans
    }


def _evenness(plans: list[ProspectingPlan], at: datetime) -> dict[int, Evenness]:
    """Up to yesterday, since today is not over; and from the first half hour on, so that whoever is new is not behind."""
    today = {plan.user_id: at.astimezone(plan.user.zone).date() for plan in plans}
    if not today:
        return {}
    first = min(today.values()) - timedelta(weeks=WEEKS)
    planned = planned_days(plans, first, max(today.values()))
    blocks = ProspectingBlock.objects.filter(user__in=today, day__gte=first).order_by("day")
    spent: dict[int, list[date]] = {}
    for block in blocks:
        if block.minutes:
            spent.setdefault(block.user_id, []).append(block.day)
    answer = {}
    for user, now in today.items():
        kept = set(spent.get(user, ()))
        begun = min(kept, default=now)
        days = sorted(day for day in planned.get(user, ()) if begun <= day < now)
        gap = longest = 0
        for day in days:
            gap = 0 if day in kept else gap + 1
            longest = max(longest, gap)
        answer[user] = Evenness(len(kept & set(days)), len(days), longest)
    return answer


def _together(each: list[Evenness]) -> Evenness | None:
    begun = [one for one in each if one.planned]
    if len(begun) < LEAST_PEOPLE:
        return None
    return Evenness(
        sum(one.kept for one in begun),
        sum(one.planned for one in begun),
        max(one.gap for one in begun),
        len(begun),
    )


def _filled(found: dict[Way, Yield]) -> list[Yield]:
    return [found.get(way, Yield(way)) for way in Way]


@dataclass(frozen=True)
class _Done:
    """What so many people did, by its way."""

    people: int
    ways: dict[Way, Yield] = field(default_factory=dict)


def _found(whose: str, at: datetime, values: dict[str, Any]) -> dict[int | None, _Done]:
    """By team of who did it. `whose` is one of ours, never what somebody typed."""
    given = {"at": at, "since": at - SINCE, **LATER, **values}
    found: dict[int | None, _Done] = {}
    with connection.cursor() as cursor:
        cursor.execute(FOUND.format(whose=whose), given)
        for team, people, way, things, seconds, of_value, qualified, won in cursor.fetchall():
            ways = found.setdefault(team, _Done(people)).ways
            ways[Way(way)] = Yield(Way(way), things, int(seconds or 0), of_value, qualified, won)
    return found


FOUND = """
WITH marked AS (
    SELECT i.id, i.way, i.done_at, i.conversation_id, i.referral_id, i.lead_id, b.user_id, u.team_id,
           -- The minutes of a block that was corrected lie over its things as those that were measured did, else evenly.
           CASE WHEN b.corrected_minutes IS NULL THEN i.seconds
                WHEN sum(i.seconds) OVER things > 0 THEN i.seconds * b.corrected_minutes * 60.0 / sum(i.seconds) OVER things
                ELSE b.corrected_minutes * 60.0 / count(*) OVER things END AS seconds
    FROM crm_prospectingitem i
    JOIN crm_prospectingblock b ON b.id = i.block_id
    JOIN crm_user u ON u.id = b.user_id
    WHERE (i.done_at IS NOT NULL OR i.left_out_at IS NOT NULL) AND {whose}
    WINDOW things AS (PARTITION BY i.block_id)
), done AS MATERIALIZED (
    SELECT * FROM marked WHERE done_at > %(since)s AND done_at <= %(at)s
), met AS (
    SELECT d.id, d.way, d.team_id, d.user_id, d.done_at, ip.person_id
    FROM done d JOIN crm_prospectingitem_people ip ON ip.prospectingitem_id = d.id
), talks AS (
    SELECT DISTINCT ON (talk.id) talk.way, talk.team_id
    FROM (
        SELECT d.way, d.team_id, d.done_at, c.id FROM done d JOIN crm_conversation c ON c.id = d.conversation_id
        WHERE c.has_learning OR c.has_gain OR c.has_next_step
        UNION ALL
        SELECT m.way, m.team_id, m.done_at, c.id
        FROM met m
        JOIN crm_conversation_people cp ON cp.person_id = m.person_id
        JOIN crm_conversation c ON c.id = cp.conversation_id AND c.by_id = m.user_id
        WHERE (c.has_learning OR c.has_gain OR c.has_next_step) AND NOT c.is_automatic
          AND c.at > m.done_at - interval '1 hour' AND c.at <= m.done_at + %(of_value)s AND c.at <= %(at)s
    ) talk
    ORDER BY talk.id, talk.done_at DESC
), leads AS MATERIALIZED (
    SELECT way, team_id, done_at, lead_id FROM done WHERE lead_id IS NOT NULL
    UNION ALL
    SELECT d.way, d.team_id, d.done_at, r.lead_id FROM done d JOIN crm_referral r ON r.id = d.referral_id WHERE r.lead_id IS NOT NULL
    UNION ALL
    SELECT m.way, m.team_id, m.done_at, l.id FROM met m JOIN crm_lead l ON l.person_id = m.person_id
), qualified AS (
    SELECT DISTINCT ON (l.id) s.way, s.team_id
    FROM leads s JOIN crm_lead l ON l.id = s.lead_id
    WHERE l.qualified_at >= s.done_at AND l.qualified_at <= s.done_at + %(qualified)s AND l.qualified_at <= %(at)s
    ORDER BY l.id, s.done_at DESC
), won AS (
    SELECT DISTINCT ON (won.id) won.way, won.team_id
    FROM (
        SELECT s.way, s.team_id, s.done_at, deal.id, deal.won_at FROM leads s JOIN crm_deal deal ON deal.lead_id = s.lead_id
        UNION ALL
        SELECT m.way, m.team_id, m.done_at, deal.id, deal.won_at FROM met m JOIN crm_deal deal ON deal.person_id = m.person_id
    ) won
    WHERE won.won_at >= won.done_at AND won.won_at <= won.done_at + %(won)s AND won.won_at <= %(at)s
    ORDER BY won.id, won.done_at DESC
)
SELECT d.team_id, (SELECT count(DISTINCT o.user_id) FROM done o WHERE o.team_id IS NOT DISTINCT FROM d.team_id), d.way, count(*), sum(d.seconds),
       (SELECT count(*) FROM talks t WHERE t.way = d.way AND t.team_id IS NOT DISTINCT FROM d.team_id),
       (SELECT count(*) FROM qualified q WHERE q.way = d.way AND q.team_id IS NOT DISTINCT FROM d.team_id),
       (SELECT count(*) FROM won w WHERE w.way = d.way AND w.team_id IS NOT DISTINCT FROM d.team_id)
FROM done d
GROUP BY d.team_id, d.way
"""
