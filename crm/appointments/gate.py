"""The gate before a visit: kilometres are driven to people of whom both sides said yes. A call or a video is always allowed, to get acquainted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import (
    AppointmentKind,
    Deal,
    DealState,
    Lead,
    LeadStatus,
    Organisation,
    Person,
    Verdict,
)
from crm.refusal import Refused

REASON_LENGTH = 300


class NotQualified(Refused):
    """A visit before both sides have said yes. Who gives a reason may go on; the reason is kept in the list of overrides."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A visit comes after both sides have said yes. Agree on a call or a video first, or say why you visit them now."
            )
        )


def may_visit(*, person: Person, lead: Lead | None, deal: Deal | None) -> bool:
    """Whether both sides have said yes: the lead is qualified or accepted, a deal is open or won, or they are a customer."""
    if deal is not None and deal.state in (DealState.OPEN, DealState.WON):
        return True
    if lead is not None and (lead.verdict == Verdict.QUALIFIED or lead.status == LeadStatus.ACCEPTED):
        return True
    organisation = organisation_of(person, lead, deal)
    if organisation is not None and organisation.customer_since is not None:
        return True
    return (
        Deal.objects.open().filter(person=person).exists()
        or Lead.objects.filter(person=person, verdict=Verdict.QUALIFIED).exists()
    )


def must_be_qualified(*, kind: str, person: Person, lead: Lead | None, deal: Deal | None, override: str) -> bool:
    """Whether the gate is passed by a reason only. Refuses (`NotQualified`) a visit that neither both yeses nor a reason allow."""
    if kind != AppointmentKind.VISIT or may_visit(person=person, lead=lead, deal=deal):
        return False
    if not override.strip():
        raise NotQualified
    if len(override.strip()) > REASON_LENGTH:
        raise Refused(_("Say it in at most %(count)s characters.") % {"count": REASON_LENGTH})
    return True


def organisation_of(person: Person, lead: Lead | None, deal: Deal | None) -> Organisation | None:
    """Whom the meeting is with besides the person: the deal's organisation, else the lead's, else where they work."""
    for about in (deal, lead):
        if about is not None and about.organisation is not None:
            return about.organisation
    main = person.positions.current().select_related("organisation").first()
    return main.organisation if main else None
