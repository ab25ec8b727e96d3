"""Who fits a lead: the account managers in an order that explains itself, and never somebody first who is not there.

Each good thing adds to an account manager's points and none takes from them, so more of it never lowers a place:

- `LANGUAGE`: who speaks their language is understood in the first minute; nothing else weighs as much.
- `KNOWN`, `LOOKS_AFTER`, `ORDERED`: who is in touch with them, looks after them, or sold to them goes on with a conversation and does not start one.
- `RECORD`, times the share of orders won in the sector, and `SECTOR` for who says that they know it. A share counts from `ENOUGH_CLOSED` deals on:
  two of two is luck.
- `ROOM`, times the room that somebody has beside the busiest: a lead is worth little with whoever cannot call today.
- `INTEREST` for each thing that both like to talk about, of three at most: a good beginning of a conversation, and no more than that.

Who is away within the next `SOON` working days stands below everybody who is there, and who is away today comes last.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import clock
from crm.models import Absence, Conversation, Deal, DealState, HandOff, Lead, User

LANGUAGE = 30
KNOWN = 15
LOOKS_AFTER = 10
ORDERED = 10
RECORD = 20
SECTOR = 8
ROOM = 20
INTEREST = 4
MOST_INTERESTS = 3
ENOUGH_CLOSED = 5
SOON = 3

HERE, AWAY_SOON, AWAY = range(3)


@dataclass(frozen=True)
class Facts:
    """What is known of one account manager beside one lead. `in_hand`: open deals and hand-offs that wait for them. `known_since`: the first
    contact with this person or organisation. `away_from`, `away_until`: the first and last day of an absence today or soon."""

    user: User
    speaks: bool = False
    sector: str = ""
    knows_sector: bool = False
    won: int = 0
    closed: int = 0
    shared: tuple[str, ...] = ()
    in_hand: int = 0
    known_since: date | None = None
    looks_after: bool = False
    orders: int = 0
    away_from: date | None = None
    away_until: date | None = None
    today: date | None = None

    @property
    def presence(self) -> int:
        if self.away_from is None:
            return HERE
        return AWAY if self.today is None or self.away_from <= self.today else AWAY_SOON

    @property
    def has_record(self) -> bool:
        return self.closed >= ENOUGH_CLOSED


@dataclass(frozen=True)
class Fit:
    """One account manager in the order of who fits. `reasons`: short phrases in the reader's language, the strongest first."""

    user: User
    points: float
    facts: Facts
    reasons: tuple[str, ...]

    @property
    def is_away(self) -> bool:
        """Not there today: nothing can be handed off to them."""
        return self.facts.presence == AWAY

    @property
    def is_here(self) -> bool:
        """There today and in the days to come."""
        return self.facts.presence == HERE


def who_fits(lead: Lead, *, at: datetime) -> list[Fit]:
    """Every account manager, who fits best first. The same number of queries for any number of them."""
    users = list(User.objects.account_managers().select_related("team"))
    return rank(_facts(lead, users, at)) if users else []


def suggested(fits: Sequence[Fit]) -> Fit | None:
    """Whom to hand off to: the first, as long as they are there; nobody when everybody is away, or leaves in a few days."""
    return fits[0] if fits and fits[0].is_here else None


def rank(facts: Iterable[Facts]) -> list[Fit]:
    """The order of these: who is there before who is not, then by points, then by name. The same facts give the same order."""
    known = list(facts)
    busiest = max((each.in_hand for each in known), default=0)
    fits = [Fit(each.user, points(each, busiest), each, reasons(each, busiest)) for each in known]
    return sorted(fits, key=lambda fit: (fit.facts.presence, -fit.points, fit.user.name, fit.user.pk or 0))


def points(facts: Facts, busiest: int) -> float:
    """How well they fit, beside somebody who has `busiest` in hand; the numbers stand above."""
    room = 1 - facts.in_hand / busiest if busiest else 1.0
    return (
        LANGUAGE * facts.speaks
        + KNOWN * (facts.known_since is not None)
        + LOOKS_AFTER * facts.looks_after
        + ORDERED * (facts.orders > 0)
        + (RECORD * facts.won / facts.closed if facts.has_record else 0)
        + SECTOR * facts.knows_sector
        + ROOM * room
        + INTEREST * min(len(facts.shared), MOST_INTERESTS)
    )


def reasons(facts: Facts, busiest: int) -> tuple[str, ...]:
    """Why they stand where they stand, in a few words each: *Dutch*, *interiors 4 of 5 won*, *likes sailing, too*."""
    said = []
    if facts.presence == AWAY and facts.away_until:
        said.append(_("away until %(day)s") % {"day": date_format(facts.away_until, "j F")})
    elif facts.presence == AWAY_SOON and facts.away_from:
        said.append(_("away from %(day)s") % {"day": date_format(facts.away_from, "l j F")})
    if facts.speaks:
        said.append(str(facts.user.get_language_display()))
    if facts.has_record:
        said.append(
            _("%(sector)s %(won)d of %(closed)d won")
            % {"sector": facts.sector, "won": facts.won, "closed": facts.closed}
        )
    elif facts.closed or facts.knows_sector:
        words = {
            (True, True): _("knows %(sector)s, %(closed)d closed so far, too few to tell"),
            (True, False): _("knows %(sector)s"),
            (False, True): _("%(sector)s %(closed)d closed so far, too few to tell"),
        }[facts.knows_sector, facts.closed > 0]
        said.append(words % {"sector": facts.sector, "closed": facts.closed})
    if facts.looks_after:
        said.append(_("looks after them"))
    if facts.orders:
        said.append(
            ngettext("%(count)d order from them", "%(count)d orders from them", facts.orders) % {"count": facts.orders}
        )
    if facts.known_since:
        said.append(_("knows them since %(year)d") % {"year": facts.known_since.year})
    said += [_("likes %(topic)s, too") % {"topic": topic} for topic in facts.shared[:MOST_INTERESTS]]
    if facts.in_hand and facts.in_hand == busiest:
        said.append(_("%(count)d in hand, the most of all") % {"count": facts.in_hand})
    elif facts.in_hand:
        said.append(_("%(count)d in hand") % {"count": facts.in_hand})
    else:
        said.append(_("nothing in hand"))
    return tuple(said)


def plain(word: str) -> str:
    """A word without its accents and capitals, so that *Zéilen* is *zeilen*."""
    letters = unicodedata.normalize("NFKD", word.strip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _facts(lead: Lead, users: list[User], at: datetime) -> list[Facts]:
    person, organisation = lead.person, lead.organisation
    keys = [user.pk for user in users]
    sector = organisation.sector.strip() if organisation else ""
    language = (person.language if person else "") or (lead.form.language if lead.form else "")
    interests = {plain(topic): topic for topic in (person.interests if person else ())}
    owners = {each.owner_id for each in (person, organisation) if each is not None}
    away = _away(users, at)
    in_hand = _counted(Deal.objects.open().filter(owner__in=keys), "owner")
    waiting = _counted(HandOff.objects.waiting().filter(to_user__in=keys), "to_user")
    records = _records(keys, sector)
    since = _contacts(lead, keys)
    orders = _orders(lead, keys)
    return [
        Facts(
            user=user,
            speaks=bool(language) and user.language == language,
            sector=sector,
            knows_sector=bool(sector) and plain(sector) in map(plain, user.sectors),
            won=records.get(user.pk, (0, 0))[0],
            closed=records.get(user.pk, (0, 0))[1],
            shared=tuple(interests[word] for word in sorted(interests.keys() & set(map(plain, user.interests)))),
            in_hand=in_hand.get(user.pk, 0) + waiting.get(user.pk, 0),
            known_since=since[user.pk].astimezone(user.zone).date() if user.pk in since else None,
            looks_after=user.pk in owners,
            orders=orders.get(user.pk, 0),
            away_from=away[user.pk][0] if user.pk in away else None,
            away_until=away[user.pk][1] if user.pk in away else None,
            today=at.astimezone(user.zone).date(),
        )
        for user in users
    ]


def _away(users: list[User], at: datetime) -> dict[int, tuple[date, date]]:
    """For each who is away today or in the next working days of their own: the first day of it and the last."""
    days = {}
    for user in users:
        today = at.astimezone(user.zone).date()
        days[user.pk] = (today, clock.add_working_days(today + timedelta(days=1), SOON - 1, user.calendar))
    noted = Absence.objects.filter(
        user__in=users,
        ends_on__gte=min(first for first, _last in days.values()),
        starts_on__lte=max(last for _first, last in days.values()),
    )
    away: dict[int, tuple[date, date]] = {}
    for absence in noted.order_by("starts_on", "id"):
        first, last = days[absence.user_id]
        if absence.ends_on < first or absence.starts_on > last:
            continue
        known = away.get(absence.user_id)
        if known is None:
            away[absence.user_id] = (absence.starts_on, absence.ends_on)
        elif absence.starts_on <= known[1] + timedelta(days=1):  # It goes on from the one before.
            away[absence.user_id] = (known[0], max(known[1], absence.ends_on))
    return away


def _counted(rows: Any, column: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(column).annotate(number=Count("pk")))


def _records(keys: Collection[int], sector: str) -> dict[int, tuple[int, int]]:
    """How many deals each won and closed in this sector."""
    if not sector:
        return {}
    closed = Deal.objects.filter(owner__in=keys, organisation__sector__iexact=sector).exclude(state=DealState.OPEN)
    counted = (
        closed.order_by()
        .values_list("owner")
        .annotate(won=Count("pk", filter=Q(state=DealState.WON)), closed=Count("pk"))
    )
    return {owner: (won, number) for owner, won, number in counted}


def _contacts(lead: Lead, keys: Collection[int]) -> dict[int, datetime]:
    """When each first had contact with this person, or about this organisation."""
    since: dict[int, datetime] = {}
    said = Conversation.objects.contacts().filter(by__in=keys).order_by()
    # One by one, since each has an index and both together have none.
    for rows in (
        said.filter(people=lead.person_id) if lead.person_id else None,
        said.filter(organisation=lead.organisation_id) if lead.organisation_id else None,
    ):
        if rows is not None:
            for user, first in rows.values_list("by").annotate(first=Min("at")):
                since[user] = min(first, since.get(user, first))
    return since


def _orders(lead: Lead, keys: Collection[int]) -> dict[int, int]:
    """How many orders each won from this person or organisation."""
    about = Q()
    if lead.person_id:
        about |= Q(person=lead.person_id)
    if lead.organisation_id:
        about |= Q(organisation=lead.organisation_id)
    return _counted(Deal.objects.won().filter(about, owner__in=keys), "owner") if about else {}
