"""What the workers do, a few lines each: ids in, one verb, nothing out. Every task may run twice, late or not at all: the row is the truth, and the
schedule in `config/celery.py` finds again what a lost message would have told."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import KombuError

from crm import (
    assignment,
    calendars,
    digest,
    duplicates,
    follow_ups,
    handoffs,
    imports,
    mailboxes,
    merging,
    notices,
    outbox,
    pipelines,
    prospecting,
    readings,
    submissions,
)

logger = logging.getLogger(__name__)

ASKED = "kring:follow-ups-asked"
CALENDAR_EXPIRES = 9 * 60
POLL_EXPIRES = 55
"""Seconds after which the schedule asks again anyhow."""
ASKED_FOR = 60
"""Seconds after which an asked refresh that never began is asked for again."""
AWAY = (redis.RedisError, KombuError, OSError)
LEFT_ALONE = 5
"""Seconds in which a broker that hangs is not asked again."""
_hangs = {"until": 0.0}


@shared_task(ignore_result=True)
def refresh_follow_ups() -> None:
    """Every rule over all data."""
    follow_ups.refresh(at=timezone.now())


@shared_task(ignore_result=True)
def refresh_touched() -> None:
    """Every rule over what verbs touched since the last time."""
    _begun()
    follow_ups.refresh_touched(at=timezone.now())


@shared_task(ignore_result=True)
def learn_from_won_deals() -> None:
    """What is usual in each stage is what won deals say of it."""
    pipelines.learn(at=timezone.now())


@shared_task(ignore_result=True)
def propose_half_hours() -> None:
    """Whoever planned a half hour that begins within the hour has what fits in it; a clock whose page fell silent rests."""
    at = timezone.now()
    prospecting.close_silent(at=at)
    prospecting.propose_due(at=at)


@shared_task(ignore_result=True)
def take_health_reading() -> None:
    """What the pipeline's health is this morning."""
    readings.take(at=timezone.now())


@shared_task(ignore_result=True)
def find_duplicates() -> None:
    """Every pair of people or organisations that may be one is known, and nothing is left with one that was merged away."""
    merging.gather()
    duplicates.find_all(at=timezone.now())


@shared_task(ignore_result=True)
def escalate_hand_offs() -> None:
    """Every hand-off that nobody answered in time stands before those who lead."""
    handoffs.escalate_overdue(at=timezone.now())


@shared_task(ignore_result=True)
def return_untouched_leads() -> None:
    """Every lead that nobody touched for too long is everybody's again, and the follow-ups about it are looked at."""
    if assignment.return_untouched(at=timezone.now()):
        nudge_follow_ups()


@shared_task(ignore_result=True)
def send_mail() -> None:
    """Every mail whose moment has come is on its way, and who wrote one that was held back knows it."""
    outbox.send_due(at=timezone.now())
    notices.tell_of_held_mail(at=timezone.now())


@shared_task(ignore_result=True)
def forget_notices() -> None:
    """What was told three months ago is gone."""
    notices.forget_old(at=timezone.now())


@shared_task(ignore_result=True)
def send_digests() -> None:
    """Everybody whose hour it is has this morning's digest, and it is on its way."""
    if digest.send_due(at=timezone.now()):
        outbox.send_due(at=timezone.now())


@shared_task(ignore_result=True)
def expire_submissions() -> None:
    """What visitors never confirmed is marked so."""
    submissions.expire(at=timezone.now())


@shared_task(ignore_result=True)
def run_import(run_id: int) -> None:
    """A file is taken in, and the follow-ups of what it brought are looked at. Runs that are done, or in other hands, are left alone."""
    imports.run(run_id=run_id, at=timezone.now())
    nudge_follow_ups()


@shared_task(ignore_result=True)
def resume_imports() -> None:
    """Runs whose worker died, or whose message was lost, are asked for again."""
    for run_id in imports.abandoned(at=timezone.now()):
        run_import.delay(run_id)


@shared_task(ignore_result=True)
def poll_mailboxes() -> None:
    """Each mailbox that is due is asked for, by a message of its own: a slow server keeps nobody else waiting."""
    for mailbox_id in mailboxes.due(at=timezone.now()):
        poll_mailbox.apply_async((mailbox_id,), expires=POLL_EXPIRES)


@shared_task(ignore_result=True, soft_time_limit=3 * 60, time_limit=4 * 60)
def poll_mailbox(mailbox_id: int) -> None:
    """What is new in one mailbox is taken in, and the follow-ups of what it brought are looked at."""
    polled = mailboxes.poll(mailbox_id=mailbox_id, at=timezone.now())
    if polled.number:
        nudge_follow_ups()
    if polled.has_more:
        poll_mailbox.apply_async((mailbox_id,), expires=POLL_EXPIRES)


@shared_task(ignore_result=True)
def refresh_calendars() -> None:
    """Each calendar elsewhere that is due is asked for, by a message of its own: a slow server keeps nobody else waiting."""
    for calendar_id in calendars.due(at=timezone.now()):
        refresh_calendar.apply_async((calendar_id,), expires=CALENDAR_EXPIRES)


@shared_task(ignore_result=True, soft_time_limit=3 * 60, time_limit=4 * 60)
def refresh_calendar(calendar_id: int) -> None:
    """When the owner of one calendar is busy, as it says now."""
    calendars.refresh(calendar_id=calendar_id, at=timezone.now())


def ask_to_poll(mailbox_id: int) -> None:
    """Have a mailbox looked into once the transaction is through. When the broker is away, the schedule comes by within a minute."""
    transaction.on_commit(lambda: ask_to_poll_now(mailbox_id))


def ask_to_poll_now(mailbox_id: int) -> None:
    """The same for whoever has no transaction, and no database."""
    ask(poll_mailbox, mailbox_id, expires=POLL_EXPIRES)


def ask(task: Any, *args: Any, **options: Any) -> None:
    """Have a worker do this soon. A broker that is away breaks nothing, since the schedule finds the work, and keeps nobody waiting for longer than
    a second."""
    try:
        with _broker() as broker:
            broker.ping()
        task.apply_async(args, **options)
    except AWAY as error:
        logger.warning("The broker is away (%s); %s waits for the schedule", error, task.name)


def nudge_follow_ups() -> None:
    """A door has changed something: have the follow-ups of what was touched looked at once the transaction is through.

    As long as one look is asked for and has not begun, another adds nothing, since it would see the same rows. A broker that is away costs nothing
    but freshness: what was touched is a row, and the schedule comes by every minute.
    """
    transaction.on_commit(_ask)


def _ask() -> None:
    try:
        if _first_to_ask():
            refresh_touched.delay()
    except AWAY as error:
        logger.warning("The broker is away (%s); the follow-ups wait for the schedule", error)


@contextmanager
def _broker() -> Iterator[redis.Redis]:
    """The broker, asked for a second at most. One that hung a moment ago is not asked again so soon: a page that has three things to tell it would
    wait three times."""
    if time.monotonic() < _hangs["until"]:
        raise redis.TimeoutError("it did not answer a moment ago")
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as broker:
            yield broker
    except redis.TimeoutError:
        _hangs["until"] = time.monotonic() + LEFT_ALONE
        raise


def _first_to_ask() -> bool:
    with _broker() as broker:
        return bool(broker.set(ASKED, "1", nx=True, ex=ASKED_FOR))


def _begun() -> None:
    """From here on the rows are read, so what is asked now needs a refresh of its own."""
    try:
        with _broker() as broker:
            broker.delete(ASKED)
    except AWAY as error:
        logger.warning("The broker is away (%s)", error)
