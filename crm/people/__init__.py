"""Know people and organisations when they come back, add those who are new, and keep true what we know of them."""

from __future__ import annotations

from crm.people.changing import ORGANISATION_FIELDS, PERSON_FIELDS, change, change_organisation
from crm.people.contact_points import add_email, add_phone, remove_email, remove_phone
from crm.people.positions import add_position, end_position
from crm.people.recognition import add, add_organisation, organisation_at, recognise, with_email

__all__ = [
    "ORGANISATION_FIELDS",
    "PERSON_FIELDS",
    "add",
    "add_email",
    "add_organisation",
    "add_phone",
    "add_position",
    "change",
    "change_organisation",
    "end_position",
    "organisation_at",
    "recognise",
    "remove_email",
    "remove_phone",
    "with_email",
]
