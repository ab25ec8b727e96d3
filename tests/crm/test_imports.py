"""Imports as promises: each row once and for ever, bad rows told and left out, nothing half done."""

from __future__ import annotations

import io
import threading
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from crm import imports, tasks
from crm.imports import leads, progress, reading, runs, staging
from crm.models import (
    Content,
    Deal,
    DealState,
    Event,
    EventKind,
    HandOff,
    HandOffState,
    ImportKind,
    ImportRun,
    ImportState,
    Lead,
    LeadStatus,
    Organisation,
    Person,
    Pipeline,
    Referral,
    RefusedValue,
    Role,
    Stage,
    Touch,
    User,
    Verdict,
)
from crm.refusal import Refused
from tests import make

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the files to try Kring on are not beside the project")

LEADS = """
kind = "leads"
external_id = "id"
[columns]
received_at = "received"
person_name = "name"
email = "mail"
phone = "phone"
organisation = "company"
content = "page"
origin = "origin"
owner = "owner"
status = "status"
message = "message"
"""
LEAD_COLUMNS = ("id", "received", "name", "mail", "phone", "company", "page", "origin", "owner", "status", "message")
DEALS = """
kind = "deals"
external_id = "id"
[columns]
lead = "lead"
name = "name"
organisation = "company"
sdr = "sdr"
owner = "owner"
stage = "stage"
amount = "amount"
currency = "currency"
created_at = "created"
won_at = "won"
lost_at = "lost"
closed_at = "closed"
lost_reason = "why"
buyer_date = "buyer"
seller_date = "seller"
product = "product"
"""
DEAL_COLUMNS = (
    *(
        "id",
        "lead",
        "name",
        "company",
        "sdr",
        "owner",
        "stage",
        "amount",
        "currency",
        "created",
        "won",
        "lost",
        "closed",
    ),
    *("why", "buyer", "seller", "product"),
)
ORGANISATIONS = """
kind = "organisations"
external_id = "id"
[columns]
name = "name"
domain = "site"
kvk_number = "kvk"
vat_number = "vat"
city = "city"
country = "country"
owner = "owner"
"""
PEOPLE = """
kind = "people"
external_id = "id"
[columns]
name = "name"
email = "mail"
email_2 = "mail2"
phone = "phone"
organisation = "company"
title = "title"
language = "language"
interests = "likes"
tier = "tier"
"""


def csv_of(columns, *rows: dict[str, Any]) -> str:
    lines = [";".join(columns), *(";".join(str(row.get(column, "")) for column in columns) for row in rows)]
    return "\n".join(lines) + "\n"


def take(text: str | bytes, map_text: str, *, by: User | None = None, at: datetime = AT) -> ImportRun:
    content = text.encode() if isinstance(text, str) else text
    run = imports.upload(file=io.BytesIO(content), file_name="file.csv", map_text=map_text, by=by, at=at)
    return imports.run(run_id=run.pk, at=at)


def take_leads(*rows: dict[str, Any], **more) -> ImportRun:
    return take(csv_of(LEAD_COLUMNS, *rows), LEADS, **more)


def take_deals(*rows: dict[str, Any], **more) -> ImportRun:
    return take(csv_of(DEAL_COLUMNS, *rows), DEALS, **more)


def the(model: Any, **which: Any) -> Any:
    """The only row of a model, or the only one of which this is true."""
    return model.objects.get(**which)


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    assert run.state == ImportState.DONE, run.failure
    return run.rows_made, run.rows_changed, run.rows_same, run.rows_refused


def refusals(run: ImportRun) -> list[tuple[int, str, str]]:
    return [(refused.line, refused.column, refused.value) for refused in run.refused.all()]


ANNA = {
    "id": "L1",
    "received": "2026-01-05T10:00",
    "name": "Anna van der Meulen",
    "mail": "Anna@Verhage.be",
    "phone": "0475 12 34 56",
    "company": "Verhage NV",
    "page": "planning-guide",
    "origin": "social",
    "owner": "sdr-7",
    "message": "Which dates do you have?",
}


# ── Leads ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_comes_with_its_person_organisation_content_and_owner(db):
    assert counts(take_leads(ANNA)) == (1, 0, 0, 0)
    lead = the(Lead)
    assert (lead.channel, lead.external_id, lead.origin, lead.status) == ("file", "L1", "social", LeadStatus.NEW)
    assert lead.received_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert lead.message == "Which dates do you have?"
    person = lead.person
    assert (person.given_name, person.particle, person.family_name) == ("Anna", "van der", "Meulen")
    assert [mail.address for mail in person.email_addresses.all()] == ["anna@verhage.be"]
    assert [phone.number for phone in person.phone_numbers.all()] == ["+32475123456"]
    assert lead.organisation.name == "Verhage NV"
    assert lead.organisation.domain == "verhage.be"
    assert person.positions.get().organisation == lead.organisation
    assert lead.content.external_id == "planning-guide"
    assert the(Touch).at == lead.received_at
    assert (lead.owner.name, lead.owner.role, lead.owner.is_active, lead.owner.email) == (
        "sdr-7",
        Role.SDR,
        False,
        None,
    )
    assert not lead.owner.has_usable_password()


def test_an_imported_lead_has_no_response_clock(db):
    take_leads(ANNA)
    assert the(Lead).answer_due_at is None
    assert not Lead.objects.unanswered().exists()


def test_every_new_record_writes_its_event_in_the_name_of_who_imports(db):
    by = make.user(role=Role.MANAGER)
    take_leads(ANNA, by=by)
    assert set(Event.objects.values_list("kind", "by")) == {
        (kind, by.pk)
        for kind in (EventKind.LEAD_RECEIVED, EventKind.PERSON_MADE, EventKind.ORGANISATION_MADE, EventKind.IMPORT_RUN)
    }
    assert the(Event, kind=EventKind.LEAD_RECEIVED).at == the(Lead).received_at
    assert the(Event, kind=EventKind.IMPORT_RUN).new["made"] == 1


def test_the_same_file_again_changes_nothing(db):
    take_leads(ANNA, {**ANNA, "id": "L2"})
    before = (
        Person.objects.count(),
        Organisation.objects.count(),
        User.objects.count(),
        Content.objects.count(),
        Event.objects.count(),
    )
    assert counts(take_leads(ANNA, {**ANNA, "id": "L2"})) == (0, 0, 2, 0)
    after = (
        Person.objects.count(),
        Organisation.objects.count(),
        User.objects.count(),
        Content.objects.count(),
        Event.objects.count() - 1,
    )
    assert after == before
    assert before[:4] == (1, 1, 1, 1)


def test_a_changed_row_changes_its_lead_and_says_what_it_was(db):
    take_leads(ANNA, {**ANNA, "id": "L2"})
    assert counts(
        take_leads({**ANNA, "origin": "email", "owner": "sdr-8"}, {**ANNA, "id": "L2"}, {**ANNA, "id": "L3"})
    ) == (1, 1, 1, 0)
    lead = the(Lead, external_id="L1")
    assert (lead.origin, lead.owner.name) == ("email", "sdr-8")
    event = the(Event, subject_kind="lead", kind=EventKind.IMPORT_RUN)
    assert (event.old, event.new) == ({"origin": "social", "owner": "sdr-7"}, {"origin": "email", "owner": "sdr-8"})


def test_an_empty_cell_never_erases_what_is_known(db):
    take_leads(ANNA)
    empty = {"id": "L1"}
    assert counts(take_leads(empty)) == (0, 0, 1, 0)
    assert the(Lead).origin == "social"


def test_nobody_recorded_the_origin_is_not_the_same_as_unknown(db):
    take_leads({"id": "1", "origin": ""}, {"id": "2", "origin": "unknown"})
    assert dict(Lead.objects.values_list("external_id", "origin")) == {"1": "", "2": "unknown"}


def test_values_are_translated_by_the_map_also_the_empty_one(db):
    take(
        csv_of(LEAD_COLUMNS, {"id": "1"}, {"id": "2", "origin": "FB"}),
        LEADS + '[values.origin]\n"" = "unknown"\nFB = "social"',
    )
    assert dict(Lead.objects.values_list("external_id", "origin")) == {"1": "unknown", "2": "social"}


def test_dates_are_read_in_the_zone_and_form_of_the_map(db):
    dates = '[dates]\nformats = ["%d-%m-%Y", "%d/%m/%Y %H:%M"]\ntimezone = "America/Sao_Paulo"'
    take(
        csv_of(LEAD_COLUMNS, {"id": "1", "received": "31-01-2026"}, {"id": "2", "received": "31/01/2026 12:30"}),
        LEADS + dates,
    )
    assert dict(Lead.objects.values_list("external_id", "received_at")) == {
        "1": datetime(2026, 1, 31, 3, tzinfo=UTC),
        "2": datetime(2026, 1, 31, 15, 30, tzinfo=UTC),
    }


def test_a_known_person_is_recognised_by_address_and_a_known_organisation_by_its_domain(db):
    verhage = make.organisation("Verhage", domain="verhage.be")
    anna = make.person("Anna Meulen", email="anna@verhage.be")
    take_leads(ANNA, {**ANNA, "id": "L2", "mail": "jef@verhage.be", "name": "Jef Claes", "company": "", "phone": ""})
    assert set(Lead.objects.values_list("external_id", "organisation")) == {("L1", verhage.pk), ("L2", verhage.pk)}
    assert the(Lead, external_id="L1").person == anna
    assert anna.phone_numbers.get().number == "+32475123456"
    assert Organisation.objects.count() == 1
    assert Event.objects.filter(kind=EventKind.PERSON_CHANGED, person=anna, new__phone="+32475123456").exists()


def test_a_free_mail_domain_says_nothing_about_the_organisation(db):
    take_leads(
        {"id": "1", "mail": "a@gmail.com", "name": "A", "company": "Alfa"},
        {"id": "2", "mail": "b@gmail.com", "name": "B", "company": "Beta"},
        {"id": "3", "mail": "c@gmail.com", "name": "C"},
    )
    assert set(Organisation.objects.values_list("name", "domain")) == {("Alfa", ""), ("Beta", "")}
    assert the(Lead, external_id="3").organisation is None


def test_a_domain_that_two_companies_share_belongs_to_neither(db):
    take_leads(
        {"id": "1", "mail": "a@shared.be", "name": "A", "company": "Alfa"},
        {"id": "2", "mail": "b@shared.be", "name": "B", "company": "Beta"},
    )
    assert set(Organisation.objects.values_list("name", "domain")) == {("Alfa", ""), ("Beta", "")}


def test_one_person_who_asked_twice_is_one_person(db):
    take_leads(
        {"id": "1", "mail": "a@x.be", "name": "Anna"},
        {"id": "2", "mail": "A@X.be", "name": "Anna B"},
        {"id": "3", "name": "Anna"},
    )
    people = {lead.external_id: lead.person for lead in Lead.objects.select_related("person")}
    assert people["1"] == people["2"] != people["3"]
    assert Person.objects.count() == 2


def test_an_address_without_a_name_is_a_person_named_after_it(db):
    take_leads({"id": "1", "mail": "info@verhage.be"})
    assert str(the(Lead).person) == "info"


def test_a_known_user_is_recognised_by_id_address_or_name(db):
    by_id = make.user(external_id="s1")
    by_mail = make.user(email="tine@kring.example")
    by_name = make.user("Sofie Peeters")
    take_leads(
        {"id": "1", "owner": "s1"},
        {"id": "2", "owner": "Tine@kring.example"},
        {"id": "3", "owner": "sofie peeters"},
        {"id": "4"},
    )
    owners = dict(Lead.objects.values_list("external_id", "owner"))
    assert owners == {"1": by_id.pk, "2": by_mail.pk, "3": by_name.pk, "4": None}
    assert User.objects.count() == 3


def test_the_status_of_the_file_comes_with_a_verdict_that_fits(db):
    more = LEADS + 'decline_reason = "why"\nnurture_until = "until"\n'
    columns = (*LEAD_COLUMNS, "why", "until")
    run = take(
        csv_of(
            columns,
            {"id": "1", "status": "qualified", "received": "2026-01-05"},
            {"id": "2", "status": "declined", "why": "no_budget"},
            {"id": "3", "status": "nurture", "until": "2027-01-05"},
            {"id": "4", "status": "being qualified"},
            {"id": "5", "status": "declined"},
            {"id": "6", "status": "nurture"},
            {"id": "7", "status": "accepted"},
            {"id": "8", "status": "sleeping"},
        ),
        more,
    )
    assert counts(run) == (4, 0, 0, 4)
    assert dict(Lead.objects.values_list("external_id", "status")) == {
        "1": "qualified",
        "2": "declined",
        "3": "nurture",
        "4": "working",
    }
    assert the(Lead, external_id="1").qualified_at == the(Lead, external_id="1").received_at
    assert the(Lead, external_id="3").nurture_until == date(2027, 1, 5)
    assert refusals(run) == [
        (6, "status", "declined"),
        (7, "status", "nurture"),
        (8, "status", "accepted"),
        (9, "status", "sleeping"),
    ]


def test_a_verdict_that_was_given_in_kring_is_not_undone_by_a_file(db):
    take_leads({"id": "1", "status": "new"})
    Lead.objects.update(status=LeadStatus.QUALIFIED, verdict=Verdict.QUALIFIED, verdict_at=AT, qualified_at=AT)
    assert counts(take_leads({"id": "1", "status": "new"})) == (0, 0, 1, 0)
    assert the(Lead).status == LeadStatus.QUALIFIED


# ── Bad rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ({"received": "2026-02-31"}, "received", "not a date"),
        ({"received": "0001-01-01"}, "received", "outside the years"),
        ({"mail": "anna@"}, "mail", "not an e-mail address"),
        ({"mail": "a" * 250 + "@x.be"}, "mail", "longer than 254"),
        ({"phone": "12"}, "phone", "not a phone number"),
        ({"status": "sleeping"}, "status", "no status of a lead"),
        ({"origin": "x" * 51}, "origin", "longer than 50"),
        ({"company": "x" * 201}, "company", "longer than 200"),
        ({"name": "x" * 101}, "name", "longer than 100"),
        ({"page": "x" * 101}, "page", "longer than 100"),
        ({"id": "", "origin": "x"}, "id", "no id"),
        ({"id": "x" * 201}, "id", "longer than 200"),
        ({"id": "good"}, "id", "Line 2 has the same id"),
        ({"message": "x\x00y"}, "message", "NUL"),
    ],
)
def test_a_bad_value_refuses_its_row_and_no_other(bad, column, reason, db):
    run = take_leads({"id": "good"}, {"id": "bad", **bad}, {"id": "fine"})
    assert counts(run) == (2, 0, 0, 1)
    refused = run.refused.get()
    assert (refused.line, refused.column) == (3, column)
    assert refused.value == next(iter(bad.values())).replace("\x00", "\N{REPLACEMENT CHARACTER}")[:500]
    assert reason in refused.reason
    assert set(Lead.objects.values_list("external_id", flat=True)) == {"good", "fine"}


def test_every_bad_value_of_a_row_is_told(db):
    run = take_leads({"id": "1", "received": "x", "mail": "y", "phone": "z"})
    assert refusals(run) == [(2, "received", "x"), (2, "mail", "y"), (2, "phone", "z")]
    assert run.rows_refused == 1


def test_half_a_file_gives_its_whole_rows(db):
    text = csv_of(LEAD_COLUMNS, {"id": "1"}, {"id": "2"}) + '3;2026-01-05;"Anna van'
    run = take(text, LEADS)
    assert counts(run) == (2, 0, 0, 1)
    assert "never closed" in run.refused.get().reason


def test_a_wrong_encoding_is_found_and_accents_are_right(db):
    take(
        csv_of(
            LEAD_COLUMNS, {"id": "1", "name": "Zoë Crèvecœur", "company": "São Paulo & Zoon", "message": "€ 5"}
        ).encode("cp1252"),
        LEADS,
    )
    lead = the(Lead)
    assert (str(lead.person), lead.organisation.name, lead.message) == ("Zoë Crèvecœur", "São Paulo & Zoon", "€ 5")


# ── Nothing is written ───────────────────────────────────────────────────────────────────────────────────────────────


def run_of(text: str | bytes, map_text: str) -> ImportRun:
    """A run whose file was not looked at when it came."""
    content = text.encode() if isinstance(text, str) else text
    return ImportRun.objects.create(
        file_name="x.csv", content=content, map_text=map_text, kind=ImportKind.LEADS, created_at=AT
    )


@pytest.mark.parametrize(
    ("text", "map_text", "said"),
    [
        ("id;received\n1;2026-01-05\n", LEADS, "The file has no column “name”. Its columns are: id, received."),
        ("id;id\n1;2\n", 'kind = "leads"\nexternal_id = "id"', "The file has the column “id” twice."),
        ("", LEADS, "The file is empty."),
        ("PK\x03\x04", LEADS, "This is a workbook"),
        (b"id\n" + b"x" * (2 * 1024 * 1024), LEADS, "Line 2 is longer than 1024 KB."),
        ("id\n1\n", "kind =", "not valid TOML"),
    ],
)
def test_what_cannot_be_read_stops_before_anything_is_written(text, map_text, said, db):
    run = imports.run(run_id=run_of(text, map_text).pk, at=AT)
    assert run.state == ImportState.FAILED
    assert said in run.failure
    assert not Lead.objects.exists()
    assert not Event.objects.exists()


def test_a_file_of_more_than_64_mb_is_refused(db, monkeypatch):
    monkeypatch.setattr(runs, "LARGEST", 100)
    with pytest.raises(Refused, match="Split it in two"):
        imports.upload(file=io.BytesIO(b"id,date\n" + b"1,2\n" * 100), file_name="x", map_text=LEADS, by=None, at=AT)


def test_more_unknown_sellers_than_any_team_has_are_a_wrong_map(db, monkeypatch):
    monkeypatch.setattr("crm.imports.recognition.MOST_NEW_USERS", 2)
    run = take_leads(*({"id": n, "owner": f"name {n}"} for n in range(3)))
    assert run.state == ImportState.FAILED
    assert "3 sellers" in run.failure
    assert not User.objects.exists()


def test_a_failed_run_can_be_run_again(db):
    run = run_of("id;received\n1;2026-01-05\n", LEADS)
    imports.run(run_id=run.pk, at=AT)
    ImportRun.objects.update(map_text='kind = "leads"\nexternal_id = "id"\n[columns]\nreceived_at = "received"')
    run = imports.run(run_id=run.pk, at=AT)
    assert counts(run) == (1, 0, 0, 0)
    assert run.failure == ""


def test_a_mistake_of_ours_writes_nothing_and_is_heard(db, monkeypatch):
    def broken(*args) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("crm.imports.leads.TOUCHES", "SELECT 1/0")
    run = run_of(csv_of(LEAD_COLUMNS, ANNA), LEADS)
    with pytest.raises(Exception, match="division by zero"):
        imports.run(run_id=run.pk, at=AT)
    run.refresh_from_db()
    assert run.state == ImportState.FAILED
    assert "Nothing was written" in run.failure
    assert not Lead.objects.exists()


# ── Once, and again after a broken connection ────────────────────────────────────────────────────────────────────────


def test_a_task_that_is_run_twice_does_nothing_the_second_time(db):
    run = imports.upload(
        file=io.BytesIO(csv_of(LEAD_COLUMNS, ANNA).encode()), file_name="x", map_text=LEADS, by=None, at=AT
    )
    tasks.run_import(run.pk)
    first = the(ImportRun)
    tasks.run_import(run.pk)
    assert the(ImportRun).finished_at == first.finished_at
    assert Event.objects.filter(kind=EventKind.IMPORT_RUN).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_midway_leaves_nothing_and_running_again_finishes(monkeypatch):
    text = csv_of(LEAD_COLUMNS, *({**ANNA, "id": n, "mail": f"a{n}@x{n}.be"} for n in range(300)))
    run = imports.upload(file=io.BytesIO(text.encode()), file_name="x", map_text=LEADS, by=None, at=AT)
    kind: Any = leads
    write = kind.write

    def cut(said):
        made = write(said)
        pid = staging.number("SELECT pg_backend_pid()")
        assert Lead.objects.count() == 300, "rows are written, and not yet kept"
        with psycopg.connect(
            **connection.get_connection_params() | {"cursor_factory": None, "context": None}, autocommit=True
        ) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        return made

    monkeypatch.setattr(kind, "write", cut)
    with pytest.raises(OperationalError):
        imports.run(run_id=run.pk, at=AT)
    connection.close()
    run.refresh_from_db()
    assert run.state == ImportState.RUNNING
    assert not imports.is_alive(run.pk)
    assert imports.is_stuck(run, at=AT + 2 * runs.PATIENCE)
    assert imports.abandoned(at=AT + 2 * runs.PATIENCE) == [run.pk]
    assert (Lead.objects.count(), Person.objects.count(), Organisation.objects.count(), Event.objects.count()) == (
        0,
        0,
        0,
        0,
    )
    assert not RefusedValue.objects.exists()

    monkeypatch.setattr(kind, "write", write)
    assert counts(imports.run(run_id=run.pk, at=AT)) == (300, 0, 0, 0)
    assert Lead.objects.count() == 300
    assert imports.abandoned(at=AT + 2 * runs.PATIENCE) == []


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_from_outside_and_a_second_worker_leaves_it_alone(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0)
    text = csv_of(LEAD_COLUMNS, *({"id": n} for n in range(1200)))
    run = imports.upload(file=io.BytesIO(text.encode()), file_name="x", map_text=LEADS, by=None, at=AT)
    seen: list[tuple[int, int | None, str, bool]] = []

    def look() -> None:
        row = the(ImportRun, pk=run.pk)
        seen.append((row.rows_read, row.rows_total, row.state, imports.is_alive(run.pk)))
        imports.run(run_id=run.pk, at=AT)
        assert not imports.request(run=row, by=make.user(), at=AT + 2 * runs.PATIENCE)
        connections.close_all()

    def on_progress(read: int, total: int) -> None:
        other = threading.Thread(target=look)
        other.start()
        other.join()

    assert counts(imports.run(run_id=run.pk, at=AT, on_progress=on_progress)) == (1200, 0, 0, 0)
    # The news of one step is out when the next begins.
    assert [row[0] for row in seen] == [0, 500, 1000]
    assert {row[2:] for row in seen} == {(ImportState.RUNNING, True)}
    assert seen[-1][1] == 1200
    assert Lead.objects.count() == 1200


def test_a_run_is_asked_for_once(db):
    by = make.user(role=Role.MANAGER)
    run = imports.upload(
        file=io.BytesIO(csv_of(LEAD_COLUMNS, ANNA).encode()), file_name="x", map_text=LEADS, by=None, at=AT
    )
    assert imports.request(run=run, by=by, at=AT)
    assert not imports.request(run=run, by=by, at=AT + timedelta(seconds=5))
    assert imports.request(run=run, by=by, at=AT + 2 * runs.PATIENCE)
    run.refresh_from_db()
    assert (run.state, run.by) == (ImportState.RUNNING, by)
    imports.run(run_id=run.pk, at=AT)
    assert not imports.request(run=run, by=by, at=AT + 2 * runs.PATIENCE)


def test_the_schedule_asks_again_for_runs_that_were_lost_and_gives_up_in_the_end(db, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(tasks.run_import, "delay", asked.append)
    now = timezone.now()
    lost = ImportRun.objects.create(
        file_name="a",
        content=b"",
        map_text="",
        kind="leads",
        state="running",
        created_at=now,
        claimed_at=now - timedelta(minutes=5),
    )
    ImportRun.objects.create(
        file_name="b", content=b"", map_text="", kind="leads", state="running", created_at=now, claimed_at=now
    )
    ImportRun.objects.create(
        file_name="c",
        content=b"",
        map_text="",
        kind="leads",
        state="running",
        created_at=now - timedelta(days=1),
        claimed_at=now - timedelta(hours=9),
    )
    ImportRun.objects.create(file_name="d", content=b"", map_text="", kind="leads", created_at=now)
    tasks.resume_imports()
    assert asked == [lost.pk]


# ── Deals ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lead(db) -> Any:
    take_leads({**ANNA, "received": "2026-01-05"})
    return the(Lead)


def test_a_won_deal_accepts_its_lead_and_makes_a_customer(lead):
    run = take_deals(
        {
            "id": "D1",
            "lead": "L1",
            "sdr": "s1",
            "owner": "a1",
            "won": "2026-02-05",
            "product": "Planning",
            "amount": "€ 1.250,50",
        }
    )
    assert counts(run) == (1, 0, 0, 0)
    deal = the(Deal)
    lead.refresh_from_db()
    assert (deal.state, deal.name, deal.product) == (DealState.WON, "Planning", "Planning")
    assert (deal.lead, deal.organisation, deal.person) == (lead, lead.organisation, lead.person)
    assert (deal.seller_amount, deal.currency) == (Decimal("1250.50"), "EUR")
    assert deal.won_at == datetime(2026, 2, 4, 23, tzinfo=UTC)
    assert deal.opened_at == lead.received_at
    assert (deal.owner.role, deal.sdr.role) == (Role.ACCOUNT_MANAGER, Role.SDR)
    assert (lead.status, lead.verdict, lead.qualified_at) == (LeadStatus.ACCEPTED, Verdict.QUALIFIED, deal.opened_at)
    assert deal.organisation.customer_since == deal.won_at
    assert [(change.to_state, change.at) for change in deal.stage_changes.all()] == [
        ("open", deal.opened_at),
        ("won", deal.won_at),
    ]
    assert set(Event.objects.filter(deal=deal).values_list("kind", flat=True)) == {
        EventKind.DEAL_OPENED,
        EventKind.DEAL_WON,
        EventKind.IMPORT_RUN,
    }
    assert the(Event, kind=EventKind.IMPORT_RUN, lead=lead).new == {"status": "accepted"}


def test_a_deal_that_was_won_before_its_lead_arrived_is_kept(lead):
    assert counts(take_deals({"id": "D1", "lead": "L1", "won": "2026-01-02"})) == (1, 0, 0, 0)
    deal = the(Deal)
    assert deal.won_at < lead.received_at
    assert deal.opened_at == deal.won_at


def test_an_open_deal_stands_in_the_first_stage_of_a_pipeline_that_is_made_for_it(db):
    take_deals({"id": "D1", "company": "Verhage NV", "created": "2026-02-05"})
    deal = the(Deal)
    assert Pipeline.objects.count() == 1
    assert (deal.state, deal.stage.name, deal.name) == (DealState.OPEN, "Get acquainted", "Verhage NV")
    assert [stage.probability for stage in Stage.objects.all()] == [10, 25, 50, 75]
    assert deal.stage_changes.get().from_stage is None


def test_without_any_name_a_deal_is_called_by_its_id(db):
    take_deals({"id": "D1"})
    assert the(Deal).name == "D1"


@pytest.mark.parametrize(
    ("row", "state", "ended"),
    [
        ({"won": "2026-02-05"}, DealState.WON, date(2026, 2, 5)),
        ({"lost": "2026-02-05"}, DealState.LOST, date(2026, 2, 5)),
        ({"stage": "Won", "closed": "2026-02-05"}, DealState.WON, date(2026, 2, 5)),
        ({"stage": "lost", "closed": "2026-02-05"}, DealState.LOST, date(2026, 2, 5)),
        ({"stage": "won", "created": "2026-02-05"}, DealState.WON, date(2026, 2, 5)),
        ({"closed": "2026-02-05"}, DealState.WON, date(2026, 2, 5)),
        ({"closed": "2026-02-05", "why": "price"}, DealState.LOST, date(2026, 2, 5)),
        ({"stage": "proposal"}, DealState.OPEN, None),
        ({}, DealState.OPEN, None),
    ],
)
def test_how_a_deal_ended_is_read_from_its_dates_and_stage(row, state, ended, db):
    assert counts(take_deals({"id": "D1", **row})) == (1, 0, 0, 0)
    deal = the(Deal)
    assert deal.state == state
    assert (timezone.localtime(deal.closed_at).date() if deal.closed_at else None) == ended
    if state == DealState.LOST:
        assert deal.lost_reason == ("price" if "why" in row else "other")


def test_a_closing_date_of_an_open_deal_is_what_the_seller_hopes(db):
    take_deals({"id": "D1", "stage": "Proposal", "closed": "2027-02-05"})
    assert the(Deal).seller_date == date(2027, 2, 5)


def test_a_reason_in_their_own_words_is_kept(db):
    take_deals({"id": "D1", "lost": "2026-02-05", "why": "The nephew makes it"})
    deal = the(Deal)
    assert (deal.lost_reason, deal.lost_note) == ("other", "The nephew makes it")


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ({"stage": "Somewhere"}, "stage"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1e9"}, "amount"),
        ({"amount": "9999999999999"}, "amount"),
        ({"currency": "euros"}, "currency"),
        ({"won": "yesterday"}, "won"),
        ({"buyer": "2026-13-01"}, "buyer"),
        ({"won": "2026-01-01", "lost": "2026-01-01"}, "lost"),
        ({"stage": "won", "lost": "2026-01-01"}, "lost"),
        ({"stage": "lost", "won": "2026-01-01"}, "won"),
        ({"lead": "nobody"}, "lead"),
    ],
)
def test_a_bad_deal_is_told_with_line_column_and_value(bad, column, db):
    run = take_deals({"id": "D1"}, {"id": "D2", **bad}, {"id": "D3"})
    assert counts(run) == (2, 0, 0, 1)
    assert refusals(run) == [(3, column, bad[column])]
    assert not Deal.objects.filter(external_id="D2").exists()


def test_a_lead_has_one_deal(lead):
    take_deals({"id": "D1", "lead": "L1"})
    run = take_deals({"id": "D2", "lead": "L1"}, {"id": "D1", "lead": "L1"})
    assert counts(run) == (0, 0, 1, 1)
    assert "another deal" in run.refused.get().reason
    take_leads({"id": "L2"})
    run = take_deals({"id": "D3", "lead": "L2"}, {"id": "D4", "lead": "L2"})
    assert counts(run) == (1, 0, 0, 1)


def test_the_same_deals_again_change_nothing(lead):
    rows = (
        {"id": "D1", "lead": "L1", "won": "2026-02-05", "owner": "a1", "sdr": "s1", "amount": "10"},
        {"id": "D2", "stage": "Proposal", "company": "Alfa"},
        {"id": "D3", "lost": "2026-02-05"},
        {"id": "D4", "stage": "won"},
    )
    take_deals(*rows)
    before = Event.objects.count()
    assert counts(take_deals(*rows, at=AT + timedelta(days=1))) == (0, 0, 4, 0)
    assert Event.objects.count() == before + 1


def test_a_deal_goes_on_and_ends_as_later_files_say(db):
    take_deals(
        {"id": "D1", "stage": "Proposal", "company": "Alfa", "created": "2026-01-05"},
        {"id": "D2", "stage": "Proposal", "created": "2026-01-05"},
    )
    assert counts(take_deals({"id": "D1", "stage": "Decision"}, {"id": "D2", "stage": "Proposal", "amount": "5"})) == (
        0,
        2,
        0,
        0,
    )
    assert counts(take_deals({"id": "D1", "won": "2026-02-05"}, {"id": "D2", "lost": "2026-02-05"})) == (0, 2, 0, 0)
    won: Any
    won, lost = Deal.objects.order_by("external_id")
    assert (won.state, won.stage.name, lost.state, lost.lost_reason) == (
        DealState.WON,
        "Decision",
        DealState.LOST,
        "other",
    )
    assert [change.to_state for change in won.stage_changes.all()] == [
        "open",
        "won",
        "open",
    ], "by their dates: the second file told of its move without one"
    assert won.organisation.customer_since == won.won_at
    kinds = list(Event.objects.filter(deal=won).order_by("id").values_list("kind", flat=True))
    assert kinds == [EventKind.DEAL_OPENED, EventKind.DEAL_MOVED, EventKind.DEAL_WON]
    assert the(Event, deal=won, kind=EventKind.DEAL_MOVED).new == {"stage": "Decision"}
    kinds = list(Event.objects.filter(deal=lost).order_by("id").values_list("kind", flat=True))
    assert kinds == [EventKind.DEAL_OPENED, EventKind.DEAL_CHANGED, EventKind.DEAL_LOST]


def test_an_end_stays_an_end(db):
    take_deals({"id": "D1", "won": "2026-02-05"})
    run = take_deals({"id": "D1", "lost": "2026-03-05"})
    assert counts(run) == (0, 0, 0, 1)
    assert "won in Kring already" in run.refused.get().reason
    assert counts(take_deals({"id": "D1", "stage": "Proposal"})) == (0, 0, 0, 1)
    assert counts(take_deals({"id": "D1"})) == (0, 0, 1, 0)
    assert the(Deal).state == DealState.WON


def test_a_corrected_date_of_a_win_is_a_change(db):
    take_deals({"id": "D1", "won": "2026-02-05", "company": "Alfa"})
    assert counts(take_deals({"id": "D1", "won": "2026-01-05"})) == (0, 1, 0, 0)
    assert timezone.localtime(the(Deal).won_at).date() == date(2026, 1, 5)
    assert the(Organisation).customer_since == the(Deal).won_at


def test_a_hand_off_that_waits_is_answered_by_the_deal_of_the_file(db):
    take_leads({"id": "L1", "status": "qualified"})
    lead = the(Lead)
    sdr, seller = make.user(), make.user(role=Role.ACCOUNT_MANAGER)
    Lead.objects.update(status=LeadStatus.HANDED_OFF)
    hand_off = HandOff.objects.create(lead=lead, from_user=sdr, to_user=seller, submitted_at=AT, answer_due_at=AT)
    take_deals({"id": "D1", "lead": "L1"})
    hand_off.refresh_from_db()
    assert hand_off.state == HandOffState.ACCEPTED


def test_a_recommendation_that_led_to_the_deal_is_won_with_it(db):
    take_leads(ANNA)
    lead = the(Lead)
    referral = Referral.objects.create(
        referrer=make.person(), state="introduced", asked_at=AT, introduced=lead.person, introduced_at=AT, lead=lead
    )
    take_deals({"id": "D1", "lead": "L1", "won": "2026-02-05"})
    referral.refresh_from_db()
    assert referral.state == "won"


# ── People and organisations ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_comes_with_addresses_numbers_and_position(db):
    row = "p1;De Wit, Anna;anna@wit.be;anna@gmail.com;+31 20 123 4567;Wit BV;Planner;Nederlands;sailing, chess;a\n"
    run = take("id;name;mail;mail2;phone;company;title;language;likes;tier\n" + row, PEOPLE)
    assert counts(run) == (1, 0, 0, 0)
    person = the(Person)
    assert (str(person), person.family_name, person.language, person.interests, person.tier) == (
        "Anna De Wit",
        "De Wit",
        "nl",
        ["sailing", "chess"],
        "A",
    )
    assert [(mail.address, mail.is_preferred) for mail in person.email_addresses.all()] == [
        ("anna@wit.be", True),
        ("anna@gmail.com", False),
    ]
    assert person.phone_numbers.get().number == "+31201234567"
    assert (person.positions.get().title, person.positions.get().organisation.domain) == ("Planner", "wit.be")
    again = take("id;name;mail;mail2;phone;company;title;language;likes;tier\n" + row, PEOPLE)
    assert counts(again) == (0, 0, 1, 0)
    more = take(
        "id;name;mail;mail2;phone;company;title;language;likes;tier\np1;;new@wit.be;;;Wit BV;Director;;;\n", PEOPLE
    )
    assert counts(more) == (0, 0, 0, 1)
    assert more.refused.get().reason == "The name is missing."
    more = take(
        "id;name;mail;mail2;phone;company;title;language;likes;tier\np1;Anna De Wit;new@wit.be;;;Wit BV;Director;;;\n",
        PEOPLE,
    )
    assert counts(more) == (0, 1, 0, 0)
    assert person.positions.get().title == "Director"
    assert person.email_addresses.count() == 3


def test_a_person_who_is_known_by_address_is_taken_over(db):
    anna = make.person("Anna Wit", email="anna@wit.be")
    run = take(
        "id;name;mail;mail2;phone;company;title;language;likes;tier\np1;Anna De Wit;anna@wit.be;;;;;;;\n", PEOPLE
    )
    assert counts(run) == (0, 1, 0, 0)
    anna.refresh_from_db()
    assert (anna.external_id, anna.family_name) == ("p1", "De Wit")
    assert Person.objects.count() == 1


def test_organisations_keep_leading_zeros_and_are_recognised(db):
    alfa: Any = make.organisation("Alfa", domain="alfa.be")
    text = "id;name;site;kvk;vat;city;country;owner\n1;Alfa NV;https://www.alfa.be/contact;02076358;BE 0428.759.497;Gent;België;jan\n2;Beta;;;;;;\n"
    assert counts(take(text, ORGANISATIONS)) == (1, 1, 0, 0)
    alfa.refresh_from_db()
    assert (alfa.name, alfa.kvk_number, alfa.vat_number, alfa.country, alfa.external_id) == (
        "Alfa NV",
        "02076358",
        "BE0428759497",
        "BE",
        "1",
    )
    assert alfa.owner.name == "jan"
    assert counts(take(text, ORGANISATIONS)) == (0, 0, 2, 0)
    assert Event.objects.filter(kind=EventKind.ORGANISATION_CHANGED).count() == 1


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ("x;;;;;Gent;;", "name"),
        ("x;A;not a domain;;;;;", "site"),
        ("x;A;;2076358;;;;", "kvk"),
        ("x;A;;;BE1;;;", "vat"),
        ("x;A;;;;;Narnia;", "country"),
    ],
)
def test_a_bad_organisation_is_told(bad, column, db):
    run = take(f"id;name;site;kvk;vat;city;country;owner\n{bad}\n2;Beta;;;;;;\n", ORGANISATIONS)
    assert (counts(run)[0], column) in {(1, refused.column) for refused in run.refused.all()}


def test_a_domain_that_is_another_s_refuses_the_row(db):
    make.organisation("Alfa", domain="alfa.be", external_id="9")
    text = (
        "id;name;site;kvk;vat;city;country;owner\n1;Gamma;alfa.be;;;;;\n2;Beta;beta.be;;;;;\n3;Beta Twee;beta.be;;;;;\n"
    )
    run = take(text, ORGANISATIONS)
    assert counts(run) == (1, 0, 0, 2)
    assert refusals(run) == [(2, "site", "alfa.be"), (4, "site", "beta.be")]


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", "1234.50"),
        ("1234,5", "1234.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567.00"),
        ("1.234", "1234.00"),
        ("0.125", "0.13"),
        ("€ 1 200", "1200.00"),
        ("R$ 99,90", "99.90"),
        ("1'250", "1250.00"),
        ("0", "0.00"),
    ],
)
def test_amounts_are_read_as_people_write_them(text, value):
    assert reading.amount(text) == Decimal(value)


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from([",.", ".,", " .", " ,", "'."]))
def test_an_amount_with_cents_is_read_in_every_notation(value, signs):
    thousands, point = signs
    written = f"{value:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands)
    assert reading.amount(written) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://www.Verhage.be/contact?x=1", "verhage.be"),
        ("verhage.be:8080", "verhage.be"),
        ("@verhage.be", "verhage.be"),
        ("gmail.com", None),
        ("café.be", "xn--caf-dma.be"),
    ],
)
def test_a_domain_is_read_from_an_address_of_any_kind(text, found):
    assert reading.domain(text) == found


# ── Before the run ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_preview_shows_rows_as_they_would_be_taken_and_what_is_wrong(db):
    text = csv_of(
        DEAL_COLUMNS,
        {"id": "1", "amount": "1.250,5", "stage": "won", "won": "2026-02-05", "why": "nephew"},
        {"id": "2", "amount": "x"},
    )
    run = imports.upload(file=io.BytesIO(text.encode()), file_name="x", map_text=DEALS, by=None, at=AT)
    seen = imports.preview(run)
    assert seen.failure == ""
    assert [line for line, _cells in seen.rows] == [2]
    shown = dict(zip(["external_id", *seen.fields], seen.rows[0][1], strict=True))
    assert (shown["amount"], shown["won_at"], shown["stage"], shown["lost_reason"]) == (
        "1,250.50",
        "2026-02-05 00:00",
        "won",
        "other · nephew",
    )
    assert (seen.read, seen.refused) == (2, 1)
    assert [(problem.line, problem.column, problem.value) for problem in seen.problems] == [(3, "amount", "x")]
    assert not Deal.objects.exists()


def test_a_rehearsal_tells_everything_and_changes_nothing(db):
    take_leads({"id": "1"})
    before = (ImportRun.objects.count(), Event.objects.count())
    text = csv_of(LEAD_COLUMNS, {"id": "1"}, ANNA, {"id": "3", "mail": "x"})
    outcome = imports.rehearse(file=io.BytesIO(text.encode()), map_text=LEADS, by=None, at=AT)
    assert (outcome.read, outcome.made, outcome.changed, outcome.same, outcome.refused) == (3, 1, 0, 1, 1)
    assert outcome.problems[0].column == "mail"
    assert (ImportRun.objects.count(), Event.objects.count()) == before
    assert Lead.objects.count() == 1


# ── The command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def files(tmp_path):
    def write(text: str, map_text: str = LEADS) -> list[str]:
        (tmp_path / "file.csv").write_text(text, encoding="cp1252")
        (tmp_path / "map.toml").write_text(map_text)
        return [str(tmp_path / "file.csv"), "--map", str(tmp_path / "map.toml")]

    return write


def test_the_command_takes_a_file_in_and_tells_how_much(db, files):
    by, out = make.user(role=Role.ADMIN), io.StringIO()
    call_command("import_file", *files(csv_of(LEAD_COLUMNS, ANNA)), "--by", by.email, stdout=out, stderr=io.StringIO())
    assert "1 rows read, 1 new, 0 changed, 0 unchanged, 0 refused" in out.getvalue()
    assert the(ImportRun).by == by


def test_the_command_ends_with_one_when_rows_are_refused_and_writes_them(db, files, tmp_path):
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(
            "import_file",
            *files(csv_of(LEAD_COLUMNS, ANNA, {"id": "2", "mail": "=x"})),
            "--errors",
            str(tmp_path / "bad.csv"),
            stdout=out,
            stderr=out,
        )
    assert ended.value.code == 1
    assert "line 3, mail: '=x'" in out.getvalue()
    assert (tmp_path / "bad.csv").read_text().splitlines() == [
        "line,column,value,reason",
        "3,mail,'=x,“=x” is not an e-mail address.",
    ]
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "map_text", "said"),
    [("id\n1\n", LEADS, "no column “received”"), ("", LEADS, "The file is empty"), ("id\n1\n", "x", "not valid TOML")],
)
def test_the_command_ends_with_two_when_nothing_is_taken(db, files, text, map_text, said):
    with pytest.raises(CommandError, match=said) as stopped:
        call_command("import_file", *files(text, map_text), stdout=io.StringIO(), stderr=io.StringIO())
    assert stopped.value.returncode == 2
    assert not Lead.objects.exists()


def test_the_command_may_only_look(db, files):
    out = io.StringIO()
    call_command("import_file", *files(csv_of(LEAD_COLUMNS, ANNA)), "--dry-run", stdout=out, stderr=io.StringIO())
    assert "This would be 1 rows read, 1 new" in out.getvalue()
    assert not ImportRun.objects.exists()


def test_the_command_tells_progress_in_lines_when_nobody_watches(db, files):
    err = io.StringIO()
    call_command(
        "import_file", *files(csv_of(LEAD_COLUMNS, *({"id": n} for n in range(1000)))), stdout=io.StringIO(), stderr=err
    )
    assert "1000 of 1000 rows read" in err.getvalue()


def test_a_gigabyte_without_a_line_end_is_refused_in_a_moment(db, files, tmp_path):
    path, *rest = files("")
    with Path(path).open("wb") as file:
        file.truncate(1024**3)  # A hole: it takes no room on the disk.
    tracemalloc.start()
    with pytest.raises(CommandError, match="Line 1 is longer than 1024 KB") as stopped:
        call_command("import_file", path, *rest, stdout=io.StringIO(), stderr=io.StringIO())
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stopped.value.returncode == 2
    assert most < 32 * 1024**2


def test_a_person_without_an_address_is_known_by_number_and_name(db):
    anna = make.person("Anna De Wit", email="", phone="+32475123456")
    take_leads(
        {"id": "1", "name": "anna de wit", "phone": "0475 12 34 56"},
        {"id": "2", "name": "Jan De Wit", "phone": "0475 12 34 56"},
    )
    assert the(Lead, external_id="1").person == anna
    assert the(Lead, external_id="2").person != anna


def test_a_file_that_is_not_there_is_told(db, files):
    _path, *rest = files("")
    with pytest.raises(CommandError, match="cannot be read") as stopped:
        call_command("import_file", "/nowhere.csv", *rest)
    assert stopped.value.returncode == 2


# ── Real files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def real(path: str, map_text: str) -> ImportRun:
    return take((DATA / path).read_bytes(), map_text)


@needs_data
def test_dutch_companies_keep_their_names_and_numbers(db):
    run = real(
        "dutch_companies/ind_sponsors_sample.csv",
        'kind = "organisations"\nexternal_id = "kvk"\n[columns]\nname = "name"\nkvk_number = "kvk"',
    )
    assert counts(run)[0] + counts(run)[3] == 105
    assert the(Organisation, kvk_number="02076358").name == "247HAIR"
    assert the(Organisation, kvk_number="17037842").name == '"AAE" Advanced Automated Equipment B.V.'


@needs_data
def test_linkedin_connections_come_below_their_notes(db):
    plan = """
kind = "people"
external_id = "URL"
[columns]
given_name = "First Name"
family_name = "Last Name"
email = "Email Address"
organisation = "Company"
title = "Position"
"""
    run = real("linkedin_connections/six-hops.Connections.csv", plan)
    assert counts(run) == (4, 0, 0, 1)
    assert refusals(run)[0][:2] == (9, "URL")
    assert Person.objects.filter(given_name="Priya", family_name="Sharma").count() == 2


@needs_data
def test_contacts_with_three_addresses_and_numbers_each(db):
    plan = """
kind = "people"
external_id = "id"
country = "US"
[columns]
given_name = "first_name"
family_name = "last_name"
email = "email_work"
email_2 = "email_home"
email_3 = "email_other"
organisation = "company"
title = "title"
interests = "tags"
owner = "sales"
"""
    run = real("atomic_crm/contacts.csv", plan)
    assert counts(run) == (500, 0, 0, 0)
    assert counts(real("atomic_crm/contacts.csv", plan)) == (0, 0, 500, 0)
    assert the(User, external_id="Jane Doe").role == Role.ACCOUNT_MANAGER


@needs_data
def test_salesforce_accounts_come_with_their_accents(db):
    plan = 'kind = "organisations"\nexternal_id = "ID"\n[columns]\nname = "NAME"\ncity = "BILLINGCITY"\ncountry = "BILLINGCOUNTRY"'
    run = real("salesforce_dataloader/samples/accountData.csv", plan)
    made, _changed, _same, refused = counts(run)
    assert made + refused == 423
    assert Organisation.objects.filter(name="Crédito Inmobiliario Terras").exists()


@needs_data
def test_salesforce_opportunities_keep_their_stages_and_amounts(db):
    plan = """
kind = "deals"
external_id = "ID"
[columns]
name = "NAME"
stage = "STAGENAME"
amount = "AMOUNT"
closed_at = "CLOSEDATE"
created_at = "CREATEDDATE"
[values.stage]
"Closed Won" = "won"
"Closed Lost" = "lost"
"Prospecting" = "Get acquainted"
"Qualification" = "Get acquainted"
"Needs Analysis" = "Needs and wishes"
"Value Proposition" = "Needs and wishes"
"Id. Decision Makers" = "Needs and wishes"
"Perception Analysis" = "Proposal"
"Proposal/Price Quote" = "Proposal"
"Negotiation/Review" = "Decision"
"""
    run = real("salesforce_dataloader/samples/opportunityData.csv", plan)
    made, _changed, _same, refused = counts(run)
    assert (made + refused, refused) == (38, 0)
    assert set(
        Deal.objects.filter(name="George Foundation - 5000 Widgets").values_list("seller_amount", flat=True)
    ) == {500_000}
    assert Deal.objects.won().exists()
