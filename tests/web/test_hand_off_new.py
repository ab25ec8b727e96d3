"""Handing off: who fits stands first with the reasons, and whoever is away cannot be chosen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm.models import Absence, HandOff, LeadStatus, OutgoingMail, Role, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "act"}


@pytest.fixture
def now() -> Any:
    with time_machine.travel(make.AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def els(team: Any) -> User:
    return make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=team, language="nl", sectors=["interiors"])


def test_who_fits_best_stands_first_is_chosen_and_says_why(
    login: Login, sdr: User, account_manager: User, els: User
) -> None:
    company = make.organisation(sector="interiors")
    lead = make.qualified_lead(sdr, person=make.person(language="nl", organisation=company), company=company)
    client = login(sdr)
    shown = client.get(f"/leads/{lead.pk}/hand-off/").content.decode()
    assert shown.index("Els Verbeke") < shown.index("Arjan van der Meer")
    assert "Dutch · knows interiors · nothing in hand" in shown
    assert "free " in shown, "with the first free time"
    assert f'value="{els.pk}" required checked' in shown
    other = client.get(f"/leads/{lead.pk}/hand-off/?to={account_manager.pk}").content.decode()
    assert f'value="{account_manager.pk}" required checked' in other
    answer = client.post(
        f"/leads/{lead.pk}/hand-off/", {"to": els.pk, "note": "Wants a start before Easter."}, follow=True
    )
    assert "Handed off to Els Verbeke, who answers by Monday 23 November, 14:30." in answer.content.decode()
    lead.refresh_from_db()
    assert lead.status == LeadStatus.HANDED_OFF
    assert HandOff.objects.get().note == "Wants a start before Easter."
    assert OutgoingMail.objects.get().to == els.email


def test_whoever_is_away_cannot_be_chosen_and_is_refused_with_a_sentence(
    login: Login, sdr: User, account_manager: User, els: User
) -> None:
    Absence.objects.create(user=els, starts_on=make.AT.date(), ends_on=make.AT.date() + timedelta(days=11))
    lead = make.qualified_lead(sdr)
    client = login(sdr)
    shown = client.get(f"/leads/{lead.pk}/hand-off/").content.decode()
    assert "away until 4 December" in shown
    assert f'value="{els.pk}" required disabled' in shown
    refused = client.post(f"/leads/{lead.pk}/hand-off/", {"to": els.pk, "note": "Take care"}, headers=HTMX)
    words = refused.content.decode()
    assert "Els Verbeke is away until 4 December. Arjan van der Meer fits as well." in words
    assert "Take care" in words
    assert not HandOff.objects.exists()


def test_without_a_choice_or_an_account_manager_it_says_what_to_do(login: Login, sdr: User) -> None:
    lead = make.qualified_lead(sdr)
    client = login(sdr)
    assert "There is no account manager yet" in client.get(f"/leads/{lead.pk}/hand-off/").content.decode()
    make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    assert "Choose an account manager." in client.post(f"/leads/{lead.pk}/hand-off/", {}).content.decode()


def test_the_page_of_the_lead_says_who_fits(login: Login, sdr: User, els: User, outsider: User) -> None:
    working = make.working_lead(sdr)
    client = login(sdr)
    shown = client.get(f"/leads/{working.pk}/").content.decode()
    assert "Who fits" in shown
    assert f"/leads/{working.pk}/hand-off/?to={els.pk}" not in shown, "not before it is qualified"
    qualified = make.qualified_lead(sdr)
    link = f"/leads/{qualified.pk}/hand-off/?to={els.pk}"
    assert link in client.get(f"/leads/{qualified.pk}/").content.decode()
    assert link not in login(outsider).get(f"/leads/{qualified.pk}/").content.decode()


def test_many_account_managers_cost_no_more_questions(
    login: Login, sdr: User, els: User, django_assert_max_num_queries: Any
) -> None:
    lead = make.qualified_lead(sdr)
    for number in range(6):
        make.deal(make.user(f"AM {number}", Role.ACCOUNT_MANAGER, team=make.team()))
    client = login(sdr)
    client.get(f"/leads/{lead.pk}/hand-off/")
    with django_assert_max_num_queries(16):
        client.get(f"/leads/{lead.pk}/hand-off/")
