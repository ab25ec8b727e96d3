"""Real calendar servers for tests, on this machine only: Radicale for CalDAV, and one that hands out whatever it is told."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError

import pytest

from tests.mail import PASSWORD, free_port

USER = "els"
RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/collections
[logging]
level = warning
"""
COLLECTION = (
    '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
    "<D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"
)


@dataclass
class CalDavServer:
    """A running Radicale with one account."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def calendar(self, name: str) -> str:
        return f"{self.url}{USER}/{name}/"

    def ask(self, method: str, url: str, body: str = "", kind: str = "text/calendar") -> int:
        request = urllib.request.Request(url, data=body.encode() or None, method=method)
        login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        request.add_header("Content-Type", f"{kind}; charset=utf-8")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)

    def make(self, name: str, *events: str) -> str:
        """A calendar with these events (lines of a VEVENT, with a UID)."""
        url = self.calendar(name)
        self.ask("MKCALENDAR", url, COLLECTION.format(name=name), "application/xml")
        for number, event in enumerate(events):
            self.put(name, f"{name}-{number}", event)
        return url

    def put(self, name: str, uid: str, event: str) -> None:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}"]
        lines += ["DTSTAMP:20260101T000000Z", "SUMMARY:Dentist", *event.splitlines(), "END:VEVENT", "END:VCALENDAR", ""]
        self.ask("PUT", f"{self.calendar(name)}{uid}.ics", "\r\n".join(lines))


@contextmanager
def radicale(folder: Path) -> Iterator[CalDavServer]:
    port, log = free_port(), folder / "radicale.log"
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    (folder / "config").write_text(RADICALE.format(port=port, folder=folder))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(folder / "config")],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        patience = time.monotonic() + 60
        while True:
            assert process.poll() is None, f"Radicale ended:\n{log.read_text()}"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/.web/", timeout=2).close()
                break
            except (URLError, OSError):
                assert time.monotonic() < patience, f"Radicale does not answer:\n{log.read_text()}"
                time.sleep(0.1)
        yield CalDavServer(port)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def caldav_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDavServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@dataclass
class WebServer:
    """Hands out `pages` (path to status, headers and content), and counts what it was asked."""

    port: int
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def page(self, path: str, text: str = "", *, status: int = 200, **headers: str) -> str:
        self.pages[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, text.encode())
        return self.url(path)


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    taker = WebServer(free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taker.asked.append((self.path, self.headers.get("Authorization", "")))
            status, headers, content = taker.pages.get(self.path, (404, {}, b"no"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_said: object) -> None:
            """Nothing on the terminal of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", taker.port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield taker
    server.shutdown()
    server.server_close()
    thread.join(5)
