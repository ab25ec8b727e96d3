"""Coming in, going out, and the way back in for those who forgot their password."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from crm.models import User
from tests.conftest import PASSWORD

Login = Callable[[User], Client]
NEW = "a quiet morning on the Scheldt"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """allauth counts attempts in the cache."""
    cache.clear()


def come_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


@pytest.mark.django_db
def test_the_login_is_in_our_look(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert "Welcome back" in page
    assert 'class="form-control"' in page
    assert 'autocomplete="current-password"' in page
    assert "placeholder" not in page
    assert page.count("/accounts/password/reset/") == 1
    assert "Sign Up" not in page


def test_who_knows_the_password_comes_in_and_lands_at_home(client: Client, sdr: User) -> None:
    answer = come_in(client, "sofie@kring.test")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/home/")
    assert client.get("/me/").status_code == 200


def test_the_address_may_be_written_in_capitals(client: Client, sdr: User) -> None:
    assert come_in(client, "Sofie@KRING.test").status_code == 302


def test_the_login_leads_to_the_page_that_was_asked_for(client: Client, sdr: User) -> None:
    page = client.get("/accounts/login/?next=/me/").content.decode()
    assert 'name="next" value="/me/"' in page
    assert come_in(client, "sofie@kring.test", next="/me/").headers["Location"] == "/me/"
    client.logout()
    assert come_in(client, "sofie@kring.test", next="https://elsewhere.example/").headers["Location"] == "/home/"


def test_a_wrong_password_stays_out_and_is_told_so(client: Client, sdr: User) -> None:
    answer = come_in(client, "sofie@kring.test", "wrong")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert client.get("/me/").status_code == 302


def test_a_closed_account_stays_out(client: Client, sdr: User) -> None:
    sdr.is_active = False
    sdr.save(update_fields=["is_active"])
    come_in(client, "sofie@kring.test")
    assert client.get("/me/").status_code == 302


@pytest.mark.django_db
def test_nobody_signs_up(client: Client) -> None:
    assert client.get("/accounts/signup/").status_code == 404
    client.post("/accounts/signup/", {"email": "stranger@elsewhere.test", "password1": NEW})
    assert not User.objects.filter(email="stranger@elsewhere.test").exists()


def test_logging_out_asks_first_and_acts_on_post(login: Login, sdr: User) -> None:
    client = login(sdr)
    assert "Log out?" in client.get("/accounts/logout/").content.decode()
    assert client.get("/me/").status_code == 200, "looking at the question does not log out"
    answer = client.post("/accounts/logout/", follow=True)
    assert "You are logged out" in answer.content.decode()
    assert client.get("/me/").status_code == 302


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail(client: Client, sdr: User) -> None:
    assert "Forgot your password?" in client.get("/accounts/password/reset/").content.decode()
    answer = client.post("/accounts/password/reset/", {"email": "sofie@kring.test"}, follow=True)
    assert "Look in your mailbox" in answer.content.decode()
    (letter,) = mail.outbox
    assert letter.to == ["sofie@kring.test"]
    assert letter.subject == "Choose a new password for Kring"
    assert "Hello Sofie," in letter.body
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(letter.body))
    assert link
    form = client.get(link[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    there = form.redirect_chain[-1][0]
    done = client.post(there, {"password1": NEW, "password2": NEW}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert mail.outbox[-1].subject == "Your password for Kring has been changed"
    assert come_in(Client(), "sofie@kring.test", NEW).status_code == 302
    again = Client().get(link[1], follow=True)
    assert "This link no longer works" in again.content.decode()


def test_a_weak_new_password_is_refused_in_the_form(client: Client, sdr: User) -> None:
    client.post("/accounts/password/reset/", {"email": "sofie@kring.test"})
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    there = client.get(link[1], follow=True).redirect_chain[-1][0]
    answer = client.post(there, {"password1": "123", "password2": "123"})
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode()


def test_the_mail_speaks_the_language_of_its_reader(client: Client, sdr: User) -> None:
    sdr.language = "nl"
    sdr.save(update_fields=["language"])
    client.post("/accounts/password/reset/", {"email": "sofie@kring.test"}, headers={"Accept-Language": "en"})
    with translation.override("nl"):
        assert mail.outbox[0].subject == translation.gettext("Choose a new password for Kring")


@pytest.mark.django_db
def test_an_address_we_do_not_know_gets_no_mail_and_no_other_answer(client: Client) -> None:
    answer = client.post("/accounts/password/reset/", {"email": "stranger@elsewhere.test"}, follow=True)
    assert "Look in your mailbox" in answer.content.decode()
    assert not mail.outbox


def test_a_password_is_changed_by_who_knows_the_old_one(login: Login, sdr: User) -> None:
    client = login(sdr)
    form = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", form).status_code == 200
    answer = client.post("/accounts/password/change/", form | {"oldpassword": PASSWORD}, follow=True)
    assert "Your new password is saved" in answer.content.decode()
    assert client.get("/me/").status_code == 200, "and stays in"


def test_a_closed_account_is_told_so_in_our_look(client: Client, sdr: User) -> None:
    answer = client.get("/accounts/inactive/")
    assert answer.status_code == 200
    assert "kring.css" in answer.content.decode()
