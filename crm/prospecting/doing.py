"""What becomes of a thing that was proposed: done, with what came of it at once, or left out. Either can be taken back the same day.

The seconds that were counted since the last mark belong to the thing that is marked now. The follow-ups that it does with it (`DONE_IN`) are done
by doing it and open again when it is taken back.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from crm import events, follow_ups, locks
from crm.models import (
    Conversation,
    EventKind,
    FollowUp,
    Outcome,
    ProspectingBlock,
    ProspectingItem,
    Referral,
    User,
)
from crm.models.follow_ups import FollowUpQuerySet
from crm.models.prospecting import DONE_IN
from crm.prospecting.timing import beat
from crm.refusal import Refused


@transaction.atomic
def done(
    *,
    item: ProspectingItem,
    by: User,
    at: datetime,
    conversation: Conversation | None = None,
    referral: Referral | None = None,
) -> ProspectingItem:
    """It is done; its people see it on their timelines, and the follow-ups of `by` that ask the same are done with it. `conversation` and
    `referral` are what came of it at once.

    Twice done is done once; the second time adds what was not named the first time. Refuses what was left out, a conversation or referral of somebody
    else, and the half hour of somebody else.
    """
    item, block = _locked(item, by, at)
    if item.left_out_at is not None:
        raise Refused(_("This was left out. Put it back first."))
    people = list(item.people.order_by("pk"))
    keys = {person.pk for person in people}
    if conversation is not None and not conversation.people.filter(pk__in=keys).exists():
        raise Refused(_("That conversation was with somebody else."))
    if referral is not None and referral.referrer_id not in keys:
        raise Refused(_("That referral is of somebody else."))
    is_first = item.done_at is None
    if is_first:
        item.done_at, item.seconds = at, _seconds_since_last_mark(block, item)
    item.conversation, item.referral = item.conversation or conversation, item.referral or referral
    item.save(update_fields=["done_at", "seconds", "conversation", "referral"])
    if is_first:
        _record(item, block, by, at)
        for follow_up in _done_with(item).open().filter(owner=by):
            follow_ups.done(follow_up=follow_up, by=by, at=at)
    return item


@transaction.atomic
def leave_out(*, item: ProspectingItem, why: str = "", by: User, at: datetime) -> ProspectingItem:
    """It is left out, and its people are not proposed to this user for a week. Leaving it out twice changes nothing. Refuses what is done, and the
    half hour of somebody else."""
    item, block = _locked(item, by, at)
    why = " ".join(why.split())
    if item.done_at is not None:
        raise Refused(_("This is done. Take that back first."))
    if len(why) > 200:
        raise Refused(_("Say it in 200 characters or fewer."))
    if item.left_out_at is None:
        item.left_out_at, item.left_out_why, item.seconds = at, why, _seconds_since_last_mark(block, item)
        item.save(update_fields=["left_out_at", "left_out_why", "seconds"])
    return item


@transaction.atomic
def undo(*, item: ProspectingItem, by: User, at: datetime) -> ProspectingItem:
    """It is open again, neither done nor left out, and so are the follow-ups that were done with it; its seconds go to what is marked next. Undoing
    what is open changes nothing. Refuses what was marked on another day, and the half hour of somebody else."""
    item, block = _locked(item, by, at)
    marked_at = item.done_at or item.left_out_at
    if marked_at is None:
        return item
    if marked_at.astimezone(by.zone).date() != at.astimezone(by.zone).date():
        raise Refused(_("This was marked on another day, so it stays as it is."))
    was_done = item.done_at is not None
    item.done_at = item.left_out_at = item.conversation = item.referral = None
    item.left_out_why, item.seconds = "", 0
    item.save(update_fields=["done_at", "left_out_at", "left_out_why", "seconds", "conversation", "referral"])
    if was_done:
        _record(item, block, by, at, is_undone=True)
        for follow_up in _done_with(item).filter(outcome=Outcome.DONE, closed_by=by, closed_at=marked_at):
            # One that has opened since for a new reason stays instead.
            with suppress(Refused):
                follow_ups.reopen(follow_up=follow_up, by=by, at=at)
    return item


def _locked(item: ProspectingItem, by: User, at: datetime) -> tuple[ProspectingItem, ProspectingBlock]:
    """The thing and its block as they are now, the block held until the transaction ends and its time counted up to `at`."""
    block = beat(block=item.block, at=at, by=by)
    return locks.row(ProspectingItem.objects.select_related("lead", "conversation", "referral"), item.pk), block


def _done_with(item: ProspectingItem) -> FollowUpQuerySet:
    rules = [rule for rule, ways in DONE_IN.items() if item.way in ways]
    return FollowUp.objects.filter(person__in=item.people.all(), rule__in=rules).for_today().order_by("pk")


def _seconds_since_last_mark(block: ProspectingBlock, item: ProspectingItem) -> int:
    marked = block.items.exclude(pk=item.pk).aggregate(seconds=Sum("seconds"))["seconds"] or 0
    return max(0, block.measured_seconds - marked)


def _record(item: ProspectingItem, block: ProspectingBlock, by: User, at: datetime, *, is_undone: bool = False) -> None:
    """One event for each person, so that it stands on the timeline of each."""
    said = {"way": item.way, "content": str(item.content) if item.content else None}
    for person in item.people.order_by("pk"):
        events.record(
            EventKind.PROSPECTED,
            subject=block,
            by=by,
            at=at,
            person=person,
            lead=item.lead if item.lead and item.lead.person_id == person.pk else None,
            old=said if is_undone else None,
            new={"undone": True} if is_undone else said,
        )
