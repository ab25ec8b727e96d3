"""Who works in the demo, what they know and ask: users, teams, content, forms, scorecard and pipeline. These are settings rather than history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from crm import capture_forms, pipelines
from crm.models import (
    CaptureForm,
    Content,
    ContentKind,
    OwnerRule,
    Role,
    Stage,
    Team,
    User,
)
from qualification.models import Criterion, Scorecard, Side

PASSWORD = "circle-of-trust"

PEOPLE = (
    ("noor@kring.example", "Noor Claes", Role.SDR, "Mechelen", "en"),
    ("fleur@kring.example", "Fleur Jansen", Role.SDR, "Utrecht", "nl"),
    ("joris@kring.example", "Joris De Smet", Role.ACCOUNT_MANAGER, "Mechelen", "en"),
    ("els@kring.example", "Els Verbeek", Role.ACCOUNT_MANAGER, "Utrecht", "nl"),
    ("mieke@kring.example", "Mieke Van Hove", Role.MANAGER, "Mechelen", "en"),
    ("admin@kring.example", "Arne Maas", Role.ADMIN, None, "en"),
)
KNOWS = {
    "joris@kring.example": (["interiors", "joinery"], ["sailing", "choir"]),
    "els@kring.example": (["brewing", "food"], ["cycling", "cooking"]),
}
"""The sectors that somebody knows, and what they like to talk about."""
"""Address, name, role, team and language of everybody who can log in; all with one password."""

CONTENT = (
    ("article", "Whiteboard to plan in a week", "planning"),
    ("article", "Herplannen kost u een dag per week", "planning"),
    ("article", "Two shifts without two plans", "shifts"),
    ("article", "Wie plant er als de planner ziek is?", "planning"),
    ("video", "A Monday morning at a joinery", "planning"),
    ("video", "Zo begint een ploegbaas zijn dag", "shifts"),
    ("webinar", "Planning with the people on the floor", "planning"),
    ("webinar", "Plannen voor het hoogseizoen", "season"),
    ("white_paper", "What re-planning really costs", "planning"),
    ("white_paper", "Gids: van Excel naar een rustige week", "planning"),
    ("event", "Fair for small makers, Mechelen", "meeting"),
    ("page", "Prices", "buying"),
    ("page", "Workshops and dates", "buying"),
)

ASKED_ON_THE_FORM = "Ten people or more"
CRITERIA = (
    (Side.OURS, "Pain they name themselves", "In their own words, with an example.", 5, True),
    (Side.OURS, "Ten people or more", "Who are planned, not who are employed.", 4, True),
    (Side.OURS, "They treat people as we do", "How they speak of their own people.", 5, False),
    (Side.THEIRS, "They chose a date and say why", "Their date, and what happens then.", 6, True),
    (Side.THEIRS, "All who decide have spoken to us", "Also the brother, the accountant, the board.", 6, False),
)
CRITERION_KEYS = ("pain", "size", "people", "date", "deciders")
"""The same five, as the vocabulary of evidence names them."""


@dataclass(frozen=True)
class Cast:
    """Everybody and everything that the story needs by name."""

    noor: User
    fleur: User
    joris: User
    els: User
    mieke: User
    admin: User
    content: dict[str, Content]
    contact: CaptureForm
    question: CaptureForm
    scorecard: Scorecard
    criteria: list[Criterion]
    stages: list[Stage]


def make(since: datetime, ahead: dict[str, date]) -> Cast:
    """The empty house, furnished on the day from which the story begins. `ahead`: when a piece of content takes place that is still to come."""
    teams = {
        "Mechelen": Team.objects.create(name="Mechelen", country="BE"),
        "Utrecht": Team.objects.create(name="Utrecht", country="NL"),
    }
    hashed = make_password(PASSWORD)
    users = [
        User.objects.create(
            email=email,
            name=name,
            role=role,
            team=teams.get(team or ""),
            language=language,
            password=hashed,
            date_joined=since,
            sectors=KNOWS.get(email, ((), ()))[0],
            interests=KNOWS.get(email, ((), ()))[1],
        )
        for email, name, role, team, language in PEOPLE
    ]
    noor, fleur, joris, els, mieke, admin = users
    content = {
        title: Content.objects.create(kind=ContentKind(kind), title=title, topic=topic, happens_on=ahead.get(title))
        for kind, title, topic in CONTENT
    }
    scorecard = Scorecard.objects.create(
        name="Ideal client",
        version=3,
        description="Small firms that plan people and work every week, and want calm rather than control.",
        created_at=since,
    )
    Criterion.objects.bulk_create(
        Criterion(
            scorecard=scorecard,
            side=side,
            question=question,
            help_text=help_text,
            weight=weight,
            is_must=is_must,
            asks_prospect=question == ASKED_ON_THE_FORM,
            position=position,
        )
        for position, (side, question, help_text, weight, is_must) in enumerate(CRITERIA)
    )
    pipeline = pipelines.ensure_default()
    return Cast(
        noor=noor,
        fleur=fleur,
        joris=joris,
        els=els,
        mieke=mieke,
        admin=admin,
        content=content,
        contact=_form(
            since,
            slug="contact",
            title="How can we help you?",
            intro="Tell us what keeps you busy. A person reads it and answers within an hour of the working day.",
            thank_you="Noor or a colleague reads it and answers you today, or tomorrow morning.",
            language="en",
            origin="website",
            content=content["Workshops and dates"],
            owner=noor,
        ),
        question=_form(
            since,
            slug="vraag",
            title="Waarmee kunnen wij u helpen?",
            intro="Vertel ons wat u bezighoudt. Een mens leest het en antwoordt binnen een werkuur.",
            thank_you="Noor of een collega leest het en antwoordt u vandaag nog, of morgenvroeg.",
            language="nl",
            origin="website",
            content=content["Herplannen kost u een dag per week"],
            owner=noor,
        ),
        scorecard=scorecard,
        criteria=list(scorecard.criteria.order_by("position")),
        stages=list(pipeline.stages.order_by("position", "id")),
    )


def _form(since: datetime, *, slug: str, intro: str, thank_you: str, **terms: Any) -> CaptureForm:
    """An open form with the usual fields, in its own language, whose leads go to one SDR."""
    return capture_forms.make(
        slug=slug,
        terms=capture_forms.Terms(owner_rule=OwnerRule.USER, **terms),
        words=capture_forms.Words(terms["title"], intro=intro, thank_you=thank_you),
        by=None,
        at=since,
    )
