"""English or Dutch: by the browser, by the switch, by the profile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from crm.models import User

Login = Callable[[User], Client]


@pytest.mark.django_db
def test_a_visitor_reads_the_language_of_the_browser(client: Client) -> None:
    assert '<html lang="nl"' in client.get("/accounts/login/", headers={"Accept-Language": "nl-BE,nl"}).content.decode()
    assert '<html lang="en"' in client.get("/accounts/login/", headers={"Accept-Language": "fr"}).content.decode()


@pytest.mark.django_db
def test_the_switch_of_a_visitor_is_remembered(client: Client) -> None:
    answer = client.post("/language/", {"language": "nl", "next": "/accounts/login/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")
    assert '<html lang="nl"' in client.get("/accounts/login/", headers={"Accept-Language": "en"}).content.decode()


def test_the_switch_of_a_user_is_kept_in_the_profile(login: Login, sdr: User) -> None:
    login(sdr).post("/language/", {"language": "nl", "next": "/me/"})
    sdr.refresh_from_db()
    assert sdr.language == "nl"
    elsewhere = login(sdr)
    assert '<html lang="nl"' in elsewhere.get("/me/", headers={"Accept-Language": "en"}).content.decode()


def test_the_profile_goes_before_the_browser_and_the_cookie(login: Login, sdr: User) -> None:
    client = login(sdr)
    client.cookies["django_language"] = "nl"
    assert '<html lang="en"' in client.get("/me/", headers={"Accept-Language": "nl"}).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("there", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_the_switch_never_leads_off_the_site(client: Client, there: str) -> None:
    assert client.post("/language/", {"language": "nl", "next": there}).headers["Location"] == "/"


def test_an_unknown_language_changes_nothing(login: Login, sdr: User) -> None:
    answer = login(sdr).post("/language/", {"language": "xx", "next": "/me/"})
    sdr.refresh_from_db()
    assert answer.headers["Location"] == "/me/"
    assert sdr.language == "en"
    assert not answer.cookies


@pytest.mark.django_db
def test_a_get_switches_nothing(client: Client) -> None:
    assert client.get("/language/?language=nl").status_code == 405


def test_one_users_language_is_not_the_next_visitors(login: Login, client: Client, sdr: User) -> None:
    sdr.language = "nl"
    sdr.save(update_fields=["language"])
    login(sdr).get("/me/")
    assert '<html lang="en"' in client.get("/accounts/login/").content.decode()
