"""What both lists share: columns that are chosen, heads that sort, chips, views that are kept, and addresses that make no sense."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.models import Organisation, Person, SavedView
from crm.web.lists import LISTINGS
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def client(login, sdr):
    return login(sdr)


def page_of(client, query: str = "", screen: str = "people") -> str:
    answer = client.get(f"/{screen}/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def heads(page: str) -> list[str]:
    inside = re.search(r"<thead>(.*?)</thead>", page, re.DOTALL)
    assert inside
    return [
        re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r"<th scope=\"col\".*?</th>", inside[1], re.DOTALL)
    ]


def test_columns_are_chosen_in_the_address_and_the_name_always_stands(client):
    make.person()
    assert heads(page_of(client)) == ["Name", "Position", "Last contact", "Tier", "Owner", "Reach"]
    assert heads(page_of(client, "show=tags&show=country&show=nonsense")) == ["Name", "Tags", "Country", "Reach"]
    assert heads(page_of(client, "show=nonsense"))[:2] == ["Name", "Position"]


def test_the_choice_of_columns_keeps_the_filters_and_the_other_way_round(client):
    make.person(tier="A")
    page = page_of(client, "tier=A&show=tags&sort=-name")
    columns = re.search(r'<form class="menu-sheet.*?</form>', page, re.DOTALL)
    filters = re.search(r'<form class="list-filters.*?</form>', page, re.DOTALL)
    assert columns
    assert filters
    assert '<input type="hidden" name="tier" value="A">' in columns[0]
    assert '<input type="hidden" name="sort" value="-name">' in columns[0]
    assert '<input type="hidden" name="show" value="tags">' in filters[0]


def test_a_head_says_how_it_sorts_and_turns_the_order_round(client):
    make.person()
    page = page_of(client)
    assert re.search(
        r'<th scope="col" aria-sort="ascending"><a class="list-sort" href="/people/\?sort=-last_contact">', page
    )
    assert re.search(
        r'aria-sort="descending"><a class="list-sort" href="/people/">', page_of(client, "sort=-last_contact")
    )


def test_each_filter_is_a_chip_that_can_be_taken_away(client):
    page = page_of(client, "tier=A&contact=90&owner=me&no_call=yes&later=yes&tag=%3Cb%3E")
    chips = re.findall(r'<a class="chip" href="([^"]+)">([^<]+)', page)
    assert [words.strip() for _href, words in chips] == [
        "No contact for 90 days",
        "Owner: me",
        "Tier: A · closest",
        "Tag: &lt;b&gt;",
        "Do not call: yes",
        "Asked to wait",
    ]
    assert "contact=90" not in chips[0][0]
    assert "tier=A" in chips[0][0]
    assert '<a class="chip-clear" href="/people/">' in page


@pytest.mark.parametrize("screen", LISTINGS)
def test_every_column_can_be_shown_and_sorted_both_ways(client, screen):
    make.person(organisation=make.organisation())
    listing = LISTINGS[screen]
    for column in listing.columns:
        for sort in (column.key, f"-{column.key}"):
            assert "person-link" in page_of(client, urlencode({"sort": sort, "show": column.key}), screen)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_address_breaks_a_list(client, data):
    screen = data.draw(st.sampled_from(sorted(LISTINGS)))
    names = [entry.name for entry in LISTINGS[screen].filters] + ["sort", "show", "after", "before", "unknown"]
    values = st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            ["never", "-1", "0", "9" * 30, "me", "none", "yes", "٣", "2026-02-31", "9999-12-31", "\x00", "-name"]
        ),
    )
    asked = data.draw(st.lists(st.tuples(st.sampled_from(names), values), max_size=6))
    for path in (f"/{screen}/", f"/lists/{screen}/download/"):
        answer = client.get(f"{path}?{urlencode(asked, errors='replace')}")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("model", "screen", "index"),
    [(Person, "people", "person_by_last_contact"), (Organisation, "organisations", "organisation_by_name")],
)
def test_the_default_order_reads_its_index(model, screen, index, sdr):
    listing = LISTINGS[screen]
    keys = listing.by_key[listing.sort].sorted(descending=False)
    rows = model.objects.order_by(*(key.resolved(model).ordering(reverse=False) for key in keys))[:50]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    assert index in rows.explain()


# ---- Views ---------------------------------------------------------------------------------------------------------


def keep(client, name="Closest", query="tier=A", screen="people", **more):
    return client.post(f"/lists/{screen}/views/save/", {"name": name, "query": query, **more})


def test_a_view_is_kept_shown_and_marked_when_it_is_open(client, sdr):
    answer = keep(client, query="show=tags&tier=A&nonsense=1&after=abc&owner=me")
    view = SavedView.objects.get()
    assert (view.owner, view.query, view.is_shared) == (sdr, "owner=me&tier=A&show=tags", False)
    assert answer["Location"] == f"/people/?{view.query}"
    make.person(tier="A", owner=sdr)
    assert 'aria-current="true">Closest' in page_of(client, "tier=A&owner=me&show=tags")
    assert 'aria-current="true">Closest' not in page_of(client)


def test_a_name_in_use_asks_before_it_replaces(client):
    keep(client)
    answer = keep(client, query="tier=B")
    assert answer.status_code == 200
    assert "Choose another name, or replace it" in answer.content.decode()
    assert 'value="Closest"' in answer.content.decode()
    assert SavedView.objects.get().query == "tier=A"
    keep(client, query="tier=B", replace="on")
    assert SavedView.objects.get().query == "tier=B"


def test_a_shared_view_means_whoever_looks(client, login, teammate, sdr):
    make.person("Mine Own", owner=sdr)
    make.person("Tines Own", owner=teammate)
    keep(client, name="My people", query="owner=me", is_shared="on")
    other = login(teammate)
    page = page_of(other)
    assert "My people" in page
    assert "Sofie" in page
    assert "Tines Own" in page_of(other, "owner=me")
    assert "Mine Own" not in page_of(other, "owner=me")


def test_a_private_view_is_nobody_elses(client, login, teammate, manager):
    keep(client)
    view = SavedView.objects.get()
    for user in (teammate, manager):
        other = login(user)
        assert "Closest" not in page_of(other)
        assert "Closest" not in other.get("/lists/people/views/").content.decode()
        for act in ("", "remove/"):
            assert other.post(f"/lists/views/{view.pk}/{act}", {"name": "Mine now"}).status_code == 404
    assert SavedView.objects.get().name == "Closest"


def test_a_shared_view_is_changed_by_its_owner_and_removed_by_them_or_who_leads(client, login, teammate, manager):
    keep(client, is_shared="on")
    view = SavedView.objects.get()
    assert login(teammate).post(f"/lists/views/{view.pk}/", {"name": "Mine now"}).status_code == 403
    assert login(teammate).post(f"/lists/views/{view.pk}/remove/").status_code == 403
    assert login(manager).post(f"/lists/views/{view.pk}/", {"name": "Mine now"}).status_code == 403
    client.post(f"/lists/views/{view.pk}/", {"name": "Nearest"})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Nearest", False)
    client.post(f"/lists/views/{view.pk}/", {"name": "Nearest", "is_shared": "on"})
    login(manager).post(f"/lists/views/{view.pk}/remove/")
    assert not SavedView.objects.exists()


def test_a_refused_new_name_is_said(client):
    keep(client)
    keep(client, name="Other")
    view = SavedView.objects.get(name="Other")
    answer = client.post(f"/lists/views/{view.pk}/", {"name": "Closest"}, follow=True)
    assert "Choose another name" in answer.content.decode()
    assert client.get("/lists/nonsense/views/").status_code == 404


def test_the_page_of_views_takes_few_queries(client, django_assert_max_num_queries):
    for number in range(12):
        keep(client, name=f"View {number}")
    client.get("/lists/people/views/")  # Which shows what was said about them, once.
    with django_assert_max_num_queries(4):
        client.get("/lists/people/views/")
    make.person()
    with django_assert_max_num_queries(10):
        client.get("/people/")
