"""A page answers whole or in part: the view decides, and htmx and plain browsers see the same truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config import urls as site
from crm.models import User
from crm.web.page import announce, redirect_or_part
from crm.web.preferences import PreferencesForm

Login = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "preferences"}
asked: list[str] = []


def context(request: HttpRequest) -> dict[str, Any]:
    asked.append("context")
    return {"form": PreferencesForm(instance=request.user), "zones": []}


def done(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Done <b>")
    answer = redirect_or_part(
        request, "crm:preferences", "crm/preferences.html", lambda: context(request), parts=("preferences",)
    )
    return announce(announce(answer, "followUpDone"), "dealMoved", deal=3)


@pytest.fixture
def acts(settings: Any) -> None:
    """The site with one act of our own: POST /done/."""
    asked.clear()
    urls = ModuleType("urls_of_this_test")
    urls.urlpatterns = [path("done/", done), *site.urlpatterns]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = urls


def test_a_plain_request_gets_the_whole_page(login: Login, sdr: User) -> None:
    answer = login(sdr).get("/me/")
    assert answer.status_code == 200
    assert b"<!doctype html>" in answer.content
    assert b'id="preferences"' in answer.content


def test_htmx_gets_the_part_that_the_view_listed(login: Login, sdr: User) -> None:
    answer = login(sdr).get("/me/", headers=HTMX)
    assert b"<html" not in answer.content
    assert answer.content.strip().startswith(b'<section class="card" id="preferences"')


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Target": "something-else"},
        {"HX-Request": "true"},
        {"HX-Request": "true", "HX-Boosted": "true", "HX-Target": "preferences"},
        {"HX-Request": "true", "HX-Target": "preferences", "HX-History-Restore-Request": "true"},
        {"HX-Target": "preferences"},
    ],
    ids=["unlisted", "no target", "boosted", "history", "not htmx"],
)
def test_everything_else_gets_the_page(login: Login, sdr: User, headers: dict[str, str]) -> None:
    assert b"<!doctype html>" in login(sdr).get("/me/", headers=headers).content


def test_both_answers_say_on_what_they_depend(login: Login, sdr: User) -> None:
    for headers in ({}, HTMX):
        vary = login(sdr).get("/me/", headers=headers).headers["Vary"]
        assert "HX-Request" in vary
        assert "HX-Target" in vary


def test_a_plain_act_ends_in_a_redirect_without_reading_the_page(acts: None, login: Login, sdr: User) -> None:
    client = login(sdr)
    answer = client.post("/done/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/me/")
    assert not asked
    assert "Done &lt;b&gt;" in client.get("/me/").content.decode()


def test_an_act_by_htmx_gets_the_part_and_its_message(acts: None, login: Login, sdr: User) -> None:
    client = login(sdr)
    answer = client.post("/done/", headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert 'hx-swap-oob="beforeend:#messages"' in page
    assert "Done &lt;b&gt;" in page
    assert "Done" not in client.get("/me/").content.decode(), "a message is told once"


def test_an_act_by_htmx_elsewhere_moves_the_browser(acts: None, login: Login, sdr: User) -> None:
    answer = login(sdr).post("/done/", headers={"HX-Request": "true", "HX-Target": "elsewhere"})
    assert answer.headers["HX-Redirect"] == "/me/"
    assert not answer.content


def test_what_happened_is_announced_to_the_regions_that_listen(acts: None, login: Login, sdr: User) -> None:
    answer = login(sdr).post("/done/", headers=HTMX)
    assert json.loads(answer.headers["HX-Trigger"]) == {"followUpDone": {}, "dealMoved": {"deal": 3}}


def test_no_page_needs_inline_script_or_style(login: Login, client: Client, sdr: User) -> None:
    for answer in (login(sdr).get("/me/"), client.get("/accounts/login/"), client.get("/offline/")):
        page = answer.content.decode()
        assert "style=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick=" not in page
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_the_header_marks_where_we_are(login: Login, sdr: User, admin_user: User) -> None:
    assert '<a class="nav-link" href="/people/" aria-current="page">' in login(sdr).get("/people/").content.decode()
    page = login(sdr).get("/me/").content.decode()
    assert 'aria-current="page"' not in page
    assert 'href="/settings/"' not in page, "only administrators configure"
    assert 'class="skip-link" href="#content"' in page
    assert '<main id="content"' in page
    assert "x-csrftoken" in page
    for_admins = login(admin_user).get("/me/").content.decode()
    for entry in ("/", "/leads/", "/people/", "/deals/", "/circle/", "/dashboard/", "/health/", "/settings/"):
        assert f'<a class="nav-link" href="{entry}"' in for_admins
