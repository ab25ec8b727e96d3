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


@dataclass(frozen=True)
class Name:
    given: str
    particle: str
    family: str


def parse_name(text: str) -> Name:
    """Split a full name as people in the Low Countries write it. One word alone is a given name.

    >>> parse_name("Peter van der Meulen")
    Name(given='Peter', particle='van der', family='Meulen')
    >>> parse_name("Sofie De Wit")
    Name(given='Sofie', particle='', family='De Wit')
    """
    words = text.split()
    first = next((i for i, word in enumerate(words) if word in PARTICLES), None)
    if first is None:
        return Name(" ".join(words[:1]), "", " ".join(words[1:]))
    last = first
    while last < len(words) - 1 and words[last] in PARTICLES:
        last += 1
    return Name(" ".join(words[:first]), " ".join(words[first:last]), " ".join(words[last:]))


def parse_phone(text: str, country: str | None = None) -> str:
    """A phone number in E.164 notation. National notations are read as numbers of `country` (default: the organisation's).

    Refuses what is no possible number, naming it.
    """
    try:
        number = phonenumbers.parse(text, country or settings.COUNTRY)
    except phonenumbers.NumberParseException:
        number = None
    readable = number is not None and phonenumbers.is_possible_number(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number and readable else ""
    if not re.fullmatch(
        E164, e164
    ):  # A number may be possible in its country, for calls within a town, and be none in E.164.
        raise Refused(
            _("“%(number)s” is not a phone number. Write it with its country code, such as +32 15 12 34 56.")
            % {"number": text}
        )
    return e164


def parse_email(text: str) -> str:
    """An e-mail address in lower case. Refuses what is none, naming it."""
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(_("“%(address)s” is not an e-mail address.") % {"address": text}) from None
    return address


def parse_vat(text: str) -> str:
    """A European VAT number without dots and spaces, or nothing from nothing. Refuses what is none, naming it."""
    if not text.strip():
        return ""
    try:
        return str(vat.validate(text.strip()))
    except stdnum_errors.ValidationError:
        raise Refused(
            _("“%(number)s” is not a European VAT number, such as BE0428759497.") % {"number": text}
        ) from None


def parse_kvk(text: str) -> str:
    """A KvK number as its eight digits, or nothing from nothing. Refuses what is none: a zero that a spreadsheet dropped is not guessed."""
    digits = re.sub(r"[\s.]", "", text)
    if digits and not re.fullmatch(r"[0-9]{8}", digits):
        raise Refused(
            _("“%(number)s” is not a KvK number. It has eight digits, leading zeros included.") % {"number": text}
        )
    return digits
