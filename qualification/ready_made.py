"""Scorecards to start with, each made in the active language and then a company's own: to be reworded, weighed and cut.

Five, and where they come from:

- *Ideal client*: the written description of whom one serves best and who is best served, from both sides.
- *BANT* (budget, authority, need, timeline): IBM's guide for finding opportunities, of the 1950s.
- *CHAMP* (challenges, authority, money, prioritisation): Zorian Rotenberg at InsightSquared, who put their challenge before their budget.
- *MEDDICC* (metrics, economic buyer, decision criteria, decision process, implicate the pain, champion, competition): Dick Dunkel, Jack Napoli and
  John McMahon at PTC, 1996; the second C came later.
- *Sandler* (pain, budget, decision): the middle of David Sandler's selling system, 1967.

They were written from the side of the seller. Here each asks the other side as well, since a customer is somebody whom we want and who wants us.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from qualification.models import Criterion, CriterionKind, Option, Scorecard, Side

OURS, THEIRS = Side.OURS, Side.THEIRS
SCALE, CHOICE, NUMBER, TEXT = CriterionKind.SCALE, CriterionKind.CHOICE, CriterionKind.NUMBER, CriterionKind.TEXT


@dataclass(frozen=True)
class Asked:
    """One question to be: `answers` are the options of a choice (words to points) or the bands of a number (from so many to points), `asks` is how
    it stands on a form, where prospects are asked it."""

    side: Side
    question: str
    help_text: str
    weight: int
    kind: CriterionKind = CriterionKind.YES_NO
    must_from: int = 0
    answers: tuple[tuple[str | int, int], ...] = ()
    asks: str = ""


@dataclass(frozen=True)
class ReadyMade:
    code: str
    name: str
    description: str
    questions: tuple[Asked, ...]


IDEAL_CLIENT = ReadyMade(
    "ideal-client",
    gettext_noop("Ideal client"),
    gettext_noop("Whom we help best, and who is helped best by us. A good start for everybody."),
    (
        Asked(
            OURS,
            gettext_noop("They name a pain that we can take away"),
            gettext_noop("In their own words, with an example of last week."),
            6,
            must_from=100,
        ),
        Asked(
            OURS,
            gettext_noop("How many people work there?"),
            gettext_noop("Neither too small nor too large for what we do well."),
            4,
            NUMBER,
            must_from=50,
            answers=((1, 2), (10, 8), (25, 10), (250, 5)),
            asks=gettext_noop("How many people work at your organisation?"),
        ),
        Asked(
            OURS,
            gettext_noop("How well do they treat people, us included?"),
            gettext_noop("How they speak of their own people, and whether they keep to what was agreed."),
            4,
            SCALE,
        ),
        Asked(
            THEIRS,
            gettext_noop("When do they want it to work?"),
            gettext_noop("Their date and not ours. Ask what happens on that day."),
            6,
            CHOICE,
            must_from=30,
            answers=(
                (gettext_noop("Within three months"), 10),
                (gettext_noop("Within half a year"), 8),
                (gettext_noop("Within a year"), 4),
                (gettext_noop("Some day"), 0),
            ),
            asks=gettext_noop("When would you like it to work?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("All who decide have spoken to us"),
            gettext_noop("Also the partner, the accountant, the board."),
            5,
        ),
        Asked(
            THEIRS,
            gettext_noop("What would they lose by doing nothing?"),
            gettext_noop("Their words, for whoever speaks with them next."),
            0,
            TEXT,
            asks=gettext_noop("What happens if nothing changes?"),
        ),
    ),
)

BANT = ReadyMade(
    "bant",
    gettext_noop("BANT"),
    gettext_noop("Budget, authority, need and timeline. Short; for many enquiries about one clear offer."),
    (
        Asked(
            OURS,
            gettext_noop("Is there money for it?"),
            gettext_noop("Ask for the range they have in mind before naming yours."),
            5,
            CHOICE,
            answers=(
                (gettext_noop("Yes, and they name the amount"), 10),
                (gettext_noop("It can be found for a good case"), 7),
                (gettext_noop("Perhaps in the next budget"), 3),
                (gettext_noop("No"), 0),
            ),
        ),
        Asked(
            OURS,
            gettext_noop("Whoever can say yes is in the conversation"),
            gettext_noop("Partly: we know who it is and when we meet them."),
            5,
            must_from=50,
        ),
        Asked(
            OURS,
            gettext_noop("They need what we are good at"),
            gettext_noop("The need behind the question, in their words."),
            6,
            must_from=100,
        ),
        Asked(
            OURS,
            gettext_noop("How many people would work with it?"),
            gettext_noop("Now, and not the plan for three years on."),
            3,
            NUMBER,
            answers=((1, 2), (5, 6), (20, 10)),
            asks=gettext_noop("How many of you would work with it?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("By when do they need it?"),
            gettext_noop("A date with a reason is worth more than an early one."),
            5,
            CHOICE,
            answers=(
                (gettext_noop("By a date that they explain"), 10),
                (gettext_noop("This quarter"), 8),
                (gettext_noop("This year"), 5),
                (gettext_noop("No date yet"), 0),
            ),
            asks=gettext_noop("By when do you need it?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("How much better off are they with us than with what they have?"),
            gettext_noop("As they say it. 1: hardly; 5: they would not go back."),
            5,
            SCALE,
        ),
        Asked(
            THEIRS,
            gettext_noop("They agreed to a next step with a date"),
            gettext_noop("Whoever wants something makes time for it."),
            4,
        ),
    ),
)

CHAMP = ReadyMade(
    "champ",
    gettext_noop("CHAMP"),
    gettext_noop(
        "Challenges first, then authority, money and priority. For first conversations with people who are not buying yet."
    ),
    (
        Asked(
            OURS,
            gettext_noop("Their challenge is one that we solved before"),
            gettext_noop("For somebody like them, whom we may name."),
            6,
            must_from=50,
        ),
        Asked(
            OURS,
            gettext_noop("How well do we know the way to the decision?"),
            gettext_noop("1: one name; 5: everybody with a say, and what each of them wants."),
            4,
            SCALE,
        ),
        Asked(
            OURS,
            gettext_noop("What does the challenge cost them in a month?"),
            gettext_noop("In euros, by their own reckoning. Help them to reckon it."),
            5,
            NUMBER,
            answers=((0, 0), (500, 3), (2000, 7), (10000, 10)),
        ),
        Asked(
            THEIRS,
            gettext_noop("They say themselves that it has to change"),
            gettext_noop("Not that it would be nice: that it has to."),
            6,
            must_from=100,
            asks=gettext_noop("Does this have to change this year?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("Where does it stand among what they have to do?"),
            gettext_noop("Ask what comes before it."),
            5,
            CHOICE,
            answers=(
                (gettext_noop("It comes first"), 10),
                (gettext_noop("Among the first three"), 7),
                (gettext_noop("Somewhere on the list"), 2),
                (gettext_noop("Not on the list"), 0),
            ),
            asks=gettext_noop("How high does this stand on your list?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("They would rather pay for it than live with it"),
            gettext_noop("Money was spoken of without anybody changing the subject."),
            4,
        ),
        Asked(
            THEIRS,
            gettext_noop("What did they try already?"),
            gettext_noop("And why it did not last."),
            0,
            TEXT,
            asks=gettext_noop("What have you tried already?"),
        ),
    ),
)

MEDDICC = ReadyMade(
    "meddicc",
    gettext_noop("MEDDICC"),
    gettext_noop(
        "Metrics, economic buyer, decision criteria and process, pain, champion and competition. For long sales with many people."
    ),
    (
        Asked(
            OURS,
            gettext_noop("How well is the gain put in figures that both of us believe?"),
            gettext_noop("Metrics. 1: no figure; 3: ours; 5: theirs, and they use it inside."),
            4,
            SCALE,
        ),
        Asked(
            OURS,
            gettext_noop("We spoke with whoever can free the money"),
            gettext_noop("Economic buyer. Partly: we know the name, and a day is agreed."),
            5,
            must_from=50,
        ),
        Asked(
            OURS,
            gettext_noop("We meet what they will judge by"),
            gettext_noop("Decision criteria. Ask for them in writing, or write them down and have them agreed."),
            5,
            must_from=50,
        ),
        Asked(
            OURS,
            gettext_noop("How much of their way to a signature do we know?"),
            gettext_noop("Decision process and paper. 5: every step with its day and its name, lawyers included."),
            4,
            SCALE,
        ),
        Asked(
            OURS,
            gettext_noop("Against whom do we stand?"),
            gettext_noop("Competition. Doing nothing is the strongest."),
            3,
            CHOICE,
            answers=(
                (gettext_noop("Nobody: they chose us"), 10),
                (gettext_noop("Others, and they prefer us"), 8),
                (gettext_noop("Others, on equal terms"), 5),
                (gettext_noop("Doing nothing"), 3),
                (gettext_noop("Somebody whom they prefer"), 0),
            ),
        ),
        Asked(
            THEIRS,
            gettext_noop("They feel the pain and say what it costs them"),
            gettext_noop("Implicate the pain: what goes wrong, whom it touches, and what it costs, in their words."),
            6,
            must_from=100,
            asks=gettext_noop("Does it cost you money or people today?"),
        ),
        Asked(
            THEIRS,
            gettext_noop("Somebody inside speaks for us when we are not there"),
            gettext_noop(
                "Champion: has a say, gains by it, and has shown it. Partly: likes us, and has not shown it yet."
            ),
            5,
            must_from=50,
        ),
        Asked(
            THEIRS,
            gettext_noop("How many people there would notice the difference?"),
            gettext_noop("The more of them gain, the less hangs on one."),
            3,
            NUMBER,
            answers=((1, 2), (10, 5), (50, 8), (200, 10)),
            asks=gettext_noop("How many people would notice the difference?"),
        ),
    ),
)

SANDLER = ReadyMade(
    "sandler",
    gettext_noop("Sandler"),
    gettext_noop(
        "Pain, budget and decision, in this order, and a clear no is as good as a yes. For honest first conversations."
    ),
    (
        Asked(
            OURS,
            gettext_noop("Their pain is one that we take away well"),
            gettext_noop("Below the first complaint lies the reason for it; below that, what it does to them."),
            6,
            must_from=100,
        ),
        Asked(
            OURS,
            gettext_noop("What would they invest?"),
            gettext_noop("Money, time and people. Talk about it before any proposal."),
            5,
            CHOICE,
            answers=(
                (gettext_noop("Enough, and they said how much"), 10),
                (gettext_noop("Enough money, too little time"), 5),
                (gettext_noop("Less than it takes"), 2),
                (gettext_noop("They will not say"), 0),
            ),
        ),
        Asked(
            OURS,
            gettext_noop("We know who decides, how and when"),
            gettext_noop("Who, what, where, when, why and how; they told us, we did not guess."),
            5,
            must_from=50,
        ),
        Asked(
            THEIRS,
            gettext_noop("How strongly do they feel it themselves?"),
            gettext_noop("1: somebody sent them; 3: it is a problem; 5: it keeps them awake."),
            6,
            SCALE,
            must_from=50,
            asks=gettext_noop("How much does this trouble you? 1 is little, 5 is a lot."),
        ),
        Asked(
            THEIRS,
            gettext_noop("They agreed what happens after a yes, and after a no"),
            gettext_noop("An agreement before the conversation: its end, and that a no may be said."),
            5,
        ),
        Asked(
            THEIRS,
            gettext_noop("How long have they lived with it?"),
            gettext_noop("In months. Long, and never acted upon: ask what is different now."),
            2,
            NUMBER,
            answers=((0, 4), (3, 10), (24, 6), (60, 3)),
            asks=gettext_noop("For how many months has this troubled you?"),
        ),
        Asked(THEIRS, gettext_noop("Their pain in their own words"), gettext_noop("Word for word."), 0, TEXT),
    ),
)

READY = {ready.code: ready for ready in (IDEAL_CLIENT, BANT, CHAMP, MEDDICC, SANDLER)}


@transaction.atomic
def make(ready: ReadyMade) -> Scorecard:
    """The first version of this scorecard, in the active language and not in use yet. One of that name must not exist (`IntegrityError`)."""
    scorecard = Scorecard.objects.create(name=_(ready.name), description=_(ready.description), is_active=False)
    for position, asked in enumerate(ready.questions):
        criterion = Criterion.objects.create(
            scorecard=scorecard,
            side=asked.side,
            kind=asked.kind,
            question=_(asked.question),
            help_text=_(asked.help_text),
            weight=asked.weight,
            is_must=asked.must_from > 0,
            must_from=asked.must_from or 100,
            asks_prospect=bool(asked.asks),
            prospect_question=_(asked.asks) if asked.asks else "",
            position=position,
        )
        Option.objects.bulk_create(
            Option(criterion=criterion, label=_(answer), points=points, position=place)
            if isinstance(answer, str)
            else Option(criterion=criterion, at_least=Decimal(answer), points=points, position=place)
            for place, (answer, points) in enumerate(asked.answers)
        )
    return scorecard
