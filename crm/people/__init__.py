"""Know people and organisations when they come back, add those who are new, and keep true what we know of them."""

from __future__ import annotations

from crm.people.changing import (
    ORGANISATION_FIELDS,
    PERSON_FIELDS,
    change,
    change_organisation,
    lift_not_before,
    set_not_before,
    words,
)
from crm.people.circle import forget_acquaintance, introduce
from crm.people.contact_points import (
    add_email,
    add_phone,
    change_kind,
    confirm,
    prefer,
    remove_email,
    remove_phone,
    works_again,
)
from crm.people.positions import add_position, change_position, end_position, make_main, remove_position
from crm.people.recognition import add, add_organisation, organisation_at, recognise, with_email
from crm.people.topics import add_word, most_used, remove_word

__all__ = [
    "ORGANISATION_FIELDS",
    "PERSON_FIELDS",
    "add",
    "add_email",
    "add_organisation",
    "add_phone",
    "add_position",
    "add_word",
    "change",
    "change_kind",
    "change_organisation",
    "change_position",
    "confirm",
    "end_position",
    "forget_acquaintance",
    "introduce",
    "lift_not_before",
    "make_main",
    "most_used",
    "organisation_at",
    "prefer",
    "recognise",
    "remove_email",
    "remove_phone",
    "remove_position",
    "remove_word",
    "set_not_before",
    "with_email",
    "words",
    "works_again",
]
