"""Somebody is away for whole days: noted once, never over itself, and never for days that are over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm import absences
from crm.models import Absence, Event, EventKind, User
from crm.refusal import Refused
from tests import make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)


def test_an_absence_is_whole_days_with_first_and_last(sdr: User, teammate: User) -> None:
    row = absences.note(
        user=sdr, starts_on=TODAY, ends_on=FRIDAY, why="  the  coast ", stand_in=teammate, by=sdr, at=make.AT
    )
    assert (row.starts_on, row.ends_on, row.why, row.stand_in) == (TODAY, FRIDAY, "the coast", teammate)
    for day, away in ((TODAY - timedelta(days=1), 0), (TODAY, 1), (FRIDAY, 1), (FRIDAY + timedelta(days=1), 0)):
        assert Absence.objects.on(day).count() == away
    assert list(Absence.objects.upcoming(FRIDAY)) == [row]
    assert not Absence.objects.upcoming(FRIDAY + timedelta(days=1)).exists()


def test_the_memory_keeps_the_days_and_not_the_reason(sdr: User) -> None:
    row = absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, why="surgery", by=sdr, at=make.AT)
    absences.remove(absence=row, by=sdr, at=make.AT)
    noted, removed = Event.objects.filter(subject_kind="absence").order_by("pk")
    assert (noted.kind, removed.kind) == (EventKind.ABSENCE_SET, EventKind.ABSENCE_REMOVED)
    assert noted.new == removed.old
    assert noted.new == {
        "user": "Sofie Peeters", "starts_on": "2026-11-23", "ends_on": "2026-11-27", "stand_in": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY, TODAY), (FRIDAY, FRIDAY + timedelta(days=3)), (TODAY, FRIDAY), (TODAY + timedelta(days=1), FRIDAY)],
)
def test_two_absences_of_one_person_never_touch(sdr: User, teammate: User, first: date, last: date) -> None:
    absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, by=sdr, at=make.AT)
    with pytest.raises(Refused, match="away already from 23 November 2026 to 27 November 2026"):
        absences.note(user=sdr, starts_on=first, ends_on=last, by=sdr, at=make.AT)
    absences.note(user=teammate, starts_on=first, ends_on=last, by=teammate, at=make.AT)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (TODAY - timedelta(days=3), TODAY - timedelta(days=1), "over"),
        (TODAY - timedelta(days=1), FRIDAY, "over already"),
        (FRIDAY, TODAY, "before the first"),
        (TODAY, TODAY + timedelta(days=366), "a year"),
    ],
)
def test_days_that_cannot_be_are_refused(sdr: User, first: date, last: date, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        absences.note(user=sdr, starts_on=first, ends_on=last, by=sdr, at=make.AT)
    assert not Absence.objects.exists()


def test_today_is_the_day_where_they_are(sdr: User) -> None:
    sdr.time_zone = "Pacific/Auckland"  # where it is Tuesday late on a Belgian Monday
    with pytest.raises(Refused, match="over"):
        absences.note(user=sdr, starts_on=TODAY, ends_on=TODAY, by=sdr, at=make.AT + timedelta(hours=6))


def test_one_that_has_begun_keeps_its_first_day_and_may_end_sooner_or_later(sdr: User) -> None:
    row = absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, by=sdr, at=make.AT)
    later = make.AT + timedelta(days=2)
    absences.note(absence=row, user=sdr, starts_on=TODAY, ends_on=date(2026, 11, 26), by=sdr, at=later)
    row.refresh_from_db()
    assert (row.starts_on, row.ends_on) == (TODAY, date(2026, 11, 26))
    with pytest.raises(Refused, match="over already"):
        absences.note(
            absence=row, user=sdr, starts_on=TODAY + timedelta(days=1), ends_on=FRIDAY, by=sdr, at=later
        )  # fmt: skip


def test_the_stand_in_is_somebody_else_who_works_here(sdr: User, teammate: User) -> None:
    with pytest.raises(Refused, match="stands in for themselves"):
        absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, stand_in=sdr, by=sdr, at=make.AT)
    teammate.is_active = False
    with pytest.raises(Refused, match="Tine"):
        absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, stand_in=teammate, by=sdr, at=make.AT)


def test_those_of_a_colleague_are_noted_and_removed_by_those_who_lead_alone(
    sdr: User, teammate: User, manager: User
) -> None:
    with pytest.raises(Refused, match="those who lead"):
        absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, by=teammate, at=make.AT)
    row = absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, by=manager, at=make.AT)
    with pytest.raises(Refused, match="those who lead"):
        absences.remove(absence=row, by=teammate, at=make.AT)
    absences.remove(absence=row, by=manager, at=make.AT)
    absences.remove(absence=row, by=manager, at=make.AT)
    assert Event.objects.filter(kind=EventKind.ABSENCE_REMOVED).count() == 1


def test_somebody_who_has_left_is_not_away(sdr: User, manager: User) -> None:
    sdr.is_active = False
    with pytest.raises(Refused, match="no longer works"):
        absences.note(user=sdr, starts_on=TODAY, ends_on=FRIDAY, by=manager, at=make.AT)
