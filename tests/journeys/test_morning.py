"""The morning of an account manager, with the keyboard alone: log in, work through Today, keep the half hour, note what was said, read what
colleagues did, and log out. In a real browser on the running program, without one press of a mouse.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm import follow_ups
from crm.models import Deal, Event, EventKind, FollowUp, Notice, ProspectingItem, Role, User
from tests import make
from tests.journeys.steps import to_do
from tests.running import LiveStack, serious_barriers

pytestmark = [pytest.mark.browser, pytest.mark.stack]

FAR = 150
"""So many presses of Tab lead around the longest of these pages; what is further is not to be reached."""

WATCH = "addEventListener('pointerdown', () => sessionStorage.setItem('pressed', 'by mouse'), true)"


@pytest.fixture
def arjan(stack_db: LiveStack) -> User:
    """Six people wait to hear from him, of whom three are shown at once. Two stand in his half hour, and a colleague has told him something."""
    now = timezone.now()
    arjan = make.user("Arjan Ochtend", Role.ACCOUNT_MANAGER, email="arjan.ochtend@kring.test", most_follow_ups=3)
    for name in ("Anke Eerst", "Bert Tweede", "Cas Derde", "Dora Vierde", "Els Vijfde", "Fien Zesde"):
        deal = make.deal(arjan, at=now, person=make.person(name, at=now), buyer_amount=Decimal(1000))
        Deal.objects.filter(pk=deal.pk).update(next_step_on=timezone.localdate(now) - timedelta(days=20))
    follow_ups.refresh(at=now)
    make.prospecting_plan(arjan, days=list(range(7)))
    make.half_hour(arjan, make.person("Ilse Ochtend", at=now), make.person("Karim Ochtend", at=now), at=now)
    make.notice(arjan, at=now)
    return arjan


def walk(page: Page, there: Locator) -> None:
    """With Tab, as somebody without a mouse does, until that is where the keys go."""
    expect(there).to_be_visible()
    for _ in range(FAR):
        if there.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {there}.")


def press(page: Page, there: Locator) -> None:
    walk(page, there)
    page.keyboard.press("Enter")


def waiting(page: Page, people: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{people} waiting to hear from you.")


def test_the_morning_of_an_account_manager_with_the_keyboard_alone(arjan: User, page: Page) -> None:
    page.context.add_init_script(WATCH)
    rows = page.locator("#today [data-row]")
    _logs_in(page, arjan)
    _works_through_today(page, rows, arjan)
    _keeps_the_half_hour(page)
    _logs_what_was_said(page)
    _reads_the_bell(page, arjan)
    press(page, page.locator("summary", has_text="your menu"))
    press(page, page.get_by_role("button", name="Log out"))
    expect(page.get_by_label("E-mail address")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('pressed')") is None


def _logs_in(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    walk(page, page.locator("input[name=login]"))
    page.keyboard.type(user.email or "")
    walk(page, page.locator("input[name=password]"))
    page.keyboard.type(make.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url, timeout=30_000)
    waiting(page, "Six people are")


def _works_through_today(page: Page, rows: Locator, user: User) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Today by keyboard")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # Along the list, and into what its second line asks for; back on Today nothing is done that was not said to be.
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    name = rows.nth(0).get_attribute("aria-label") or ""
    page.keyboard.press("Enter")
    page.wait_for_url("**/mail/new/**")
    expect(page.locator("main")).to_contain_text(name)
    press(page, page.locator("#nav").get_by_role("link", name="Today"))
    waiting(page, "Six people are")

    page.keyboard.press("j")
    page.keyboard.press("d")
    waiting(page, "Five people are")
    page.keyboard.press("u")
    waiting(page, "Six people are")

    page.keyboard.press("j")
    page.keyboard.press("z")
    choices = page.locator("#today .menu-sheet:visible")
    expect(choices.get_by_role("button").nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(choices.get_by_role("button").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    waiting(page, "Five people are")
    later = FollowUp.objects.open().filter(owner=user, show_at__gt=timezone.now()).get()
    assert timezone.localtime(later.show_at).date() > timezone.localdate() + timedelta(days=1)

    page.keyboard.press("j")
    page.keyboard.press("n")
    page.keyboard.type("They called us")
    page.keyboard.press("Enter")
    waiting(page, "Four people are")
    said = Event.objects.get(by=user, kind=EventKind.FOLLOW_UP_NOT_NEEDED)
    assert (said.new or {})["why"] == "They called us"

    shown = rows.count()
    page.keyboard.press("l")
    expect(rows).to_have_count(4)
    page.wait_for_load_state()
    page.keyboard.press("l")
    expect(rows).to_have_count(shown)


def _keeps_the_half_hour(page: Page) -> None:
    press(page, page.get_by_role("button", name="Start 30:00"))
    expect(page.get_by_role("timer")).to_contain_text("29:")
    press(page, page.get_by_role("button", name=to_do("Done", "Call Ilse Ochtend")))
    expect(page.get_by_role("button", name=to_do("Undo", "Call Ilse Ochtend"))).to_be_focused()
    assert ProspectingItem.objects.get(people__full_name="Ilse Ochtend").done_at
    assert serious_barriers(page) == []


def _logs_what_was_said(page: Page) -> None:
    page.keyboard.press("c")
    expect(page.locator("#named")).to_be_focused()
    page.keyboard.type("Ilse Ochtend")
    press(page, page.locator("#choices").get_by_role("link", name=re.compile("Ilse Ochtend")))
    expect(page.get_by_label("What was said?")).to_be_focused()
    page.keyboard.type("She has two teams, and a third in spring.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#messages")).to_contain_text("Logged.")
    # The half hour goes on meanwhile, and the header says so.
    expect(page.locator("#half-hour-chip")).to_be_visible()


def _reads_the_bell(page: Page, user: User) -> None:
    bell = page.locator("#bell > summary")
    expect(bell).to_contain_text("1 unread")
    press(page, bell)
    told = page.locator("#bell-panel").get_by_role("button", name=re.compile("Ilse Maes"))
    expect(told).to_be_visible()
    assert serious_barriers(page) == []
    press(page, told)
    page.wait_for_url("**/promises/")
    expect(page.locator("#bell > summary")).not_to_contain_text("unread")
    assert not Notice.objects.filter(user=user, read_at__isnull=True).exists()
