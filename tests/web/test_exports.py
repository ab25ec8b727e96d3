"""A list as a file: what one may take along, in the columns chosen, and never a number or address of whom we leave in peace."""

from __future__ import annotations

import csv
import io

import pytest
import time_machine

from crm.models import Event, EventKind, Person, Scope
from crm.web import exports
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def client(login, account_manager):
    return login(account_manager)


def take(client, query: str = "", columns=("email", "phone"), screen: str = "people", **more) -> list[list[str]]:
    answer = client.post(f"/lists/{screen}/download/", {"query": query, "column": columns, **more})
    assert answer.status_code == 200, answer
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def person(name: str, owner=None, phone: str = "0475 12 34 56", **fields) -> Person:
    return make.person(name, owner=owner, email=f"{name.split()[0].lower()}@one.example", phone=phone, **fields)


def test_the_file_has_the_rows_in_order_and_the_columns_chosen(client, account_manager):
    person("Zita Aerts", account_manager, tier="A")
    make.conversation(person("Karim Boulhani", account_manager), by=account_manager)
    assert take(client, columns=["tier", "last_contact", "nonsense"]) == [
        ["Name", "Last contact", "Tier", "Left in peace"],
        ["Zita Aerts", "never", "A", ""],
        ["Karim Boulhani", "2026-11-23", "", ""],
    ]
    assert [row[0] for row in take(client, "tier=A&sort=-name")] == ["Name", "Zita Aerts"]


def test_numbers_and_addresses_of_whom_we_leave_in_peace_are_blank_and_the_last_column_says_why(client):
    make.wish(scope=Scope.CALL, person=person("Anke Aerts"), reason="Prefers letters")
    make.wish(scope=Scope.MAIL, address="bert@one.example", reason="Too much mail")
    person("Bert Boon", phone="+32 9 225 25 25")
    make.register("+3292252526")
    person("Carla Claes", phone="+32 9 225 25 26")
    person("Dirk Daems", phone="+32 9 225 25 27")
    lines = {row[0]: row[1:] for row in take(client)}
    assert lines["Anke Aerts"][:2] == ["anke@one.example", ""]
    assert "Prefers letters" in lines["Anke Aerts"][2]
    assert lines["Bert Boon"][:2] == ["", "'+32 9 225 25 25"]
    assert "Too much mail" in lines["Bert Boon"][2]
    assert lines["Carla Claes"][:2] == ["carla@one.example", ""]
    assert "register" in lines["Carla Claes"][2]
    whole = " ".join(cell for line in lines.values() for cell in line)
    for held in ("bert@one.example", "+3292252526", "+32 9 225 25 26", "475 12 34"):
        assert held not in whole, "what is held back is not in the reason either"
    assert lines["Dirk Daems"] == ["dirk@one.example", "'+32 9 225 25 27", ""]


def test_one_barred_number_of_two_is_left_out_alone(client):
    karim = person("Karim Boulhani", phone="+32 9 225 25 25")
    karim.phone_numbers.create(number="+3292252526")
    make.wish(scope=Scope.CALL, number="+3292252525")
    assert take(client, columns=["phone"])[1][1] == "'+32 9 225 25 26"


def test_who_is_not_to_be_contacted_at_all_is_left_out_and_counted(client):
    person("Anke Aerts")
    make.wish(scope=Scope.CONTACT, person=person("Bert Boon"))
    assert [row[0] for row in take(client)] == ["Name", "Anke Aerts"]
    page = client.get("/lists/people/download/").content.decode()
    assert "1 row goes into the file." in page
    assert "1 asked not to be contacted at all and stays out." in page


def test_only_ones_own_and_the_teams_are_taken_along_and_everybodys_by_who_leads(
    client, login, account_manager, teammate, outsider, manager
):
    for name, owner in (("Anke A", account_manager), ("Bert B", teammate), ("Carla C", outsider), ("Dirk D", None)):
        person(name, owner)
    assert sorted(row[0] for row in take(client)[1:]) == ["Anke A", "Bert B", "Dirk D"]
    assert "1 belongs to another team and stays out." in client.get("/lists/people/download/").content.decode()
    assert len(take(login(manager))) == 5


def test_nothing_in_the_file_is_a_formula(client):
    make.person("=HYPERLINK(1) @SUM", organisation=make.organisation("+cmd|calc"), title="")
    Person.objects.update(tags=["-1+1"])
    for row in take(client, columns=["position", "tags"])[1:]:
        assert all(not cell or cell[0] not in "=+-@" for cell in row)


def test_a_download_is_remembered_and_only_a_post_gives_one(client, account_manager):
    person("Anke Aerts", account_manager)
    client.get("/lists/people/download/?tier=none")
    assert not Event.objects.filter(kind=EventKind.LIST_EXPORTED).exists()
    take(client, "tier=none&nonsense=1", columns=["phone"])
    event = Event.objects.get(kind=EventKind.LIST_EXPORTED)
    assert (event.by, event.subject_id) == (account_manager, account_manager.pk)
    assert event.new == {"list": "people", "query": "tier=none", "columns": ["name", "phone"], "rows": 1, "left_out": 0}


def test_the_mark_for_excel_stands_when_it_is_asked_for(client):
    assert take(client, mark="yes")[0][0] == "\ufeffName"
    assert take(client)[0][0] == "Name"


def test_a_list_that_is_too_long_is_refused_in_words(client, monkeypatch):
    person("Anke Aerts")
    person("Bert Boon")
    monkeypatch.setattr(exports, "MOST", 1)
    answer = client.post("/lists/people/download/", {"query": ""}, follow=True)
    assert "more than 1 rows" in answer.content.decode()
    assert not Event.objects.filter(kind=EventKind.LIST_EXPORTED).exists()


def test_it_speaks_the_readers_language(login, account_manager):
    account_manager.language = "nl"
    account_manager.save()
    person("Anke Aerts")
    assert take(login(account_manager), columns=[])[0][0] == "Naam"


def test_organisations_are_taken_along_too(client, account_manager):
    make.organisation("Notelaar", city="Mechelen", owner=account_manager)
    assert take(client, columns=["city", "owner"], screen="organisations") == [
        ["Name", "City", "Owner"],
        ["Notelaar", "Mechelen", account_manager.name],
    ]


def test_each_chunk_takes_as_many_queries(client, account_manager, monkeypatch, django_assert_max_num_queries):
    for number in range(30):
        person(f"Person{number} Number", account_manager, organisation=make.organisation())
    with django_assert_max_num_queries(22):
        whole = take(client, columns=["position", "email", "phone", "ring", "country", "follow_up"])
    monkeypatch.setattr(exports, "CHUNK", 7)
    assert take(client, columns=["position", "email", "phone", "ring", "country", "follow_up"]) == whole
    assert len(whole) == 31
