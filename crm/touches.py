"""Keep what somebody met of our knowledge, and how they came to a lead: the first time, and last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from crm.channels import reading_along
from crm.channels.reading_along import Reading, Visit
from crm.models import Content, Lead, LeadTouch, Person, Touch


@transaction.atomic
def remember(*, lead: Lead, person: Person | None, content: Content | None, reading: Reading, at: datetime) -> None:
    """The piece at which a message was written (`content`), and every piece of ours that their browser remembers, are touches of the person, each
    moment once. How they came to the lead the first time stays, and how they came last is the last. Refuses nothing: what is no piece of ours
    is passed over, and of whom we do not know only the ways are kept."""
    met = [(content, at)] if content else []
    found = reading.as_of(at)
    visits = [visit for visit in (found.first, found.last) if visit]
    known = pieces_at({*(piece.url for piece in found.pieces), *(visit.page for visit in visits)} - {""})
    for piece in found.pieces:
        if ours := known.get(piece.url):
            met += [(ours, piece.since), (ours, piece.last)]
    if person is not None and met:
        Touch.objects.bulk_create(
            [Touch(person=person, content=each, at=moment) for each, moment in dict.fromkeys(met)],
            ignore_conflicts=True,
        )
    if found.first:
        LeadTouch.objects.get_or_create(lead=lead, which=LeadTouch.Which.FIRST, defaults=_way(found.first, known))
    if found.last:
        LeadTouch.objects.update_or_create(lead=lead, which=LeadTouch.Which.LAST, defaults=_way(found.last, known))


def pieces_at(urls: set[str]) -> dict[str, Content]:
    """Our pieces at these addresses (as `reading_along.address` writes them). Of two at one address the older. One query, or none."""
    found: dict[str, Content] = {}
    for content in Content.objects.exclude(url="").order_by("pk") if urls else ():
        if (url := reading_along.address(content.url)) in urls:
            found.setdefault(url, content)
    return found


def _way(visit: Visit, known: Mapping[str, Content]) -> dict[str, object]:
    return {**asdict(visit), "content": known.get(visit.page)}
