"""Read calendars elsewhere anew. Each is claimed before it is asked, so two workers never read one together; what it said before stays until it has
said something new, and what goes wrong stands in its row until it goes well again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from crm.calendars.looking import busy
from crm.channels.calendar.busy import Stretch
from crm.channels.fetching import CannotFetch
from crm.models import BusyTime, ExternalCalendar

CLAIM = timedelta(minutes=5)
"""A worker that has not come back for so long is taken for dead."""
WITHIN = 60.0
LONGEST_BACKOFF = timedelta(hours=6)

log = logging.getLogger(__name__)


def due(*, at: datetime) -> list[int]:
    """The calendars to read now, those first that wait longest. Nobody's who left."""
    rows = ExternalCalendar.objects.due(at).filter(user__is_active=True)
    return list(rows.order_by("checked_at", "pk").values_list("pk", flat=True))


def read_now(*, calendar: ExternalCalendar) -> None:
    """One that is asked less often, since it went wrong, is due again."""
    ExternalCalendar.objects.filter(pk=calendar.pk).exclude(failure="").update(claimed_until=None)


def refresh(*, calendar_id: int, at: datetime) -> bool:
    """When its owner is busy from `at` on is what their calendar says now. Nothing happens when it is gone, in other hands, or not due. Where it
    cannot be read, what it said before stays, and it is asked again, ever less often. Returns whether it was read."""
    until = at + CLAIM
    if not ExternalCalendar.objects.due(at).filter(pk=calendar_id).update(claimed_until=until):
        return False
    row = ExternalCalendar.objects.select_related("user").get(pk=calendar_id)
    try:
        found = busy(row, at=at, within=WITHIN)
    except CannotFetch as trouble:
        log.warning("calendar %s cannot be read: %s", calendar_id, trouble.trouble.value)
        _failed(row, trouble, until, at)
        return False
    except BaseException:
        ExternalCalendar.objects.filter(pk=calendar_id, claimed_until=until).update(claimed_until=None)
        raise
    return _read(row, found, until, at)


@transaction.atomic
def _read(row: ExternalCalendar, found: list[Stretch], until: datetime, at: datetime) -> bool:
    held = ExternalCalendar.objects.select_for_update(of=("self",)).filter(pk=row.pk, claimed_until=until)
    if not held.exists():  # Changed or disconnected meanwhile.
        return False
    store(row, found)
    held.update(checked_at=at, failure="", failing_since=None, claimed_until=None)
    return True


def store(row: ExternalCalendar, found: list[Stretch]) -> None:
    """These stretches and no others. Needs a transaction that holds the row."""
    BusyTime.objects.filter(calendar=row).delete()
    BusyTime.objects.bulk_create(
        [BusyTime(calendar=row, starts_at=first, ends_at=last) for first, last in found], batch_size=1000
    )


def _failed(row: ExternalCalendar, trouble: CannotFetch, until: datetime, at: datetime) -> None:
    since = row.failing_since or at
    wait = min(at - since, LONGEST_BACKOFF)
    ExternalCalendar.objects.filter(pk=row.pk, claimed_until=until).update(
        failure=str(trouble)[:300], failing_since=since, claimed_until=at + wait if wait else None
    )
