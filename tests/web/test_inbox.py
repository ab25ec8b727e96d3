"""The inbox: who waits longest comes first, each sees what is theirs to do, and every number of the dashboard opens its list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm import leads, verdicts
from crm.models import Lead, Team, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]


@pytest.fixture
def now() -> Any:
    with time_machine.travel(make.AT, tick=False) as traveller:
        yield traveller


def names(client: Client, query: str = "", **headers: str) -> list[str]:
    page = client.get(f"/leads/?{query}", headers=headers).content.decode()
    return re.findall(r'<a class="fw-bold plain" href="/leads/\d+/">([^<]+)</a>', page)


def test_late_comes_first_then_the_running_clocks_then_the_others_newest_first(login: Login, sdr: User) -> None:
    make.lead("Due Soon", at=make.AT - timedelta(minutes=20))
    make.lead("Very Late", at=make.AT - timedelta(days=4))
    make.lead("Just Late", at=make.AT - timedelta(minutes=90))
    for name, hours in (("Answered Early", 50), ("Answered Lately", 2)):
        leads.answer(lead=make.lead(name, at=make.AT - timedelta(hours=hours)), message="Hello", by=sdr, at=make.AT)
    Lead.objects.filter(pk=make.lead("From a File", at=make.AT - timedelta(days=400)).pk).update(answer_due_at=None)
    assert names(login(sdr)) == [
        "Very Late",
        "Just Late",
        "Due Soon",
        "Answered Lately",
        "Answered Early",
        "From a File",
    ]


def test_a_row_says_who_what_and_how_late(login: Login, sdr: User) -> None:
    make.lead(
        "Sofie De Wit",
        organisation="Notelaar",
        message="Which dates do you have?",
        origin="organic_search",
        content=make.content("Whiteboard to plan in a week"),
        at=make.AT - timedelta(minutes=90),
    )
    page = login(sdr).get("/leads/").content.decode()
    for words in ("Sofie De Wit", "Notelaar", "Which dates", "Whiteboard to plan", "organic_search", "30 minutes late"):
        assert words in page


def test_an_sdr_sees_own_and_nobodys_and_a_manager_sees_all(
    login: Login, sdr: User, teammate: User, manager: User
) -> None:
    make.working_lead(sdr, name="Mine Own")
    make.lead("Nobodys Lead")
    make.working_lead(teammate, name="Tines Lead")
    verdicts.decline(lead=make.working_lead(sdr, name="Declined One"), reason="no_need", by=sdr, at=make.AT)
    assert set(names(login(sdr))) == {"Mine Own", "Nobodys Lead"}
    assert set(names(login(manager))) == {"Mine Own", "Nobodys Lead", "Tines Lead"}


def test_filters(login: Login, sdr: User, teammate: User, outsider: User, team: Team) -> None:
    article = make.content("Article X")
    make.working_lead(sdr, name="Mine Own", origin="social")
    make.working_lead(teammate, name="Tines Lead", origin="unknown", content=article)
    make.working_lead(outsider, name="Ottos Lead", at=datetime(2026, 9, 30, 22, 30, tzinfo=UTC))
    make.lead("Nobodys Lead", origin="unknown")
    verdicts.decline(lead=make.working_lead(sdr, name="Declined One"), reason="no_need", by=sdr, at=make.AT)
    client = login(sdr)
    everybody = {"Mine Own", "Tines Lead", "Ottos Lead", "Nobodys Lead"}
    assert set(names(client, "owner=anyone")) == everybody
    assert set(names(client, "owner=anyone&status=all")) == everybody | {"Declined One"}
    assert names(client, "status=declined") == ["Declined One"]
    assert set(names(client, "status=new&owner=anyone")) == {"Nobodys Lead"}
    assert names(client, "owner=me") == ["Mine Own"]
    assert names(client, "owner=nobody") == ["Nobodys Lead"]
    assert names(client, f"owner={teammate.pk}") == ["Tines Lead"]
    assert names(client, f"team={team.pk}&owner=anyone") == names(client, f"team={team.pk}")
    assert set(names(client, f"team={team.pk}")) == {"Mine Own", "Tines Lead"}
    assert names(client, f"content={article.pk}") == ["Tines Lead"]


def test_not_recorded_and_unknown_are_different_origins(login: Login, manager: User) -> None:
    make.lead("Without Any", origin="")
    make.lead("Said Unknown", origin="unknown")
    client = login(manager)
    assert names(client, "origin=-") == ["Without Any"]
    assert names(client, "origin=unknown") == ["Said Unknown"]
    assert set(names(client, "origin=")) == {"Without Any", "Said Unknown"}


def test_days_are_days_of_the_reader(login: Login, manager: User) -> None:
    make.lead("First October", at=datetime(2026, 9, 30, 22, 30, tzinfo=UTC))  # half past midnight in Brussels
    make.lead("Last October", at=datetime(2026, 10, 31, 22, 30, tzinfo=UTC))
    make.lead("First November", at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    client = login(manager)
    october = names(client, "status=all&received_from=2026-10-01&received_to=2026-10-31&sort=received")
    assert october == ["Last October", "First October"]


@pytest.mark.parametrize(
    "query",
    ["status=lost", "owner=0x1", "content=abc", "received_from=2026-13-45", "team=-1", "after=%%%", "origin=%00"],
)
def test_nonsense_in_the_address_is_left_out(login: Login, manager: User, query: str) -> None:
    make.lead("Still There")
    assert names(login(manager), query) == ["Still There"]


def many(number: int, **fields: Any) -> None:
    """Leads of one sender, set-based: a list does not care how its rows came to be."""
    first = make.lead("Sofie De Wit", organisation="Notelaar", content=make.content(), **fields)
    Lead.objects.bulk_create(
        Lead(
            channel=first.channel,
            external_id=f"copy-{copy}",
            person=first.person,
            organisation=first.organisation,
            content=first.content,
            owner=first.owner,
            received_at=make.AT - timedelta(minutes=copy),
            answer_due_at=None if copy % 3 == 0 else make.AT + timedelta(minutes=copy // 5),
        )
        for copy in range(1, number)
    )


def test_pages_follow_each_other_and_none_is_missed(login: Login, manager: User) -> None:
    many(120)
    client, url = login(manager), "/leads/"
    seen: list[str] = []
    for _page in range(3):
        page = client.get(url).content.decode()
        seen += re.findall(r'<tr id="lead-(\d+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        url = "/leads/" + following[1].replace("&amp;", "&") if following else ""
    assert url == ""
    assert len(seen) == len(set(seen)) == 120


def test_it_asks_as_few_questions_for_fifty_leads_as_for_one(
    login: Login, sdr: User, django_assert_max_num_queries: Any
) -> None:
    many(55, owner=sdr)
    client = login(sdr)
    with django_assert_max_num_queries(10):
        assert len(names(client)) == 50


def test_htmx_gets_the_list_alone(login: Login, sdr: User) -> None:
    make.lead("Only One")
    page = login(sdr).get("/leads/", headers={"HX-Request": "true", "HX-Target": "leads"}).content.decode()
    assert page.lstrip().startswith('<section id="leads"')
    assert "<html" not in page


def test_an_empty_inbox_says_what_to_do(login: Login, sdr: User) -> None:
    client = login(sdr)
    assert "Nobody waits for an answer" in client.get("/leads/").content.decode()
    assert "No lead fits this filter" in client.get("/leads/?status=accepted").content.decode()


def test_a_stranger_goes_to_the_login_and_a_post_is_refused(client: Client, login: Login, sdr: User) -> None:
    assert client.get("/leads/")["Location"].startswith("/accounts/login/")
    assert login(sdr).post("/leads/").status_code == 405


def test_take_by_htmx_gives_the_row_back(login: Login, sdr: User) -> None:
    lead = make.lead("Sofie De Wit")
    headers = {"HX-Request": "true", "HX-Target": f"lead-{lead.pk}"}
    page = login(sdr).post(f"/leads/{lead.pk}/take/", headers=headers).content.decode()
    assert page.lstrip().startswith(f'<tr id="lead-{lead.pk}"')
    assert "Sofie Peeters" in page
    assert "take/" not in page
    assert "is yours now" in page
    lead.refresh_from_db()
    assert lead.owner == sdr


def test_the_header_counts_what_waits_for_me(
    login: Login, sdr: User, teammate: User, account_manager: User, manager: User
) -> None:
    make.lead(owner=sdr)
    make.lead()
    make.lead(owner=teammate)
    badge = '<span class="badge bg-orange-lt">%d</span></a>'
    assert badge % 2 in login(sdr).get("/leads/").content.decode()
    assert badge % 3 in login(manager).get("/leads/").content.decode()
    assert "badge bg-orange-lt" not in login(account_manager).get("/offline/").content.decode()


def test_a_lead_is_entered_by_hand_once(login: Login, sdr: User) -> None:
    client = login(sdr)
    page = client.get("/leads/new/").content.decode()
    one_time = re.search(r'name="message_id" value="([^"]+)"', page)
    assert one_time
    typed = {
        "name": "Bram Maes",
        "email": "bram@maes.example",
        "message": "Called about dates",
        "message_id": one_time[1],
        "origin": "phone",
    }
    first, second = client.post("/leads/new/", typed), client.post("/leads/new/", typed)
    lead = Lead.objects.get()
    assert first["Location"] == second["Location"] == f"/leads/{lead.pk}/"
    assert (lead.owner, lead.channel, lead.origin, str(lead.person)) == (sdr, "by_hand", "phone", "Bram Maes")


def test_a_lead_of_a_known_person_asks_only_what_they_asked(login: Login, sdr: User) -> None:
    person = make.person("Sofie De Wit")
    client = login(sdr)
    page = client.get(f"/leads/new/?person={person.pk}").content.decode()
    assert "Sofie De Wit" in page
    assert 'name="email"' not in page
    one_time = re.search(r'name="message_id" value="([^"]+)"', page)
    assert one_time
    client.post(f"/leads/new/?person={person.pk}", {"message": "A second team", "message_id": one_time[1]})
    assert Lead.objects.get().person == person


def test_a_wrong_number_is_said_and_nothing_typed_is_lost(login: Login, sdr: User) -> None:
    typed = {"name": "Bram", "phone": "x", "message": "Hello", "message_id": "8a0f9c1e-9d9e-4b7e-8f0a-111111111111"}
    answer = login(sdr).post("/leads/new/", typed)
    assert answer.status_code == 200
    assert "is not a phone number" in answer.content.decode()
    assert not Lead.objects.exists()
