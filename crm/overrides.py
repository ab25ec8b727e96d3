"""Remember who went past a gate, and why. Going on before both sides said yes is allowed; doing so without a reason is not."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events
from crm.models import Appointment, Deal, EventKind, Gate, Lead, Override, User
from crm.refusal import Refused

WHY_LENGTH = 300


@transaction.atomic
def record(
    *,
    gate: Gate,
    why: str,
    by: User,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    appointment: Appointment | None = None,
) -> Override:
    """That `by` went past this gate stands in the list of overrides and on the timelines, with the reason. Refuses one without a reason, and one
    longer than a line. What it was for is a lead, a deal or an appointment, or several of them; with none of them there was no gate (`TypeError`).
    """
    if lead is None and deal is None and appointment is None:
        raise TypeError("an override is about a lead, a deal or an appointment")
    why = why.replace("\x00", "").strip()
    if not why:
        raise Refused(_("Say why you go on before both sides have said yes."))
    if len(why) > WHY_LENGTH:
        raise Refused(_("Say it in at most %(count)s characters.") % {"count": WHY_LENGTH})
    row = Override.objects.create(gate=gate, why=why, by=by, at=at, lead=lead, deal=deal, appointment=appointment)
    about = lead or deal or appointment
    events.record(
        EventKind.GATE_OVERRIDDEN,
        subject=row,
        by=by,
        at=at,
        lead=lead,
        deal=deal,
        person=getattr(about, "person", None),
        organisation=getattr(about, "organisation", None),
        new={"gate": gate, "why": why},
    )
    return row
