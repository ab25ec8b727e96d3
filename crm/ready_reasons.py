"""The reasons to decline with which every list begins, each with its kind words in two languages, written by hand: a letter is no translated button.

They are only where a list starts. What an organisation makes of them stands in its own list (`crm.declining`); nothing here is read after that, but
for the names of the eight, by which an old event is still told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReadyReason(StrEnum):
    """The codes of the eight."""

    NO_NEED = "no_need"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NO_BUDGET = "no_budget"
    NOT_NOW = "not_now"
    NO_MATCH = "no_match"
    NO_REPLY = "no_reply"
    NOT_SERIOUS = "not_serious"


@dataclass(frozen=True)
class Ready:
    """One reason as it is put in the list. The texts stand between greeting and closing; an empty line parts two paragraphs."""

    code: ReadyReason
    label_en: str
    label_nl: str
    text_en: str
    text_nl: str


def _unfolded(text: str) -> str:
    """Paragraphs as a mail has them: the line ends of this file are not the letter's."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


READY: tuple[Ready, ...] = (
    Ready(
        ReadyReason.NO_NEED,
        "They do not need what we make",
        "Ze hebben niet nodig wat wij maken",
        _unfolded("""
Thank you for your message. I have read it with care, and I do not think that what we make would help you enough to be
worth your money. I would rather say so now than after three meetings.

If your situation changes, write to me and I will gladly look again. What we publish stays open to you meanwhile.
"""),
        _unfolded("""
Bedankt voor uw bericht. Ik heb het aandachtig gelezen, en ik denk niet dat wat wij maken u genoeg helpt om uw geld
waard te zijn. Dat zeg ik liever nu dan na drie gesprekken.

Verandert uw situatie, schrijf me dan gerust; ik kijk graag opnieuw mee. Wat wij publiceren, blijft intussen voor u open
staan.
"""),
    ),
    Ready(
        ReadyReason.TOO_SMALL,
        "Too small for us to help well",
        "Te klein om goed te kunnen helpen",
        _unfolded("""
Thank you for thinking of us. The way we work is made for larger teams; for a team of your size it would cost more than
it brings, and you would be right to be disappointed.

A simpler tool, or an hour with somebody who works for smaller teams, will serve you better. If you grow, I would be
glad to hear from you again.
"""),
        _unfolded("""
Bedankt dat u aan ons hebt gedacht. Onze manier van werken is gemaakt voor grotere teams; voor een team van uw omvang
kost het meer dan het opbrengt, en dan zou u terecht teleurgesteld zijn.

Met een eenvoudiger hulpmiddel, of een uur met iemand die voor kleinere teams werkt, bent u beter geholpen. Groeit u,
dan hoor ik graag weer van u.
"""),
    ),
    Ready(
        ReadyReason.TOO_LARGE,
        "Too large for us to help well",
        "Te groot om goed te kunnen helpen",
        _unfolded("""
Thank you for your trust. A project of your size asks for more people than we have, and I do not want to promise what we
cannot keep.

A larger firm will serve you better. Should there be a smaller part with which you would like to begin, then we would be
glad to talk about that.
"""),
        _unfolded("""
Bedankt voor uw vertrouwen. Een project van uw omvang vraagt meer mensen dan wij hebben, en ik wil niets beloven wat we
niet kunnen waarmaken.

Met een groter bureau bent u beter geholpen. Is er een kleiner deel waarmee u wilt beginnen, dan praten we daar graag
over.
"""),
    ),
    Ready(
        ReadyReason.NO_BUDGET,
        "No budget for it",
        "Er is geen budget voor",
        _unfolded("""
Thank you for speaking so openly about your budget. What you need cannot be done well for that amount, and a half
solution would help neither of us.

What we publish is free to use, and much of it can be put to work without us. When there is room for it in your plans,
let me know; we will pick it up where we left it.
"""),
        _unfolded("""
Bedankt dat u zo open over uw budget hebt gesproken. Wat u nodig hebt, kan voor dat bedrag niet goed gebeuren, en met
een halve oplossing is niemand geholpen.

Wat wij publiceren, is vrij te gebruiken, en veel daarvan kunt u zonder ons toepassen. Komt er ruimte in uw plannen,
laat het me dan weten; we gaan verder waar we gebleven waren.
"""),
    ),
    Ready(
        ReadyReason.NOT_NOW,
        "Not the right moment",
        "Niet het juiste moment",
        _unfolded("""
Thank you for your message. From what you tell me this is not the right moment, and I do not want to press you.

I will leave you in peace. When the time comes, a short note to me is enough.
"""),
        _unfolded("""
Bedankt voor uw bericht. Uit wat u vertelt, begrijp ik dat dit niet het goede moment is, en ik wil u niet opjagen.

Ik laat u met rust. Is het zover, dan is een kort berichtje aan mij genoeg.
"""),
    ),
    Ready(
        ReadyReason.NO_MATCH,
        "We do not work in the same way",
        "We werken niet op dezelfde manier",
        _unfolded("""
Thank you for the conversation. I have the feeling that we look at this work in different ways, and that you would be
happier with somebody who works more as you do.

That is no judgement on your plans. I wish you well with them.
"""),
        _unfolded("""
Bedankt voor het gesprek. Ik heb het gevoel dat we anders naar dit werk kijken, en dat u beter op uw plaats bent bij
iemand die meer werkt zoals u.

Dat zegt niets over uw plannen. Ik wens u er veel succes mee.
"""),
    ),
    Ready(
        ReadyReason.NO_REPLY,
        "They do not answer",
        "Ze antwoorden niet",
        _unfolded("""
I have tried to reach you a few times about your question and have not heard from you. You are surely busy, so I will
not keep on.

I close your question for now. Should it still matter to you, a short reply to this message is enough and I will take it
up again.
"""),
        _unfolded("""
Ik heb u een paar keer proberen te bereiken over uw vraag, maar niets van u gehoord. U hebt het vast druk, dus ik blijf
niet aandringen.

Ik sluit uw vraag voorlopig af. Vindt u ze nog belangrijk, dan is een kort antwoord op dit bericht genoeg en pak ik ze
weer op.
"""),
    ),
    Ready(
        ReadyReason.NOT_SERIOUS,
        "Not a real enquiry",
        "Geen echte vraag",
        _unfolded("""
Thank you for your message. I do not see how we could help you with this, so I leave it here.

Should I have misunderstood you, then write to me what you are looking for, and I will read it again.
"""),
        _unfolded("""
Bedankt voor uw bericht. Ik zie niet hoe wij u hiermee kunnen helpen, dus ik laat het hierbij.

Heb ik u verkeerd begrepen, schrijf me dan wat u zoekt, en ik lees het opnieuw.
"""),
    ),
)


def label(code: str, language: str) -> str:
    """What a ready-made reason is called; empty for any other code."""
    ready = next((each for each in READY if each.code == code), None)
    return "" if ready is None else ready.label_nl if language.startswith("nl") else ready.label_en
