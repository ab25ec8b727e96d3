"""People and organisations: added once, changed with a trace, reached by what is right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import pytest
from django.db import connection

from crm import people
from crm.models import Acquaintance, Event, EventKind, Organisation, Person, PhoneNumber
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


def points(person: Person) -> list[tuple[str, bool, bool]]:
    return [(row.number, row.is_preferred, row.is_confirmed) for row in person.phone_numbers.order_by("id")]


def test_exactly_one_number_is_preferred_whatever_is_done(person, sdr):
    first = person.phone_numbers.get()
    second = people.add_phone(person=person, number="0475 12 34 56", kind="mobile", by=sdr, at=AT)
    assert [row[1] for row in points(person)] == [True, False]
    people.prefer(point=second, by=sdr, at=AT)
    people.prefer(point=second, by=sdr, at=AT)
    assert [row[1] for row in points(person)] == [False, True]
    people.remove_phone(number=second, by=sdr, at=AT)
    people.remove_phone(number=second, by=sdr, at=AT)
    assert [row[1] for row in points(person)] == [True]
    people.remove_phone(number=first, by=sdr, at=AT)
    assert people.add_phone(person=person, number="0475 12 34 56", by=sdr, at=AT).is_preferred
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, new__has_key="preferred_phone").count() == 1


def test_a_strangers_number_waits_until_somebody_who_knows_confirms_it(sdr):
    person = make.person("Sofie De Wit", email="sofie@notelaar.example")
    people.recognise(email="sofie@notelaar.example", phone="0475 12 34 56", by=None, at=AT)
    number = person.phone_numbers.get()
    assert not number.is_confirmed
    people.recognise(email="sofie@notelaar.example", phone="0475/12.34.56", by=sdr, at=AT)
    number.refresh_from_db()
    assert number.is_confirmed
    people.recognise(email="sofie@notelaar.example", phone="0475 12 34 56", by=None, at=AT)
    number.refresh_from_db()
    assert number.is_confirmed
    assert person.phone_numbers.count() == 1


def test_a_confirmed_number_comes_before_one_that_a_stranger_gave(sdr):
    person = make.person("Sofie De Wit")
    people.add_phone(person=person, number="0475 12 34 56", is_confirmed=False, by=None, at=AT)
    second = people.add_phone(person=person, number="0475 12 34 57", is_confirmed=False, by=None, at=AT)
    people.confirm(point=second, by=sdr, at=AT)
    assert points(person) == [("+32475123456", False, False), ("+32475123457", True, True)]


def test_a_number_is_read_in_the_country_of_the_person_else_of_where_they_work(sdr):
    dutch = make.organisation(country="NL")
    person = make.person("Els Bakker", organisation=dutch, phone="020-123 45 67")
    people.add_phone(person=person, number="0475 12 34 56", by=sdr, at=AT)
    people.change(person=person, country="be", by=sdr, at=AT)
    people.add_phone(person=person, number="0475 12 34 56", by=sdr, at=AT)
    assert [row[0] for row in points(person)] == ["+31201234567", "+31475123456", "+32475123456"]


def test_an_address_from_which_mail_came_back_can_work_again(person, sdr):
    address = person.email_addresses.get()
    address.bounced_at, address.bounce_why = AT, "mailbox full"
    address.save()
    people.works_again(address=address, by=sdr, at=AT)
    people.works_again(address=address, by=sdr, at=AT)
    address.refresh_from_db()
    assert (address.bounced_at, address.bounce_why) == (None, "")
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, new__has_key="working_email").count() == 1


def test_the_kind_of_a_number_is_one_that_we_know(person, sdr):
    number = person.phone_numbers.get()
    assert people.change_kind(point=number, kind="private", by=sdr, at=AT).kind == "private"
    with pytest.raises(Refused):
        people.change_kind(point=number, kind="fax", by=sdr, at=AT)


def test_what_was_removed_meanwhile_is_refused_in_words(person, sdr):
    number = person.phone_numbers.get()
    people.remove_phone(number=PhoneNumber.objects.get(pk=number.pk), by=sdr, at=AT)
    with pytest.raises(Refused, match="removed meanwhile"):
        people.prefer(point=number, by=sdr, at=AT)


def test_a_job_has_its_days_and_a_past_one_is_never_the_main_one(person, sdr):
    company, other = make.organisation(), make.organisation()
    past = people.add_position(
        person=person,
        organisation=company,
        title="Planner",
        started_on=date(2019, 1, 1),
        ended_on=date(2022, 5, 31),
        by=sdr,
        at=AT,
    )
    now = people.add_position(person=person, organisation=other, started_on=date(2022, 6, 1), by=sdr, at=AT)
    assert (past.is_main, now.is_main) == (False, True)
    with pytest.raises(Refused, match="any more"):
        people.make_main(position=past, by=sdr, at=AT)
    with pytest.raises(Refused, match="before it began"):
        people.change_position(
            position=now, title="", started_on=date(2022, 6, 1), ended_on=date(2022, 5, 1), by=sdr, at=AT
        )
    with pytest.raises(Refused, match="still to come"):
        people.end_position(position=now, ended_on=date(2027, 1, 1), by=sdr, at=AT)


def test_another_job_becomes_the_main_one_and_takes_its_place(person, sdr):
    first = people.add_position(person=person, organisation=make.organisation(), by=sdr, at=AT)
    second = people.add_position(person=person, organisation=make.organisation(), by=sdr, at=AT)
    people.make_main(position=second, by=sdr, at=AT)
    assert [row.pk for row in person.positions.filter(is_main=True)] == [second.pk]
    people.remove_position(position=second, by=sdr, at=AT)
    assert person.positions.get().is_main
    assert person.positions.get() == first


def test_a_job_that_is_held_again_is_held_once(person, sdr):
    company = make.organisation()
    first = people.add_position(person=person, organisation=company, by=sdr, at=AT)
    people.end_position(position=first, by=sdr, at=AT)
    people.add_position(person=person, organisation=company, by=sdr, at=AT)
    with pytest.raises(Refused, match="Change that one"):
        people.change_position(position=first, title="", started_on=None, ended_on=None, by=sdr, at=AT)


def test_two_who_know_each_other_are_noted_once_for_both(person, sdr):
    friend = make.person("Sofie De Wit")
    people.introduce(person=person, other=friend, how="studied together", by=sdr, at=AT)
    known = people.introduce(person=friend, other=person, how="sailed together", by=sdr, at=AT)
    assert Acquaintance.objects.get().how == "sailed together"
    people.forget_acquaintance(acquaintance=known, by=sdr, at=AT)
    people.forget_acquaintance(acquaintance=known, by=sdr, at=AT)
    assert not Acquaintance.objects.exists()
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, old__has_key="knows").count() == 2
    with pytest.raises(Refused):
        people.introduce(person=person, other=person, by=sdr, at=AT)


def test_a_wish_to_be_contacted_later_is_kept_and_lifted(person, sdr):
    with pytest.raises(Refused, match="still to come"):
        people.set_not_before(person=person, until=AT.date(), by=sdr, at=AT)
    people.set_not_before(person=person, until=date(2026, 12, 1), why="after her holiday", by=sdr, at=AT)
    person.refresh_from_db()
    assert (person.not_before, person.not_before_why) == (date(2026, 12, 1), "after her holiday")
    people.lift_not_before(person=person, by=sdr, at=AT)
    people.lift_not_before(person=person, by=sdr, at=AT)
    person.refresh_from_db()
    assert (person.not_before, person.not_before_why) == (None, "")
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, new__has_key="not_before").count() == 2


def test_a_lawful_basis_is_reviewed_after_a_year_and_goes_whole(person, sdr):
    people.change(person=person, lawful_basis="consent", basis_source="form of 3 May", by=sdr, at=AT)
    assert (person.basis_since, person.basis_review_on) == (date(2026, 11, 23), date(2027, 11, 23))
    people.change(person=person, basis_since=date(2024, 2, 29), basis_review_on=None, by=sdr, at=AT)
    assert person.basis_review_on == date(2025, 2, 28)
    with pytest.raises(Refused):
        people.change(person=person, basis_review_on=date(2024, 1, 1), by=sdr, at=AT)
    people.change(person=person, lawful_basis="", by=sdr, at=AT)
    assert (person.basis_source, person.basis_since, person.basis_review_on) == ("", None, None)


@pytest.mark.parametrize(
    "fields", [{"country": "Belgium"}, {"time_zone": "Brussels"}, {"tags": ["x" * 51]}, {"interests": ["x" * 51]}]
)
def test_what_cannot_be_is_refused_in_words(person, sdr, fields):
    with pytest.raises(Refused):
        people.change(person=person, by=sdr, at=AT, **fields)


def test_tags_are_kept_once_whatever_their_capitals(person, sdr):
    people.change(person=person, tags=["VIP", " vip", "", "bakers"], by=sdr, at=AT)
    assert person.tags == ["VIP", "bakers"]
    company = people.change_organisation(organisation=make.organisation(), tags=[" key  account "], by=sdr, at=AT)
    assert company.tags == ["key account"]


def test_a_vat_number_without_its_country_is_read_as_one_of_the_organisations_country(sdr):
    company = make.organisation(country="NL", vat_number="004495445B01")
    assert company.vat_number == "NL004495445B01"
    people.change_organisation(organisation=company, country="BE", vat_number="0428.759.497", by=sdr, at=AT)
    assert company.vat_number == "BE0428759497"


def at_once(*acts: Callable[[], object]) -> None:
    """Each in a connection of its own, all beginning at the same moment."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result()


@pytest.mark.django_db(transaction=True)
def test_colleagues_who_prefer_add_and_remove_at_once_leave_one_preferred_number():
    person = make.person("Peter van der Meulen")
    numbers = [people.add_phone(person=person, number=f"0475 12 34 5{n}", by=None, at=AT) for n in range(4)]
    for _round in range(5):
        at_once(
            partial(people.prefer, point=numbers[1], by=None, at=AT),
            partial(people.prefer, point=numbers[2], by=None, at=AT),
            partial(people.add_phone, person=person, number="015 12 34 56", by=None, at=AT),
            partial(people.confirm, point=numbers[3], by=None, at=AT),
        )
        assert person.phone_numbers.filter(is_preferred=True).count() == 1
    at_once(*(partial(people.remove_phone, number=number, by=None, at=AT) for number in numbers))
    assert [row.is_preferred for row in person.phone_numbers.all()] == [True]


@pytest.mark.django_db(transaction=True)
def test_two_jobs_made_the_main_one_at_once_leave_one_main_job():
    person = make.person("Peter van der Meulen")
    jobs = [people.add_position(person=person, organisation=make.organisation(), by=None, at=AT) for _n in range(3)]
    for _round in range(5):
        at_once(*(partial(people.make_main, position=job, by=None, at=AT) for job in jobs))
        assert person.positions.filter(is_main=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_note_the_same_acquaintance_at_once_note_it_once():
    one, other = make.person("Peter van der Meulen"), make.person("Sofie De Wit")
    at_once(
        partial(people.introduce, person=one, other=other, by=None, at=AT),
        partial(people.introduce, person=other, other=one, by=None, at=AT),
    )
    assert Acquaintance.objects.count() == 1
