"""Search finds by what people remember: with a slip of the pen, without accents, by part of a name, an address or a number in any notation."""

from __future__ import annotations

import pytest

from crm import search
from crm.models import Organisation, Person
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def crowd() -> None:
    notelaar = make.organisation("Notelaar Interiors", domain="notelaar.example", kvk_number="01234567")
    make.organisation("Vandermeulen Logistics")
    make.person("Peter van der Meulen", email="p.meulen@logistics.example", phone="+32 53 12 34 56")
    make.person("Sofie De Wit", email="sofie@notelaar.example", phone="015 12 34 56", organisation=notelaar)
    make.person("Zoë van den Berg", email="zoe@berg.example")
    make.person("André Dupont", email="andre@dupont.example")
    make.person("Jan Janssens", email="jan@elsewhere.example")
    for number in range(12):
        make.person(f"Marie Peeters{number}", email=f"m{number}@many.example")


def names(text: str) -> list[str]:
    return [str(person) for person in search.find(text).people]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("peter van der meulen", "Peter van der Meulen"),
        ("meulen peter", "Peter van der Meulen"),
        ("Petre", "Peter van der Meulen"),
        ("muelen", "Peter van der Meulen"),
        ("sof", "Sofie De Wit"),
        ("Sofei", "Sofie De Wit"),
        ("wit", "Sofie De Wit"),
        ("de wit", "Sofie De Wit"),
        ("zoe", "Zoë van den Berg"),
        ("ZOË", "Zoë van den Berg"),
        ("zo", "Zoë van den Berg"),
        ("andre", "André Dupont"),
        ("andré dupnt", "André Dupont"),
        ("Jansens", "Jan Janssens"),
        ("sofie@notelaar.example", "Sofie De Wit"),
        ("NOTELAAR.EX", "Sofie De Wit"),
        ("p.meulen", "Peter van der Meulen"),
        ("015 12 34 56", "Sofie De Wit"),
        ("015/12.34.56", "Sofie De Wit"),
        ("+32 (0)15 12 34 56", "Sofie De Wit"),
        ("0032 15 12 34 56", "Sofie De Wit"),
        ("+3215123456", "Sofie De Wit"),
        ("015 12 34", "Sofie De Wit"),
    ],
)
def test_it_finds_what_was_meant(typed, found):
    assert found in names(typed)
    assert names(typed)[0] == found


def test_who_holds_the_words_comes_before_who_is_only_near():
    make.person("Jan Jansens")
    assert names("jansens") == ["Jan Jansens", "Jan Janssens"]


def test_among_equals_the_last_one_spoken_to_comes_first(sdr):
    make.conversation(Person.objects.get(full_name="Marie Peeters7"), by=sdr)
    assert names("marie peeters")[0] == "Marie Peeters7"


def test_no_more_than_eight_of_a_kind():
    assert len(names("marie")) == 8


@pytest.mark.parametrize("typed", ["", "   ", ",", "\x00", "”"])
def test_nothing_answers_to_nothing(typed, django_assert_num_queries):
    assert not search.find(typed)


@pytest.mark.parametrize("typed", ["xqzwv", "%", "_", "' OR 1=1 --", "\\", "x" * 500, "((((", "@", "+", "🙂", "0000"])
def test_whatever_is_typed_is_only_text(typed):
    assert not search.find(typed)


def test_organisations_are_found_by_name_domain_and_kvk_number():
    company = Organisation.objects.get(name="Notelaar Interiors")
    for typed in ("notelar", "interiors", "notelaar.example", "www.notelaar.example", "01234567"):
        assert search.find(typed).organisations == [company], typed


def test_a_lead_is_found_by_its_own_number_its_person_and_its_organisation(sdr):
    lead = make.lead(
        person=Person.objects.get(full_name="Sofie De Wit"),
        company=Organisation.objects.get(name="Notelaar Interiors"),
        owner=sdr,
        external_id="mql-0042",
    )
    for typed in ("mql-0042", "sofie", "notelaar interiors"):
        assert search.find(typed).leads == [lead], typed


def test_a_deal_is_found_by_its_name_its_person_and_its_organisation(account_manager):
    company = Organisation.objects.get(name="Vandermeulen Logistics")
    deal = make.deal(
        account_manager,
        name="Planning suite",
        organisation=company,
        person=Person.objects.get(full_name="Jan Janssens"),
    )
    for typed in ("planning", "suite planing", "vandermeulen", "janssens"):
        assert search.find(typed).deals == [deal], typed


def test_a_list_is_narrowed_to_those_who_hold_the_words_else_to_those_near():
    rows = Person.objects.all()
    assert [str(row) for row in search.people_named(rows, "zoe")] == ["Zoë van den Berg"]
    assert [str(row) for row in search.people_named(rows, "Dupnot")] == ["André Dupont"]
    assert search.people_named(rows, "  ").count() == rows.count()


def test_search_takes_few_queries_however_much_it_finds(django_assert_max_num_queries):
    with django_assert_max_num_queries(26):
        search.find("marie")


def test_among_equals_ones_own_come_first_then_the_team_s(sdr, teammate, outsider):
    for number, owner in ((3, outsider), (5, teammate), (7, sdr)):
        Person.objects.filter(full_name=f"Marie Peeters{number}").update(owner=owner)
    found = search.find("marie peeters", user=sdr).people
    assert [str(person) for person in found][:2] == ["Marie Peeters7", "Marie Peeters5"]
    assert [str(person) for person in search.people_like("ma", user=sdr)][0] == "Marie Peeters7"


def test_a_name_that_answers_better_comes_before_ones_own(sdr):
    make.person("Marie Peeters70", owner=sdr)
    assert str(search.find("marie peeters7", user=sdr).people[0]) == "Marie Peeters7"


def test_a_referral_is_found_by_who_gave_it_and_by_whom_they_have_in_mind(account_manager):
    referral = make.referral(account_manager)
    referral.whom = "Zoë of the bakery"
    referral.save(update_fields=["whom"])
    assert search.find(str(referral.referrer)).referrals == [referral]
    assert search.find("zoe bakery").referrals == [referral]
    assert not search.find("zoe butcher").referrals


def test_an_organisation_is_found_by_its_vat_number_in_any_notation():
    company = make.organisation("Delhaize", vat_number="BE0402206045")
    for typed in ("BE0402206045", "BE 0402.206.045", "be 0402 206 045"):
        assert search.find(typed).organisations == [company], typed
