"""How names, addresses and numbers are written in the Low Countries, read into the one notation in which we keep them. Pure: no database.

What cannot be read is refused in words that name it, so that whoever typed it can see what to change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from stdnum import exceptions as stdnum_errors
from stdnum.eu import vat

from crm.refusal import Refused

E164 = r"\+[1-9][0-9]{5,14}"
"""What the database takes as a telephone number."""

PARTICLES = frozenset(
    """
    van von de der den ter ten te het 't op in aan bij uit over onder voor tot la le du des del della di da dos
    das do el al bin ben zu zum zur
    """.split()  # noqa: SIM905 - a page of words reads better than a page of quotes
)
"""Words that stand between given and family name; only in lower case, since a Belgian *De Wit* is a family name."""

FLEMISH = frozenset("Van Vanden Vander Vande De Den Der Ter Ten Te".split())  # noqa: SIM905
"""Particles that are part of the family name when they are written with a capital, as the Belgian registers do."""

TITLES = frozenset(
    """
    dr drs ir ing mr prof ds bc em.prof prof.dr prof.dr.ir prof.ir prof.mr dr.ir ir.dr drs.ing dhr mevr mw mevrouw
    meneer mme mrs ms miss
    """.split()  # noqa: SIM905
)
"""Words before a name that are no part of it, without their full stops."""

SUFFIXES = frozenset("msc ma mba mph bsc ba ll.m llm ll.b phd ph.d md ra rc aa jr sr ii iii iv cfa cpa mpa".split())  # noqa: SIM905
"""Words after a name that are no part of it, without a full stop at their end."""


def one_line(text: str, most: int | None = None) -> str:
    """The words on one line with one space between them, at most so many letters, and without what a database cannot keep."""
    return " ".join(text.replace("\0", "").split())[:most]


@dataclass(frozen=True)
class Name:
    """A name as we keep it. A title stays before the given name and a suffix behind the family name, as they write it; a greeting
    passes over them."""

    given: str
    particle: str
    family: str

    @property
    def first(self) -> str:
        """The given name without a title: *Peter*, of *dr. Peter*."""
        words = self.given.split()
        while words and _is_title(words[0]):
            words = words[1:]
        return " ".join(words)

    @property
    def last(self) -> str:
        """The family name without what is written behind it: *Meulen*, of *Meulen MSc*."""
        words = self.family.split()
        while len(words) > 1 and _is_suffix(words[-1]):
            words = words[:-1]
        return " ".join(words).rstrip(",")

    @property
    def surname(self) -> str:
        """As it stands where no given name goes before it: *Van der Meulen*, and *De Wit* as a Belgian writes it."""
        whole = f"{self.particle} {self.last}".strip()
        start = 1 if whole[:1] in "'’" else 0  # 't Hooft becomes 't Hooft: the apostrophe stands for the letter.
        return whole if start else whole[:1].upper() + whole[1:]

    @property
    def is_initials(self) -> bool:
        """Whether the given name is only initials, by which nobody is greeted: *P.J.*."""
        return bool(re.fullmatch(r"(?:[^\W\d_][a-z]?\.[ -]?)+|[A-Z]{1,3}", self.first))


def parse_name(text: str) -> Name:
    """Split a full name as people in the Low Countries write it, in the order of a letter or of a list. One word alone is a given name.

    >>> parse_name("Peter van der Meulen")
    Name(given='Peter', particle='van der', family='Meulen')
    >>> parse_name("Meulen, Peter van der")
    Name(given='Peter', particle='van der', family='Meulen')
    >>> parse_name("Sofie De Wit")
    Name(given='Sofie', particle='', family='De Wit')
    """
    words, suffixes = _without_suffixes(text)
    titles = []
    while len(words) > 1 and _is_title(words[0]):
        titles.append(words.pop(0))
    if "," in " ".join(words):
        name = _listed(" ".join(words))
    elif titles and len(words) == 1:
        name = Name("", "", words[0])
    else:
        name = _written(words)
    given, family = " ".join(filter(None, (*titles, name.given))), name.family
    if suffixes and family:
        family = f"{family} {' '.join(suffixes)}"
    elif suffixes:
        given = f"{given} {' '.join(suffixes)}"
    return Name(given, name.particle, family)


def _without_suffixes(text: str) -> tuple[list[str], list[str]]:
    words = text.split()
    suffixes: list[str] = []
    while len(words) > 1 and _is_suffix(words[-1]):
        suffixes.insert(0, words.pop().strip(","))
    if suffixes:
        words[-1] = words[-1].rstrip(",")
    return words, suffixes


def _is_title(word: str) -> bool:
    return word.lower().rstrip(".") in TITLES


def _is_suffix(word: str) -> bool:
    """Whether nothing but a suffix is written like this: *MSc* and *jr.* are, a family name *Ma* or *Ba* is not."""
    bare = word.strip(",").rstrip(".")
    return bare.lower() in SUFFIXES and (bare.lower() in ("jr", "sr", "phd", "ph.d") or bare[:2].isupper())


def _listed(text: str) -> Name:
    """Family name first: *Meulen, Peter van der*, *van der Meulen, Peter*, *Meulen, van der, Peter*."""
    family, *rest = (part.strip() for part in text.split(","))
    particles: list[str] = []
    words = " ".join(rest).split()
    titles = []
    while words and _is_title(words[0]):
        titles.append(words.pop(0))
    if len(rest) > 1 and rest[0] and all(_is_particle(word) for word in rest[0].split()):
        particles, words = words[: len(rest[0].split())], words[len(rest[0].split()) :]
    while words and _is_particle(words[-1]):
        particles.insert(0, words.pop())
    own = family.split()
    while len(own) > 1 and _is_particle(own[0]):
        particles.append(own.pop(0))
    return Name(" ".join((*titles, *words)), " ".join(particles), " ".join(own))


def _written(words: list[str]) -> Name:
    """Given name first: *Peter van der Meulen*, *Sofie De Wit*; or none at all: *van der Meulen*, *Van der Meulen*."""
    begins = next((i for i, word in enumerate(words) if _is_particle(word) or (word in FLEMISH and i > 0)), None)
    if begins is None or (begins == 1 and words[0] in FLEMISH):
        if len(words) > 1 and words[0] in FLEMISH:
            return Name("", "", " ".join(words))
        return Name(" ".join(words[:1]), "", " ".join(words[1:]))
    if words[begins] in FLEMISH:
        return Name(" ".join(words[:begins]), "", " ".join(words[begins:]))
    last = begins
    while last < len(words) - 1 and _is_particle(words[last]):
        last += 1
    return Name(" ".join(words[:begins]), " ".join(words[begins:last]), " ".join(words[last:]))


def _is_particle(word: str) -> bool:
    return word.replace("’", "'") in PARTICLES


EXTENSION = re.compile(
    r"(?:\b(?:ext(?:ension|\.)?|tst\.?|toestel|poste|intern|int\.)\s*[:.]?|;ext=|[#x])\s*\d+\s*$", re.I
)


def parse_phone(text: str, country: str | None = None) -> str:
    """A phone number in E.164 notation. National notations are read as numbers of `country` (default: the installation's); a Dutch mobile
    number is known as such in Belgium, where no number looks like it.

    Refuses what is no possible number, naming it, and an extension, which a number in this notation cannot hold.
    """
    if EXTENSION.search(text.strip()[-40:]):  # No more than where one can stand: a long text would take minutes.
        raise Refused(
            _("“%(number)s” has an extension, which we cannot dial. Leave it out, and write it in the note.")
            % {"number": text}
        )
    plain = re.sub(r"^([^\d+]*)00\s*(?=[1-9(])", r"\1+", text)
    country = (country or settings.COUNTRY).upper()
    number = _number(plain, country)
    if country == "BE" and number is not None and not phonenumbers.is_valid_number(number):
        dutch = _number(plain, "NL")
        if dutch is not None and phonenumbers.number_type(dutch) == phonenumbers.PhoneNumberType.MOBILE:
            number = dutch
    e164 = ""
    if number is not None and phonenumbers.is_possible_number(number):
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not re.fullmatch(
        E164, e164
    ):  # A number may be possible in its country, for calls within a town, and be none in E.164.
        raise Refused(
            _("“%(number)s” is not a phone number. Write it with its country code, such as +32 15 12 34 56.")
            % {"number": text}
        )
    return e164


def _number(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def parse_email(text: str) -> str:
    """An e-mail address in lower case. Refuses what is none, naming it."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(_("“%(address)s” is not an e-mail address.") % {"address": text}) from None
    return address


def parse_vat(text: str, country: str = "") -> str:
    """A European VAT number with its country and without dots and spaces, or nothing from nothing. Without its country it is read as one of
    `country`, else of the installation's, else as Belgian or Dutch: its check digits say which. Refuses what is none, naming it."""
    plain = re.sub(r"[\s./-]", "", text).upper()
    if not plain:
        return ""
    guesses = ("",) if plain[:2].isalpha() else tuple(dict.fromkeys((country.upper(), settings.COUNTRY, "BE", "NL")))
    for guess in guesses:
        try:
            return str(vat.validate(guess + plain))
        except stdnum_errors.ValidationError:
            continue
    raise Refused(_("“%(number)s” is not a European VAT number, such as BE0428759497.") % {"number": text})


def parse_kvk(text: str) -> str:
    """A KvK number as its eight digits, or nothing from nothing. Refuses what is none: a zero that a spreadsheet dropped is not guessed."""
    digits = re.sub(r"[\s.]", "", text)
    if digits and not re.fullmatch(r"[0-9]{8}", digits):
        raise Refused(
            _("“%(number)s” is not a KvK number. It has eight digits, leading zeros included.") % {"number": text}
        )
    return digits
