"""Each role lands on its own screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import User

Login = Callable[[User], Client]


@pytest.mark.parametrize(
    ("who", "screen"),
    [
        ("sdr", "crm:inbox"),
        ("account_manager", "crm:today"),
        ("manager", "crm:dashboard"),
        ("admin_user", "crm:settings"),
    ],
)
def test_each_role_lands_on_its_own_screen(request: pytest.FixtureRequest, login: Login, who: str, screen: str) -> None:
    answer = login(request.getfixturevalue(who)).get("/home/")
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse(screen))


@pytest.mark.django_db
def test_a_stranger_lands_on_the_login(client: Client) -> None:
    assert client.get("/home/").headers["Location"] == "/accounts/login/?next=/home/"


def test_it_is_only_for_looking(login: Login, sdr: User) -> None:
    assert login(sdr).post("/home/").status_code == 405
