"""What arrives is recognised and remembered once, with a response clock in working hours."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm import capture
from crm.models import Channel, Event, EventKind, Lead, LeadStatus, Organisation, Person, Touch, User
from crm.refusal import Refused
from tests import make


def arrive(external_id: str = "m-1", **fields: object) -> capture.Received:
    given: dict[str, object] = {
        "channel": Channel.FORM,
        "external_id": external_id,
        "name": "Sofie De Wit",
        "email": "sofie@notelaar.example",
    }
    return capture.receive(capture.Arrival(**given | fields), at=make.AT)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_new_sender_is_a_new_person_of_a_new_organisation_and_a_new_lead() -> None:
    received = arrive(organisation="Notelaar Interiors", phone="015 12 34 56", message=" Which dates? ", language="nl")
    lead = received.lead
    assert received.is_new
    assert (lead.status, lead.message, lead.received_at) == (LeadStatus.NEW, "Which dates?", make.AT)
    assert lead.person is not None
    assert (lead.person.given_name, lead.person.family_name, lead.person.language) == ("Sofie", "De Wit", "nl")
    assert [number.number for number in lead.person.phone_numbers.all()] == ["+3215123456"]
    assert lead.organisation is not None
    assert lead.organisation.domain == "notelaar.example"
    assert Event.objects.filter(kind=EventKind.LEAD_RECEIVED, lead=lead, person=lead.person).count() == 1


@pytest.mark.django_db
def test_a_known_person_is_recognised_by_address_whatever_name_they_type() -> None:
    company = make.organisation("Notelaar")
    known = make.person("Sofie De Wit", email="sofie@notelaar.example", organisation=company)
    lead = arrive(name="S. de wit", email="SOFIE@notelaar.example ", phone="+32 15 12 34 56").lead
    assert lead.person == known
    assert lead.organisation == company
    assert Person.objects.count() == 1
    assert known.phone_numbers.get().number == "+3215123456"
    assert not known.phone_numbers.get().is_confirmed
    known.refresh_from_db()
    assert str(known) == "Sofie De Wit"


@pytest.mark.django_db
def test_a_new_person_of_a_known_domain_is_linked_to_its_organisation() -> None:
    company = make.organisation("Notelaar Interiors", domain="notelaar.example")
    lead = arrive(name="Bram", email="bram@notelaar.example", organisation="notelaar int.").lead
    assert lead.organisation == company
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["a@gmail.com", "a@telenet.be", "a@ziggo.nl", "a@hotmail.com"])
def test_a_free_mail_domain_is_nobodys_organisation(address: str) -> None:
    first = arrive("m-1", email=address, organisation="Bakkerij Peeters").lead
    second = arrive("m-2", email=f"b{address}", organisation="Garage Maes").lead
    assert first.organisation is not None
    assert first.organisation.domain == ""
    assert second.organisation != first.organisation
    assert arrive("m-3", email=f"c{address}").lead.organisation is None


@pytest.mark.django_db
def test_the_same_message_twice_is_one_lead_and_changes_nothing() -> None:
    first = arrive(message="Which dates?")
    second = arrive(message="Which dates, please?")
    assert second.lead == first.lead
    assert not second.is_new
    assert Lead.objects.get().message == "Which dates?"
    assert Event.objects.filter(kind=EventKind.LEAD_RECEIVED).count() == 1


@pytest.mark.django_db
def test_two_channels_may_use_the_same_id() -> None:
    assert arrive().lead != arrive(channel=Channel.FILE).lead


@pytest.mark.django_db
def test_messages_without_an_id_of_their_own_are_each_a_lead() -> None:
    assert arrive("").lead != arrive("").lead


@pytest.mark.django_db
def test_what_is_wrong_is_refused_by_name_and_leaves_nothing_behind() -> None:
    with pytest.raises(Refused, match="nonsense"):
        arrive(email="nonsense")
    with pytest.raises(Refused, match="abc"):
        arrive(phone="abc")
    assert not Lead.objects.exists()
    assert not Person.objects.exists()


@pytest.mark.django_db
def test_the_content_they_came_through_is_their_touch() -> None:
    content = make.content("Price page")
    lead = arrive(content=content).lead
    touch = Touch.objects.get()
    assert (lead.content, touch.person, touch.content, touch.at) == (content, lead.person, content, make.AT)


@pytest.mark.django_db
def test_the_clock_is_one_working_hour_in_the_owners_own_hours(sdr: User) -> None:
    assert arrive("m-1").lead.answer_due_at == make.AT + timedelta(hours=1)
    sdr.time_zone = "America/New_York"
    sdr.save()
    assert arrive("m-2", owner=sdr).lead.answer_due_at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_lead_is_not_given_to_somebody_who_has_left(sdr: User) -> None:
    sdr.is_active = False
    sdr.save()
    assert arrive(owner=sdr).lead.owner is None


def _at_the_same_moment(act: Callable[[int], capture.Received], times: int = 4) -> list[capture.Received]:
    """`act` in as many threads, each with a connection of its own, all let go at once."""
    barrier = Barrier(times)

    def run(number: int) -> capture.Received:
        try:
            barrier.wait(timeout=10)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))


@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_the_same_moment_is_one_lead() -> None:
    received = _at_the_same_moment(lambda number: arrive(organisation="Notelaar"))
    assert len({each.lead.pk for each in received}) == 1
    assert [each.is_new for each in received].count(True) == 1
    assert (Lead.objects.count(), Person.objects.count(), Organisation.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_messages_of_one_new_sender_at_the_same_moment_are_two_leads_of_one_person() -> None:
    received = _at_the_same_moment(lambda number: arrive(f"m-{number}", organisation="Notelaar"))
    assert len({each.lead.pk for each in received}) == 4
    assert (Person.objects.count(), Organisation.objects.count()) == (1, 1)
