"""A visitor of the site: logs in as a person does, and waits for the last byte of every answer. No connection is made within a measured time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from itertools import cycle
from urllib.parse import urlencode, urlsplit

CONNECTIONS = 6
"""Open connections, used in turn, so that both processes of the web server are heard; one request at a time."""


class Wrong(RuntimeError):
    """The site did not answer as it should; the message says what it said."""


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last byte read."""

    status: int
    seconds: float
    body: bytes
    location: str


class Lines:
    """The open connections to one server."""

    def __init__(self, port: int) -> None:
        self._all = [HTTPConnection("127.0.0.1", port, timeout=120) for _ in range(CONNECTIONS)]
        for line in self._all:
            line.connect()
        self._turns = cycle(self._all)
        self.current = self._all[0]

    def turn(self) -> None:
        """The next requests go through the next connection."""
        self.current = next(self._turns)

    def close(self) -> None:
        for line in self._all:
            line.close()


class Visitor:
    """One browser with its cookies."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, said: dict[str, str], **headers: str) -> Answer:
        """The answer to the post alone, be it a part for htmx or a redirect."""
        return self._ask("POST", path, urlencode(said).encode(), headers)

    def post_and_follow(self, path: str, said: dict[str, str]) -> Answer:
        """What somebody without htmx waits for: the redirect and the page behind it."""
        first = self.post(path, said)
        if first.status not in (302, 303):
            raise Wrong(f"POST {path} answered {first.status} and no redirect.")
        there = urlsplit(first.location)
        second = self.get(there.path + (f"?{there.query}" if there.query else ""))
        return Answer(second.status, first.seconds + second.seconds, second.body, "")

    def log_in(self, email: str, password: str) -> None:
        page = self.get("/accounts/login/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        if token is None:
            raise Wrong(f"The login page answered {page.status} without a form.")
        answer = self.post(
            "/accounts/login/",
            {"login": email, "password": password, "csrfmiddlewaretoken": token[1].decode()},
        )
        if answer.status != 302 or "sessionid" not in self.cookies:
            raise Wrong(f"{email} could not log in: {answer.status}.")

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        sent = {"Accept": "text/html", "Accept-Encoding": "gzip, br"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            sent["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        line = self.lines.current
        begun = time.perf_counter()
        line.request(method, path, body, sent)
        answer = line.getresponse()
        read = answer.read()
        seconds = time.perf_counter() - begun
        for header in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return Answer(answer.status, seconds, read, answer.headers.get("Location", ""))
