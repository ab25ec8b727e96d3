"""Edit the rules of assignment and what each SDR takes on, and say what the rules would do with the leads that came last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm import events, leads, locks
from crm.assignment.choosing import Asked, fits
from crm.models import AssignmentRule, EventKind, Language, Lead, Team, User
from crm.notation import one_line
from crm.refusal import Refused

MOST_RULES = 50
"""More than anybody can keep in their head; a rule that nobody understands gives leads to nobody knows whom."""
MOST_CAPACITY = 1000
LATEST = 50


@dataclass(frozen=True)
class Preview:
    """How many of the leads that came last each rule would have taken, by the key of the rule; `rest` fit none and go by turns to everybody."""

    number: int
    by_rule: dict[int, int]
    rest: int


@transaction.atomic
def save_rule(
    *,
    by: User,
    at: datetime,
    language: str = "",
    sector: str = "",
    country: str = "",
    origin: str = "",
    team: Team | None = None,
    user: User | None = None,
    is_active: bool = True,
    rule: AssignmentRule | None = None,
) -> AssignmentRule:
    """The rule says this now; a new one (without `rule`) stands last.

    Refuses a rule for a team and an SDR at once or for neither, for somebody who cannot log in, without any condition (a lead that fits no rule
    goes by turns to everybody already), a language that we do not speak, a country that is no two letters, and more rules than anybody
    understands.
    """
    locks.hold("assignment-rules")
    if (team is None) == (user is None):
        raise Refused(_("Choose a team or an SDR: one of the two."))
    if user is not None and not user.is_active:
        raise Refused(_("%(name)s no longer works with Kring. Choose somebody else.") % {"name": user})
    country = country.strip().upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise Refused(_("Write the country as two letters, such as BE or NL."))
    if language and language not in Language.values:
        raise Refused(_("Choose one of the languages that Kring speaks."))
    sector, origin = one_line(sector, 100), one_line(origin, 50)
    if not any((language, sector, country, origin)):
        raise Refused(_("Give the rule at least one condition. Leads that fit no rule go by turns to everybody."))
    if rule is None:
        if AssignmentRule.objects.count() >= MOST_RULES:
            raise Refused(_("There are %(most)d rules already. Remove one first.") % {"most": MOST_RULES})
        last = AssignmentRule.objects.aggregate(last=Max("position"))["last"]
        rule, old = AssignmentRule(position=0 if last is None else last + 1), None
    else:
        rule = locks.row(AssignmentRule.objects.select_related("team", "user"), rule.pk)
        old = _said(rule)
    rule.language, rule.sector, rule.country, rule.origin = language, sector, country, origin
    rule.team, rule.user, rule.is_active = team, user, is_active
    rule.save()
    if old != _said(rule):
        events.record(EventKind.ASSIGNMENT_CHANGED, subject=rule, by=by, at=at, old=old, new=_said(rule))
    return rule


@transaction.atomic
def remove_rule(*, rule: AssignmentRule, by: User, at: datetime) -> None:
    """The rule is no more; leads that it gave stay where they are. Twice is once."""
    locks.hold("assignment-rules")
    row = AssignmentRule.objects.select_related("team", "user").filter(pk=rule.pk).first()
    if row is None:
        return
    events.record(EventKind.ASSIGNMENT_CHANGED, subject=row, by=by, at=at, old=_said(row))
    row.delete()


@transaction.atomic
def move_rule(*, rule: AssignmentRule, to: int, by: User, at: datetime) -> None:
    """The rule is tried at this place, counted from 0; before the first is the first, and beyond the last the last. A rule that was removed
    meanwhile stays away."""
    locks.hold("assignment-rules")
    rows = list(AssignmentRule.objects.select_related("team", "user"))
    place = next((place for place, row in enumerate(rows) if row.pk == rule.pk), None)
    if place is None:
        return
    to = max(0, min(to, len(rows) - 1))
    moved = rows.pop(place)
    rows.insert(to, moved)
    for position, row in enumerate(rows):
        row.position = position
    AssignmentRule.objects.bulk_update(rows, ["position"])
    if place != to:
        events.record(
            EventKind.ASSIGNMENT_CHANGED,
            subject=moved,
            by=by,
            at=at,
            old=_said(moved) | {"place": place + 1},
            new=_said(moved) | {"place": to + 1},
        )


@transaction.atomic
def set_share(*, user: User, takes_leads: bool, lead_capacity: int, by: User, at: datetime) -> User:
    """Whether somebody gets leads by turns, and how many in 30 days at most. Refuses a number that cannot be."""
    if not 0 <= lead_capacity <= MOST_CAPACITY:
        raise Refused(_("Choose a number of leads between 0 and %(most)d.") % {"most": MOST_CAPACITY})
    user = locks.row(User.objects.all(), user.pk)
    old = {"takes_leads": user.takes_leads, "lead_capacity": user.lead_capacity}
    new = {"takes_leads": takes_leads, "lead_capacity": lead_capacity}
    if old != new:
        user.takes_leads, user.lead_capacity = takes_leads, lead_capacity
        user.save(update_fields=["takes_leads", "lead_capacity"])
        events.record(EventKind.ASSIGNMENT_CHANGED, subject=user, by=by, at=at, old=old, new=new)
    return user


def preview() -> Preview:
    """What the rules in use would have done with the leads that came last. It only looks at conditions: whose turn it was, who was away and who was
    full on those days, nobody knows any more."""
    rules = list(AssignmentRule.objects.filter(is_active=True))
    latest = list(
        Lead.objects.select_related("person", "organisation", "form").order_by("-received_at", "-pk")[:LATEST]
    )
    by_rule = dict.fromkeys((rule.pk for rule in rules), 0)
    rest = 0
    for lead in latest:
        asked = Asked(
            language=leads.language(lead),
            sector=lead.organisation.sector if lead.organisation else "",
            country=lead.organisation.country if lead.organisation else "",
            origin=lead.origin,
        )
        first = next((rule for rule in rules if fits(rule, asked)), None)
        if first:
            by_rule[first.pk] += 1
        else:
            rest += 1
    return Preview(len(latest), by_rule, rest)


def _said(rule: AssignmentRule) -> dict[str, Any]:
    return {
        "language": rule.language,
        "sector": rule.sector,
        "country": rule.country,
        "origin": rule.origin,
        "to": str(rule.team or rule.user),
        "is_active": rule.is_active,
    }
