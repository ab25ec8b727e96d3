"""How names, numbers and addresses are read, sorted and greeted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import letters, notation
from crm.models import Person
from crm.notation import Name
from crm.refusal import Refused

NAMES = [
    # as written, given, particle, family, in a list, behind "mevrouw"
    ("Peter van der Meulen", "Peter", "van der", "Meulen", "Meulen, Peter van der", "Van der Meulen"),
    ("Meulen, Peter van der", "Peter", "van der", "Meulen", "Meulen, Peter van der", "Van der Meulen"),
    ("van der Meulen, Peter", "Peter", "van der", "Meulen", "Meulen, Peter van der", "Van der Meulen"),
    ("Meulen, van der, Peter", "Peter", "van der", "Meulen", "Meulen, Peter van der", "Van der Meulen"),
    ("Meulen, van der", "", "van der", "Meulen", "Meulen, van der", "Van der Meulen"),
    ("Sofie De Wit", "Sofie", "", "De Wit", "De Wit, Sofie", "De Wit"),
    ("De Wit, Sofie", "Sofie", "", "De Wit", "De Wit, Sofie", "De Wit"),
    ("De Wit", "", "", "De Wit", "De Wit", "De Wit"),
    ("Sofie de Wit", "Sofie", "de", "Wit", "Wit, Sofie de", "De Wit"),
    ("Peter Van der Meulen", "Peter", "", "Van der Meulen", "Van der Meulen, Peter", "Van der Meulen"),
    ("Jean-Claude Van Damme", "Jean-Claude", "", "Van Damme", "Van Damme, Jean-Claude", "Van Damme"),
    ("Zoë van 't Hoff", "Zoë", "van 't", "Hoff", "Hoff, Zoë van 't", "Van 't Hoff"),
    ("Jan van ’t Hek", "Jan", "van ’t", "Hek", "Hek, Jan van ’t", "Van ’t Hek"),
    ("Gerard 't Hooft", "Gerard", "'t", "Hooft", "Hooft, Gerard 't", "'t Hooft"),
    ("Els van Dijk-de Boer", "Els", "van", "Dijk-de Boer", "Dijk-de Boer, Els van", "Van Dijk-de Boer"),
    ("dr. Anna Smit", "dr. Anna", "", "Smit", "Smit, Anna", "Smit"),
    ("Smit, dr. Anna", "dr. Anna", "", "Smit", "Smit, Anna", "Smit"),
    ("dr. Smit", "dr.", "", "Smit", "Smit", "Smit"),
    ("Prof. dr. ir. Jan de Vries", "Prof. dr. ir. Jan", "de", "Vries", "Vries, Jan de", "De Vries"),
    ("drs. P.J. van Dam", "drs. P.J.", "van", "Dam", "Dam, P.J. van", "Van Dam"),
    ("Peter Jansen, MSc", "Peter", "", "Jansen MSc", "Jansen, Peter", "Jansen"),
    ("Jansen, Peter, MSc", "Peter", "", "Jansen MSc", "Jansen, Peter", "Jansen"),
    ("Martin King jr.", "Martin", "", "King jr.", "King, Martin", "King"),
    ("Yo-Yo Ma", "Yo-Yo", "", "Ma", "Ma, Yo-Yo", "Ma"),
    ("Ben Jansen", "Ben", "", "Jansen", "Jansen, Ben", "Jansen"),
    ("Madonna", "Madonna", "", "", "Madonna", ""),
]


def _listed(name):
    """As in a list by name: by the family name, without titles and suffixes, the particle behind."""
    return ", ".join(filter(None, (name.last, f"{name.first} {name.particle}".strip())))


@pytest.mark.parametrize(("text", "given", "particle", "family", "listed", "surname"), NAMES, ids=[n[0] for n in NAMES])
def test_a_name_is_split_sorted_and_greeted_as_it_is_done_here(text, given, particle, family, listed, surname):
    name = notation.parse_name(text)
    assert name == Name(given, particle, family)
    assert (_listed(name), name.surname) == (listed, surname)


@given(st.text(max_size=40))
def test_no_letter_of_a_name_is_lost_whatever_is_typed(text):
    name = notation.parse_name(text)
    kept = "".join((name.given, name.particle, name.family))
    assert sorted(c for c in kept if c.isalnum()) == sorted(c for c in text if c.isalnum())
    assert isinstance(_listed(name) + name.surname, str)


GREETINGS = [
    ("Peter van der Meulen", "", "nl", "Beste Peter,"),
    ("Peter van der Meulen", "", "en", "Dear Peter,"),
    ("Anna van der Meulen", "ms", "nl", "Geachte mevrouw Van der Meulen,"),
    ("Anna van der Meulen", "ms", "en", "Dear Ms Van der Meulen,"),
    ("Jan de Vries", "mr", "nl", "Geachte heer De Vries,"),
    ("Jan de Vries", "mr", "en", "Dear Mr De Vries,"),
    ("Sofie De Wit", "ms", "nl", "Geachte mevrouw De Wit,"),
    ("Gerard 't Hooft", "mr", "nl", "Geachte heer 't Hooft,"),
    ("dr. Anna Smit MSc", "ms", "nl", "Geachte mevrouw Smit,"),
    ("dr. Anna Smit", "", "nl", "Beste Anna,"),
    ("P.J. van Dam", "", "nl", "Beste P.J. van Dam,"),
    ("Madonna", "ms", "en", "Dear Madonna,"),
    ("De Wit", "", "nl", "Goeiedag,"),
    ("Peter Jansen", "", "fr", "Dear Peter,"),
]


@pytest.mark.parametrize(("name", "salutation", "language", "greeting"), GREETINGS)
def test_a_letter_greets_by_language_and_salutation(name, salutation, language, greeting):
    split = notation.parse_name(name)
    person = Person(given_name=split.given, particle=split.particle, family_name=split.family, salutation=salutation)
    assert letters.greeting(person, language) == greeting


def test_a_letter_to_nobody_in_particular_says_good_day():
    assert (letters.greeting(None, "nl"), letters.greeting(None, "en")) == ("Goeiedag,", "Good day,")


PHONES = [
    ("015 12 34 56", "BE", "+3215123456"),
    ("015/12.34.56", "BE", "+3215123456"),
    ("(015) 12 34 56", "BE", "+3215123456"),
    ("+32 15 12 34 56", "NL", "+3215123456"),
    ("0032 15 12 34 56", "NL", "+3215123456"),
    ("00 32 15 12 34 56", "NL", "+3215123456"),
    ("+32 (0)15 12 34 56", "BE", "+3215123456"),
    ("+32 015 12 34 56", "BE", "+3215123456"),
    ("+32 (0)2 123 45 67", "BE", "+3221234567"),
    ("tel: 015 12 34 56", "BE", "+3215123456"),
    ("0475/12.34.56", "BE", "+32475123456"),
    ("0475 12 34 56", "BE", "+32475123456"),
    ("0032(0)475-12.34.56", "BE", "+32475123456"),
    ("+32475123456", "BE", "+32475123456"),
    ("0800 12 345", "BE", "+3280012345"),
    ("06-12345678", "NL", "+31612345678"),
    ("06 12 34 56 78", "NL", "+31612345678"),
    ("06-12345678", "BE", "+31612345678"),
    ("+31 6 1234 5678", "BE", "+31612345678"),
    ("0031 (0)6 12345678", "BE", "+31612345678"),
    ("020-123 45 67", "NL", "+31201234567"),
    ("(020) 1234567", "NL", "+31201234567"),
    ("T: +31(0)20 123 4567", "BE", "+31201234567"),
    ("0475 12 34 56", "NL", "+31475123456"),
    ("+49 (0)30 901820", "BE", "+4930901820"),
    ("0049 30 901820", "BE", "+4930901820"),
    ("+33 (0)1 42 68 53 00", "BE", "+33142685300"),
    ("01 42 68 53 00", "FR", "+33142685300"),
    ("+352 26 12 34 56", "BE", "+35226123456"),
    ("+1 (415) 555-2671", "NL", "+14155552671"),
    ("00 44 20 7946 0958", "BE", "+442079460958"),
    ("020 7946 0958", "GB", "+442079460958"),
    ("０４７５ １２ ３４ ５６", "BE", "+32475123456"),  # noqa: RUF001 - digits as a Japanese keyboard writes them
]


@pytest.mark.parametrize(("text", "country", "number"), PHONES)
def test_a_number_is_read_in_the_notation_of_its_country(text, country, number):
    assert notation.parse_phone(text, country) == number


@pytest.mark.parametrize(
    "text",
    ["015 12 34 56 ext. 12", "015 12 34 56 tst. 12", "015 12 34 56 toestel 12", "015123456x12", "015 12 34 56 #3"],
)
def test_an_extension_is_refused_and_never_dropped_in_silence(text):
    with pytest.raises(Refused, match="extension"):
        notation.parse_phone(text, "BE")


@pytest.mark.parametrize("text", ["call me", "12", "+32 1", "+49 222", "+49 2222 2222 2222 222"])
def test_what_is_no_number_is_refused_by_its_name(text):
    with pytest.raises(Refused) as refusal:
        notation.parse_phone(text)
    assert text in str(refusal.value)


@pytest.mark.parametrize("text", ["015 12 34 56 / 0475 12 34 56", "112", "", "++", "+0 15", "abc"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(Refused):
        notation.parse_phone(text, "BE")


VATS = [
    ("0428759497", "", "BE0428759497"),
    ("0428.759.497", "BE", "BE0428759497"),
    ("BE 0428.759.497", "", "BE0428759497"),
    ("BE0428759497", "NL", "BE0428759497"),
    ("be-0428.759.497", "", "BE0428759497"),
    ("BE428759497", "", "BE0428759497"),
    ("NL004495445B01", "", "NL004495445B01"),
    ("NL 0044.95.445.B.01", "", "NL004495445B01"),
    ("004495445B01", "NL", "NL004495445B01"),
    ("004495445B01", "", "NL004495445B01"),
    ("DE136695976", "", "DE136695976"),
    ("136695976", "DE", "DE136695976"),
    ("  ", "BE", ""),
]


@pytest.mark.parametrize(("text", "country", "number"), VATS)
def test_a_vat_number_keeps_its_country_and_its_zeros(text, country, number):
    assert notation.parse_vat(text, country) == number


@pytest.mark.parametrize("text", ["0428759498", "BE0428759498", "NL004495445B00", "12", "XX0428759497", "BE"])
def test_a_vat_number_whose_check_digits_are_wrong_is_refused_by_its_name(text):
    with pytest.raises(Refused, match=text):
        notation.parse_vat(text)


@pytest.mark.parametrize(("text", "number"), [("01234567", "01234567"), ("0123 4567", "01234567"), ("", "")])
def test_a_kvk_number_keeps_its_zeros(text, number):
    assert notation.parse_kvk(text) == number


@pytest.mark.parametrize("text", ["1234567", "123456789", "abcdefgh", "٠١٢٣٤٥٦٧"])
def test_a_kvk_number_of_other_than_eight_digits_is_refused(text):
    with pytest.raises(Refused):
        notation.parse_kvk(text)


def test_a_number_that_is_made_to_be_hard_to_read_is_refused_at_once() -> None:
    """It would take many minutes, and this test with it."""
    with pytest.raises(Refused):
        notation.parse_phone("ext" + " " * 200_000 + "x")
