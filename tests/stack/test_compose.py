"""The compose file without a Docker engine: it keeps to the specification, and the very commands that it names run, answer their health
checks and refuse what they must, on the embedded servers."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from django.conf import settings

from embedded import postgres
from tests.running import ROOT, environment, fetch, free_port, lend_static, wait_for
from tests.settings import BROKER_DATABASES, SCRATCH, SLOT

pytestmark = pytest.mark.stack

OURS = ("web", "worker", "beat", "mail")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_file_keeps_to_the_compose_specification() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_every_program_has_a_health_check_and_waits_for_what_it_needs() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"postgres", "valkey", *OURS}
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
    for name in OURS:
        assert all(need["condition"] == "service_healthy" for need in services[name]["depends_on"].values()), name
    assert services["worker"]["depends_on"].keys() == services["beat"]["depends_on"].keys() == {"web"}


def test_data_lives_in_named_volumes() -> None:
    named = COMPOSE["volumes"].keys()
    for name in ("postgres", "valkey"):
        (volume,) = COMPOSE["services"][name]["volumes"]
        assert volume.split(":")[0] in named


def test_the_image_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM ") for line in lines) >= 2
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    assert "USER kring" in lines[last:]
    assert not any(line.startswith(("ADD ", "COPY --from=build --chown=kring")) for line in lines)


class Containers:
    """The programs of the compose file, each in its environment, with the embedded servers in the place of the containers'."""

    def __init__(self, var: Path, database: str) -> None:
        places = settings.EMBEDDED
        self.var = var
        self.port = free_port()
        self.environment = environment(
            KRING_VAR=str(var),
            KRING_SECRET_KEY=secrets.token_hex(40),
            DATABASE_URL=places.database_url(database),
            REDIS_URL=places.redis_url(BROKER_DATABASES * SLOT + 2),
            PORT=str(self.port),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **values: str) -> subprocess.Popen[bytes]:
        self.var.mkdir(parents=True, exist_ok=True)
        (self.var / "run").mkdir(exist_ok=True)
        with (self.var / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                COMPOSE["services"][name]["command"],
                cwd=ROOT, env=self.environment | values, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.running[name] = process
        return process

    def log(self, name: str) -> str:
        return (self.var / f"{name}.log").read_text()

    def healthy(self, name: str) -> bool:
        """The answer of the health check that the compose file names."""
        test = COMPOSE["services"][name]["healthcheck"]["test"][1:]
        return subprocess.run(test, cwd=ROOT, env=self.environment, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def containers(running_servers: None) -> Iterator[Containers]:
    database = f"kring_compose_{SLOT}"
    postgres.drop_database(settings.EMBEDDED, database)
    postgres.create_database(settings.EMBEDDED, database)
    var = SCRATCH / "compose"
    # The image collects its files while it is built; here the stack's are as good.
    lend_static(var)
    ours = Containers(var, database)
    with redis.Redis.from_url(ours.environment["REDIS_URL"]) as broker:
        broker.flushdb()
    yield ours
    for process in ours.running.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_web_does_not_serve_when_it_cannot_migrate(containers: Containers) -> None:
    nowhere = settings.EMBEDDED.database_url("kring_that_does_not_exist")
    process = containers.start("web", DATABASE_URL=nowhere)
    assert process.wait(60) != 0
    assert fetch(f"http://127.0.0.1:{containers.port}/healthz")[0] == 0


def test_the_programs_run_answer_their_checks_and_stop(containers: Containers) -> None:
    ready = f"http://127.0.0.1:{containers.port}/readyz"
    containers.start("web")
    assert not containers.healthy("web"), "it is migrating"
    wait_for(lambda: fetch(ready)[0] == 200, seconds=90, why="web to serve")
    assert containers.healthy("web")
    containers.start("worker")
    containers.start("beat")
    containers.start("mail")
    wait_for(lambda: " ready." in containers.log("worker"), seconds=60, why="the worker to be ready")
    assert containers.healthy("worker")
    assert containers.healthy("beat")
    wait_for(lambda: containers.healthy("mail"), seconds=30, why="the watcher of mailboxes to look")
    for name in OURS:
        containers.running[name].terminate()
    for name in OURS:
        assert containers.running[name].wait(30) in {0, -signal.SIGTERM}, containers.log(name)
    assert not containers.healthy("worker")


def test_programs_that_write_nothing_down_are_not_healthy(containers: Containers) -> None:
    for name, trace in (("beat", "beat-schedule*"), ("mail", "mail-alive")):
        for file in (containers.var / "run").glob(trace):
            os.utime(file, (0, 0))
        assert not containers.healthy(name)
