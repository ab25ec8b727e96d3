"""A notice where somebody looks alike: the pairs that wait for a decision."""

from __future__ import annotations

from django import template

from crm import duplicates
from crm.models import Organisation, Person, PossibleDuplicate

register = template.Library()


@register.simple_tag
def duplicates_waiting(record: Person | Organisation) -> list[PossibleDuplicate]:
    """`{% duplicates_waiting person as pairs %}`: the two surest possible duplicates of this person or organisation. One indexed query."""
    return list(duplicates.waiting_for(record)[:2])
