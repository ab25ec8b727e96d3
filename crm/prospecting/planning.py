"""When somebody likes to prospect, for how long, and how. It is their own arrangement and leaves no event."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time

from django.db import transaction
from django.utils.translation import gettext as _

from crm.models import ProspectingPlan, User, Way
from crm.refusal import Refused

LEAST_MINUTES, MOST_MINUTES = 5, 120


def plan_of(user: User) -> ProspectingPlan:
    """Their plan; one that is off and not saved, with the defaults, when they never made one."""
    return ProspectingPlan.objects.filter(user=user).first() or ProspectingPlan(user=user, is_on=False)


@transaction.atomic
def change_plan(
    *, user: User, is_on: bool, days: Collection[int], starts_at: time, minutes: int, ways: Collection[str]
) -> ProspectingPlan:
    """This is the plan of `user` from the next proposals on; a block that was proposed stays as it is. Refuses a plan without days or ways, and
    fewer than 5 or more than 120 minutes."""
    chosen_days = sorted({day for day in days if day in range(7)})
    chosen_ways = [way for way in Way.values if way in set(ways)]
    if not chosen_days:
        raise Refused(_("Choose at least one day."))
    if not chosen_ways:
        raise Refused(_("Choose at least one way that you like."))
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise Refused(_("Choose between 5 and 120 minutes."))
    plan, _is_new = ProspectingPlan.objects.update_or_create(
        user=user,
        defaults={
            "is_on": is_on,
            "days": chosen_days,
            "starts_at": starts_at,
            "minutes": minutes,
            "ways": chosen_ways,
        },
    )
    return plan
