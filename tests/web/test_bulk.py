"""Changing many together on the screen: chosen rows or all that match, shown before it is done, and taken back by one button."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from crm import bulk
from crm.models import BulkAct, FollowUp, Organisation, Person, Scope
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
TOMORROW = AT.date() + timedelta(days=1)


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def client(login, account_manager):
    return login(account_manager)


@pytest.fixture
def four(account_manager, outsider) -> list[Person]:
    """Two of mine, one of nobody, one of another team."""
    owners = (account_manager, account_manager, None, outsider)
    return [make.person(f"Person Number{number}", owner=owner) for number, owner in enumerate(owners)]


def ask(client, act: str, rows=(), screen: str = "people", do: bool = False, **more):
    path = f"/lists/{screen}/together/" + ("do/" if do else "")
    return client.post(path, {"act": act, "row": [row.pk for row in rows], **more})


def tiers() -> list[str]:
    return list(Person.objects.order_by("pk").values_list("tier", flat=True))


def test_the_act_is_asked_shown_done_and_taken_back(client, four):
    asked = ask(client, "tier", four, query="tier=none").content.decode()
    keys = re.search(r'name="keys" value="([\d,]+)"', asked)
    assert keys
    assert "Show what will change" in asked
    shown = ask(client, "tier", keys=keys[1], filled="yes", tier="A", query="tier=none").content.decode()
    assert "3 would change" in shown
    assert "Their tier becomes A." in shown
    assert "1 is left out" in shown
    assert "Otto de Wit of another team looks after them." in shown
    assert tiers() == ["", "", "", ""]
    answer = ask(client, "tier", do=True, keys=keys[1], tier="A", query="tier=none")
    assert answer["Location"] == "/people/?tier=none"
    assert tiers() == ["A", "A", "A", ""]
    page = client.get("/people/").content.decode()
    assert "3 are changed." in page
    assert f"/lists/changed/{BulkAct.objects.get().pk}/undo/" in page
    answer = client.post(f"/lists/changed/{BulkAct.objects.get().pk}/undo/", {"next": "/people/"}, follow=True)
    assert "3 are as they were before." in answer.content.decode()
    assert tiers() == ["", "", "", ""]


def test_all_that_match_means_the_filters_and_not_the_page(client, four):
    for _number in range(60):
        make.person(tier="B")
    ask(client, "tier", do=True, all="yes", query="tier=B&after=nonsense", tier="C")
    assert Person.objects.filter(tier="C").count() == 60
    assert Person.objects.filter(tier="").count() == 4


def test_more_than_can_be_done_at_once_is_said(client, four, monkeypatch):
    for place in ("crm.bulk.MOST", "crm.bulk.planning.MOST"):
        monkeypatch.setattr(place, 3)
    answer = ask(client, "tier", all="yes", follow=True)
    assert answer.status_code == 302
    assert "more than 3 at once" in client.get("/people/").content.decode()
    ask(client, "tier", do=True, all="yes", tier="A")
    assert tiers() == [""] * 4


def test_what_is_not_ones_own_to_change_stays_even_when_it_is_posted(client, four):
    ask(client, "tag", do=True, keys=",".join(str(row.pk) for row in four), tags="mine")
    assert [row.tags for row in Person.objects.order_by("pk")] == [["mine"], ["mine"], ["mine"], []]
    answer = ask(client, "tag", four[3:], do=True, tags="mine")
    assert answer.status_code == 302
    assert BulkAct.objects.count() == 1


def test_who_may_not_be_contacted_is_named_and_skipped(client, four, account_manager):
    make.wish(scope=Scope.CALL, person=four[0], reason="Asked us to stop")
    fields = {"note": "Ask about the fair", "due_on": TOMORROW, "channel": "call", "owner": account_manager.pk}
    shown = ask(client, "follow_up", four[:2], filled="yes", **fields).content.decode()
    assert "Asked us to stop" in shown
    assert "1 follow-up would be made" in shown
    ask(client, "follow_up", four[:2], do=True, **fields)
    assert "1 follow-up is made." in client.get("/people/").content.decode()
    assert list(FollowUp.objects.filter(note="Ask about the fair").values_list("person", flat=True)) == [four[1].pk]


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("tag", {"tags": ""}, "invalid-feedback"),
        ("tag", {"tags": "x" * 51}, "50 characters"),
        ("tier", {"tier": "Q"}, "invalid-feedback"),
        ("owner", {"owner": "999999"}, "invalid-feedback"),
        ("follow_up", {"note": "", "due_on": "soon"}, "invalid-feedback"),
        ("follow_up", {"note": "Call", "due_on": "2020-01-01", "channel": "call"}, "invalid-feedback"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(client, four, act, fields, words):
    for do in (False, True):
        answer = ask(client, act, four, do=do, filled="yes", **fields)
        if answer.status_code == 200:
            assert words in answer.content.decode()
    assert not BulkAct.objects.exists()


def test_nothing_ticked_and_nonsense_are_answered_calmly(client, four):
    assert ask(client, "tier")["Location"] == "/people/"
    assert "Tick at least one row" in client.get("/people/").content.decode()
    assert ask(client, "tier", keys="x,,-1,9999999999999999999999").status_code == 302
    for do in (False, True):
        assert ask(client, "nonsense", four, do=do)["Location"] == "/people/"
        assert ask(client, "tier", four, screen="organisations", do=do)["Location"] == "/organisations/"
    assert client.post("/lists/people/together/", {"query": "%\x00=&&a[=1"}).status_code == 302
    assert ask(client, "tier", screen="nonsense").status_code == 404
    assert client.get("/lists/people/together/").status_code == 405


def test_organisations_change_together_too(client, account_manager, teammate):
    companies = [make.organisation(), make.organisation()]
    ask(client, "owner", companies, screen="organisations", do=True, owner=teammate.pk)
    assert set(Organisation.objects.values_list("owner", flat=True)) == {teammate.pk}
    page = client.get("/lists/changed/").content.decode()
    assert "Give them an owner" in page
    assert "2 rows" in page


def test_only_who_did_it_or_leads_sees_it_and_takes_it_back(client, login, four, teammate, manager):
    ask(client, "tier", four, do=True, tier="A")
    act = BulkAct.objects.get()
    assert login(teammate).post(f"/lists/changed/{act.pk}/undo/").status_code == 403
    assert "Set the tier" not in login(teammate).get("/lists/changed/").content.decode()
    assert "Set the tier" in login(manager).get("/lists/changed/").content.decode()
    login(manager).post(f"/lists/changed/{act.pk}/undo/")
    assert tiers() == [""] * 4
    answer = client.post(f"/lists/changed/{act.pk}/undo/", follow=True)
    assert "taken back already" in answer.content.decode()
    assert "taken back" in client.get("/lists/changed/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_undos_at_once_take_it_back_once(login, account_manager, four):
    ask(login(account_manager), "tier", four, do=True, tier="A")
    act, gate, said = BulkAct.objects.get(), threading.Barrier(2), list[str]()

    def take_back() -> None:
        gate.wait()
        try:
            said.append(str(bulk.undo(act=act, by=account_manager, at=AT).restored))
        except Refused:
            said.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take_back) for _time in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["3", "refused"]
    assert tiers() == [""] * 4


def test_a_preview_of_many_takes_as_many_queries_as_one_of_few(client, account_manager, django_assert_max_num_queries):
    for _number in range(40):
        make.person(owner=account_manager, phone="0475 12 34 56")
    with django_assert_max_num_queries(30):
        ask(
            client, "follow_up", all="yes", filled="yes", note="Call", due_on=TOMORROW, channel="call",
            owner=account_manager.pk,
        )  # fmt: skip
