"""Tell the workers that there is something to do, once the transaction is through. A nudge may be lost: the row is the truth and a sweep finds it,
so a broker that is away is logged and never breaks a page."""

from __future__ import annotations

import logging

from django.db import transaction
from kombu.exceptions import KombuError
from redis import RedisError

from crm import tasks

logger = logging.getLogger(__name__)


def follow_ups() -> None:
    """Something changed: have the follow-ups of what was touched looked at."""
    tasks.nudge_follow_ups()


def mail() -> None:
    """A mail was put into the outbox: have it sent now and not only by the next sweep."""
    transaction.on_commit(_send_mail)


def _send_mail() -> None:
    try:
        tasks.send_mail.delay()
    except (RedisError, KombuError, OSError) as error:
        logger.warning("The broker is away (%s); the mail waits for the schedule", error)


def run_import(run_id: int) -> None:
    """A file waits to be taken in."""
    transaction.on_commit(lambda: _run_import(run_id))


def _run_import(run_id: int) -> None:
    try:
        tasks.run_import.delay(run_id)
    except (RedisError, KombuError, OSError) as error:
        logger.warning("The broker is away (%s); import %s waits for the schedule", error, run_id)


def mailbox(mailbox_id: int) -> None:
    """A mailbox is to be looked into now and not only by the next sweep."""
    tasks.ask_to_poll(mailbox_id)


def calendar(calendar_id: int) -> None:
    """A calendar elsewhere is to be read now and not only by the next sweep."""
    transaction.on_commit(lambda: _refresh_calendar(calendar_id))


def _refresh_calendar(calendar_id: int) -> None:
    try:
        tasks.refresh_calendar.delay(calendar_id)
    except (RedisError, KombuError, OSError) as error:
        logger.warning("The broker is away (%s); calendar %s waits for the schedule", error, calendar_id)
