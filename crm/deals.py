"""Open a deal, move it, keep its next step dated, and end it once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm import advocacy, conversations, events, locks, overrides
from crm.models import (
    Deal,
    DealState,
    EventKind,
    Gate,
    Lead,
    LostReason,
    Organisation,
    Person,
    Stage,
    StageChange,
    User,
    Verdict,
)
from crm.refusal import Refused

VIEW_FIELDS = frozenset(
    {
        "name",
        "product",
        "buyer_amount",
        "buyer_date",
        "buyer_words",
        "seller_amount",
        "seller_date",
        "seller_probability",
        "currency",
    }
)
"""What `change` may change: the buyer's and the seller's view, and what the deal is about."""


class NotQualified(Refused):
    """A deal before both sides have said yes. Who gives a reason may go on; the reason stands in the list of overrides."""


@transaction.atomic
def open(  # noqa: A001 - the module is called qualified: `deals.open`
    *,
    name: str,
    stage: Stage,
    owner: User,
    next_step: str,
    next_step_on: date,
    by: User,
    at: datetime,
    lead: Lead | None = None,
    organisation: Organisation | None = None,
    person: Person | None = None,
    sdr: User | None = None,
    override: str = "",
    **views: Any,
) -> Deal:
    """The deal is open, with a dated next step. Before both sides have said yes (`may_open`) it refuses (`NotQualified`), or with `override` keeps
    that reason in the list of overrides. Refuses a step without words or in the past, and raises `TypeError` for a field that is no view."""
    if unknown := views.keys() - VIEW_FIELDS:
        raise TypeError(f"a deal is not opened with {', '.join(sorted(unknown))}")
    is_early = not may_open(lead=lead, organisation=organisation, person=person)
    if is_early and not override.strip():
        raise NotQualified(
            _("Only a customer gets a deal without a lead. Start with a lead, so that both sides can say yes first.")
            if lead is None
            else _("There is no deal before both sides have said yes: qualify the lead first.")
        )
    if not name.strip():
        raise Refused(_("A deal needs a name."))
    _check_step(next_step, next_step_on, by, at)
    deal = Deal.objects.create(
        name=name.strip(),
        lead=lead,
        organisation=organisation or (lead.organisation if lead else None),
        person=person or (lead.person if lead else None),
        owner=owner,
        sdr=sdr or (lead.owner if lead else None),
        stage=stage,
        next_step=next_step.strip(),
        next_step_on=next_step_on,
        opened_at=at,
        **views,
    )
    if lead is not None:
        # What was said on the lead was said on the deal. What is being logged on it at this moment waits for us, or we for it.
        locks.row(Lead.objects.all(), lead.pk)
        conversations.recompute(deals=[deal.pk])
        deal.refresh_from_db(fields=["last_contact_at", "last_contact", "last_reply_at", "last_reply"])
    StageChange.objects.create(deal=deal, to_stage=stage, at=at, by=by)
    events.record(
        EventKind.DEAL_OPENED, subject=deal, by=by, at=at, lead=lead, new={"name": deal.name, "stage": stage.name}
    )
    if is_early:
        overrides.record(gate=Gate.DEAL, why=override, by=by, at=at, lead=lead, deal=deal)
    return deal


def may_open(*, lead: Lead | None, organisation: Organisation | None, person: Person | None) -> bool:
    """Whether both sides have said yes: the lead is qualified, or the person or their organisation is a customer, has a deal that is open or won, or
    has a lead that is qualified."""
    if lead is not None and lead.verdict == Verdict.QUALIFIED:
        return True
    organisation = organisation or (lead.organisation if lead else None)
    person = person or (lead.person if lead else None)
    if organisation is not None and organisation.customer_since is not None:
        return True
    whose = Q()
    if organisation is not None:
        whose |= Q(organisation=organisation)
    if person is not None:
        whose |= Q(person=person)
    if not whose:
        return False
    return (
        Deal.objects.filter(whose, state__in=(DealState.OPEN, DealState.WON)).exists()
        or Lead.objects.filter(whose, verdict=Verdict.QUALIFIED).exists()
    )


@transaction.atomic
def move(*, deal: Deal, to: Stage, by: User, at: datetime) -> Deal:
    """The deal stands in another stage of its pipeline, and the move is a row of its history. Moving to where it stands changes nothing.

    Refuses a deal that is won or lost, and a stage of another pipeline.
    """
    deal = _locked(deal)
    _must_be_open(deal)
    if to.pipeline_id != deal.stage.pipeline_id:
        raise Refused(_("This stage belongs to another pipeline."))
    if to.pk != deal.stage_id:
        old, deal.stage = deal.stage, to
        deal.save(update_fields=["stage"])
        StageChange.objects.create(deal=deal, from_stage=old, to_stage=to, at=at, by=by)
        events.record(EventKind.DEAL_MOVED, subject=deal, by=by, at=at, old={"stage": old.name}, new={"stage": to.name})
    return deal


@transaction.atomic
def set_step(*, deal: Deal, next_step: str, next_step_on: date, by: User, at: datetime) -> Deal:
    """The deal has this dated next step. Refuses a closed deal, and a step without words or in the past."""
    deal = _locked(deal)
    _must_be_open(deal)
    _check_step(next_step, next_step_on, by, at)
    old = {"next_step": deal.next_step, "next_step_on": deal.next_step_on}
    deal.next_step, deal.next_step_on = next_step.strip(), next_step_on
    deal.save(update_fields=["next_step", "next_step_on"])
    events.record(
        EventKind.DEAL_STEP_SET,
        subject=deal,
        by=by,
        at=at,
        old=old,
        new={"next_step": deal.next_step, "next_step_on": next_step_on},
    )
    return deal


@transaction.atomic
def change(*, deal: Deal, by: User, at: datetime, **fields: Any) -> Deal:
    """What the buyer said, what the seller thinks, and whose deal it is, is so now; old and new stand in the history.

    Refuses a closed deal, an empty name, and an owner who cannot log in any more. Raises `TypeError` for a field outside `VIEW_FIELDS` and the
    owner.
    """
    if unknown := fields.keys() - VIEW_FIELDS - {"owner"}:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))}")
    deal = _locked(deal)
    _must_be_open(deal)
    if not str(fields.get("name", deal.name)).strip():
        raise Refused(_("A deal needs a name."))
    changed = {name for name, value in fields.items() if getattr(deal, name) != value}
    if "owner" in changed and (fields["owner"] is None or not fields["owner"].is_active):
        raise Refused(_("Choose somebody who can log in as the owner of this deal."))
    if changed:
        old = {name: events.readable(getattr(deal, name)) for name in changed}
        for name in changed:
            setattr(deal, name, fields[name])
        deal.save(update_fields=sorted(changed))
        new = {name: events.readable(fields[name]) for name in changed}
        events.record(EventKind.DEAL_CHANGED, subject=deal, by=by, at=at, old=old, new=new)
    return deal


@transaction.atomic
def win(*, deal: Deal, by: User, at: datetime) -> Deal:
    """The deal is won, its organisation is a customer, and a referral that led to it is won too. Twice won is won once; a lost deal is refused."""
    deal = _locked(deal)
    if deal.state == DealState.WON:
        return deal
    _must_be_open(deal)
    _end(deal, DealState.WON, by, at, won_at=at)
    if deal.organisation_id:
        Organisation.objects.filter(pk=deal.organisation_id, customer_since__isnull=True).update(customer_since=at)
    events.record(
        EventKind.DEAL_WON,
        subject=deal,
        by=by,
        at=at,
        new={
            "amount": deal.seller_amount if deal.buyer_amount is None else deal.buyer_amount,
            "currency": deal.currency,
        },
    )
    advocacy.settle(lead=deal.lead, is_won=True, by=by, at=at)
    return deal


@transaction.atomic
def lose(*, deal: Deal, reason: LostReason | str, by: User, at: datetime, note: str = "") -> Deal:
    """The deal is lost, for a reason from which we learn. Twice lost is lost once; a won deal is refused."""
    deal = _locked(deal)
    if reason not in LostReason.values:
        raise Refused(_("Choose why it was lost: we want to learn from it."))
    if deal.state == DealState.LOST:
        return deal
    _must_be_open(deal)
    _end(deal, DealState.LOST, by, at, lost_at=at, lost_reason=reason, lost_note=note.strip())
    events.record(EventKind.DEAL_LOST, subject=deal, by=by, at=at, new={"reason": reason, "note": note})
    advocacy.settle(lead=deal.lead, is_won=False, by=by, at=at)
    return deal


def _end(deal: Deal, state: DealState, by: User, at: datetime, **fields: Any) -> None:
    deal.state = state
    for name, value in fields.items():
        setattr(deal, name, value)
    deal.save(update_fields=["state", *fields])
    StageChange.objects.create(deal=deal, from_stage=deal.stage, to_stage=deal.stage, to_state=state, at=at, by=by)


def _check_step(next_step: str, next_step_on: date | None, by: User, at: datetime) -> None:
    if not next_step.strip() or next_step_on is None:
        raise Refused(_("An open deal always has a next step with a date. What did you both agree?"))
    if next_step_on < at.astimezone(by.zone).date():
        raise Refused(_("The next step lies in the past. Choose today or later."))


def _must_be_open(deal: Deal) -> None:
    if not deal.is_open:
        raise Refused(_("This deal is %(state)s already and stays so.") % {"state": deal.get_state_display()})


def _locked(deal: Deal) -> Deal:
    rows: QuerySet[Deal] = Deal.objects.select_related("stage", "organisation", "person", "lead", "owner")
    return locks.row(rows, deal.pk)
