"""The few things for one day: proposed each working morning, or when their user asks, and never changed behind their back.

`crm.proposals` chooses whom; this writes it down. What is not done when the day is over stays where it was: `left_over` says what that is, and
`take_along` is how its user takes one of them to today.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm import locks, pacing, proposals
from crm.clock import is_working_day
from crm.models import Absence, ProspectingBlock, ProspectingItem, ProspectingPlan, User
from crm.prospecting.planning import plan_of
from crm.prospecting.timing import own
from crm.refusal import Refused

logger = logging.getLogger(__name__)

AHEAD = timedelta(hours=1)
"""How long before the half hour begins its things are proposed: in time for the morning's first look."""


def propose(*, user: User, day: date, at: datetime) -> ProspectingBlock:
    """The block of `user` on `day` with the things that fit it, by their plan (or the defaults when they have none). Proposing again changes
    nothing of what stands there; one for which nobody was found is tried again."""
    return _propose(user, plan_of(user), day, at)


def propose_due(*, at: datetime) -> int:
    """Everybody with a plan has their things for today, from an hour before they begin: on the days of the plan, on working days, and not while
    absent. The answer is how many blocks were made. What fails for one is logged and stops nobody else."""
    made = 0
    for plan in _due(at):
        user = plan.user
        try:
            block = _propose(user, plan, at.astimezone(user.zone).date(), at)
        except DatabaseError:
            logger.exception("The half hour of user %s could not be proposed", user.pk)
        else:
            made += block.proposed_at == at
    return made


@transaction.atomic
def propose_more(*, block: ProspectingBlock, at: datetime, by: User) -> list[ProspectingItem]:
    """Others stand at the end of the block, as many as fit the minutes that are left, one at least; what stood there stays. Refuses the block of
    another day or of somebody else, and when there is nobody else."""
    block = own(block, by)
    if block.day != at.astimezone(by.zone).date():
        raise Refused(_("This half hour is over. Start today's."))
    open_minutes = sum(item.estimated_minutes for item in block.items.all() if item.is_open)
    left = block.planned_minutes - block.minutes - open_minutes
    found = _chosen(by, plan_of(by), block, max(left, 0), at)
    if not found:
        raise Refused(_("There is nobody else whom you may contact in one of your ways today."))
    return _write(block, found)


def left_over(user: User, day: date) -> list[ProspectingItem]:
    """What stayed open on the last day before `day` on which there was a half hour, and was not taken along to `day`, in its order."""
    before = ProspectingBlock.objects.filter(user=user, day__lt=day).order_by("-day").first()
    if before is None:
        return []
    taken = {
        (item.way, frozenset(person.pk for person in item.people.all()))
        for item in ProspectingItem.objects.filter(block__user=user, block__day=day).prefetch_related("people")
    }
    stayed = before.items.filter(done_at__isnull=True, left_out_at__isnull=True).select_related(
        "content", "lead__organisation"
    )
    return [
        item
        for item in stayed.prefetch_related("people")
        if (item.way, frozenset(person.pk for person in item.people.all())) not in taken
    ]


@transaction.atomic
def take_along(*, item: ProspectingItem, by: User, at: datetime) -> ProspectingItem:
    """The same thing stands at the end of today's block, because its user chose so; in its old block it stays open. Taking it along twice gives the
    same one. Refuses what was done or left out, somebody whom we may not contact now, and what is of somebody else."""
    own(item.block, by)
    item = locks.row(ProspectingItem.objects.select_related("block", "content", "lead"), item.pk)
    if not item.is_open:
        raise Refused(_("This was done or left out already."))
    today = at.astimezone(by.zone).date()
    if item.block.day == today:
        return item
    block = own(_propose(by, plan_of(by), today, at), by)
    people = list(item.people.order_by("pk"))
    for there in block.items.filter(way=item.way).prefetch_related("people"):
        if {person.pk for person in there.people.all()} == {person.pk for person in people}:
            return there
    answer = proposals.answers([item], at, by=by)[item.pk]
    if not isinstance(answer, pacing.Allowed):
        raise Refused(answer.why)
    return _write(
        block,
        [
            proposals.Proposal(
                way=item.way,
                people=tuple(person.pk for person in people),
                minutes=item.estimated_minutes,
                why=item.why,
                lead=item.lead_id,
                content=item.content_id,
            )
        ],
    )[0]


def _due(at: datetime) -> list[ProspectingPlan]:
    """The plans for which it is time, and whose user has nothing proposed for today."""
    plans = ProspectingPlan.objects.filter(is_on=True, user__is_active=True).select_related("user__team")
    today = {plan.pk: at.astimezone(plan.user.zone).date() for plan in plans}
    if not today:
        return []
    days = set(today.values())
    near = Absence.objects.filter(starts_on__lte=max(days), ends_on__gte=min(days))
    away = {
        (user, day)
        for user, first, last in near.values_list("user", "starts_on", "ends_on")
        for day in days
        if first <= day <= last
    }
    there = set(
        ProspectingBlock.objects.filter(day__in=days, items__isnull=False).values_list("user", "day").distinct()
    )
    return [
        plan
        for plan in plans
        if (plan.user_id, today[plan.pk]) not in away | there
        and today[plan.pk].weekday() in plan.days
        and is_working_day(today[plan.pk], plan.user.calendar)
        and at >= _begins(plan.user, today[plan.pk], plan.starts_at) - AHEAD
    ]


@transaction.atomic
def _propose(user: User, plan: ProspectingPlan, day: date, at: datetime) -> ProspectingBlock:
    locks.hold("prospecting", user.pk, day)
    block, _is_new = ProspectingBlock.objects.get_or_create(
        user=user,
        day=day,
        defaults={"starts_at": plan.starts_at, "planned_minutes": plan.minutes, "proposed_at": at},
    )
    if not block.items.exists():
        _write(block, _chosen(user, plan, block, block.planned_minutes, at))
    return block


def _chosen(
    user: User, plan: ProspectingPlan, block: ProspectingBlock, minutes: int, at: datetime
) -> list[proposals.Proposal]:
    """For the moment at which it would be done: when the half hour begins, or now when that is later."""
    moment = max(at, _begins(user, block.day, block.starts_at))
    return proposals.choose(user, ways=plan.ways, minutes=minutes, day=block.day, at=moment)


def _begins(user: User, day: date, starts_at: time) -> datetime:
    return datetime.combine(day, starts_at, tzinfo=user.zone)


def _write(block: ProspectingBlock, chosen: Sequence[proposals.Proposal]) -> list[ProspectingItem]:
    """These stand at the end of the block, in this order."""
    last = block.items.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    items = ProspectingItem.objects.bulk_create(
        ProspectingItem(
            block=block,
            position=position,
            way=proposal.way,
            estimated_minutes=proposal.minutes,
            why=proposal.why,
            lead_id=proposal.lead,
            content_id=proposal.content,
        )
        for position, proposal in enumerate(chosen, start=first)
    )
    ProspectingItem.people.through.objects.bulk_create(
        ProspectingItem.people.through(prospectingitem_id=item.pk, person_id=person)
        for item, proposal in zip(items, chosen, strict=True)
        for person in proposal.people
    )
    return items
