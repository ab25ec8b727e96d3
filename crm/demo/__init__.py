"""Believable demo data: a firm that sells planning workshops and software to small firms in Flanders and the Netherlands, with a year of history.

It is told through the verbs, in the order of time, so that timelines, stage histories, response clocks and last contacts are as true as if it had
happened. The same moment gives the same story.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import F, Min, OuterRef, Subquery
from django.utils import translation

from crm import conversations, follow_ups, notices, readings
from crm.demo import cast as casting
from crm.demo.cast import PASSWORD, PEOPLE
from crm.demo.circle import Circle
from crm.demo.crowd import Crowd
from crm.demo.customers import Customers
from crm.demo.days import Days
from crm.demo.half_hours import HalfHours
from crm.demo.house import House
from crm.demo.meetings import Meetings
from crm.demo.record import Record
from crm.demo.story import Story
from crm.demo.walk import Walk
from crm.models import ConversationKind, FollowUp, Notice, OutgoingMail, Role, Rule, User
from qualification.models import Answer, Assessment

LOGINS: list[tuple[str, str, str]] = [
    (str(Role(role).label), email, PASSWORD) for email, _name, role, _team, _language in PEOPLE
]
"""Role, address and password of everybody in the demo who can log in."""

SEED = 1911


class AlreadyInhabited(Exception):
    """There are users in this database, so it is somebody's: the demo leaves it alone."""


def load(*, at: datetime) -> None:
    """The story up to `at` is in the database, all of it or nothing. Raises `AlreadyInhabited` when there are users."""
    with transaction.atomic(), _without_savepoints(), translation.override("en"):
        if User.objects.exists():
            raise AlreadyInhabited
        rng = Random(SEED)
        days = Days(at, rng)
        cast = casting.make(at - timedelta(days=450), {"Planning with the people on the floor": days.ahead(16)})
        walk = Walk(cast, days, rng)
        circle = Circle(walk)
        crowd = Crowd(walk, circle)
        story = Story(walk, circle, crowd)
        story.gather()
        crowd.gather()
        Customers(walk, crowd, story).gather()
        Record(walk).gather()
        House(walk).gather()
        Meetings(walk).gather()
        walk.follow(_mornings(walk))
        walk.tell()
        HalfHours(walk).remember()
        _put_right(days.workdays_back(1, 9))
        notices.forget_old(at=at)
        follow_ups.refresh(at=at)
        readings.take(at=at)


@contextmanager
def _without_savepoints() -> Iterator[None]:
    """Verbs inside the story's one transaction need no way back of their own: whatever fails, all of it fails. Saves half of the statements."""
    connection.features.uses_savepoints = False
    try:
        yield
    finally:
        connection.features.uses_savepoints = True


def _mornings(walk: Walk) -> Generator[datetime, None, None]:
    """What the workers did: the follow-ups and the reading of the pipeline's health, each Monday of half a year and each of the last days."""
    days = walk.days
    first = days.today - timedelta(weeks=26)
    for number in range((days.today - first).days + 1):
        day = first + timedelta(days=number)
        recent = (days.today - day).days <= 14
        if not (days.is_working(day) and recent) and day.weekday() != 0:
            continue
        moment = datetime(day.year, day.month, day.day, 7, tzinfo=days.zone)
        yield moment
        follow_ups.refresh(at=moment)
        readings.take(at=moment)
        if (days.today - day).days > 12:  # Of late nobody had the time, so that something is left to do today.
            for due in FollowUp.objects.due(moment).filter(rule=Rule.KEEP_IN_TOUCH).ranked(moment).for_today()[:8]:
                walk.follow(_keep_in_touch(walk, due, moment))


def _keep_in_touch(walk: Walk, due: FollowUp, moment: datetime) -> Generator[datetime, None, None]:
    """Somebody who had been silent was called, and the follow-up done."""
    at = walk.days.later(moment, 0.1, 0.2)
    yield at
    due.refresh_from_db()
    if due.person is not None and due.is_open:
        conversations.log(
            people=[due.person],
            kind=ConversationKind.CALL,
            minutes=walk.rng.randint(5, 20),
            summary="A short call to hear how they are.",
            has_gain=walk.rng.random() < 0.3,
            by=due.owner,
            at=at,
        )
        follow_ups.done(follow_up=due, by=due.owner, at=at)


def _put_right(lately: datetime) -> None:
    """Mail of the story has long been sent and must never leave this machine, and what colleagues were told has been read but for what
    happened `lately`; what the database dated by itself gets the story's dates."""
    OutgoingMail.objects.update(sent_at=F("created_at"), tries=1)
    Notice.objects.filter(at__lt=lately).update(read_at=F("at"))
    first = (
        Answer.objects.filter(assessment=OuterRef("pk"))
        .order_by()
        .values("assessment")
        .annotate(first=Min("answered_at"))
    )
    Assessment.objects.update(created_at=Subquery(first.values("first")))
