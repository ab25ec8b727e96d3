"""The configuration pages: for administrators, without scripts or styles in the page, and never a way around a verb."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.core import mail
from django.urls import reverse

from crm import pipelines
from crm.models import Deal, Lead, Person, Promise, Role, User
from qualification import versions
from qualification.models import Scorecard
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


@pytest.fixture
def used_card(sdr) -> Scorecard:
    make.qualified_lead(sdr)
    return Scorecard.objects.get()


def card_fields(card: Scorecard, **changed: str) -> dict[str, str]:
    rows = list(card.criteria.all())
    fields = {
        "name": card.name,
        "description": "",
        "threshold_ours": "60",
        "threshold_theirs": "60",
        "is_active": "on",
        "criteria-TOTAL_FORMS": str(len(rows)),
        "criteria-INITIAL_FORMS": str(len(rows)),
    }
    for place, row in enumerate(rows):
        fields |= {
            f"criteria-{place}-id": str(row.pk),
            f"criteria-{place}-scorecard": str(card.pk),
            f"criteria-{place}-position": str(row.position),
            f"criteria-{place}-side": row.side,
            f"criteria-{place}-question": row.question,
            f"criteria-{place}-weight": str(row.weight),
        }
    return fields | changed


def test_a_stranger_goes_to_our_login_and_a_user_who_is_no_administrator_is_refused(client, login, sdr, manager):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    for user in (sdr, manager):
        assert login(user).get("/admin/", follow=True).status_code == 403
        assert login(user).get("/admin/crm/user/", follow=True).status_code == 403


@pytest.mark.parametrize("model", [Lead, Deal, Person, Promise])
def test_what_verbs_own_is_not_there(model):
    assert model not in admin.site._registry


def test_every_page_works_under_the_content_security_policy(office, used_card, team):
    make.form(content=make.content())
    pipelines.first_stage()
    pages = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        pages += [reverse(f"{name}_change", args=[row.pk])] if row else []
    assert len(pages) > 12
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


def test_a_scorecard_that_nobody_used_may_be_edited(office):
    card = make.scorecard()
    office.post(
        f"/admin/qualification/scorecard/{card.pk}/change/",
        card_fields(card, **{"criteria-0-question": "Pain, in their words"}),
    )
    assert "Pain, in their words" in {row.question for row in card.criteria.all()}


def test_a_scorecard_that_was_used_keeps_its_questions_whatever_is_sent(office, used_card):
    before = list(used_card.criteria.values())
    sent = card_fields(used_card, **{"criteria-0-question": "Other", "criteria-1-DELETE": "on", "name": "Other"})
    office.post(f"/admin/qualification/scorecard/{used_card.pk}/change/", sent)
    used_card.refresh_from_db()
    assert (used_card.name, list(used_card.criteria.values())) == ("Ideal client", before)
    assert office.post(f"/admin/qualification/scorecard/{used_card.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_used_scorecard_can_be_taken_out_of_use(office, used_card):
    fields = card_fields(used_card)
    del fields["is_active"]
    office.post(f"/admin/qualification/scorecard/{used_card.pk}/change/", fields)
    used_card.refresh_from_db()
    assert not used_card.is_active


def test_a_new_version_has_the_same_questions_and_is_not_in_use_yet(office, used_card):
    office.post("/admin/qualification/scorecard/", {"action": "make_new_version", "_selected_action": [used_card.pk]})
    fresh = Scorecard.objects.get(version=2)
    questions = ("side", "question", "help_text", "weight", "is_must", "position")
    assert list(fresh.criteria.values(*questions)) == list(used_card.criteria.values(*questions))
    assert list(Scorecard.objects.current()) == [used_card]
    assert not versions.is_used(fresh)
    office.post(f"/admin/qualification/scorecard/{fresh.pk}/change/", card_fields(fresh))
    assert list(Scorecard.objects.current()) == [fresh]


def test_versions_count_on_from_the_newest(used_card):
    versions.begin(used_card)
    assert versions.begin(used_card).version == 3


def test_a_pipeline_is_edited_with_its_stages(office):
    pipeline = pipelines.first_stage().pipeline
    page = office.get(f"/admin/crm/pipeline/{pipeline.pk}/change/").content.decode()
    assert "Get acquainted" in page
    assert 'aria-label="' in page
