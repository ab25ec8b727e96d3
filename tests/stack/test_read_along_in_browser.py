"""The script on somebody's own site, in a real browser: before consent nothing is kept, after it what was read goes along with the form, and who
takes it back is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crm.models import Lead, Touch
from tests import make
from tests.running import LiveStack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack]

PAGE = """<!doctype html><title>Our site</title><h1>Our site</h1><a href="/contact?utm_campaign=spring&utm_source=mail&x=1">Contact</a>
<script src="{kring}/read-along.js" defer></script>{below}"""
CONTACT = """<iframe src="{kring}/f/{slug}/?embed=1" width="500" height="900"></iframe>
<form id="plain" method="post" action="{kring}/f/{slug}/"><input type="hidden" name="reading"></form>
<form id="other" method="post" action="/elsewhere/"><input type="hidden" name="reading"></form>"""


class Site(ThreadingHTTPServer):
    """Another origin than Kring: its own port, and `localhost` instead of the number."""

    kring = slug = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        where = {"kring": self.server.kring, "slug": self.server.slug}
        below = CONTACT.format(**where) if self.path.startswith("/contact") else ""
        body = PAGE.format(below=below, **where).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: Any) -> None:
        """Quiet."""


@pytest.fixture
def site(stack_db: LiveStack) -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Pages) as server:
        server.kring = stack_db.url
        server.slug = make.form(sites=[server.url], least_seconds=0).slug
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=10)


def kept(page: Page) -> int:
    """How many things this site keeps in the browser, cookies included."""
    number: int = page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length")
    return number


def test_what_was_read_is_kept_after_consent_only_and_goes_along_with_the_form(site: Site, page: Page) -> None:
    guide = make.content("Planning guide", url=f"{site.url}/guide")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/guide")
    page.wait_for_function("window.kring")
    assert kept(page) == 0, "nobody agreed to anything yet"
    page.goto(f"{site.url}/contact")
    expect(page.locator("#plain [name=reading]")).to_have_value("")
    assert kept(page) == 0

    page.goto(f"{site.url}/guide")
    page.evaluate("kring.consent(true)")
    assert kept(page) == 1
    page.get_by_role("link", name="Contact").click()
    form = page.frame_locator("iframe")
    reading = form.locator("input[name=reading]")
    wait_for(lambda: "/guide" in reading.input_value(), why="the form in the frame knows what was read")
    assert "/guide" in page.locator("#plain [name=reading]").input_value()
    assert page.locator("#other [name=reading]").input_value() == "", "a form that is not ours is told nothing"

    form.get_by_label("Your name").fill("Lotte Verbeke")
    form.get_by_label("Your e-mail address").fill(f"lotte@read{site.server_port}.example")
    form.get_by_role("button", name="Send").click()
    wait_for(lambda: Lead.objects.filter(form__slug=site.slug).exists(), why="the lead")
    lead = Lead.objects.get(form__slug=site.slug)
    assert {touch.content for touch in Touch.objects.filter(person=lead.person)} == {guide}
    visits = {visit.which: visit for visit in lead.found_by.all()}
    assert visits["first"].content == guide
    assert (visits["last"].utm_campaign, visits["last"].utm_source) == ("spring", "mail")

    page.evaluate("kring.consent(false)")
    assert kept(page) == 0
    expect(page.locator("#plain [name=reading]")).to_have_value("")
    ours = (f"{site.url}/", site.kring)
    assert not [url for url in asked if not url.startswith(ours)], "and nobody else was called"
