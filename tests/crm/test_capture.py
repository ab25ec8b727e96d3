"""What arrives is recognised and remembered once, with a response clock in working hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm import capture, leads
from crm.channels import reading_along
from crm.models import (
    Absence,
    Channel,
    Event,
    EventKind,
    Lead,
    LeadStatus,
    LeadTouch,
    Organisation,
    OutgoingMail,
    OwnerRule,
    Person,
    Touch,
    User,
)
from crm.refusal import Refused
from crm.timeline import sentences
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
def test_messages_without_an_id_of_their_own_are_each_a_message() -> None:
    assert arrive("", channel=Channel.BY_HAND).lead != arrive("", channel=Channel.BY_HAND).lead
    lead = arrive("", email="other@notelaar.example").lead
    assert arrive("", email="other@notelaar.example", message="Hello?").lead == lead
    assert lead.conversations.get().summary == "Hello?"


@pytest.mark.django_db
def test_an_id_longer_than_we_can_keep_still_names_one_message() -> None:
    assert arrive("m" * 900).lead == arrive("m" * 900).lead
    assert arrive("m" * 901, email="ann@notelaar.example").is_new


@pytest.mark.django_db
@pytest.mark.parametrize("channel", [Channel.FORM, Channel.EMAIL, Channel.WEBHOOK])
def test_who_has_a_lead_in_hand_writes_again_to_that_lead(channel: Channel) -> None:
    lead = arrive(message="Which dates?").lead
    again = arrive("m-2", channel=channel, message="And what does it cost?")
    assert again == capture.Received(lead, is_new=False)
    assert Lead.objects.get().message == "Which dates?"
    assert [(row.is_first, row.message) for row in lead.received_messages.all()] == [
        (True, "Which dates?"),
        (False, "And what does it cost?"),
    ]
    event = Event.objects.get(kind=EventKind.LEAD_WROTE_AGAIN, lead=lead)
    assert event.new
    assert event.new["message"] == "And what does it cost?"
    said = list(lead.conversations.values_list("summary", "direction"))
    # A mail is a conversation by itself, in `correspondence`.
    assert said == ([] if channel == Channel.EMAIL else [("And what does it cost?", "incoming")])
    assert arrive("m-2", channel=channel).lead == lead
    assert lead.received_messages.count() == 2


@pytest.mark.django_db
def test_what_they_write_again_is_contact_from_them_and_leaves_the_response_clock_as_it_is(sdr: User) -> None:
    lead = arrive().lead
    due = lead.answer_due_at
    arrive("m-2", message="Hello?")
    lead.refresh_from_db()
    assert (lead.answered_at, lead.answer_due_at, lead.last_reply_at) == (None, due, make.AT)
    leads.answer(lead=lead, message="In May.", by=sdr, at=make.AT)
    arrive("m-3", message="Thank you, and what does it cost?")
    lead.refresh_from_db()
    assert (lead.answered_at, lead.answer_due_at) == (make.AT, due)


@pytest.mark.django_db
def test_who_is_handed_off_writes_to_that_lead_and_who_was_declined_begins_a_new_one(
    sdr: User, account_manager: User
) -> None:
    offered = make.hand_off(sdr, account_manager, email="sofie@notelaar.example").lead
    assert arrive().lead == offered
    declined = make.lead(email="bram@notelaar.example")
    Lead.objects.filter(pk=declined.pk).update(
        status=LeadStatus.DECLINED, verdict="declined", verdict_at=make.AT, decline_reason="no_fit"
    )
    assert arrive("m-2", email="bram@notelaar.example").is_new


@pytest.mark.django_db
def test_of_two_open_leads_the_newest_gets_what_they_write_again() -> None:
    arrive(channel=Channel.BY_HAND)
    newest = arrive("m-2", channel=Channel.REFERRAL)
    assert newest.is_new
    assert arrive("m-3").lead == newest.lead


@pytest.mark.django_db
def test_what_they_say_of_themselves_fills_in_what_we_did_not_know() -> None:
    lead = arrive(organisation="Notelaar", job="Owner", postcode="2000 ", country="be").lead
    assert lead.organisation is not None
    assert lead.person is not None
    lead.organisation.refresh_from_db()
    assert (lead.organisation.postcode, lead.organisation.country) == ("2000", "BE")
    assert lead.person.positions.get().title == "Owner"
    arrive("m-2", job="Queen", postcode="1000", country="NL")
    lead.organisation.refresh_from_db()
    assert (lead.organisation.postcode, lead.organisation.country) == ("2000", "BE")
    assert lead.person.positions.get().title == "Owner"
    alone = arrive("m-3", email="ann@gmail.com", country="NL").lead
    assert alone.person is not None
    alone.person.refresh_from_db()
    assert alone.person.country == "NL"


@pytest.mark.django_db
def test_their_answers_stand_on_the_scorecard_in_use_as_theirs_and_what_it_does_not_know_is_skipped(sdr: User) -> None:
    card = make.scorecard()
    pain, size = card.criteria.all()[:2]
    card.criteria.filter(pk__in=[pain.pk, size.pk]).update(asks_prospect=True)
    form = make.form(title="Contact us")
    said = {pain.key: "yes", size.key: "perhaps", card.criteria.all()[2].key: "yes", "unheard-of": "yes"}
    lead = arrive(form=form, answers=said).lead
    lead.refresh_from_db()
    assert lead.assessment is not None
    answer = lead.assessment.answers.get()
    assert (answer.criterion, answer.value, answer.is_theirs) == (pain, "yes", True)
    assert answer.evidence == "answered on the form “Contact us”"

    leads.answer_criterion(lead=lead, criterion=pain, value="no", evidence="said so by phone", by=sdr, at=make.AT)
    arrive("m-2", form=form, answers={pain.key: "yes", size.key: "no"})
    assert dict(lead.assessment.answers.values_list("criterion", "value")) == {pain.pk: "no", size.pk: "no"}


SITE = "www.kring.example"
MONTHS_AGO = make.AT - timedelta(days=300)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def read(**said: object) -> reading_along.Reading:
    return reading_along.read(json.dumps({"h": SITE, **said}))


@pytest.mark.django_db
def test_what_they_read_is_their_touches_and_how_they_came_first_and_last_is_kept_apart() -> None:
    guide = make.content("Guide", url="https://kring.example/Guide/?x=1")
    pages = {
        "/guide": [seconds(MONTHS_AGO), seconds(make.AT) - 60, 4],
        "/elsewhere": [seconds(make.AT), seconds(make.AT), 1],
    }
    first = {"p": "/guide", "r": "search.example", "a": seconds(MONTHS_AGO), "u": {"utm_campaign": "spring", "x": "y"}}
    last = {"p": "/", "r": "", "a": seconds(make.AT) - 60}
    lead = arrive(reading=read(p=pages, f=first, l=last)).lead
    assert list(Touch.objects.values_list("person", "content", "at").order_by("at")) == [
        (lead.person_id, guide.pk, MONTHS_AGO),
        (lead.person_id, guide.pk, make.AT - timedelta(seconds=60)),
    ]
    found = {touch.which: touch for touch in lead.found_by.all()}
    assert (found["first"].content, found["first"].referrer, found["first"].utm_campaign) == (
        guide,
        "search.example",
        "spring",
    )
    assert (found["last"].page, found["last"].at) == (SITE.removeprefix("www."), make.AT - timedelta(seconds=60))

    later = {**last, "p": "/guide", "a": seconds(make.AT)}
    arrive("m-2", reading=read(f=last, l=later))
    found = {touch.which: touch for touch in lead.found_by.all()}
    assert found["first"].at == MONTHS_AGO
    assert (found["last"].at, found["last"].content) == (make.AT, guide)


@pytest.mark.django_db
def test_moments_that_cannot_be_are_not_believed() -> None:
    make.content("Guide", url="https://kring.example/guide")
    ahead, ages = seconds(make.AT + timedelta(days=2)), seconds(make.AT - timedelta(days=9 * 365))
    arrive(reading=read(p={"/guide": [ages, seconds(make.AT), 1]}, f={"a": ages}, l={"a": ahead}))
    assert not Touch.objects.exists()
    assert not LeadTouch.objects.exists()


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
    assert arrive("m-2", email="ann@notelaar.example", owner=sdr).lead.answer_due_at == datetime(
        2026, 11, 23, 15, 0, tzinfo=UTC
    )


@pytest.mark.django_db
def test_a_lead_is_not_given_to_somebody_who_has_left(sdr: User) -> None:
    sdr.is_active = False
    sdr.save()
    assert arrive(owner=sdr).lead.owner is None


@pytest.mark.django_db
def test_by_its_rule_a_new_lead_goes_to_somebody_who_is_told_and_its_clock_runs_in_their_hours(sdr: User) -> None:
    sdr.time_zone = "America/New_York"
    sdr.save()
    assert arrive(owner_rule=OwnerRule.NOBODY, owner=sdr).lead.owner is None
    lead = arrive("m-2", email="ann@notelaar.example", owner_rule=OwnerRule.RULES).lead
    assert (lead.owner, lead.assigned_at) == (sdr, make.AT)
    assert lead.answer_due_at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    assert OutgoingMail.objects.get().to == sdr.email
    away = make.user()
    Absence.objects.create(user=away, starts_on=make.AT.date(), ends_on=make.AT.date())
    assert arrive("m-3", email="bram@notelaar.example", owner_rule=OwnerRule.USER, owner=away).lead.owner == sdr
    arrive("m-4", email="ann@notelaar.example", owner_rule=OwnerRule.RULES)
    assert OutgoingMail.objects.count() == 2


@pytest.mark.django_db
def test_the_timeline_says_why_they_really_got_it_whatever_the_form_hoped(
    sdr: User, teammate: User, outsider: User
) -> None:
    def why(name: str, **fields: object) -> str:
        arrived = arrive(name, email=f"{name}@willow.example", owner_rule=OwnerRule.USER, owner=sdr, **fields)
        event = Event.objects.get(kind=EventKind.LEAD_ASSIGNED, lead=arrived.lead)
        return sentences.SENTENCES[EventKind.LEAD_ASSIGNED](event.old or {}, event.new or {})

    assert why("amber") == "Sofie Peeters · always the same SDR"
    today = make.AT.date()
    away = Absence.objects.create(user=sdr, starts_on=today, ends_on=today, stand_in=teammate)
    assert why("bert") == f"{teammate} · stands in for Sofie Peeters"
    away.stand_in = None
    away.save()
    person = make.person("Dora Claes", email="dora@willow.example")
    Person.objects.filter(pk=person.pk).update(owner=teammate)
    assert why("dora") == f"{teammate} · knows them already"
    assert why("carl") == f"{outsider} · by turns"
    there = make.user()
    make.assignment_rule(there, by=sdr, origin="website")
    assert why("ella", origin="website") == f"{there} · by the rules of assignment"


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
@pytest.mark.parametrize("is_known", [False, True])
def test_two_messages_of_one_sender_at_the_same_moment_are_one_lead_that_they_write_to_again(is_known: bool) -> None:
    person = make.person("Sofie De Wit", email="sofie@notelaar.example") if is_known else None
    given = {"person": person} if is_known else {"organisation": "Notelaar"}
    received = _at_the_same_moment(lambda number: arrive(f"m-{number}", **given))
    assert [each.is_new for each in received].count(True) == 1
    lead = Lead.objects.get()
    assert (Person.objects.count(), lead.received_messages.count(), lead.conversations.count()) == (1, 4, 3)
