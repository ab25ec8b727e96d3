"""The health page: what needs a hand, why, since when, what helps; and how it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from crm import readings
from crm.models import Finding, HealthReading
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TODAY = AT.date()


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def boss(manager, login):
    return login(manager)


def stuck(owner, number: int = 1) -> None:
    for index in range(number):
        make.deal(owner, at=AT - timedelta(days=10), name=f"Stuck {index}", next_step="Call them", next_step_on=TODAY - timedelta(days=7),
                  buyer_amount=Decimal(8200))  # fmt: skip


def seen(client, address: str = "/health/", **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return answer.content.decode().replace("\xa0", " ")


def test_before_the_first_reading_it_says_how_to_get_one(boss):
    page = seen(boss)
    assert "No reading yet" in page
    assert "Read it now" in page


def test_a_healthy_pipeline_is_told_so(boss, account_manager):
    make.deal(account_manager)
    boss.post("/health/read/")
    assert "The pipeline is healthy." in seen(boss)


def test_a_finding_says_what_why_since_when_how_much_and_what_helps(boss, account_manager):
    stuck(account_manager)
    boss.post("/health/read/")
    page = seen(boss)
    deal = Finding.objects.get().deal
    assert deal is not None
    for words in (
        "One thing needs a hand.",
        "Next step passed",
        f'href="/deals/{deal.pk}/"',
        "The next step was for 16 November, 7 days ago: Call them",
        "16 Nov",
        "€ 8,200",
        "Agree a new day",
        "Arjan van der Meer",
    ):
        assert words in page


def test_many_of_a_kind_show_the_oldest_and_open_them_all(boss, account_manager):
    stuck(account_manager, 12)
    boss.post("/health/read/")
    page = seen(boss)
    assert "12 things need a hand." in page
    assert "10 of 12" in page
    assert seen(boss, "/dashboard/numbers/finding_step_passed/").count("Stuck ") == 12


def test_reading_it_now_tells_what_is_new_and_what_is_gone(boss, account_manager):
    stuck(account_manager, 2)
    assert "2 new findings, 0 cleared" in boss.post("/health/read/", follow=True).content.decode()
    part = boss.post("/health/read/", headers={"HX-Request": "true", "HX-Target": "health"})
    assert part.content.decode().strip().startswith('<div id="health"')
    assert "0 new findings" in part.content.decode()
    assert "healthRead" in part["HX-Trigger"]


def test_the_history_has_one_line_for_each_day(boss, account_manager):
    stuck(account_manager)
    for days in (3, 2, 1):
        readings.take(at=AT - timedelta(days=days))
        readings.take(at=AT - timedelta(days=days) + timedelta(hours=2))
    page = seen(boss)
    assert "How it was" in page
    assert page.count('<th scope="row">') == 3
    assert "yesterday 12:30" in page


def test_only_managers_may_read_it_and_looking_reads_nothing(sdr, manager, client, login):
    assert login(sdr).post("/health/read/").status_code == 403
    assert client.post("/health/read/").status_code == 302
    assert login(manager).get("/health/read/").status_code == 405
    seen(login(manager))
    assert not HealthReading.objects.exists()


@pytest.mark.parametrize("number", [1, 9])
def test_it_takes_as_many_queries_for_many_rows_as_for_few(
    boss, account_manager, number, django_assert_max_num_queries
):
    stuck(account_manager, number)
    boss.post("/health/read/")
    boss.get("/health/")
    with django_assert_max_num_queries(14):
        boss.get("/health/")
