"""The private address at which somebody's own calendar reads what is agreed here. Whoever has it reads along, so it can be renewed and revoked."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm import events
from crm.channels import calendar
from crm.channels.calendar import Entry
from crm.models import Appointment, AppointmentState, EventKind, User

BACK = timedelta(days=30)
AHEAD = timedelta(days=180)
CANCELLED_FOR = timedelta(days=30)
"""So long what was called off is shown as such: a calendar that was away for a while still hears of it."""
MOST = 2000


@transaction.atomic
def renew_feed(*, user: User, at: datetime) -> str:
    """There is an address for this user's feed, and the one before (if any) leads nowhere. Returns its key."""
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    had_one = user.feed_key is not None
    user.feed_key = secrets.token_urlsafe(32)
    user.save(update_fields=["feed_key"])
    events.record(EventKind.FEED_CHANGED, subject=user, by=user, at=at, new={"done": "renewed" if had_one else "made"})
    return user.feed_key


@transaction.atomic
def revoke_feed(*, user: User, at: datetime) -> None:
    """The address leads nowhere any more. Twice is once."""
    if User.objects.filter(pk=user.pk, feed_key__isnull=False).update(feed_key=None):
        events.record(EventKind.FEED_CHANGED, subject=user, by=user, at=at, new={"done": "revoked"})


def feed_of(user: User, *, at: datetime) -> str:
    """Their appointments of the last thirty days and the next hundred and eighty as a calendar, in their language."""
    rows = (
        Appointment.objects.filter(user=user, starts_at__gte=at - BACK, starts_at__lte=at + AHEAD)
        .filter(~Q(state=AppointmentState.CANCELLED) | Q(state_at__gte=at - CANCELLED_FOR))
        .select_related("person", "organisation", "lead")
        .order_by("starts_at", "pk")[:MOST]
    )
    with translation.override(user.language):
        name = _("Appointments of %(name)s") % {"name": user}
        return calendar.feed([_entry(row) for row in rows], name=name, zone=user.time_zone)


def _entry(row: Appointment) -> Entry:
    with_whom = f"{row.person}, {row.organisation}" if row.organisation else str(row.person)
    path = reverse("crm:lead", args=[row.lead_id]) if row.lead_id else reverse("crm:appointment", args=[row.pk])
    link = settings.SITE_URL + path
    said = [row.get_kind_display().capitalize(), row.note, link]
    return Entry(
        uid=row.uid,
        sequence=row.sequence,
        subject=f"{row.subject} ({with_whom})",
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        changed_at=row.state_at,
        place=row.place,
        words="\n\n".join(filter(None, said)),
        link=link,
        is_cancelled=row.state == AppointmentState.CANCELLED,
    )
