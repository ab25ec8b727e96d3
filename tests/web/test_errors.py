"""When a page cannot be shown, it says what happened in our own words and look; htmx gets the sentence alone."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config import urls as site
from crm.models import User

Login = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "leads"}


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail")


def refusing(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Only the owner may do that <b>.")


def refusing_without_words(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


@pytest.fixture
def doors(settings: Any) -> None:
    urls = ModuleType("urls_of_this_test")
    urls.__dict__.update(
        urlpatterns=[
            path("broken/", broken),
            path("refusing/", refusing),
            path("silent/", refusing_without_words),
            *site.urlpatterns,
        ],
        handler403=site.handler403,
        handler404=site.handler404,
        handler500=site.handler500,
    )
    settings.ROOT_URLCONF = urls


def test_a_lost_page_keeps_the_header_for_those_who_are_in(login: Login, sdr: User) -> None:
    answer = login(sdr).get("/no/such/page/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "This page is not here" in page
    assert 'class="kring-nav"' in page


@pytest.mark.django_db
def test_a_lost_page_shows_nothing_of_the_inside_to_a_stranger(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "kring-nav" not in answer.content.decode()


def test_a_refusal_says_why(doors: None, login: Login, sdr: User) -> None:
    answer = login(sdr).get("/refusing/")
    assert answer.status_code == 403
    assert "Only the owner may do that &lt;b&gt;." in answer.content.decode()
    assert "its owner, their team and managers" in login(sdr).get("/silent/").content.decode()


@pytest.mark.parametrize(
    ("where", "status", "sentence"),
    [
        ("/refusing/", 403, "Only the owner may do that &lt;b&gt;."),
        ("/no/such/page/", 404, "That is not here any more"),
        ("/broken/", 500, "Something went wrong on our side"),
    ],
)
def test_htmx_gets_one_sentence_for_the_messages(
    doors: None, login: Login, sdr: User, where: str, status: int, sentence: str
) -> None:
    client = login(sdr)
    client.raise_request_exception = False
    answer = client.get(where, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == status
    assert sentence in page
    assert "<html" not in page
    assert 'role="alert"' in page


def test_a_broken_page_needs_neither_database_nor_context(
    doors: None, login: Login, sdr: User, django_assert_num_queries: Any
) -> None:
    client = login(sdr)
    client.raise_request_exception = False
    with django_assert_num_queries(2):  # the session and its user, before the view broke
        answer = client.get("/broken/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong on our side" in page
    assert "secret" not in page


@pytest.mark.django_db
def test_a_page_that_was_open_too_long_says_so() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/language/", {"language": "nl"})
    assert answer.status_code == 403
    assert "Please try once more" in answer.content.decode()
    part = client.post("/language/", {"language": "nl"}, headers=HTMX)
    assert part.status_code == 403
    assert "<html" not in part.content.decode()


@pytest.mark.django_db
def test_htmx_without_a_login_goes_there_and_comes_back(client: Client) -> None:
    answer = client.get("/me/", headers=HTMX | {"HX-Current-URL": "https://kring.test/leads/?status=new"})
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=/leads/%3Fstatus%3Dnew"


@pytest.mark.django_db
def test_the_page_for_no_connection_is_kept_by_a_worker(client: Client) -> None:
    worker = client.get("/service-worker.js")
    assert worker.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert '"/offline/"' in worker.content.decode()
    page = client.get("/offline/")
    assert page.status_code == 200
    assert "There is no connection" in page.content.decode()
