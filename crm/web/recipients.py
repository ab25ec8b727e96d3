"""Whom a mail is for and what it is about, as the address of the composer says (`?person=` once or more, `?lead=`, `?deal=`, `?reply_to=`),
and what the guard says about each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from crm import outbox, pacing, wording
from crm.models import ConversationKind, Deal, Direction, EmailAddress, Lead, MailMessage, Person, User
from crm.web import access, query
from crm.web.page import Request

MOST = 100
"""People whom one mail may go to; more is a newsletter, and that is something else."""


@dataclass(frozen=True)
class Recipient:
    """Somebody who was named. `left_out` says why they get nothing, when they do not."""

    person: Person
    address: str
    language: str
    answer: pacing.Answer
    left_out: str = ""


class Recipients:
    """To be written by the user, except those of several whom only others may write: they are left out."""

    def __init__(self, request: Request, at: datetime) -> None:
        self.deal: Deal | None = None
        self.lead: Lead | None = None
        if (key := query.number(request.GET.get("deal"))) is not None:
            self.deal = access.deal(request, key, write=True)
        if (key := query.number(request.GET.get("lead"))) is not None:
            self.lead = access.lead(request, key, write=True)
        self.answers: MailMessage | None = None
        if (key := query.number(request.GET.get("reply_to"))) is not None:
            self.answers = access.mail_message(request, key)
        named = dict.fromkeys(filter(None, (query.number(text) for text in request.GET.getlist("person"))))
        self.are_too_many = len(named) > MOST
        people = self._people(request, list(named)[:MOST])
        self.is_to_several = len(people) > 1
        self.all = self._judged(request, people, at)
        self.reached = [recipient for recipient in self.all if not recipient.left_out]
        self.left_out = [recipient for recipient in self.all if recipient.left_out]

    def _people(self, request: Request, keys: list[int]) -> list[Person]:
        if len(keys) > 1:
            return list(access.people_to_write().filter(pk__in=keys).order_by("family_name", "given_name", "id"))
        source = self.deal or self.lead
        person: Person | None
        if keys:
            person = access.person(request, keys[0])
        elif self.answers is not None:
            person = self._other_side(self.answers)
            if person is None and source is None:
                return []
        elif source is not None and source.person is not None:
            person = access.person(request, source.person.pk)
        else:
            return []
        if person is None:
            return []
        # Who may write the deal or lead may write to its people, and anybody answers whoever wrote to them.
        if not self._was_with(person, request.user) and not access.is_around(person, source):
            access.must_write(request.user, person.owner)
        return [person]

    def _was_with(self, person: Person, user: User) -> bool:
        """Whether the message that is answered was between these two. To answer one is no way to write to somebody else."""
        said = self.answers.conversation if self.answers is not None else None
        return said is not None and said.by_id == user.pk and said.people.filter(pk=person.pk).exists()

    @staticmethod
    def _other_side(message: MailMessage) -> Person | None:
        """Who wrote it, or to whom we wrote it."""
        assert message.conversation is not None
        people = list(message.conversation.people.select_related("owner__team").prefetch_related("email_addresses"))
        theirs = [message.from_address] if message.direction != Direction.OUTGOING else message.to
        wanted = {address.lower() for address in theirs}
        for person in people:
            if wanted & {row.address for row in person.email_addresses.all()}:
                return person
        return people[0] if people else None

    def _judged(self, request: Request, people: list[Person], at: datetime) -> list[Recipient]:
        answers = pacing.judge(people, ConversationKind.EMAIL, at, by=request.user)
        return [self._one(request, person, answers[person.pk]) for person in people]

    def _one(self, request: Request, person: Person, answer: pacing.Answer) -> Recipient:
        known = outbox.address_of(person)
        why = ""
        if isinstance(answer, pacing.Never):
            why = answer.why
        elif known is None:
            why = _("We have no e-mail address of them.")
        elif self.is_to_several:
            if not access.may_write(request.user, person.owner):
                why = _("%(name)s keeps in touch with them.") % {"name": person.owner}
            elif known.bounced_at is not None:
                why = _("Mail to their address came back.")
        return Recipient(person, known.address if known else "", wording.language_of(person), answer, why)

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def only(self) -> Recipient:
        return self.all[0]

    @property
    def languages(self) -> list[str]:
        """Those in which to write, most spoken first."""
        spoken = [recipient.language for recipient in self.reached or self.all]
        return sorted(set(spoken), key=lambda language: (-spoken.count(language), language))

    def addresses(self, request: Request, at: datetime) -> list[EmailAddress]:
        """Where mail to the only one may go: not to an address that asked for none."""
        open_ones = []
        for row in self.only.person.email_addresses.all():
            answer = pacing.may_contact(
                self.only.person, ConversationKind.EMAIL, at, by=request.user, address=row.address
            )
            if not isinstance(answer, pacing.Never):
                open_ones.append(row)
        return open_ones

    @property
    def subject(self) -> str:
        """That of an answer."""
        if self.answers is None:
            return ""
        known = self.answers.subject
        return known if known[:3].lower() == "re:" else f"Re: {known}"
