"""What both hear of an appointment by mail: in their language, by their clock, in a form that their calendars follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as django_mail
from icalendar import Calendar

from crm import appointments, outbox
from crm.models import Appointment, AppointmentKind, Event, EventKind, OutgoingMail, Scope, User
from tests import make
from tests.make import AT

TUESDAY = datetime(2026, 12, 1, 10, tzinfo=ZoneInfo("Europe/Brussels"))

pytestmark = pytest.mark.django_db


def booked(host: User, by: User | None, **fields: Any) -> Appointment:
    fields.setdefault("person", make.person("Luc Maes", email="luc@maes.example", language="nl"))
    return make.appointment(host, starts_at=TUESDAY, minutes=45, by=by, subject="De opleiding", **fields)


def to_person(appointment: Appointment) -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(person=appointment.person).order_by("pk"))


def to_host(appointment: Appointment) -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(to=appointment.user.email).exclude(calendar="").order_by("pk"))


def event_in(mail: OutgoingMail) -> Any:
    [event] = Calendar.from_ical(mail.calendar).walk("VEVENT")
    return event


def test_the_prospect_is_invited_in_their_language_by_their_clock(account_manager: User, sdr: User):
    one = booked(account_manager, sdr, place="Grote Markt 1, Mechelen")
    [mail] = to_person(one)
    assert (mail.to, mail.calendar_method, one.invited_at) == ("luc@maes.example", "REQUEST", "luc@maes.example")
    assert mail.subject == "Onze afspraak: De opleiding"
    assert "dinsdag 1 december 2026, 10:00–10:45 (Midden-Europese standaardtijd, Europe/Brussels)" in mail.body
    assert f"Met: {account_manager}" in mail.body
    assert "Waar: Grote Markt 1, Mechelen" in mail.body
    assert "Antwoord dan gewoon op deze mail." in mail.body
    event = event_in(mail)
    assert (event["UID"], event["SEQUENCE"]) == (one.uid, 0)
    assert event["DTSTART"].dt.astimezone(UTC) == TUESDAY
    assert event["ORGANIZER"] == f"mailto:{account_manager.email}"
    assert event["ORGANIZER"].params["SENT-BY"] == f"mailto:{sdr.email}"
    assert event["ATTENDEE"] == "mailto:luc@maes.example"


def test_the_host_is_invited_by_who_arranged_it_with_the_page_of_the_lead(account_manager: User, sdr: User):
    lead = make.working_lead(sdr)
    one = booked(account_manager, sdr, person=lead.person, lead=lead, note="Ze willen starten voor Pasen.")
    [mail] = to_host(one)
    assert f"/leads/{lead.pk}/" in mail.body
    assert "Ze willen starten voor Pasen." in mail.body
    event = event_in(mail)
    assert (event["UID"], event["ORGANIZER"]) == (one.uid, f"mailto:{sdr.email}")
    host = next(who for who in event["ATTENDEE"] if who == f"mailto:{account_manager.email}")
    assert (host.params["RSVP"], host.params["PARTSTAT"]) == ("TRUE", "NEEDS-ACTION")
    assert "Ze willen starten" not in to_person(one)[0].body


def test_who_books_for_themselves_is_not_asked_whether_they_come(account_manager: User):
    one = booked(account_manager, account_manager)
    event = event_in(to_host(one)[0])
    assert event["ORGANIZER"] != f"mailto:{account_manager.email}"
    assert event["ATTENDEE"][0].params["RSVP"] == "FALSE"
    assert "SENT-BY" not in event_in(to_person(one)[0])["ORGANIZER"].params


def test_answers_go_to_the_mailbox_that_kring_reads(account_manager: User, sdr: User):
    make.mailbox(account_manager, address="els@kring.test")
    own = make.mailbox(sdr, address="noor@kring.test", smtp_host="smtp.kring.test")
    [mail] = to_person(booked(account_manager, sdr))
    organizer = event_in(mail)["ORGANIZER"]
    assert mail.mailbox == own
    assert (organizer, organizer.params["SENT-BY"]) == ("mailto:els@kring.test", "mailto:noor@kring.test")


def test_another_time_keeps_the_uid_and_raises_the_sequence(account_manager: User, sdr: User):
    one = booked(account_manager, sdr)
    moved = appointments.move(appointment=one, starts_at=TUESDAY + timedelta(days=1), by=sdr, at=AT)
    back = appointments.move(appointment=moved, starts_at=TUESDAY, by=sdr, at=AT)
    mails = to_person(back)
    assert [event_in(mail)["SEQUENCE"] for mail in mails] == [0, 1, 2]
    assert {event_in(mail)["UID"] for mail in mails} == {one.uid}
    assert "verplaatst" in mails[1].subject
    assert "woensdag 2 december" in mails[1].body
    assert [event_in(mail)["SEQUENCE"] for mail in to_host(back)] == [0, 1, 2]


def test_what_is_called_off_is_called_off_in_both_calendars(account_manager: User, sdr: User):
    one = booked(account_manager, sdr)
    appointments.cancel(appointment=one, why="Els is ziek", by=sdr, at=AT)
    for mail in (to_person(one)[-1], to_host(one)[-1]):
        event = event_in(mail)
        assert (mail.calendar_method, event["STATUS"]) == ("CANCEL", "CANCELLED")
        assert (event["UID"], event["SEQUENCE"]) == (one.uid, 1)
        assert "Els is ziek" in mail.body


def test_the_link_by_which_it_was_booked_stands_in_the_invitation(account_manager: User, sdr: User, settings: Any):
    settings.SITE_URL = "https://kring.example"
    who = make.person("Ann Baert", language="nl")
    link = make.booking_link(account_manager, person=who, by=sdr)
    one = booked(account_manager, None, person=who, link=link)
    [mail] = to_person(one)
    assert f"https://kring.example/book/{link.token}/" in mail.body
    assert event_in(mail)["URL"] == f"https://kring.example/book/{link.token}/"


def test_without_an_address_only_the_host_hears_and_is_told_so(account_manager: User, sdr: User):
    one = booked(account_manager, sdr, person=make.person("Zonder Adres", email=""))
    assert (to_person(one), one.invited_at) == ([], "")
    assert "cannot write to them" in to_host(one)[0].body
    appointments.cancel(appointment=one, why="moved house", by=sdr, at=AT)
    assert to_person(one) == []


def test_who_asked_us_not_to_write_gets_no_invitation_though_we_may_call(account_manager: User, sdr: User):
    who = make.person("Luc Maes", email="luc@maes.example", phone="+3215111111")
    make.wish(person=who, scope=Scope.MAIL)
    one = booked(account_manager, sdr, person=who, kind=AppointmentKind.VIDEO)
    assert (to_person(one), one.invited_at) == ([], "")
    assert to_host(one)


def test_who_asks_in_between_hears_nothing_more_of_it_by_mail(account_manager: User, sdr: User):
    one = booked(account_manager, sdr)
    make.wish(person=one.person, scope=Scope.MAIL)
    one = appointments.move(appointment=one, starts_at=TUESDAY + timedelta(days=1), by=sdr, at=AT)
    assert one.invited_at == ""
    assert len(to_person(one)) == 1
    outbox.send_due(at=AT)
    assert to_person(one)[0].held_at is not None


def test_what_both_agreed_is_never_too_soon_and_the_reason_is_kept(account_manager: User, sdr: User, teammate: User):
    who = make.person("Luc Maes", email="luc@maes.example")
    make.conversation(who, by=teammate, at=AT - timedelta(hours=1))
    one = booked(account_manager, sdr, person=who)
    assert one.invited_at == "luc@maes.example"
    outbox.send_due(at=AT)
    assert to_person(one)[0].sent_at is not None
    kept = Event.objects.filter(kind=EventKind.PACING_OVERRIDDEN, person=who)
    assert [event.new["why"] for event in kept if event.new] == ["They agreed to meet."]


def test_an_invitation_leaves_as_outlook_gmail_and_apple_mail_want_it(account_manager: User, sdr: User):
    one = booked(account_manager, sdr, place="Brasserie ’t Anker, Mechelen")
    outbox.send_due(at=AT)
    [sent] = [mail for mail in django_mail.outbox if mail.to == ["luc@maes.example"]]
    message = message_from_bytes(sent.message().as_bytes())
    parts: dict[str, Any] = {part.get_content_type(): part for part in message.walk()}
    assert message.get_content_type() == "multipart/mixed"
    alternative = parts["multipart/alternative"]
    assert [part.get_content_type() for part in alternative.get_payload()] == ["text/plain", "text/calendar"]
    assert parts["text/calendar"].get_param("method") == "REQUEST"
    assert parts["text/calendar"].get_param("charset") == "utf-8"
    assert parts["application/ics"].get_filename() == "invite.ics"
    for kind in ("text/calendar", "application/ics"):
        [event] = Calendar.from_ical(parts[kind].get_payload(decode=True)).walk("VEVENT")
        assert (event["UID"], event["LOCATION"]) == (one.uid, "Brasserie ’t Anker, Mechelen")
