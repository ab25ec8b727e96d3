"""The production stack for one run of the bench: embedded servers, files for the browser, and the web server with two processes."""

from __future__ import annotations

import fcntl
import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections

from crm.management.commands.serve import web_command
from embedded import Places, servers
from embedded.children import Children


@contextmanager
def running_servers(places: Places, tell: Callable[[str], None]) -> Iterator[Children]:
    """PostgreSQL and Valkey answer; at the end, however it comes, neither they nor anything else that was started lives."""
    (places.folder / "run").mkdir(parents=True, exist_ok=True)
    with (places.folder / "run" / "bench.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        children = Children(folder=settings.BASE_DIR, register=places.folder / "run" / "children.json", tell=tell)
        children.end_leftovers()
        try:
            servers.start(places)
            yield children
        finally:
            connections.close_all()
            children.stop()
            servers.stop(places)


def serve(children: Children, places: Places) -> int:
    """The web server answers on the port that is returned, on loopback."""
    _collect_files()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    log = places.folder / "log" / "web.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    children.start("web", web_command("127.0.0.1", port), log=log)
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        children.watch()
        try:
            visitor = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            visitor.request("GET", "/healthz")
            if visitor.getresponse().status == 200:
                return port
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The web server does not answer.\n{children.children['web'].last_words()}")


def _collect_files() -> None:
    """The manifest of hashed names is newer than every file it names."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    newest = max(
        Path(storage.path(path)).stat().st_mtime for finder in get_finders() for path, storage in finder.list([])
    )
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        call_command("collectstatic", interactive=False, verbosity=0)
