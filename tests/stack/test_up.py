"""`manage.py up` on data of its own: it stops completely, and nothing that is killed loses anything."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psutil
import psycopg
import pytest

from embedded import Places
from tests.running import ROOT, Up, fetch, lend_static, wait_for
from tests.settings import SCRATCH

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def var(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A fresh folder. Not in pytest's temporary one: as root PostgreSQL is another user, who must reach its data."""
    folder: Path = SCRATCH / "up"
    shutil.rmtree(folder, ignore_errors=True)
    lend_static(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def up(var: Path) -> Iterator[Up]:
    one = Up(var, KRING_WEB_PROCESSES="1")
    one.output.unlink(missing_ok=True)
    yield one
    for process in one.processes():
        process.kill()
    if one.process is not None:
        one.process.wait(10)


def run(up: Up, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(Places(up.var).database_url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_ctrl_c_leaves_no_child(up: Up) -> None:
    up.start("--no-demo")
    assert fetch(f"{up.url}/readyz")[0] == 200
    assert up.stop(signal.SIGINT) == 0
    assert up.processes() == []


def test_after_a_kill_of_everything_nothing_is_lost(up: Up) -> None:
    up.start("--no-demo")
    run(up, "CREATE TABLE IF NOT EXISTS kept (word text)")
    run(up, "INSERT INTO kept VALUES ('promised')")
    for process in up.processes():
        process.kill()
    wait_for(lambda: not up.processes(), why="the killed to be gone")
    up.start("--no-demo")
    assert run(up, "SELECT word FROM kept") == [("promised",)]
    assert fetch(f"{up.url}/readyz")[0] == 200
    assert up.stop(signal.SIGTERM) == 0
    assert up.processes() == []


def test_after_a_kill_of_the_parent_its_orphans_are_ended(up: Up) -> None:
    up.start("--no-demo")
    orphans = [process for process in up.processes() if process.name() not in {"postgres", "valkey-server"}]
    server = Places(up.var).postgres_data / "postmaster.pid"
    taken_over = server.read_text().splitlines()[0]
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    up.start("--no-demo")
    assert [process for process in orphans if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert server.read_text().splitlines()[0] == taken_over
    assert up.stop(signal.SIGINT) == 0
    assert up.processes() == []


def test_a_second_up_on_the_same_data_is_refused(up: Up) -> None:
    up.start("--no-demo")
    second = Up(up.var)
    second.output = up.var / "second.log"
    with pytest.raises(AssertionError, match="already runs"):
        second.start("--no-demo")
    assert fetch(f"{up.url}/healthz")[0] == 200


def test_a_child_that_dies_comes_back(up: Up) -> None:
    up.start("--no-demo")
    worker = up.child("worker")
    worker.kill()
    wait_for(lambda: "The worker stopped by signal 9" in up.words(), why="the death to be reported")
    wait_for(lambda: _has(up, "worker", not_this=worker.pid), why="the worker to come back")


def _has(up: Up, word: str, *, not_this: int) -> bool:
    try:
        return up.child(word).pid != not_this
    except AssertionError:
        return False


def test_a_taken_port_is_said_in_plain_words(up: Up) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", up.port))
        squatter.listen()
        with pytest.raises(AssertionError, match=f"Port {up.port} is taken"):
            up.start("--no-demo")
    assert up.processes() == []


def test_servers_that_die_come_back(up: Up) -> None:
    up.start("--no-demo")
    wait_for(lambda: "Ctrl-C stops everything" in up.words(), why="the start to be over")
    for process in up.processes():
        if process.name() in {"postgres", "valkey-server"}:
            process.kill()
    wait_for(lambda: "stopped. Starting again" in up.words(), why="a death to be reported")
    wait_for(lambda: fetch(f"{up.url}/readyz")[0] == 200, seconds=60, why="both to answer again")


MAKE = """
from django.utils import timezone
from crm import capture
from crm.models import Channel, Role, User
user = User.objects.create_user("sofie@up.example", "calm evenings 7", name="Sofie", role=Role.SDR)
arrived = capture.Arrival(channel=Channel.FORM, external_id="up", name="Tom Bos", email="tom@up.example", message="Which dates?")
print(capture.receive(arrived, at=timezone.now()).lead.pk)
"""


class Visitor:
    """Somebody in a browser without JavaScript, who waits for a page no longer than a person would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        """The address at which they end."""
        token = next(str(cookie.value) for cookie in self.cookies if cookie.name == "csrftoken")
        body = urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        with self.opener.open(self.url + path, body, timeout=30) as answer:
            return str(answer.url)


def test_while_the_broker_is_away_people_work_on_and_the_follow_ups_come_when_it_is_back(up: Up) -> None:
    up.start("--no-demo")
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE],
        cwd=ROOT, env=up.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lead = made.stdout.split()[-1]
    visitor = Visitor(up.url)
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", login="sofie@up.example", password="calm evenings 7")

    broker = next(process for process in up.processes() if process.name() == "valkey-server")
    broker.suspend()
    try:
        wait_for(lambda: fetch(f"{up.url}/readyz")[0] == 503, why="readyz to notice")
        status, text = fetch(f"{up.url}/readyz")
        assert status == 503
        assert '"broker": "the broker does not answer"' in text
        assert '"database": "ok"' in text
        assert fetch(f"{up.url}/healthz")[0] == 200
        assert visitor.post(f"/leads/{lead}/take/").startswith(f"{up.url}/leads/{lead}/")
        assert run(up, "SELECT name FROM crm_lead JOIN crm_user u ON u.id = owner_id") == [("Sofie",)]
        assert run(up, "SELECT count(*) FROM crm_followup") == [(0,)]
        assert run(up, f"SELECT count(*) > 0 FROM crm_touched WHERE lead_id = {lead}") == [(True,)]
    finally:
        broker.kill()  # `up` starts another one, and nothing that was asked for meanwhile is known to it.
    wait_for(lambda: fetch(f"{up.url}/readyz")[0] == 200, seconds=60, why="another broker")

    def came() -> bool:
        visitor.post("/language/", language="en", next="/")
        return run(up, "SELECT rule, lead_id FROM crm_followup") == [("first_answer", int(lead))]

    wait_for(came, seconds=90, why="the follow-up of what was done meanwhile")
    assert run(up, "SELECT count(*) FROM crm_touched") == [(0,)]
