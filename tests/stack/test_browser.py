"""The browser, the running stack and the way between them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from crm.models import Role, Team, User
from tests.conftest import PASSWORD
from tests.running import LiveStack, serious_barriers, sideways_scroll, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def test_a_stranger_is_shown_the_way_in(page: Page) -> None:
    page.goto("/deals/")
    assert "/accounts/login/" in page.url
    assert serious_barriers(page) == []


def test_the_way_in_fits_a_phone(phone: Page) -> None:
    phone.goto("/accounts/login/")
    assert sideways_scroll(phone) == 0


def test_two_visitors_do_not_share_a_login(stack_db: LiveStack, new_page: Callable[..., Page]) -> None:
    team = Team.objects.create(name="The two visitors")
    User.objects.create_user("visitor@kring.test", PASSWORD, name="Vera Visser", role=Role.SDR, team=team)
    known, stranger = new_page(), new_page()
    sign_in(known, "visitor@kring.test", PASSWORD)
    stranger.goto("/")
    assert "/accounts/login/" in stranger.url
    assert "/accounts/login/" not in known.url
