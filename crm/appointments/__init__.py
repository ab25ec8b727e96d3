"""Agree on a meeting, move it, call it off, and say how it went.

Two people cannot have one slot: who books holds the agenda of the host (`crm.locks`), sees what was booked before, and is refused with the nearest
free times; an exclusion constraint stands behind it.
"""

from crm.appointments.booking import book, cancel, move
from crm.appointments.fitting_in import Taken, zone_of
from crm.appointments.gate import NotQualified, may_visit, organisation_of
from crm.appointments.limits import set_limits
from crm.appointments.links import (
    MOST_CHANGES,
    LinkClosed,
    book_by_link,
    is_worn_out,
    may_offer,
    offer_link,
    revoke_link,
)
from crm.appointments.outcomes import answer, held, logged, no_show

__all__ = [
    "MOST_CHANGES",
    "LinkClosed",
    "NotQualified",
    "Taken",
    "answer",
    "book",
    "book_by_link",
    "cancel",
    "held",
    "is_worn_out",
    "logged",
    "may_offer",
    "may_visit",
    "move",
    "no_show",
    "offer_link",
    "organisation_of",
    "revoke_link",
    "set_limits",
    "zone_of",
]
