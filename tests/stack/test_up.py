"""`manage.py up` on data of its own: it stops completely, and nothing that is killed loses anything."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from embedded import Places
from tests.running import Up, fetch, lend_static, wait_for
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


def test_readyz_names_the_broker_that_is_away(up: Up) -> None:
    up.start("--no-demo")
    broker = next(process for process in up.processes() if process.name() == "valkey-server")
    broker.suspend()
    try:
        wait_for(lambda: fetch(f"{up.url}/readyz")[0] == 503, why="readyz to notice")
        status, text = fetch(f"{up.url}/readyz")
        assert status == 503
        assert '"broker": "the broker does not answer"' in text
        assert '"database": "ok"' in text
        assert fetch(f"{up.url}/healthz")[0] == 200
    finally:
        broker.resume()
