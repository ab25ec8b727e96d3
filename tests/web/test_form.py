"""The public form: anybody may ask, nothing typed is lost, and one message is one lead."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client

from crm import capture_forms, submissions
from crm.models import CaptureForm, Channel, FieldKind, FormSubmission, Lead, OutgoingMail, Touch, User
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


def test_going_back_and_asking_something_else_is_another_message(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/")}
    client.post("/f/contact/", sent)
    client.post("/f/contact/", {**sent, "message": "And the price?"})
    assert [said.values["message"] for said in FormSubmission.objects.order_by("pk")] == [
        "Which dates do you have?",
        "And the price?",
    ]
    assert Lead.objects.get().received_messages.count() == 2, "who writes again, writes to the lead that is open"


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


def test_a_machine_that_fills_the_hidden_field_is_thanked_and_kept_for_review(
    client: Client, form: CaptureForm
) -> None:
    sent = {**TYPED, "website": "https://spam.example", "message_id": message_id(client, "/f/contact/")}
    assert client.post("/f/contact/", sent)["Location"] == "/f/contact/thanks/"
    assert not Lead.objects.exists()
    kept = FormSubmission.objects.get()
    assert (kept.state, kept.because, kept.values["email"]) == ("refused", "trap", "sofie@notelaar.example")


def test_who_is_faster_than_anybody_is_thanked_and_kept_for_review(client: Client) -> None:
    make.form("quick", least_seconds=2)
    with time_machine.travel("2026-11-23 10:00Z", tick=False) as clock:
        sent = {**TYPED, "message_id": message_id(client, "/f/quick/")}
        clock.shift(1)
        assert client.post("/f/quick/", sent)["Location"] == "/f/quick/thanks/"
        assert FormSubmission.objects.get().because == "too_fast"
        clock.shift(5)
        assert client.post("/f/quick/", sent)["Location"] == "/f/quick/thanks/"
    assert FormSubmission.objects.get().state == "taken", "whoever presses once more is a person"
    assert Lead.objects.count() == 1


def test_too_much_is_said_to_a_person_and_kept(client: Client, form: CaptureForm) -> None:
    sent = {**TYPED, "message": "x" * 6000, "message_id": message_id(client, "/f/contact/")}
    page = client.post("/f/contact/", sent).content.decode()
    assert "make it shorter" in page
    assert "x" * 6000 in page, "nothing typed is lost"
    assert FormSubmission.objects.get().because == "too_large"
    assert not Lead.objects.exists()
    assert client.post("/f/contact/", sent | {"message": "Shorter"}).status_code == 302
    states = set(FormSubmission.objects.values_list("because", "state"))
    assert states == {("too_large", "dropped"), ("", "taken")}, "the long one asks nobody's time any more"


def test_many_messages_of_one_connection_are_kept_and_said(client: Client, form: CaptureForm, settings: Any) -> None:
    caches["default"].clear()
    settings.FORM_LIMIT = 1
    page = message_id(client, "/f/contact/")
    answers = [
        client.post("/f/contact/", {**TYPED, "message": f"Number {number}", "message_id": page}) for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [302, 429, 429]
    assert "one of us looks at it" in answers[1].content.decode()
    assert "once more in ten minutes" in answers[2].content.decode(), "a flood fills no disk"
    assert sorted(FormSubmission.objects.values_list("state", "because")) == [("refused", "too_many"), ("taken", "")]
    make.form("other")
    other = {**TYPED, "message_id": message_id(client, "/f/other/")}
    assert client.post("/f/other/", other).status_code == 302, "another form counts for itself"


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


# ---- Languages -----------------------------------------------------------------------------------------------------


def test_a_form_with_two_languages_speaks_the_one_that_is_asked_for(client: Client, form: CaptureForm) -> None:
    words = capture_forms.Words("Vraag ons alles", consent="U mag mij schrijven.")
    capture_forms.set_words(form=form, language="nl", words=words, by=None, at=make.AT)
    for path, wants, language in (
        ("/f/contact/", "nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("/f/contact/", "fr, en;q=0.5, nl;q=0.2", "en"),
        ("/f/contact/", "fr", "en"),
        ("/f/contact/?lang=nl", "en", "nl"),
        ("/f/contact/?lang=de", "nl", "nl"),
        ("/f/contact/", "x" * 9000, "en"),
    ):
        answer = client.get(path, headers={"Accept-Language": wants})
        assert f'<html lang="{language}"' in answer.content.decode(), (path, wants)
        assert "Accept-Language" in answer["Vary"]
    page = client.get("/f/contact/?lang=nl").content.decode()
    assert "Vraag ons alles" in page
    assert "Uw naam" in page
    assert 'action="/f/contact/?lang=nl"' in page


def test_what_they_agreed_to_is_kept_word_for_word(client: Client, form: CaptureForm) -> None:
    words = capture_forms.Words("Ask us", consent="You may keep what I wrote for a year.")
    capture_forms.set_words(form=form, language="en", words=words, by=None, at=make.AT)
    page = client.get("/f/contact/").content.decode()
    tick = re.search(r'name="consent"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="consent"', page)
    assert tick
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/")}
    assert "tick it" in client.post("/f/contact/", sent).content.decode()
    assert client.post("/f/contact/", sent | {"consent": tick[1] or tick[2]}).status_code == 302
    kept = FormSubmission.objects.get()
    assert kept.consent == "You may keep what I wrote for a year."
    assert kept.consented_at == kept.received_at


def test_the_words_under_a_tick_cannot_change_behind_it(client: Client, form: CaptureForm) -> None:
    words = capture_forms.Words("Ask us", consent="You may write to me.")
    capture_forms.set_words(form=form, language="en", words=words, by=None, at=make.AT)
    page = client.get("/f/contact/").content.decode()
    tick = re.search(r'value="([0-9a-f]{24})"', page)
    assert tick
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/"), "consent": tick[1]}
    capture_forms.set_words(
        form=form, language="en", words=capture_forms.Words("Ask us", consent="Sell me."), by=None, at=make.AT
    )
    assert "Sell me." in client.post("/f/contact/", sent).content.decode()
    assert not FormSubmission.objects.exists()


# ---- Questions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_more_questions_cost_no_more_queries(
    client: Client, form: CaptureForm, number: int, django_assert_max_num_queries: Any
) -> None:
    criteria = make.scorecard().criteria.all()
    criteria.update(asks_prospect=True, prospect_question="What hurts most?")
    for criterion in list(criteria)[:number]:
        capture_forms.add_field(form=form, kind=FieldKind.QUESTION, criterion_key=criterion.key, by=None, at=make.AT)
    with django_assert_max_num_queries(6):  # the form, its words and fields, the scorecard in use and its questions
        page = client.get("/f/contact/").content.decode()
    assert page.count("What hurts most?") >= number


def test_a_question_of_a_scorecard_is_asked_and_its_answer_kept(client: Client, form: CaptureForm) -> None:
    criterion = make.scorecard().criteria.first()
    assert criterion is not None
    criterion.asks_prospect, criterion.prospect_question = True, "What hurts most?"
    criterion.save()
    capture_forms.add_field(form=form, kind=FieldKind.QUESTION, criterion_key=criterion.key, by=None, at=make.AT)
    page = client.get("/f/contact/").content.decode()
    assert "What hurts most?" in page
    assert 'type="radio"' in page
    sent = {**TYPED, "message_id": message_id(client, "/f/contact/"), f"question-{criterion.key}": "yes"}
    assert client.post("/f/contact/", sent).status_code == 302
    kept = FormSubmission.objects.get()
    assert kept.replies == [("What hurts most?", "Yes")]
    assert kept.lead is not None
    assert kept.lead.assessment is not None
    answer = kept.lead.assessment.answers.get(criterion=criterion)
    assert (answer.value, answer.is_theirs) == ("yes", True)


# ---- On other sites ------------------------------------------------------------------------------------------------

SITE = "https://www.notelaar.example"


@pytest.fixture
def outside(sdr: User) -> CaptureForm:
    return make.form("outside", sites=[SITE], owner=sdr)


def test_the_sites_of_a_form_may_show_it_in_a_frame_and_no_other(client: Client, outside: CaptureForm) -> None:
    for path in ("/f/outside/", "/f/outside/?embed=1", "/f/outside/thanks/"):
        headers = client.get(path).headers
        assert f"frame-ancestors {SITE}" in headers["Content-Security-Policy"]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in headers
    make.form("inside")
    headers = client.get("/f/inside/?embed=1").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


def test_in_a_frame_nothing_stands_around_it(client: Client, outside: CaptureForm) -> None:
    page = client.get("/f/outside/?embed=1").content.decode()
    assert "kring-brand" not in page
    assert "kring.js" not in page
    sent = {**TYPED, "message_id": message_id(client, "/f/outside/")}
    answer = client.post("/f/outside/?embed=1", sent, follow=True)
    assert answer.redirect_chain == [("/f/outside/thanks/?embed=1", 302)]
    assert "kring-brand" not in answer.content.decode()


def test_a_plain_form_on_a_site_of_the_list_is_a_lead_once_a_day(client: Client, outside: CaptureForm) -> None:
    for headers in ({"Origin": SITE}, {"Origin": "null", "Referer": f"{SITE}/contact"}, {"Referer": f"{SITE}/"}):
        answer = client.post("/f/outside/", TYPED, headers=headers)
        assert answer["Location"] == "/f/outside/thanks/"
    assert Lead.objects.count() == 1
    assert FormSubmission.objects.get().values["site"] == SITE


def test_a_plain_form_on_another_site_is_kept_for_review(client: Client, outside: CaptureForm) -> None:
    answer = client.post("/f/outside/", TYPED, headers={"Origin": "https://evil.example"})
    assert answer["Location"] == "/f/outside/thanks/"
    kept = FormSubmission.objects.get()
    assert (kept.state, kept.because, kept.values["site"]) == ("refused", "site", "https://evil.example")
    assert not Lead.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "http://testserver"}])
def test_a_message_from_nowhere_is_shown_once_more(client: Client, outside: CaptureForm, headers: Any) -> None:
    page = client.post("/f/outside/", TYPED, headers=headers).content.decode()
    assert "send it once more" in page
    assert "Which dates do you have?" in page
    assert not FormSubmission.objects.exists()


def test_what_is_missing_in_a_plain_form_is_asked_on_our_page(client: Client, outside: CaptureForm) -> None:
    answer = client.post("/f/outside/", TYPED | {"email": "sofie"}, headers={"Origin": SITE})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "not sent yet" in page
    assert "Which dates do you have?" in page
    fresh = re.search(r'name="message_id" value="([^"]+)"', page)
    assert fresh
    answer = client.post("/f/outside/", TYPED | {"message_id": fresh[1]}, headers={"Origin": "http://testserver"})
    assert answer.status_code == 302
    assert FormSubmission.objects.get().state == "taken"


# ---- Confirming ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asked_to_confirm(client: Client, sdr: User) -> FormSubmission:
    make.form("sure", is_double_opt_in=True, owner=sdr, thank_you="Until soon.")
    sent = {**TYPED, "message_id": message_id(client, "/f/sure/")}
    answer = client.post("/f/sure/", sent, follow=True)
    assert "look in your mailbox" in answer.content.decode()
    return FormSubmission.objects.get()


def link(submission: FormSubmission) -> str:
    return f"/f/confirm/{submissions.token(submission)}/"


def test_a_message_counts_when_it_is_confirmed(client: Client, asked_to_confirm: FormSubmission) -> None:
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.person) == ("sofie@notelaar.example", None)
    assert link(asked_to_confirm) in mail.body
    assert "Sofie" not in mail.body, "nobody chooses the words of a mail to somebody else"
    assert not Lead.objects.exists()
    page = client.get(link(asked_to_confirm))
    assert "Is this message from you" in page.content.decode()
    assert not page.cookies
    assert not Lead.objects.exists(), "opening it does nothing: mail programs look at links, too"
    for _press in range(2):
        answer = Client(enforce_csrf_checks=True).post(link(asked_to_confirm))
        assert "Until soon." in answer.content.decode()
    assert Lead.objects.count() == 1
    assert "Until soon." in client.get(link(asked_to_confirm)).content.decode()


def test_a_link_that_is_too_old_says_what_to_do(client: Client, asked_to_confirm: FormSubmission) -> None:
    assert asked_to_confirm.confirm_by is not None
    with time_machine.travel(asked_to_confirm.confirm_by):
        for answer in (client.get(link(asked_to_confirm)), client.post(link(asked_to_confirm))):
            assert "not valid any more" in answer.content.decode()
            assert 'href="/f/sure/?lang=en"' in answer.content.decode()
    assert not Lead.objects.exists()


def test_a_link_that_we_never_made_is_not_there(client: Client, asked_to_confirm: FormSubmission) -> None:
    for token in ("x", f"{asked_to_confirm.pk}.forged", "a.b.c"):
        assert client.get(f"/f/confirm/{token}/").status_code == 404
        assert client.post(f"/f/confirm/{token}/").status_code == 404
