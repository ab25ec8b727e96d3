"""Book from the page of a lead, move, call off, say how it went, send a link: each by a button that works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import agenda, appointments, follow_ups
from crm.models import Appointment, AppointmentState, BookingLink, Conversation, Lead, Override, Role, Scope, User
from tests import make

Login = Callable[[User], Client]


@pytest.fixture
def host(account_manager: User) -> User:
    """Works every day, nearly around the clock, so that the tests are green at any hour."""
    account_manager.working_days, account_manager.notice_hours = list(range(7)), 0
    account_manager.work_start, account_manager.work_end = time(0), time(23, 30)
    account_manager.buffer_minutes = 0
    account_manager.save()
    return account_manager


@pytest.fixture
def lead(sdr: User) -> Lead:
    return make.working_lead(sdr, name="Griet Vandamme", at=timezone.now())


def free(host: User, number: int = 0, minutes: int = 30) -> str:
    """The nth free time, as its button sends it."""
    at = timezone.now() + timedelta(hours=1)
    found = agenda.free_slots(host, minutes=minutes, start=at, end=at + timedelta(days=9), at=at, zone=ZoneInfo("UTC"))
    return found[number].isoformat()


def asked(host: User, **changes: str) -> dict[str, str]:
    return {"user": str(host.pk), "kind": "video", "minutes": "30", "subject": "First talk", **changes}


# ---- Book ----------------------------------------------------------------------------------------------------------


def test_a_free_time_is_a_button_that_books_it(host: User, sdr: User, lead: Lead, login: Login) -> None:
    client = login(sdr)
    page = client.get(f"/agenda/new/?lead={lead.pk}&user={host.pk}").content.decode()
    assert 'name="slot"' in page
    slot = free(host)
    assert slot in page
    answer = client.post(f"/agenda/new/?lead={lead.pk}", asked(host, slot=slot, note="Dates"), follow=True)
    row = Appointment.objects.get()
    assert (row.lead, row.person, row.user, row.booked_by, row.note) == (lead, lead.person, host, sdr, "Dates")
    assert answer.redirect_chain[-1][0] == f"/appointments/{row.pk}/"
    assert "Arjan" in answer.content.decode()


def test_showing_free_times_books_nothing_and_keeps_what_was_typed(
    host: User, sdr: User, lead: Lead, login: Login
) -> None:
    text = login(sdr).post(
        f"/agenda/new/?lead={lead.pk}", asked(host, show="1", note="Kept", minutes="60", subject="Kept too")
    ).content.decode()  # fmt: skip
    assert "Kept too" in text
    assert ">\nKept<" in text
    assert "for 60 minutes" in text
    assert not Appointment.objects.exists()


def test_a_taken_time_is_told_with_others_and_what_was_typed_is_kept(
    host: User, sdr: User, lead: Lead, login: Login
) -> None:
    slot = free(host)
    make.appointment(host, starts_at=datetime.fromisoformat(slot), minutes=30, at=timezone.now())
    text = login(sdr).post(f"/agenda/new/?lead={lead.pk}", asked(host, slot=slot, note="Kept")).content.decode()
    assert "no longer free" in text
    assert "Free near it" in text
    assert "Kept" in text
    assert Appointment.objects.count() == 1


def test_a_colleague_books_outside_working_hours_and_is_told_so(sdr: User, lead: Lead, login: Login) -> None:
    host = make.user("Bea", Role.ACCOUNT_MANAGER, work_start=time(9), work_end=time(9, 30))
    when = timezone.localtime() + timedelta(days=2)
    own = when.replace(hour=20, minute=15).strftime("%Y-%m-%dT%H:%M")
    text = login(sdr).post(
        f"/agenda/new/?lead={lead.pk}", asked(host, book="1", own=own), follow=True
    ).content.decode()  # fmt: skip
    assert "outside the working hours of Bea" in text
    assert Appointment.objects.count() == 1


def test_a_visit_before_both_yeses_asks_why_and_keeps_it(host: User, sdr: User, lead: Lead, login: Login) -> None:
    client = login(sdr)
    form = asked(host, kind="visit", slot=free(host), distance_km="40")
    refused = client.post(f"/agenda/new/?lead={lead.pk}", form).content.decode()
    assert "Why visit before both sides have said yes?" in refused
    assert "Say why you go on before both sides have said yes." in refused
    assert not Appointment.objects.exists()
    client.post(f"/agenda/new/?lead={lead.pk}", form | {"override": "They are next door"})
    row = Appointment.objects.get()
    assert (row.distance_km, row.travel_minutes) == (40, 40)
    assert Override.objects.get().why == "They are next door"
    assert "They are next door" in client.get(f"/appointments/{row.pk}/").content.decode()


def test_a_visit_that_was_chosen_a_moment_ago_keeps_the_way_free(host: User, sdr: User, login: Login) -> None:
    lead = make.qualified_lead(sdr, at=timezone.now())
    Lead.objects.filter(pk=lead.pk).update(distance_km=30)
    login(sdr).post(f"/agenda/new/?lead={lead.pk}", asked(host, kind="visit", slot=free(host, 2)))
    row = Appointment.objects.get()
    assert (row.distance_km, row.travel_minutes) == (30, 30)


@pytest.mark.parametrize("wrong", [{"slot": "yesterday"}, {"slot": "2026-11-25T10:00:00"}, {"book": "1", "own": ""}])
def test_nonsense_for_a_time_is_asked_again(
    wrong: dict[str, str], host: User, sdr: User, lead: Lead, login: Login
) -> None:
    answer = login(sdr).post(f"/agenda/new/?lead={lead.pk}", asked(host, **wrong))
    assert answer.status_code == 200
    assert "Choose a time." in answer.content.decode()


def test_somebody_must_be_named(sdr: User, login: Login) -> None:
    assert login(sdr).get("/agenda/new/").status_code == 404


def test_who_gets_no_mail_is_booked_and_the_sdr_is_told_to_tell_them(host: User, sdr: User, login: Login) -> None:
    person = make.person("Silent", owner=sdr)
    make.wish(person=person, scope=Scope.MAIL, by=sdr, at=timezone.now())
    text = login(sdr).post(
        f"/agenda/new/?person={person.pk}", asked(host, slot=free(host)), follow=True
    ).content.decode()  # fmt: skip
    assert "no invitation by mail" in text
    assert Appointment.objects.get().invited_at == ""


def test_their_hour_stands_beside_ours_when_they_live_elsewhere(host: User, sdr: User, login: Login) -> None:
    person = make.person("Yuki Mori", owner=sdr, time_zone="Asia/Tokyo")
    page = login(sdr).get(f"/agenda/new/?person={person.pk}&user={host.pk}").content.decode()
    there = datetime.fromisoformat(free(host)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"<small>{there:%H:%M}</small>" in page.partition(free(host))[2][:300]


def test_a_page_of_free_times_takes_few_queries(
    host: User, sdr: User, lead: Lead, login: Login, django_assert_max_num_queries: Any
) -> None:
    client = login(sdr)
    with django_assert_max_num_queries(28):
        client.get(f"/agenda/new/?lead={lead.pk}&user={host.pk}")


# ---- Its page and its acts -----------------------------------------------------------------------------------------


def test_the_page_says_what_when_and_where_they_are(host: User, login: Login) -> None:
    person = make.person("Yuki Mori", time_zone="Asia/Tokyo")
    row = make.appointment(host, person=person, at=timezone.now(), note="<b>Bold</b>")
    text = login(host).get(f"/appointments/{row.pk}/").content.decode()
    assert "Yuki Mori" in text
    there = row.starts_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{there:%H:%M} where they are (Asia/Tokyo)" in text
    assert "&lt;b&gt;Bold" in text
    assert "Appointment made" in text


def test_another_time_and_calling_off(host: User, sdr: User, lead: Lead, login: Login) -> None:
    row = make.appointment(host, person=lead.person, lead=lead, by=sdr, at=timezone.now(), minutes=30)
    client = login(sdr)
    assert 'name="slot"' in client.get(f"/appointments/{row.pk}/move/").content.decode()
    slot = free(host, 3)
    client.post(f"/appointments/{row.pk}/move/", {"slot": slot, "why": "their train"})
    row.refresh_from_db()
    assert (row.starts_at.isoformat(), row.sequence) == (slot, 1)
    assert "later" in client.post(f"/appointments/{row.pk}/move/", {"since": ""}).content.decode().lower()
    assert client.post(f"/appointments/{row.pk}/cancel/", {"why": ""}).status_code == 200
    client.post(f"/appointments/{row.pk}/cancel/", {"why": "They are ill"})
    row.refresh_from_db()
    assert row.state == AppointmentState.CANCELLED
    text = client.get(f"/appointments/{row.pk}/").content.decode()
    assert "They are ill" in text
    assert "How did it go?" not in text


def past(host: User, **fields: object) -> Appointment:
    """One that ended an hour ago."""
    now = timezone.now()
    return make.appointment(
        host,
        starts_at=now - timedelta(hours=2),
        at=now - timedelta(days=1),
        **fields,  # type: ignore[arg-type]
    )


def test_held_leads_to_the_log_filled_in_and_logging_ends_it(host: User, sdr: User, lead: Lead, login: Login) -> None:
    row = past(host, person=lead.person, lead=lead, by=sdr, minutes=45)
    client = login(host)
    answer = client.post(f"/appointments/{row.pk}/held/")
    assert answer.headers["Location"] == f"/conversations/new/?appointment={row.pk}"
    page = client.get(answer.headers["Location"]).content.decode()
    when = timezone.localtime(row.starts_at).strftime("%Y-%m-%dT%H:%M")
    assert when in page
    assert 'value="45"' in page
    said = {
        "people": str(row.person_id),
        "kind": "video",
        "direction": "both",
        "when": when,
        "summary": "They want two dates",
    }
    client.post(f"/conversations/new/?appointment={row.pk}", said)
    row.refresh_from_db()
    assert (row.state, row.conversation) == (AppointmentState.HELD, Conversation.objects.latest("pk"))
    assert row.conversation
    assert row.conversation.lead == lead
    again = client.get(f"/conversations/new/?appointment={row.pk}")
    assert again.headers["Location"] == f"/conversations/{row.conversation_id}/"


def test_a_no_show_offers_a_new_link_kindly(host: User, login: Login) -> None:
    row = past(host)
    client = login(host)
    text = client.post(f"/appointments/{row.pk}/no-show/", follow=True).content.decode()
    assert f"/agenda/links/new/?person={row.person_id}" in text
    assert client.post(f"/appointments/{row.pk}/held/").status_code == 302
    row.refresh_from_db()
    assert row.state == AppointmentState.HELD


def test_what_has_not_begun_cannot_be_held(host: User, login: Login) -> None:
    row = make.appointment(host, at=timezone.now())
    text = login(host).post(f"/appointments/{row.pk}/held/", follow=True).content.decode()
    assert "not begun" in text


def test_today_asks_how_it_went(host: User, login: Login) -> None:
    row = past(host)
    follow_ups.refresh(at=timezone.now())
    text = login(host).get("/").content.decode()
    assert "How did it go?" in text
    assert f'href="/appointments/{row.pk}/"' in text
    appointments.held(appointment=row, by=host, at=timezone.now())
    follow_ups.refresh(at=timezone.now())
    assert f'href="/conversations/new/?appointment={row.pk}"' in login(host).get("/").content.decode()


@pytest.mark.parametrize("of", ["lead", "deal", "person"])
def test_their_pages_show_what_is_agreed_and_how_to_meet(
    of: str, host: User, sdr: User, lead: Lead, login: Login
) -> None:
    subject: Any = {"lead": lead, "deal": make.deal(sdr), "person": lead.person}[of]
    about: dict[str, Any] = {
        "person": getattr(subject, "person", subject),
        of: subject,
        "by": sdr,
        "at": timezone.now(),
    }
    make.appointment(host, subject="Shown here", **about)
    make.booking_link(host, **about)
    there = reverse(f"crm:{of}", args=[subject.pk])
    text = login(sdr).get(there).content.decode()
    assert "Shown here" in text
    assert "They may choose a time" in text
    assert f"/agenda/new/?{of}={subject.pk}" in text
    assert f"/agenda/links/new/?{of}={subject.pk}" in text


# ---- Links ---------------------------------------------------------------------------------------------------------


def test_a_link_is_made_read_mailed_and_revoked(host: User, sdr: User, lead: Lead, login: Login) -> None:
    client = login(sdr)
    page = client.post(f"/agenda/links/new/?lead={lead.pk}", asked(host, make="1"), follow=True).content.decode()
    link = BookingLink.objects.get()
    assert f"/book/{link.token}/" in page
    mail = client.get(f"/mail/new/?person={link.person_id}&lead={lead.pk}&link={link.pk}").content.decode()
    assert f"/book/{link.token}/" in mail
    client.post(f"/agenda/links/{link.pk}/revoke/")
    link.refresh_from_db()
    assert link.revoked_at
    text = client.get(f"/agenda/links/{link.pk}/").content.decode()
    assert "revoked" in text
    assert link.token not in text


def test_changing_how_they_meet_makes_no_link(host: User, sdr: User, lead: Lead, login: Login) -> None:
    answer = login(sdr).post(f"/agenda/links/new/?lead={lead.pk}", asked(host, kind="visit"))
    assert "Kilometres there" in answer.content.decode()
    assert not BookingLink.objects.exists()


def test_a_link_meant_for_another_is_not_put_into_a_mail(host: User, sdr: User, login: Login) -> None:
    link = make.booking_link(host, at=timezone.now(), by=sdr)
    other = make.person(owner=sdr)
    assert link.token not in login(sdr).get(f"/mail/new/?person={other.pk}&link={link.pk}").content.decode()
