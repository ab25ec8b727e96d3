"""The page of a lead: what they asked, both sides side by side, and only the ways on that are open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from kombu.exceptions import OperationalError

from crm import handoffs, leads, promises, verdicts
from crm.models import HandOff, Lead, LeadStatus, OutgoingMail, Role, Touch, User
from crm.tasks import send_mail
from qualification.models import Answer, Criterion, Scorecard
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def now() -> Any:
    with time_machine.travel(make.AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def criterion() -> Criterion:
    return make.scorecard().criteria.get(question="Ten people or more")


def page(client: Client, lead: Lead) -> str:
    answer = client.get(f"/leads/{lead.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_what_they_asked_what_they_read_and_what_was_said(login: Login, sdr: User) -> None:
    company = make.organisation("Notelaar Interiors", city="Mechelen")
    person = make.person("Sofie De Wit", organisation=company, interests=["sailing"], phone="+3215123456")
    for months in range(3):
        Touch.objects.create(person=person, content=make.content(), at=make.AT - timedelta(days=100 + 30 * months))
    lead = make.lead(
        person=person, company=company, content=make.content("Whiteboard to plan in a week", kind="article"), at=make.AT
    )
    leads.take(lead=lead, by=sdr, at=make.AT)
    make.conversation(person, by=sdr, lead=lead, summary="They lose a day a week.", quote="If it works before Easter")
    promises.make(side="theirs", text="Send the list", person=person, due_on=date(2026, 12, 1), by=sdr, at=make.AT)
    shown = page(login(sdr), lead)
    for words in (
        "Notelaar Interiors",
        "Mechelen",
        "Which dates do you have for a workshop?",
        "Article “Whiteboard to plan in a week”",
        "June 2026 · 4 pieces",
        "sailing",
        "They lose a day a week.",
        "If it works before Easter",
        "Send the list",
        "/call/?lead=",
    ):
        assert words in shown, words


def test_an_answer_recomputes_both_sides_and_swaps_the_card(login: Login, sdr: User, criterion: Criterion) -> None:
    lead = make.working_lead(sdr)
    answer = login(sdr).post(
        f"/leads/{lead.pk}/criteria/{criterion.pk}/",
        {"value": "yes", "evidence": "12, by the form"},
        headers=HTMX | {"HX-Target": "scorecard"},
    )
    part = answer.content.decode()
    assert part.lstrip().startswith('<section id="scorecard"')
    assert "12, by the form" in part
    assert "28 of 100" in part
    assert "criterionAnswered" in answer["HX-Trigger"]


def test_an_answer_without_javascript_comes_back_to_its_question(login: Login, sdr: User, criterion: Criterion) -> None:
    lead = make.working_lead(sdr)
    answer = login(sdr).post(f"/leads/{lead.pk}/criteria/{criterion.pk}/", {"value": "no", "evidence": "three of them"})
    assert answer["Location"] == f"/leads/{lead.pk}/#criterion-{criterion.pk}"
    assert Answer.objects.get().value == "no"


@pytest.mark.parametrize("headers", [{}, HTMX | {"HX-Target": "scorecard"}])
def test_an_answer_without_evidence_keeps_what_was_chosen(
    login: Login, sdr: User, criterion: Criterion, headers: dict[str, str]
) -> None:
    lead = make.working_lead(sdr)
    answer = login(sdr).post(f"/leads/{lead.pk}/criteria/{criterion.pk}/", {"value": "yes"}, headers=headers)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Say how you know" in shown
    assert 'value="yes" required checked' in shown
    assert not Answer.objects.exists()


def test_what_is_missing_is_said_and_qualifying_is_not_offered(login: Login, sdr: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr, replies={"They chose a date and say why": "unknown"})
    shown = page(login(sdr), lead)
    assert "Answer the must-have “They chose a date and say why” first." in shown
    assert f'action="/leads/{lead.pk}/qualify/"' not in shown
    answer = login(sdr).post(f"/leads/{lead.pk}/qualify/", follow=True)
    assert "Answer the must-have" in answer.content.decode()
    lead.refresh_from_db()
    assert lead.status == LeadStatus.WORKING


def test_both_yeses_qualify_and_then_it_can_be_handed_off(login: Login, sdr: User, account_manager: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    client = login(sdr)
    assert f"/leads/{lead.pk}/qualify/" in page(client, lead)
    assert f"/leads/{lead.pk}/hand-off/" not in page(client, lead)
    client.post(f"/leads/{lead.pk}/qualify/")
    assert f"/leads/{lead.pk}/hand-off/" in page(client, lead)
    client.post(f"/leads/{lead.pk}/hand-off/", {"to": account_manager.pk, "note": "Wants to start before Easter."})
    offered = HandOff.objects.get()
    assert (offered.to_user, offered.from_user, offered.note) == (
        account_manager,
        sdr,
        "Wants to start before Easter.",
    )
    shown = page(client, lead)
    assert "Waiting for an answer" in shown
    assert f"/hand-offs/{offered.pk}/" in shown


def test_account_managers_of_their_language_come_first_and_those_who_left_never(
    login: Login, sdr: User, account_manager: User
) -> None:
    make.user("Zita Baert", Role.ACCOUNT_MANAGER, language="nl")
    make.user("Aaron Gone", Role.ACCOUNT_MANAGER, language="nl", is_active=False)
    lead = make.qualified_lead(sdr, language="nl")
    shown = login(sdr).get(f"/leads/{lead.pk}/hand-off/").content.decode()
    assert "Aaron Gone" not in shown
    assert shown.index("Zita Baert") < shown.index("Arjan van der Meer")


def test_an_inactive_account_manager_cannot_be_chosen_by_hand_either(login: Login, sdr: User) -> None:
    gone = make.user("Gone", Role.ACCOUNT_MANAGER, is_active=False)
    lead = make.qualified_lead(sdr)
    answer = login(sdr).post(f"/leads/{lead.pk}/hand-off/", {"to": gone.pk})
    assert answer.status_code == 200
    assert not HandOff.objects.exists()


def test_nurture_needs_a_day_and_keeps_what_was_typed(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    refused = client.post(f"/leads/{lead.pk}/nurture/", {"until": "2026-11-01", "note": "after the move"})
    assert refused.status_code == 200
    assert "Choose a day in the future" in refused.content.decode()
    assert "after the move" in refused.content.decode()
    client.post(f"/leads/{lead.pk}/nurture/", {"until": "2027-01-04", "note": "after the move"})
    assert "Resting until 4 January 2027" in page(client, lead)


def test_a_good_no_offers_its_text_in_their_language_and_sends_it(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr, name="Sofie De Wit", language="nl")
    client, url = login(sdr), f"/leads/{lead.pk}/decline/"
    suggested = client.post(url, {"suggest": "yes", "reason": "too_small", "note": "three people"})
    shown = suggested.content.decode()
    assert "Beste Sofie," in shown
    assert "three people" in shown
    lead.refresh_from_db()
    assert lead.status == LeadStatus.WORKING
    client.post(url, {"reason": "too_small", "note": "three people", "message": "Dank u, Sofie."})
    lead.refresh_from_db()
    assert (lead.status, lead.decline_note) == (LeadStatus.DECLINED, "three people")
    mail = OutgoingMail.objects.get()
    assert (mail.body, mail.subject) == ("Dank u, Sofie.", "Uw vraag")
    assert "Too small for us to help well" in page(client, lead)


def test_ones_own_words_are_never_replaced_by_a_ready_text(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    url = f"/leads/{lead.pk}/decline/"
    typed = {"suggest": "yes", "reason": "no_need", "message": "My very own words"}
    shown = login(sdr).post(url, typed, headers=HTMX | {"HX-Target": "act"}).content.decode()
    assert shown.lstrip().startswith('<div id="act"')
    assert "My very own words" in shown
    assert "Thank you for your message" not in shown


def test_without_an_address_no_message_is_offered(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr, name="Jan", email="")
    client = login(sdr)
    assert 'name="message"' not in client.get(f"/leads/{lead.pk}/decline/").content.decode()
    assert "no e-mail address" in client.get(f"/leads/{lead.pk}/answer/").content.decode()
    client.post(f"/leads/{lead.pk}/decline/", {"reason": "no_reply"})
    lead.refresh_from_db()
    assert lead.status == LeadStatus.DECLINED


def test_an_answer_goes_out_by_mail_after_commit(
    login: Login, sdr: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(send_mail, "apply_async", lambda _args: asked.append("mail"))
    lead = make.lead("Sofie De Wit", email="sofie@notelaar.example")
    client = login(sdr)
    assert "Dear Sofie," in client.get(f"/leads/{lead.pk}/answer/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/leads/{lead.pk}/answer/", {"subject": "Dates", "message": "In May."})
    assert answer["Location"] == f"/leads/{lead.pk}/"
    assert asked == ["mail"]
    assert OutgoingMail.objects.get().to == "sofie@notelaar.example"
    lead.refresh_from_db()
    assert (lead.owner, lead.answered_at) == (sdr, make.AT)


def test_a_broker_that_is_away_does_not_break_the_page(
    login: Login, sdr: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(args: tuple[()]) -> None:
        raise OperationalError("nobody there")

    monkeypatch.setattr(send_mail, "apply_async", away)
    lead = make.lead()
    with django_capture_on_commit_callbacks(execute=True):
        answer = login(sdr).post(f"/leads/{lead.pk}/answer/", {"subject": "Dates", "message": "In May."})
    assert answer.status_code == 302
    assert OutgoingMail.objects.count() == 1


def test_an_act_in_the_dialog_sends_the_browser_back_to_the_lead(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    headers = HTMX | {"HX-Target": "act"}
    assert (
        client.get(f"/leads/{lead.pk}/nurture/", headers=headers).content.decode().lstrip().startswith('<div id="act"')
    )
    wrong = client.post(f"/leads/{lead.pk}/nurture/", {"until": ""}, headers=headers)
    assert wrong.content.decode().lstrip().startswith('<div id="act"')
    done = client.post(f"/leads/{lead.pk}/nurture/", {"until": "2027-01-04"}, headers=headers)
    assert done["HX-Redirect"] == f"/leads/{lead.pk}/"


def test_give_to_a_colleague_and_take_up_again(login: Login, sdr: User, teammate: User) -> None:
    lead = make.working_lead(sdr)
    login(sdr).post(f"/leads/{lead.pk}/assign/", {"to": teammate.pk})
    lead.refresh_from_db()
    assert lead.owner == teammate
    verdicts.decline(lead=lead, reason="not_now", by=teammate, at=make.AT)
    login(sdr).post(f"/leads/{lead.pk}/reopen/")
    lead.refresh_from_db()
    assert (lead.owner, lead.status) == (sdr, LeadStatus.WORKING)


def test_only_what_is_possible_is_offered(login: Login, sdr: User, account_manager: User) -> None:
    client = login(sdr)
    acts = ("take", "qualify", "nurture", "decline", "hand-off", "reopen")

    def offered(lead: Lead) -> set[str]:
        shown = page(client, lead)
        return {act for act in acts if f"/leads/{lead.pk}/{act}/" in shown}

    assert offered(make.lead()) == {"take"}
    assert offered(make.working_lead(sdr)) == {"nurture", "decline"}
    assert offered(make.answered(make.working_lead(sdr), by=sdr)) == {"qualify", "nurture", "decline"}
    assert offered(make.qualified_lead(sdr)) == {"hand-off", "nurture", "decline"}
    hand_off = make.hand_off(sdr, account_manager)
    assert offered(hand_off.lead) == set()
    handoffs.accept(hand_off=hand_off, next_step="Call", next_step_on=make.AT.date(), by=account_manager, at=make.AT)
    assert offered(hand_off.lead) == set()
    declined = verdicts.decline(lead=make.working_lead(sdr), reason="no_need", by=sdr, at=make.AT)
    assert offered(declined) == {"reopen"}


def test_a_rejection_is_told_on_the_lead(login: Login, sdr: User, account_manager: User) -> None:
    hand_off = make.hand_off(sdr, account_manager)
    handoffs.reject(hand_off=hand_off, kind="no_fit", reason="No budget before June.", by=account_manager, at=make.AT)
    shown = page(login(sdr), hand_off.lead)
    assert "Arjan van der Meer did not accept this lead" in shown
    assert "No budget before June." in shown


def test_a_mail_that_could_not_be_sent_is_told_on_the_lead(login: Login, sdr: User) -> None:
    lead = make.lead(email="sofie@notelaar.example")
    leads.answer(lead=lead, message="Hello", by=sdr, at=make.AT)
    OutgoingMail.objects.update(failure="refused", tries=1)
    assert "A mail to sofie@notelaar.example could not be sent yet." in page(login(sdr), lead)


def test_another_scorecard_can_be_chosen_as_long_as_none_is_begun(login: Login, sdr: User) -> None:
    make.scorecard("BANT")
    other = make.scorecard("Ideal client")
    lead = make.working_lead(sdr)
    client = login(sdr)
    assert f"?scorecard={other.pk}" in page(client, lead)
    assert "Ideal client, version 1" in client.get(f"/leads/{lead.pk}/?scorecard={other.pk}").content.decode()
    question = other.criteria.first()
    assert question is not None
    client.post(f"/leads/{lead.pk}/criteria/{question.pk}/", {"value": "yes", "evidence": "they said"})
    shown = page(client, lead)
    assert "Ideal client, version 1" in shown
    assert "?scorecard=" not in shown


def test_without_a_scorecard_the_page_says_who_makes_one(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    assert not Scorecard.objects.exists()
    assert "No scorecard is in use" in page(login(sdr), lead)


ACTS = ("take", "assign", "answer", "qualify", "nurture", "decline", "reopen", "hand-off")


@pytest.mark.parametrize("act", ACTS)
def test_another_team_reads_and_may_not_act(login: Login, sdr: User, outsider: User, act: str) -> None:
    lead = make.working_lead(sdr)
    client = login(outsider)
    assert "Only its owner, their team and managers decide" in page(client, lead)
    assert client.post(f"/leads/{lead.pk}/{act}/").status_code == 403


def test_another_team_may_not_score(login: Login, sdr: User, outsider: User, criterion: Criterion) -> None:
    lead = make.working_lead(sdr)
    client = login(outsider)
    answer = client.post(f"/leads/{lead.pk}/criteria/{criterion.pk}/", {"value": "yes", "evidence": "x"})
    assert answer.status_code == 403
    assert f"/leads/{lead.pk}/criteria/" not in page(client, lead)


def test_a_teammate_and_a_manager_may(login: Login, sdr: User, teammate: User, manager: User) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    login(teammate).post(f"/leads/{lead.pk}/qualify/")
    lead.refresh_from_db()
    assert (lead.status, lead.verdict_by) == (LeadStatus.QUALIFIED, teammate)
    login(manager).post(f"/leads/{lead.pk}/nurture/", {"until": "2027-01-04"})
    lead.refresh_from_db()
    assert lead.status == LeadStatus.NURTURE


@pytest.mark.parametrize("act", ["", "take/", "qualify/", "nurture/", "hand-off/", "criteria/1/"])
def test_a_stranger_goes_to_the_login(client: Client, sdr: User, act: str) -> None:
    url = f"/leads/{make.working_lead(sdr).pk}/{act}"
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_nothing_changes_on_get_and_the_page_takes_no_post(login: Login, sdr: User) -> None:
    lead = make.lead()
    client = login(sdr)
    for act in ("take", "reopen", "judge-anew", "criteria/1"):
        assert client.get(f"/leads/{lead.pk}/{act}/").status_code == 405
    assert client.post(f"/leads/{lead.pk}/").status_code == 405
    for act in ("assign", "answer", "qualify", "nurture", "ask-first", "decline", "look-back", "hand-off"):
        assert client.get(f"/leads/{lead.pk}/{act}/").status_code == 200
    lead.refresh_from_db()
    assert lead.status == LeadStatus.NEW


def test_a_lead_that_is_not_there(login: Login, sdr: User) -> None:
    client = login(sdr)
    assert client.get("/leads/999999/").status_code == 404
    assert client.post("/leads/999999/take/").status_code == 404


def test_the_second_verdict_is_refused_with_a_sentence(login: Login, sdr: User) -> None:
    lead = make.working_lead(sdr)
    client = login(sdr)
    client.post(f"/leads/{lead.pk}/decline/", {"reason": "no_need"})
    again = client.post(f"/leads/{lead.pk}/decline/", {"reason": "no_need", "message": "Once more"})
    assert again.status_code == 200
    assert "This lead is declined" in again.content.decode()
    assert not OutgoingMail.objects.exists()


def test_a_long_life_costs_no_more_questions_than_a_short_one(
    login: Login, sdr: User, account_manager: User, django_assert_max_num_queries: Any
) -> None:
    lead = make.answered(make.working_lead(sdr), by=sdr)
    assert lead.person is not None
    for day in range(12):
        make.conversation(lead.person, by=sdr, lead=lead, at=make.AT - timedelta(days=day))
        Touch.objects.create(person=lead.person, content=make.content(), at=make.AT - timedelta(days=day))
        promises.make(side="ours", text="Call", person=lead.person, due_on=date(2026, 12, 1), by=sdr, at=make.AT)
    client = login(sdr)
    with django_assert_max_num_queries(33):  # Twelve of them ask who fits, and when they are free.
        page(client, lead)
    with django_assert_max_num_queries(7):
        client.get(f"/leads/{lead.pk}/", headers=HTMX | {"HX-Target": "scorecard"})
