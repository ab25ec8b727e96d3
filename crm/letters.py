"""The frame of mail to people outside, in their own language and not in the reader's: how it begins and ends, and a start for an answer.

It is written by hand in both languages, since a letter is not a translated button. Whoever sends one reads it first and changes what they like.
"""

from __future__ import annotations

from crm.models import Person, Salutation, User

SUBJECT = {"en": "Your question", "nl": "Uw vraag"}
GREETING = {"en": "Dear {name},", "nl": "Beste {name},"}
FORMAL = {
    "en": {Salutation.MR: "Dear Mr {name},", Salutation.MS: "Dear Ms {name},"},
    "nl": {Salutation.MR: "Geachte heer {name},", Salutation.MS: "Geachte mevrouw {name},"},
}
NAMELESS = {"en": "Good day,", "nl": "Goeiedag,"}
CLOSING = {"en": "Kind regards,\n{sender}", "nl": "Met vriendelijke groet,\n{sender}"}

BOOKING_SUBJECT = {"en": "Choose a time that suits you", "nl": "Kies een moment dat u past"}
BOOKING = {
    "en": """
I would gladly take {minutes} minutes to talk with you. Below you see when {host} is free; choose the time that suits you, and
you both get an invitation.

{url}

You can move or cancel it by the same link. Should no time suit you, then just reply to this mail.
""",
    "nl": """
Graag maken we {minutes} minuten vrij om met u te praten. Hieronder ziet u wanneer {host} vrij is; kies het moment dat u
past, dan krijgt u allebei een uitnodiging.

{url}

Via dezelfde link kunt u de afspraak verplaatsen of afzeggen. Past geen enkel moment, antwoord dan gewoon op deze mail.
""",
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
    return framed("", to=to, sender=sender, language=language)


def framed(body: str, *, to: Person | None, sender: User, language: str) -> str:
    """A whole letter around these words: greeting, words, closing."""
    return f"{greeting(to, language)}\n\n{body}\n\n{closing(sender, language)}"


def booking_subject(language: str) -> str:
    return BOOKING_SUBJECT[_known(language)]


def booking(*, to: Person | None, sender: User, host: User, minutes: int, url: str, language: str) -> str:
    """A whole mail with the link by which they choose a time themselves."""
    # The line ends of this file are not the letter's.
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in BOOKING[_known(language)].strip().split("\n\n"))
    return framed(text.format(minutes=minutes, host=host, url=url), to=to, sender=sender, language=language)


def _known(language: str) -> str:
    return language if language in SUBJECT else "en"
