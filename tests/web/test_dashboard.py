"""The dashboard: numbers that open the very rows they are made of, tables that are the files, and managers only."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.http import QueryDict

from crm import deals, metrics, reports
from crm.models import Deal, HealthReading
from crm.web.period import asked_period
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TODAY = AT.date()
NOW = "/dashboard/?tables=now"


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def boss(manager, login):
    return login(manager)


@pytest.fixture
def a_quarter(account_manager, sdr) -> Deal:
    """Leads of two origins, an open deal of each side, and an order."""
    make.lead(owner=sdr, origin="organic_search")
    make.hand_off(sdr, account_manager, origin="paid_search")
    make.conversation(make.person(), by=account_manager, at=AT - timedelta(days=2), has_learning=True)
    make.conversation(make.person(), by=account_manager, at=AT - timedelta(days=2))
    won = make.won_deal(account_manager, buyer_amount=Decimal(9600))
    make.deal(
        account_manager,
        name="Planning suite",
        buyer_amount=Decimal(24800),
        buyer_date=TODAY + timedelta(days=10),
        seller_amount=Decimal(30000),
        seller_date=TODAY + timedelta(days=40),
    )
    return won


def seen(client, address: str, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode()).replace("\xa0", " ")


def data(page: str, name: str) -> dict:
    found = re.search(f'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("address", ["/dashboard/", "/dashboard/origins.csv", "/health/"])
def test_it_is_for_managers_and_administrators(sdr, account_manager, manager, admin_user, client, login, address):
    assert client.get(address).status_code == 302
    for user in (sdr, account_manager):
        assert login(user).get(address).status_code == 403
    for user in (manager, admin_user):
        assert login(user).get(address).status_code == 200


def test_an_empty_organisation_has_a_calm_dashboard_that_says_what_to_do(boss):
    page = seen(boss, NOW)
    for words in (
        "Where we stand",
        "nothing yet",
        "It has not looked yet.",
        "Read it now",
        "No lead came in during this period.",
    ):
        assert words in page


def test_the_cards_tell_the_quarter(boss, a_quarter):
    page = seen(boss, "/dashboard/")
    for words in ("€ 25k", "sellers say € 0", "50%", "1 hand-off waits", "every first answer is on time"):
        assert words in page


def test_each_number_opens_a_list_with_as_many_rows(boss, a_quarter):
    page = seen(boss, NOW)
    addresses = set(re.findall(r'href="(/dashboard/(?:numbers|forecast)/[^"]+)"', page))
    assert len(addresses) >= 11
    for address in addresses:
        seen(boss, address)
    scope = metrics.Scope(AT)
    for key, metric in metrics.METRICS.items():
        count = len(metric.rows(scope))
        page = seen(boss, f"/dashboard/numbers/{key}/")
        assert f"{count} row" in page, key
        assert page.count("<tr>") == (count + 1 if count else 0), key


def test_a_number_of_nothing_is_not_found(boss):
    for address in (
        "/dashboard/numbers/secrets/",
        "/dashboard/forecast/them/2026/11/",
        "/dashboard/forecast/won/2026/13/",
        "/dashboard/secrets.csv",
    ):
        assert boss.get(address).status_code == 404


def test_everybody_may_see_the_rows_that_are_their_own(account_manager, login, a_quarter):
    Deal.objects.filter(name="Planning suite").update(next_step_on=TODAY - timedelta(days=1))
    page = seen(login(account_manager), "/dashboard/numbers/stepless_deals/?owner=me")
    assert "Planning suite" in page
    assert "mine" in page


def test_the_forecast_is_a_chart_and_the_same_table(boss, a_quarter):
    page = seen(boss, "/dashboard/")
    chart = data(page, "forecast-data")
    assert chart["months"][3] == "Nov"
    assert chart["won"][3] == 9600.0
    assert chart["won"][4] is None
    assert chart["buyers"][4] == 24800.0
    assert chart["sellers"][5] == 30000.0
    december = seen(boss, "/dashboard/forecast/buyers/2026/12/")
    assert "Planning suite" in december
    assert "1 row" in december


def test_the_funnel_is_a_chart_and_the_same_table(boss, a_quarter):
    page = seen(boss, NOW)
    steps = {step["name"]: step["value"] for step in data(page, "funnel-data")["steps"]}
    assert (steps["Leads"], steps["Qualified"], steps["Handed off"], steps["Won"]) == (2, 1, 1, 0)


@pytest.mark.parametrize("name", list(reports.TABLES))
def test_each_table_is_on_the_page_and_in_the_file_that_the_command_prints(boss, a_quarter, name):
    page = seen(boss, f"/dashboard/?tables=now&report={name}&period=year")
    table = reports.take(name, first=date(2026, 1, 1), last=date(2026, 12, 31))
    assert str(table.title) in page
    answer = boss.get(f"/dashboard/{name}.csv?period=year")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="kring-{name}-20260101-20261231.csv"'
    assert answer.content.decode() == reports.as_csv(table)


def test_a_number_of_a_table_opens_a_list_that_answers(boss, a_quarter):
    for name in reports.TABLES:
        page = seen(boss, f"/dashboard/?tables=now&report={name}")
        section = page[page.index('id="report"') :]
        for address in set(re.findall(r'<td class="number"[^>]*><a href="([^"]+)"', section)):
            seen(boss, address)


def test_a_long_table_shows_its_beginning_and_the_rest_on_demand(boss, sdr):
    for number in range(15):
        make.lead(owner=sdr, origin=f"origin-{number:02}")
    page = seen(boss, NOW)
    assert "3 more rows" in page
    assert page.count("origin-") - page.count("origin=origin-") == 12
    assert "origin-14" in seen(boss, f"{NOW}&rows=all")


def test_a_cell_is_text_and_never_markup_nor_a_formula(boss, sdr):
    make.lead(owner=sdr, origin="<script>alert(1)</script>")
    make.lead(owner=sdr, origin="=1+1")
    assert "<script>alert" not in boss.get(NOW).content.decode()
    assert "'=1+1" in boss.get("/dashboard/origins.csv").content.decode()


def test_a_team_has_its_own_numbers(boss, a_quarter, team, other_team):
    assert "€ 25k" in seen(boss, f"/dashboard/?team={team.pk}")
    page = seen(boss, f"/dashboard/?team={other_team.pk}")
    assert "€ 25k" not in page
    assert f"/dashboard/numbers/quarter_buyers/?team={other_team.pk}" in page
    assert "0 rows" in seen(boss, f"/dashboard/numbers/quarter_buyers/?team={other_team.pk}")


def test_the_page_comes_at_once_and_the_tables_after_it(boss, a_quarter):
    page = seen(boss, "/dashboard/")
    assert page.count('hx-trigger="load"') == 2
    assert "?tables=now" in page  # The way without JavaScript.
    htmx = {"HX-Request": "true"}
    funnel = seen(boss, "/dashboard/", headers=htmx | {"HX-Target": "funnel"})
    assert funnel.strip().startswith('<section class="card mb-3" id="funnel"')
    assert 'hx-trigger="load"' not in funnel
    table = seen(boss, "/dashboard/?report=months", headers=htmx | {"HX-Target": "report"})
    assert table.strip().startswith('<section class="card" id="report"')
    assert "November 2026" in table


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", date(2025, 12, 1), TODAY),
        ("period=12m", date(2025, 12, 1), TODAY),
        ("period=nonsense", date(2025, 12, 1), TODAY),
        ("period=quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("period=year", date(2026, 1, 1), date(2026, 12, 31)),
        ("period=all", TODAY, TODAY),
        ("period=custom&from=2024-03-01&to=2024-03-31", date(2024, 3, 1), date(2024, 3, 31)),
        ("period=custom&from=2024-03-31&to=2024-03-01", date(2024, 3, 1), date(2024, 3, 31)),
        ("period=custom&from=soon&to=2024-02-31", date(2025, 12, 1), TODAY),
        ("period=custom&from=0001-01-01&to=9999-12-31", date(2025, 12, 1), TODAY),
    ],
)
def test_a_period_is_what_it_says_and_nonsense_is_the_last_twelve_months(query, first, last):
    period = asked_period(QueryDict(query), TODAY)
    assert (period.first, period.last) == (first, last)


def test_all_time_begins_with_the_first_lead_or_an_order_that_is_older(boss, sdr, account_manager):
    make.lead(owner=sdr, at=AT - timedelta(days=500))
    old = make.deal(account_manager, at=AT - timedelta(days=900))
    deals.win(deal=old, by=account_manager, at=AT - timedelta(days=899))
    assert asked_period(QueryDict("period=all"), TODAY).first == TODAY - timedelta(days=899)


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard/?team=x",
        "/dashboard/?team=-1",
        "/dashboard/?team=" + "9" * 40,
        "/dashboard/?rows=x&report=x&tables=x",
    ],
)
def test_nonsense_in_the_address_breaks_nothing(boss, address):
    assert boss.get(address).status_code == 200


def test_a_reading_can_be_taken_from_here(boss, a_quarter):
    answer = boss.post("/health/read/", {"next": "dashboard"})
    assert answer["Location"] == "/dashboard/"
    assert HealthReading.objects.exists()
    assert "Health read today 10:30" in seen(boss, "/dashboard/")


def test_needs_a_hand_shows_the_largest_deals_once(boss, account_manager):
    for number in range(7):
        make.deal(account_manager, at=AT - timedelta(days=60), name=f"Stuck {number}", next_step_on=TODAY - timedelta(days=40),
                  buyer_date=TODAY - timedelta(days=5), buyer_amount=Decimal(1000 * number))  # fmt: skip
    boss.post("/health/read/")
    page = seen(boss, "/dashboard/")
    shown = re.findall(r"Stuck (\d)</a>", page)
    assert shown == ["6", "5", "4", "3", "2"]


def test_the_page_takes_as_many_queries_for_many_rows_as_for_few(
    boss, account_manager, a_quarter, django_assert_max_num_queries
):
    for _number in range(8):
        make.deal(
            account_manager,
            at=AT - timedelta(days=60),
            next_step_on=TODAY - timedelta(days=40),
            buyer_amount=Decimal(1000),
        )
    boss.post("/health/read/")
    boss.get("/dashboard/")
    with django_assert_max_num_queries(26):
        boss.get("/dashboard/")
    with django_assert_max_num_queries(9):
        boss.get("/dashboard/", headers={"HX-Request": "true", "HX-Target": "report"})
