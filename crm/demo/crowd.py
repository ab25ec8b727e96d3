"""A year of leads, as many of each kind as a small firm sees: most are declined kindly or nurtured, four of ten become a deal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from crm import conversations, deals, handoffs, people, verdicts
from crm.demo import words
from crm.demo.circle import Circle, Outcome
from crm.demo.walk import Prospect, Step, Walk
from crm.models import (
    Channel,
    Content,
    ConversationKind,
    Deal,
    Direction,
    Lead,
    LostReason,
    Organisation,
    ReadyReason,
    RejectReason,
    User,
)

ORIGINS = (
    *["search"] * 7,
    *["newsletter"] * 4,
    *["webinar"] * 4,
    *["social media"] * 3,
    *["fair"] * 2,
    *["partner"] * 2,
    "advertisement",
    "unknown",
    "",
)
"""Where leads come from, as often as they do. Empty: nobody recorded it."""

OPEN = ((0, 6, (9, 24)), (1, 6, (22, 48)), (2, 5, (32, 75)), (3, 3, (48, 100)))
"""Stages passed, how many deals stand there, and how many days ago their leads came."""

RECOMMENDS = (
    Outcome.ASKED,
    Outcome.PROMISED,
    Outcome.INTRODUCED,
    Outcome.MET,
    Outcome.REFUSED,
    Outcome.WON,
    Outcome.LOST,
    Outcome.THANKED,
    Outcome.LAPSED,
    Outcome.LATE,
    Outcome.THANKED,
)
"""What comes of asking those who ordered, the latest order first."""


class Crowd:
    """All who are not in the story by name."""

    def __init__(self, walk: Walk, circle: Circle) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng
        self.circle = circle
        self._reasons = cycle(ReadyReason)
        self._lost = cycle(LostReason)
        # A shuffled deck, so that every origin brings orders in its share however few there are.
        self._origins_of_deals = cycle(self.rng.sample(ORIGINS, len(ORIGINS)))

    def gather(self) -> None:
        """Each lead's story is ready to be told."""
        self._some(9, (0, 2), self._new)
        self._some(15, (2, 15), self._working)
        self._some(6, (4, 16), self._qualified)
        self._some(4, (6, 14), self._handed_off)
        self._some(16, (12, 300), self._nurtured)
        self._some(33, (6, 355), self._declined)
        self._some(1, (11, 13), self._rejected)
        self._some(1, (70, 75), self._rejected_first)
        for stages, number, span in OPEN:
            self._some(number, span, self._open, stages=stages)
        self._some(15, (75, 350), self._won)
        self._some(11, (70, 330), self._lost_deal)
        for index in range(8):
            self.walk.follow(self._old_acquaintance(index))

    def _some(self, number: int, span: tuple[int, int], story: Callable[..., Step[None]], **how: Any) -> None:
        """So many leads, spread evenly over the days of `span`."""
        first, last = span
        for index in range(number):
            days = first + round((last - first) * (index + self.rng.random()) / number)
            self.walk.follow(story(self.days.arrival(days), index, **how))

    # ---- Kinds of leads --------------------------------------------------------------------------------------------

    def _arrive(
        self, at: datetime, owner: User | None = None, origin: str | None = None, **fixed: Any
    ) -> Step[tuple[Lead, Prospect, User]]:
        """A lead by form or by hand; the SDR whose country it is takes it."""
        who = self.walk.prospect(**fixed)
        origin = self.rng.choice(ORIGINS) if origin is None else origin
        content: Content | None = None
        if origin in ("search", "newsletter", "webinar", "social media"):
            content = self.rng.choice([piece for piece in self.cast.content.values() if _leads_here(piece, origin)])
        elif origin == "fair":
            content = self.cast.content["Fair for small makers, Mechelen"]
        channel = Channel.BY_HAND if origin in ("fair", "partner", "") else Channel.FORM
        lead = yield from self.walk.arrive(who, at, origin=origin, content=content, owner=owner, channel=channel)
        return lead, who, self._sdr(who)

    def _sdr(self, who: Prospect) -> User:
        return self.cast.fleur if who.country == "NL" else self.cast.noor

    def _account_manager(self, who: Prospect) -> User:
        return self.cast.els if who.country == "NL" else self.cast.joris

    def _new(self, at: datetime, index: int) -> Step[None]:
        """Just in; a few of them are Noor's already."""
        yield from self._arrive(at, owner=self.cast.noor if index % 3 == 0 else None)

    def _working(self, at: datetime, index: int) -> Step[None]:
        """Answered; with some we have spoken, and the scorecard is half full."""
        lead, _who, sdr = yield from self._arrive(at)
        at = yield from self.walk.answer(lead, sdr, at)
        if index % 3:
            at = self.days.later(at, 0.3, 4)
            yield from self.walk.talk(sdr, at, lead=lead, kind=ConversationKind.CALL)
            yield from self.walk.assess(
                lead,
                sdr,
                self.days.soon(at, 5, 20),
                people=self.rng.choice(("yes", "partly", "unknown")),
                date=self.rng.choice(("unknown", "unknown", "yes")),
                deciders="unknown",
            )

    def _qualified(self, at: datetime, index: int) -> Step[None]:
        lead, _who, sdr = yield from self._arrive(at)
        at = yield from self.walk.answer(lead, sdr, at)
        yield from self.walk.qualify(lead, sdr, at)

    def _handed_off(self, at: datetime, index: int) -> Step[None]:
        """Waits for an answer since yesterday or this morning."""
        lead, who, sdr = yield from self._arrive(at)
        at = yield from self.walk.answer(lead, sdr, at)
        lead, at = yield from self.walk.qualify(lead, sdr, at)
        submitted = self.days.workdays_back(1, 13 + index, 20)
        yield from self.walk.hand_off(lead, self._account_manager(who), sdr, max(at, submitted))

    def _nurtured(self, at: datetime, index: int) -> Step[None]:
        """Too early; most come back later this year, some came back this week."""
        lead, who, sdr = yield from self._arrive(at)
        at = yield from self.walk.answer(lead, sdr, at)
        at = self.days.later(at, 1, 5)
        yield from self.walk.talk(sdr, at, lead=lead, kind=ConversationKind.CALL)
        if index % 2:
            yield from self.walk.assess(lead, sdr, self.days.soon(at, 5, 20), date="no", deciders="unknown")
        at = self.days.later(at, 0.3, 2)
        yield at
        until = self.days.today + timedelta(days=(-3, 1, 20, 45, 80, 120)[index % 6])
        if until <= at.date():
            until = at.date() + timedelta(days=30)
        note = "They start when the second shift is there." if who.language == "en" else "“Bel mij na het seizoen.”"
        verdicts.nurture(lead=lead, until=self.days.working_day(until), note=note, by=sdr, at=at)

    def _declined(self, at: datetime, index: int) -> Step[None]:
        """A good no; one in four may come back."""
        reason = next(self._reasons)
        fixed: dict[str, Any] = {"size": 3} if reason == ReadyReason.TOO_SMALL else {}
        lead, _who, sdr = yield from self._arrive(at, **fixed)
        at = yield from self.walk.answer(lead, sdr, at)
        at = self.days.later(at, 0.3, 6)
        if reason == ReadyReason.NO_REPLY:
            yield from self.walk.talk(
                sdr,
                at,
                lead=lead,
                kind=ConversationKind.EMAIL,
                direction=Direction.OUTGOING,
                summary="Asked again whether this is still something they want to talk about.",
            )
            at = self.days.later(at, 1, 3)
        elif reason != ReadyReason.NOT_SERIOUS:
            yield from self.walk.talk(sdr, at, lead=lead, kind=ConversationKind.CALL)
            if index % 2 and reason in (ReadyReason.NO_NEED, ReadyReason.TOO_SMALL, ReadyReason.NO_MATCH):
                no = {"no_need": "pain", "too_small": "size", "no_match": "people"}[reason]
                unknown = {"date": "unknown", "deciders": "unknown"}
                yield from self.walk.assess(lead, sdr, self.days.soon(at, 3, 15), **{no: "no"}, **unknown)
            at = self.days.soon(at, 20, 90)
        back = None
        if reason in (ReadyReason.NOT_NOW, ReadyReason.NO_BUDGET):
            back = max(
                self.days.today + timedelta(days=self.rng.choice((-2, 30, 90, 150))), at.date() + timedelta(days=60)
            )
        yield from self.walk.decline(lead, sdr, at, reason, self.days.working_day(back) if back else None)
        if reason == ReadyReason.NOT_NOW and index % 2:
            at = self.days.later(at, 65, 70)
            yield at
            verdicts.reopen(lead=lead, by=sdr, at=at)
            at = self.days.later(at, 0.2, 1)
            yield from self.walk.talk(sdr, at, lead=lead, kind=ConversationKind.CALL)
            at = self.days.later(at, 0.2, 1)
            yield from self.walk.decline(lead, sdr, at, ReadyReason.NO_NEED)

    def _rejected(self, at: datetime, index: int) -> Step[None]:
        """Handed off too early, so it is Noor's again."""
        lead, who, _sdr = yield from self._arrive(at, city="Aalst", country="BE")
        sdr = self.cast.noor
        at = yield from self.walk.answer(lead, sdr, at)
        lead, at = yield from self.walk.qualify(lead, sdr, at)
        at = self.days.later(at, 0.1, 0.5)
        hand_off = yield from self.walk.hand_off(lead, self._account_manager(who), sdr, at)
        at = self.days.soon(at, 40, 150)
        yield at
        handoffs.reject(
            hand_off=hand_off,
            kind=RejectReason.INCOMPLETE,
            reason=words.REJECT_REASONS[0],
            by=self._account_manager(who),
            at=at,
        )

    def _rejected_first(self, at: datetime, index: int) -> Step[None]:
        """Joris had no room; Els took it, and won."""
        lead, _who, _sdr = yield from self._arrive(at, country="BE", city="Antwerpen")
        sdr = self.cast.noor
        at = yield from self.walk.answer(lead, sdr, at)
        lead, at = yield from self.walk.qualify(lead, sdr, at)
        hand_off = yield from self.walk.hand_off(lead, self.cast.joris, sdr, self.days.soon(at, 10, 40))
        at = self.days.soon(at, 60, 150)
        yield at
        handoffs.reject(
            hand_off=hand_off, kind=RejectReason.NO_ROOM, reason=words.REJECT_REASONS[1], by=self.cast.joris, at=at
        )
        at = self.days.soon(at, 10, 40)
        yield at
        lead = verdicts.qualify(lead=lead, by=sdr, at=at)
        hand_off = yield from self.walk.hand_off(lead, self.cast.els, sdr, self.days.soon(at, 5, 20))
        deal = yield from self.walk.accept(hand_off, self.cast.els, self.days.soon(at, 30, 90))
        at = yield from self.walk.advance(deal, 3, self.days.soon(at, 100, 200), most_days=9)
        yield from self._celebrate(deal, at)

    # ---- Deals -----------------------------------------------------------------------------------------------------

    def _deal(self, at: datetime, stages: int, most_days: float) -> Step[tuple[Deal, datetime]]:
        lead, who, sdr = yield from self._arrive(at, origin=next(self._origins_of_deals))
        at = yield from self.walk.answer(lead, sdr, at)
        lead, at = yield from self.walk.qualify(lead, sdr, at)
        to = self._account_manager(who)
        hand_off = yield from self.walk.hand_off(lead, to, sdr, self.days.soon(at, 5, 60))
        at = self.days.soon(at, 70, 280)
        deal = yield from self.walk.accept(hand_off, to, at)
        at = yield from self.walk.advance(deal, stages, at, most_days)
        return deal, at

    def _open(self, at: datetime, index: int, stages: int) -> Step[None]:
        """Open, and most of them in good hands: one in five has let its step slip."""
        deal, at = yield from self._deal(at, stages, most_days=9)
        owner = deal.owner
        assert owner is not None
        at = max(at, self.days.back((3, 5, 8, 13, 21)[(index + stages) % 5], 14, 10))
        yield at
        if index % 5 == 4:
            step_on = max(self.days.working_day(self.days.today - timedelta(days=6), -1), at.date())
        else:
            step_on = self.days.ahead((0, 2, 4, 9, 13)[index % 5])
        said = yield from self.walk.talk(owner, at, deal=deal, kind=ConversationKind.CALL)
        deals.set_step(deal=deal, next_step=self.rng.choice(words.NEXT_STEPS), next_step_on=step_on, by=owner, at=at)
        if index % 2 == 0:
            self.walk.promise(deal, said, owner, at)

    def _won(self, at: datetime, index: int) -> Step[None]:
        deal, at = yield from self._deal(at, 3, most_days=12)
        recommends = RECOMMENDS[index] if index < len(RECOMMENDS) else None
        yield from self._celebrate(deal, at, second_order=index % 4 == 3, recommends=recommends)

    def _celebrate(
        self, deal: Deal, at: datetime, *, second_order: bool = False, recommends: Outcome | None = None
    ) -> Step[None]:
        """Won, and cared for afterwards; some order again."""
        owner, person, organisation = deal.owner, deal.person, deal.organisation
        assert owner is not None
        assert person is not None
        at = yield from self.walk.win(deal, at, tier=self.rng.choice("AABBC"))
        if recommends is not None:
            self.walk.follow(self.circle.recommend(deal, at, recommends))
        for _ in range(self.rng.choice((0, 0, 1))):
            at = self.days.later(at, 25, 70)
            if at >= self.days.latest:
                return
            yield from self.walk.talk(owner, at, person=person, kind=ConversationKind.CALL)
        if second_order:
            yield from self.order_again(person, organisation, owner, self.days.later(at, 10, 30))

    def order_again(self, person: Any, organisation: Organisation | None, owner: User, at: datetime) -> Step[None]:
        """A deal without a lead: a customer comes back by themselves."""
        yield at
        views = self.walk.views(at)
        deal = deals.open(
            name=f"{views['product']}, second order",
            stage=self.cast.stages[0],
            owner=owner,
            organisation=organisation,
            person=person,
            next_step=self.rng.choice(words.NEXT_STEPS),
            next_step_on=self.days.working_day(at.date() + timedelta(days=5)),
            by=owner,
            at=at,
            **views,
        )
        at = yield from self.walk.advance(deal, 2, at, most_days=8)
        if at < self.days.back(4):
            yield from self.walk.win(deal, at)
        else:
            deals.set_step(
                deal=deal, next_step="Agree on the start date", next_step_on=self.days.ahead(5), by=owner, at=at
            )

    def _lost_deal(self, at: datetime, index: int) -> Step[None]:
        deal, at = yield from self._deal(at, index % 4, most_days=11)
        yield from self.walk.lose(deal, at, next(self._lost))

    # ---- People without a lead -------------------------------------------------------------------------------------

    def _old_acquaintance(self, index: int) -> Step[None]:
        """Known from before Kring; with two of them nobody has ever spoken."""
        owner = self.cast.els if index % 3 == 0 else self.cast.joris
        at = self.days.back(360 - 9 * index, 16, 5 + index)
        yield at
        who = self.walk.prospect()
        person, organisation = self.walk.meet(who, at, by=owner)
        people.change(person=person, owner=owner, tier="ABCC"[index % 4], by=owner, at=at)
        people.change_organisation(organisation=organisation, owner=owner, by=owner, at=at)
        if index % 4 == 3:
            return
        when = self.days.back(40 + 37 * index, 11, 30)
        yield max(at, when)
        conversations.log(
            people=[person],
            kind=ConversationKind.EVENT if index % 2 else ConversationKind.CALL,
            summary="Met again after a long time; nothing to buy now, good to know each other.",
            learned=self.rng.choice(words.LEARNED) if index % 2 else "",
            by=owner,
            at=max(at, when),
        )


def _leads_here(piece: Content, origin: str) -> bool:
    """Whether somebody of that origin came through this piece."""
    kinds = {
        "search": ("article", "page", "white_paper"),
        "newsletter": ("article", "white_paper"),
        "webinar": ("webinar",),
        "social media": ("video", "article"),
    }
    return piece.kind in kinds[origin]
