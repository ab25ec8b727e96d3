"""The five tables: what counts where, in whose days, and that no join multiplies a number."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from crm import advocacy, deals, handoffs, leads, reports, verdicts
from crm.models import HandOff, Lead, Referral, Role
from crm.reports import Column, Link, Period, Row, Table
from tests import make

BRUSSELS = ZoneInfo("Europe/Brussels")
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def records(name: str, first: date = FIRST, last: date = LAST, **more) -> list[dict]:
    return reports.take(name, first=first, last=last, **more).records()


@pytest.fixture
def sdr(db):
    return make.user("Sofie", Role.SDR, team=make.team("Gent"))


@pytest.fixture
def seller(sdr):
    return make.user("Arjan", Role.ACCOUNT_MANAGER, team=sdr.team)


def lead(origin: str = "website", *, at: datetime = AT, **fields) -> Lead:
    return make.lead(origin=origin, at=at, **fields)


def won(lead: Lead, sdr, seller, *, at: datetime) -> Any:
    """The lead goes all the way, and is won at that moment."""
    lead = leads.take(lead=lead, by=sdr, at=lead.received_at)
    verdicts.qualify(lead=make.answered(lead, by=sdr, at=lead.received_at), by=sdr, at=lead.received_at)
    hand_off = handoffs.submit(lead=lead, to=seller, note="A good one", by=sdr, at=lead.received_at)
    day = lead.received_at.date() + timedelta(days=7)
    deal = handoffs.accept(hand_off=hand_off, next_step="Call them", next_step_on=day, by=seller, at=lead.received_at)
    return deals.win(deal=deal, by=seller, at=at)


def test_origins_count_leads_and_those_won_with_the_empty_one_apart(sdr, seller):
    won(lead("social"), sdr, seller, at=AT + timedelta(days=9))
    lead("social")
    lead("unknown")
    lead("")
    assert records("origins") == [
        {"origin": "social", "leads": 2, "won": 1, "conversion_percent": Decimal("50.00")},
        {"origin": "", "leads": 1, "won": 0, "conversion_percent": Decimal("0.00")},
        {"origin": "unknown", "leads": 1, "won": 0, "conversion_percent": Decimal("0.00")},
    ]


def test_content_counts_leads_without_any_in_a_row_of_their_own(sdr, seller):
    guide = make.content("Planning guide", external_id="guide")
    won(lead(content=guide), sdr, seller, at=AT)
    lead()
    assert [(row["content"], row["external_id"], row["leads"], row["won"]) for row in records("content")] == [
        ("Planning guide", "guide", 1, 1),
        ("", "", 1, 0),
    ]


def test_owners_count_an_order_for_its_account_manager_and_for_its_sdr(sdr, seller):
    for days in (3, 9, 30):
        won(lead(), sdr, seller, at=AT + timedelta(days=days))
    rows = {row["role"]: row for row in records("owners", zone=BRUSSELS)}
    assert (rows["account_manager"]["owner"], rows["sdr"]["owner"]) == ("Arjan", "Sofie")
    for row in rows.values():
        assert (row["won"], row["median_days"]) == (3, Decimal("9.00"))
        assert (row["first_won"], row["last_won"]) == (AT + timedelta(days=3), AT + timedelta(days=30))
        assert row["first_won"].tzinfo == BRUSSELS


def test_months_show_those_without_anything_too(sdr, seller):
    won(lead(), sdr, seller, at=AT + timedelta(days=60))
    assert [tuple(row.values()) for row in records("months", date(2026, 2, 10), date(2026, 5, 3))] == [
        ("2026-02", 0, 0, Decimal("0.00"), 0),
        ("2026-03", 1, 1, Decimal("100.00"), 0),
        ("2026-04", 0, 0, Decimal("0.00"), 0),
        ("2026-05", 0, 0, Decimal("0.00"), 1),
    ]


def test_the_funnel_counts_each_step_that_was_reached(sdr, seller):
    deal = won(lead(), sdr, seller, at=AT + timedelta(days=10))
    advocacy.name_advocate(person=deal.person, evidence="says so", by=seller, at=AT + timedelta(days=20))
    lead()
    lead()
    rows = {row["step"]: row for row in records("funnel")}
    assert {step: row["count"] for step, row in rows.items()} == {
        "leads": 3,
        "qualified": 1,
        "handed_off": 1,
        "deals": 1,
        "won": 1,
        "advocates": 1,
    }
    assert rows["won"]["percent_of_leads"] == Decimal("33.33")
    assert (rows["won"]["median_days"], rows["won"]["least_days"], rows["advocates"]["mean_days"]) == (
        Decimal("10.00"),
        10,
        Decimal("20.00"),
    )


def test_no_join_multiplies_a_number(sdr, seller):
    """Several hand-offs, referrals, stage changes and conversations hang on a lead; each number counts it once."""
    deal = won(lead("social"), sdr, seller, at=AT + timedelta(days=10))
    for number in range(3):
        referral = {
            "referrer": deal.person,
            "deal": deal,
            "asked_at": AT + timedelta(days=11),
            "whom": f"number {number}",
        }
        Referral.objects.create(**referral)
        make.conversation(deal.person, lead=deal.lead, deal=deal, by=seller)
        HandOff.objects.create(
            lead=deal.lead,
            from_user=sdr,
            to_user=seller,
            state="rejected",
            reject_reason="busy",
            submitted_at=AT + timedelta(days=1),
            answer_due_at=AT + timedelta(days=2),
            answered_at=AT + timedelta(days=2),
        )
    assert records("origins")[0]["leads"] == records("origins")[0]["won"] == 1
    assert records("content")[0]["leads"] == 1
    assert {row["count"] for row in records("funnel") if row["step"] != "advocates"} == {1}
    assert [row["won"] for row in records("owners")] == [1, 1]
    assert sum(row["won_in_month"] for row in records("months")) == 1


def test_the_days_of_a_period_are_those_of_its_zone(db):
    late_in_brussels = datetime(2026, 1, 31, 23, 30, tzinfo=BRUSSELS)
    lead(at=late_in_brussels)
    january = (date(2026, 1, 1), date(2026, 1, 31))
    assert len(records("origins", *january, zone=BRUSSELS)) == 1
    assert len(records("origins", *january, zone=ZoneInfo("Asia/Tokyo"))) == 0
    assert len(records("origins", date(2026, 2, 1), date(2026, 2, 1), zone=ZoneInfo("Asia/Tokyo"))) == 1


def test_days_to_won_are_calendar_days_of_the_zone(sdr, seller):
    received = datetime(2026, 3, 2, 23, 50, tzinfo=BRUSSELS)
    won(lead(at=received), sdr, seller, at=received + timedelta(minutes=20))
    assert records("owners", zone=BRUSSELS)[0]["median_days"] == Decimal("1.00")
    assert records("owners", zone=ZoneInfo("UTC"))[0]["median_days"] == Decimal("0.00")


def test_a_team_sees_its_own_leads_and_orders(sdr, seller):
    others = make.user("Otto", Role.SDR, team=make.team("Utrecht"))
    won(lead("social", owner=sdr), sdr, seller, at=AT)
    lead("email", owner=others)
    assert [row["origin"] for row in records("origins", team=sdr.team)] == ["social"]
    assert [row["origin"] for row in records("origins", team=others.team)] == ["email"]
    assert len(records("owners", team=sdr.team)) == 2
    assert records("owners", team=others.team) == []
    assert sum(row["won_in_month"] for row in records("months", team=others.team)) == 0


@pytest.mark.parametrize("name", reports.TABLES)
def test_a_report_of_nothing_is_a_table_too(name, db):
    table = reports.take(name, first=FIRST, last=LAST)
    assert table.name == name
    assert reports.as_csv(table).splitlines()[0] == ",".join(column.name for column in table.columns)
    assert reports.as_text(table)


@pytest.mark.parametrize("name", reports.TABLES)
def test_a_report_is_one_statement(name, db, django_assert_num_queries):
    for _ in range(3):
        lead()
    with django_assert_num_queries(1):
        reports.take(name, first=FIRST, last=LAST)


def test_a_period_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        Period(LAST, FIRST, BRUSSELS)


def test_every_number_of_leads_opens_exactly_the_leads_behind_it(sdr, seller, login):
    guide = make.content("Guide")
    won(lead("social", content=guide, owner=sdr), sdr, seller, at=AT + timedelta(days=40))
    won(lead("", owner=sdr), sdr, seller, at=AT + timedelta(days=2))
    lead("social", owner=sdr)
    lead("email", at=AT + timedelta(days=400))
    client = login(make.user(role=Role.MANAGER))
    seen = 0
    for name in reports.TABLES:
        table = reports.take(name, first=FIRST, last=LAST)
        for row in table.rows:
            for cell in zip(table.columns, row.values, strict=True):
                link = table.link(row, cell[0].name)
                if link is None:
                    continue
                address = reverse({"leads": "crm:inbox", "deals": "crm:deals"}[link.screen])
                assert int(client.get(address, link.query).context["count"]) == cell[1], (name, row, link)
                seen += 1
    assert seen > 30


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("+32 9 225 25 25", "'+32 9 225 25 25"),
        ("fair;=HYPERLINK(A1)", "fair;'=HYPERLINK(A1)"),
        ("fair; @SUM(A1)", "fair; '@SUM(A1)"),
        ("one\n=two", "one\n'=two"),
        ("planner; trade-fair = fine", "planner; trade-fair = fine"),
        ("\n" * 200_000 + "x", "'" + "\n" * 200_000 + "x"),
    ],
)
def test_a_cell_runs_nothing_wherever_a_spreadsheet_parts_the_line(said, kept):
    assert reports.harmless(said) == kept


def test_a_csv_file_runs_nothing_in_a_spreadsheet():
    columns = (Column("origin", "Origin", is_number=False), Column("won", "Won"))
    table = Table(
        "origins", "Origins", columns, (Row(("=HYPERLINK()", 5)), Row(("-cmd", None)), Row(('a,"b"', Decimal("-1.50"))))
    )
    assert reports.as_csv(table) == 'origin,won\r\n\'=HYPERLINK(),5\r\n\'-cmd,\r\n"a,""b""",-1.50\r\n'


def test_cells_know_their_column_and_their_link():
    link = Link("leads", {"origin": "x"})
    table = Table("t", "T", (Column("a", "A"), Column("b", "B")), (Row((1, 2), {"b": link}),))
    assert [(cell.column.name, cell.value, cell.link) for cell in next(table.cells())] == [
        ("a", 1, None),
        ("b", 2, link),
    ]


def test_the_command_prints_a_table_for_people_and_for_programs(db):
    lead("social")
    arguments = ("origins", "--from", "2026-01-01", "--to", "2026-12-31")
    out = io.StringIO()
    call_command("report", *arguments, stdout=out)
    assert out.getvalue().splitlines()[1].split() == ["social", "1", "0", "0.00"]
    out = io.StringIO()
    call_command("report", *arguments, "--format", "csv", stdout=out)
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [
        ["origin", "leads", "won", "conversion_percent"],
        ["social", "1", "0", "0.00"],
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("origins", "--from", "2026-13-01", "--to", "2026-12-31"), "not a day"),
        (("origins", "--from", "2026-01-01", "--to", "2026-12-31", "--timezone", "Mars"), "not a time zone"),
        (("cheese", "--from", "2026-01-01", "--to", "2026-12-31"), "invalid choice"),
        (("origins", "--from", "2026-12-31", "--to", "2026-01-01"), "before --from"),
        (("origins", "--from", "2026-12-31"), "required"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, said, db):
    with pytest.raises(CommandError, match=said):
        call_command("report", *arguments)
