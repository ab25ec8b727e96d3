"""The clock of the half hour in a real browser: it counts while a page of Kring is open, stops with the last one, pauses, and is put right."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import ProspectingBlock, Role
from tests import make
from tests.conftest import PASSWORD
from tests.running import LiveStack, serious_barriers, sideways_scroll, sign_in, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack]

# Whether a space stands between what is seen and what is only read aloud is the browser's to say.
DONE, UNDO = re.compile("Done ?: Call Ilse Klok"), re.compile("Undo ?: Call Ilse Klok")


def test_the_clock_counts_while_a_page_is_open_and_the_day_is_put_right(stack_db: LiveStack, page: Page) -> None:
    now = timezone.now()
    user = make.user("Noor Klok", Role.SDR, email="noor.klok@kring.test", password=PASSWORD)
    make.prospecting_plan(user, days=list(range(7)))
    ilse = make.person("Ilse Klok", at=now)
    block = make.half_hour(user, ilse, make.person("Karim Klok", at=now), at=now)

    def measured() -> int:
        return ProspectingBlock.objects.values_list("measured_seconds", flat=True).get(pk=block.pk)

    sign_in(page, user.email, PASSWORD)
    page.goto("/")
    page.get_by_role("button", name="Start 30:00").press("Enter")
    clock = page.get_by_role("timer")
    expect(clock).to_contain_text("29:5")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    assert serious_barriers(page) == []

    # Another page of Kring goes on with it: the one that was left says its last seconds, the new one shows them in the header.
    page.goto(f"/people/{ilse.pk}/")
    expect(page.get_by_role("timer")).to_contain_text("29:")
    expect(page.locator("#half-hour-chip")).to_be_visible()
    wait_for(lambda: measured() >= 2, why="the beat of the page that was left")
    assert serious_barriers(page) == []

    # The page closes: the last beat comes, and after it nothing is counted.
    page.goto("about:blank")
    last = wait_for(measured, why="the last beat")
    page.wait_for_timeout(2500)
    counted = measured()
    assert counted - last <= 2
    page.wait_for_timeout(1500)
    assert measured() == counted

    ProspectingBlock.objects.filter(pk=block.pk).update(beat_at=now - timedelta(minutes=5))
    page.goto("/")
    expect(page.locator("#half-hour")).to_contain_text("The page was closed, so the clock stood still.")
    page.locator("#half-hour-main").click()
    expect(page.get_by_role("timer")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#half-hour")).to_contain_text("paused")
    assert measured() - counted <= 3

    page.get_by_role("button", name=DONE).click()
    expect(page.get_by_role("button", name=UNDO)).to_be_focused()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("link", name="correct today").click()
    page.get_by_label("Minutes that I spent").fill("25")
    page.get_by_role("button", name="Correct the minutes").click()
    expect(page.get_by_role("table")).to_contain_text("25*")
    assert serious_barriers(page) == []


def test_at_the_end_of_its_minutes_the_clock_rests_in_every_tab_and_goes_on_when_asked(
    stack_db: LiveStack, page: Page
) -> None:
    now = timezone.now()
    user = make.user("Joris Klok", Role.SDR, email="joris.klok@kring.test", password=PASSWORD)
    make.prospecting_plan(user, days=list(range(7)))
    block = make.half_hour(user, make.person("Cas Klok", at=now), at=now, measured_seconds=1790)
    sign_in(page, user.email, PASSWORD)
    page.goto("/")
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_role("button", name="Start").click()
    expect(other.get_by_role("timer")).to_be_visible()
    for tab in (page, other):
        expect(tab.locator("#half-hour")).to_contain_text("Half an hour. Well done", timeout=20_000)
    block.refresh_from_db()
    assert not block.is_running
    assert 1798 <= block.measured_seconds <= 1803
    other.close()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("timer")).to_contain_text("+00:")


def test_the_card_and_the_weeks_fit_a_phone(stack_db: LiveStack, phone: Page) -> None:
    now = timezone.now()
    user = make.user("Els Klok", Role.SDR, email="els.klok@kring.test", password=PASSWORD)
    make.prospecting_plan(user)
    make.half_hour(user, make.person("Dirk van den Allerlangste-Achternaam tot Oudewater", at=now), at=now)
    sign_in(phone, user.email, PASSWORD)
    for address in ("/", "/prospecting/", "/prospecting/plan/"):
        phone.goto(address)
        assert sideways_scroll(phone) == 0
        assert serious_barriers(phone) == []
