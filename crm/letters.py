"""Ready texts for mail to people outside, in their own language and not in the reader's: a start for an answer, and a kind no for each reason.

They are written by hand in both languages, since a letter is not a translated button. Whoever sends one reads it first and changes what they like.
"""

from __future__ import annotations

from crm.models import Person, ReadyReason, Salutation, User

SUBJECT = {"en": "Your question", "nl": "Uw vraag"}
GREETING = {"en": "Dear {name},", "nl": "Beste {name},"}
FORMAL = {
    "en": {Salutation.MR: "Dear Mr {name},", Salutation.MS: "Dear Ms {name},"},
    "nl": {Salutation.MR: "Geachte heer {name},", Salutation.MS: "Geachte mevrouw {name},"},
}
NAMELESS = {"en": "Good day,", "nl": "Goeiedag,"}
CLOSING = {"en": "Kind regards,\n{sender}", "nl": "Met vriendelijke groet,\n{sender}"}

KIND_NO: dict[str, dict[str, str]] = {
    "en": {
        ReadyReason.NO_NEED: """
Thank you for your message. I have read it with care, and I do not think that what we make would help you enough to be
worth your money. I would rather say so now than after three meetings.

If your situation changes, write to me and I will gladly look again. What we publish stays open to you meanwhile.
""",
        ReadyReason.TOO_SMALL: """
Thank you for thinking of us. The way we work is made for larger teams; for a team of your size it would cost more than
it brings, and you would be right to be disappointed.

A simpler tool, or an hour with somebody who works for smaller teams, will serve you better. If you grow, I would be
glad to hear from you again.
""",
        ReadyReason.TOO_LARGE: """
Thank you for your trust. A project of your size asks for more people than we have, and I do not want to promise what we
cannot keep.

A larger firm will serve you better. Should there be a smaller part with which you would like to begin, then we would be
glad to talk about that.
""",
        ReadyReason.NO_BUDGET: """
Thank you for speaking so openly about your budget. What you need cannot be done well for that amount, and a half
solution would help neither of us.

What we publish is free to use, and much of it can be put to work without us. When there is room for it in your plans,
let me know; we will pick it up where we left it.
""",
        ReadyReason.NOT_NOW: """
Thank you for your message. From what you tell me this is not the right moment, and I do not want to press you.

I will leave you in peace. When the time comes, a short note to me is enough.
""",
        ReadyReason.NO_MATCH: """
Thank you for the conversation. I have the feeling that we look at this work in different ways, and that you would be
happier with somebody who works more as you do.

That is no judgement on your plans. I wish you well with them.
""",
        ReadyReason.NO_REPLY: """
I have tried to reach you a few times about your question and have not heard from you. You are surely busy, so I will
not keep on.

I close your question for now. Should it still matter to you, a short reply to this message is enough and I will take it
up again.
""",
        ReadyReason.NOT_SERIOUS: """
Thank you for your message. I do not see how we could help you with this, so I leave it here.

Should I have misunderstood you, then write to me what you are looking for, and I will read it again.
""",
    },
    "nl": {
        ReadyReason.NO_NEED: """
Bedankt voor uw bericht. Ik heb het aandachtig gelezen, en ik denk niet dat wat wij maken u genoeg helpt om uw geld
waard te zijn. Dat zeg ik liever nu dan na drie gesprekken.

Verandert uw situatie, schrijf me dan gerust; ik kijk graag opnieuw mee. Wat wij publiceren, blijft intussen voor u open
staan.
""",
        ReadyReason.TOO_SMALL: """
Bedankt dat u aan ons hebt gedacht. Onze manier van werken is gemaakt voor grotere teams; voor een team van uw omvang
kost het meer dan het opbrengt, en dan zou u terecht teleurgesteld zijn.

Met een eenvoudiger hulpmiddel, of een uur met iemand die voor kleinere teams werkt, bent u beter geholpen. Groeit u,
dan hoor ik graag weer van u.
""",
        ReadyReason.TOO_LARGE: """
Bedankt voor uw vertrouwen. Een project van uw omvang vraagt meer mensen dan wij hebben, en ik wil niets beloven wat we
niet kunnen waarmaken.

Met een groter bureau bent u beter geholpen. Is er een kleiner deel waarmee u wilt beginnen, dan praten we daar graag
over.
""",
        ReadyReason.NO_BUDGET: """
Bedankt dat u zo open over uw budget hebt gesproken. Wat u nodig hebt, kan voor dat bedrag niet goed gebeuren, en met
een halve oplossing is niemand geholpen.

Wat wij publiceren, is vrij te gebruiken, en veel daarvan kunt u zonder ons toepassen. Komt er ruimte in uw plannen,
laat het me dan weten; we gaan verder waar we gebleven waren.
""",
        ReadyReason.NOT_NOW: """
Bedankt voor uw bericht. Uit wat u vertelt, begrijp ik dat dit niet het goede moment is, en ik wil u niet opjagen.

Ik laat u met rust. Is het zover, dan is een kort berichtje aan mij genoeg.
""",
        ReadyReason.NO_MATCH: """
Bedankt voor het gesprek. Ik heb het gevoel dat we anders naar dit werk kijken, en dat u beter op uw plaats bent bij
iemand die meer werkt zoals u.

Dat zegt niets over uw plannen. Ik wens u er veel succes mee.
""",
        ReadyReason.NO_REPLY: """
Ik heb u een paar keer proberen te bereiken over uw vraag, maar niets van u gehoord. U hebt het vast druk, dus ik blijf
niet aandringen.

Ik sluit uw vraag voorlopig af. Vindt u ze nog belangrijk, dan is een kort antwoord op dit bericht genoeg en pak ik ze
weer op.
""",
        ReadyReason.NOT_SERIOUS: """
Bedankt voor uw bericht. Ik zie niet hoe wij u hiermee kunnen helpen, dus ik laat het hierbij.

Heb ik u verkeerd begrepen, schrijf me dan wat u zoekt, en ik lees het opnieuw.
""",
    },
}


def subject(language: str) -> str:
    """The subject of a mail about what they asked."""
    return SUBJECT[_known(language)]


def closing(sender: User, language: str) -> str:
    """The last lines of a letter: a regard, and the signature of whoever writes it, or their name when they have none."""
    return CLOSING[_known(language)].format(sender=sender.mail_signature.strip() or sender)


def greeting(person: Person | None, language: str) -> str:
    """How a mail in this language begins: formally to whom we address as Mr or Ms, else by the given name, by the whole name when only initials
    are known, and without a name when there is none to use."""
    language = _known(language)
    name = person.name if person else None
    if person and name and name.family and person.salutation:
        return FORMAL[language][Salutation(person.salutation)].format(name=name.surname)
    if name is None or not name.first:
        return NAMELESS[language]
    if name.is_initials and name.family:
        return GREETING[language].format(name=f"{name.first} {name.particle} {name.last}".replace("  ", " "))
    return GREETING[language].format(name=name.first)


def answer(*, to: Person | None, sender: User, language: str) -> str:
    """The frame of an answer: greeting, room, closing."""
    return _letter("", to, sender, language)


def kind_no(reason: ReadyReason | str, *, to: Person | None, sender: User, language: str) -> str:
    """The whole text of a kind no for this reason. Raises `KeyError` for a reason that is none."""
    return _letter(_unfolded(KIND_NO[_known(language)][ReadyReason(reason)]), to, sender, language)


def is_ready_text(text: str, *, to: Person | None, sender: User, language: str) -> bool:
    """Whether nobody has written anything of their own into it, so that another ready text may take its place."""
    plain = text.replace("\r\n", "\n").strip()
    return not plain or plain in {kind_no(reason, to=to, sender=sender, language=language) for reason in ReadyReason}


def _letter(body: str, to: Person | None, sender: User, language: str) -> str:
    return f"{greeting(to, language)}\n\n{body}\n\n{closing(sender, language)}"


def _unfolded(text: str) -> str:
    """Paragraphs as a mail has them: the line ends of this file are not the letter's."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _known(language: str) -> str:
    return language if language in SUBJECT else "en"
