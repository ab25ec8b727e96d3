"""People and organisations: added once, changed with a trace, reached by what is right."""

from __future__ import annotations

import pytest

from crm import people
from crm.models import Event, EventKind, Organisation, Person
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Person:
    return make.person("Peter van der Meulen", email="peter@vandermeulen.example", phone="053 12 34 56")


def test_somebody_added_by_the_name_of_an_organisation_works_at_the_one_of_that_name():
    known = make.organisation("Notelaar Interiors")
    person = people.add(name="Sofie De Wit", organisation="notelaar  interiors", title="Owner", by=None, at=AT)
    assert person.positions.get().organisation == known
    assert Organisation.objects.count() == 1


def test_an_organisation_that_nobody_knew_is_added_with_the_person():
    person = people.add(name="Sofie De Wit", organisation="Notelaar Interiors", by=None, at=AT)
    assert str(person.positions.get().organisation) == "Notelaar Interiors"


def test_a_refused_address_leaves_nobody_behind():
    with pytest.raises(Refused):
        people.add(name="Sofie De Wit", organisation="Notelaar", email="not an address", by=None, at=AT)
    assert not Person.objects.exists()
    assert not Organisation.objects.exists()


@pytest.mark.parametrize("name", ["Sofie " + "e" * 101, "S" * 101, "Jan van der van der van der van der van der Berg"])
def test_a_name_that_does_not_fit_is_refused_in_words(name):
    with pytest.raises(Refused, match="longer than we can keep"):
        people.add(name=name, by=None, at=AT)


def test_a_change_from_an_old_page_remembers_what_really_stood_there(person, sdr):
    stale = Person.objects.get(pk=person.pk)
    people.change(person=person, family_name="Molen", by=sdr, at=AT)
    people.change(person=stale, family_name="Molens", by=sdr, at=AT)
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED).latest("pk").old == {"family_name": "Molen"}


def test_a_change_is_remembered_as_old_and_new_and_the_full_name_follows(person, sdr):
    people.change(person=person, family_name="Molen", interests=["sailing"], tier="", by=sdr, at=AT)
    assert str(person) == "Peter van der Molen"
    event = Event.objects.get(kind=EventKind.PERSON_CHANGED)
    assert event.old == {"family_name": "Meulen", "interests": []}
    assert event.new == {"family_name": "Molen", "interests": ["sailing"]}


def test_a_change_that_changes_nothing_leaves_no_trace(person, sdr):
    people.change(person=person, family_name="Meulen", by=sdr, at=AT)
    assert not Event.objects.filter(kind=EventKind.PERSON_CHANGED).exists()


def test_nobody_loses_their_name(person, sdr):
    with pytest.raises(Refused):
        people.change(person=person, given_name=" ", family_name="", by=sdr, at=AT)


def test_nobody_is_introduced_by_themselves(person, sdr):
    with pytest.raises(Refused):
        people.change(person=person, introduced_by=person, by=sdr, at=AT)


def test_adding_an_address_again_changes_nothing(person, sdr):
    people.add_email(person=person, address="Peter@Vandermeulen.example ", by=sdr, at=AT)
    assert person.email_addresses.count() == 1


def test_when_the_preferred_address_goes_the_next_one_is_preferred(person, sdr):
    people.add_email(person=person, address="p@gmail.com", by=sdr, at=AT)
    people.remove_email(address=person.email_addresses.get(is_preferred=True), by=sdr, at=AT)
    assert [(row.address, row.is_preferred) for row in person.email_addresses.all()] == [("p@gmail.com", True)]
    assert people.with_email("peter@vandermeulen.example") is None


def test_when_the_preferred_number_goes_the_next_one_is_preferred(person, sdr):
    people.add_phone(person=person, number="0475 12 34 56", by=sdr, at=AT)
    people.remove_phone(number=person.phone_numbers.get(is_preferred=True), by=sdr, at=AT)
    assert [(row.number, row.is_preferred) for row in person.phone_numbers.all()] == [("+32475123456", True)]


def test_a_job_at_the_same_organisation_is_one_job_with_its_newest_title(person, sdr):
    company = make.organisation()
    people.add_position(person=person, organisation=company, title="Planner", by=sdr, at=AT)
    people.add_position(person=person, organisation=company, title="Head of planning", by=sdr, at=AT)
    people.add_position(person=person, organisation=company, by=sdr, at=AT)
    assert [row.title for row in person.positions.all()] == ["Head of planning"]


def test_when_the_main_job_ends_the_other_one_is_the_main_one(person, sdr):
    first = people.add_position(person=person, organisation=make.organisation(), by=sdr, at=AT)
    second = people.add_position(person=person, organisation=make.organisation(), by=sdr, at=AT)
    assert first.is_main
    assert not second.is_main
    people.end_position(position=first, by=sdr, at=AT)
    people.end_position(position=first, by=sdr, at=AT)
    second.refresh_from_db()
    assert first.ended_on == AT.date()
    assert second.is_main
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, old__has_key="position").count() == 1


@pytest.mark.parametrize("text", ["BE 0428.759.497", "BE0428759497"])
def test_a_vat_number_is_kept_without_dots_and_spaces(text):
    assert make.organisation(vat_number=text).vat_number == "BE0428759497"


@pytest.mark.parametrize(
    "fields", [{"vat_number": "BE0428759498"}, {"kvk_number": "1234567"}, {"kvk_number": "abcdefgh"}]
)
def test_a_wrong_number_is_refused_and_no_organisation_is_made(fields):
    with pytest.raises(Refused):
        make.organisation(**fields)
    assert not Organisation.objects.exists()


def test_a_kvk_number_keeps_its_leading_zeros():
    assert make.organisation(kvk_number="01234567").kvk_number == "01234567"


def test_a_changed_number_is_checked_as_well(sdr):
    company = make.organisation()
    with pytest.raises(Refused):
        people.change_organisation(organisation=company, vat_number="NL1", by=sdr, at=AT)


def test_two_organisations_never_share_a_domain(sdr):
    make.organisation("One", domain="one.example")
    other = make.organisation("Two")
    with pytest.raises(Refused):
        people.change_organisation(organisation=other, domain="www.ONE.example", by=sdr, at=AT)
