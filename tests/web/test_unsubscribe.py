"""The link at the foot of mail to several: looking does nothing, one click ends such mail, and nobody can make a link for somebody else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from crm import unsubscribing
from crm.models import DoNotContact, EventKind, Person, Scope
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lotte() -> Person:
    return make.person("Lotte Maes", language="nl")


def path(person: Person) -> str:
    return urlsplit(unsubscribing.link(person)).path


def test_the_link_leads_to_this_installation(lotte: Person, settings: object) -> None:
    settings.SITE_URL = "https://kring.example"  # type: ignore[attr-defined]
    assert unsubscribing.link(lotte).startswith("https://kring.example/u/")


def test_looking_at_the_page_changes_nothing(lotte: Person) -> None:
    answer = Client().get(path(lotte))
    assert answer.status_code == 200
    assert "Liever geen mail meer" in answer.content.decode()
    assert "Lotte" not in answer.content.decode(), "it tells nobody whose link this is"
    assert not DoNotContact.objects.exists()


def test_a_mail_program_ends_it_with_one_post_and_no_session(lotte: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    for _twice in range(2):
        answer = client.post(
            path(lotte), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
        assert not answer.cookies
    wish = DoNotContact.objects.get()
    assert (wish.scope, wish.person, wish.by) == (Scope.MAIL, lotte, None)
    assert wish.source == "unsubscribed by themselves"
    assert lotte.events.filter(kind=EventKind.CONTACT_BARRED).count() == 1


def test_the_button_ends_it_and_the_page_says_so(lotte: Person) -> None:
    page = Client().post(path(lotte)).content.decode()
    assert 'role="status"' in page
    assert "<form" not in page
    assert "<form" not in Client().get(path(lotte)).content.decode()


@pytest.mark.parametrize("change", [lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), lambda _token: "7"])
def test_a_link_that_we_did_not_make_is_not_there(lotte: Person, change: object) -> None:
    token = path(lotte).removeprefix("/u/").removesuffix("/")
    forged = reverse("crm:unsubscribe", args=[change(token)])  # type: ignore[operator]
    other = make.person()
    swapped = reverse("crm:unsubscribe", args=[f"{other.pk}.{token.partition('.')[2]}"])
    for wrong in (forged, swapped):
        assert Client().get(wrong).status_code == 404
        assert Client().post(wrong).status_code == 404
    assert not DoNotContact.objects.exists()


def test_the_link_of_somebody_who_is_no_more_is_not_there(lotte: Person) -> None:
    there = path(lotte)
    lotte.delete()
    assert Client().post(there).status_code == 404
