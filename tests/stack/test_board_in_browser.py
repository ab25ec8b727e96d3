"""The board in a real browser: dragged, moved by keyboard, refused and put back, with the content security policy on; and the screens of deals
and the circle without barriers, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm import deals, pipelines
from crm.models import Deal, Role, Stage, User
from tests import make
from tests.conftest import PASSWORD
from tests.running import PHONE, LiveStack, serious_barriers, sideways_scroll, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.stack]
_numbers = count(1)


@pytest.fixture
def seller(stack_db: LiveStack) -> User:
    number = next(_numbers)
    return User.objects.create_user(
        f"board{number}@kring.test", PASSWORD, name=f"Joris Board{number}", role=Role.ACCOUNT_MANAGER, team=make.team()
    )


@pytest.fixture
def deal(seller: User) -> Deal:
    now = timezone.now()
    make.deal(seller, at=now, name="Another deal", next_step_on=timezone.localdate(now))
    return make.deal(seller, at=now, name="Planning suite", buyer_amount=24500)


@pytest.fixture
def stages(deal: Deal) -> list[Stage]:
    return list(pipelines.ensure_default().stages.all())


def card(page: Page, deal: Deal) -> Locator:
    return page.locator(f"#card-{deal.pk}")


def column(page: Page, stage: Stage) -> Locator:
    return page.locator(f".board-cards[data-stage='{stage.pk}']")


def drag(page: Page, what: Locator, where: Callable[[], Locator]) -> None:
    """By mouse, in steps, as a hand does. The goal is looked up on the way, since some appear only then."""
    begin = what.locator(".board-views").bounding_box()
    assert begin
    page.mouse.move(begin["x"] + 20, begin["y"] + 5)
    page.mouse.down()
    page.mouse.move(begin["x"] + 40, begin["y"] + 20, steps=4)
    goal = where().bounding_box()
    assert goal
    page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 25, steps=12)
    page.wait_for_timeout(200)
    page.mouse.up()


def test_a_card_is_dragged_and_the_sums_follow(page: Page, seller: User, deal: Deal, stages: list[Stage]) -> None:
    sign_in(page, seller.email, PASSWORD)
    page.goto("/deals/")
    drag(page, card(page, deal), lambda: column(page, stages[1]))
    expect(page.locator("#board-said")).to_have_text(f"Planning suite now stands in {stages[1].name}.")
    expect(column(page, stages[1]).locator(f"#card-{deal.pk}")).to_be_visible()
    expect(page.locator(".board-sums").nth(1)).to_contain_text("24")
    expect(page.locator(".board-column-head .badge").nth(1)).to_have_text("1")
    deal.refresh_from_db()
    assert deal.stage == stages[1]
    # The new board can be dragged too.
    drag(page, card(page, deal), lambda: column(page, stages[2]))
    expect(column(page, stages[2]).locator(f"#card-{deal.pk}")).to_be_visible()


def test_a_refused_card_goes_back_and_says_why(page: Page, seller: User, deal: Deal, stages: list[Stage]) -> None:
    sign_in(page, seller.email, PASSWORD)
    page.goto("/deals/")
    somebody = make.user("Somebody Else", Role.ACCOUNT_MANAGER, team=make.team())
    Deal.objects.filter(pk=deal.pk).update(owner=somebody)
    drag(page, card(page, deal), lambda: column(page, stages[1]))
    expect(page.locator("#messages")).to_contain_text("only its owner, their team and managers")
    expect(column(page, stages[0]).locator(f"#card-{deal.pk}")).to_be_visible()
    expect(page.locator("#board-said")).to_have_text("That did not work. The card is back where it was.")


def test_the_menu_moves_it_by_keyboard_and_keeps_the_focus(
    page: Page, seller: User, deal: Deal, stages: list[Stage]
) -> None:
    sign_in(page, seller.email, PASSWORD)
    page.goto("/deals/")
    card(page, deal).locator("summary").focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(column(page, stages[1]).locator(f"#card-{deal.pk}")).to_be_visible()
    expect(card(page, deal).locator("summary")).to_be_focused()


def test_dropped_on_won_it_asks_first(page: Page, seller: User, deal: Deal) -> None:
    sign_in(page, seller.email, PASSWORD)
    page.goto("/deals/")
    drag(page, card(page, deal), lambda: page.locator(".board-end").first)
    page.wait_for_url(f"**/deals/{deal.pk}/win/")
    deal.refresh_from_db()
    assert deal.is_open
    page.get_by_role("button", name="Yes, it is won").click()
    expect(page.locator("#deal")).to_contain_text("The order is the first milestone")
    page.get_by_role("link", name="Ask for a referral").click()
    page.get_by_role("button", name="I asked").click()
    expect(page.locator("#referral")).to_contain_text("What did they answer?")


@pytest.mark.parametrize("shape", ["desk", "phone"])
def test_its_screens_have_no_barriers(new_page: Callable[..., Page], seller: User, deal: Deal, shape: str) -> None:
    won = make.won_deal(seller, at=timezone.now())
    referral = make.referral(seller, at=timezone.now(), deal=won)
    lost = make.deal(seller, at=timezone.now())
    deals.lose(deal=lost, reason="price", by=seller, at=timezone.now())
    page = new_page(PHONE) if shape == "phone" else new_page()
    sign_in(page, seller.email, PASSWORD)
    for address in (
        "/deals/",
        "/deals/list/",
        "/deals/new/",
        f"/deals/new/?organisation={deal.organisation_id}",
        f"/deals/{deal.pk}/",
        f"/deals/{won.pk}/",
        f"/deals/{lost.pk}/",
        f"/deals/{deal.pk}/win/",
        f"/deals/{deal.pk}/lose/",
        "/circle/",
        "/circle/?show=customers",
        "/circle/?show=advocates",
        "/circle/?show=referrals",
        "/circle/referrals/new/",
        f"/circle/referrals/new/?deal={won.pk}",
        f"/circle/referrals/{referral.pk}/",
    ):
        page.goto(address)
        assert (address, serious_barriers(page), sideways_scroll(page)) == (address, [], 0)
