"""Messages that look like a machine's wait for somebody to look, as they were sent and never as code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm import submissions
from crm.models import CaptureForm, FormSubmission, Lead, RefusedBecause, SubmissionState, User
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
WHERE = "/settings/forms/refused/"


@pytest.fixture
def form() -> CaptureForm:
    return make.form("contact", title="Contact page")


def refused(form: CaptureForm, **fields: Any) -> FormSubmission:
    return make.submission(form, **{"state": SubmissionState.REFUSED, "because": RefusedBecause.TRAP} | fields)


def test_the_newest_stands_first_with_what_they_sent_and_why(login: Login, manager: User, form: CaptureForm) -> None:
    refused(form, values={"name": "Old One", "email": "old@x.example"})
    refused(
        form,
        at=make.AT + timedelta(hours=1),
        because=RefusedBecause.NOT_ALLOWED,
        values={
            "name": "<script>alert(1)</script>", "email": "new@x.example", "message": "<b>Hello</b>",
            "site": "https://evil.example", "answers": {"k": "yes"}, "questions": {"k": "What hurts?"},
        },
        consent="You may write.",
        consented_at=make.AT,
    )  # fmt: skip
    make.submission(form, values={"name": "Taken Already", "email": "t@x.example"})
    page = login(manager).get(WHERE).content.decode()
    assert page.index("new@x.example") < page.index("old@x.example")
    for words in ("https://evil.example", "not on the list", "What hurts?", "You may write.", "&lt;b&gt;Hello"):
        assert words in page
    assert "<script>alert(1)" not in page
    assert "Taken Already" not in page


def test_it_is_taken_in_and_is_gone_from_the_list(login: Login, manager: User, form: CaptureForm) -> None:
    kept, client = refused(form), login(manager)
    for _twice in range(2):
        answer = client.post(reverse("crm:submission-take", args=[kept.pk]), follow=True)
        assert "Taken in" in answer.content.decode()
    lead = Lead.objects.get()
    assert lead.form == form
    assert "Nothing to look at" in client.get(WHERE).content.decode()


def test_it_is_dropped_in_place(login: Login, manager: User, form: CaptureForm) -> None:
    kept, other = refused(form), refused(form)
    headers = {"HX-Request": "true", "HX-Target": "submissions"}
    answer = login(manager).post(reverse("crm:submission-drop", args=[kept.pk]), headers=headers)
    page = answer.content.decode()
    assert f"/refused/{kept.pk}/" not in page
    assert f"/refused/{other.pk}/" in page
    assert not Lead.objects.exists()


def test_what_cannot_be_taken_in_says_why_and_stays(login: Login, manager: User, form: CaptureForm) -> None:
    kept = refused(form, values={"name": "A B", "email": "a@b.example", "phone": "not a number"})
    answer = login(manager).post(reverse("crm:submission-take", args=[kept.pk]), follow=True)
    assert "is not a phone number" in answer.content.decode()
    kept.refresh_from_db()
    assert kept.state == SubmissionState.REFUSED


def test_two_who_decide_at_once_are_told(login: Login, manager: User, form: CaptureForm) -> None:
    kept = refused(form)
    submissions.drop(submission=kept, by=manager, at=make.AT)
    answer = login(manager).post(reverse("crm:submission-take", args=[kept.pk]), follow=True)
    assert "meanwhile" in answer.content.decode()


def test_it_can_be_narrowed_to_one_form(login: Login, manager: User, form: CaptureForm) -> None:
    refused(form)
    refused(make.form("other"), values={"name": "Else Where", "email": "e@x.example"})
    page = login(manager).get(f"{WHERE}?form={form.pk}").content.decode()
    assert "Else Where" not in page
    assert f"/take/?form={form.pk}" in page, "whoever narrowed the list comes back to it"


def test_a_long_list_has_pages_and_costs_no_more_questions(
    login: Login, manager: User, form: CaptureForm, django_assert_max_num_queries: Any
) -> None:
    for number in range(55):
        refused(form, at=make.AT + timedelta(minutes=number))
    client = login(manager)
    with django_assert_max_num_queries(5):
        first = client.get(WHERE)
    assert len(list(first.context["page"])) == 50
    second = client.get(WHERE, {"after": first.context["page"].next})
    assert len(list(second.context["page"])) == 5


def test_the_inbox_shows_the_way_when_there_is_something(
    login: Login, manager: User, sdr: User, form: CaptureForm
) -> None:
    assert WHERE not in login(manager).get("/leads/").content.decode()
    refused(form)
    assert WHERE in login(manager).get("/leads/").content.decode()
    assert WHERE not in login(sdr).get("/leads/").content.decode(), "not theirs to decide"
