"""Customers who recommend us: asked after the order, and what came of it. Every state of a referral is somebody's."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from crm import advocacy, people
from crm.demo import words
from crm.demo.walk import Prospect, Step, Walk
from crm.models import ConversationKind, Deal, Lead, LostReason, Organisation, Person, Referral, User

WHOM = (
    "a brother-in-law who runs a garage",
    "a friend from the choir with a bakery",
    "a neighbour in the business park",
    "the owner of a joinery in Geel",
    "een vroegere vennoot in Gent",
    "een collega van de beroepsvereniging",
)


class Outcome(Enum):
    """How far a referral of the demo comes."""

    ASKED = auto()
    PROMISED = auto()
    LATE = auto()
    INTRODUCED = auto()
    MET = auto()
    WON = auto()
    LOST = auto()
    THANKED = auto()
    REFUSED = auto()
    LAPSED = auto()


class Circle:
    """Tells what happens after an order."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng

    def recommend(self, deal: Deal, at: datetime, outcome: Outcome) -> Step[None]:
        """Asked some weeks after the order, when it had proved itself."""
        owner, person = deal.owner, deal.person
        assert owner is not None
        assert person is not None
        at = self.days.later(at, 8, 16)
        yield at
        referral = advocacy.ask(person=person, deal=deal, by=owner, at=at)
        if outcome == Outcome.ASKED:
            return
        at = self.days.later(at, 0.5, 3)
        yield at
        if outcome == Outcome.REFUSED:
            advocacy.refuse(referral=referral, by=owner, at=at)
            return
        due_on = {
            Outcome.PROMISED: self.days.ahead(11),
            Outcome.LATE: self.days.working_day(self.days.today - timedelta(days=9), -1),
        }.get(outcome)
        referral = advocacy.promise(referral=referral, whom=self.rng.choice(WHOM), due_on=due_on, by=owner, at=at)
        if outcome in (Outcome.PROMISED, Outcome.LATE):
            return
        if outcome == Outcome.LAPSED:
            at = self.days.later(at, 40, 50)
            yield at
            advocacy.lapse(referral=referral, by=owner, at=at)
            return
        lead = yield from self.introduce(referral, owner, self.days.later(at, 3, 8))
        yield from self.go_on(referral, lead, owner, outcome)

    def introduce(self, referral: Referral, by: User, at: datetime, who: Prospect | None = None) -> Step[Lead]:
        """Somebody new, through somebody we know."""
        yield at
        who = who or self.walk.prospect()
        lead = advocacy.introduce(
            referral=referral,
            name=who.name,
            email=who.address,
            phone=who.phone,
            organisation=who.company,
            message=self.rng.choice(words.MESSAGES[who.language]).format(n=who.size, city=who.city),
            sdr=self.cast.noor,
            by=by,
            at=at,
        )
        person, organisation = lead.person, lead.organisation
        assert person is not None
        assert organisation is not None
        self.walk.prospects[person.pk] = who
        Person.objects.filter(pk=person.pk).update(created_at=at)
        Organisation.objects.filter(pk=organisation.pk).update(created_at=at)
        people.change(person=person, language=who.language, interests=who.interests, by=by, at=at)
        people.change_organisation(
            organisation=organisation, sector=who.sector, city=who.city, country=who.country, by=by, at=at
        )
        return lead

    def go_on(self, referral: Referral, lead: Lead, owner: User, outcome: Outcome) -> Step[Deal | None]:
        """From the introduction to where it stands today."""
        sdr = self.cast.noor
        at = yield from self.walk.answer(lead, sdr, lead.received_at)
        if outcome == Outcome.INTRODUCED:
            return None
        lead, at = yield from self.walk.qualify(lead, sdr, at)
        hand_off = yield from self.walk.hand_off(lead, owner, sdr, self.days.soon(at, 5, 30))
        deal = yield from self.walk.accept(hand_off, owner, self.days.soon(at, 60, 120))
        at = self.days.later(at, 2, 5)
        yield from self.walk.talk(owner, at, deal=deal, kind=ConversationKind.VISIT)
        advocacy.meet(referral=referral, by=owner, at=at)
        if outcome == Outcome.MET:
            yield from self.walk.agree(deal, at)
            return deal
        at = yield from self.walk.advance(deal, 3, at, most_days=7)
        if outcome == Outcome.LOST:
            yield from self.walk.lose(deal, at, LostReason.TIMING)
            return deal
        at = yield from self.walk.win(deal, at, tier="B")
        if outcome == Outcome.THANKED:
            at = self.days.later(at, 1, 4)
            yield at
            advocacy.thank(referral=referral, by=owner, at=at)
        return deal
