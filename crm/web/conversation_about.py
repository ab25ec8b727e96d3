"""Whom and what a conversation concerns, as an address or an attempt says, and who is offered as having been there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from crm import search
from crm.models import (
    MEETS_BY,
    Appointment,
    Attempt,
    ConversationKind,
    Deal,
    FollowUp,
    Lead,
    Organisation,
    Person,
    ProspectingItem,
)
from crm.models.conversations import PromiseQuerySet
from crm.web import access, query
from crm.web.page import Request, page_of

COLLEAGUES = 12
"""People of the organisation who are offered as having been there, too."""
FOUND = 8
"""People who are offered when a name was typed."""
PRESENT = 50
"""People who may be named in one conversation."""

KIND_ICONS = {
    ConversationKind.CALL: "phone",
    ConversationKind.EMAIL: "mail",
    ConversationKind.VIDEO: "video",
    ConversationKind.VISIT: "map-pin",
    ConversationKind.CHAT: "message",
    ConversationKind.EVENT: "users",
}


class About:
    """Whom and what a conversation concerns, as the address says: `?person=`, `?lead=`, `?deal=`, `?organisation=`, `?attempt=` (the call that was
    answered) or `?appointment=` (the one that was held); to be written by the user. `?follow_up=` is what it was held for, which is done with it,
    and `?journey=1` says that it was about how they came to buy. `?item=` is the thing of one's half hour that it was, done with it, too."""

    def __init__(self, request: Request) -> None:
        self.attempt: Attempt | None = self._row(request, "attempt", access.attempt)
        self.appointment: Appointment | None = self._row(request, "appointment", access.appointment)
        self.follow_up: FollowUp | None = self._row(request, "follow_up", access.follow_up)
        self.is_journey = request.GET.get("journey") == "1"
        self.item: ProspectingItem | None = self._row(request, "item", access.prospecting_item)
        self.deal: Deal | None = self._row(request, "deal", access.deal)
        self.lead: Lead | None = self._row(request, "lead", access.lead)
        self.person: Person | None = self._row(request, "person", access.person, write=False)
        self.organisation: Organisation | None = self._row(request, "organisation", access.organisation, write=False)
        if self.attempt is not None:
            # Whoever made the call was allowed to, and may say what came of it.
            self.deal, self.lead, self.person = self.attempt.deal, self.attempt.lead, self.attempt.person
        if self.appointment is not None:
            # Whoever it was agreed with may say what was said.
            held = self.appointment
            self.deal, self.lead, self.person, self.organisation = held.deal, held.lead, held.person, held.organisation
        source = self.deal or self.lead
        # Who may write the deal or lead may note whom of its people they spoke to; about anybody else who may write that person.
        if self.happened is None and self.person is not None and not access.is_around(self.person, source):
            access.must_write(request.user, self.person.owner)
        if self.appointment is None and self.organisation is not None and not self._is_known_place(source):
            access.must_write(request.user, self.organisation.owner)
        if self.person is None and source is not None:
            self.person = source.person
        if self.organisation is None and source is not None:
            self.organisation = source.organisation
        if self.organisation is None and self.person is not None:
            job = access.positions().current().filter(person=self.person).select_related("organisation").first()
            self.organisation = job.organisation if job else None

    @property
    def happened(self) -> Attempt | Appointment | None:
        """What brought them together, when Kring knows of it."""
        return self.attempt or self.appointment

    @staticmethod
    def _row(request: Request, name: str, fetch: Any, *, write: bool = True) -> Any:
        pk = query.number(request.GET.get(name))
        return None if pk is None else fetch(request, pk, write=write)

    def _is_known_place(self, source: Deal | Lead | None) -> bool:
        """Whether the organisation is that of the deal or lead, or where the person works."""
        assert self.organisation is not None
        if source is not None and source.organisation == self.organisation:
            return True
        return (
            self.person is not None and self.person.positions.current().filter(organisation=self.organisation).exists()
        )

    def __bool__(self) -> bool:
        return any((self.deal, self.lead, self.person, self.organisation))

    def people(self) -> list[Person]:
        """Who may have been there: the one it is about, then the colleagues."""
        colleagues = list(access.people_at(self.organisation)[:COLLEAGUES]) if self.organisation else []
        first = [self.person] if self.person else []
        return first + [person for person in colleagues if person != self.person]

    def promises(self, people: list[Person]) -> PromiseQuerySet:
        return access.promises().open().filter(person__in=people).for_list()

    def start(self, kind: str | None) -> dict[str, Any]:
        """What the form says at first: now, or when the call began and how long it took."""
        now = timezone.localtime()
        start: dict[str, Any] = {"when": now, "people": [self.person.pk] if self.person else []}
        start["is_journey_interview"] = self.is_journey
        if self.attempt is not None:
            start["when"] = timezone.localtime(self.attempt.at)
            start["minutes"] = max(1, round((now - self.attempt.at).total_seconds() / 60)) if self.is_fresh else None
        elif self.appointment is not None:
            held = self.appointment
            start["when"] = timezone.localtime(held.starts_at)
            start["minutes"] = round((held.ends_at - held.starts_at).total_seconds() / 60)
            start["kind"] = MEETS_BY[held.kind]
        elif kind in ConversationKind.values:
            start["kind"] = kind
        return start

    @property
    def is_fresh(self) -> bool:
        """Whether the call began so lately that the time since then is how long it took."""
        return self.attempt is not None and (timezone.now() - self.attempt.at).total_seconds() < 2 * 60 * 60

    @property
    def page(self) -> str:
        """Where to go afterwards."""
        return page_of(self.deal, self.lead, self.person, self.organisation)


class Present:
    """Who is offered as having been there: those whom the page names, those who were ticked, and those whose name or address was typed."""

    def __init__(self, request: Request, around: list[Person]) -> None:
        ours = access.writable(request.user, access.people())
        self.post = request.POST
        keys = {key for text in request.POST.getlist("people")[:PRESENT] if (key := query.number(text))}
        known_before = {person.pk for person in around}
        self.ticked = [*around, *ours.filter(pk__in=keys - known_before).order_by("pk")]
        self.named = search.clean(request.POST.get("named", ""))
        known = {person.pk for person in self.ticked}
        if not self.named:
            found: list[Person] = []
        elif "@" in self.named:
            found = list(ours.filter(email_addresses__address=self.named.lower()).distinct().order_by("pk")[:FOUND])
        else:
            found = list(search.people_named(ours, self.named)[:FOUND])
        self.found = [person for person in found if person.pk not in known]
        self.people = [*self.ticked, *self.found]
        self.is_unfinished = "find" not in self.post and self._is_unfinished(keys - known_before)
        self.is_looking = "find" in self.post or self.is_unfinished

    def _is_unfinished(self, others: set[int]) -> bool:
        """A name was typed and nobody ticked or added for it: who presses Enter there looks for somebody and is not done yet."""
        return bool(self.named) and not others and not self.post.get("new_name")

    def typed(self) -> dict[str, Any]:
        """All that stands in the form, for a page that only looks for somebody and judges nothing."""
        ticked = set(self.post.getlist("people"))
        return {name: self.post.get(name) for name in self.post} | {
            "people": [person.pk for person in self.ticked if str(person.pk) in ticked]
        }
