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


# ---- One promise, and what became of it ------------------------------------------------------------------------------


def test_its_page_tells_what_became_of_it_and_by_whom(login, account_manager, teammate, outsider, promise):
    promises.move(promise=promise, due_on=TODAY + timedelta(days=9), by=teammate, at=AT)
    promises.change(promise=promise, text="Send both schedules", by=account_manager, at=AT)
    promises.keep(promise=promise, by=account_manager, at=AT)
    promises.reopen(promise=promise, by=account_manager, at=AT)
    page = login(outsider).get(f"/promises/{promise.pk}/").content.decode()
    for words in (
        "Promise made",
        "Promise moved",
        "from 25 November 2026 to 2 December 2026",
        teammate.get_short_name(),
        "From Send the schedule to Send both schedules.",
        "Promise kept",
        "Promise open again",
    ):
        assert words in page, words
    assert "/edit/" not in page


def test_its_words_and_not_before_are_put_right(login, account_manager, promise):
    client, address = login(account_manager), f"/promises/{promise.pk}/edit/"
    assert 'value="Send the schedule"' in client.get(address).content.decode()
    answer = client.post(address, {"text": "Send both", "not_before": TODAY.isoformat()})
    assert answer["Location"] == f"/promises/{promise.pk}/"
    promise.refresh_from_db()
    assert (promise.text, promise.not_before) == ("Send both", TODAY)


@pytest.mark.parametrize("wrong", [{"text": ""}, {"text": "Send", "not_before": "2026-12-24"}])
def test_what_cannot_be_is_said_and_its_words_stay(login, account_manager, promise, wrong):
    answer = login(account_manager).post(f"/promises/{promise.pk}/edit/", wrong)
    assert "invalid-feedback" in answer.content.decode() or "alert-danger" in answer.content.decode()
    promise.refresh_from_db()
    assert promise.text == "Send the schedule"


def test_settled_by_a_slip_it_is_opened_again_within_a_week(login, account_manager, promise):
    client, address = login(account_manager), f"/promises/{promise.pk}/reopen/"
    promises.keep(promise=promise, by=account_manager, at=AT)
    assert address in client.get("/promises/?state=settled").content.decode()
    client.post(address, {"next": "/promises/"})
    promise.refresh_from_db()
    assert promise.state == "open"
    promises.keep(promise=promise, by=account_manager, at=AT - timedelta(days=8))
    assert address not in client.get("/promises/?state=settled").content.decode()
    assert "more than a week ago" in client.post(address, follow=True).content.decode()
    promise.refresh_from_db()
    assert promise.state == "kept"


def test_another_team_puts_nothing_right(login, outsider, account_manager, promise):
    promises.keep(promise=promise, by=account_manager, at=AT)
    for act in ("edit", "reopen"):
        assert login(outsider).post(f"/promises/{promise.pk}/{act}/", {"text": "Mine"}).status_code == 403
    promise.refresh_from_db()
    assert (promise.state, promise.text) == ("kept", "Send the schedule")


def test_the_page_takes_few_queries(login, account_manager, promise, django_assert_max_num_queries):
    client = login(account_manager)
    for day in range(9):
        promises.move(promise=promise, due_on=TODAY + timedelta(days=day), by=account_manager, at=AT)
    with django_assert_max_num_queries(4):
        client.get(f"/promises/{promise.pk}/")
