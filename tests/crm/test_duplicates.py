"""Two rows that may be one: found by what they share, kept apart when somebody says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import duplicates, people
from crm.models import Mergeable, Organisation, PossibleDuplicate
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def pairs(kind: Mergeable = Mergeable.PERSON) -> dict[tuple[int, int], list[str]]:
    return {(row.first_id, row.second_id): row.reasons for row in PossibleDuplicate.objects.waiting().filter(kind=kind)}


def both_ways(kind: Mergeable = Mergeable.PERSON) -> dict[tuple[int, int], list[str]]:
    """What stands there on arrival, which is what the nightly job finds as well, from nothing and again."""
    on_arrival = pairs(kind)
    duplicates.find_all(at=AT)
    assert pairs(kind) == on_arrival
    rows = list(PossibleDuplicate.objects.order_by("pk").values())
    duplicates.find_all(at=AT + timedelta(days=1))
    assert list(PossibleDuplicate.objects.order_by("pk").values()) == rows
    PossibleDuplicate.objects.all().delete()
    duplicates.find_all(at=AT)
    assert pairs(kind) == on_arrival
    return on_arrival


def test_two_people_with_one_address_may_be_one() -> None:
    one, other = make.person("Jan Peeters", email="info@a.example"), make.person("Els Maes", email="info@a.example")
    assert both_ways() == {(one.pk, other.pk): ["email"]}


def test_two_people_with_one_number_may_be_one() -> None:
    one = make.person("Jan Peeters", phone="015 12 34 56")
    other = make.person("Els Maes", phone="+32 15 12 34 56")
    assert both_ways() == {(one.pk, other.pk): ["phone"]}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Sofie Peeters", "Sophie Peeters"),
        ("Peter van der Meulen", "Peter Meulen"),
        ("Zoë De Wit", "Zoe de Wit"),
        ("Jan Janssens", "J. Janssens"),
        ("Jan Peeters", "Peeters Jan"),
    ],
)
def test_two_people_with_like_names_at_one_domain_may_be_one(name: str, other: str) -> None:
    first, second = make.person(name, email="a@firm.example"), make.person(other, email="b@firm.example")
    make.person(other, email="b@elsewhere.example")
    assert both_ways() == {(first.pk, second.pk): ["name"]}


def test_the_domain_of_where_they_work_counts_as_theirs() -> None:
    firm = make.organisation("Firm", domain="firm.example")
    first = make.person("Jan Peeters", email="jan@gmail.com", organisation=firm)
    second = make.person("Jan Peters", email="jan@firm.example")
    assert both_ways() == {(first.pk, second.pk): ["name"]}


def test_a_job_that_has_ended_says_nothing(sdr: object) -> None:
    firm = make.organisation("Firm", domain="firm.example")
    left = make.person("Jan Peeters", email="jan@gmail.com", organisation=firm)
    make.person("Jan Peters", email="jan@firm.example")
    left.positions.update(ended_on=AT.date())
    duplicates.find_all(at=AT)
    assert pairs() == {}


def test_a_free_mail_domain_makes_nobody_alike() -> None:
    make.person("Jan Peeters", email="jan@gmail.com")
    make.person("Jan Peeters", email="jan.peeters@gmail.com")
    assert both_ways() == {}


def test_brothers_at_one_firm_are_two() -> None:
    make.person("Jan Peeters", email="jan@firm.example")
    make.person("Piet Peeters", email="piet@firm.example")
    assert both_ways() == {}


def test_a_number_that_many_share_says_nothing() -> None:
    for _ in range(duplicates.MOST_SHARING + 1):
        make.person(phone="015 12 34 56")
    duplicates.find_all(at=AT)
    assert pairs() == {}


def test_several_reasons_make_a_pair_surer() -> None:
    first = make.person("Jan Peeters", email="jan@firm.example", phone="015 12 34 56")
    second = make.person("Jan Peeters", email="j@firm.example", phone="015 12 34 56")
    third = make.person("Jan Peters", email="jp@firm.example")
    assert both_ways()[first.pk, second.pk] == ["name", "phone"]
    surest = duplicates.waiting_for(first).first()
    assert surest is not None
    assert surest.second_id == second.pk
    assert {row.first_id for row in duplicates.waiting_for(third)} == {first.pk, second.pk}


def test_two_organisations_with_one_number_may_be_one() -> None:
    make.organisation("No number at all")
    make.organisation("Nor this one")
    one = make.organisation("Alpha", kvk_number="01234567", vat_number="BE0428759497")
    two, three = make.organisation("Beta", kvk_number="01234567"), make.organisation("Gamma", vat_number="BE0428759497")
    assert both_ways(Mergeable.ORGANISATION) == {(one.pk, two.pk): ["kvk"], (one.pk, three.pk): ["vat"]}


@pytest.mark.parametrize(
    ("name", "other"), [("Acme BV", "Acme B.V."), ("Acme", "ACME n.v."), ("De Bakkerij Gent", "Bakkerij Gent BVBA")]
)
def test_a_legal_form_makes_no_difference(name: str, other: str) -> None:
    one, two = make.organisation(name), make.organisation(other)
    make.organisation("Another Firm")
    assert both_ways(Mergeable.ORGANISATION) == {(one.pk, two.pk): ["name"]}


def test_a_less_like_name_counts_when_their_mail_comes_from_one_domain() -> None:
    one, two = make.organisation("Acme Textiles", domain="acme.example"), make.organisation("Acme Textil")
    assert both_ways(Mergeable.ORGANISATION) == {}
    make.person("Els Maes", email="els@acme.example", organisation=two)
    duplicates.find_all(at=AT)
    assert pairs(Mergeable.ORGANISATION) == {(one.pk, two.pk): ["name"]}


def test_what_is_added_or_changed_later_is_looked_at() -> None:
    one = make.person("Jan Peeters", email="jan@firm.example", phone="015 12 34 56")
    other = make.person("Karel Maes", email="")
    people.add_phone(person=other, number="015 12 34 56", by=None, at=AT)
    assert pairs() == {(one.pk, other.pk): ["phone"]}
    people.add_email(person=other, address="km@firm.example", by=None, at=AT)
    people.change(person=other, given_name="Jan", family_name="Peters", by=None, at=AT)
    assert pairs() == {(one.pk, other.pk): ["name", "phone"]}
    people.remove_phone(number=other.phone_numbers.get(), by=None, at=AT)
    assert pairs() == {(one.pk, other.pk): ["name"]}
    firm, same = make.organisation("Firm"), make.organisation("Quite another")
    people.change_organisation(organisation=same, name="Firm BV", by=None, at=AT)
    assert pairs(Mergeable.ORGANISATION) == {(firm.pk, same.pk): ["name"]}


def test_a_pair_without_a_reason_disappears() -> None:
    one, other = make.person("Jan Peeters", email="x@a.example"), make.person("Els Maes", email="x@a.example")
    people.remove_email(address=other.email_addresses.get(), by=None, at=AT)
    assert pairs() == {}
    PossibleDuplicate.objects.create(
        kind=Mergeable.PERSON, first_id=one.pk, second_id=other.pk, reasons=["email"], likeness=1, found_at=AT
    )
    assert both_ways_nothing()


def both_ways_nothing() -> bool:
    duplicates.find_all(at=AT)
    return pairs() == {}


def test_what_was_said_not_to_be_the_same_never_comes_back() -> None:
    user = make.user()
    one, other = make.person("Jan Peeters", email="x@a.example"), make.person("Els Maes", email="x@a.example")
    pair = PossibleDuplicate.objects.get()
    duplicates.dismiss(pair=pair, by=user, at=AT)
    duplicates.dismiss(pair=pair, by=make.user(), at=AT + timedelta(days=1))
    pair.refresh_from_db()
    assert (pair.dismissed_by, pair.dismissed_at) == (user, AT)
    people.add_phone(person=one, number="015 12 34 56", by=None, at=AT)
    people.add_phone(person=other, number="015 12 34 56", by=None, at=AT)
    assert both_ways_nothing()
    assert one.events.filter(new={"not_the_same": "Els Maes"}).exists()
    assert other.events.filter(new={"not_the_same": "Jan Peeters"}).exists()


def test_an_arrival_costs_two_statements_at_most(django_assert_max_num_queries: object) -> None:
    person, organisation = make.person(), Organisation.objects.create(name="Acme")
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        duplicates.look(people=[person.pk], organisations=[organisation.pk], at=AT)
