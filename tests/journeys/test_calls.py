"""A call in a real browser: the guard, the number, how it ended, and what was said with a promise; with the keyboard, by telephone and without
JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import Attempt, Conversation, Person, Promise, PromiseSide, Role, User
from tests import make
from tests.running import DESKTOP, PHONE, LiveStack, serious_barriers, sign_in, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack]
NewPage = Callable[..., Page]
_numbers = count(1)

# The browser of a test has no telephone: it would ask which program to open, and wait.
NO_TELEPHONE = """
const click = HTMLElement.prototype.click;
HTMLAnchorElement.prototype.click = function () { if (this.protocol === "tel:") window.rang = this.href; else click.call(this); };
"""


@pytest.fixture
def seller(stack_db: LiveStack) -> User:
    number = next(_numbers)
    return make.user(
        "Arjan Smit", Role.ACCOUNT_MANAGER, team=make.team(f"Calls {number}"), email=f"c{number}@calls.example"
    )


@pytest.fixture
def person(seller: User) -> Person:
    person = make.person(f"Ilse Maes{seller.pk}", owner=seller, phone="+32 9 225 25 25", at=timezone.now())
    make.promise(
        person,
        by=seller,
        side=PromiseSide.THEIRS,
        text="Ask her sister",
        due_on=timezone.localdate() + timedelta(days=3),
        at=timezone.now(),
    )
    return person


def ring(page: Page) -> None:
    """Whatever the hour at which the test runs: when the guard says that it is too soon, there is a reason."""
    why = page.get_by_label("Why call all the same?")
    if why.count():
        why.fill("She asked me to")
        page.get_by_role("button", name="Call all the same").click()
    else:
        page.get_by_role("button", name="Call +32 9 225 25 25").click()


def test_a_call_becomes_a_conversation_with_a_promise(seller: User, person: Person, new_page: NewPage) -> None:
    page = new_page()
    page.add_init_script(NO_TELEPHONE)
    sign_in(page, seller.email, make.PASSWORD)
    page.goto(f"/people/{person.pk}/")
    page.get_by_role("main").get_by_role("link", name="Call", exact=True).click()
    expect(page.get_by_role("link", name="Ask her sister")).to_be_visible()
    assert serious_barriers(page) == []
    ring(page)
    expect(page.get_by_role("heading", name="How did it end?")).to_be_visible()
    rang = wait_for(lambda: page.evaluate("window.rang"), seconds=10, why="the page to dial")
    assert rang == "tel:+3292252525"
    assert serious_barriers(page) == []
    page.keyboard.press("s")
    expect(page.get_by_label("What was said?")).to_be_focused()
    page.keyboard.type("She wants two shifts.")
    page.get_by_role("textbox", name="Next step").fill("Call about the hall")
    page.locator("[name=next_step_on]").fill((timezone.localdate() + timedelta(days=9)).isoformat())
    page.get_by_text("Was something promised?").click()
    page.get_by_label("We promised").first.fill("Send the plan")
    page.locator("[name=ours_due]").fill((timezone.localdate() + timedelta(days=2)).isoformat())
    assert serious_barriers(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Logged. It stands on the timeline.")).to_be_visible()
    said = Conversation.objects.get(people=person)
    assert (said.summary, said.attempt.outcome) == ("She wants two shifts.", "spoke")
    assert Promise.objects.get(person=person, side=PromiseSide.OURS).text == "Send the plan"
    expect(page.locator("#timeline")).to_contain_text("She wants two shifts.")
    expect(page.locator("main")).to_contain_text("last contact today, by Arjan")
    expect(page.locator("#promises")).to_contain_text("Send the plan")
    expect(page.locator("#next")).to_contain_text("Call about the hall")
    page.goto("/")
    expect(page.get_by_role("link", name=f"{person}: Send the plan")).to_be_visible()


def test_the_key_logs_from_anywhere_and_finds_who_else_was_there(
    seller: User, person: Person, new_page: NewPage
) -> None:
    make.person(f"Zita Aerts{seller.pk}", owner=seller, at=timezone.now())
    page = new_page()
    sign_in(page, seller.email, make.PASSWORD)
    page.goto("/me/")
    page.keyboard.press("c")
    expect(page.get_by_role("searchbox", name="Name")).to_be_focused()
    page.keyboard.type(f"Maes{seller.pk}")
    page.get_by_role("link", name=f"Ilse Maes{seller.pk}").first.click()
    page.get_by_text("Somebody else was there").click()
    page.get_by_label("Find them by name or e-mail").fill(f"Aerts{seller.pk}")
    page.get_by_role("checkbox", name=f"Zita Aerts{seller.pk}").check()
    page.get_by_label("What was said?").fill("All three of us.")
    page.get_by_role("button", name="Log it").last.click()
    expect(page.get_by_text("Logged. It stands on the timeline.")).to_be_visible()
    assert Conversation.objects.get(people=person).people.count() == 2


@pytest.mark.parametrize("shape", [DESKTOP, PHONE])
def test_without_javascript_and_on_a_telephone(
    seller: User, person: Person, new_page: NewPage, shape: dict[str, object]
) -> None:
    page = new_page(shape | {"java_script_enabled": False})
    sign_in(page, seller.email, make.PASSWORD)
    page.goto(f"/people/{person.pk}/call/")
    ring(page)
    page.get_by_label("A note").fill("rang long")
    page.get_by_role("button", name="No answer").click()
    expect(page.get_by_text("Noted: no answer.")).to_be_visible()
    attempt = Attempt.objects.get(person=person)
    assert (attempt.outcome, attempt.note) == ("no_answer", "rang long")
    assert not Conversation.objects.filter(people=person).exists()
