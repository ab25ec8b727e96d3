"""Today by keyboard and the dashboard with its charts, in a real browser on the running stack."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm import follow_ups
from crm.models import Deal, FollowUp, Role, User
from tests import make
from tests.conftest import PASSWORD
from tests.running import LiveStack, serious_barriers, sideways_scroll, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def somebody(name: str, role: Role, address: str) -> User:
    return make.user(name, role, email=address, password=PASSWORD)


def waiting(owner: User, *names: str) -> None:
    """So many people who wait since five days, in this order."""
    now = timezone.now()
    for place, name in enumerate(names):
        deal = make.deal(
            owner,
            at=now,
            person=make.person(name, at=now),
            buyer_amount=Decimal(1000),
            next_step_on=now.date() + timedelta(days=1),
        )
        Deal.objects.filter(pk=deal.pk).update(next_step_on=(now - timedelta(days=20 - place)).date())
    follow_ups.refresh(at=now)


def test_today_is_done_by_keyboard_alone(stack_db: LiveStack, page: Page) -> None:
    arjan = somebody("Arjan Keys", Role.ACCOUNT_MANAGER, "arjan.keys@kring.test")
    waiting(arjan, "Anke Eerst", "Bert Tweede", "Cas Derde")
    sign_in(page, arjan.email, PASSWORD)
    page.goto("/")
    expect(page.locator("h1")).to_contain_text("Three people are waiting to hear from you.")
    assert serious_barriers(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("not needed, with the reason if you like")
    assert serious_barriers(page) == []
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("d")
    expect(page.locator("h1")).to_contain_text("Two people are waiting to hear from you.")
    assert str(FollowUp.objects.get(owner=arjan, outcome="done").person) == "Bert Tweede"
    expect(page.locator("[data-row]").nth(1)).to_be_focused()  # Who took its place.
    page.keyboard.press("u")
    expect(page.locator("h1")).to_contain_text("Three people are waiting to hear from you.")
    expect(page.locator("#messages [data-undo]")).to_have_count(0)
    assert serious_barriers(page) == []

    page.keyboard.press("z")
    expect(page.locator(".menu-sheet:visible button").first).to_be_focused()
    assert serious_barriers(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Two people are waiting to hear from you.")
    page.keyboard.press("n")
    page.keyboard.type("They called us")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("One person is waiting to hear from you.")
    assert FollowUp.objects.filter(owner=arjan, outcome="not_needed").count() == 1
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("h1")).to_contain_text("Two people are waiting to hear from you.")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/(people/\d+/call|mail/new)/"))


def test_today_renews_itself_and_leaves_who_works_there_in_peace(stack_db: LiveStack, page: Page) -> None:
    dina, bea = (
        somebody(name, Role.ACCOUNT_MANAGER, f"{name}@kring.test".replace(" ", ".").lower())
        for name in ("Dina Renew", "Bea Renew")
    )
    waiting(dina, "Anke Eerst", "Bert Tweede")
    sign_in(page, dina.email, PASSWORD)
    page.goto("/")
    look = "htmx.trigger('#today-watch', 'lookAgain')"
    first, second = FollowUp.objects.filter(owner=dina).order_by("show_at")
    page.locator(f"#follow-up-{second.pk}").focus()
    page.evaluate("window.node = document.activeElement")

    follow_ups.done(follow_up=first, by=bea, at=timezone.now())
    page.evaluate(look)
    expect(page.locator("h1")).to_contain_text("One person is waiting to hear from you.")
    expect(page.locator(f"#follow-up-{first.pk}")).to_have_count(0)
    assert page.evaluate("window.node === document.activeElement && window.node.isConnected")
    with page.expect_response("**/now/**") as answer:
        page.evaluate(look)
    assert answer.value.status == 204  # The same as before: nothing is touched.

    page.keyboard.press("n")
    page.keyboard.type("They are on hol")
    follow_ups.reopen(follow_up=first, by=bea, at=timezone.now())
    page.evaluate(look)
    page.keyboard.type("iday")
    expect(page.locator("[data-not-needed]:visible")).to_have_value("They are on holiday")
    page.keyboard.press("Escape")
    page.evaluate(look)
    expect(page.locator(f"#follow-up-{first.pk}")).to_be_visible()


def test_what_can_be_taken_back_stays_ten_seconds_and_as_long_as_somebody_is_at_it(
    stack_db: LiveStack, page: Page
) -> None:
    eef = somebody("Eef Undo", Role.ACCOUNT_MANAGER, "eef.undo@kring.test")
    waiting(eef, "Anke Eerst", "Bert Tweede")
    sign_in(page, eef.email, PASSWORD)
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("d")
    undo = page.locator("#messages [data-undo]")
    expect(undo).to_be_visible()
    clock = "document.querySelector('.fading').getAnimations()[0]"
    assert page.evaluate(f"{clock}.effect.getTiming().duration") == 10_000
    undo.focus()
    assert page.evaluate(f"{clock}.playState") == "paused"
    page.locator("[data-row]").first.focus()
    assert page.evaluate(f"{clock}.playState") == "running"
    page.evaluate(f"{clock}.finish()")
    expect(undo).to_have_count(0)


def test_today_fits_a_phone(stack_db: LiveStack, phone: Page) -> None:
    els = somebody("Els Phone", Role.ACCOUNT_MANAGER, "els.phone@kring.test")
    waiting(els, "Dirk van den Allerlangste-Achternaam tot Oudewater", "Eva Kort")
    sign_in(phone, els.email, PASSWORD)
    phone.goto("/")
    assert sideways_scroll(phone) == 0
    assert serious_barriers(phone) == []


def test_the_dashboard_draws_its_charts_and_its_numbers_open_lists(stack_db: LiveStack, page: Page) -> None:
    mieke = somebody("Mieke Charts", Role.MANAGER, "mieke.charts@kring.test")
    waiting(somebody("Fons Charts", Role.ACCOUNT_MANAGER, "fons.charts@kring.test"), "Greet Charts")
    make.lead(at=timezone.now(), origin="search")
    sign_in(page, mieke.email, PASSWORD)
    page.goto("/health/")
    page.get_by_role("button", name="Read it now").click()
    expect(page.locator("#messages")).to_contain_text("new findings")
    assert serious_barriers(page) == []

    page.goto("/dashboard/")
    expect(page.locator("[data-chart=forecast] canvas")).to_be_visible()
    expect(page.locator("[data-chart=funnel] canvas")).to_be_visible()
    expect(page.locator("#report table")).to_be_visible()
    assert serious_barriers(page) == []
    page.locator("#report").get_by_role("link", name="Months").click()
    expect(page.locator("#report h2")).to_have_text("Month by month")
    page.locator("#period").select_option("year")
    expect(page.locator("#report")).to_contain_text("31 Dec")
    expect(page.locator("#report h2")).to_have_text("Month by month")
    page.get_by_role("link", name="This quarter, said by buyers").click()
    expect(page.locator("h1")).to_have_text("This quarter, said by buyers")
    assert sideways_scroll(page) == 0


def test_the_dashboard_fits_a_phone(stack_db: LiveStack, phone: Page) -> None:
    mieke = somebody("Mieke Phone", Role.MANAGER, "mieke.phone@kring.test")
    make.lead(at=timezone.now(), origin="search")
    sign_in(phone, mieke.email, PASSWORD)
    phone.goto("/dashboard/")
    expect(phone.locator("#report table")).to_be_visible()
    expect(phone.locator("[data-chart=funnel] canvas")).to_be_visible()
    assert sideways_scroll(phone) == 0
