"""Happy customers who recommend us: ask, note the promise, be introduced, and thank. An introduction is a new lead."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm import capture, events, leads, locks, pacing, people
from crm.models import (
    REFERRAL_MOVES,
    Advocate,
    Channel,
    ConversationKind,
    Deal,
    EventKind,
    Lead,
    Person,
    Position,
    Referral,
    ReferralState,
    User,
)
from crm.refusal import Refused

PROMISE_WITHIN = timedelta(days=14)
"""When somebody promises an introduction without a date, we ask again after a fortnight."""


@transaction.atomic
def name_advocate(*, person: Person, by: User, at: datetime, evidence: str = "") -> Advocate:
    """The person is an advocate. `evidence` is what somebody wrote down of it; of who gave a referral, that referral is evidence enough. Naming
    one again changes nothing."""
    advocate, is_new = Advocate.objects.get_or_create(
        person=person, defaults={"since": at, "evidence": evidence.strip()}
    )
    if is_new:
        events.record(EventKind.ADVOCATE_NAMED, subject=person, by=by, at=at, new={"evidence": evidence})
    return advocate


@transaction.atomic
def ask(*, person: Person, by: User, at: datetime, deal: Deal | None = None, whom: str = "") -> Referral:
    """We asked this person for a referral. Refuses while an earlier one is open, after a deal that is not won, and, without a deal, a person who
    neither ordered, nor works for a customer, nor was ever named an advocate: the order comes first. Refuses also who is to be left in peace."""
    Person.objects.select_for_update().get(pk=person.pk)
    # A question is put by any channel, mostly face to face: only a wish about all contact forbids it, and how soon is for whoever sits there.
    answer = pacing.may_contact(person, ConversationKind.VISIT, at, by=by)
    if isinstance(answer, pacing.Never):
        raise Refused(answer.why)
    if not (Deal.objects.won().filter(pk=deal.pk).exists() if deal else may_be_asked(person)):
        raise Refused(_("Ask for a referral after the order, when they are glad that they chose us."))
    if Referral.objects.filter(referrer=person, state__in=(ReferralState.ASKED, ReferralState.PROMISED)).exists():
        raise Refused(
            _("We have asked %(name)s already and wait for an answer. One question at a time.") % {"name": person}
        )
    referral = Referral.objects.create(referrer=person, deal=deal, owner=by, whom=whom.strip(), asked_at=at)
    events.record(
        EventKind.REFERRAL_ASKED, subject=referral, by=by, at=at, person=person, deal=deal, new={"whom": whom}
    )
    return referral


def may_be_asked(person: Person) -> bool:
    """Whether this person has a reason to recommend us: they ordered, work for a customer, or were named an advocate."""
    return (
        Person.objects.filter(pk=person.pk)
        .filter(
            Q(advocate__isnull=False)
            | Q(pk__in=Deal.objects.won().filter(person=person).values("person"))
            | Q(
                pk__in=Position.objects.current()
                .filter(person=person, organisation__customer_since__isnull=False)
                .order_by()
                .values("person")
            )
        )
        .exists()
    )


@transaction.atomic
def promise(
    *,
    referral: Referral,
    by: User,
    at: datetime,
    whom: str = "",
    due_on: date | None = None,
    not_before: date | None = None,
) -> Referral:
    """They promised to introduce somebody, by a date (default: 14 days from now, or 14 days after *not before*), and we do not ask before
    `not_before`. Saying it again corrects the dates."""
    referral = _locked(referral)
    today = at.astimezone(by.zone).date()
    due_on = due_on or max(today, not_before or today) + PROMISE_WITHIN
    if not_before and not_before > due_on:
        raise Refused(_("“Not before” lies after the promised date. Choose a later promised date."))
    if referral.state != ReferralState.PROMISED:
        _move(referral, ReferralState.PROMISED)
    referral.whom = whom.strip() or referral.whom
    referral.promised_at, referral.due_on, referral.not_before = referral.promised_at or at, due_on, not_before
    referral.save(update_fields=["state", "whom", "promised_at", "due_on", "not_before"])
    name_advocate(person=referral.referrer, by=by, at=at)
    events.record(
        EventKind.REFERRAL_PROMISED,
        subject=referral,
        by=by,
        at=at,
        person=referral.referrer,
        deal=referral.deal,
        new={"whom": referral.whom, "due": due_on, "not_before": not_before},
    )
    return referral


@transaction.atomic
def introduce(
    *,
    referral: Referral,
    name: str,
    by: User,
    at: datetime,
    email: str = "",
    phone: str = "",
    organisation: str = "",
    message: str = "",
    sdr: User | None = None,
) -> Lead:
    """The person whom they introduced is a new lead, whose origin is this referral and who is linked to the person who gave it; the colleague to
    whom it goes is told by mail.

    Refuses an introduction without a name, and of the referrer themselves. Introducing again gives the same lead.
    """
    referral = _locked(referral)
    if referral.lead is not None:
        return referral.lead
    if not name.strip():
        raise Refused(_("Whom did they introduce? A name is enough."))
    known, company = people.recognise(name=name, email=email, phone=phone, organisation=organisation, by=by, at=at)
    assert known is not None
    if known.pk == referral.referrer_id:
        raise Refused(_("Nobody introduces themselves. Is this the address of %(name)s?") % {"name": referral.referrer})
    _move(referral, ReferralState.INTRODUCED)
    received = capture.receive(
        capture.Arrival(
            channel=Channel.REFERRAL,
            external_id=f"referral-{referral.pk}",
            person=known,
            company=company,
            message=message,
            origin="referral",
            owner=sdr,
        ),
        by=by,
        at=at,
    )
    leads.tell_owner(lead=received.lead, by=by, at=at)
    if known.introduced_by_id is None:
        known.introduced_by = referral.referrer
        known.save(update_fields=["introduced_by"])
    referral.introduced, referral.introduced_at, referral.lead = known, at, received.lead
    referral.save(update_fields=["state", "introduced", "introduced_at", "lead"])
    name_advocate(person=referral.referrer, by=by, at=at)
    events.record(
        EventKind.REFERRAL_INTRODUCED,
        subject=referral,
        by=by,
        at=at,
        person=referral.referrer,
        deal=referral.deal,
        lead=received.lead,
        new={"introduced": str(known)},
    )
    return received.lead


def meet(*, referral: Referral, by: User, at: datetime) -> Referral:
    """We have met the person who was introduced."""
    return _go_on(referral, ReferralState.MET, by, at)


def lose(*, referral: Referral, by: User, at: datetime) -> Referral:
    """It led to no order. Refuses while the deal that came of it is open: that deal decides."""
    if Deal.objects.open().filter(lead__referral=referral).exists():
        raise Refused(_("The deal that came of it is still open. Win or lose that deal; the referral follows."))
    return _go_on(referral, ReferralState.LOST, by, at)


def refuse(*, referral: Referral, by: User, at: datetime) -> Referral:
    """They would rather not; that is a good answer too, and we stop asking."""
    return _go_on(referral, ReferralState.REFUSED, by, at)


def lapse(*, referral: Referral, by: User, at: datetime) -> Referral:
    """The promise came to nothing."""
    return _go_on(referral, ReferralState.LAPSED, by, at)


@transaction.atomic
def thank(*, referral: Referral, by: User, at: datetime) -> Referral:
    """We thanked the referrer and told them how it went. Refuses before it is known how it went. Thanking twice is remembered once."""
    referral = _locked(referral)
    if referral.state == ReferralState.THANKED:
        return referral
    _move(referral, ReferralState.THANKED)
    referral.thanked_at = at
    referral.save(update_fields=["state", "thanked_at"])
    events.record(
        EventKind.REFERRAL_THANKED, subject=referral, by=by, at=at, person=referral.referrer, lead=referral.lead
    )
    return referral


@transaction.atomic
def settle(*, lead: Lead | None, is_won: bool, by: User | None, at: datetime) -> None:
    """The referral that led to this lead (when one did) is won or not won. An order wins it also after we had given it up; nothing happens when
    there is none, or its giver has been thanked."""
    if (referral := _of(lead)) is None:
        return
    if is_won and ReferralState.WON in REFERRAL_MOVES[referral.state]:
        _go_on(referral, ReferralState.WON, by, at)
    elif not is_won and referral.state in (ReferralState.INTRODUCED, ReferralState.MET):
        _go_on(referral, ReferralState.LOST, by, at)


@transaction.atomic
def resume(*, lead: Lead, by: User | None, at: datetime) -> None:
    """The referral that led to this lead goes on when it had ended without an order. Nothing happens when there is none, or its giver has been
    thanked."""
    referral = _of(lead)
    if referral is not None and referral.state == ReferralState.LOST:
        _go_on(referral, ReferralState.INTRODUCED, by, at)


def _of(lead: Lead | None) -> Referral | None:
    """The referral that led to this lead, as it is now, held until the transaction ends; `None` when none did."""
    referral = Referral.objects.filter(lead=lead).first() if lead else None
    return _locked(referral) if referral else None


@transaction.atomic
def _go_on(referral: Referral, state: ReferralState, by: User | None, at: datetime) -> Referral:
    referral = _locked(referral)
    if referral.state == state:
        return referral
    old = referral.state
    _move(referral, state)
    referral.save(update_fields=["state"])
    events.record(
        EventKind.REFERRAL_MOVED,
        subject=referral,
        by=by,
        at=at,
        person=referral.referrer,
        deal=referral.deal,
        lead=referral.lead,
        old={"state": old},
        new={"state": state},
    )
    return referral


def _move(referral: Referral, state: ReferralState) -> None:
    if state not in REFERRAL_MOVES[referral.state]:
        raise Refused(
            _("This referral is %(now)s; it cannot become %(next)s.")
            % {"now": referral.get_state_display(), "next": state.label}
        )
    referral.state = state


def _locked(referral: Referral) -> Referral:
    return locks.row(Referral.objects.select_related("referrer", "deal", "lead"), referral.pk)
