"""The scorecard on the page of a lead: an answer of every kind, explained line by line, and what would change the outcome."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crm import leads, scorecards
from crm.models import Lead, User
from qualification.models import Answer, Criterion, Scorecard
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
PART = {"HX-Request": "true", "HX-Target": "scorecard"}


@pytest.fixture
def card(admin_user: User) -> Scorecard:
    """One question of each kind, and a must-have on both sides."""
    card = scorecards.begin(name="Ours", by=admin_user, at=make.AT)
    few, many = scorecards.Possible(2, at_least=Decimal(1)), scorecards.Possible(10, at_least=Decimal(10))
    for side, kind, question, more in (
        ("ours", "yes_no", "Do they say what hurts?", {"is_must": True, "must_from": 50}),
        ("ours", "number", "How many are they?", {"options": [few, many]}),
        ("theirs", "scale", "How much do they want it?", {"is_must": True, "must_from": 50}),
        ("theirs", "choice", "When?", {"options": [scorecards.Possible(10, label="This year"), scorecards.Possible(0, label="Some day")]}),
        ("theirs", "text", "Their words", {}),
    ):  # fmt: skip
        scorecards.ask(
            scorecard=card, side=side, kind=kind, question=question, weight=5, by=admin_user, at=make.AT, **more
        )
    return scorecards.publish(scorecard=card, by=admin_user, at=make.AT)


def of(card: Scorecard, kind: str) -> Criterion:
    return card.criteria.get(kind=kind)


def answer(client: Client, lead: Lead, criterion: Criterion, **said: str) -> str:
    answer = client.post(f"/leads/{lead.pk}/criteria/{criterion.pk}/", said, headers=PART)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def row(part: str, criterion: Criterion) -> str:
    """The words of one question, without its form."""
    shown = part.split(f'id="criterion-{criterion.pk}"')[1].split("</summary>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", shown, flags=re.DOTALL)).split())


ANSWERS = [
    ("yes_no", "partly", "25 of 50"),
    ("scale", "4", "4 of 5"),
    ("choice", "Some day", "Some day"),
    ("number", "2,5", "2.5"),
]


@pytest.mark.parametrize(("kind", "value", "words"), ANSWERS)
def test_an_answer_of_every_kind_is_kept_and_says_what_it_gives(
    login: Login, sdr: User, card: Scorecard, kind: str, value: str, words: str
) -> None:
    lead, criterion, client = make.working_lead(sdr), of(card, kind), login(sdr)
    assert "– of 50" in row(client.get(f"/leads/{lead.pk}/").content.decode(), criterion)
    shown = row(answer(client, lead, criterion, value=value, evidence="they told us"), criterion)
    assert words in shown
    assert "they told us" in shown
    assert re.search(r"\d+ of 50", shown)
    part = answer(client, lead, criterion, value="unknown" if kind == "yes_no" else "", evidence="")
    assert "– of 50" in row(part, criterion)


def test_words_need_no_evidence_and_score_nothing(login: Login, sdr: User, card: Scorecard) -> None:
    lead, criterion = make.working_lead(sdr), of(card, "text")
    shown = row(answer(login(sdr), lead, criterion, value="We want calm & quiet"), criterion)
    assert "We want calm & quiet" in shown
    assert " of " not in shown
    assert Answer.objects.get().value == "We want calm & quiet"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("number", "a dozen", "Write a number in digits"),
        ("choice", "Never", "Choose one of the answers"),
        ("scale", "7", "Choose one of the answers"),
        ("scale", "3", "Say how you know"),
    ],
)
def test_an_answer_that_is_none_is_refused_where_it_was_given(
    login: Login, sdr: User, card: Scorecard, kind: str, value: str, words: str
) -> None:
    lead, criterion = make.working_lead(sdr), of(card, kind)
    part = answer(login(sdr), lead, criterion, value=value, evidence="" if value == "3" else "they said")
    own = part.split(f'id="criterion-{criterion.pk}"')[1].split("</li>")[0]
    assert words in own
    assert "<details open>" in own
    assert "they said" in own or value == "3"
    assert kind != "number" or 'value="a dozen"' in own
    assert not Answer.objects.exists()


def test_nothing_posted_is_no_answer(login: Login, sdr: User, card: Scorecard) -> None:
    lead = make.working_lead(sdr)
    assert "Choose an answer" in answer(login(sdr), lead, of(card, "choice"), evidence="so")
    assert not Answer.objects.exists()


def test_a_must_have_that_is_not_met_is_named(login: Login, sdr: User, card: Scorecard) -> None:
    lead, criterion, client = make.working_lead(sdr), of(card, "yes_no"), login(sdr)
    assert "must, not met" in row(answer(client, lead, criterion, value="no", evidence="so"), criterion)
    assert "must, not met" not in row(answer(client, lead, criterion, value="partly", evidence="so"), criterion)


def test_what_the_prospect_said_on_the_form_is_marked(login: Login, sdr: User, card: Scorecard) -> None:
    criterion = of(card, "choice")
    Criterion.objects.filter(pk=criterion.pk).update(asks_prospect=True)
    lead = make.working_lead(sdr)
    leads.answer_by_prospect(lead=lead, answers={criterion.key: "This year"}, evidence="", at=make.AT)
    client = login(sdr)
    assert "This year · said so on the form" in row(client.get(f"/leads/{lead.pk}/").content.decode(), criterion)
    shown = row(answer(client, lead, criterion, value="Some day", evidence="on the phone"), criterion)
    assert "said so on the form" not in shown


def test_the_answers_that_would_change_the_outcome_are_told(login: Login, sdr: User, card: Scorecard) -> None:
    lead, client = make.working_lead(sdr), login(sdr)
    assert "would say yes" not in client.get(f"/leads/{lead.pk}/").content.decode()
    for kind, value in (("yes_no", "yes"), ("number", "12"), ("scale", "5")):
        part = answer(client, lead, of(card, kind), value=value, evidence="so")
    assert "If “When?” were “This year”, both sides would say yes." in part
    part = answer(client, lead, of(card, "choice"), value="This year", evidence="so")
    assert "If “Do they say what hurts?” were no, it would be a no." in part
    part = answer(client, lead, of(card, "number"), value="", evidence="")
    assert "If “How many are they?” were 1 or more, both sides would say yes." in part
    assert "If “How many are they?” were less than 1, it would be a no." in part
    part = answer(client, lead, of(card, "yes_no"), value="no", evidence="so")
    assert "If “Do they say what hurts?” were partly, it would be open again." in part


def test_the_card_takes_as_many_queries_for_many_questions(
    login: Login, sdr: User, card: Scorecard, django_assert_max_num_queries: Any
) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    answer(client, lead, of(card, "scale"), value="5", evidence="so")
    with django_assert_max_num_queries(8):
        client.get(f"/leads/{lead.pk}/", headers=PART)
