"""Every screen of the relationship record is open to everybody: nothing that axe calls serious, nothing too wide for a telephone, in light and in
dark. And those on which Kring says no, each with its reason and without a way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect

from crm.models import Role
from tests.journeys.record import OVER, SCREENS, Record, clear, make_record, member
from tests.journeys.steps import Visitor
from tests.running import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.stack]
NewPage = Callable[..., Page]
_numbers = count(1)

# The browser of a test has no telephone: it would ask which program to open, and wait.
NO_TELEPHONE = """
const click = HTMLElement.prototype.click;
HTMLAnchorElement.prototype.click = function () { if (this.protocol !== "tel:") click.call(this); };
"""


@pytest.fixture
def record(stack_db: LiveStack) -> Iterator[Record]:
    number = next(_numbers)
    owner = member("Anneleen", Role.ADMIN, number)
    with the_key_of(stack_db):
        made = make_record(owner, number)
    yield made
    clear(owner)


def the_key_of(stack: LiveStack) -> Any:
    """What is signed here is read by the stack, which has a key of its own."""
    return override_settings(SECRET_KEY=stack.up.environment["KRING_SECRET_KEY"])


@pytest.mark.parametrize("half", [0, 1])
def test_every_screen_of_the_record_is_open_to_everybody(record: Record, new_page: NewPage, half: int) -> None:
    visitor = Visitor(new_page())
    page = visitor.page
    page.add_init_script(NO_TELEPHONE)
    visitor.comes_in(record.owner)
    for screen in SCREENS[half::2]:
        answer = page.goto(f"/{screen.format(**record.keys)}")
        assert answer, screen
        assert answer.ok or (screen in OVER and answer.status == 410), f"{screen} answered {answer.status}"
        visitor.looks_both_ways(screen)
    assert visitor.barriers == {}, report(visitor)


def report(visitor: Visitor) -> str:
    return "\n".join(f"{screen}:\n  " + "\n  ".join(found) for screen, found in visitor.barriers.items())


def test_what_opens_upon_a_click_is_open_to_everybody(record: Record, new_page: NewPage) -> None:
    """The screens that have no address of their own."""
    visitor = Visitor(new_page())
    page = visitor.page
    visitor.comes_in(record.owner)

    page.goto("/people/?owner=me")
    page.get_by_label("Tick all on this page").check()
    page.get_by_label("With those ticked").select_option("follow_up")
    page.get_by_role("button", name="Change together").click()
    visitor.looks_both_ways("change together")
    page.goto("/people/?owner=me")
    page.get_by_label("Tick all on this page").check()
    page.get_by_label("With those ticked").select_option("tag")
    page.get_by_role("button", name="Change together").click()
    page.get_by_label("Tags").fill("fair")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_text("would change")).to_be_visible()
    visitor.looks_both_ways("what would change")

    page.goto(f"/mail/new/?person={record.person.pk}&person={record.other.pk}")
    for field in page.locator("#letter input[type=text]").all():
        field.fill("The dates of March")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview article").first).to_be_visible()
    visitor.looks_both_ways("mail to several, seen before")

    page.goto(f"/conversations/{record.keys['said']}/")
    page.get_by_role("button", name="Keep private").click()
    expect(page.get_by_text("Only you read this.")).to_be_visible()
    visitor.looks_both_ways("a private conversation")

    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.locator("#search-panel [data-hit]").first).to_be_visible()
    visitor.looks("the search, empty")
    page.keyboard.type("log Vanderstraeten")
    expect(page.locator("#search-panel")).to_contain_text("Log a conversation with Charlotte")
    visitor.looks("the search")
    assert visitor.barriers == {}, report(visitor)
