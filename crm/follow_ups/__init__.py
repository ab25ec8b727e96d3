"""The next thing to do for someone: kept in step with the data by `refresh`, and done, put off or made by hand by people.

What people do is written as an Event; what the rules do is in the row itself.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.follow_ups.acts import REOPEN_WITHIN, bring_back, checked, done, make, not_needed, put_off, reopen
from crm.follow_ups.refreshing import Effect, RefreshReport, RuleReport, preview, refresh, refresh_near
from crm.follow_ups.touched import Near, near, take

__all__ = [
    "REOPEN_WITHIN",
    "Effect",
    "Near",
    "RefreshReport",
    "RuleReport",
    "bring_back",
    "checked",
    "done",
    "make",
    "not_needed",
    "preview",
    "put_off",
    "refresh",
    "refresh_near",
    "refresh_touched",
    "reopen",
]


@transaction.atomic
def refresh_touched(*, at: datetime) -> RefreshReport:
    """What verbs touched since the last time is looked at again, with everything near it, and ends as a complete refresh would end it. Does nothing
    when nothing was touched. All in one transaction: what is interrupted is done again by whoever comes next."""
    touched = take()
    if not touched:
        return RefreshReport()
    around = near(touched)
    return refresh(at=at) if around is None else refresh_near(around, at=at)
