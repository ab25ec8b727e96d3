"""May we contact this person now? One guard for every way to do so: the call button, mail, acts on many, downloads and what is still to come.

Reads only. What people asked of us (*never*) comes before what is good manners (*too soon*, until when and why):

1. they asked to be contacted later (`Person.not_before`). A *not before* of one promise of theirs concerns that promise alone;
2. we sent information and they have had too few working days to read it;
3. we tried to reach them, once or more often, without an answer;
4. a colleague was in touch with them just now, and they have not written since;
5. it is no decent hour or day where they live (calls, video calls and chat; a mail may go at any hour).

Their own word (a reply, or a form they filled in) ends 2, 3 and 4. The numbers are those of `PacingPolicy`; working days are Monday to Friday
without the public holidays of their country, which is the person's, else their organisation's, else that of their phone number, else ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import ConversationKind, EmailAddress, PacingPolicy, Person, PhoneNumber, Position, Register, User
from crm.pacing import hours, wishes
from crm.pacing.answers import Allowed, Answer, Never, TooSoon
from crm.pacing.history import History, histories
from crm.pacing.hours import Place

__all__ = ["Allowed", "Answer", "Never", "TooSoon", "judge", "may_contact", "never", "old_registers"]


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
    somebody is barred when every number (or address) they have is."""
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
    keys = list(dict.fromkeys(person.pk for person in people))
    channel = str(channel)
    policy = PacingPolicy.current()
    numbers = wishes.gathered(PhoneNumber.objects.filter(person__in=keys).values_list("person", "number"))
    known = _known(keys)
    past = histories(keys, at, by=by, colleague_days=policy.colleague_days)
    never = wishes.barred(keys, channel, _used(keys, channel, numbers, number, address.lower()))
    answers: dict[int, Answer] = {}
    for key in keys:
        who = known.get(key, _Known())
        where = hours.place(
            time_zone=who.time_zone, country=who.country, number=(number and [number] or numbers.get(key) or [""])[0]
        )
        answers[key] = never.get(key) or _pace(who, past.get(key, History()), where, channel, at, policy)
    return answers


def never(people: Iterable[Person], channel: ConversationKind | str) -> dict[int, Never]:
    """Those of these people, by their keys, who asked us never to use this channel: what `judge` says first. Two queries for people whose
    telephone numbers and addresses were fetched with them."""
    used: dict[int, list[str]] = {}
    for person in people:
        if channel == ConversationKind.EMAIL:
            used[person.pk] = [row.address for row in person.email_addresses.all()]
        else:
            used[person.pk] = [row.number for row in person.phone_numbers.all()]
    return wishes.barred(list(used), str(channel), used)


def old_registers(at: datetime) -> list[Register]:
    """Registers older than they may be: they still bar what they hold, and may lack who signed up since. The oldest first."""
    return [register for register in Register.objects.order_by("loaded_at", "pk") if register.is_old(at)]


@dataclass(frozen=True)
class _Known:
    time_zone: str = ""
    country: str = ""
    not_before: date | None = None
    not_before_why: str = ""


def _known(keys: list[int]) -> dict[int, _Known]:
    """What is known of these people now, whatever the rows that a page holds say."""
    works_in = (
        Position.objects.current().filter(person=OuterRef("pk")).exclude(organisation__country="")
        .values("organisation__country")[:1]
    )  # fmt: skip
    rows = Person.objects.filter(pk__in=keys).annotate(works_in=Subquery(works_in))
    columns = ("pk", "time_zone", "country", "works_in", "not_before", "not_before_why")
    return {
        pk: _Known(zone, country or works_in or "", not_before, why)
        for pk, zone, country, works_in, not_before, why in rows.values_list(*columns)
    }


def _used(
    keys: list[int], channel: str, numbers: dict[int, list[str]], number: str, address: str
) -> dict[int, list[str]]:
    """The numbers or addresses that would be used for each: those that were named, else all they have."""
    if channel == ConversationKind.CALL:
        return dict.fromkeys(keys, [number]) if number else numbers
    if channel == ConversationKind.EMAIL:
        if address:
            return dict.fromkeys(keys, [address])
        return wishes.gathered(EmailAddress.objects.filter(person__in=keys).values_list("person", "address"))
    named = [value for value in (number, address) if value]
    return dict.fromkeys(keys, named)


def _pace(
    who: _Known, past: History, where: Place, channel: str, at: datetime, policy: PacingPolicy
) -> Allowed | TooSoon:
    """Every rule that still holds, the longest first in what is said. They may be reached at a decent hour after the last of them has passed."""
    held = [found for found in _rules(who, past, where, policy) if found.until > at]
    latest = max((found.until for found in held), default=at)
    until = hours.next_decent(latest, where, channel, policy)
    if until <= at:
        return Allowed()
    quiet = hours.why_quiet(at, where, channel, policy)
    whys = [found.why for found in sorted(held, key=lambda found: found.until, reverse=True)]
    return TooSoon(until, " ".join([*whys, quiet]).strip())


def _rules(who: _Known, past: History, where: Place, policy: PacingPolicy) -> list[TooSoon]:
    found: list[TooSoon] = []
    if who.not_before:
        later = _("They asked to be contacted later.")
        if who.not_before_why:
            later = _("They asked to be contacted later: %(why)s.") % {"why": who.not_before_why.rstrip(". ")}
        found.append(TooSoon(where.begins(who.not_before), later))
    if past.informed_at and policy.information_days:
        found.append(
            TooSoon(
                where.working_days_after(past.informed_at, policy.information_days),
                _("We sent them information on %(day)s; they get some days to read it.")
                % {"day": _day(past.informed_at, where)},
            )
        )
    if past.tries and past.tried_at and policy.attempt_days:
        days = policy.attempt_days[min(past.tries, len(policy.attempt_days)) - 1]
        tried = ngettext(
            "We tried to reach them once without an answer, on %(day)s.",
            "We tried to reach them %(number)s times without an answer, the last time on %(day)s.",
            past.tries,
        ) % {"number": past.tries, "day": _day(past.tried_at, where)}
        if days:
            found.append(TooSoon(where.working_days_after(past.tried_at, days), tried))
    if past.colleague_at:
        found.append(
            TooSoon(
                past.colleague_at + timedelta(days=policy.colleague_days),
                _("%(name)s was in touch with them on %(day)s; they hear from one of us at a time.")
                % {"name": past.colleague, "day": _day(past.colleague_at, where)},
            )
        )
    return found


def _day(moment: datetime, where: Place) -> str:
    return date_format(moment.astimezone(where.zone), "j F")
