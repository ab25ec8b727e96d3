"""The ledger and its rows: the same acts on every page, each of them once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import promises
from crm.models import Promise, PromiseSide
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TODAY = AT.date()


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def promise(account_manager) -> Promise:
    return make.promise(
        make.person("Ilse Maes"), by=account_manager, due_on=TODAY + timedelta(days=2), text="Send the schedule"
    )


@pytest.fixture
def ledger(account_manager, sdr, promise):
    person = promise.person
    make.promise(
        person, by=account_manager, due_on=TODAY - timedelta(days=2), text="Late and theirs", side=PromiseSide.THEIRS
    )
    make.promise(person, by=sdr, due_on=TODAY, text="Of a colleague")
    kept = make.promise(person, by=account_manager, due_on=TODAY, text="Kept already")
    promises.keep(promise=kept, by=account_manager, at=AT)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Late and theirs", "Send the schedule"]),
        ("whose=all", ["Late and theirs", "Of a colleague", "Send the schedule"]),
        ("side=theirs", ["Late and theirs"]),
        ("side=ours", ["Send the schedule"]),
        ("state=late", ["Late and theirs"]),
        ("state=settled", ["Kept already"]),
        ("state=nonsense&side=x&whose=y", ["Late and theirs", "Send the schedule"]),
    ],
)
def test_it_shows_the_promises_asked_for_and_no_others(login, account_manager, ledger, query, shown):
    page = login(account_manager).get(f"/promises/?{query}").content.decode()
    texts = ("Late and theirs", "Of a colleague", "Send the schedule", "Kept already")
    found = [text for text in texts if f"<span>{text}</span>" in page]
    assert sorted(found) == sorted(shown)
    assert [page.index(f"<span>{text}</span>") for text in shown] == sorted(
        page.index(f"<span>{text}</span>") for text in shown
    )


def test_an_empty_ledger_says_what_to_do_and_an_empty_filter_that_it_is_one(login, account_manager):
    client = login(account_manager)
    assert "No promise is open" in client.get("/promises/").content.decode()
    assert "No promise answers to these filters" in client.get("/promises/?state=late").content.decode()


def test_a_promise_is_noted_for_a_person(login, account_manager):
    person = make.person(owner=account_manager)
    answer = login(account_manager).post(
        f"/promises/new/?person={person.pk}",
        {"side": "theirs", "text": "Introduce her sister", "due_on": "2026-12-04", "not_before": "2026-12-01"},
    )
    assert answer["Location"] == f"/people/{person.pk}/"
    row = Promise.objects.get()
    assert (row.person, row.owner, row.side, row.text) == (person, account_manager, "theirs", "Introduce her sister")


def test_a_promise_on_a_deal_and_on_a_lead_returns_there(login, account_manager, sdr):
    deal, lead = make.deal(account_manager), make.working_lead(sdr)
    fields = {"side": "ours", "text": "Send it", "due_on": "2026-12-04"}
    client = login(account_manager)
    assert client.post(f"/promises/new/?deal={deal.pk}", fields)["Location"] == f"/deals/{deal.pk}/"
    assert client.post(f"/promises/new/?lead={lead.pk}", fields)["Location"] == f"/leads/{lead.pk}/"
    assert {(row.person, row.deal, row.lead) for row in Promise.objects.all()} == {
        (deal.person, deal, None),
        (lead.person, None, lead),
    }


def test_impossible_days_are_said_and_nothing_is_noted(login, account_manager):
    person = make.person(owner=account_manager)
    fields = {"side": "ours", "text": "Send it", "due_on": "2026-12-04", "not_before": "2026-12-09"}
    answer = login(account_manager).post(f"/promises/new/?person={person.pk}", fields)
    assert "Choose a later promised date" in answer.content.decode()
    assert not Promise.objects.exists()


def test_without_a_person_it_sends_us_to_the_people(login, account_manager):
    assert login(account_manager).get("/promises/new/")["Location"] == "/people/"


@pytest.mark.parametrize(("act", "state"), [("keep", "kept"), ("break", "broken")])
def test_it_is_settled_and_we_are_back_where_we_were(login, teammate, promise, act, state):
    client = login(teammate)
    answer = client.post(f"/promises/{promise.pk}/{act}/", {"next": "/promises/?state=late"})
    assert answer["Location"] == "/promises/?state=late"
    promise.refresh_from_db()
    assert promise.state == state
    client.post(f"/promises/{promise.pk}/{act}/")
    promise.refresh_from_db()
    assert promise.resolved_at == AT


def test_another_site_is_never_where_we_were(login, account_manager, promise):
    answer = login(account_manager).post(f"/promises/{promise.pk}/keep/", {"next": "https://evil.example/"})
    assert answer["Location"] == f"/people/{promise.person_id}/"


def test_htmx_gets_the_row_alone_and_the_page_hears_of_it(login, account_manager, promise):
    row = f"promise-{promise.pk}"
    answer = login(account_manager).post(
        f"/promises/{promise.pk}/keep/",
        {"next": "/promises/", "named": "yes"},
        headers={"HX-Request": "true", "HX-Target": row},
    )
    text = answer.content.decode()
    assert text.lstrip().startswith(f'<li class="list-group-item promise" id="{row}"')
    assert "kept, today" in text
    assert "Ilse Maes" in text
    assert "/keep/" not in text
    assert "promiseChanged" in answer["HX-Trigger"]


def test_it_moves_to_another_day(login, account_manager, promise):
    login(account_manager).post(f"/promises/{promise.pk}/move/", {"due_on": "2026-12-09"})
    promise.refresh_from_db()
    assert str(promise.due_on) == "2026-12-09"


@pytest.mark.parametrize("day", ["", "soon", "2026-11-01", "2026-02-31"])
def test_a_day_that_is_none_or_has_passed_moves_nothing(login, account_manager, promise, day):
    answer = login(account_manager).post(
        f"/promises/{promise.pk}/move/",
        {"due_on": day, "next": "/promises/"},
        headers={"HX-Request": "true", "HX-Target": f"promise-{promise.pk}"},
    )
    assert answer.status_code == 200
    assert "alert-danger" in answer.content.decode()
    promise.refresh_from_db()
    assert promise.due_on == TODAY + timedelta(days=2)


def test_a_kept_promise_cannot_be_broken_and_says_so(login, account_manager, promise):
    promises.keep(promise=promise, by=account_manager, at=AT)
    answer = login(account_manager).post(f"/promises/{promise.pk}/break/", follow=True)
    assert "settled already" in answer.content.decode()
    promise.refresh_from_db()
    assert promise.state == "kept"


def test_another_team_settles_nothing_and_get_changes_nothing(login, outsider, account_manager, promise):
    person = make.person(owner=account_manager)
    for act in ("keep", "break", "move"):
        assert login(outsider).post(f"/promises/{promise.pk}/{act}/", {"due_on": "2026-12-09"}).status_code == 403
        assert login(account_manager).get(f"/promises/{promise.pk}/{act}/").status_code == 405
    assert login(outsider).get(f"/promises/new/?person={person.pk}").status_code == 403
    promise.refresh_from_db()
    assert promise.state == "open"


def test_strangers_go_to_the_login(client, promise):
    for address in ("/promises/", "/promises/new/", f"/promises/{promise.pk}/keep/"):
        assert client.get(address)["Location"].startswith("/accounts/login/")


def test_the_ledger_takes_as_many_queries_for_fifty_as_for_five(login, account_manager, django_assert_max_num_queries):
    client = login(account_manager)
    for _number in range(50):
        make.promise(make.person(), by=account_manager, due_on=TODAY)
    with django_assert_max_num_queries(4):
        client.get("/promises/")
