"""What the pages do in a real browser: theme, keys, menus, the narrow header, and a lost connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from crm.models import Role, Team, User
from tests.conftest import PASSWORD
from tests.running import LiveStack, serious_barriers, sideways_scroll

pytestmark = [pytest.mark.browser, pytest.mark.stack]
_numbers = count(1)


@pytest.fixture
def member(stack_db: LiveStack) -> User:
    team, _ = Team.objects.get_or_create(name="The look")
    email = f"look{next(_numbers)}@kring.test"
    return User.objects.create_user(email, PASSWORD, name="Lotte van Hove", role=Role.ADMIN, team=team)


def come_in(page: Page, member: User) -> None:
    page.goto("/accounts/login/?next=/me/")
    page.locator("input[name=login]").fill(member.email or "")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/me/")


@pytest.fixture
def dark_page(browser: Browser, live_stack: LiveStack) -> Iterator[Page]:
    context = browser.new_context(base_url=live_stack.url, color_scheme="dark")
    yield context.new_page()
    context.close()


def test_the_chosen_theme_stays(page: Page, member: User) -> None:
    come_in(page, member)
    html = page.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "light")
    page.locator("details.menu summary:has(.avatar)").click()
    page.locator("details.menu").get_by_role("button", name="Dark").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.goto("/me/")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("main").get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_auto_follows_the_system(dark_page: Page) -> None:
    dark_page.goto("/accounts/login/")
    expect(dark_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert serious_barriers(dark_page) == []


def test_control_k_goes_to_the_search(page: Page, member: User) -> None:
    come_in(page, member)
    page.keyboard.press("Control+k")
    expect(page.locator("input[name=q]")).to_be_focused()


def test_escape_closes_the_menu_and_gives_the_focus_back(page: Page, member: User) -> None:
    come_in(page, member)
    summary = page.locator("details.menu summary:has(.avatar)")
    summary.click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert serious_barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_first_tab_skips_to_the_content(page: Page, member: User) -> None:
    come_in(page, member)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main#content")).to_be_focused()


def test_the_switch_changes_the_language(page: Page, member: User) -> None:
    come_in(page, member)
    page.locator("details.menu summary:has(.avatar)").click()
    page.locator("details.menu button[value=nl]").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert page.url.endswith("/me/")


def test_on_a_phone_the_header_opens_and_nothing_scrolls_sideways(phone: Page, member: User) -> None:
    come_in(phone, member)
    assert sideways_scroll(phone) == 0
    search, button = phone.locator("input[name=q]"), phone.locator("[data-toggle=nav]")
    expect(search).to_be_hidden()
    button.click()
    expect(search).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert sideways_scroll(phone) == 0
    assert serious_barriers(phone) == []
    button.click()
    expect(search).to_be_hidden()


def test_without_javascript_the_header_is_there(browser: Browser, live_stack: LiveStack, member: User) -> None:
    context = browser.new_context(
        base_url=live_stack.url, java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    come_in(page, member)
    expect(page.locator("input[name=q]")).to_be_visible()
    page.locator("input[name=name]").fill("Lotte zonder script")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("Your preferences are saved.")
    context.close()


def test_a_lost_connection_is_told_and_a_page_is_kept_for_it(page: Page, member: User) -> None:
    come_in(page, member)
    banner = page.locator("#offline")
    expect(banner).to_be_hidden()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    expect(banner).to_be_visible()
    page.goto("/me/")
    expect(page.locator("h1")).to_have_text("There is no connection")
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("h1")).to_have_text("My preferences")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_no_barriers(page: Page, member: User, theme: str) -> None:
    come_in(page, member)
    page.locator("main").get_by_role("button", name=theme).click()
    found = {}
    for where in ("/me/", "/accounts/password/change/", "/accounts/logout/", "/no/such/page/"):
        page.goto(where)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme.lower())
        found[where] = serious_barriers(page)
    assert not any(found.values()), found


def test_a_wrong_form_puts_the_focus_on_the_wrong_field(page: Page, member: User) -> None:
    come_in(page, member)
    zone = page.locator("input[name=time_zone]")
    zone.fill("Europe/Gent")
    page.get_by_role("button", name="Save").click()
    expect(zone).to_be_focused()
    expect(zone).to_have_attribute("aria-describedby", re.compile("id_time_zone_error"))
    assert serious_barriers(page) == []
