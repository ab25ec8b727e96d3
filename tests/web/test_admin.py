"""The configuration pages: for administrators, without scripts or styles in the page, and never a way around a verb."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.core import mail
from django.urls import reverse

from crm import pipelines
from crm.models import Deal, Lead, Person, Promise, Role, User
from tests import make
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = {
    "name": "Noor Maes",
    "email": "Noor@Kring.test",
    "role": "sdr",
    "team": "",
    "language": "nl",
    "time_zone": "Europe/Brussels",
}


@pytest.fixture
def office(login, admin_user):
    return login(admin_user)


def test_a_stranger_goes_to_our_login_and_a_user_who_is_no_administrator_is_refused(client, login, sdr, manager):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    for user in (sdr, manager):
        assert login(user).get("/admin/", follow=True).status_code == 403
        assert login(user).get("/admin/crm/user/", follow=True).status_code == 403


@pytest.mark.parametrize("model", [Lead, Deal, Person, Promise])
def test_what_verbs_own_is_not_there(model):
    assert model not in admin.site._registry


def test_every_page_works_under_the_content_security_policy(office, team):
    make.form(content=make.content())
    pipelines.first_stage()
    pages = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        pages += [reverse(f"{name}_change", args=[row.pk])] if row else []
    assert len(pages) == 1 + 2 * 3, "users and pipelines: every other noun has screens of its own"
    for address in pages:
        answer = office.get(address)
        text = answer.content.decode()
        assert answer.status_code == 200, address
        assert "unsafe-inline" not in answer["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text), address
        assert not re.search(r"<[^>]+\s(?:style|on\w+)=\"", text), address


def test_a_new_user_chooses_a_password_by_a_link_and_logs_in(office, client):
    office.post("/admin/crm/user/add/", NEW)
    user = User.objects.get(email="noor@kring.test")
    assert (user.name, user.role, user.has_usable_password()) == ("Noor Maes", Role.SDR, False)
    (letter,) = mail.outbox
    assert letter.to == ["noor@kring.test"]
    address = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert address
    form = client.get(address[1], follow=True)
    there = form.redirect_chain[-1][0] if form.redirect_chain else address[1]
    client.post(there, {"password1": "the tide comes in at six", "password2": "the tide comes in at six"})
    assert client.login(email="noor@kring.test", password="the tide comes in at six")


@pytest.mark.parametrize("wrong", [{"email": "sofie@kring.test"}, {"email": ""}, {"time_zone": "Mars/Crater"}])
def test_a_user_who_cannot_be_is_not_made_and_no_mail_goes_out(office, sdr, wrong):
    before = User.objects.count()
    assert office.post("/admin/crm/user/add/", NEW | wrong).status_code == 200
    assert (User.objects.count(), mail.outbox) == (before, [])


def test_a_mail_to_choose_a_password_can_be_sent_again(office, sdr):
    left = make.user(is_active=False)
    office.post("/admin/crm/user/", {"action": "send_password_mail", "_selected_action": [sdr.pk, left.pk]})
    assert [letter.to for letter in mail.outbox] == [[sdr.email]]


def test_a_user_is_edited_by_the_names_of_the_days_and_keeps_the_password(office, sdr, team):
    answer = office.post(
        f"/admin/crm/user/{sdr.pk}/change/",
        {
            "name": "Sofie Peeters",
            "email": "SOFIE@kring.test",
            "role": "account_manager",
            "team": team.pk,
            "is_active": "on",
            "language": "nl",
            "time_zone": "Europe/Amsterdam",
            "working_days": ["0", "1", "3"],
            "work_start": "08:30",
            "work_end": "16:00",
            "password": "stolen",
        },
    )
    assert answer.status_code == 302
    sdr.refresh_from_db()
    assert (sdr.role, sdr.working_days, sdr.email) == (Role.ACCOUNT_MANAGER, [0, 1, 3], "sofie@kring.test")
    assert sdr.check_password(PASSWORD)


def test_no_password_hash_is_shown(office, sdr):
    assert sdr.password not in office.get(f"/admin/crm/user/{sdr.pk}/change/").content.decode()


def test_nobody_is_deleted_and_nobody_locks_themselves_out(office, admin_user, sdr):
    assert office.post(f"/admin/crm/user/{sdr.pk}/delete/", {"post": "yes"}).status_code == 403
    page = office.get(f"/admin/crm/user/{admin_user.pk}/change/").content.decode()
    assert 'name="role"' not in page
    assert 'name="is_active"' not in page


def test_a_pipeline_is_edited_with_its_stages(office):
    pipeline = pipelines.first_stage().pipeline
    page = office.get(f"/admin/crm/pipeline/{pipeline.pk}/change/").content.decode()
    assert "Get acquainted" in page
    assert 'aria-label="' in page
