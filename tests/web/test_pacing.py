"""The numbers of the guard: shown with what they mean, changed by an administrator, and never to nonsense."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Event, EventKind, PacingPolicy, User

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
SOUND = {
    "information_days": "5", "attempt_days": "1, 2;3", "colleague_days": "4", "quiet_from": "21:00", "quiet_until": "07:30"
}  # fmt: skip


def test_the_page_shows_the_numbers_that_hold_and_their_defaults(admin_user: User, login: Login) -> None:
    page = login(admin_user).get(reverse("crm:pacing")).content.decode()
    assert 'value="2, 4, 7, 14"' in page
    assert 'value="20:00"' in page
    assert "Usual: 3." in page


def test_an_administrator_changes_them(admin_user: User, login: Login) -> None:
    answer = login(admin_user).post(reverse("crm:pacing"), SOUND)
    assert answer.url == reverse("crm:pacing")  # type: ignore[attr-defined]
    policy = PacingPolicy.current()
    assert (policy.information_days, policy.attempt_days, policy.colleague_days) == (5, [1, 2, 3], 4)
    assert (policy.quiet_from, policy.quiet_until, policy.keeps_holidays) == (time(21), time(7, 30), False)
    assert Event.objects.get(kind=EventKind.PACING_CHANGED).by == admin_user
    login(admin_user).post(reverse("crm:pacing"), {**SOUND, "keeps_holidays": "on"})
    assert PacingPolicy.objects.get().keeps_holidays


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"attempt_days": "soon"}, "whole numbers of days"),
        ({"attempt_days": ",,"}, "whole numbers of days"),
        ({"attempt_days": "²"}, "whole numbers of days"),
        ({"attempt_days": "1,2,3,4,5,6,7,8,9,10,11"}, "Give the days after each try"),
        ({"attempt_days": "2, 400"}, "between 0 and 60"),
        ({"information_days": "61"}, "less than or equal to 60"),
        ({"colleague_days": "-1"}, "greater than or equal to 0"),
        ({"quiet_until": "21:00"}, "Quiet hours need an end"),
        ({"quiet_from": "late"}, "Enter a valid time"),
    ],
)
def test_nonsense_is_refused_in_words_and_kept_on_the_form(
    admin_user: User, login: Login, wrong: dict[str, str], said: str
) -> None:
    page = login(admin_user).post(reverse("crm:pacing"), SOUND | wrong).content.decode()
    assert said in page
    assert f'value="{next(iter(wrong.values()))}"' in page
    assert not PacingPolicy.objects.exists()
