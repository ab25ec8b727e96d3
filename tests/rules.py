"""What the tests of the rules share: a refresh that must not fail, what is open for a rule, and how it reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from crm import advocacy, follow_ups, leads, rules, verdicts
from crm.models import Appointment, Deal, FollowUp, Lead, Person, PromiseSide, Rule, Tier, User
from tests import make
from tests.make import AT

BRUSSELS = ZoneInfo("Europe/Brussels")
TODAY = AT.astimezone(BRUSSELS).date()
"""Monday 23 November 2026."""


def days(number: int) -> timedelta:
    return timedelta(days=number)


def refresh(at: datetime = AT) -> follow_ups.RefreshReport:
    report = follow_ups.refresh(at=at)
    assert report.failed == []
    return report


def only(rule: Rule) -> FollowUp:
    return FollowUp.objects.open().get(rule=rule)


def is_quiet(rule: Rule) -> bool:
    return not FollowUp.objects.open().filter(rule=rule).exists()


def said(follow_up: FollowUp, at: datetime = AT) -> str:
    with translation.override("en"), timezone.override(BRUSSELS):
        return rules.sentence(FollowUp.objects.for_today().get(pk=follow_up.pk), at)


def badge(follow_up: FollowUp, at: datetime = AT) -> str:
    with translation.override("en"), timezone.override(BRUSSELS):
        found = rules.badge(FollowUp.objects.for_today().get(pk=follow_up.pk), at)
    return found.text if found else ""


def known(name: str, owner: User, tier: Tier | str = "", spoken: datetime | None = None) -> Person:
    """A person whom `owner` has known since long."""
    person = make.person(name)
    long_ago = datetime(2024, 1, 8, 9, tzinfo=UTC)
    Person.objects.filter(pk=person.pk).update(owner=owner, tier=tier, created_at=long_ago)
    if spoken:
        make.conversation(person, by=owner, at=spoken)
    person.refresh_from_db()
    return person


def meeting(host: User, hours: int) -> Appointment:
    """An hour with this host that began so many hours ago."""
    return make.appointment(host, starts_at=AT - timedelta(hours=hours), at=AT - days(3))


def asked(lead: Lead, sdr: User, question: str = "Who signs?", on: date | None = None, at: datetime = AT) -> Lead:
    """A lead of which we need to know something first."""
    return verdicts.ask_first(lead=lead, question=question, on=on or TODAY + days(3), by=sdr, at=at)


def without_a_step(deal: Deal) -> Deal:
    """A deal as it came from an old file: nothing is agreed."""
    Deal.objects.filter(pk=deal.pk).update(next_step_on=None, next_step="", external_id=f"old-{deal.pk}")
    return deal


def everything(account_manager: User, sdr: User) -> None:
    """One cause for each rule about leads, deals and promises."""
    make.lead(owner=sdr)
    make.hand_off(sdr, account_manager)
    make.deal(account_manager, at=AT - days(30), next_step_on=TODAY)  # In which they never said a word, either.
    Deal.objects.filter(pk=make.deal(account_manager).pk).update(buyer_date=TODAY - days(8))
    still = make.working_lead(sdr, at=AT - days(10))
    leads.answer(lead=still, message="Thank you. I will call you.", by=sdr, at=AT - days(10))
    without_a_step(make.deal(account_manager))
    for side in PromiseSide:
        make.promise(known(f"{side} A", account_manager), by=account_manager, due_on=TODAY, side=side)
    advocacy.promise(referral=make.referral(account_manager, at=AT - days(30)), by=account_manager, at=AT - days(30))
    verdicts.nurture(lead=make.working_lead(sdr, at=AT - days(30)), until=TODAY - days(3), by=sdr, at=AT - days(30))
    declined = make.working_lead(sdr, at=AT - days(30))
    verdicts.decline(lead=declined, reason="not_now", come_back_on=TODAY - days(3), by=sdr, at=AT - days(30))
    known("B B", account_manager, Tier.A, spoken=AT - days(50))
    meeting(account_manager, 2 + 2 * Appointment.objects.count())
    unclear = make.working_lead(sdr, at=AT - days(5))
    leads.answer(lead=unclear, message="Thank you. I will call you.", by=sdr, at=AT - days(5))
    asked(unclear, sdr, on=TODAY, at=AT - days(4))
