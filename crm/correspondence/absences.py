"""An absence message says until when somebody is away: whoever opens their page may leave them in peace until then."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from crm import locks, people
from crm.models import MailMessage, MessageState, Person, User


def waiting_absence(person: Person, today: date) -> MailMessage | None:
    """The newest absence message of this person that nobody has answered, while they are away and no *not before* already reaches as far."""
    message = (
        MailMessage.objects.filter(conversation__people=person, state=MessageState.TAKEN, away_until__gte=today)
        .filter(away_answered_at__isnull=True)
        .defer("raw", "text", "quoted", "html")
        .order_by("-taken_at", "-pk")
        .first()
    )
    if message is None or message.away_until is None:
        return None
    return None if person.not_before and person.not_before > message.away_until else message


@transaction.atomic
def answer_absence(*, message: MailMessage, person: Person, is_heeded: bool, by: User, at: datetime) -> None:
    """The question is answered and not asked again. When heeded, the person is left in peace until the day after their last day of absence.
    Answered twice, the first answer stands."""
    held = locks.row(MailMessage.objects.only("away_until", "away_answered_at"), message.pk)
    if held.away_answered_at is not None or held.away_until is None:
        return
    held.away_answered_at = at
    held.save(update_fields=["away_answered_at"])
    if is_heeded:
        people.set_not_before(
            person=person,
            until=held.away_until + timedelta(days=1),
            by=by,
            at=at,
            why=_("Away, as their absence message says"),
        )
