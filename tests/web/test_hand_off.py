"""The brief: everything an account manager decides on, on one page, and an answer that is given once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm import handoffs, promises
from crm.models import Deal, HandOff, HandOffState, LeadStatus, Role, Touch, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "answer"}
YES = {
    "accept-next_step": "Video about the dates",
    "accept-next_step_on": "2026-11-30",
    "accept-name": "Notelaar: workshop",
    "accept-buyer_amount": "9000",
    "accept-buyer_date": "2027-03-01",
}


@pytest.fixture
def now() -> Any:
    with time_machine.travel(make.AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def hand_off(sdr: User, account_manager: User) -> HandOff:
    return make.hand_off(sdr, account_manager, name="Sofie De Wit", organisation="Notelaar", at=make.AT)


def test_the_brief_says_it_all_on_one_page(login: Login, sdr: User, account_manager: User, hand_off: HandOff) -> None:
    person = hand_off.lead.person
    assert person is not None
    Touch.objects.create(person=person, content=make.content("Price page"), at=make.AT - timedelta(days=3))
    make.conversation(person, by=sdr, lead=hand_off.lead, summary="A day a week lost.", quote="Before Easter, please")
    promises.make(side="ours", text="Send a schedule", person=person, due_on=date(2026, 12, 1), by=sdr, at=make.AT)
    shown = login(account_manager).get(f"/hand-offs/{hand_off.pk}/").content.decode()
    for words in (
        "Sofie De Wit",
        "Notelaar",
        "Which dates do you have for a workshop?",
        "Price page",
        "A day a week lost.",
        "Before Easter, please",
        "Send a schedule",
        "Wants a start before Easter.",
        "Pain they name themselves",
        "they said so",
        "100 of 100",
        "answer in 4 hours",
        "Accept: make it a deal",
    ):
        assert words in shown, words


def test_what_was_agreed_stands_in_the_answer_already(
    login: Login, sdr: User, account_manager: User, hand_off: HandOff
) -> None:
    make.appointment(account_manager, person=hand_off.lead.person, lead=hand_off.lead, subject="Two shifts", by=sdr)
    shown = login(account_manager).get(f"/hand-offs/{hand_off.pk}/").context["accept"]
    assert (shown["next_step"].value(), shown["next_step_on"].value()) == (
        "Two shifts",
        (make.AT + timedelta(days=2)).date(),
    )


def test_acceptance_leads_to_the_deal(login: Login, account_manager: User, sdr: User, hand_off: HandOff) -> None:
    answer = login(account_manager).post(f"/hand-offs/{hand_off.pk}/accept/", YES)
    deal = Deal.objects.get()
    assert answer["Location"] == f"/deals/{deal.pk}/"
    assert (deal.owner, deal.sdr, deal.name, deal.next_step_on) == (
        account_manager,
        sdr,
        "Notelaar: workshop",
        date(2026, 11, 30),
    )
    assert (deal.buyer_amount, deal.buyer_date) == (Decimal(9000), date(2027, 3, 1))


def test_accepting_twice_is_one_deal(login: Login, account_manager: User, hand_off: HandOff) -> None:
    client = login(account_manager)
    first, second = (client.post(f"/hand-offs/{hand_off.pk}/accept/", YES) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Deal.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_without_a_next_step_it_is_no_deal_and_nothing_typed_is_lost(
    login: Login, account_manager: User, hand_off: HandOff, headers: dict[str, str]
) -> None:
    answer = login(account_manager).post(
        f"/hand-offs/{hand_off.pk}/accept/", {**YES, "accept-next_step_on": "2026-11-01"}, headers=headers
    )
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "The next step lies in the past" in shown
    assert 'value="Notelaar: workshop"' in shown
    assert ("<html" in shown) is not bool(headers)
    assert not Deal.objects.exists()


def test_the_second_of_two_hears_who_was_first_and_when(login: Login, account_manager: User, hand_off: HandOff) -> None:
    colleague = make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=account_manager.team)
    handoffs.accept(hand_off=hand_off, next_step="Call", next_step_on=make.AT.date(), by=colleague, at=make.AT)
    answer = login(account_manager).post(f"/hand-offs/{hand_off.pk}/accept/", YES, follow=True)
    shown = answer.content.decode()
    assert answer.redirect_chain == [(f"/hand-offs/{hand_off.pk}/", 302)]
    assert "Els Verbeke has accepted this hand-off already." in shown
    assert "Els Verbeke accepted this hand-off, today 10:30." in shown
    assert "Accept: make it a deal" not in shown
    by_htmx = login(account_manager).post(f"/hand-offs/{hand_off.pk}/accept/", YES, headers=HTMX)
    assert by_htmx["HX-Redirect"] == f"/hand-offs/{hand_off.pk}/"


def test_rejection_needs_a_reason_and_returns_the_lead(login: Login, account_manager: User, hand_off: HandOff) -> None:
    client = login(account_manager)
    for nothing in ({"reject-kind": "too_early", "reject-reason": " "}, {"reject-kind": "", "reject-reason": "No."}):
        assert client.post(f"/hand-offs/{hand_off.pk}/reject/", nothing).status_code == 200
    hand_off.refresh_from_db()
    assert hand_off.state == HandOffState.SUBMITTED
    client.post(
        f"/hand-offs/{hand_off.pk}/reject/", {"reject-kind": "too_early", "reject-reason": "No budget before June."}
    )
    hand_off.refresh_from_db()
    hand_off.lead.refresh_from_db()
    assert (hand_off.state, hand_off.lead.status) == (HandOffState.REJECTED, LeadStatus.WORKING)
    shown = client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
    assert "No budget before June." in shown
    assert "Accept: make it a deal" not in shown


def test_a_colleague_of_the_team_and_a_manager_may_answer(
    login: Login, account_manager: User, manager: User, hand_off: HandOff
) -> None:
    colleague = make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=account_manager.team)
    for user in (colleague, manager):
        assert "Accept: make it a deal" in login(user).get(f"/hand-offs/{hand_off.pk}/").content.decode()
    login(colleague).post(f"/hand-offs/{hand_off.pk}/accept/", YES)
    assert Deal.objects.get().owner == colleague


def test_another_team_reads_and_may_not_answer(
    login: Login, outsider: User, other_team: Any, hand_off: HandOff
) -> None:
    foreign = make.user("Foreign Manager", Role.ACCOUNT_MANAGER, team=other_team)
    for user in (outsider, foreign):
        client = login(user)
        assert "Accept: make it a deal" not in client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
        assert client.post(f"/hand-offs/{hand_off.pk}/accept/", YES).status_code == 403
        assert client.post(f"/hand-offs/{hand_off.pk}/reject/", {"reject-reason": "x"}).status_code == 403


def test_an_sdr_of_the_team_does_not_accept(login: Login, sdr: User, hand_off: HandOff) -> None:
    client = login(sdr)
    assert "Accept: make it a deal" not in client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
    answer = client.post(f"/hand-offs/{hand_off.pk}/accept/", YES)
    assert answer.status_code == 403
    assert not Deal.objects.exists()


def test_strangers_and_wrong_methods(client: Client, login: Login, account_manager: User, hand_off: HandOff) -> None:
    url = f"/hand-offs/{hand_off.pk}/"
    for answer in (client.get(url), client.get("/hand-offs/"), client.post(f"{url}accept/", YES)):
        assert answer["Location"].startswith("/accounts/login/")
    logged_in = login(account_manager)
    assert logged_in.get(f"{url}accept/").status_code == 405
    assert logged_in.get(f"{url}reject/").status_code == 405
    assert logged_in.post(url).status_code == 405
    assert logged_in.get("/hand-offs/999999/").status_code == 404


def test_the_list_shows_what_waits_for_whom(
    login: Login, sdr: User, account_manager: User, manager: User, outsider: User, other_team: Any, hand_off: HandOff
) -> None:
    foreign = make.user("Foreign Manager", Role.ACCOUNT_MANAGER, team=other_team)
    make.hand_off(outsider, foreign, name="Piet Foreign")
    colleague = make.user("Els Verbeke", Role.ACCOUNT_MANAGER, team=account_manager.team)

    def shown(user: User, query: str = "") -> set[str]:
        page = login(user).get(f"/hand-offs/{query}").content.decode()
        return {name for name in ("Sofie De Wit", "Piet Foreign") if name in page}

    assert shown(account_manager) == shown(account_manager, "?whose=me") == {"Sofie De Wit"}
    assert shown(colleague) == {"Sofie De Wit"}
    assert shown(colleague, "?whose=me") == set()
    assert shown(foreign) == {"Piet Foreign"}
    assert shown(manager) == {"Sofie De Wit", "Piet Foreign"}
    assert shown(sdr) == {"Sofie De Wit"}
    handoffs.reject(hand_off=hand_off, kind="no_fit", reason="No budget.", by=account_manager, at=make.AT)
    page = login(sdr).get("/hand-offs/").content.decode()
    assert "No hand-off waits here" in page
    assert "No budget." in page


def test_the_account_manager_asks_back_and_the_sdr_answers(
    login: Login, sdr: User, account_manager: User, hand_off: HandOff
) -> None:
    url = f"/hand-offs/{hand_off.pk}/"
    asking, answering = login(account_manager), login(sdr)
    assert asking.post(f"{url}ask/", {"ask-question": " "}).status_code == 200
    asking.post(f"{url}ask/", {"ask-question": "Who decides <b>with</b> her?"})
    for path in (url, f"/leads/{hand_off.lead_id}/"):
        shown = answering.get(path).content.decode()
        assert "Who decides &lt;b&gt;with&lt;/b&gt; her?" in shown
    assert "asks you something" in answering.get("/leads/").content.decode()
    assert "asks you something" in answering.get("/").content.decode()
    assert "asked back" in asking.get("/hand-offs/").content.decode()
    assert "answer in 4 hours" not in asking.get(url).content.decode()
    assert "A question is open already" in asking.post(f"{url}ask/", {"ask-question": "And?"}).content.decode()
    assert f"{url}tell/" in answering.get(url).content.decode()
    assert f"{url}tell/" not in asking.get(url).content.decode(), "nobody answers what they asked themselves"
    answer = answering.post(f"{url}tell/", {"tell-answer": "Her brother does."})
    assert answer["Location"] == url
    shown = asking.get(url).content.decode()
    assert "Her brother does." in shown
    assert "answer in 4 hours" in shown
    again = answering.post(f"{url}tell/", {"tell-answer": "Again"}, follow=True)
    assert "No question is open" in again.content.decode()
    assert "asks you something" not in answering.get("/leads/").content.decode()


def test_by_htmx_a_question_that_is_refused_keeps_what_was_typed(
    login: Login, account_manager: User, hand_off: HandOff
) -> None:
    client = login(account_manager)
    handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    shown = client.post(f"/hand-offs/{hand_off.pk}/ask/", {"ask-question": "And when?"}, headers=HTMX).content.decode()
    assert "<html" not in shown
    assert "A question is open already" in shown
    assert "And when?" in shown


def test_another_team_does_not_answer_what_the_sdr_is_asked(
    login: Login, account_manager: User, outsider: User, hand_off: HandOff
) -> None:
    handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    assert login(outsider).post(f"/hand-offs/{hand_off.pk}/tell/", {"tell-answer": "I do."}).status_code == 403


def test_who_leads_gives_it_to_somebody_else_or_takes_it(
    login: Login, account_manager: User, manager: User, hand_off: HandOff
) -> None:
    els = make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    client = login(manager)
    url = f"/hand-offs/{hand_off.pk}/redirect/"
    shown = client.get(url).content.decode()
    assert "Els Verbeke" in shown
    assert "I take it myself" in shown
    assert "Choose an account manager." in client.post(url, {"to": account_manager.pk}).content.decode()
    client.post(url, {"to": els.pk})
    new = HandOff.objects.waiting().get()
    assert (new.to_user, new.lead) == (els, hand_off.lead)
    old = client.get(f"/hand-offs/{hand_off.pk}/").content.decode()
    assert "was given to somebody else" in old
    client.post(f"/hand-offs/{new.pk}/redirect/", {"to": manager.pk})
    assert HandOff.objects.waiting().get().to_user == manager
    assert "given to somebody else" in client.post(url, {"to": els.pk}).content.decode()


def test_it_asks_few_questions(
    login: Login, sdr: User, account_manager: User, hand_off: HandOff, django_assert_max_num_queries: Any
) -> None:
    person = hand_off.lead.person
    assert person is not None
    for day in range(8):
        make.conversation(person, by=sdr, lead=hand_off.lead, at=make.AT - timedelta(days=day))
        promises.make(side="ours", text="Call", person=person, due_on=date(2026, 12, 1), by=sdr, at=make.AT)
    for _ in range(3):
        make.hand_off(sdr, account_manager)
    client = login(account_manager)
    with django_assert_max_num_queries(21):
        client.get(f"/hand-offs/{hand_off.pk}/")
    with django_assert_max_num_queries(5):
        client.get("/hand-offs/")
