"""The list of people in a real browser: narrowed, kept, changed together and taken back, taken along; by telephone and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import Person, Role, User
from tests import make
from tests.running import DESKTOP, PHONE, LiveStack, serious_barriers, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.stack]
NewPage = Callable[..., Page]
_numbers = count(1)


@pytest.fixture
def seller(stack_db: LiveStack) -> User:
    number = next(_numbers)
    user = make.user(
        "Arjan Smit", Role.ACCOUNT_MANAGER, team=make.team(f"Lists {number}"), email=f"l{number}@lists.example"
    )
    for name in ("Ilse Maes", "Karim Boulhani", "Zita Aerts"):
        make.person(name, owner=user, phone="+32 9 225 25 25", at=timezone.now())
    return user


def tiers(user: User) -> list[str]:
    return sorted(Person.objects.filter(owner=user).values_list("tier", flat=True))


def test_a_list_is_narrowed_kept_changed_taken_back_and_taken_along(seller: User, new_page: NewPage) -> None:
    page = new_page()
    sign_in(page, seller.email, make.PASSWORD)
    page.goto("/people/")
    page.get_by_text("Filters and order").click()
    page.locator("#filter-owner").select_option("me")
    page.locator("#filter-contact").select_option("never")
    assert serious_barriers(page) == []
    page.locator(".list-fields-end button").click()
    expect(page.locator(".chip")).to_have_text(
        ["Never contacted Take this filter away", "Owner: me Take this filter away"]
    )
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Ring").check()
    page.locator(".menu-sheet").get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="Ring")).to_be_visible()

    page.locator("summary", has_text="Views").click()
    page.get_by_label("Keep what you see now as").fill("Mine, never spoken to")
    assert serious_barriers(page) == []
    page.get_by_role("button", name="Keep this view").click()
    expect(page.locator(".list-view[aria-current]")).to_have_text("Mine, never spoken to")

    page.get_by_label("Tick all on this page").check()
    expect(page.locator("[name=row]:checked")).to_have_count(3)
    page.get_by_label("Tick Zita Aerts").uncheck()
    page.get_by_label("With those ticked").select_option("tier")
    page.get_by_role("button", name="Change together").click()
    page.get_by_label("Tier").select_option("A")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_text("2 would change")).to_be_visible()
    assert serious_barriers(page) == []
    assert tiers(seller) == ["", "", ""]
    page.get_by_role("button", name="Change 2").click()
    expect(page.get_by_text("2 are changed.")).to_be_visible()
    assert tiers(seller) == ["", "A", "A"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 are as they were before.")).to_be_visible()
    assert tiers(seller) == ["", "", ""]

    page.get_by_role("link", name="Download").click()
    assert serious_barriers(page) == []
    page.get_by_label("Phone").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert len(download.value.path().read_text().splitlines()) == 4


@pytest.mark.parametrize("shape", [DESKTOP, PHONE])
def test_without_javascript_and_on_a_telephone(seller: User, new_page: NewPage, shape: dict[str, object]) -> None:
    page = new_page(shape | {"java_script_enabled": False})
    sign_in(page, seller.email, make.PASSWORD)
    page.goto("/people/?owner=me")
    page.get_by_label("All 3 that match, not only those ticked").check()
    page.get_by_label("With those ticked").select_option("tag")
    page.get_by_role("button", name="Change together").click()
    page.get_by_label("Tags").fill("fair")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_role("button", name="Change 3").click()
    assert Person.objects.filter(owner=seller, tags=["fair"]).count() == 3
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Tags").check()
    page.locator(".menu-sheet").get_by_role("button", name="Show").first.click()
    expect(page.get_by_text("fair").first).to_be_visible()
