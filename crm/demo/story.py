"""The people of the story: those one meets first on Today, on the lead's page and on the board."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from crm import advocacy, deals, follow_ups, leads, people, promises, verdicts
from crm.demo.circle import Circle, Outcome
from crm.demo.crowd import Crowd
from crm.demo.walk import Prospect, Step, Walk
from crm.models import (
    Channel,
    ConversationKind,
    Deal,
    Direction,
    PromiseSide,
    ReadyReason,
    Touch,
)


class Story:
    """Sofie, Peter, Karim, Ilse and the others."""

    def __init__(self, walk: Walk, circle: Circle, crowd: Crowd) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng
        self.circle, self.crowd = circle, crowd

    def gather(self) -> None:
        """Each story is ready to be told."""
        for story in (
            self.sofie(),
            self.peter(),
            self.karim(),
            self.ilse(),
            self.de_linde(),
            self.anke(),
            self.hoeve_zuid(),
            self.verhage(),
        ):
            self.walk.follow(story)

    def sofie(self) -> Step[None]:
        """Has read along for years; qualified by Noor on the last working day, and offered to Joris, who answers today."""
        noor, content = self.cast.noor, self.cast.content
        at = self.days.back(330, 11)
        yield at
        people.add_organisation(
            name="Notelaar Interiors",
            domain="notelaar.example",
            sector="interiors",
            city="Mechelen",
            country="BE",
            owner=self.cast.joris,
            created_at=at,
            by=self.cast.joris,
            at=at,
        )
        at = self.days.workdays_back(1, 9, 12)
        lead = yield from self.walk.arrive(
            Prospect(
                name="Sofie De Wit",
                company="Notelaar Interiors",
                sector="interiors",
                city="Mechelen",
                country="BE",
                language="en",
                title="managing director",
                size=12,
                phone="+32470123456",
                interests=["sailing", "two-shift teams"],
                email="sofie@notelaar.example",
            ),
            at,
            origin="search",
            content=content["Whiteboard to plan in a week"],
            owner=noor,
            message="We are moving to two shifts in spring and our planning is still on a whiteboard. Which dates do you have for a "
            "workshop, and is the price on your site for a team of twelve?",
            has_read=False,
        )
        person = lead.person
        assert person is not None
        read = [title for title in content if not title.startswith(("Fair", "Prices"))][:8]
        first = at - timedelta(days=670)
        Touch.objects.bulk_create(
            [
                *(
                    Touch(person=person, content=content[title], at=first + timedelta(days=80 * number, hours=3))
                    for number, title in enumerate(read)
                ),
                Touch(person=person, content=content["Prices"], at=at - timedelta(minutes=8)),
            ]
        )
        at = self.days.workdays_back(1, 9, 31)
        yield at
        leads.answer(
            lead=lead,
            message="Dear Sofie, thank you for writing. The price holds for twelve. Two questions: what goes wrong most often on the "
            "whiteboard, and who decides with you? I will call you in a moment.",
            subject="Workshop for Notelaar Interiors",
            by=noor,
            at=at,
        )
        at = self.days.workdays_back(1, 9, 50)
        yield from self.walk.talk(
            noor,
            at,
            lead=lead,
            kind=ConversationKind.CALL,
            minutes=14,
            summary="They lose about a day a week to re-planning. She decides with her brother. Next step, agreed: a video call with Joris.",
            learned="She decides with her brother, and sails at weekends.",
            quote="If it works before Easter I do not need a quote.",
            has_gain=True,
            has_next_step=True,
        )
        yield self.days.workdays_back(1, 10, 5)
        replies = (
            ("yes", "“a day a week lost to re-planning”"),
            ("yes", "12, by the form"),
            ("partly", "answers openly, asked about our way"),
            ("yes", "before Easter, two shifts start"),
            ("partly", "brother not yet, ask on the video call"),
        )
        for minute, (criterion, (reply, evidence)) in enumerate(zip(self.cast.criteria, replies, strict=True)):
            leads.answer_criterion(
                lead=lead,
                criterion=criterion,
                value=reply,
                evidence=evidence,
                by=noor,
                at=self.days.workdays_back(1, 10, 5 + minute),
            )
        yield self.days.workdays_back(1, 15, 20)
        lead = verdicts.qualify(lead=lead, by=noor, at=self.days.workdays_back(1, 15, 20))
        yield from self.walk.hand_off(
            lead,
            self.cast.joris,
            noor,
            self.days.workdays_back(1, 15, 30),
            note="Wants a start before Easter; read along for 22 months. Fits: interiors, you both sail.",
        )

    def peter(self) -> Step[None]:
        """Happy customer; his first introduction was won and nobody told him, his second is late."""
        joris = self.cast.joris
        who = self._flemish("Peter van der Meulen", "Vandermeulen Logistics", "logistics", "Aalst", "hoofd planning")
        deal, at = yield from self.deal(who, self.days.back(300), origin="newsletter", product=1, stages=3)
        at = yield from self.walk.win(deal, at, tier="A")
        assert deal.person is not None
        at = self.days.later(at, 8, 12)
        yield at
        first = advocacy.ask(person=deal.person, deal=deal, whom="a haulier he plays cards with", by=joris, at=at)
        lead = yield from self.circle.introduce(first, joris, self.days.later(at, 2, 6))
        yield from self.circle.go_on(first, lead, joris, Outcome.WON)
        at = self.days.back(94, 15, 10)
        said = yield from self.walk.talk(
            joris,
            at,
            person=deal.person,
            kind=ConversationKind.VISIT,
            minutes=55,
            summary="The depot runs calmly. His sister does purchasing in Aalst and struggles with the same thing.",
            quote="After her holiday I will bring you two together.",
            has_gain=True,
            has_next_step=True,
        )
        back = self.days.today - timedelta(days=6)
        referral = advocacy.ask(person=deal.person, deal=deal, whom="his sister (purchasing, Aalst)", by=joris, at=at)
        advocacy.promise(
            referral=referral, due_on=back, not_before=back - timedelta(days=1), by=joris, at=at + timedelta(minutes=4)
        )
        promises.make(
            side=PromiseSide.OURS,
            text="Tell Peter how his first introduction went",
            person=deal.person,
            conversation=said,
            due_on=self.days.working_day(self.days.today - timedelta(days=2), -1),
            by=joris,
            at=at + timedelta(minutes=6),
        )

    def karim(self) -> Step[None]:
        """His own date has passed, and ours has moved three times."""
        joris = self.cast.joris
        who = self._flemish("Karim Boulhani", "Boulhani Metaal", "metalwork", "Antwerpen", "zaakvoerder", language="en")
        today = self.days.today
        deal, at = yield from self.deal(
            who,
            self.days.back(74),
            origin="webinar",
            stages=2,
            name="Planning suite",
            product_name="Planning suite",
            buyer_amount=Decimal("24500"),
            buyer_date=today - timedelta(days=8),
            buyer_words="In the middle of the month the new hall is ready, then we start.",
            seller_amount=Decimal("24500"),
            seller_date=today - timedelta(days=25),
            seller_probability=60,
        )
        for days_ago, new_date in ((27, -14), (16, -3), (5, 7)):
            at = self.days.back(days_ago, 16, 40)
            yield at
            deals.change(
                deal=deal, seller_date=self.days.working_day(today + timedelta(days=new_date)), by=joris, at=at
            )
        said = yield from self.walk.talk(
            joris,
            self.days.back(5, 16, 50),
            deal=deal,
            kind=ConversationKind.CALL,
            minutes=9,
            summary="The hall is not ready. He wants the schedule with the new dates before he decides.",
        )
        at = said.at + timedelta(minutes=5)
        deals.set_step(deal=deal, next_step="Ask for his date again", next_step_on=self.days.ahead(1), by=joris, at=at)
        assert deal.person is not None
        promises.make(
            side=PromiseSide.OURS,
            text="Send the revised schedule to Karim",
            person=deal.person,
            deal=deal,
            conversation=said,
            due_on=self.days.working_day(today, -1),
            by=joris,
            at=at,
        )

    def ilse(self) -> Step[None]:
        """Ordered twice, is glad, and has not been asked for a name in 140 days."""
        joris = self.cast.joris
        who = self._flemish("Ilse Maes", "Maes & Zn", "joinery", "Lier", "zaakvoerder")
        deal, at = yield from self.deal(who, self.days.back(290), origin="fair", product=0, stages=3)
        yield from self.walk.win(deal, at, tier="A")
        person = deal.person
        assert person is not None
        at = self.days.back(140, 11, 15)
        yield at
        referral = advocacy.ask(person=person, deal=deal, by=joris, at=at)
        at = self.days.soon(at, 20, 40)
        yield at
        advocacy.refuse(referral=referral, by=joris, at=at)
        yield from self.crowd.order_again(person, deal.organisation, joris, self.days.back(48))
        at = self.days.back(11, 10, 30)
        said = yield from self.walk.talk(
            joris,
            at,
            person=person,
            kind=ConversationKind.VISIT,
            minutes=70,
            summary="Two hours in the workshop. The second team plans by itself now.",
            quote="Wie had dat gedacht, op vrijdag om vijf uur naar huis.",
            has_learning=True,
            has_gain=True,
        )
        promises.make(
            side=PromiseSide.THEIRS,
            text="Numbers of last season",
            person=person,
            conversation=said,
            due_on=self.days.ahead(3),
            by=joris,
            at=at + timedelta(minutes=5),
        )
        at = self.days.workdays_back(1, 16, 45)
        yield at
        follow_ups.make(
            note="Ask Ilse who she would call in your place",
            owner=joris,
            due_on=self.days.ahead(0),
            person=person,
            organisation=deal.organisation,
            by=joris,
            at=at,
        )

    def de_linde(self) -> Step[None]:
        """“Not now”, fourteen months ago; nobody has spoken with them since."""
        noor = self.cast.noor
        who = self._flemish("Griet Vandamme", "Bakkerij De Linde", "bakery", "Mechelen", "bakker")
        lead = yield from self.walk.arrive(who, self.days.back(430, 8), origin="partner", channel=Channel.BY_HAND)
        at = yield from self.walk.answer(lead, noor, lead.received_at)
        at = self.days.later(at, 1, 3)
        yield from self.walk.talk(
            noor,
            at,
            lead=lead,
            kind=ConversationKind.CALL,
            minutes=11,
            summary="They have just taken over the second shop. Not now; in a year they would like to hear from us.",
            quote="Nu even niet, we hebben net de tweede winkel.",
            has_learning=True,
            has_next_step=True,
        )
        assert lead.person is not None
        people.change(person=lead.person, owner=self.cast.joris, tier="C", by=noor, at=at)
        come_back_on = self.days.working_day(self.days.today - timedelta(days=4), -1)
        yield from self.walk.decline(lead, noor, self.days.soon(at, 5, 20), ReadyReason.NOT_NOW, come_back_on)

    def anke(self) -> Step[None]:
        """Asked for the brochure. She asked for information, not for a call."""
        noor = self.cast.noor
        who = self._flemish("Anke Smeets", "Smeets Textiel", "textiles", "Sint-Niklaas", "planner")
        lead = yield from self.walk.arrive(
            who,
            self.days.workdays_back(1, 10, 47),
            origin="newsletter",
            content=self.cast.content["Gids: van Excel naar een rustige week"],
            owner=noor,
            message="Graag ontvang ik de brochure over plannen in twee ploegen. Bellen hoeft nog niet.",
        )
        at = self.days.workdays_back(1, 11, 10)
        yield at
        leads.answer(
            lead=lead,
            message="Dag Anke, hier is de brochure. Ik bel u niet; ik hoor graag later deze week of ze u iets leerde.",
            subject="De brochure die u vroeg",
            by=noor,
            at=at,
        )
        follow_ups.make(
            note="Ask Anke what the brochure taught her; she asked for information, not for a call",
            owner=noor,
            due_on=self.days.ahead(2),
            lead=lead,
            by=noor,
            at=at + timedelta(minutes=2),
        )

    def hoeve_zuid(self) -> Step[None]:
        """A workshop of which nobody has heard a word for weeks."""
        who = self._flemish("Wim Bogaert", "Hoeve Zuid", "food", "Brugge", "eigenaar")
        deal, _at = yield from self.deal(
            who,
            self.days.back(58),
            origin="social media",
            stages=0,
            name="Workshop, Hoeve Zuid",
            product_name="Workshop",
            seller_amount=Decimal("8200"),
            seller_date=self.days.ahead(20),
            seller_probability=40,
        )
        at = self.days.back(34, 14, 5)
        yield from self.walk.talk(
            self.cast.joris, at, deal=deal, kind=ConversationKind.CALL, summary="Will look at dates after the harvest."
        )
        at += timedelta(minutes=12)
        deals.move(deal=deal, to=self.cast.stages[1], by=self.cast.joris, at=at)
        deals.set_step(
            deal=deal,
            next_step="Ask for two dates after the harvest",
            next_step_on=self.days.working_day(self.days.today - timedelta(days=12), -1),
            by=self.cast.joris,
            at=at,
        )

    def verhage(self) -> Step[None]:
        """Much money, and one contact who decides with three others."""
        who = self._flemish("Hugo Verhage", "Verhage Depot", "logistics", "Roosendaal", "hoofd operaties")
        who.country, who.phone = "NL", "+31612345678"
        deal, at = yield from self.deal(
            who,
            self.days.back(40),
            origin="search",
            stages=1,
            name="Depot roll-out, Verhage",
            product_name="Depot roll-out",
            buyer_amount=Decimal("61000"),
            buyer_date=self.days.ahead(45),
            buyer_words="Met drie anderen in de directie beslis ik na nieuwjaar.",
            seller_amount=Decimal("66000"),
            seller_date=self.days.ahead(25),
            seller_probability=40,
        )
        at = max(at, self.days.back(6, 11))
        yield from self.walk.talk(
            self.cast.joris,
            at,
            deal=deal,
            kind=ConversationKind.EMAIL,
            direction=Direction.INCOMING,
            summary="Sends the plan of the depot. He decides with three others.",
            has_learning=True,
        )
        deals.set_step(
            deal=deal,
            next_step="Ask who the three others are",
            next_step_on=self.days.ahead(2),
            by=self.cast.joris,
            at=at + timedelta(minutes=3),
        )

    # ---- What the stories share ------------------------------------------------------------------------------------

    def _flemish(self, name: str, company: str, sector: str, city: str, title: str, language: str = "nl") -> Prospect:
        return self.walk.prospect(
            name=name,
            company=company,
            sector=sector,
            city=city,
            country="BE",
            language=language,
            title=title,
            phone=f"+3247{self.rng.randint(1000000, 9999999)}",
        )

    def deal(
        self,
        who: Prospect,
        at: datetime,
        *,
        origin: str,
        stages: int,
        product: int | None = None,
        name: str = "",
        product_name: str = "",
        **views: object,
    ) -> Step[tuple[Deal, datetime]]:
        """From the first message to so many stages, by Noor and Joris."""
        noor, joris = self.cast.noor, self.cast.joris
        lead = yield from self.walk.arrive(who, at, origin=origin)
        at = yield from self.walk.answer(lead, noor, at)
        lead, at = yield from self.walk.qualify(lead, noor, at)
        hand_off = yield from self.walk.hand_off(lead, joris, noor, self.days.soon(at, 5, 30))
        at = self.days.soon(at, 60, 200)
        deal = yield from self.walk.accept(
            hand_off, joris, at, **({"product": product_name, **views} if views else self.walk.views(at, product))
        )
        if name:
            deal = deals.change(deal=deal, name=name, by=joris, at=at)
        at = yield from self.walk.advance(deal, stages, at, most_days=9)
        return deal, at
