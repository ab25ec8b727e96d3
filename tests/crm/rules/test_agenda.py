"""An appointment that is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import appointments
from crm.models import Rule, RuleSetting
from tests import make
from tests.make import AT
from tests.rules import days, is_quiet, meeting, only, refresh, said

pytestmark = pytest.mark.django_db


def test_an_appointment_that_is_over_asks_its_host_how_it_went_and_then_what_was_said(account_manager):
    row = meeting(account_manager, 3)
    refresh(AT - timedelta(hours=2, minutes=30))
    assert is_quiet(Rule.APPOINTMENT), "it goes on still"
    refresh()
    asked = only(Rule.APPOINTMENT)
    assert (asked.owner, asked.person) == (account_manager, row.person)
    assert "How did it go?" in said(asked)
    appointments.held(appointment=row, by=account_manager, at=AT)
    refresh()
    assert "What was said?" in said(only(Rule.APPOINTMENT))
    conversation = make.conversation(row.person, by=account_manager)
    appointments.logged(appointment=row, conversation=conversation, by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


@pytest.mark.parametrize("end", ["no_show", "move", "cancel"])
def test_an_appointment_that_ended_otherwise_asks_nothing(account_manager, end):
    row = meeting(account_manager, 3)
    refresh()
    if end == "no_show":
        appointments.no_show(appointment=row, by=account_manager, at=AT)
    elif end == "move":
        appointments.move(appointment=row, starts_at=AT + days(2), by=account_manager, at=AT)
    else:
        appointments.cancel(appointment=row, why="They are ill", by=account_manager, at=AT)
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


def test_an_appointment_of_long_ago_is_asked_about_no_more(account_manager):
    make.appointment(account_manager, starts_at=AT - days(31), at=AT - days(40))
    refresh()
    assert is_quiet(Rule.APPOINTMENT)


def test_how_long_an_appointment_is_asked_about_is_the_teams(account_manager, team):
    make.appointment(account_manager, starts_at=AT - days(6), at=AT - days(9))
    refresh()
    assert only(Rule.APPOINTMENT)
    RuleSetting.objects.create(rule=Rule.APPOINTMENT, team=team, numbers={"asked_for": 5})
    refresh()
    assert is_quiet(Rule.APPOINTMENT)
