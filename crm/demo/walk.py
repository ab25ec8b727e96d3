"""The steps that a lead of the demo takes, each one a verb at its own moment.

A step is a generator: it yields the moment at which it wants to act, acts when it is called on again, and returns the moment at which it was done
(or what came of it). The teller calls on all stories in the order of time, so what is written is written in the order in which it happened.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVar

from django.utils.text import slugify

from crm import capture, conversations, deals, handoffs, leads, people, promises, verdicts
from crm.demo import words
from crm.demo.cast import CRITERION_KEYS, Cast
from crm.demo.days import Days
from crm.models import (
    Channel,
    Content,
    Conversation,
    ConversationKind,
    Deal,
    Direction,
    HandOff,
    Lead,
    LostReason,
    Organisation,
    Person,
    Promise,
    PromiseSide,
    ReadyReason,
    Touch,
    User,
)

T = TypeVar("T")
Step = Generator[datetime, None, T]

PRODUCTS = (
    ("Workshop", 2400, 4800),
    ("Planning suite", 12000, 28000),
    ("Coaching, six months", 6000, 9500),
    ("Second shift", 8000, 13000),
    ("Depot roll-out", 38000, 62000),
)


@dataclass
class Prospect:
    """Somebody who writes to us, before we know them."""

    name: str
    company: str
    sector: str
    city: str
    country: str
    language: str
    title: str
    size: int
    phone: str
    interests: list[str] = field(default_factory=list)
    email: str = ""

    @property
    def address(self) -> str:
        return self.email or f"{slugify(self.name.split()[0])}@{slugify(self.company)}.example"

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


class Walk:
    """One teller of the story: the cast, the clock and the dice."""

    def __init__(self, cast: Cast, days: Days, rng: Random) -> None:
        self.cast, self.days, self.rng = cast, days, rng
        self._numbers = count(1)
        self._taken: set[str] = set()
        self._promised = {side: count() for side in PromiseSide}
        self._waiting: list[tuple[datetime, int, Step[Any]]] = []
        self.prospects: dict[int, Prospect] = {}

    # ---- Telling ---------------------------------------------------------------------------------------------------

    def follow(self, story: Step[Any]) -> None:
        """The story is told together with the others, from its first moment on."""
        moment = next(story, None)
        if moment is not None:
            heappush(self._waiting, (moment, next(self._numbers), story))

    def tell(self) -> None:
        """Every story is told to its end, or to now, all of them in the order of time."""
        while self._waiting:
            moment, _number, story = heappop(self._waiting)
            if moment <= self.days.at:
                self.follow(story)

    # ---- Whom we meet ----------------------------------------------------------------------------------------------

    def prospect(self, **fixed: Any) -> Prospect:
        """Somebody new: Flemish, Dutch or lately arrived, at a firm of their own or of another family."""
        rng = self.rng
        while True:
            is_dutch = rng.random() < 0.35
            if rng.random() < 0.06:
                name = rng.choice(words.NEWCOMERS)
            elif is_dutch:
                name = f"{rng.choice(words.DUTCH_GIVEN)} {rng.choice(words.DUTCH_FAMILY)}"
            else:
                name = f"{rng.choice(words.FLEMISH_GIVEN)} {rng.choice(words.FLEMISH_FAMILY)}"
            pattern, sector = rng.choice(words.COMPANIES)
            family = rng.choice(words.DUTCH_FAMILY if is_dutch else words.FLEMISH_FAMILY).split()[-1]
            company = pattern.format(family.capitalize())
            if name not in self._taken and company not in self._taken:
                break
        self._taken |= {name, company}
        language = "nl" if rng.random() < 0.7 else "en"
        number = rng.randint(100000, 999999)
        return Prospect(
            **{
                "name": name,
                "company": company,
                "sector": sector,
                "city": rng.choice(words.DUTCH_CITIES if is_dutch else words.FLEMISH_CITIES),
                "country": "NL" if is_dutch else "BE",
                "language": language,
                "title": rng.choice(words.TITLES[language]),
                "size": rng.choice((6, 9, 11, 12, 14, 18, 22, 25, 30, 38, 45, 60)),
                "phone": f"+316{number:06}{rng.randint(10, 99)}"
                if is_dutch
                else f"+3247{number:06}{rng.randint(0, 9)}",
                "interests": rng.sample(words.INTERESTS, 2) if rng.random() < 0.55 else [],
            }
            | fixed
        )

    def meet(self, prospect: Prospect, at: datetime, by: User | None = None) -> tuple[Person, Organisation]:
        """Person and organisation are known from now on; a firm that we know already is met again."""
        address = prospect.address
        company = people.organisation_at(address.partition("@")[2])
        if company is None:
            company = people.add_organisation(
                name=prospect.company,
                domain=address.partition("@")[2],
                sector=prospect.sector,
                city=prospect.city,
                country=prospect.country,
                created_at=at,
                by=by,
                at=at,
            )
        person = people.add(
            name=prospect.name,
            email=address,
            phone=prospect.phone,
            organisation=company,
            title=prospect.title,
            language=prospect.language,
            interests=prospect.interests,
            created_at=at,
            by=by,
            at=at,
        )
        self.prospects[person.pk] = prospect
        return person, company

    # ---- Inbound ---------------------------------------------------------------------------------------------------

    def arrive(
        self,
        prospect: Prospect,
        at: datetime,
        *,
        origin: str,
        content: Content | None = None,
        owner: User | None = None,
        message: str | None = None,
        channel: Channel = Channel.FORM,
        has_read: bool = True,
    ) -> Step[Lead]:
        """Their message is here; before they wrote, most of them had read something else of ours."""
        yield at
        person, company = self.meet(prospect, at)
        if message is None:
            message = self.rng.choice(words.MESSAGES[prospect.language]).format(n=prospect.size, city=prospect.city)
        form = None
        if channel == Channel.FORM:
            form = self.cast.question if prospect.language == "nl" else self.cast.contact
        lead = capture.receive(
            capture.Arrival(
                channel=channel,
                external_id=f"demo-{next(self._numbers)}",
                person=person,
                company=company,
                message=message,
                origin=origin,
                content=content,
                form=form,
                owner=owner,
            ),
            at=at,
        ).lead
        if has_read:
            self.read_before(person, at)
        return lead

    def read_before(self, person: Person, at: datetime) -> None:
        """Some pieces of ours that they met in the months before `at`."""
        pieces = self.rng.sample(list(self.cast.content.values()), self.rng.choice((0, 1, 1, 2, 3, 4)))
        Touch.objects.bulk_create(
            Touch(
                person=person,
                content=piece,
                at=at - timedelta(days=self.rng.randint(1, 300), minutes=self.rng.randint(0, 600)),
            )
            for piece in pieces
        )

    def answer(self, lead: Lead, by: User, at: datetime) -> Step[datetime]:
        """Taken in hand and answered by mail, usually within the hour."""
        at = self.days.soon(at, 6, 45 if self.rng.random() < 0.8 else 260)
        yield at
        lead = leads.take(lead=lead, by=by, at=at)
        who = self._of(lead)
        at = self.days.soon(at, 2, 14)
        yield at
        leads.answer(
            lead=lead,
            message=self.rng.choice(words.ANSWERS[who.language]).format(name=who.first_name),
            subject="Uw vraag" if who.language == "nl" else "Your question",
            by=by,
            at=at,
        )
        return at

    def talk(
        self,
        by: User,
        at: datetime,
        *,
        lead: Lead | None = None,
        deal: Deal | None = None,
        person: Person | None = None,
        kind: ConversationKind | None = None,
        **said: Any,
    ) -> Step[Conversation]:
        """A conversation; three of five were worth it, and some of them are quoted."""
        yield at
        rng = self.rng
        source = deal or lead
        who = person or (source.person if source else None)
        assert who is not None
        kind = kind or rng.choice(
            (ConversationKind.CALL, ConversationKind.CALL, ConversationKind.VIDEO, ConversationKind.EMAIL)
        )
        if not said:
            said = {"summary": rng.choice(words.SUMMARIES)}
            if rng.random() < 0.62:
                said |= {"learned": rng.choice(words.LEARNED), "has_gain": rng.random() < 0.4}
                said |= {"has_next_step": rng.random() < 0.7}
            if rng.random() < 0.35:
                said["quote"] = rng.choice(words.QUOTES[self.prospects[who.pk].language])
        if kind == ConversationKind.EMAIL:
            said.setdefault("direction", rng.choice((Direction.INCOMING, Direction.OUTGOING, Direction.BOTH)))
        else:
            said.setdefault("minutes", rng.randint(6, 45) if kind == ConversationKind.CALL else rng.randint(25, 80))
        return conversations.log(people=[who], kind=kind, lead=lead, deal=deal, by=by, at=at, **said)

    def assess(self, lead: Lead, by: User, at: datetime, **replies: str) -> Step[datetime]:
        """Every question answered yes but those named in `replies` (a key of the vocabulary to a reply; *unknown* leaves it open)."""
        yield at
        who = self._of(lead)
        for key, criterion in zip(CRITERION_KEYS, self.cast.criteria, strict=True):
            reply = replies.get(key, "yes")
            if reply == "unknown":
                continue
            size = max(who.size, 10) if reply == "yes" else min(who.size, 9)  # The criterion asks for ten.
            evidence = self.rng.choice(words.EVIDENCE[key][who.language]).format(n=size)
            at = min(at + timedelta(seconds=self.rng.randint(15, 70)), self.days.at)
            leads.answer_criterion(lead=lead, criterion=criterion, value=reply, evidence=evidence, by=by, at=at)
        return at

    def qualify(self, lead: Lead, by: User, at: datetime) -> Step[tuple[Lead, datetime]]:
        """Spoken with, assessed, and both say yes."""
        at = self.days.later(at, 0.2, 4)
        yield from self.talk(by, at, lead=lead)
        at = yield from self.assess(
            lead,
            by,
            self.days.soon(at, 15, 40),
            people=self.rng.choice(("yes", "yes", "partly")),
            deciders=self.rng.choice(("yes", "partly", "partly")),
        )
        return verdicts.qualify(lead=lead, by=by, at=at), at

    def hand_off(self, lead: Lead, to: User, by: User, at: datetime, note: str = "") -> Step[HandOff]:
        yield at
        return handoffs.submit(lead=lead, to=to, by=by, at=at, note=note or self.rng.choice(words.HAND_OFF_NOTES))

    def decline(
        self, lead: Lead, by: User, at: datetime, reason: ReadyReason, come_back_on: date | None = None
    ) -> Step[None]:
        yield at
        who = self._of(lead)
        message = ""
        if reason not in (ReadyReason.NO_REPLY, ReadyReason.NOT_SERIOUS):
            message = words.DECLINE_MESSAGES[who.language].format(name=who.first_name)
        verdicts.decline(
            lead=lead,
            reason=reason,
            note=words.DECLINE_NOTES[reason],
            message=message,
            come_back_on=come_back_on,
            by=by,
            at=at,
        )

    # ---- Deals -----------------------------------------------------------------------------------------------------

    def views(self, at: datetime, product: int | None = None) -> dict[str, Any]:
        """What the buyer said and what the seller thinks: the seller hopes for a little more, and sooner."""
        rng = self.rng
        name, least, most = PRODUCTS[product if product is not None else rng.choice((0, 0, 0, 1, 1, 2, 3, 4))]
        amount = Decimal(rng.randrange(least, most, 100))
        day = at.date() + timedelta(days=rng.randint(25, 110))
        said: dict[str, Any] = {
            "product": name,
            "seller_amount": (amount * Decimal(rng.choice(("1", "1", "1.1", "1.25")))).quantize(Decimal("1")),
            "seller_date": self.days.working_day(day - timedelta(days=rng.randint(0, 20))),
            "seller_probability": rng.choice((20, 30, 40, 50, 60, 75)),
        }
        if rng.random() < 0.75:
            said |= {"buyer_amount": amount, "buyer_date": self.days.working_day(day)}
        return said

    def accept(self, hand_off: HandOff, by: User, at: datetime, **views: Any) -> Step[Deal]:
        """A deal with its step; the account manager looks after person and organisation from now on."""
        yield at
        views = views or self.views(at)
        deal = handoffs.accept(
            hand_off=hand_off,
            next_step=self.rng.choice(words.NEXT_STEPS),
            next_step_on=self.days.working_day(at.date() + timedelta(days=self.rng.randint(2, 8))),
            name=str(views.get("product", "")),
            by=by,
            at=at,
            **views,
        )
        self.look_after(deal, by, at)
        return deal

    def look_after(self, deal: Deal, by: User, at: datetime, tier: str = "") -> None:
        assert deal.person is not None
        assert deal.organisation is not None
        people.change(person=deal.person, owner=by, tier=tier or self.rng.choice("BBCC"), by=by, at=at)
        people.change_organisation(organisation=deal.organisation, owner=by, by=by, at=at)

    def advance(self, deal: Deal, stages: int, at: datetime, most_days: float = 14) -> Step[datetime]:
        """Through so many stages, with a conversation, a step and sometimes a promise in each."""
        owner = deal.owner
        assert owner is not None
        assert deal.person is not None
        for stage in self.cast.stages[1 : stages + 1]:
            at = self.days.later(at, 3, most_days)
            said = yield from self.talk(owner, at, deal=deal, kind=self._meeting())
            if self.rng.random() < 0.35:
                self.promise(deal, said, owner, at)
            at = self.days.soon(at, 5, 25)
            yield at
            deals.move(deal=deal, to=stage, by=owner, at=at)
            deals.set_step(
                deal=deal,
                next_step=self.rng.choice(words.NEXT_STEPS),
                next_step_on=self.days.working_day(at.date() + timedelta(days=self.rng.randint(3, 12))),
                by=owner,
                at=at,
            )
        return at

    def agree(self, deal: Deal, at: datetime, days: int = 4) -> Step[None]:
        """The next step of an open deal lies `days` from now."""
        owner = deal.owner
        assert owner is not None
        at = self.days.soon(at, 3, 15)
        yield at
        deals.set_step(
            deal=deal,
            next_step=self.rng.choice(words.NEXT_STEPS),
            next_step_on=self.days.ahead(days),
            by=owner,
            at=at,
        )

    def promise(self, deal: Deal, said: Conversation, owner: User, at: datetime) -> None:
        """Ours or theirs; kept, broken or moved when its day has passed."""
        assert deal.person is not None
        side = self.rng.choice((PromiseSide.OURS, PromiseSide.THEIRS))
        text = self.rng.choice(words.OUR_PROMISES if side == PromiseSide.OURS else words.THEIR_PROMISES)
        due_on = self.days.working_day(at.date() + timedelta(days=self.rng.randint(1, 9)))
        made = promises.make(
            side=side,
            text=text,
            person=deal.person,
            deal=deal,
            conversation=said,
            due_on=due_on,
            by=owner,
            at=at,
        )
        if due_on < self.days.today - timedelta(days=2):
            self.follow(self._settle(made, owner, at))

    def _settle(self, made: Promise, owner: User, at: datetime) -> Step[None]:
        """Most promises are kept in time; some are moved, few are broken."""
        days = (made.due_on - at.date()).days
        fate = next(self._promised[PromiseSide(made.side)]) % 9
        if fate not in (3, 6):
            at = self.days.later(at, 0.5, max(0.6, days))
            yield at
            promises.keep(promise=made, by=owner, at=at)
            return
        at = self.days.later(at, days, days + 1)
        yield at
        if fate == 3:
            promises.break_(promise=made, by=owner, at=at)
        else:
            promises.move(promise=made, due_on=self.days.working_day(at.date() + timedelta(days=7)), by=owner, at=at)
            at = self.days.later(at, 4, 6)
            yield at
            promises.keep(promise=made, by=owner, at=at)

    def win(self, deal: Deal, at: datetime, tier: str = "") -> Step[datetime]:
        owner = deal.owner
        assert owner is not None
        at = self.days.later(at, 2, 12)
        yield at
        deals.win(deal=deal, by=owner, at=at)
        if tier:
            assert deal.person is not None
            people.change(person=deal.person, tier=tier, by=owner, at=at)
        return at

    def lose(self, deal: Deal, at: datetime, reason: LostReason) -> Step[datetime]:
        owner = deal.owner
        assert owner is not None
        at = self.days.later(at, 2, 15)
        yield at
        deals.lose(deal=deal, reason=reason, note=words.LOST_NOTES[reason], by=owner, at=at)
        return at

    # ---- Small things ----------------------------------------------------------------------------------------------

    def _of(self, lead: Lead) -> Prospect:
        assert lead.person_id is not None
        return self.prospects[lead.person_id]

    def _meeting(self) -> ConversationKind:
        return self.rng.choice(
            (ConversationKind.CALL, ConversationKind.VIDEO, ConversationKind.VISIT, ConversationKind.EMAIL)
        )
