"""What became of hand-offs: a booked meeting counts for nobody, and every number opens the list behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm import hand_off_counts, handoffs
from crm.clock import Period, organisation_calendar
from crm.models import Appointment, AppointmentState, HandOff, RejectReason, Role, User
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
Login = Callable[[User], Client]
NOW = make.AT + timedelta(days=2)


@pytest.fixture
def now() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def accepted(hand_off: HandOff, minutes: int = 60) -> HandOff:
    handoffs.accept(
        hand_off=hand_off,
        next_step="Call",
        next_step_on=date(2026, 12, 1),
        by=hand_off.to_user,
        at=hand_off.submitted_at + timedelta(minutes=minutes),
    )
    hand_off.refresh_from_db()
    return hand_off


def meet(hand_off: HandOff, state: str, *, of_deal: bool = False) -> None:
    starts: datetime = make.AT + timedelta(days=1, minutes=60 * Appointment.objects.count())
    ends = starts + timedelta(minutes=30)
    assert hand_off.lead.person is not None
    Appointment.objects.create(
        user=hand_off.to_user,
        person=hand_off.lead.person,
        lead=None if of_deal else hand_off.lead,
        deal=hand_off.lead.deal if of_deal else None,
        subject="Meet",
        starts_at=starts,
        ends_at=ends,
        blocked_from=starts,
        blocked_until=ends,
        time_zone="Europe/Brussels",
        state=state,
        state_at=make.AT,
        uid=f"{hand_off.pk}-{state}-{of_deal}",
        booked_at=make.AT,
    )


@pytest.fixture
def story(sdr: User, account_manager: User, manager: User) -> dict[str, HandOff]:
    """Six hand-offs of one SDR: met (two ways), booked and not met, rejected, late, and given to somebody else."""
    met, met_by_deal, only_booked, rejected, late, moved = (make.hand_off(sdr, account_manager) for _ in range(6))
    for row, minutes in ((met, 30), (met_by_deal, 60), (only_booked, 90)):
        accepted(row, minutes)
    meet(met, AppointmentState.HELD)
    meet(met, AppointmentState.HELD, of_deal=True)
    meet(met_by_deal, AppointmentState.HELD, of_deal=True)
    meet(only_booked, AppointmentState.BOOKED)
    meet(only_booked, AppointmentState.NO_SHOW)
    handoffs.reject(
        hand_off=rejected, kind=RejectReason.TOO_EARLY, reason="After Easter.", by=account_manager, at=make.AT
    )
    meet(rejected, AppointmentState.HELD)
    els = make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    handoffs.redirect(hand_off=moved, to=els, by=manager, at=make.AT)
    handoffs.escalate_overdue(at=late.answer_due_at + timedelta(minutes=1))
    return {"met": met, "late": late, "rejected": rejected}


def period(first: date = date(2026, 11, 1), last: date = date(2026, 11, 30)) -> Period:
    return Period(first, last, organisation_calendar().zone)


def test_only_what_was_accepted_and_held_is_credited(
    story: dict[str, HandOff], sdr: User, account_manager: User
) -> None:
    lines = hand_off_counts.counted(period())
    (giver,) = lines[hand_off_counts.GIVER]
    assert giver.user_id == sdr.pk
    assert giver.counts == {
        "given": 7, "waiting": 2, "accepted": 3, "rejected": 1, "moved": 1, "expired": 2, "held": 2
    }  # fmt: skip
    assert {kind: count for kind, count in giver.kinds.items() if count} == {"too_early": 1}
    arjan = next(line for line in lines[hand_off_counts.RECEIVER] if line.user_id == account_manager.pk)
    assert (arjan.counts["given"], arjan.counts["held"], arjan.counts["expired"]) == (6, 2, 1)
    assert arjan.median_minutes == 45, "of 0, 30, 60 and 90 working minutes"


def test_every_number_is_as_many_rows_as_the_list_behind_it_has(story: dict[str, HandOff]) -> None:
    lines = hand_off_counts.counted(period())
    for side, people in lines.items():
        for line in people:
            for state, count in line.counts.items():
                rows = hand_off_counts.of(period(), state=state).filter(**{f"{side}_id": line.user_id})
                assert rows.count() == count, (side, state)
            for kind, count in line.kinds.items():
                rows = hand_off_counts.of(period(), state="rejected", kind=kind).filter(**{f"{side}_id": line.user_id})
                assert rows.count() == count, (side, kind)


def test_a_hand_off_belongs_to_the_day_on_which_it_was_given(story: dict[str, HandOff]) -> None:
    assert hand_off_counts.counted(period(last=date(2026, 11, 22))) == {"from_user": [], "to_user": []}
    day = date(2026, 11, 23)
    assert hand_off_counts.counted(period(day, day))["from_user"][0].counts["given"] == 7


def test_the_page_shows_both_sides_and_each_number_opens_its_list(
    login: Login, sdr: User, outsider: User, story: dict[str, HandOff]
) -> None:
    client = login(sdr)
    shown = client.get("/hand-offs/report/").content.decode()
    assert "Too early: they do not want it yet 1" in shown
    links = {unescape(link) for link in re.findall(r'href="(/hand-offs/report/list/[^"]+)"', shown)}
    for link in links:
        assert client.get(link).status_code == 200
    held = next(link for link in links if "state=held" in link and f"from_user={sdr.pk}" in link)
    listed = client.get(held).content.decode()
    assert listed.count("data-row") == 2
    assert str(story["met"].lead) in listed
    assert str(story["rejected"].lead) not in listed
    assert "No hand-off in this period" in client.get("/hand-offs/report/?period=custom&to=2026-10-01").content.decode()
    assert client.get("/hand-offs/report/list/?state=x&kind=y&from_user=z&period=q").status_code == 200
    assert login(outsider).get("/hand-offs/report/").status_code == 200


def test_it_asks_as_few_questions_for_many(
    login: Login, sdr: User, story: dict[str, HandOff], django_assert_max_num_queries: Any
) -> None:
    client = login(sdr)
    for _number in range(3):
        make.hand_off(make.user(), make.user(role=Role.ACCOUNT_MANAGER))
    with django_assert_max_num_queries(4):
        client.get("/hand-offs/report/")
    with django_assert_max_num_queries(5):
        client.get(f"/hand-offs/report/list/?from_user={sdr.pk}")
