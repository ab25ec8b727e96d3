"""`manage.py up`: all of Kring on this machine with one command, and every child stopped with it. It prepares (servers, migrations, demo
data, files for the browser), then runs web, worker, beat and mail and watches them. What a killed run left behind is found and put right."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import shlex
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from crm.management.commands.serve import web_command
from embedded import servers
from embedded.children import Children, GivenUp
from embedded.postgres import CannotStart as PostgresCannotStart
from embedded.valkey import CannotStart as ValkeyCannotStart

# A change in one of these starts web, worker and mail anew while somebody works on Kring.
WATCHED = ("config", "crm", "embedded", "qualification", "templates", "static", "locale")
WATCHED_KINDS = {".py", ".html", ".txt", ".css", ".js", ".svg", ".mo", ".toml"}


class Stopped(Exception):
    """Ctrl-C, or a signal that asks to stop."""


class Command(BaseCommand):
    help = "Starts everything Kring needs on this machine, and stops it again with Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default 127.0.0.1).")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="Port to listen on (default $PORT or 8000)."
        )
        parser.add_argument("--only", metavar="COMMAND", help="Prepare, run this one command of manage.py, and stop.")
        parser.add_argument("--no-demo", action="store_true", help="Load no demo data into an empty database.")
        parser.add_argument("--no-reload", action="store_true", help="Do not watch the files for changes.")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup` asks not to mind a closed terminal; it is heard.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._asked_to_stop)
        try:
            with self._the_only_one(waits=bool(options["only"])) as alone:
                self._run(options, alone=alone, begun=begun)
        except Stopped:
            self._say("Stopped. Nothing is lost; start again with: make run")
        except (PostgresCannotStart, ValkeyCannotStart, GivenUp) as failed:
            raise CommandError(str(failed)) from failed

    def _run(self, options: dict[str, Any], *, alone: bool, begun: float) -> None:
        children = Children(
            folder=settings.BASE_DIR,
            register=settings.VAR / "run" / "children.json",
            tell=self._say,
        )
        try:
            if alone:
                left = children.end_leftovers()
                if left:
                    self._say(f"Ended {left} processes that an earlier run left behind.")
            self._start_servers()
            self._migrate()
            if options["only"]:
                call_command(*shlex.split(options["only"]), stdout=self.stdout, stderr=self.stderr)
                return
            if not options["no_demo"]:
                self._load_demo_data()
            self._collect_files()
            self._require_port(options["host"], options["port"])
            connections.close_all()
            self._start_children(children, options["host"], options["port"])
            self._greet(options["host"], options["port"], time.monotonic() - begun)
            self._watch(children, reload=settings.EMBEDDED_DATABASE and not options["no_reload"])
        finally:
            # From here on a second Ctrl-C must not leave half of them running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if alone:
                connections.close_all()
                children.stop()
                servers.stop(settings.EMBEDDED, **_ours())

    # ---- Preparing -------------------------------------------------------------------------------------------------

    @contextmanager
    def _the_only_one(self, *, waits: bool) -> Iterator[bool]:
        """One `up` per data folder. The lock is the system's and ends with the process, however it ends. `--only` beside a running
        `up` uses its servers and leaves them running: it is not alone."""
        (settings.VAR / "run").mkdir(parents=True, exist_ok=True)
        with (settings.VAR / "run" / "up.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waits:
                    yield False
                    return
                raise CommandError(
                    f"Kring already runs on {settings.VAR}. Stop it first, or give this one a KRING_VAR of its own."
                ) from None
            yield True

    def _start_servers(self) -> None:
        if settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS:
            self._step("Starting the servers")
            servers.start(settings.EMBEDDED, **_ours())

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            self._step(f"Bringing the database up to date ({len(waiting)} migrations)")
            call_command("migrate", interactive=False, verbosity=0)

    def _load_demo_data(self) -> None:
        """Once, and never into a database on a server of somebody's own."""
        if not settings.EMBEDDED_DATABASE or "seed" not in get_commands() or get_user_model().objects.exists():
            return
        self._step("Loading the demo data")
        # Its own greeting repeats ours.
        call_command("seed", stdout=StringIO(), stderr=self.stderr)

    def _collect_files(self) -> None:
        """Files for the browser get their hashed and compressed copies, again only when one of them changed."""
        if settings.DEBUG:
            return
        mark = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list([]):
                found = Path(storage.path(path)).stat()
                mark.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
        stamp = settings.STATIC_ROOT / ".stamp"
        if stamp.exists() and stamp.read_text() == mark.hexdigest():
            return
        self._step("Preparing the files for the browser")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(mark.hexdigest())

    def _require_port(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as taken:
                raise CommandError(
                    f"Port {port} is taken by another program. Choose another one: PORT={port + 1} make run"
                ) from taken

    # ---- Running ---------------------------------------------------------------------------------------------------

    def _start_children(self, children: Children, host: str, port: int) -> None:
        """The web server first and alone: on a small machine the first page comes sooner."""
        self._step("Starting web, worker, beat and mail")
        log = settings.VAR / "log"
        celery = [sys.executable, "-m", "celery", "-A", "config"]
        children.start("web", web_command(host, port), log=log / "web.log")
        self._await_first_page(children, host, port)
        children.start(
            "worker",
            [*celery, "worker", "--concurrency", "1", "--loglevel", "INFO",
             "--without-gossip", "--without-mingle", "--without-heartbeat"],
            log=log / "worker.log",
        )  # fmt: skip
        children.start("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile="], log=log / "beat.log")
        # One program for both: it waits for news of mailboxes, and takes in what is forwarded.
        children.start("mail", [sys.executable, "manage.py", "watch_mailboxes", "--receive"], log=log / "mail.log")

    def _await_first_page(self, children: Children, host: str, port: int) -> None:
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            children.watch()
            try:
                visitor = http.client.HTTPConnection(host, port, timeout=5)
                visitor.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0]})
                if visitor.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise GivenUp(f"The web server does not answer.\n{children.children['web'].last_words()}")

    def _watch(self, children: Children, *, reload: bool) -> None:
        seen = _files_of(settings.BASE_DIR) if reload else {}
        while True:
            time.sleep(1)
            if gone := servers.missing(settings.EMBEDDED, **_ours()):
                self._say(f"{' and '.join(gone)} stopped. Starting again; what was committed is kept.")
                servers.start(settings.EMBEDDED, **_ours())
            children.watch()
            now = _files_of(settings.BASE_DIR) if reload else {}
            if now != seen:
                changed = sorted(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path))
                seen = now
                self._say(f"{changed[0]} changed: starting web, worker and mail anew.")
                self._collect_files()
                children.restart(["web", "worker", "mail"])

    # ---- Words -----------------------------------------------------------------------------------------------------

    def _greet(self, host: str, port: int, seconds: float) -> None:
        self._say(f"\nKring is up after {seconds:.1f} s:  http://{host}:{port}/\n")
        for role, email, password in _demo_logins():
            self._say(f"  {role:<16} {email:<32} {password}")
        self._say(f"\nLogs are in {settings.VAR / 'log'}. Ctrl-C stops everything.")

    def _step(self, words: str) -> None:
        self._say(f"{words} …")

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        raise Stopped


def _ours() -> dict[str, bool]:
    """Which servers are embedded, and so ours to start and stop."""
    return {"database": settings.EMBEDDED_DATABASE, "broker": settings.EMBEDDED_REDIS}


def _demo_logins() -> list[tuple[str, str, str]]:
    """Role, e-mail address and password of the demo's people, when they are in this database."""
    if get_commands().get("seed") != "crm":
        return []
    logins: list[tuple[str, str, str]] = getattr(import_module("crm.management.commands.seed"), "LOGINS", [])
    known = set(
        get_user_model().objects.filter(email__in=[email for _, email, _ in logins]).values_list("email", flat=True)
    )
    connections.close_all()
    return [login for login in logins if login[1] in known]


def _files_of(root: Path) -> dict[str, int]:
    """The watched files with their time of change; an editor's leftovers and compiled Python do not count."""
    found = {}
    for top in WATCHED:
        for folder, _folders, names in os.walk(root / top):
            for name in names:
                if os.path.splitext(name)[1] in WATCHED_KINDS:
                    path = os.path.join(folder, name)
                    try:
                        found[os.path.relpath(path, root)] = os.stat(path).st_mtime_ns
                    except FileNotFoundError:
                        continue
    return found
