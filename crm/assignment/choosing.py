"""Choose who gets a new lead: somebody who may, who is there and who has room, by a rule or by turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject

from crm import clock, locks
from crm.models import Absence, AssignmentRule, GivenBecause, Lead, Organisation, OwnerRule, Person, Role, Team, User

GIVEN_WITHIN = timedelta(days=30)
"""The time over which the capacity of an SDR counts."""
A_DAY_AND_MORE = timedelta(hours=26)
"""No day lasts longer, also not the one on which the clock goes back."""


@dataclass(frozen=True)
class Asked:
    """What the conditions of a rule look at."""

    language: str = ""
    sector: str = ""
    country: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Candidate:
    """Somebody who can log in, and how much they have at a moment; `day` is the day where they are."""

    user: User
    day: date
    given: int
    given_today: int
    last_given_at: datetime | None
    away_until: date | None
    stand_in_id: int | None

    @property
    def is_full(self) -> bool:
        return self.given >= self.user.lead_capacity or self.given_today >= daily_share(self.user)

    @property
    def is_free(self) -> bool:
        return self.away_until is None and not self.is_full

    @property
    def is_at_work(self) -> bool:
        return clock.is_working_day(self.day, self.user.calendar)


@dataclass(frozen=True)
class Choice:
    """Who gets a lead, and what decided it; `stands_in_for` is who would have got it and is away."""

    owner: User
    because: GivenBecause
    stands_in_for: User | None = None


def choose(
    *,
    person: Person | None,
    organisation: Organisation | None,
    language: str,
    origin: str,
    owner_rule: str,
    owner: User | None,
    team: Team | None,
    at: datetime,
    country: str = "",
) -> Choice | None:
    """Who gets the lead that arrives now, and why; `None` leaves it in the pool. Needs an open transaction, in which the lead is then stored.

    By `owner_rule`: *nobody* is the pool. *User* is `owner`, else the rules. *Team* goes by turns within `team`, and when nobody of it is free the
    lead waits in the pool, where the team sees it. *Rules* takes the first rule in use whose every condition holds: its SDR, or by turns in its
    team; a rule of which nobody is free is passed over, so that no lead waits for a holiday. Without a rule it goes by turns among all SDRs.

    Somebody whom we know goes back to the SDR who knows them (who owns the person, or had their newest lead), so that nobody tells their story
    twice: before the rules, and with *team* when that SDR is on it. An SDR who is named (by a form, a rule or an earlier lead) and away is
    replaced by their stand-in.

    Nobody gets one who cannot log in, is away that day (where they are), had their capacity in the last 30 days or their `daily_share` today. By
    turns only go SDRs who take part in it: whose last lead is longest ago, and first who never had one. Those who speak the language of the lead
    come before those who do not, and then those who work that day before those who do not: nobody waits until Thursday for one colleague while
    another is there on Monday. When no such one is free, the others are.

    Held until the transaction ends, one at a time: two leads that arrive together see each other and go to two people.
    """
    if owner_rule == OwnerRule.NOBODY:
        return None
    locks.hold("assignment")
    all_of_them = candidates(at)
    spoken = language or (person.language if person else "")
    named = owner.pk if owner_rule == OwnerRule.USER and owner is not None else None
    if choice := _named(named, GivenBecause.USER, all_of_them):
        return choice
    in_team = team if owner_rule == OwnerRule.TEAM else None
    known = _named(_who_knows(person), GivenBecause.KNOWN, all_of_them)
    if known and (in_team is None or known.owner.team_id == in_team.pk):
        return known
    if in_team is not None:
        return _by_turns(all_of_them.values(), GivenBecause.TEAM, spoken, in_team.pk)
    asked = Asked(
        language=spoken,
        sector=organisation.sector if organisation else "",
        country=country or (organisation.country if organisation else ""),
        origin=origin,
    )
    for rule in AssignmentRule.objects.filter(is_active=True):
        if fits(rule, asked):
            found = (
                _named(rule.user_id, GivenBecause.RULES, all_of_them)
                if rule.user_id
                else _by_turns(all_of_them.values(), GivenBecause.RULES, spoken, rule.team_id)
            )
            if found:
                return found
    return _by_turns(all_of_them.values(), GivenBecause.TURNS, spoken)


def fits(rule: AssignmentRule, asked: Asked) -> bool:
    """Whether every condition of the rule holds; an empty one always does, and what is not known is none of the others."""
    return all(
        not wanted or wanted.strip().casefold() == is_so.strip().casefold()
        for wanted, is_so in (
            (rule.language, asked.language),
            (rule.sector, asked.sector),
            (rule.country, asked.country),
            (rule.origin, asked.origin),
        )
    )


def daily_share(user: User) -> int:
    """How many leads somebody gets on one day at most: their capacity spread over their working days in 30 days, rounded up.

    Without it the first busy morning of a month would fill one person's month. Rounded up, so that a small capacity still lets one in each day; the
    capacity itself stays the bound of the whole. Holidays are not taken out: that would raise the share of the days around them.
    """
    days = len(set(user.working_days)) or len(clock.MONDAY_TO_FRIDAY)
    return ceil(user.lead_capacity * 7 / (GIVEN_WITHIN.days * days))


def candidates(at: datetime) -> dict[int, Candidate]:
    """Everybody who can log in, with what they were given and whether they are away. One query, whatever their number."""
    theirs = Lead.objects.filter(owner=OuterRef("pk"), assigned_at__lte=at).order_by()
    within = theirs.filter(assigned_at__gt=at - GIVEN_WITHIN).values("owner")
    around = Absence.objects.filter(
        user=OuterRef("pk"),
        starts_on__lte=at.date() + timedelta(days=1),
        ends_on__gte=at.date() - timedelta(days=1),
    )
    rows = (
        User.objects.active()
        .select_related("team")
        .annotate(
            given=Coalesce(Subquery(within.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0),
            last_given_at=Subquery(theirs.order_by("-assigned_at").values("assigned_at")[:1]),
            lately=ArraySubquery(theirs.filter(assigned_at__gt=at - A_DAY_AND_MORE).values("assigned_at")),
            absent=ArraySubquery(
                around.values(row=JSONObject(first="starts_on", last="ends_on", stand_in="stand_in_id"))
            ),
        )
        .order_by("pk")
    )
    return {row.pk: _candidate(row, at) for row in rows}


def _candidate(row: Any, at: datetime) -> Candidate:
    zone = row.zone
    day = at.astimezone(zone).date()
    away = next((away for away in row.absent if away["first"] <= day.isoformat() <= away["last"]), None)
    return Candidate(
        user=row,
        day=day,
        given=row.given,
        given_today=sum(moment.astimezone(zone).date() == day for moment in row.lately),
        last_given_at=row.last_given_at,
        away_until=date.fromisoformat(away["last"]) if away else None,
        stand_in_id=int(away["stand_in"]) if away and away["stand_in"] else None,
    )


def _named(pk: int | None, because: GivenBecause, all_of_them: dict[int, Candidate]) -> Choice | None:
    """Somebody who is named, else their stand-in while they are away; `None` when neither is free."""
    candidate = all_of_them.get(pk) if pk else None
    if candidate is None:
        return None
    if candidate.is_free:
        return Choice(candidate.user, because)
    stand_in = all_of_them.get(candidate.stand_in_id) if candidate.stand_in_id else None
    return Choice(stand_in.user, GivenBecause.STAND_IN, candidate.user) if stand_in and stand_in.is_free else None


def _by_turns(
    all_of_them: Iterable[Candidate], because: GivenBecause, language: str, team_id: int | None = None
) -> Choice | None:
    free = [
        candidate
        for candidate in all_of_them
        if candidate.is_free
        and candidate.user.role == Role.SDR
        and candidate.user.takes_leads
        and (team_id is None or candidate.user.team_id == team_id)
    ]
    free = [candidate for candidate in free if candidate.user.language == language] or free
    free = [candidate for candidate in free if candidate.is_at_work] or free
    return Choice(min(free, key=_whose_turn).user, because) if free else None


def _whose_turn(candidate: Candidate) -> tuple[bool, float, int]:
    last = candidate.last_given_at
    return last is not None, last.timestamp() if last else 0, candidate.user.pk


def _who_knows(person: Person | None) -> int | None:
    """The SDR who owns this person, else the one of their newest lead."""
    if person is None:
        return None
    if person.owner is not None and person.owner.role == Role.SDR:
        return person.owner.pk
    return (
        Lead.objects.filter(person=person, owner__role=Role.SDR)
        .order_by("-received_at", "-pk")
        .values_list("owner", flat=True)
        .first()
    )
