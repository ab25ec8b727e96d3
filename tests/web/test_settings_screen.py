"""The settings: what is set up now, for administrators; a part of it for managers; nothing for the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm import outbox, pipelines
from crm.models import OutgoingMail
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def set_up(sdr, outsider):
    make.scorecard()
    pipelines.first_stage()
    make.form("price-page", title="Ask for a price")
    make.form("closed", title="Old form", is_active=False)
    make.content("Whiteboard to plan in a week")
    outbox.put(to="sofie@notelaar.example", subject="Dates", body="…", by=sdr, at=AT)
    OutgoingMail.objects.create(
        to="nobody@example.example",
        subject="x",
        body="x",
        created_at=AT,
        try_at=AT + timedelta(hours=1),
        tries=8,
        failure="550 unknown",
    )


def test_an_administrator_sees_all_of_it_with_a_way_to_each(login, admin_user, set_up):
    page = login(admin_user).get("/settings/").content.decode()
    for words in (
        "3 people can log in",
        "Gent",
        "Utrecht",
        "http://testserver/f/price-page/",
        "Old form",
        "Ideal client",
        "3 questions of ours, 2 of theirs",
        "New customers",
        "page",
        "550 unknown",
    ):
        assert words in page, words
    assert reverse("crm:capture-forms") in page
    for name in ("contents", "hooks"):
        assert reverse(f"crm:{name}") in page
    for name in ("user", "pipeline"):
        assert reverse(f"admin:crm_{name}_changelist") in page
    assert "http://testserver/f/closed/" not in page


def test_a_manager_sees_what_is_of_use_and_no_door_that_is_locked(login, manager, set_up):
    page = login(manager).get("/settings/").content.decode()
    assert "Ask for a price" in page
    assert "/admin/" not in page
    assert "550 unknown" not in page
    assert '<a class="dropdown-item" href="/settings/">' in page


@pytest.mark.parametrize("who", ["sdr", "account_manager", "outsider"])
def test_the_others_are_refused(login, who, request):
    assert login(request.getfixturevalue(who)).get("/settings/").status_code == 403


def test_it_reads_only_and_asks_for_a_login(client, login, admin_user):
    assert login(admin_user).post("/settings/").status_code == 405
    assert client.get("/settings/")["Location"].startswith("/accounts/login/")


def test_nothing_set_up_says_what_is_missing(login, admin_user):
    page = login(admin_user).get("/settings/").content.decode()
    assert "No scorecard is in use" in page
    assert "No form yet" in page


def test_it_takes_few_queries(login, admin_user, set_up, django_assert_max_num_queries):
    client = login(admin_user)
    with django_assert_max_num_queries(20):
        client.get("/settings/")


def test_a_firm_without_a_scorecard_is_shown_where_to_begin_one(login, admin_user, manager):
    start = reverse("crm:scorecard-new")
    assert start in login(admin_user).get("/settings/").content.decode()
    assert start not in login(manager).get("/settings/").content.decode()
