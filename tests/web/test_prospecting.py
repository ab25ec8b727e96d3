"""The half hour on the screen: the card of Today in each of its states, the timer, the weeks and the plan. Each sees their own alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm import prospecting
from crm.models import FollowUp, ProspectingBlock, ProspectingItem, ProspectingPlan, User
from tests import make
from tests.make import AT
from tests.rules import known, refresh

Login = Callable[[User], Client]

TODAY = AT.date()
PLAN = {"days": [0, 1, 2, 3, 4], "starts_at": "08:30", "minutes": "30", "ways": ["revive", "outbound"], "is_on": "yes"}


@pytest.fixture(autouse=True)
def monday_morning() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def seen(client: Client, address: str = "/", **more: Any) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def days_ago(number: int) -> datetime:
    return AT - timedelta(days=number)


def later(client: Client, seconds: int, address: str) -> Any:
    with time_machine.travel(AT + timedelta(seconds=seconds), tick=False):
        return client.post(address)


# ---- The card ------------------------------------------------------------------------------------------------------


def test_who_never_made_a_plan_is_invited_and_nothing_begins_by_itself(login: Login, sdr: User) -> None:
    page = seen(login(sdr))
    assert "Plan my half hour" in page
    assert not ProspectingBlock.objects.exists()
    assert not ProspectingPlan.objects.exists()


def test_who_leads_and_does_not_prospect_is_not_asked_to(login: Login, manager: User) -> None:
    assert "half-hour-title" not in seen(login(manager))


def test_before_it_is_proposed_a_button_has_it_now(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    client = login(sdr)
    assert "Propose it now" in seen(client)
    client.post("/prospecting/propose/")
    assert ProspectingBlock.objects.get().day == TODAY


def test_on_a_day_off_it_says_when_the_next_one_is(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr, days=[2])
    page = seen(login(sdr))
    assert "None is planned for today. The next one is" in page
    assert "Wednesday" in page
    make.absence(sdr, at=AT, days=30)
    assert "None is planned for today." in seen(login(sdr))
    assert "Wednesday" not in seen(login(sdr)).partition('id="half-hour"')[2].partition("</section>")[0]


def test_what_fits_is_said_with_its_why_and_a_button_to_start(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    make.half_hour(sdr, make.person("Ilse Maes"), make.person("Karim Boulhani"))
    page = seen(login(sdr))
    assert "08:30–09:00" in page
    assert "two small things that fit" in page
    assert "Call Ilse Maes" in page
    assert "last contact" in page.lower()
    assert 'Start <span class="number ms-1">30:00</span>' in page


def test_when_nobody_was_found_it_says_so_and_can_look_again(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    make.half_hour(sdr)
    page = seen(login(sdr))
    assert "Kring found nobody today" in page
    assert "Look again" in page


def test_the_week_is_said_against_what_the_plan_makes_of_it(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    make.half_hour(sdr, make.person(), measured_seconds=93 * 60)
    make.half_hour(sdr, make.person(), day=days_ago(7).date(), measured_seconds=30 * 60)
    assert "This week 1 h 33 of 2 h 30" in seen(login(sdr))


def test_what_was_left_is_said_and_taken_along_only_by_the_button(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    before = make.half_hour(sdr, make.person("Anke Smeets"), day=days_ago(3).date(), at=days_ago(3))
    make.half_hour(sdr, make.person("Karim Boulhani"))
    client = login(sdr)
    page = seen(client)
    assert "One thing stayed open" in page
    assert "Take along" in page
    assert ProspectingItem.objects.count() == 2
    client.post(f"/prospecting/things/{before.items.get().pk}/take-along/")
    assert [str(item.people.get()) for item in ProspectingItem.objects.filter(block__day=TODAY)] == [
        "Karim Boulhani",
        "Anke Smeets",
    ]
    assert "stayed open" not in seen(client)


def test_the_card_takes_as_many_queries_for_many_things_as_for_one(login: Login, sdr: User, teammate: User) -> None:
    def queries(user: User) -> int:
        client = login(user)
        with CaptureQueriesContext(connection) as sent:
            assert (
                client.get("/prospecting/", headers={"HX-Request": "true", "HX-Target": "half-hour"}).status_code == 200
            )
        return len(sent)

    for user, number in ((sdr, 1), (teammate, 6)):
        make.prospecting_plan(user)
        make.half_hour(user, *[make.person() for _ in range(number)])
        make.half_hour(user, *[make.person() for _ in range(number)], day=days_ago(3).date())
    few = queries(sdr)
    assert queries(teammate) == few
    assert few <= 30


# ---- The timer -----------------------------------------------------------------------------------------------------


def test_the_minutes_are_those_in_which_the_page_spoke(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    block = make.half_hour(sdr, make.person())
    client = login(sdr)
    address = f"/prospecting/{block.pk}"
    client.post(f"{address}/start/")
    assert later(client, 15, f"{address}/beat/").json() == {"running": True, "spent": 15, "until": 1800}
    assert later(client, 15, f"{address}/beat/").json()["spent"] == 15
    assert later(client, 30, f"{address}/pause/").status_code == 302
    assert later(client, 45, f"{address}/beat/").json() == {"running": False, "spent": 30, "until": 1800}
    page = seen(client)
    assert 'Go on <span class="number ms-1">29:30</span>' in page


def test_a_page_that_was_closed_stopped_the_clock_and_it_goes_on_by_one_press(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    block = make.half_hour(sdr, make.person())
    client = login(sdr)
    client.post(f"/prospecting/{block.pk}/start/")
    later(client, 20, f"/prospecting/{block.pk}/beat/")
    with time_machine.travel(AT + timedelta(minutes=20), tick=False):
        page = seen(client)
        assert "The page was closed, so the clock stood still." in page
        assert 'data-half-hour="paused"' in page
        client.post(f"/prospecting/{block.pk}/start/")
        assert 'data-half-hour="running"' in seen(client)
    block.refresh_from_db()
    assert block.measured_seconds == 20


def test_after_the_minutes_of_the_plan_it_says_well_done_and_may_go_on(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    block = make.half_hour(sdr, make.person(), started_at=AT, beat_at=AT, measured_seconds=1799)
    client = login(sdr)
    assert "Half an hour. Well done; you may go on or stop." in seen(client)
    client.post(f"/prospecting/{block.pk}/start/")
    page = seen(client)
    assert "Well done" not in page.partition('id="half-hour"')[2].partition("</section>")[0]
    assert 'data-until="3600"' in page
    client.post(f"/prospecting/{block.pk}/end/")
    page = seen(client)
    assert "done for today" in page
    assert "correct today" in page


def test_without_javascript_the_buttons_count_within_the_bound_alone_and_it_says_how_to_put_that_right(
    login: Login, sdr: User
) -> None:
    block = make.half_hour(sdr, make.person())
    client = login(sdr)
    assert "Without JavaScript" not in seen(client)
    client.post(f"/prospecting/{block.pk}/start/")
    assert "Without JavaScript" in seen(client)
    later(client, 60, f"/prospecting/{block.pk}/pause/")
    later(client, 120, f"/prospecting/{block.pk}/start/")
    later(client, 1500, f"/prospecting/{block.pk}/end/")
    block.refresh_from_db()
    assert block.measured_seconds == 60
    assert f'<a href="/prospecting/{block.pk}/">put the minutes right</a>' in seen(client)
    client.post(f"/prospecting/{block.pk}/", {"minutes": "25"})
    page = seen(client)
    assert "today corrected: 25" in page
    assert "Without JavaScript" not in page


def test_htmx_gets_the_card_alone_and_a_plain_form_the_page(login: Login, sdr: User) -> None:
    block = make.half_hour(sdr, make.person())
    client = login(sdr)
    answer = client.post(
        f"/prospecting/{block.pk}/start/", headers={"HX-Request": "true", "HX-Target": "half-hour"}
    ).content.decode()
    assert answer.lstrip().startswith('<section class="card mb-3 half-hour"')
    assert 'role="timer"' in answer
    assert client.post(f"/prospecting/{block.pk}/pause/").headers["Location"] == "/"


# ---- The things ----------------------------------------------------------------------------------------------------


def test_a_thing_is_done_left_out_and_taken_back(login: Login, sdr: User) -> None:
    block = make.half_hour(sdr, make.person("Ilse Maes"), make.person("Karim Boulhani"))
    one, other = block.items.all()
    client = login(sdr)
    client.post(f"/prospecting/things/{one.pk}/done/")
    client.post(f"/prospecting/things/{other.pk}/leave-out/", {"why": "He is moving house"})
    page = seen(client)
    assert "Left out: He is moving house" in page
    assert "Everything here is done or left out." in page
    client.post(f"/prospecting/things/{one.pk}/undo/")
    client.post(f"/prospecting/things/{other.pk}/undo/")
    assert not ProspectingItem.objects.exclude(done_at=None, left_out_at=None).exists()


def test_what_the_half_hour_holds_is_not_on_the_list_as_well_and_is_done_there(login: Login, sdr: User) -> None:
    ilse = known("Ilse Maes", sdr, "A", spoken=days_ago(60))
    refresh()
    client = login(sdr)
    assert client.get("/").context["things"] == 1
    item = make.half_hour(sdr, ilse).items.get()
    assert client.get("/").context["things"] == 0
    client.post(f"/prospecting/things/{item.pk}/leave-out/")
    assert client.get("/").context["things"] == 1
    client.post(f"/prospecting/things/{item.pk}/undo/")
    assert client.get("/").context["things"] == 0
    client.post(f"/prospecting/things/{item.pk}/done/")
    assert FollowUp.objects.get(person=ilse).outcome == "done"


def test_a_conversation_that_is_logged_marks_its_thing_and_comes_back_to_today(login: Login, sdr: User) -> None:
    ilse = make.person("Ilse Maes")
    item = make.half_hour(sdr, ilse).items.get()
    client = login(sdr)
    address = f"/conversations/new/?person={ilse.pk}&item={item.pk}"
    assert f"/conversations/new/?person={ilse.pk}&amp;item={item.pk}" in seen(client)
    answer = client.post(
        address,
        {
            "people": [ilse.pk],
            "kind": "call",
            "direction": "both",
            "when": "2026-11-23T10:00",
            "summary": "She knows one.",
        },
    )
    assert answer.headers["Location"] == "/"
    item.refresh_from_db()
    assert item.done_at == AT
    assert item.conversation is not None
    assert item.conversation.summary == "She knows one."


def test_what_a_verb_refuses_is_said_on_the_page(login: Login, sdr: User) -> None:
    item = make.half_hour(sdr, make.person()).items.get()
    client = login(sdr)
    client.post(f"/prospecting/things/{item.pk}/leave-out/")
    answer = client.post(f"/prospecting/things/{item.pk}/done/", follow=True)
    assert "This was left out." in answer.content.decode()


@pytest.mark.parametrize("act", ["start", "beat", "pause", "end", "more", ""])
def test_the_half_hour_of_somebody_else_is_not_there(login: Login, sdr: User, manager: User, act: str) -> None:
    block = make.half_hour(sdr, make.person())
    address = f"/prospecting/{block.pk}/{act}/".replace("//", "/")
    assert login(manager).post(address, {"minutes": 5}).status_code == 404
    block.refresh_from_db()
    assert (block.is_running, block.corrected_minutes) == (False, None)


@pytest.mark.parametrize("act", ["done", "leave-out", "undo", "take-along"])
def test_the_things_of_somebody_else_are_not_there(login: Login, sdr: User, teammate: User, act: str) -> None:
    item = make.half_hour(sdr, make.person()).items.get()
    client = login(teammate)
    assert client.post(f"/prospecting/things/{item.pk}/{act}/").status_code == 404
    assert client.get(f"/conversations/new/?person={item.people.get().pk}&item={item.pk}").status_code == 404
    item.refresh_from_db()
    assert item.is_open


# ---- The plan ------------------------------------------------------------------------------------------------------


def test_the_plan_is_off_until_its_user_switches_it_on_and_can_be_switched_off(login: Login, sdr: User) -> None:
    client = login(sdr)
    assert "It is off until you switch it on." in seen(client, "/prospecting/plan/")
    client.post("/prospecting/plan/", PLAN)
    plan = prospecting.plan_of(sdr)
    assert (plan.is_on, plan.starts_at, plan.minutes, plan.ways) == (True, time(8, 30), 30, ["revive", "outbound"])
    client.post("/prospecting/plan/", PLAN | {"is_on": "no"})
    assert not prospecting.plan_of(sdr).is_on


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"days": []}, "Choose at least one day."),
        ({"ways": []}, "Choose at least one way"),
        ({"minutes": "121"}, "120"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_its_field(
    login: Login, sdr: User, wrong: dict[str, Any], words: str
) -> None:
    answer = login(sdr).post("/prospecting/plan/", PLAN | wrong)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not ProspectingPlan.objects.exists()


# ---- The weeks -----------------------------------------------------------------------------------------------------


def test_the_weeks_show_the_minutes_of_each_day_and_mark_what_was_corrected(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    make.half_hour(sdr, day=days_ago(3).date(), measured_seconds=31 * 60)
    make.half_hour(sdr, day=days_ago(6).date(), measured_seconds=60, corrected_minutes=25, corrected_at=AT)
    page = seen(login(sdr), "/prospecting/")
    assert ": 31 minutes" in page
    assert ": 25 minutes, corrected" in page
    assert ">25*</a>" in page


def test_the_minutes_of_a_day_are_corrected_and_what_was_measured_stays(login: Login, sdr: User) -> None:
    block = make.half_hour(sdr, make.person("Ilse Maes"), day=days_ago(3).date(), measured_seconds=12 * 60)
    client = login(sdr)
    page = seen(client, f"/prospecting/{block.pk}/")
    assert f"<h1>{block.day:%A} {block.day.day} {block.day:%b}</h1>" in page
    assert "12 minutes were measured." in page
    assert "stayed open" in page
    assert client.post(f"/prospecting/{block.pk}/", {"minutes": "721"}).status_code == 200
    client.post(f"/prospecting/{block.pk}/", {"minutes": "30"})
    block.refresh_from_db()
    assert (block.corrected_minutes, block.measured_seconds) == (30, 720)


def test_who_leads_sees_teams_and_no_names_and_nothing_of_one_alone(
    login: Login, sdr: User, teammate: User, outsider: User, manager: User
) -> None:
    def shown(user: User) -> str:
        return seen(login(user), "/prospecting/")

    for user, number in ((sdr, 6), (teammate, 6), (outsider, 12)):
        make.prospecting_plan(user)
        block = make.half_hour(
            user, *[make.person() for _ in range(number)], at=days_ago(4), day=days_ago(4).date(), measured_seconds=1800
        )
        block.items.update(done_at=days_ago(4), seconds=300)
    page = shown(manager)
    assert "from 12 things in 1 h" in page.partition("Gent")[2].partition("Utrecht")[0]
    assert "so what it brings is not shown" in page.partition("Utrecht")[2]
    assert not any(user.name in page for user in (sdr, teammate, outsider))
    assert "Per team" not in shown(sdr)


def test_older_weeks_are_a_page_further(login: Login, sdr: User) -> None:
    make.prospecting_plan(sdr)
    make.half_hour(sdr, day=days_ago(70).date(), measured_seconds=17 * 60)
    client = login(sdr)
    page = seen(client, "/prospecting/")
    assert "17 minutes" not in page
    assert "?until=2026-09-28" in page
    assert "17 minutes" in seen(client, "/prospecting/?until=2026-09-28")


@pytest.mark.parametrize("typed", ["half", "halfuur", "prospect"])
def test_the_box_of_ctrl_k_finds_it_by_its_names_in_both_languages(login: Login, sdr: User, typed: str) -> None:
    page = login(sdr).get("/search/", {"q": typed}, headers={"HX-Request": "true", "HX-Target": "search-panel"})
    assert 'href="/prospecting/"' in page.content.decode()
