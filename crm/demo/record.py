"""What a year leaves on the record besides leads and deals: tags and salutations, who knows whom, mail both ways, calls that nobody answered, people
who asked to be left in peace, somebody who is here twice, and the views and texts that colleagues share."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from django.db.models import Q

from crm import attempts, correspondence, do_not_contact, duplicates, mail_templates, merging, pacing, people, views
from crm.channels.register_file import Entry
from crm.demo.walk import Step, Walk
from crm.models import (
    AttemptOutcome,
    ConversationKind,
    DealState,
    LawfulBasis,
    Organisation,
    Person,
    Salutation,
    Scope,
    User,
)
from crm.models.views import ListScreen

TEMPLATES = (
    {
        "name": "Information on the workshop",
        "subject_en": "The workshop you asked about",
        "body_en": "{{ greeting }}\n\nHere is what you asked for: what we do in a day, what it costs and which dates are free. Read it when it "
        "suits you; I will not call before you have had the time.\n\n{{ sender.signature }}",
        "subject_nl": "De workshop waarover u schreef",
        "body_nl": "{{ greeting }}\n\nHier is wat u vroeg: wat we doen, wat het kost en welke dagen vrij zijn. Lees het wanneer het u past; "
        "ik bel niet voor u de tijd hebt gehad.\n\n{{ sender.signature }}",
        "is_information": True,
    },
    {
        "name": "How is it going?",
        "subject_en": "How is the planning going?",
        "body_en": "{{ greeting }}\n\nThe first weeks with a new way of planning are the hardest. What goes well, and what does not yet?\n\n"
        "{{ sender.signature }}",
        "subject_nl": "Hoe gaat het met de planning?",
        "body_nl": "{{ greeting }}\n\nDe eerste weken met een nieuwe manier van plannen zijn de moeilijkste. Wat loopt goed, en wat nog niet?\n\n"
        "{{ sender.signature }}",
    },
)
VIEWS = (
    ("Customers not heard for a month", "ring=customer&contact=30", True),
    ("Never spoken to", "contact=never", False),
)


class Record:
    """The small things, told after the large ones."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng

    def gather(self) -> None:
        """Each of them is ready to be told."""
        for story in (self.texts(), self.notes(), self.mail(), self.unanswered(), self.peace(), self.twice()):
            self.walk.follow(story)

    def texts(self) -> Step[None]:
        """Mieke writes down what her people send often, and shares how she looks at the list."""
        at = self.days.back(120, 15)
        yield at
        for text in TEMPLATES:
            mail_templates.save(**text, is_shared=True, by=self.cast.mieke, at=at)
        for name, query, is_shared in VIEWS:
            views.save(screen=ListScreen.PEOPLE, name=name, query=query, is_shared=is_shared, by=self.cast.mieke, at=at)

    def notes(self) -> Step[None]:
        """How people are addressed, why we may keep their data, and who knows whom."""
        at = self.days.back(4, 9, 20)
        yield at
        buyers = Person.objects.filter(deals__state=DealState.WON).distinct().order_by("pk")
        for number, person in enumerate(buyers[:20]):
            people.change(
                person=person,
                salutation=(Salutation.MS, Salutation.MR)[number % 2] if number % 3 == 0 else "",
                preferred_channel=(ConversationKind.CALL, ConversationKind.EMAIL, "")[number % 3],
                tags=[("newsletter", "user day", "case study")[number % 3]],
                lawful_basis=LawfulBasis.CONTRACT,
                basis_source="The order and its terms",
                basis_since=at.date() - timedelta(days=(200, 390)[number % 4 == 3]),
                by=person.owner or self.cast.joris,
                at=at,
            )
        griet, wim, peter = (self._called(name) for name in ("Griet Vandamme", "Wim Bogaert", "Peter van der Meulen"))
        people.introduce(person=griet, other=wim, how="the same evening school", by=self.cast.joris, at=at)
        people.introduce(person=peter, other=griet, how="neighbours", by=self.cast.joris, at=at)
        people.set_not_before(
            person=wim, until=self.days.ahead(16), why="the harvest comes first", by=self.cast.joris, at=at
        )

    def mail(self) -> Step[None]:
        """Joris and Ilse write to each other; Hugo's machine answers that he is away."""
        joris = self.cast.joris
        at = self.days.workdays_back(6, 9, 40)
        yield at
        ilse, hugo = self._called("Ilse Maes"), self._called("Hugo Verhage")
        self._written(
            joris, ilse, at, "Question about the second shift", "ilse-1", "How did the first week with two shifts go?"
        )
        at = self.days.workdays_back(6, 11, 5)
        yield at
        self._written(
            joris,
            ilse,
            at,
            "Re: Question about the second shift",
            "ilse-2",
            "Better than we feared. Only Friday is still a puzzle; my brother will call you about it.\n\nOp "
            f"{at:%d-%m-%Y} om 09:40 schreef Joris De Smet:\n> How did the first week with two shifts go?",
            answers="ilse-1",
        )
        at = self.days.workdays_back(1, 16, 2)
        yield at
        back = self.days.ahead(12)
        self._written(
            joris,
            hugo,
            at,
            "Automatisch antwoord: Depot roll-out",
            "hugo-1",
            f"Ik ben afwezig en terug op {back.day}/{back.month}/{back.year}.",
            answers="hugo-0",
            is_automatic=True,
        )

    def unanswered(self) -> Step[None]:
        """Two calls that nobody answered: Kring asks to wait a little longer after each."""
        joris = self.cast.joris
        at = self.days.workdays_back(4, 10, 5)
        yield at
        person = self._reachable(joris, at)
        for days, hour in ((4, 10), (1, 14)):
            at = self.days.workdays_back(days, hour, 25)
            yield at
            number = person.phone_numbers.all()[0].number
            if not isinstance(
                pacing.may_contact(person, ConversationKind.CALL, at, by=joris, number=number), pacing.Allowed
            ):
                return
            attempt = attempts.start(person=person, number=number, by=joris, at=at)
            attempts.end(attempt=attempt, outcome=AttemptOutcome.NO_ANSWER, by=joris, at=at + timedelta(minutes=1))

    def peace(self) -> Step[None]:
        """Somebody asked not to be called, somebody else for no mail, and there is a register that is getting old."""
        at = self.days.back(45, 9)
        yield at
        entries = [Entry(number, f"+3215{200000 + 37 * number}") for number in range(1, 120)]
        do_not_contact.load_register(
            name="Do not call me",
            scope=Scope.CALL,
            source="The file of the register, fetched by hand",
            allowed_days=31,
            rows=entries,
            by=self.cast.admin,
            at=at,
        )
        at = self.days.workdays_back(3, 11, 15)
        yield at
        quiet = list(
            Person.objects.filter(leads__verdict="declined", phone_numbers__isnull=False).order_by("-pk").distinct()[:2]
        )
        do_not_contact.bar(
            scope=Scope.CALL,
            person=quiet[0],
            reason="prefers to write",
            source="told Noor by phone",
            since=at.date(),
            by=self.cast.noor,
            at=at,
        )
        do_not_contact.bar(
            scope=Scope.MAIL,
            person=quiet[1],
            reason="gets too much of it",
            source="a line under a mail",
            since=at.date(),
            by=self.cast.noor,
            at=at,
        )

    def twice(self) -> Step[None]:
        """Karim is here twice since a fair, and a bakery was until Joris saw it."""
        joris = self.cast.joris
        at = self.days.workdays_back(2, 16, 40)
        yield at
        karim = self._called("Karim Boulhani")
        bakery = Organisation.objects.get(name="Bakkerij De Linde")
        other = people.add_organisation(
            name="Bakkerij Linde", city="Mechelen", owner=bakery.owner, created_at=at, by=joris, at=at
        )
        people.add(
            name="K. Boulhani",
            phone=karim.phone_numbers.all()[0].number,
            organisation="Boulhani Metaalwerken",
            owner=joris,
            created_at=at,
            by=joris,
            at=at,
        )
        at = self.days.workdays_back(1, 9, 10)
        yield at
        merging.merge(keep=bakery, gone=other, by=joris, at=at)
        duplicates.find_all(at=at)

    # ---- Whom, and what they wrote ---------------------------------------------------------------------------------

    def _called(self, name: str) -> Person:
        return Person.objects.get(full_name=name)

    def _reachable(self, owner: User, at: datetime) -> Person:
        """Somebody of this seller with a telephone, with whom there was little contact of late, so that nothing speaks against a call."""
        mine = Person.objects.filter(owner=owner, phone_numbers__isnull=False, tier="C").order_by("pk")
        quiet = mine.filter(Q(last_contact_at__lt=at - timedelta(days=20)) | Q(last_contact_at=None)).distinct()
        judged = pacing.judge(quiet, ConversationKind.CALL, at, by=owner)
        return next(person for person in quiet if isinstance(judged[person.pk], pacing.Allowed))

    def _written(
        self,
        ours: User,
        theirs: Person,
        at: datetime,
        subject: str,
        key: str,
        text: str,
        *,
        answers: str = "",
        is_automatic: bool = False,
    ) -> None:
        """A mail as it came to Joris's mailbox: an answer is theirs, a first one his."""
        mail = EmailMessage()
        sides = (f"{ours.name} <{ours.email}>", f"{theirs} <{theirs.email_addresses.all()[0].address}>")
        mail["From"], mail["To"] = sides if not answers else reversed(sides)
        mail["Subject"], mail["Date"], mail["Message-ID"] = subject, format_datetime(at), f"<{key}@demo.example>"
        if answers:
            mail["In-Reply-To"] = mail["References"] = f"<{answers}@demo.example>"
        if is_automatic:
            mail["Auto-Submitted"] = "auto-replied"
        mail.set_content(text)
        correspondence.take_in(raw=mail.as_bytes(), user=ours, at=at)
