"""What each way brings per hour, and how even the half hours are: from what was really done, with no word before there is enough of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import yields
from crm.models import Deal, Lead, Person, ProspectingBlock, User, Way
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def ago(days: int) -> datetime:
    return AT - timedelta(days=days)


def did(
    user: User, *people: Person, days: int = 20, seconds: int = 300, way: Way = Way.REVIVE, **fields: Any
) -> ProspectingBlock:
    """So many days ago each of these was done in this way, in so many seconds."""
    block = make.half_hour(
        user, *people, at=ago(days), way=way, measured_seconds=seconds * len(people), started_at=ago(days), **fields
    )
    block.items.update(done_at=ago(days), seconds=seconds)
    return block


def found(user: User, way: Way = Way.REVIVE) -> yields.Yield:
    return next(one for one in yields.of_user(user, AT) if one.way == way)


def test_below_ten_things_there_is_not_enough_to_tell(sdr: User) -> None:
    did(sdr, *[make.person() for _ in range(9)])
    assert not found(sdr).is_enough
    did(sdr, make.person(), days=19)
    assert (found(sdr).things, found(sdr).seconds, found(sdr).is_enough) == (10, 3000, True)
    assert yields.best_way(sdr, AT) is None


def test_the_best_way_brings_most_talks_of_value_per_hour(sdr: User) -> None:
    slow, quick = [make.person() for _ in range(10)], [make.person() for _ in range(10)]
    did(sdr, *slow, seconds=600)
    did(sdr, *quick, seconds=60, way=Way.IN_MY_PLACE, days=19)
    for person in (slow[0], quick[0]):
        make.conversation(person, by=sdr, at=ago(18), has_next_step=True)
    assert found(sdr).of_value_per_hour == pytest.approx(0.6)
    assert found(sdr, Way.IN_MY_PLACE).of_value_per_hour == pytest.approx(6)
    assert yields.best_way(sdr, AT) == Way.IN_MY_PLACE


def test_what_came_of_several_things_counts_for_the_last_and_only_once(sdr: User) -> None:
    ilse = make.person()
    did(sdr, ilse, days=30)
    did(sdr, ilse, days=20, way=Way.IN_MY_PLACE)
    make.conversation(ilse, by=sdr, at=ago(19), has_gain=True)
    lead = make.lead(at=ago(40), person=ilse)
    Lead.objects.filter(pk=lead.pk).update(qualified_at=ago(10))
    deal = make.deal(sdr, at=ago(15), person=ilse)
    Deal.objects.filter(pk=deal.pk).update(state="won", won_at=ago(5))
    assert (found(sdr).of_value, found(sdr).qualified, found(sdr).won) == (0, 0, 0)
    last = found(sdr, Way.IN_MY_PLACE)
    assert (last.of_value, last.qualified, last.won) == (1, 1, 1)


def test_what_was_before_or_long_after_did_not_come_of_it(sdr: User, teammate: User) -> None:
    ilse = make.person()
    did(sdr, ilse)
    make.conversation(ilse, by=sdr, at=ago(25), has_gain=True)
    make.conversation(ilse, by=sdr, at=ago(2), has_gain=True)
    make.conversation(ilse, by=teammate, at=ago(19), has_gain=True)
    make.conversation(ilse, by=sdr, at=ago(19), summary="Nobody at home.")
    lead = make.lead(at=ago(40), person=ilse)
    Lead.objects.filter(pk=lead.pk).update(qualified_at=ago(30))
    assert (found(sdr).of_value, found(sdr).qualified) == (0, 0)


@pytest.mark.parametrize(("measured", "expected"), [(600, 1800), (0, 1800)])
def test_minutes_are_those_that_were_corrected(sdr: User, measured: int, expected: int) -> None:
    block = did(sdr, make.person(), make.person(), seconds=measured // 2)
    ProspectingBlock.objects.filter(pk=block.pk).update(corrected_minutes=30, corrected_at=AT)
    assert found(sdr).seconds == expected


def test_evenness_counts_the_planned_days_since_the_first_and_not_those_away(sdr: User) -> None:
    plan = make.prospecting_plan(sdr)
    for days in (14, 13, 10, 3):  # Monday and Tuesday, Friday, and Friday a week later.
        make.half_hour(sdr, at=ago(days), measured_seconds=1200)
    make.half_hour(sdr, at=ago(12))  # Proposed, and not done.
    even = yields.evenness(plan, AT)
    # Two weeks of five days without 11 November, on which Belgium rests.
    assert (even.kept, even.planned, even.gap) == (4, 9, 4)
    make.absence(sdr, at=ago(7))
    assert yields.evenness(plan, AT).planned == 8


def test_whoever_is_new_is_not_behind(sdr: User) -> None:
    plan = make.prospecting_plan(sdr)
    assert yields.evenness(plan, AT).planned == 0
    make.half_hour(sdr, measured_seconds=600)
    assert yields.evenness(plan, AT).planned == 0


def test_a_team_is_shown_together_and_never_one_person_alone(sdr: User, teammate: User, outsider: User) -> None:
    for user in (sdr, teammate, outsider):
        make.prospecting_plan(user)
        make.half_hour(user, at=ago(4), measured_seconds=1200)
    did(sdr, make.person())
    did(teammate, make.person())
    did(outsider, *[make.person() for _ in range(12)])
    gent, utrecht = sorted(yields.of_teams(AT), key=lambda one: one.team.name)
    assert utrecht.evenness is None
    assert utrecht.ways == []
    assert gent.evenness is not None
    assert gent.evenness.people == 2
    assert next(one for one in gent.ways if one.way == Way.REVIVE).things == 2


def test_teams_take_as_many_queries_however_many_people_there_are(sdr: User, teammate: User, outsider: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as sent:
            yields.of_teams(AT)
        return len(sent)

    make.prospecting_plan(sdr)
    did(sdr, make.person())
    few = queries()
    for user in (teammate, outsider):
        make.prospecting_plan(user)
        did(user, make.person())
    assert queries() == few
