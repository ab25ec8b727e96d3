"""Customers after the order: one who orders every season, some who told how they came to buy, and a deal that an old file brought."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm import conversations, events, promises
from crm.demo.crowd import Crowd
from crm.demo.story import Story
from crm.demo.walk import Prospect, Step, Walk
from crm.models import ConversationKind, Deal, EventKind, Organisation, Person, PromiseSide, StageChange

JOURNEYS = (
    ("She asked three colleagues of the trade first, and two of them named us.", "Ik heb gewoon rondgebeld."),
    ("He read along for a year, and came when the second planner left.", "I had your white paper in my drawer since March."),
    ("They searched for a tool and found the article; the workshop decided it.", "We wilden eerst zien hoe jullie met mensen omgaan."),
    ("Their accountant sent them to us.", "Mijn boekhouder zei: bel die mensen eens."),
    ("A competitor pressed for an answer; we gave them time.", "You were the only ones who did not call the next day."),
)  # fmt: skip


class Customers:
    """Told beside the crowd."""

    def __init__(self, walk: Walk, crowd: Crowd, story: Story) -> None:
        self.walk, self.crowd, self.story = walk, crowd, story
        self.cast, self.days, self.rng = walk.cast, walk.days, walk.rng

    def gather(self) -> None:
        """Each of it is ready to be told."""
        self.walk.follow(self.every_season())
        self.walk.follow(self.from_an_old_file())
        self.walk.follow(self.helped())
        for number in range(11):
            self.walk.follow(self.journey(number))

    def every_season(self) -> Step[None]:
        """A brewery that ordered three times, a season apart; the fourth season has begun and nobody has heard of them."""
        joris = self.cast.joris
        deal, at = yield from self.story.deal(self._brewer(), self.days.back(400), origin="fair", product=0, stages=3)
        yield from self.walk.win(deal, at, tier="B")
        for days in (280, 190):
            yield from self.crowd.order_again(deal.person, deal.organisation, joris, self.days.back(days, 11, 30))
        yield from self.walk.talk(joris, self.days.back(130, 15, 5), person=deal.person, kind=ConversationKind.CALL)

    def from_an_old_file(self) -> Step[None]:
        """The old system kept deals without a next step; one of them is still open."""
        joris, at = self.cast.joris, self.days.back(34, 9, 40)
        yield at
        who = self.walk.prospect()
        person, company = self.walk.meet(who, at, by=joris)
        deal = Deal.objects.create(
            name="Planning suite (from the old system)",
            external_id="old-2041",
            person=person,
            organisation=company,
            owner=joris,
            stage=self.cast.stages[1],
            seller_amount=14500,
            opened_at=at,
        )
        StageChange.objects.create(deal=deal, to_stage=deal.stage, at=at, by=None)
        events.record(EventKind.DEAL_OPENED, subject=deal, by=None, at=at, new={"stage": deal.stage.name})

    def helped(self) -> Step[None]:
        """A customer of Els was helped last week, promised something for today, and was never asked for a name."""
        els, at = self.cast.els, self.days.back(6, 13, 40)
        yield at
        glad = Person.objects.filter(deals__state="won", deals__owner=els, referrals_given__isnull=True)
        for person in glad.order_by("-deals__won_at", "pk")[:1]:
            said = conversations.log(
                people=[person],
                kind=ConversationKind.CALL,
                minutes=18,
                summary="The new planner made her first week alone. They were glad that we sat beside her on Monday.",
                has_gain=True,
                by=els,
                at=at,
            )
            promises.make(
                side=PromiseSide.THEIRS,
                text="The list of their shifts for spring",
                person=person,
                conversation=said,
                due_on=self.days.ahead(0),
                by=els,
                at=at + timedelta(minutes=4),
            )

    def journey(self, number: int) -> Step[None]:
        """Somebody at a customer told how they came to buy."""
        at = self.days.back(3 + 17 * number, 14, 15)
        yield at
        told = Organisation.objects.filter(conversations__is_journey_interview=True).values("pk")
        customers = (
            Organisation.objects.customers().filter(customer_since__lt=at, owner__isnull=False).exclude(pk__in=told)
        )
        for customer in customers.select_related("owner").order_by("customer_since", "pk")[:1]:
            person = Person.objects.filter(positions__organisation=customer).order_by("pk").first()
            summary, quote = JOURNEYS[number % len(JOURNEYS)]
            if person is not None:
                self._told(customer, person, summary, quote, at)

    def _told(self, customer: Organisation, person: Person, summary: str, quote: str, at: datetime) -> None:
        conversations.log(
            people=[person],
            organisation=customer,
            kind=ConversationKind.VIDEO,
            minutes=35,
            summary=summary,
            quote=quote,
            is_journey_interview=True,
            has_learning=True,
            by=customer.owner,
            at=at,
        )

    def _brewer(self) -> Prospect:
        return self.walk.prospect(
            name="Lotte Hermans",
            company="Brouwerij De Zwarte Nete",
            sector="brewing",
            city="Herentals",
            country="BE",
            language="nl",
            title="brouwmeester",
            interests=["cycling", "yeast"],
        )
