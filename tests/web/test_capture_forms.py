"""The settings of forms: what an administrator chooses is what visitors get, with and without JavaScript."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import capture_forms
from crm.models import CaptureForm, FormSubmission, OwnerRule, RefusedBecause, SubmissionState, User
from qualification.models import Criterion
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture
def form() -> CaptureForm:
    return make.form("contact", title="Contact page")


@pytest.fixture
def admin(login: Login, admin_user: User) -> Client:
    return login(admin_user)


def page_of(form: CaptureForm) -> str:
    return reverse("crm:capture-form", args=[form.pk])


def kinds(form: CaptureForm) -> list[str]:
    return list(form.form_fields.order_by("position").values_list("kind", flat=True))


def ask_prospects(question: str = "What hurts most?") -> Criterion:
    criterion = make.scorecard().criteria.order_by("position").first()
    assert criterion is not None
    criterion.asks_prospect, criterion.prospect_question = True, question
    criterion.save()
    return criterion


# ---- The list ------------------------------------------------------------------------------------------------------


def test_the_list_counts_what_came_and_what_waits(login: Login, manager: User, form: CaptureForm) -> None:
    now = timezone.now()
    for _message in range(3):
        make.submission(form, at=now)
    make.submission(form, at=now, state=SubmissionState.REFUSED, because=RefusedBecause.TRAP)
    page = login(manager).get(reverse("crm:capture-forms")).content.decode()
    assert "Contact page" in page
    assert re.search(r'data-label="Messages in 30 days">3<', page)
    assert f'href="{reverse("crm:submissions-refused")}?form={form.pk}">1<' in page
    assert "1 message to look at" in page
    assert reverse("crm:capture-form", args=[form.pk]) not in page, "a door that is locked to a manager"


def test_without_a_form_it_says_how_to_begin(admin: Client) -> None:
    page = admin.get(reverse("crm:capture-forms")).content.decode()
    assert "No form yet" in page
    assert reverse("crm:capture-form-new") in page


def test_more_forms_cost_no_more_questions(
    login: Login, admin_user: User, form: CaptureForm, django_assert_max_num_queries: Any
) -> None:
    client = login(admin_user)
    for _form in range(8):
        make.submission(make.form(), state=SubmissionState.REFUSED, because=RefusedBecause.TRAP)
    with django_assert_max_num_queries(8):
        client.get(reverse("crm:capture-forms"))


def test_more_fields_cost_no_more_questions(
    admin: Client, form: CaptureForm, django_assert_max_num_queries: Any
) -> None:
    for kind in ("job", "postcode", "country"):
        capture_forms.add_field(form=form, kind=kind, by=None, at=make.AT)
    capture_forms.add_field(form=form, kind="question", criterion_key=ask_prospects().key, by=None, at=make.AT)
    capture_forms.set_words(form=form, language="nl", words=capture_forms.Words("Vraag"), by=None, at=make.AT)
    with django_assert_max_num_queries(28):
        assert admin.get(page_of(form)).status_code == 200
    with django_assert_max_num_queries(6):
        assert Client().get("/f/contact/").status_code == 200


# ---- Making and changing -------------------------------------------------------------------------------------------


def test_a_form_is_made_and_is_open(admin: Client, admin_user: User) -> None:
    sent = {"title": "Contact page", "slug": "contact", "language": "nl", "heading": "Vraag ons"}
    answer = admin.post(reverse("crm:capture-form-new"), sent)
    form = CaptureForm.objects.get()
    assert answer["Location"] == page_of(form)
    assert "Vraag ons" in Client().get("/f/contact/").content.decode()


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(admin: Client, form: CaptureForm) -> None:
    sent = {"title": "Another", "slug": "contact", "language": "en", "heading": "Ask us"}
    page = admin.post(reverse("crm:capture-form-new"), sent).content.decode()
    assert "Another form has the address" in page
    assert 'value="Another"' in page
    page = admin.post(page_of(form), {"title": "X", "sites": "example", "origin": "website"}).content.decode()
    assert "example</textarea>" in page


def test_its_terms_are_changed(admin: Client, form: CaptureForm, sdr: User) -> None:
    sent = {
        "title": "Contact page", "language": "en", "origin": "campaign", "owner_rule": OwnerRule.USER, "owner": sdr.pk,
        "is_double_opt_in": "on", "least_seconds": 4, "sites": "https://a.example\r\nhttps://b.example/contact",
    }  # fmt: skip
    assert admin.post(page_of(form), sent)["Location"] == page_of(form)
    form.refresh_from_db()
    assert (form.origin, form.owner, form.is_double_opt_in, form.least_seconds) == ("campaign", sdr, True, 4)
    assert form.sites == ["https://a.example", "https://b.example"]
    refused = admin.post(page_of(form), sent | {"sites": "a.example"}).content.decode()
    assert "not the address of a site" in refused


def test_its_words_are_changed_in_each_language(admin: Client, form: CaptureForm) -> None:
    where = reverse("crm:capture-form-words", args=[form.pk, "nl"])
    sent = {"nl-title": "Vraag ons", "nl-consent": "U mag mij schrijven.", "nl-button": "Verstuur"}
    assert admin.post(where, sent)["Location"] == f"{page_of(form)}?lang=nl"
    page = Client().get("/f/contact/?lang=nl").content.decode()
    for words in ("Vraag ons", "U mag mij schrijven.", "Verstuur"):
        assert words in page
    assert "title" in admin.post(where, {"nl-title": ""}).context["languages"][1]["form"].errors
    admin.post(reverse("crm:capture-form-words-remove", args=[form.pk, "nl"]))
    admin.post(reverse("crm:capture-form-words-remove", args=[form.pk, "en"]))
    assert [text.language for text in form.texts.all()] == ["en"], "its own language stays"
    assert admin.post(reverse("crm:capture-form-words", args=[form.pk, "fr"]), sent).status_code == 404


def test_the_preview_follows_what_is_typed_and_saves_nothing(admin: Client, form: CaptureForm) -> None:
    where = reverse("crm:capture-form-words", args=[form.pk, "en"])
    headers = {"HX-Request": "true", "HX-Target": "preview"}
    sent = {"en-title": "<b>Tell us</b>", "en-consent": "You may write.", "preview": "yes"}
    part = admin.post(where, sent, headers=headers).content.decode()
    assert part.strip().startswith("<section")
    assert "&lt;b&gt;Tell us" in part
    assert "You may write." in part
    assert form.texts.get().title == "Contact page"


def test_a_form_is_closed_and_opened_again(admin: Client, form: CaptureForm) -> None:
    admin.post(reverse("crm:capture-form-close", args=[form.pk]))
    assert Client().get("/f/contact/").status_code == 404
    assert "Open it again" in admin.get(page_of(form)).content.decode()
    admin.post(reverse("crm:capture-form-reopen", args=[form.pk]))
    assert Client().get("/f/contact/").status_code == 200


# ---- Fields --------------------------------------------------------------------------------------------------------


def test_fields_are_added_moved_and_taken_away_without_javascript(admin: Client, form: CaptureForm) -> None:
    add = reverse("crm:form-field-add", args=[form.pk])
    assert admin.post(add, {"what": "postcode"})["Location"] == page_of(form)
    assert kinds(form)[-1] == "postcode"
    field = form.form_fields.get(kind="postcode")
    admin.post(reverse("crm:form-field-move", args=[field.pk]), {"to": 2})
    assert kinds(form)[2] == "postcode"
    sent = {"label_en": "Where are you?", "is_required": "on"}
    admin.post(reverse("crm:form-field-change", args=[field.pk]), sent)
    page = Client().get("/f/contact/").content.decode()
    assert "Where are you?" in page
    admin.post(reverse("crm:form-field-remove", args=[field.pk]))
    assert "Where are you?" not in Client().get("/f/contact/").content.decode()


def test_a_question_that_prospects_are_asked_is_offered_once(admin: Client, form: CaptureForm) -> None:
    criterion = ask_prospects()
    assert "What hurts most?" in admin.get(page_of(form)).content.decode()
    add = reverse("crm:form-field-add", args=[form.pk])
    admin.post(add, {"what": f"question:{criterion.key}"})
    assert f'value="question:{criterion.key}"' not in admin.get(page_of(form)).content.decode()
    assert "What hurts most?" in Client().get("/f/contact/").content.decode()
    criterion.asks_prospect = False
    criterion.save()
    assert "no scorecard in use asks" in admin.get(page_of(form)).content.decode()
    assert "What hurts most?" not in Client().get("/f/contact/").content.decode()


def test_an_act_on_a_field_answers_with_the_fields_and_tells_the_preview(admin: Client, form: CaptureForm) -> None:
    headers = {"HX-Request": "true", "HX-Target": "fields"}
    field = form.form_fields.get(kind="message")
    answer = admin.post(reverse("crm:form-field-move", args=[field.pk]), {"to": 0}, headers=headers)
    assert "formChanged" in answer["HX-Trigger"]
    assert answer.content.decode().strip().startswith("<section")
    assert kinds(form)[0] == "message"


@pytest.mark.parametrize(("act", "sent"), [("move", {"to": "x"}), ("remove", {}), ("change", {"label_en": "x" * 300})])
def test_what_a_field_cannot_do_is_said(admin: Client, form: CaptureForm, act: str, sent: dict[str, str]) -> None:
    field = form.form_fields.get(kind="name")
    answer = admin.post(reverse(f"crm:form-field-{act}", args=[field.pk]), sent, follow=True)
    assert [str(message.level_tag) for message in answer.context["messages"]] == ["error"]
    for what in ("", "question", "question:none", "shoe size", "name"):
        answer = admin.post(reverse("crm:form-field-add", args=[form.pk]), {"what": what}, follow=True)
        assert [str(message.level_tag) for message in answer.context["messages"]] == ["error"], what


# ---- On a site -----------------------------------------------------------------------------------------------------


def test_the_form_to_copy_works_as_it_is(admin: Client, form: CaptureForm) -> None:
    """What stands there for another site, read and sent as a browser would."""
    criterion = ask_prospects("What <hurts> most?")
    add = reverse("crm:form-field-add", args=[form.pk])
    for what in ("country", "job", f"question:{criterion.key}"):
        admin.post(add, {"what": what})
    words = capture_forms.Words("Ask us", consent="You may write to me.")
    capture_forms.set_words(form=form, language="en", words=words, by=None, at=make.AT)
    CaptureForm.objects.update(sites=["https://a.example"])
    page = admin.get(page_of(form)).content.decode()
    found = re.search(r'<textarea[^>]*id="plain-en"[^>]*>(.*?)</textarea>', page, re.S)
    assert found
    plain = html.unescape(found[1])
    assert "What &lt;hurts&gt; most?" in plain
    action = re.search(r'action="([^"]+)"', plain)
    names = re.findall(r'name="([^"]+)"', plain)
    tick = re.search(r'name="consent" value="([^"]+)"', plain)
    assert action
    assert tick
    assert set(names) == {
        "name", "email", "organisation", "phone", "message", "country", "job", f"question-{criterion.key}", "consent",
        "website", "reading",
    }  # fmt: skip
    sent = dict.fromkeys(names, "") | {
        "name": "Sofie De Wit", "email": "sofie@notelaar.example", "country": "belgium", "consent": tick[1],
        f"question-{criterion.key}": "partly",
    }  # fmt: skip
    answer = Client().post(action[1].replace("http://testserver", ""), sent, headers={"Origin": "https://a.example"})
    assert answer["Location"] == "/f/contact/thanks/?lang=en"
    kept = FormSubmission.objects.get()
    assert (kept.state, kept.values["country"], kept.consent) == ("taken", "BE", "You may write to me.")
    assert kept.replies == [("What <hurts> most?", "Partly")]


def test_the_frame_to_copy_opens_the_bare_page(admin: Client, form: CaptureForm) -> None:
    page = html.unescape(admin.get(page_of(form)).content.decode())
    assert '<iframe src="http://testserver/f/contact/?embed=1&amp;lang=en"' in page
    assert "name that site above first" in page, "no site may show it yet"
