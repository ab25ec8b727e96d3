"""The public form: anybody may ask, nothing typed is lost, and one message is one lead."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from crm.models import CaptureForm, Channel, Lead, Touch, User
from tests import make

pytestmark = pytest.mark.django_db
TYPED = {"name": "Sofie De Wit", "email": "sofie@notelaar.example", "message": "Which dates do you have?"}


def message_id(client: Client, url: str) -> str:
    found = re.search(r'name="message_id" value="([^"]+)"', client.get(url).content.decode())
    assert found
    return found[1]


@pytest.fixture
def form(sdr: User) -> CaptureForm:
    return make.form(
        "contact",
        title="Ask us anything",
        intro="A person reads it.",
        origin="website",
        owner=sdr,
        content=make.content("Price page"),
    )


def test_it_shows_the_form_to_anybody_and_sets_no_cookie(client: Client, form: CaptureForm) -> None:
    answer = client.get("/f/contact/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Ask us anything" in page
    assert "A person reads it." in page
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_a_message_becomes_a_lead_and_a_thank_you(client: Client, form: CaptureForm, sdr: User) -> None:
    sent = {**TYPED, "organisation": "Notelaar Interiors", "message_id": message_id(client, "/f/contact/")}
    answer = client.post("/f/contact/", sent, follow=True)
    assert answer.redirect_chain == [("/f/contact/thanks/", 302)]
    assert "Your message has arrived" in answer.content.decode()
    lead = Lead.objects.get()
    assert (lead.channel, lead.origin, lead.owner, lead.form) == (Channel.FORM, "website", sdr, form)
    assert (lead.message, str(lead.person), str(lead.organisation)) == (
        "Which dates do you have?",
        "Sofie De Wit",
        "Notelaar Interiors",
    )
    assert lead.content == form.content
    assert lead.answer_due_at is not None
    assert Touch.objects.get().content == form.content


def test_it_works_without_cookies_and_csrf_token(form: CaptureForm) -> None:
    strict = Client(enforce_csrf_checks=True)
    sent = {**TYPED, "message_id": message_id(strict, "/f/contact/")}
    strict.cookies.clear()
    assert strict.post("/f/contact/", sent).status_code == 302
    assert Lead.objects.count() == 1


def test_the_same_form_posted_twice_is_one_lead_and_the_same_thank_you(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/")}
    first, second = client.post("/f/contact/", sent), client.post("/f/contact/", sent)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert Lead.objects.count() == 1


def test_going_back_and_asking_something_else_is_another_lead(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/")}
    client.post("/f/contact/", sent)
    client.post("/f/contact/", {**sent, "message": "And the price?"})
    assert Lead.objects.count() == 2


def test_what_is_wrong_is_said_and_everything_typed_is_kept(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "email": "sofie at notelaar", "message_id": message_id(client, "/f/contact/")}
    answer = client.post("/f/contact/", sent)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="Sofie De Wit"' in page
    assert 'value="sofie at notelaar"' in page
    assert "Which dates do you have?" in page
    assert 'aria-invalid="true"' in page
    assert not Lead.objects.exists()


def test_a_number_that_is_none_is_said_at_its_field(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "phone": "call me", "message_id": message_id(client, "/f/contact/")}
    page = client.post("/f/contact/", sent).content.decode()
    assert "“call me” is not a phone number" in page
    assert 'value="call me"' in page
    assert not Lead.objects.exists()


def test_a_page_without_our_signature_is_shown_again_and_then_works(client: Client, form: CaptureForm) -> None:
    answer = client.post("/f/contact/", {**TYPED, "message_id": "forged"})
    page = answer.content.decode()
    assert "send it once more" in page
    assert 'value="Sofie De Wit"' in page
    fresh = re.search(r'name="message_id" value="([^"]+)"', page)
    assert fresh
    assert client.post("/f/contact/", {**TYPED, "message_id": fresh[1]}).status_code == 302


def test_a_machine_that_fills_the_hidden_field_is_thanked_and_ignored(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "website": "https://spam.example", "message_id": message_id(client, "/f/contact/")}
    assert client.post("/f/contact/", sent)["Location"] == "/f/contact/thanks/"
    assert not Lead.objects.exists()


def test_what_somebody_typed_is_never_html(client: Client, form: CaptureForm, manager: User) -> None:
    sent = {**TYPED, "message": "<script>alert(1)</script>", "message_id": message_id(client, "/f/contact/")}
    client.post("/f/contact/", sent)
    client.force_login(manager)
    page = client.get(f"/leads/{Lead.objects.get().pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_form_speaks_its_own_language_whatever_the_browser_wants(client: Client) -> None:
    make.form("vraag", title="Stel uw vraag", language="nl")
    page = client.get("/f/vraag/", headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="nl"' in page
    sent = {**TYPED, "message_id": message_id(client, "/f/vraag/")}
    assert '<html lang="nl"' in client.post("/f/vraag/", sent, follow=True).content.decode()
    person = Lead.objects.get().person
    assert person is not None
    assert person.language == "nl"


def test_a_closed_or_unknown_form_is_not_there(client: Client) -> None:
    make.form("old", is_active=False)
    for path in ("/f/old/", "/f/old/thanks/", "/f/none/", "/f/none/thanks/"):
        assert client.get(path).status_code == 404
    assert client.post("/f/old/", TYPED).status_code == 404


def test_other_methods_are_refused(client: Client, form: CaptureForm) -> None:
    assert client.put("/f/contact/").status_code == 405
    assert client.post("/f/contact/thanks/").status_code == 405
