"""Who is due for a digest at this moment, and the claim by which each gets it once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import IntegrityError, transaction

from crm import outbox
from crm.clock import day_start, is_working_day
from crm.digest.letter import write
from crm.models import Absence, Digest, User

LATEST = timedelta(hours=3)
"""So long after its hour a digest may still come; later the morning is over."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Due:
    """A colleague whose hour has come, the day that it is for them, and until when their digest may come."""

    user: User
    day: date
    until: datetime


def send_due(*, at: datetime) -> int:
    """Everybody who is due has a row for their day, and a mail on its way when there is something to tell. What goes wrong for one is logged, is
    tried again by the next run, and stops nobody else. Returns how many mails were put."""
    return sum(_put(each, at) for each in due(at))


def due(at: datetime) -> list[Due]:
    """Active colleagues who want a digest, on a working day of theirs on which they are not away, from their hour until three hours later (or the
    end of their day), whose row for that day nobody has made. Three queries."""
    users = list(
        User.objects.active().filter(gets_digest=True, email__isnull=False).select_related("team").order_by("id")
    )
    mornings = [Due(user, at.astimezone(user.zone).date(), _until(user, at)) for user in users]
    mornings = [each for each in mornings if _hour(each.user, each.day) <= at < each.until]
    mornings = [each for each in mornings if is_working_day(each.day, each.user.calendar)]
    if not mornings:
        return []
    days = {each.day for each in mornings}
    made = set(Digest.objects.filter(day__in=days).values_list("user", "day"))
    near = Absence.objects.filter(starts_on__lte=max(days), ends_on__gte=min(days))
    absences = list(near.values_list("user", "starts_on", "ends_on"))
    away = {(user, day) for user, first, last in absences for day in days if first <= day <= last}
    return [each for each in mornings if (each.user.pk, each.day) not in made | away]


def _hour(user: User, day: date) -> datetime:
    """The moment of their hour on that day. In UTC, so that hours added to it are hours also when the clock changes."""
    return datetime.combine(day, user.digest_at, tzinfo=user.zone).astimezone(UTC)


def _until(user: User, at: datetime) -> datetime:
    day = at.astimezone(user.zone).date()
    return min(_hour(user, day) + LATEST, day_start(day + timedelta(days=1), user.zone))


def _put(each: Due, at: datetime) -> bool:
    try:
        with transaction.atomic():
            digest = _claim(each, at)
            letter = write(each.user, each.day, at) if digest else None
            if digest is None or letter is None:
                return False
            assert each.user.email
            digest.mail = outbox.put(
                to=each.user.email, subject=letter.subject, body=letter.body, by=None, at=at, not_after=each.until
            )
            digest.save(update_fields=["mail"])
    except Exception as error:
        # One odd row must not cost everybody else their morning. What an error says may hold words about customers, which belong in no log.
        logger.error("the digest of user %s was not written: %s", each.user.pk, type(error).__name__)
        return False
    return True


def _claim(each: Due, at: datetime) -> Digest | None:
    """The row, unless another worker has made it. One that is at it is waited for."""
    try:
        with transaction.atomic():
            return Digest.objects.create(user=each.user, day=each.day, claimed_at=at)
    except IntegrityError:
        return None
