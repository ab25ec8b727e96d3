"""The figures of a real funnel, to the last digit: 8,000 leads and 842 orders of Olist, and the known facts beside the files.

The expected numbers are read from `FACTS.md` itself, so that nothing of the files is copied here.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from crm import reports
from crm.models import Deal, Lead, Organisation, Role, User
from crm.reports import Table

MAPS = Path(__file__).resolve().parents[1] / "maps"
OLIST = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "olist"
pytestmark = pytest.mark.skipif(not OLIST.is_dir(), reason="Olist's files are not beside the project")

ZONE = ZoneInfo("America/Sao_Paulo")
FIRST, LAST = date(2017, 6, 1), date(2018, 11, 30)


def command(*args: str) -> list[dict[str, str]]:
    """A table as `manage.py report` prints it."""
    out = io.StringIO()
    period = ("--from", FIRST.isoformat(), "--to", LAST.isoformat(), "--timezone", ZONE.key, "--format", "csv")
    call_command("report", *args, *period, stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


@pytest.fixture(scope="module")
def olist(django_db_setup, django_db_blocker):
    """Both files, taken in as a person would, for every test of this module."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        for name, table in (
            ("leads", "olist_marketing_qualified_leads_dataset"),
            ("deals", "olist_closed_deals_dataset"),
        ):
            arguments = (str(OLIST / f"{table}.csv"), "--map", str(MAPS / f"olist_{name}.toml"))
            call_command("import_file", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _with_rows(olist, db):
    """The rows of the module, and access to them."""


FACTS = (OLIST / "FACTS.md").read_text(encoding="utf-8") if OLIST.is_dir() else ""


def facts(heading: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    block = FACTS.split(heading, 1)[1].split("```")[1]
    return [line.split() for line in block.strip("\n").splitlines()[2:]]


def fact(pattern: str) -> str:
    found = re.search(pattern, FACTS)
    assert found, pattern
    return found[1]


def table(name: str) -> Table:
    return reports.take(name, first=FIRST, last=LAST, zone=ZONE)


def test_every_lead_and_every_order_is_there_once():
    assert Lead.objects.count() == int(fact(r"MQLs (\d+) unique")) == 8000
    assert Deal.objects.won().count() == int(fact(r"closed deals (\d+) unique")) == 842
    assert Organisation.objects.customers().count() == 842
    assert Lead.objects.filter(origin="").count() == int(fact(r"origin empty \(NaN\): (\d+)"))
    assert Lead.objects.filter(origin="unknown").count() == int(fact(r'the literal value "unknown": (\d+)'))
    assert Lead.objects.values("content").distinct().count() == int(fact(r"distinct landing pages (\d+)"))
    sellers = User.objects.filter(is_active=False, email=None)
    assert sellers.count() == 32 + 22 - 13
    assert sellers.filter(role=Role.ACCOUNT_MANAGER).count() == 22


def test_origins_are_those_of_the_facts_with_the_empty_one_apart():
    expected = [
        (name.replace("(empty)", ""), leads, won, percent) for name, leads, won, percent in facts("Per origin:")
    ]
    assert [tuple(row.values()) for row in command("origins")] == expected


def test_landing_pages_are_those_of_the_facts():
    rows = command("content")
    top = [(row["external_id"], row["leads"], row["won"], row["conversion_percent"]) for row in rows]
    assert top[:10] == [tuple(row) for row in facts("Top 10 landing pages by MQLs:")]
    by_won = sorted(top, key=lambda row: (-int(row[2]), int(row[1])))
    assert by_won[:10] == [tuple(row) for row in facts("Top 10 landing pages by won")]
    assert len(rows) == 495
    assert (sum(int(row["leads"]) for row in rows), sum(int(row["won"]) for row in rows)) == (8000, 842)


def test_orders_per_account_manager_are_those_of_the_facts():
    rows = [row for row in command("owners") if row["role"] == "account_manager"]
    found = {
        row["external_id"]: (row["won"], Decimal(row["median_days"]), row["first_won"], row["last_won"]) for row in rows
    }
    expected = {
        name: (won, Decimal(median), f"{first} {first_at}", f"{last} {last_at}")
        for name, won, median, first, first_at, last, last_at in facts("Won per SR (all):")
    }
    assert found == expected
    assert len(expected) == 22


def test_orders_per_sdr_are_those_of_the_facts():
    rows = [row for row in command("owners") if row["role"] == "sdr"]
    found = {row["external_id"]: (row["won"], Decimal(row["median_days"])) for row in rows}
    expected = {name: (won, Decimal(median)) for name, won, median in facts("Won per SDR (all):")}
    assert found == expected
    assert len(expected) == 32


def test_months_are_those_of_the_facts():
    found = [tuple(row.values()) for row in command("months")]
    expected = [
        (month, str(int(float(leads))), str(int(float(of_leads))), percent, str(int(float(won))))
        for month, leads, of_leads, percent, won in facts("Per month (cohort")
    ]
    assert found == expected
    assert len(expected) == 18


def test_days_to_won_are_those_of_the_facts():
    won = next(row for row in table("funnel").records() if row["step"] == "won")
    pattern = (
        r"date minus date\): median ([\d.]+) mean ([\d.]+) min (-?\d+) max (\d+) p25 ([\d.]+) p75 ([\d.]+) p90 ([\d.]+)"
    )
    found = re.search(pattern, FACTS)
    assert found
    names = ("median_days", "mean_days", "least_days", "most_days", "p25_days", "p75_days", "p90_days")
    assert [won[name] for name in names] == [Decimal(number).quantize(Decimal("0.01")) for number in found.groups()]


def test_the_funnel_counts_each_lead_once():
    counts = {row["step"]: row["count"] for row in table("funnel").records()}
    assert counts == {"leads": 8000, "qualified": 842, "handed_off": 842, "deals": 842, "won": 842, "advocates": 0}


def test_the_order_won_before_its_lead_arrived_is_kept():
    def is_early(deal: Any) -> bool:
        return deal.won_at.astimezone(ZONE).date() < deal.lead.received_at.astimezone(ZONE).date()

    early = [deal for deal in Deal.objects.select_related("lead") if is_early(deal)]
    assert len(early) == int(fact(r"negative durations \(won before first contact\): (\d+)")) == 1


def test_taking_the_files_in_again_changes_nothing():
    for name, file, rows in (
        ("leads", "olist_marketing_qualified_leads_dataset", 8000),
        ("deals", "olist_closed_deals_dataset", 842),
    ):
        out = io.StringIO()
        call_command(
            "import_file",
            str(OLIST / f"{file}.csv"),
            "--map",
            str(MAPS / f"olist_{name}.toml"),
            stdout=out,
            stderr=io.StringIO(),
        )
        assert f"{rows} rows read, 0 new, 0 changed, {rows} unchanged, 0 refused" in out.getvalue()
