"""The screens of imports: who may, upload, preview, run, progress, result and the download of what was refused."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import imports, tasks
from crm.models import Event, EventKind, ImportRun, ImportState, Lead

MAP = """
kind = "leads"
external_id = "id"
[columns]
received_at = "date"
person_name = "name"
origin = "source"
"""
FILE = "id;date;name;source\n1;2026-01-05;Zoë van der Meulen;fair\n2;2026-02-31;Jan Peeters;=1+1\n3;2026-01-06;An De Wit;\n"


def file_of(text: str, name: str = "leads.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode("cp1252"), content_type="text/csv")


def upload(client: Client, text: str = FILE, map_text: str = MAP, **more):
    return client.post(reverse("crm:import-new"), {"file": file_of(text), "map_text": map_text, **more})


@pytest.fixture
def run(manager, login) -> ImportRun:
    upload(login(manager))
    return ImportRun.objects.get()


@pytest.fixture
def told(monkeypatch, django_capture_on_commit_callbacks):
    """The ids of the runs of which a worker was told."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda args: ids.extend(args))
    return ids


def press_run(client: Client, run: ImportRun, django_capture_on_commit_callbacks, **headers):
    with django_capture_on_commit_callbacks(execute=True):
        return client.post(reverse("crm:import-run", args=[run.pk]), headers=headers)


@pytest.mark.parametrize("who", ["manager", "admin_user"])
def test_managers_and_administrators_see_every_screen(who, run, login, request):
    client = login(request.getfixturevalue(who))
    for address in (reverse("crm:imports"), reverse("crm:import-new"), *addresses_of(run)):
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("who", ["sdr", "account_manager"])
def test_others_may_not_import(who, run, login, request):
    client = login(request.getfixturevalue(who))
    for address in (reverse("crm:imports"), reverse("crm:import-new"), *addresses_of(run)):
        assert client.get(address).status_code == 403, address
    assert upload(client).status_code == 403
    assert client.post(reverse("crm:import-run", args=[run.pk])).status_code == 403
    assert ImportRun.objects.get().state == ImportState.UPLOADED


def test_nobody_imports_without_a_login(run, client):
    for address in (reverse("crm:imports"), reverse("crm:import-new"), *addresses_of(run)):
        assert client.get(address).status_code == 302, address


def addresses_of(run: ImportRun) -> list[str]:
    return [reverse("crm:import", args=[run.pk]), reverse("crm:import-refused", args=[run.pk])]


def test_an_unknown_import_is_not_found(manager, login):
    assert login(manager).get(reverse("crm:import", args=[999])).status_code == 404


def test_a_run_is_not_started_by_a_link(run, manager, login):
    assert login(manager).get(reverse("crm:import-run", args=[run.pk])).status_code == 405


def test_an_uploaded_file_waits_with_its_preview_and_nothing_is_taken(manager, login):
    client = login(manager)
    answer = upload(client)
    run = ImportRun.objects.get()
    assert answer.headers["Location"] == reverse("crm:import", args=[run.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Zoë van der Meulen" in page
    assert "2026-01-05 00:00" in page
    assert "2026-02-31" in page
    assert "This is not a date" in page
    assert "Take it in" in page
    assert run.by == manager
    assert not Lead.objects.exists()


def test_a_map_may_come_as_a_file(manager, login):
    map_file = SimpleUploadedFile("map.toml", MAP.encode())
    answer = login(manager).post(
        reverse("crm:import-new"), {"file": file_of(FILE), "map_file": map_file, "map_text": ""}
    )
    assert answer.status_code == 302
    assert ImportRun.objects.get().map_text == MAP


@pytest.mark.parametrize(
    ("text", "map_text", "said"),
    [
        (FILE, 'kind = "cheeses"', "“kind” must be one of"),
        (FILE, "", "Give a map"),
        ("PK\x03\x04 a workbook", MAP, "This is a workbook"),
        ("a" * (2 * 1024 * 1024), MAP, "is longer than 1024 KB"),
    ],
)
def test_what_cannot_be_taken_in_is_said_in_the_form_and_not_kept(text, map_text, said, manager, login):
    answer = upload(login(manager), text, map_text)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_a_missing_column_is_shown_before_anything_can_be_run(manager, login):
    client = login(manager)
    upload(client, "id,date\n1,2026-01-05\n")
    page = client.get(reverse("crm:import", args=[ImportRun.objects.get().pk])).content.decode()
    assert "The file has no column “name”" in page
    assert "Take it in" not in page


def test_a_run_is_asked_for_once_and_done_by_a_worker(run, manager, login, told, django_capture_on_commit_callbacks):
    client = login(manager)
    answer = press_run(client, run, django_capture_on_commit_callbacks)
    assert answer.headers["Location"] == reverse("crm:import", args=[run.pk])
    press_run(client, run, django_capture_on_commit_callbacks)
    assert told == [run.pk]
    run.refresh_from_db()
    assert run.state == ImportState.RUNNING
    page = client.get(reverse("crm:import", args=[run.pk])).content.decode()
    assert "Waiting for a worker" in page
    assert 'hx-trigger="every 1s"' in page

    tasks.run_import(run.pk)
    page = client.get(reverse("crm:import", args=[run.pk])).content.decode()
    assert "Done, and some rows need a hand" in page
    assert "hx-trigger" not in page.partition('id="run"')[2].partition(">")[0]
    assert Lead.objects.count() == 2
    assert Event.objects.get(kind=EventKind.IMPORT_RUN, subject_kind="import").by == manager


def test_with_htmx_the_part_alone_is_answered(run, manager, login, told, django_capture_on_commit_callbacks):
    headers = {"HX-Request": "true", "HX-Target": "run"}
    answer = press_run(login(manager), run, django_capture_on_commit_callbacks, **headers)
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert "Waiting for a worker" in answer.content.decode()


def test_progress_is_shown_while_rows_are_read(run, manager, login):
    ImportRun.objects.update(state=ImportState.RUNNING, claimed_at=timezone.now(), rows_read=500, rows_total=2000)
    page = login(manager).get(reverse("crm:import", args=[run.pk])).content.decode()
    assert '<progress class="meter" max="2000" value="500"' in page
    assert "500 of 2000 rows" in page


def test_a_run_that_lost_its_worker_can_be_run_again(run, manager, login, told, django_capture_on_commit_callbacks):
    ImportRun.objects.update(state=ImportState.RUNNING, claimed_at=timezone.now() - 2 * imports.runs.PATIENCE)
    client = login(manager)
    assert "This import was interrupted" in client.get(reverse("crm:import", args=[run.pk])).content.decode()
    press_run(client, run, django_capture_on_commit_callbacks)
    assert told == [run.pk]


def test_a_broker_that_is_away_breaks_no_page(run, manager, login, monkeypatch, django_capture_on_commit_callbacks):
    def away(args: tuple[int]) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.run_import, "apply_async", away)
    assert press_run(login(manager), run, django_capture_on_commit_callbacks).status_code == 302


def test_refused_values_download_as_a_file_that_runs_nothing(run, manager, login):
    tasks.run_import(run.pk)
    ImportRun.objects.get().refused.create(line=9, column="=col", value="=1+1", reason="because")
    answer = login(manager).get(reverse("crm:import-refused", args=[run.pk]))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines() == [
        "line,column,value,reason",
        "3,date,2026-02-31,This is not a date such as 2026-01-31. Say its form in [dates] of the map.",
        "9,'=col,'=1+1,because",
    ]


def test_the_map_of_an_earlier_import_is_offered_again(run, manager, login):
    page = login(manager).get(reverse("crm:import-new"), {"like": run.pk}).content.decode()
    assert "person_name = &quot;name&quot;" in page
    assert login(manager).get(reverse("crm:import-new"), {"like": "x"}).status_code == 200


def test_what_came_in_the_file_is_never_markup(manager, login):
    client = login(manager)
    upload(client, "id;date;name;source\n1;<script>x</script>;Jan;fair\n2;2026-01-05;<b>Jan</b>;fair\n")
    page = client.get(reverse("crm:import", args=[ImportRun.objects.get().pk])).content.decode()
    assert "<script>x" not in page
    assert "<b>Jan" not in page


def test_the_list_costs_the_same_however_many_imports(run, manager, login):
    client = login(manager)
    client.get(reverse("crm:imports"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(reverse("crm:imports"))
    for _ in range(30):
        ImportRun.objects.create(
            file_name="x.csv", content=b"x" * 1000, map_text=MAP, kind="leads", created_at=timezone.now(), by=manager
        )
    with CaptureQueriesContext(connection) as many:
        answer = client.get(reverse("crm:imports"))
    assert answer.content.decode().count("x.csv") >= 30
    assert len(many) == len(few) <= 5
    assert not any('"content"' in query["sql"] for query in many), "a list must not read whole files"


def test_the_page_of_a_run_takes_few_queries(run, manager, login, django_assert_max_num_queries):
    client = login(manager)
    with django_assert_max_num_queries(7):
        client.get(reverse("crm:import", args=[run.pk]))
    tasks.run_import(run.pk)
    with django_assert_max_num_queries(7):
        client.get(reverse("crm:import", args=[run.pk]))
