"""Tell both who meet, by mail with an invitation that their calendars understand: that it is agreed, that it moved, that it is called off.

The prospect is invited by the host: answers of their calendar go to the host's mailbox, which Kring reads. The host is invited by whoever arranged
it, or by Kring, since no calendar takes in an invitation from its own owner. Both copies carry one UID, and a reply says by its address whose it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm import outbox, wording
from crm.appointments import letters
from crm.channels import calendar
from crm.channels.calendar import Guest, Meeting
from crm.models import Appointment, AppointmentKind, AttendeeAnswer, Mailbox, User
from crm.refusal import Refused

PARTSTAT: dict[str, str] = {
    AttendeeAnswer.NONE: "NEEDS-ACTION",
    AttendeeAnswer.ACCEPTED: "ACCEPTED",
    AttendeeAnswer.TENTATIVE: "TENTATIVE",
    AttendeeAnswer.DECLINED: "DECLINED",
}
Written = Callable[..., str]


def invite(appointment: Appointment, *, at: datetime) -> None:
    """Both have the invitation on its way. A prospect without an e-mail address, or who asked us not to write, has none: then `invited_at` is empty,
    and the appointment says so."""
    _tell_person("invite", appointment, calendar.invitation, at=at)
    _tell_host("invite", appointment, calendar.invitation, at=at)


def update(appointment: Appointment, *, at: datetime) -> None:
    """Both have the new time on its way, under the same UID and the sequence that the appointment has now. `invited_at` says whether the prospect
    could be told."""
    _tell_person("update" if appointment.invited_at else "invite", appointment, calendar.invitation, at=at)
    _tell_host("update", appointment, calendar.invitation, at=at)


def withdraw(appointment: Appointment, *, at: datetime) -> None:
    """Both have on its way that it is called off; a prospect who was never invited hears nothing."""
    if appointment.invited_at:
        _tell_person("withdraw", appointment, calendar.cancellation, at=at)
    _tell_host("withdraw", appointment, calendar.cancellation, at=at)


def arranger(appointment: Appointment) -> User:
    """Who made the appointment: a colleague, or who gave the link by which the prospect made it."""
    return appointment.booked_by or (appointment.link.made_by if appointment.link else appointment.user)


def addresses_of(user: User) -> set[str]:
    """Every address from which a calendar of this colleague answers."""
    boxes = Mailbox.objects.filter(owner=user).values_list("address", flat=True)
    return {address.lower() for address in (user.email, *boxes) if address}


# ── To the prospect ──────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_person(act: str, appointment: Appointment, written: Written, *, at: datetime) -> None:
    """Mail to somebody outside passes the guard: both agreed, so it is never too soon, but *never* stays never."""
    address = _address(appointment)
    sender = appointment.booked_by or appointment.user
    language = appointment.link.language if appointment.link else wording.language_of(appointment.person)
    box = _mailbox(sender)
    url = _link(appointment)
    meeting = _meeting(
        appointment,
        zone=appointment.time_zone,
        organizer=Guest(str(appointment.user), _hears_at(appointment.user)),
        guests=(Guest(str(appointment.person), address),),
        words=letters.words(act, appointment, language=language, url=url),
        link=url,
        sent_by=(box.address if box else sender.email or "") if sender.pk != appointment.user_id else "",
    )
    told = address
    try:
        if address:
            outbox.put(
                to=address,
                subject=letters.subject(act, appointment, language),
                body=letters.letter(act, appointment, sender=sender, language=language, url=url),
                person=appointment.person,
                lead=appointment.lead,
                deal=appointment.deal,
                mailbox=box,
                calendar=written(meeting, at=at),
                calendar_method="CANCEL" if act == "withdraw" else "REQUEST",
                override=_("They agreed to meet."),
                by=sender,
                at=at,
            )
    except Refused:
        told = ""
    if act != "withdraw" and told != appointment.invited_at:
        appointment.invited_at = told
        appointment.save(update_fields=["invited_at"])


def _address(appointment: Appointment) -> str:
    """Where the first invitation went, as long as that address works; else where we write to them now."""
    known = {row.address: row for row in appointment.person.email_addresses.all()}
    first = known.get(appointment.invited_at)
    if first is not None and first.bounced_at is None:
        return first.address
    now = outbox.address_of(appointment.person)
    return now.address if now else ""


def _mailbox(user: User) -> Mailbox | None:
    """A mailbox of their own that sends."""
    boxes = Mailbox.objects.filter(owner=user, is_active=True).exclude(smtp_host="")
    return boxes.order_by("pk").first()


def _hears_at(user: User) -> str:
    """Where answers reach them: a mailbox of theirs that Kring reads, else the address by which they log in."""
    boxes = Mailbox.objects.filter(owner=user, is_active=True).order_by("pk")
    return boxes.values_list("address", flat=True).first() or user.email or ""


def _link(appointment: Appointment) -> str:
    link = appointment.link
    if link is None or link.revoked_at is not None:
        return ""
    return settings.SITE_URL + reverse("crm:book", args=[link.token])


# ── To the host ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_host(act: str, appointment: Appointment, written: Written, *, at: datetime) -> None:
    host = appointment.user
    if not host.is_active or not host.email:
        return
    by = arranger(appointment)
    is_own = by.pk == host.pk or not by.email
    ours = Guest(settings.ORGANISATION_NAME, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    own_answer = "ACCEPTED" if is_own else PARTSTAT[appointment.host_answer]
    guests = [Guest(str(host), host.email, answer=own_answer, is_asked=not is_own, is_host=True)]
    if appointment.invited_at:
        answer = PARTSTAT[appointment.answer]
        guests.append(Guest(str(appointment.person), appointment.invited_at, answer=answer, is_asked=False))
    path = _page(appointment)
    with translation.override(host.language):
        subject, body = _to_host(act, appointment)
    meeting = _meeting(
        appointment,
        zone=host.time_zone,
        organizer=ours if is_own else Guest(str(by), _hears_at(by)),
        guests=tuple(guests),
        words=body,
        link=settings.SITE_URL + path,
    )
    outbox.put(
        to=host.email,
        subject=subject,
        body=f"{body}\n\n{settings.SITE_URL}{path}",
        calendar=written(meeting, at=at),
        calendar_method="CANCEL" if act == "withdraw" else "REQUEST",
        by=None,
        at=at,
    )


def _to_host(act: str, appointment: Appointment) -> tuple[str, str]:
    values = {
        "who": appointment.person,
        "subject": appointment.subject,
        "kind": appointment.get_kind_display(),
        "where": appointment.place,
        "why": appointment.state_why,
        "when": letters.when(
            appointment.starts_at, appointment.ends_at, appointment.user.time_zone, appointment.user.language
        ),
    }
    subjects = {
        "invite": _("Appointment with %(who)s: %(subject)s"),
        "update": _("Another time with %(who)s: %(subject)s"),
        "withdraw": _("Called off with %(who)s: %(subject)s"),
    }
    who = str(appointment.person)
    if appointment.organisation:
        who = f"{who}, {appointment.organisation}"
    lines = [
        _("With: %(who)s") % {"who": who},
        _("When: %(when)s") % values,
        _("How: %(kind)s") % values,
    ]
    if appointment.place:
        lines.append(_("Where: %(where)s") % values)
    if appointment.kind == AppointmentKind.VISIT and appointment.distance_km is not None:
        lines.append(_("Kilometres there: %(distance)d") % {"distance": appointment.distance_km})
    if act == "withdraw" and appointment.state_why:
        lines.append(_("Why: %(why)s") % values)
    body = "\n".join(lines)
    if appointment.note:
        body = f"{body}\n\n{appointment.note}"
    if act == "invite" and not appointment.invited_at:
        untold = _("They have no invitation by mail, since we cannot write to them. Tell them yourself.")
        body = f"{body}\n\n{untold}"
    return subjects[act] % values, body


def _page(appointment: Appointment) -> str:
    if appointment.lead is not None:
        return reverse("crm:lead", args=[appointment.lead.pk])
    return reverse("crm:appointment", args=[appointment.pk])


def _meeting(
    appointment: Appointment,
    *,
    zone: str,
    organizer: Guest,
    guests: tuple[Guest, ...],
    words: str,
    link: str,
    sent_by: str = "",
) -> Meeting:
    return Meeting(
        uid=appointment.uid,
        sequence=appointment.sequence,
        subject=appointment.subject,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        zone=zone,
        organizer=organizer,
        guests=guests,
        place=appointment.place,
        words=words,
        link=link,
        sent_by=sent_by,
    )
