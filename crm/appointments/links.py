"""The link by which a prospect chooses a time: made, revoked, used. Whoever has it may book one appointment, and move or cancel that one."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from crm import events, locks
from crm.appointments.booking import book
from crm.appointments.fitting_in import LONGEST, LONGEST_TRAVEL, SHORTEST
from crm.appointments.gate import may_visit, must_be_qualified
from crm.models import (
    Appointment,
    AppointmentKind,
    AppointmentState,
    BookingLink,
    Deal,
    EventKind,
    Language,
    Lead,
    Person,
    User,
)
from crm.notation import one_line
from crm.refusal import Refused

VALID = timedelta(days=14)
"""Two weeks: a holiday long, and short enough that what it offers is still meant."""

MOST_CHANGES = 20
"""So often somebody may book, move and cancel by one link. Each is a mail to both and a notice: who goes on after that wants no appointment."""


class LinkClosed(Refused):
    """The link books nothing any more: used, revoked or too old."""


@transaction.atomic
def offer_link(
    *,
    user: User,
    person: Person,
    kind: AppointmentKind | str,
    minutes: int,
    subject: str,
    by: User,
    at: datetime,
    lead: Lead | None = None,
    deal: Deal | None = None,
    place: str = "",
    travel_minutes: int = 0,
    override: str = "",
) -> BookingLink:
    """There is a link by which this person can choose a time with `user`, for two weeks, in their language.

    Refuses a host who cannot log in, a length that is none, and (`NotQualified`) a visit before both sides said yes without a reason; the reason is
    kept as an override when the link is used.
    """
    if kind not in AppointmentKind.values:
        raise Refused(_("Choose how you meet: by phone, by video or at their place."))
    subject = one_line(subject, 200)
    if not subject:
        raise Refused(_("Say what the appointment is about."))
    if not SHORTEST <= minutes <= LONGEST:
        raise Refused(
            _("An appointment takes between %(least)d and %(most)d minutes.") % {"least": SHORTEST, "most": LONGEST}
        )
    if not 0 <= travel_minutes <= LONGEST_TRAVEL:
        raise Refused(_("Give the minutes of travel, one way, up to %(most)d.") % {"most": LONGEST_TRAVEL})
    if not user.is_active:
        raise Refused(_("%(name)s does not work here any more. Choose another colleague.") % {"name": user})
    passes_gate = must_be_qualified(kind=kind, person=person, lead=lead, deal=deal, override=override)
    link = BookingLink.objects.create(
        token=secrets.token_urlsafe(24),
        user=user,
        person=person,
        lead=lead,
        deal=deal,
        kind=kind,
        minutes=minutes,
        subject=subject,
        place=one_line(place, 300),
        travel_minutes=travel_minutes if kind == AppointmentKind.VISIT else 0,
        language=person.language if person.language in Language.values else settings.LANGUAGE_CODE,
        made_by=by,
        made_at=at,
        expires_at=at + VALID,
        override=override.strip() if passes_gate else "",
    )
    _record(EventKind.BOOKING_OFFERED, link, by=by, at=at)
    return link


@transaction.atomic
def revoke_link(*, link: BookingLink, by: User, at: datetime) -> BookingLink:
    """Nothing can be booked, moved or cancelled by this link any more; what was booked stays. Revoking it twice changes nothing."""
    link = _locked(link)
    if link.revoked_at is None:
        link.revoked_at = at
        link.save(update_fields=["revoked_at"])
        _record(EventKind.BOOKING_REVOKED, link, by=by, at=at)
    return link


@transaction.atomic
def book_by_link(
    *, link: BookingLink, starts_at: datetime, at: datetime, note: str = "", time_zone: str = ""
) -> Appointment:
    """The prospect has this time. The same time again is the same appointment, so a form that is sent twice books once. Refuses (`LinkClosed`) a link
    that is used, revoked or too old, and (`Taken`) a time that is not free any more."""
    link = _locked(link)
    # Times that the clock shows twice equal no other in Python unless both are in UTC (PEP 495).
    starts_at = starts_at.astimezone(UTC)
    standing = link.appointments.standing().order_by("-pk").first()
    if standing is not None and standing.state == AppointmentState.BOOKED and standing.starts_at == starts_at:
        return standing
    if standing is not None:
        raise LinkClosed(_("You have an appointment by this link already. You can move it or cancel it."))
    if not link.is_open(at):
        raise LinkClosed(_("This link is not valid any more. Ask for a new one, it is made in a moment."))
    if not may_offer(link):
        raise LinkClosed(_("This link is not valid any more. Ask for a new one, it is made in a moment."))
    return book(
        user=link.user,
        person=link.person,
        kind=link.kind,
        starts_at=starts_at,
        minutes=link.minutes,
        subject=link.subject,
        by=None,
        at=at,
        lead=link.lead,
        deal=link.deal,
        place=link.place,
        note=note,
        travel_minutes=link.travel_minutes,
        distance_km=link.lead.distance_km if link.lead else None,
        time_zone=time_zone if time_zone in available_timezones() else "",
        link=link,
        override=link.override,
    )


def may_offer(link: BookingLink) -> bool:
    """Whether what the link offers may still be had: no visit to somebody who is not qualified any more, unless a reason went with it; no meeting
    with somebody who left; and nothing by a link that is worn out."""
    if is_worn_out(link):
        return False
    gate_is_open = bool(link.override) or may_visit(person=link.person, lead=link.lead, deal=link.deal)
    return link.user.is_active and (link.kind != AppointmentKind.VISIT or gate_is_open)


def is_worn_out(link: BookingLink) -> bool:
    """Whether more was changed by it than anybody needs; whoever still wants something writes to the host."""
    changes = link.appointments.aggregate(number=Count("pk"), moves=Coalesce(Sum("sequence"), 0))
    return bool(changes["number"] + changes["moves"] >= MOST_CHANGES)


def _locked(link: BookingLink) -> BookingLink:
    return locks.row(BookingLink.objects.select_related("user__team", "person", "lead", "deal", "made_by"), link.pk)


def _record(kind: EventKind, link: BookingLink, *, by: User, at: datetime) -> None:
    new = {"subject": link.subject, "kind": str(link.kind), "with": str(link.user), "until": link.expires_at}
    events.record(
        kind,
        subject=link,
        by=by,
        at=at,
        new={**new, "why": link.override} if link.override else new,
        person=link.person,
        lead=link.lead,
        deal=link.deal,
    )
