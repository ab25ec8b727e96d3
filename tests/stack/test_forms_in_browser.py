"""Forms in a real browser: in a frame on the site that may show it and on no other, and put in order by hand on their settings screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from crm.models import CaptureForm, FormSubmission, Role, User
from tests import make
from tests.conftest import PASSWORD
from tests.running import LiveStack, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.stack]
Site = Callable[[str], str]


class Page200(BaseHTTPRequestHandler):
    html = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.html)

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def site() -> Iterator[Site]:
    """`site(html)` is the address of another site with that one page."""
    with ExitStack() as open_sites:

        def serve(html: str) -> str:
            server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Page200,), {"html": html.encode()}))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            open_sites.callback(server.server_close)
            open_sites.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield serve


def test_a_form_stands_in_a_frame_of_its_site_and_of_no_other(
    stack_db: LiveStack, browser: Browser, page: Page, site: Site
) -> None:
    frame = f'<iframe src="{stack_db.url}/f/framed/?embed=1" width="600" height="900"></iframe>'
    ours, theirs = site(frame), site(frame)
    form = make.form("framed", sites=[ours], is_double_opt_in=False)
    page.goto(ours)
    inside = page.frame_locator("iframe")
    inside.get_by_label("Your name").fill("Lotte Maes")
    inside.get_by_label("Your e-mail address").fill("lotte@framed.example")
    inside.get_by_role("button", name="Send").click()
    expect(inside.get_by_role("heading", level=1)).to_contain_text("Thank you")
    assert FormSubmission.objects.get(form=form).state == "taken"
    assert page.context.cookies() == [], "A stranger gets no cookie, in a frame neither."

    elsewhere = browser.new_page()
    refused: list[str] = []
    elsewhere.on("console", lambda said: refused.append(said.text))
    elsewhere.goto(theirs)
    elsewhere.wait_for_timeout(300)
    assert any("frame-ancestors" in words or "frame" in words for words in refused), refused
    expect(elsewhere.frame_locator("iframe").get_by_label("Your name")).to_have_count(0)
    elsewhere.close()


def test_fields_are_put_in_order_by_hand(stack_db: LiveStack, page: Page) -> None:
    admin = User.objects.create_user("forms@kring.test", PASSWORD, name="Anna Forms", role=Role.ADMIN)
    form: CaptureForm = make.form("ordered")
    sign_in(page, admin.email, PASSWORD)
    page.goto(f"/settings/forms/{form.pk}/")
    grips = page.locator(".reorder-grip")
    begin, goal = grips.nth(4).bounding_box(), grips.nth(0).bounding_box()
    assert begin
    assert goal
    page.mouse.move(begin["x"] + 5, begin["y"] + 5)
    page.mouse.down()
    page.mouse.move(begin["x"] + 5, begin["y"] - 20, steps=4)
    page.mouse.move(goal["x"] + 5, goal["y"] - 5, steps=10)
    page.wait_for_timeout(200)
    page.mouse.up()
    expect(page.locator("#fields strong").first).to_have_text("What would you like to know?")
    expect(page.locator("#preview .form-label").first).to_contain_text("What would you like to know?")
    assert form.form_fields.order_by("position").values_list("kind", flat=True)[0] == "message"
