"""The timer: minutes count only while the page is open and says so, and a correction stands beside what was measured.

The page tells that it is open every `BEAT`; each beat adds the time since the last one. After a longer silence than `LONGEST_GAP` the page was
closed: nothing of the silence counts and the block is paused. Every act locks the row and counts from the one `beat_at`, so two pages at once
never count double.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, ProspectingBlock, User
from crm.refusal import Refused

BEAT = timedelta(seconds=15)
"""How often an open page tells that it is."""

LONGEST_GAP = timedelta(seconds=75)
"""The longest time between two beats that counts. Browsers let a page that stands behind another speak once a minute."""

OVER_AFTER = timedelta(hours=6)
"""A block that was begun and of which nothing was heard for so long is ended."""

MOST_MINUTES = 720


@transaction.atomic
def start(*, block: ProspectingBlock, at: datetime, by: User) -> ProspectingBlock:
    """The timer runs. Starting it while it runs is a beat; after a pause or an end it goes on with the minutes that it had. Refuses the block of
    another day, and of somebody else."""
    block = own(block, by)
    if block.day != at.astimezone(by.zone).date():
        raise Refused(_("This half hour is over. Start today's."))
    if block.is_running:
        block = _count(block, at)
    if block.is_running:
        return block
    is_begun = block.started_at is None or block.ended_at is not None
    block.started_at = block.started_at or at
    block.is_running, block.beat_at, block.ended_at = True, at, None
    block.save(update_fields=["started_at", "is_running", "beat_at", "ended_at"])
    if is_begun:
        events.record(EventKind.BLOCK_STARTED, subject=block, by=by, at=at, new={"planned": block.planned_minutes})
    return block


@transaction.atomic
def beat(*, block: ProspectingBlock, at: datetime, by: User) -> ProspectingBlock:
    """The page is open at `at`: the time since the last beat is counted. After a silence longer than `LONGEST_GAP` none of it is, and the block is
    paused. Of a block that does not run nothing changes. Refuses that of somebody else."""
    return _count(own(block, by), at)


@transaction.atomic
def pause(*, block: ProspectingBlock, at: datetime, by: User) -> ProspectingBlock:
    """The timer stands still, the time up to `at` counted. Pausing twice changes nothing. Refuses the block of somebody else."""
    block = _count(own(block, by), at)
    if block.is_running:
        block.is_running = False
        block.save(update_fields=["is_running"])
    return block


@transaction.atomic
def end(*, block: ProspectingBlock, at: datetime, by: User) -> ProspectingBlock:
    """It is over for today, the time up to `at` counted; it may be started again on the same day. Ending twice changes nothing. Refuses a block that
    was never started, and that of somebody else."""
    block = own(block, by)
    if block.started_at is None:
        raise Refused(_("This half hour has not begun. Start it, or correct its minutes."))
    if block.ended_at is not None:
        return block
    block = _count(block, at)
    block.is_running, block.ended_at = False, at
    block.save(update_fields=["is_running", "ended_at"])
    events.record(EventKind.BLOCK_ENDED, subject=block, by=by, at=at, new={"minutes": block.minutes})
    return block


@transaction.atomic
def correct(*, block: ProspectingBlock, minutes: int, by: User, at: datetime) -> ProspectingBlock:
    """`minutes` count instead of those that were measured, which are kept beside them; the block is marked as corrected. Refuses fewer than none,
    more than twelve hours, a block that runs, one of a day to come, and that of somebody else."""
    block = own(block, by)
    if not 0 <= minutes <= MOST_MINUTES:
        raise Refused(_("Choose between 0 and 720 minutes."))
    if block.day > at.astimezone(by.zone).date():
        raise Refused(_("That day is still to come."))
    if _count(block, at).is_running:
        raise Refused(_("The timer runs. Pause it first, then correct the minutes."))
    if block.corrected_minutes == minutes:
        return block
    old = block.minutes
    block.corrected_minutes, block.corrected_at = minutes, at
    block.save(update_fields=["corrected_minutes", "corrected_at"])
    events.record(
        EventKind.BLOCK_CORRECTED,
        subject=block,
        by=by,
        at=at,
        old={"minutes": old},
        new={"minutes": minutes, "measured": (block.measured_seconds + 30) // 60},
    )
    return block


@transaction.atomic
def close_silent(*, at: datetime) -> int:
    """Every block whose page fell silent is paused, and one that nobody spoke of for hours is ended as of its last beat. The answer is how many
    changed. Two statements, however many there are."""
    silent = ProspectingBlock.objects.filter(is_running=True, beat_at__lt=at - LONGEST_GAP)
    paused = silent.update(is_running=False)
    over = ProspectingBlock.objects.filter(started_at__isnull=False, ended_at__isnull=True, beat_at__lt=at - OVER_AFTER)
    with_beat = list(over.select_for_update(skip_locked=True))
    for block in with_beat:
        block.ended_at = block.beat_at
    ProspectingBlock.objects.bulk_update(with_beat, ["ended_at"], batch_size=1000)
    for block in with_beat:
        events.record(EventKind.BLOCK_ENDED, subject=block, by=None, at=at, new={"minutes": block.minutes})
    return paused + len(with_beat)


def own(block: ProspectingBlock, by: User) -> ProspectingBlock:
    """The block as it is now, held until the transaction ends. Refuses that of somebody else."""
    block = locks.row(ProspectingBlock.objects.select_related("user"), block.pk)
    if block.user_id != by.pk:
        raise Refused(_("This half hour is of somebody else."))
    return block


def _count(block: ProspectingBlock, at: datetime) -> ProspectingBlock:
    """The time since the last beat is in `measured_seconds`. A beat that comes late, from another page, counts nothing."""
    if not block.is_running or block.beat_at is None or at <= block.beat_at:
        return block
    gap = at - block.beat_at
    if gap > LONGEST_GAP:
        block.is_running = False
    else:
        whole = int(gap.total_seconds())
        block.measured_seconds += whole
        # What is left of a second is counted with the next beat.
        block.beat_at += timedelta(seconds=whole)
    block.save(update_fields=["is_running", "measured_seconds", "beat_at"])
    return block
