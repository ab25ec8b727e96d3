"""The form of a good no and the lists behind it: the letter in their language, what we offer instead, and a reason where both said yes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm import verdicts
from crm.models import Alternative, Deal, DeclineReason, Gate, LeadStatus, OutgoingMail, Override, PastAssessment, User
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def written(answer: Any) -> str:
    """What stands in the field of the message."""
    found = re.search(r'<textarea name="message"[^>]*>(.*?)</textarea>', answer.content.decode(), re.DOTALL)
    assert found is not None
    return unescape(found[1]).strip()


def test_the_letter_has_what_we_offer_and_follows_the_reason_until_somebody_writes(
    login: Login, sdr: User, admin_user: User
) -> None:
    offered = make.alternative("A webinar", by=admin_user, text_nl="Kijk gerust mee.", url="https://kring.example/w")
    lead = make.working_lead(sdr, name="Sofie De Wit", language="nl")
    client, url = login(sdr), f"/leads/{lead.pk}/decline/"
    typed = {"suggest": "yes", "reason": "too_small", "alternative": offered.pk}
    first = client.post(url, typed, headers=HTMX | {"HX-Target": "act"})
    message = written(first)
    assert message.startswith("Beste Sofie,")
    assert "Kijk gerust mee.\nhttps://kring.example/w" in message
    second = client.post(url, typed | {"reason": "no_budget", "message": message, "suggested": message})
    assert "budget" in written(second)
    mine = client.post(url, typed | {"reason": "no_budget", "message": message + "!", "suggested": message})
    assert written(mine) == message + "!"
    preview = client.post(
        url,
        typed | {"edited": "yes", "message": "My own <b>words</b>"},
        headers=HTMX | {"HX-Target": "letter-preview"},
    ).content.decode()
    assert preview.lstrip().startswith('<article id="letter-preview"')
    assert "My own &lt;b&gt;words&lt;/b&gt;" in preview
    lead.refresh_from_db()
    assert lead.status == LeadStatus.WORKING


@pytest.mark.parametrize("alternative", ["x", "²", "9" * 20, "9" * 5000])
def test_an_alternative_that_cannot_be_leaves_the_letter_as_it_is(login: Login, sdr: User, alternative: str) -> None:
    lead = make.working_lead(sdr)
    typed = {"suggest": "yes", "reason": "too_small", "alternative": alternative}
    assert written(login(sdr).post(f"/leads/{lead.pk}/decline/", typed)).startswith("Dear ")


@pytest.mark.parametrize("number", [1, 6])
def test_more_reasons_and_alternatives_cost_no_more_questions(
    login: Login, sdr: User, admin_user: User, number: int, django_assert_max_num_queries: Any
) -> None:
    for each in range(number):
        make.decline_reason(f"Reason {each}", by=admin_user)
        make.alternative(f"Instead {each}", by=admin_user, kind="content", content=make.content())
    lead = make.working_lead(sdr)
    client = login(sdr)
    with django_assert_max_num_queries(12):
        client.get(f"/leads/{lead.pk}/decline/")
    client = login(admin_user)
    with django_assert_max_num_queries(5):  # session, user, reasons, alternatives, and what every page asks
        client.get("/settings/declining/")


def test_a_no_goes_out_with_everything_that_was_chosen(login: Login, sdr: User, admin_user: User) -> None:
    offered = make.alternative("A webinar", by=admin_user)
    lead = make.working_lead(sdr)
    day = date(timezone.localdate().year + 1, 6, 1)
    login(sdr).post(
        f"/leads/{lead.pk}/decline/",
        {
            "reason": "not_now",
            "alternative": offered.pk,
            "message": "Until next year.",
            "suggested": "Something else",
            "come_back_on": day.isoformat(),
            "note": "after the move",
        },
    )
    lead.refresh_from_db()
    assert (lead.status, lead.decline_reason, lead.alternative) == (LeadStatus.DECLINED, "not_now", offered)
    assert lead.person is not None
    assert (lead.come_back_on, lead.person.not_before) == (day, day)
    assert OutgoingMail.objects.get().body == "Until next year."


def test_a_closed_reason_is_not_offered(login: Login, sdr: User) -> None:
    DeclineReason.objects.filter(code="too_large").update(is_active=False)
    shown = login(sdr).get(f"/leads/{make.working_lead(sdr).pk}/decline/").content.decode()
    assert 'value="too_small"' in shown
    assert 'value="too_large"' not in shown


def test_both_yes_and_still_a_no_asks_why(login: Login, sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    client, url = login(sdr), f"/leads/{lead.pk}/decline/"
    answer = client.post(url, {"reason": "no_match", "note": "kept"})
    assert "Say why you decline all the same" in answer.content.decode()
    assert "kept" in answer.content.decode()
    client.post(url, {"reason": "no_match", "why": "They sued two suppliers."})
    lead.refresh_from_db()
    assert lead.verdict_why == "They sued two suppliers."
    assert "Against the advice: They sued two suppliers." in client.get(f"/leads/{lead.pk}/").content.decode()


def test_qualifying_against_the_advice_asks_why_and_keeps_it(login: Login, sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"Ten people or more": "no"})
    client, url = login(sdr), f"/leads/{lead.pk}/qualify/"
    asked = unescape(client.get(url).content.decode())
    assert "The must-have “Ten people or more” is not met." in asked
    assert 'type="text" name="why"' in asked
    client.post(url, {"why": "They hire ten in May."})
    assert Override.objects.get().gate == Gate.VERDICT
    assert "Qualified against the advice" in client.get(f"/leads/{lead.pk}/").content.decode()


def test_a_question_is_asked_and_answered_from_the_page(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    day = timezone.localdate().isoformat()
    client.post(f"/leads/{lead.pk}/ask-first/", {"question": "Who signs?", "on": day})
    assert "Who signs?" in client.get(f"/leads/{lead.pk}/").content.decode()
    assert "Who signs?" in client.get(f"/leads/{lead.pk}/question-answered/").content.decode()
    client.post(f"/leads/{lead.pk}/question-answered/", {"answer": "The board"})
    lead.refresh_from_db()
    assert lead.open_question == ""


def test_judging_anew_shows_the_earlier_assessment_and_what_was_carried_over(login: Login, sdr: User) -> None:
    lead = make.qualified_lead(sdr, at=timezone.now() - timedelta(days=3))
    client = login(sdr)
    client.post(f"/leads/{lead.pk}/judge-anew/")
    assert PastAssessment.objects.count() == 1
    shown = client.get(f"/leads/{lead.pk}/").content.decode()
    assert "1 earlier assessment" in shown
    assert "we 100 of 100, they 100 of 100" in shown
    assert shown.count("carried over") == 5


def test_a_distance_and_a_look_back_are_noted_from_the_page(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    client.post(f"/leads/{lead.pk}/distance/", {"km": "42"})
    assert "42 km there, one way" in client.get(f"/leads/{lead.pk}/").content.decode()
    verdicts.decline(lead=lead, reason="no_need", by=sdr, at=make.AT)
    client.post(f"/leads/{lead.pk}/look-back/", {"same": "no", "line": "They grew fast."})
    shown = client.get(f"/leads/{lead.pk}/").content.decode()
    assert "we would decide differently. They grew fast." in shown


def test_the_lists_are_kept_on_screens_of_their_own(login: Login, admin_user: User) -> None:
    client = login(admin_user)
    texts = {"label_en": "Too far away", "label_nl": "Te ver", "text_en": "It is {{ far }}.", "is_active": "on"}
    refused = client.post("/settings/declining/reasons/new/", texts)
    assert "There is no placeholder" in refused.content.decode()
    shown = client.post(
        "/settings/declining/reasons/new/", texts | {"preview": "yes", "text_en": "{{ organisation }}?"}
    )
    assert "De Notelaar?" in shown.content.decode()
    assert not DeclineReason.objects.filter(code="too_far_away").exists()
    client.post("/settings/declining/reasons/new/", texts | {"text_en": "It is too far."})
    row = DeclineReason.objects.get(code="too_far_away")
    client.post(f"/settings/declining/reasons/{row.pk}/move/", {"up": "1"})
    assert list(DeclineReason.objects.values_list("code", flat=True))[-2] == "too_far_away"
    client.post(f"/settings/declining/reasons/{row.pk}/", {"label_en": "Too far", "label_nl": "Te ver"})
    row.refresh_from_db()
    assert (row.label_en, row.is_active) == ("Too far", False)
    assert "Too far" in client.get("/settings/declining/").content.decode()
    client.post(f"/settings/declining/reasons/{row.pk}/remove/")
    assert not DeclineReason.objects.filter(pk=row.pk).exists()
    client.post(
        "/settings/declining/alternatives/new/", {"name": "Bureau Klein", "kind": "colleague", "is_active": "on"}
    )
    offered = Alternative.objects.get()
    again = client.post("/settings/declining/alternatives/new/", {"name": "Bureau Klein", "kind": "colleague"})
    assert "of this name already" in again.content.decode()
    client.post(f"/settings/declining/alternatives/{offered.pk}/remove/")
    assert not Alternative.objects.exists()


def test_a_deal_before_both_yeses_takes_a_reason(login: Login, account_manager: User) -> None:
    company = make.organisation("De Notelaar", owner=account_manager)
    client = login(account_manager)
    url = f"/deals/new/?organisation={company.pk}"
    assert "is not a customer yet" in client.get(url).content.decode()
    assert "Why before both sides have said yes?" in client.get(f"{url}&anyway=1").content.decode()
    typed = {
        "organisation": company.pk,
        "anyway": "1",
        "name": "Suite",
        "owner": account_manager.pk,
        "currency": "EUR",
        "next_step": "Call",
        "next_step_on": timezone.localdate().isoformat(),
    }
    refused = client.post("/deals/new/", typed)
    assert "so that both sides can say yes first" in refused.content.decode()
    client.post("/deals/new/", typed | {"override": "An old friend of the house"})
    override = Override.objects.get()
    assert (override.gate, override.deal) == (Gate.DEAL, Deal.objects.get())
