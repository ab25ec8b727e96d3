"""The list that numbers open, and the form that opens a deal for a customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings

from crm import deals, pipelines
from crm.models import Deal, LostReason, Pipeline, Stage
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

LIST, NEW = "/deals/list/", "/deals/new/"


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def am(account_manager):
    return account_manager


@pytest.fixture
def mine(login, am):
    return login(am)


def seen(client, address: str, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\xa0", " ")


def names(client, query: str) -> set[str]:
    """The deals named Alpha to Delta that this list shows."""
    page = seen(client, LIST + query)
    return {name for name in ("Alpha", "Beta", "Gamma", "Delta") if f">{name}</a>" in page}


@pytest.fixture
def four(am, sdr, outsider) -> dict[str, Deal]:
    """An open deal, one won in October, one lost, and an open one of another team."""
    stages = list(pipelines.ensure_default().stages.all())
    alpha = make.deal(am, name="Alpha", sdr=sdr, buyer_amount=Decimal(1000), seller_amount=Decimal(2000))
    deals.move(deal=alpha, to=stages[1], by=am, at=AT)
    beta = make.deal(am, name="Beta", at=AT - timedelta(days=60), buyer_amount=Decimal(500))
    deals.win(deal=beta, by=am, at=datetime(2026, 10, 31, 23, 30, tzinfo=ZoneInfo(settings.TIME_ZONE)))
    gamma = make.deal(am, name="Gamma")
    deals.lose(deal=gamma, reason=LostReason.PRICE, by=am, at=AT)
    delta = make.deal(outsider, name="Delta", currency="GBP", buyer_amount=Decimal(70))
    return {deal.name: deal for deal in (alpha, beta, gamma, delta)}


# ---- The list ------------------------------------------------------------------------------------------------------


def test_it_asks_for_a_login(client):
    assert client.get(LIST).status_code == 302
    assert client.get(NEW).status_code == 302


def test_every_filter_narrows_the_list(mine, four, am, sdr, outsider):
    stage = pipelines.ensure_default().stages.all()[1]
    other = Pipeline.objects.create(name="Renewals", position=7)
    Stage.objects.create(pipeline=other, name="Asked")
    expected = {
        "": {"Alpha", "Beta", "Gamma", "Delta"},
        "?state=open": {"Alpha", "Delta"},
        "?state=won": {"Beta"},
        "?state=lost": {"Gamma"},
        f"?owner={am.pk}": {"Alpha", "Beta", "Gamma"},
        "?owner=me": {"Alpha", "Beta", "Gamma"},
        "?owner=team": {"Alpha", "Beta", "Gamma"},
        f"?owner={outsider.pk}": {"Delta"},
        "?owner=-": set(),
        f"?sdr={sdr.pk}": {"Alpha"},
        f"?stage={stage.pk}": {"Alpha"},
        f"?pipeline={pipelines.ensure_default().pk}": {"Alpha", "Beta", "Gamma", "Delta"},
        f"?pipeline={other.pk}": set(),
        f"?team={outsider.team_id}": {"Delta"},
        f"?team={outsider.team_id}&state=won": set(),
        "?won_from=2026-10-01": {"Beta"},
        "?won_from=2026-11-01": set(),
        "?sort=won": {"Beta"},
    }
    assert {query: names(mine, query) for query in expected} == expected


def test_the_last_day_is_within_and_ends_at_midnight_of_the_organisation(mine, four):
    assert names(mine, "?won_to=2026-10-31") == {"Beta"}
    assert names(mine, "?won_to=2026-10-30") == set()


@pytest.mark.parametrize(
    "query",
    ["?state=x", "?owner=x", "?stage=x", "?team=-1", "?won_from=x", "?won_to=2026-13-45", "?sort=x", "?after=x"],
)
def test_nonsense_in_the_address_is_left_out(mine, four, query):
    assert names(mine, query) == {"Alpha", "Beta", "Gamma", "Delta"}


def test_orders_are_what_they_say(mine, am):
    late = make.deal(am, name="Late step", next_step_on=AT.date() + timedelta(days=20))
    make.deal(am, name="Early step", next_step_on=AT.date() + timedelta(days=1), at=AT - timedelta(days=3))
    page = seen(mine, LIST)
    assert page.index("Late step") < page.index("Early step")  # newest first
    page = seen(mine, LIST + "?sort=step")
    assert page.index("Early step") < page.index("Late step")
    deals.win(deal=late, by=am, at=AT)
    assert "Late step" in seen(mine, LIST + "?sort=won")


def test_sums_are_of_the_whole_selection_for_each_currency(mine, four, monkeypatch):
    page = seen(mine, LIST)
    assert "€ 1,500" in page
    assert "£ 70" in page


def test_a_list_too_long_to_sum_shows_no_sum(mine, four, monkeypatch):
    monkeypatch.setattr("crm.web.keyset.bounded_count.__defaults__", (3,))
    page = seen(mine, LIST)
    assert "3+" in page
    assert "€ 1,500" not in page
    assert "Narrow the list" in page


def test_pages_follow_each_other_without_repeating(mine, am):
    company = make.organisation(customer_since=AT)
    who = make.person()
    for number in range(55):
        make.deal(am, name=f"Deal {number:02}", organisation=company, person=who, at=AT - timedelta(hours=number))
    first = mine.get(LIST)
    assert "Deal 49" in first.content.decode()
    assert "Deal 50" not in first.content.decode()
    second = seen(mine, f"{LIST}?after={first.context['page'].next}")
    assert "Deal 50" in second
    assert "Deal 49<" not in second


def test_ten_times_the_rows_cost_no_more_queries(mine, am, django_assert_max_num_queries):
    for _ in range(20):
        make.deal(am)
    with django_assert_max_num_queries(9):
        mine.get(LIST)


def test_a_seller_who_left_is_still_named_in_the_filter(mine, am, four):
    left = four["Alpha"].owner
    gone = make.user("Once Here", is_active=False)
    Deal.objects.filter(pk=four["Alpha"].pk).update(owner=gone)
    assert left != gone
    assert "Once Here</option>" in seen(mine, f"{LIST}?owner={gone.pk}")


def test_htmx_gets_the_list_alone_and_nothing_is_written_here(mine, four):
    page = seen(mine, LIST, headers={"HX-Request": "true", "HX-Target": "deals"})
    assert page.lstrip().startswith('<section class="card" id="deals"')
    assert mine.post(LIST).status_code == 405


def test_nothing_found_says_what_to_do(mine):
    assert "No deal fits all that you chose" in seen(mine, LIST)


# ---- A new one -----------------------------------------------------------------------------------------------------


@pytest.fixture
def customer():
    return make.organisation("Notelaar Interiors", customer_since=AT - timedelta(days=90))


def fields(customer, am, **more) -> dict:
    step = {"next_step": "Call about the dates", "next_step_on": "2026-11-30"}
    return {"organisation": customer.pk, "name": "Second line", "owner": am.pk, "currency": "EUR"} | step | more


def test_customers_are_found_by_name_and_others_are_not(mine, customer):
    make.organisation("Notelaar Holding")
    page = seen(mine, NEW + "?q=notelaar")
    assert "Notelaar Interiors" in page
    assert "Notelaar Holding" not in page
    assert "No customer has that name" in seen(mine, NEW + "?q=zzz")


def test_the_search_asks_htmx_for_the_customers_alone(mine, customer):
    page = seen(mine, NEW + "?q=note", headers={"HX-Request": "true", "HX-Target": "customers"})
    assert page.lstrip().startswith('<section class="card" id="customers"')


def test_a_customer_gets_a_deal(mine, am, customer):
    who = make.person("Sofie De Wit", organisation=customer)
    assert "Sofie De Wit" in seen(mine, f"{NEW}?organisation={customer.pk}")
    answer = mine.post(NEW, fields(customer, am, person=who.pk, buyer_amount="1250.50"))
    deal = Deal.objects.get()
    assert answer.url == f"/deals/{deal.pk}/"
    assert (deal.organisation, deal.person, deal.owner, deal.buyer_amount) == (customer, who, am, Decimal("1250.50"))
    assert deal.stage == pipelines.first_stage()


def test_an_sdr_opens_it_for_an_account_manager(login, sdr, am, customer):
    login(sdr).post(NEW, fields(customer, am))
    deal = Deal.objects.get()
    assert (deal.owner, deal.sdr) == (am, sdr)


def test_from_a_person_the_only_customer_is_chosen(mine, customer):
    who = make.person("Sofie De Wit", organisation=customer)
    assert f'<option value="{who.pk}" selected>' in seen(mine, f"{NEW}?person={who.pk}")


def test_somebody_who_never_ordered_starts_as_a_lead(mine, am):
    prospect = make.organisation("Hoeve Zuid")
    assert "is not a customer yet" in seen(mine, f"{NEW}?organisation={prospect.pk}")
    answer = mine.post(NEW, fields(prospect, am))
    assert answer.status_code == 200
    assert "is not a customer yet" in answer.content.decode()
    who = make.person(organisation=prospect)
    assert "works for no customer of ours yet" in seen(mine, f"{NEW}?person={who.pk}")
    assert not Deal.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"next_step_on": ""}, "required"),
        ({"next_step_on": "2026-11-01"}, "lies in the past"),
        ({"buyer_amount": "-1"}, "greater than or equal to 0"),
        ({"currency": "XXX"}, "not one of the available choices"),
        ({"person": "999999"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_stands_beside_what_was_written(mine, am, customer, wrong, words):
    answer = mine.post(NEW, fields(customer, am, **wrong))
    assert answer.status_code == 200
    page = unescape(answer.content.decode())
    assert words in page
    assert 'value="Call about the dates"' in page
    assert not Deal.objects.exists()


def test_another_teams_customer_is_theirs(login, mine, am, outsider, customer):
    customer.owner = am
    customer.save()
    assert login(outsider).get(f"{NEW}?organisation={customer.pk}").status_code == 403
    assert login(outsider).post(NEW, fields(customer, am)).status_code == 403
    assert mine.post(NEW, fields(customer, am)).status_code == 302


def test_the_first_deal_of_all_makes_its_pipeline(mine, am, customer):
    assert not Pipeline.objects.exists()
    mine.post(NEW, fields(customer, am))
    assert Deal.objects.get().stage == pipelines.first_stage()
