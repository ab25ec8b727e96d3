"""Two people at the same moment, over HTTP, on the running program with its several processes: one wins, and the other is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from functools import partial
from http.cookiejar import CookieJar
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from django.utils import timezone

from crm import agenda
from crm.models import Appointment, Deal, Event, EventKind, HandOff, HandOffState, Lead, Person, Role
from tests import make
from tests.journeys.steps import soon
from tests.running import LiveStack

pytestmark = pytest.mark.stack

Answer = TypeVar("Answer")
ROUNDS = 5
"""One round may be won by luck; five are not."""


class Visitor:
    """A browser without a window: cookies, forms with their tokens, redirects followed."""

    def __init__(self, stack: LiveStack) -> None:
        self.url = stack.url
        self.cookies = CookieJar()
        self._open = build_opener(HTTPCookieProcessor(self.cookies)).open

    def get(self, path: str) -> str:
        with self._open(self.url + path, timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def post(self, path: str, form: dict[str, str]) -> tuple[str, str]:
        """Where it ended, and what it says there; a refusal's page as well."""
        token = next((cookie.value for cookie in self.cookies if cookie.name == "csrftoken"), "")
        body = urlencode(form | {"csrfmiddlewaretoken": token or ""}).encode()
        try:
            with self._open(self.url + path, body, timeout=30) as answer:
                return answer.url.removeprefix(self.url), answer.read().decode()
        except HTTPError as refused:
            return f"{refused.code}", refused.read().decode()

    def comes_in(self, email: str | None) -> None:
        self.get("/accounts/login/")
        there, _text = self.post("/accounts/login/", {"login": email or "", "password": make.PASSWORD})
        assert "/accounts/login" not in there


def at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    """What each of them got, having begun together."""
    start = threading.Barrier(len(acts))

    def begin(act: Callable[[], Answer]) -> Answer:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


def test_of_two_who_accept_the_same_hand_off_one_wins_and_the_other_reads_who(stack_db: LiveStack) -> None:
    team = make.team()
    sdr = make.user("Sofie Peeters", team=team)
    sellers = [make.user(name, Role.ACCOUNT_MANAGER, team=team) for name in ("Arjan Smit", "Bea Willems")]
    visitors = [Visitor(stack_db), Visitor(stack_db)]
    for visitor, seller in zip(visitors, sellers, strict=True):
        visitor.comes_in(seller.email)
    form = {"accept-next_step": "Call", "accept-next_step_on": soon(), "accept-name": "Workshop"}
    for _round in range(ROUNDS):
        offered = make.hand_off(sdr, sellers[0], at=timezone.now())
        where = f"/hand-offs/{offered.pk}/accept/"
        ends = at_once(*(partial(visitor.post, where, form) for visitor in visitors))

        deal = Deal.objects.get(lead=offered.lead_id)
        winner, loser = (0, 1) if deal.owner_id == sellers[0].pk else (1, 0)
        assert deal.owner_id == sellers[winner].pk
        assert ends[winner][0] == f"/deals/{deal.pk}/"
        there, text = ends[loser]
        assert there == f"/hand-offs/{offered.pk}/", "the second sees the hand-off as it is now"
        assert f"{sellers[winner].name} has accepted this hand-off already." in text
        assert HandOff.objects.get(pk=offered.pk).state == HandOffState.ACCEPTED
        accepted = Event.objects.filter(kind=EventKind.HAND_OFF_ACCEPTED, lead=offered.lead_id)
        assert accepted.count() == 1


def test_a_form_posted_twice_at_once_is_one_lead(stack_db: LiveStack) -> None:
    public = make.form()
    where = f"/f/{public.slug}/"
    for number in range(ROUNDS):
        visitors = [Visitor(stack_db) for _ in range(3)]
        page = visitors[0].get(where)
        message_id = re.search(r'name="message_id" value="([^"]+)"', page)
        assert message_id
        email = f"twice{number}@twice{public.pk}.example"
        form = {"name": "Lotte Verbeke", "email": email, "message": "Which dates?", "message_id": message_id[1]}
        ends = at_once(*(partial(visitor.post, where, form) for visitor in visitors))
        assert [there for there, _text in ends] == [f"{where}thanks/"] * 3, "each is thanked, none is told off"
        lead = Lead.objects.get(form=public, person__email_addresses__address=email)
        assert Person.objects.filter(email_addresses__address=email).count() == 1
        assert Event.objects.filter(kind=EventKind.LEAD_RECEIVED, lead=lead).count() == 1


def test_of_two_prospects_who_choose_one_time_one_has_it_and_the_other_chooses_again(stack_db: LiveStack) -> None:
    host = make.user("Arjan Smit", Role.ACCOUNT_MANAGER, working_days=list(range(7)))
    for number in range(ROUNDS):
        at = timezone.now()
        links = [make.booking_link(host, at=at) for _ in range(2)]
        moment = agenda.first_free([host], minutes=30, at=at + timedelta(days=number))[host.pk].astimezone(UTC)
        visitors = [Visitor(stack_db) for _ in links]
        form = {"at": moment.isoformat(), "zone": "Europe/Brussels"}
        posts = [
            partial(visitor.post, f"/book/{link.token}/", form) for visitor, link in zip(visitors, links, strict=True)
        ]
        texts = [text for _there, text in at_once(*posts)]
        assert sorted(("It is agreed" in text, "just before you" in text) for text in texts) == [
            (False, True),
            (True, False),
        ]
        assert Appointment.objects.filter(user=host, starts_at=moment).count() == 1
        assert not any(list(visitor.cookies) for visitor in visitors)
