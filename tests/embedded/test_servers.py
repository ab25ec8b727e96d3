"""The embedded servers on a folder of their own: found again, taken over, repaired, and never confused with somebody else's process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from embedded import Places, postgres, processes, servers, valkey
from tests.running import ROOT, wait_for
from tests.settings import SCRATCH

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not pytest's temporary folder: as root PostgreSQL is another user, who must reach its data."""
    path: Path = SCRATCH / "embedded"
    shutil.rmtree(path, ignore_errors=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def places(folder: Path) -> Iterator[Places]:
    here = Places(folder)
    yield here
    servers.stop(here)
    assert postgres.find(here) is None
    assert valkey.find(here) is None


def rows(places: Places, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(places.database_url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_starting_twice_is_starting_once(places: Places) -> None:
    servers.start(places)
    first = postgres.find(places), valkey.find(places)
    servers.start(places)
    assert (postgres.find(places), valkey.find(places)) == first


def test_two_who_start_at_the_same_time_share_one_server(places: Places) -> None:
    program = "import sys; from pathlib import Path; from embedded import Places, servers; servers.start(Places(Path(sys.argv[1])))"
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(subprocess.run, [sys.executable, "-c", program, str(places.folder)], cwd=ROOT, check=True, capture_output=True)
            for _ in range(2)
        ]  # fmt: skip
        for run in runs:
            run.result()
    assert len(processes.find_all(name="valkey-server", folder=places.valkey_data)) == 1


def test_what_was_committed_and_queued_survives_a_kill(places: Places) -> None:
    servers.start(places)
    rows(places, "CREATE TABLE IF NOT EXISTS kept (word text)")
    rows(places, "INSERT INTO kept VALUES ('promised')")
    with redis.Redis.from_url(places.redis_url()) as broker:
        broker.lpush("errands", "one")
        wait_for(lambda: broker.info("persistence")["aof_pending_bio_fsync"] == 0, why="the queue to be on disk")
    for server in (postgres.find(places), valkey.find(places)):
        assert server is not None
        server.kill()
        server.wait(5)
    servers.start(places)
    assert ("promised",) in rows(places, "SELECT word FROM kept")
    with redis.Redis.from_url(places.redis_url()) as broker:
        assert broker.lpop("errands") == b"one"


def test_a_pid_file_that_names_a_stranger_is_seen_through(places: Places) -> None:
    servers.start(places)
    pid_file = places.postgres_data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    servers.stop(places)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert postgres.find(places) is None
    servers.start(places)
    assert rows(places, "SELECT 1") == [(1,)]


def test_a_first_start_that_was_killed_half_way_is_begun_again() -> None:
    here = Places(SCRATCH / "half")
    shutil.rmtree(here.folder, ignore_errors=True)
    (here.postgres_data / "base").mkdir(parents=True)
    (here.postgres_data / "postgresql.conf").write_text("half a fi")
    try:
        servers.start(here, broker=False)
        assert rows(here, "SELECT 1") == [(1,)]
    finally:
        servers.stop(here)
        shutil.rmtree(here.folder, ignore_errors=True)


def test_nobody_else_can_walk_to_the_servers(places: Places) -> None:
    servers.start(places)
    for private in (places.postgres_sockets, places.postgres_data):
        assert private.stat().st_mode & 0o077 == 0
    assert places.valkey_socket.stat().st_mode & 0o077 == 0


def test_a_long_path_still_has_a_socket_that_fits() -> None:
    here = Places(SCRATCH / ("deep" * 30))
    assert len(str(here.postgres_sockets / ".s.PGSQL.5432")) <= 103
    assert here.sockets.is_relative_to(tempfile.gettempdir())
    assert Places(here.folder).sockets == here.sockets
    assert Places(SCRATCH / ("deep" * 31)).sockets != here.sockets


def test_a_register_ends_only_those_it_wrote_down(tmp_path: Path) -> None:
    register = processes.Register(tmp_path / "children.json")
    ours = subprocess.Popen(["sleep", "60"], start_new_session=True)
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        register.write([ours.pid])
        assert [process.pid for process in register.living()] == [ours.pid]
        processes.end(register.living(), by=signal.SIGTERM, patience=5)
        assert not psutil.pid_exists(ours.pid)
        assert other.poll() is None
        assert register.living() == []
    finally:
        other.kill()
        other.wait()


def test_a_number_given_to_another_program_since_is_not_ours(tmp_path: Path) -> None:
    register = processes.Register(tmp_path / "children.json")
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        born = psutil.Process(stranger.pid).create_time()
        register.file.write_text(f'{{"{stranger.pid}": {born - 3600}}}')
        assert register.living() == []
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_reached_by_a_link_is_the_same_folder(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    assert Places(link).postgres_data == Places(real).postgres_data
    assert Places(link).redis_url() == Places(real).redis_url()
