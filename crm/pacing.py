"""May we contact this person now? One guard for every way to do so: the call button, mail, acts on many, downloads and what is still to come.

Reads only. What people asked of us (*never*) comes before what is good manners (*too soon*, until when and why).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.clock import day_start
from crm.models import ConversationKind, DoNotContact, Person, Scope, User


@dataclass(frozen=True)
class Allowed:
    """Nothing stands in the way."""


@dataclass(frozen=True)
class TooSoon:
    """Not before `until`, an aware moment; `why` is a sentence for the reader. Somebody with a reason may pass."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Never:
    """They asked us not to; `why` says who noted it and when. Nobody passes but by lifting the wish itself."""

    why: str


Answer = Allowed | TooSoon | Never


def may_contact(
    person: Person,
    channel: ConversationKind | str,
    at: datetime,
    *,
    by: User | None = None,
    number: str = "",
    address: str = "",
) -> Answer:
    """Whether `by` may contact this person by this channel at `at`. `number` (E.164) or `address` names the one that would be used; without it
    the wishes about the person count, and those about every number or address they have."""
    return judge([person], channel, at, by=by, number=number, address=address)[person.pk]


def judge(
    people: Iterable[Person],
    channel: ConversationKind | str,
    at: datetime,
    *,
    by: User | None = None,
    number: str = "",
    address: str = "",
) -> dict[int, Answer]:
    """The same for many people at once, by their keys, in a number of queries that does not grow with them."""
    everyone = list(people)
    barred = _barred(everyone, str(channel), number, address)
    return {person.pk: barred.get(person.pk) or _not_before(person, at) or Allowed() for person in everyone}


def _barred(people: list[Person], channel: str, number: str, address: str) -> dict[int, Never]:
    scopes = {Scope.CONTACT, *({"call": [Scope.CALL], "email": [Scope.MAIL]}.get(channel, []))}
    standing = DoNotContact.objects.standing().filter(scope__in=scopes)
    wishes = standing.filter(
        Q(person__in=people) | (Q(number=number) & ~Q(number="")) | (Q(address=address) & ~Q(address=""))
    )
    return {
        person.pk: Never(_("They asked us not to: %(reason)s.") % {"reason": wish.reason})
        for wish in wishes
        for person in people
        if wish.person_id in (None, person.pk)
    }


def _not_before(person: Person, at: datetime) -> TooSoon | None:
    if person.not_before is None or at >= (first := day_start(person.not_before, ZoneInfo(settings.TIME_ZONE))):
        return None
    return TooSoon(first, _("They asked to be contacted later: %(why)s") % {"why": person.not_before_why})
