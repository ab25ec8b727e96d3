"""What the firm has set up in a year: hours and offices of its teams, who is away and who gets which leads, what it offers to whom it declines, and
messages that a machine seems to have sent."""

from __future__ import annotations

from datetime import date, timedelta

from crm import absences, assignment, capture_forms, declining, handoffs, hooks, submissions, teams
from crm.channels.web_form import Submission
from crm.demo.walk import Step, Walk
from crm.models import AlternativeKind, FieldKind, HandOff, Lead, LeadStatus, OwnerRule, RefusedBecause, Verdict
from crm.verdicts import ask_first, evaluate_no, qualify

OFFICES = {"Mechelen": ("Befferstraat 12", "2800"), "Utrecht": ("Oudegracht 201", "3511 NH")}
ALTERNATIVES = (
    (
        AlternativeKind.CONTENT,
        "Guide: from a spreadsheet to a calm week",
        "https://www.kring.example/guide",
        "Our guide shows how far one gets alone, in ten evenings: https://www.kring.example/guide",
        "Onze gids laat zien hoe ver u alleen komt, in tien avonden: https://www.kring.example/guide",
    ),
    (
        AlternativeKind.COLLEAGUE,
        "Planwerk, for teams of two to eight",
        "https://planwerk.example",
        "Planwerk helps teams of your size and is good at it. They know that I send you: https://planwerk.example",
        "Planwerk helpt teams van uw omvang en is daar goed in. Ze weten dat ik u stuur: https://planwerk.example",
    ),
    (
        AlternativeKind.OFFERING,
        "An open workshop day",
        "https://www.kring.example/workshops",
        "On our open days you plan your own week with ours beside it, for a small price: https://www.kring.example/workshops",
        "Op onze open dagen plant u uw eigen week naast de onze, voor een kleine prijs: https://www.kring.example/workshops",
    ),
)
LOOKED_BACK = (
    (True, "They chose a smaller tool and are content."),
    (True, ""),
    (False, "They grew to twenty within the year; we could have asked about their plans."),
)


class House:
    """What those who lead wrote down, and what came in between."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.days = walk, walk.cast, walk.days

    def gather(self) -> None:
        """Each of it is ready to be told."""
        for story in (
            self.set_up(),
            self.away(),
            self.look_back(),
            self.strange_messages(),
            self.doubts(),
            self.asked_back(),
        ):
            self.walk.follow(story)

    def set_up(self) -> Step[None]:
        """A year ago, on one long afternoon."""
        admin, mieke, at = self.cast.admin, self.cast.mieke, self.days.back(420, 14)
        yield at
        for team in {user.team for user in (self.cast.joris, self.cast.els) if user.team}:
            address, postcode = OFFICES[team.name]
            says = teams.Says(
                name=team.name,
                country=team.country,
                closed_days=[date(self.days.today.year, 12, 24), date(self.days.today.year, 12, 31)],
                office_address=address,
                office_postcode=postcode,
            )
            teams.save(says=says, team=team, by=admin, at=at)
        for language, sdr in (("nl", self.cast.fleur), ("en", self.cast.noor)):
            assignment.save_rule(language=language, team=sdr.team, by=admin, at=at)
        for kind, name, url, english, dutch in ALTERNATIVES:
            declining.save_alternative(kind=kind, name=name, url=url, text_en=english, text_nl=dutch, by=mieke, at=at)
        hooks.make(
            name="Trial accounts",
            slug="trial-accounts",
            origin="trial account",
            language="en",
            owner_rule=OwnerRule.RULES,
            by=admin,
            at=at,
        )
        for form, words, consent in (
            (self.cast.contact, "Do ten or more people work with your plan?", "You may write to me about my question."),
            (self.cast.question, "", "U mag mij schrijven over mijn vraag."),
        ):
            text = form.texts.get(language=form.language)
            said = capture_forms.Words(
                title=text.title, intro=text.intro, thank_you=text.thank_you, consent=consent, button=text.button
            )
            capture_forms.set_words(form=form, language=form.language, words=said, by=admin, at=at)
            if words:
                field = capture_forms.add_field(
                    form=form, kind=FieldKind.QUESTION, criterion_key=self.cast.criteria[1].key, by=admin, at=at
                )
                capture_forms.change_field(field=field, label_en=words, label_nl="", is_required=False, by=admin, at=at)

    def away(self) -> Step[None]:
        """Els has a week off soon; Fleur was away in summer."""
        at = self.days.workdays_back(3, 9, 30)
        yield at
        monday = self.days.today + timedelta(days=14 - self.days.today.weekday())
        absences.note(
            user=self.cast.els,
            starts_on=monday,
            ends_on=monday + timedelta(days=4),
            why="Cycling in the Ardennes",
            stand_in=self.cast.joris,
            by=self.cast.els,
            at=at,
        )

    def look_back(self) -> Step[None]:
        """Mieke and her people looked at some noes of months ago; the others still wait for it."""
        at = self.days.back(9, 16, 10)
        yield at
        old = Lead.objects.filter(verdict=Verdict.DECLINED, verdict_at__lt=at - timedelta(days=90)).order_by("pk")
        for lead, (is_same, line) in zip(old[: len(LOOKED_BACK)], LOOKED_BACK, strict=False):
            evaluate_no(lead=lead, would_decide_same=is_same, line=line, by=self.cast.mieke, at=at)

    def strange_messages(self) -> Step[None]:
        """Two messages that look like a machine's wait for somebody to look; one of them may be human."""
        at = self.days.workdays_back(2, 11, 12)
        yield at
        sent = Submission(
            message_id="contact:demo:seo",
            name="Grow Fast",
            email="offers@growfast.example",
            message="Your site could rank first. Reply to learn how.",
            is_trap=True,
        )
        submissions.submit(form=self.cast.contact, sent=sent, language="en", at=at)
        at = self.days.workdays_back(1, 8, 2)
        yield at
        sent = Submission(
            message_id="vraag:demo:haast",
            name="Wout Aerts",
            email="wout@aertsdakwerken.example",
            organisation="Aerts Dakwerken",
            message="Ik vul dit in van op de werf. Kunt u mij bellen na vier uur?",
        )
        submissions.submit(form=self.cast.question, sent=sent, language="nl", at=at, refused=RefusedBecause.TOO_FAST)

    def doubts(self) -> Step[None]:
        """Fleur goes on with somebody of whom the scorecard is not sure, and Noor needs to know more before she decides."""
        at = self.days.workdays_back(2, 14, 5)
        yield at
        unsure = Lead.objects.filter(status=LeadStatus.WORKING, owner=self.cast.fleur, assessment__isnull=False)
        for lead in unsure.order_by("pk")[:1]:
            qualify(
                lead=lead,
                why="Their new planner starts next month and asked for us by name.",
                by=self.cast.fleur,
                at=at,
            )
        at = self.days.workdays_back(1, 17, 10)
        yield at
        newest = Lead.objects.filter(status=LeadStatus.WORKING, owner=self.cast.noor).order_by("-pk").first()
        if newest is not None:
            ask_first(
                lead=newest,
                question="Who plans when you are on holiday?",
                on=self.days.ahead(0),
                by=self.cast.noor,
                at=at,
            )

    def asked_back(self) -> Step[None]:
        """Els wants to know one thing before she accepts, and Mieke gives her what waits for Joris, who has much in hand."""
        els, joris, mieke = self.cast.els, self.cast.joris, self.cast.mieke
        at = self.days.workdays_back(1, 15, 50)
        yield at
        for_joris = HandOff.objects.waiting().filter(to_user=joris).exclude(lead__person__family_name="De Wit")
        for hand_off in for_joris.order_by("-pk")[:1]:
            handoffs.redirect(hand_off=hand_off, to=els, by=mieke, at=at)
        at = self.days.workdays_back(1, 16, 30)
        yield at
        for hand_off in HandOff.objects.waiting().filter(to_user=els).order_by("pk")[:1]:
            handoffs.ask(hand_off=hand_off, question="Does the owner decide alone, or with her sister?", by=els, at=at)
