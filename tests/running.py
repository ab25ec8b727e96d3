"""The running program for tests: `live_stack` is `manage.py up` itself (web, worker, beat) on a database of its own, `page` and `phone` are a
real Chromium looking at it. Nothing here is a stand-in: what a journey shows is what a user gets."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from django.conf import global_settings, settings
from django.db import connections
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from embedded import postgres
from tests.settings import BROKER_DATABASES, SCRATCH, SLOT

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**values: str) -> dict[str, str]:
    """The environment of a program of its own: the real settings, nothing of the tests' but what is named."""
    ours = ("KRING_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PORT", "PYTEST_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return kept | {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"} | values


def fetch(url: str) -> tuple[int, str]:
    """Status and text of one GET, whatever the status; 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError as nobody:
        return 0, str(nobody)


def wait_for(what: Callable[[], Any], *, seconds: float = 30, why: str = "it") -> Any:
    """The first true answer of `what`, asked again and again."""
    patience = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > patience:
            raise AssertionError(f"Waited {seconds:.0f} s in vain for {why}.")
        time.sleep(0.1)


class Up:
    """One `manage.py up` in a process of its own."""

    def __init__(self, var: Path, **values: str) -> None:
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(KRING_VAR=str(var), PORT=str(self.port), **values)
        self.output = var / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, seconds: float = 300) -> None:
        """Afterwards it serves; how long that took is in `seconds_to_first_page`."""
        self.var.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-reload", *options],
                cwd=ROOT, env=self.environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        greeted = self.words().count("Kring is up")

        def up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"`up` ended:\n{self.words()}"
            return self.words().count("Kring is up") > greeted and fetch(f"{self.url}/healthz")[0] == 200

        wait_for(up, seconds=seconds, why=f"`up` to serve; so far it said:\n{self.words()}")
        self.seconds_to_first_page = time.monotonic() - begun

    def words(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Every living process of this run: `up`, its children and theirs, the servers included."""
        mark = f"KRING_VAR={self.var}"
        found = []
        for process in psutil.process_iter():
            try:
                ours = mark in (f"{key}={value}" for key, value in process.environ().items())
                if process.status() != psutil.STATUS_ZOMBIE and (ours or str(self.var) in " ".join(process.cmdline())):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def child(self, word: str) -> psutil.Process:
        """The child whose command holds `word`: granian, worker or beat."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # One that was killed a moment ago has no command any more.
                if word in process.cmdline():
                    return process
        raise AssertionError(f"No {word} among the children of `up`.")

    def stop(self, number: int, *, seconds: float = 40) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(seconds)


def lend_static(var: Path) -> None:
    """Collecting and compressing the files for the browser takes seconds: who has none starts with those of the live stack. `up` and `collectstatic`
    see for themselves whether one of them has changed since."""
    collected = SCRATCH / "stack" / "static"
    if collected.exists() and not (var / "static").exists():
        shutil.copytree(collected, var / "static")


@dataclass
class LiveStack:
    """The stack that journeys walk through. `database()` lets the test's own process write to the stack's database, committed at once."""

    up: Up
    name: str

    @property
    def url(self) -> str:
        return self.up.url

    @contextmanager
    def database(self) -> Iterator[None]:
        default = connections["default"]
        usual = default.settings_dict["NAME"]
        default.close()
        default.settings_dict["NAME"] = self.name
        try:
            yield
        finally:
            default.close()
            default.settings_dict["NAME"] = usual

    def manage(self, *command: str) -> str:
        """Runs `manage.py <command>` on the stack's database and gives what it printed."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=self.up.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def kill_worker(self) -> None:
        """SIGKILL to the worker and its pool, in the middle of whatever it does. `up` starts another one after a second."""
        worker = self.up.child("worker")
        for process in [worker, *worker.children(recursive=True)]:
            process.kill()

    def outbox(self) -> list[str]:
        """The mails that the stack has sent, oldest first."""
        return [mail.read_text() for mail in sorted((self.up.var / "mail").glob("*"), key=os.path.getmtime)]


@pytest.fixture(scope="session")
def live_stack(running_servers: None) -> Iterator[LiveStack]:
    """Web, worker and beat on a fresh, migrated, otherwise empty database."""
    name = f"kring_stack_{SLOT}"
    places = settings.EMBEDDED
    if not settings.EMBEDDED_DATABASE or not settings.EMBEDDED_REDIS:
        pytest.fail("The journeys make a database of their own: unset DATABASE_URL and REDIS_URL for them.")
    postgres.drop_database(places, name)
    postgres.create_database(places, name)
    var = SCRATCH / "stack"
    shutil.rmtree(var / "mail", ignore_errors=True)
    (var / "up.log").unlink(missing_ok=True)
    up = Up(
        var,
        DATABASE_URL=places.database_url(name),
        REDIS_URL=places.redis_url(BROKER_DATABASES * SLOT + 1),
        KRING_SECRET_KEY=secrets.token_hex(40),
    )
    with redis.Redis.from_url(up.environment["REDIS_URL"]) as broker:
        broker.flushdb()
    up.start()
    # Its first page reads all templates and addresses, which on a busy machine takes longer than a visitor of a test waits.
    wait_for(lambda: fetch(f"{up.url}/accounts/login/")[0] == 200, seconds=60, why="the first page")
    yield LiveStack(up, name)
    up.stop(15)
    left = up.processes()
    assert not left, f"`up` left behind: {left}"


@pytest.fixture
def stack_db(live_stack: LiveStack, django_db_blocker: Any) -> Iterator[LiveStack]:
    """For this test the ORM and the verbs work on the stack's database, and what they write is committed: the browser sees it.
    Passwords are hashed as the stack hashes them, which does not know the tests' cheap way."""
    honest = override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS)
    with django_db_blocker.unblock(), live_stack.database(), honest:
        yield live_stack


# ---- A browser -----------------------------------------------------------------------------------------------------


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    raise pytest.fail.Exception("The browser tests need Chromium. `make test` installs it, or says how.")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session; each page gets a context (cookies, storage) of its own."""
    # Playwright keeps an event loop in this thread; the ORM is used between its calls, never within one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        yield opened
        opened.close()


@contextmanager
def _looking(browser: Browser, stack: LiveStack, shape: dict[str, Any]) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, locale="en-GB", timezone_id="Europe/Brussels", **shape)
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not wrong, "The browser complained:\n" + "\n".join(wrong)


@pytest.fixture
def page(browser: Browser, live_stack: LiveStack) -> Iterator[Page]:
    """A desktop window, 1280 wide. A script error or a breach of the content security policy fails the test."""
    with _looking(browser, live_stack, DESKTOP) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, live_stack: LiveStack) -> Iterator[Page]:
    """A phone, 390 wide."""
    with _looking(browser, live_stack, PHONE) as opened:
        yield opened


@pytest.fixture
def new_page(browser: Browser, live_stack: LiveStack) -> Iterator[Callable[..., Page]]:
    """`new_page()` opens one more visitor with cookies of its own; `new_page(PHONE)` on a phone."""
    opened = []

    def another(shape: dict[str, Any] = DESKTOP) -> Page:
        looking = _looking(browser, live_stack, shape)
        opened.append(looking)
        return looking.__enter__()

    yield another
    for looking in reversed(opened):
        looking.__exit__(None, None, None)


def sign_in(page: Page, email: str | None, password: str) -> None:
    """Through the login page, as a person does."""
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(email or "")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)


# A colour that is still on its way is no colour of ours, so what moves is brought to its end first.
LOOK_WITH_AXE = """() => {
    for (const moving of document.getAnimations())
        if (Number.isFinite(moving.effect.getComputedTiming().endTime)) moving.finish();
    window.axeFound = null;
    axe.run(document, {resultTypes: ["violations"]}).then(
        (found) => { window.axeFound = {barriers: found.violations}; },
        (error) => { window.axeFound = {failed: String(error)}; },
    );
}"""


def serious_barriers(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is now, each with the elements it concerns."""
    if not AXE.exists():
        pytest.fail("axe-core is missing. `make test` fetches it.")
    # Through the debugger's door: the page's own policy rightly refuses foreign scripts.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    page.evaluate(LOOK_WITH_AXE)
    # One long call into a page that is busy has no bound of its own: axe leaves what it found in the window, and is given so long.
    outcome = page.wait_for_function("() => window.axeFound", timeout=60_000).json_value()
    assert "failed" not in outcome, outcome
    found = outcome["barriers"]
    return [
        f"{barrier['id']} ({barrier['impact']}): {barrier['help']}\n    "
        + "\n    ".join(
            json.dumps(node["target"]) + f" {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
            for node in barrier["nodes"][:4]
        )
        for barrier in found
        if barrier["impact"] in {"serious", "critical"}
    ]


def sideways_scroll(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 is right."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider
