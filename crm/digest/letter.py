"""What stands in a digest, for one reader on one day: what Today will show, in plain text, short, in their language and by their clock.

The order and the choice are Today's own (`FollowUp.ranked`, `crm.day`). What stands among the first follow-ups is not said again below them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format, time_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import day as days
from crm import pacing, proposals, prospecting, rules
from crm.clock import day_start
from crm.models import (
    Appointment,
    FollowUp,
    HandOff,
    Notice,
    Promise,
    PromiseSide,
    ProspectingBlock,
    ProspectingItem,
    SubjectKind,
    User,
)
from crm.notation import one_line
from crm.rules.definition import say_moment

FIRST = 5
"""So many follow-ups are told with their why; the others are counted. More would be read on a telephone by nobody."""

MOST = 8
"""Lines of each of the other kinds."""

LONGEST = 240
"""Characters of one line that people wrote."""

Said = set[tuple[str, int]]
"""Subjects that were told of already."""


@dataclass(frozen=True)
class Letter:
    """A digest as it is sent."""

    subject: str
    body: str


def write(user: User, day: date, at: datetime) -> Letter | None:
    """The digest of `user` for their `day`, in their language; `None` when the day asks nothing of them. Notices that were not read are counted,
    and are no reason to write by themselves: those that matter came by mail."""
    with translation.override(user.language), timezone.override(user.zone):
        end = day_start(day + timedelta(days=1), user.zone) - timedelta(microseconds=1)
        # First of all, since what it holds stands there alone.
        half_hour = _half_hour(user, day, at)
        mine = days.outside_half_hour(FollowUp.objects.filter(owner=user).due(end), user, day)
        ranked = list(mine.for_today().ranked(end))
        held = days.held_back(ranked, at, by=user)
        first = days.chosen([row for row in ranked if row.pk not in held], days.room(user, at))
        people, things = days.waiting(mine, held)
        said = {(row.subject_kind, row.subject_id) for row in first[:FIRST]}
        parts = [
            _part(_("In your agenda"), _appointments(user, day)),
            _part(_("To begin with"), _follow_ups(first[:FIRST], at), _others(things - len(first[:FIRST]))),
            _part(_("Promises for today"), _promises(user, day, said)),
            _part(_("Hand-offs that wait for you"), _hand_offs(user, said, at)),
            half_hour,
        ]
        parts = [part for part in parts if part]
        if not parts:
            return None
        count = _count(people, things)
        date_words = capfirst(date_format(day, _("l j F")))
        subject = f"{date_words}: {count}" if count else _("%(day)s: your day") % {"day": date_words}
        hello = "\n".join(filter(None, [_hello(user, at), count]))
        parts = [hello, *parts, *_unread(user), f"{_('Your day in Kring')}\n{_link('crm:today')}", _foot(user)]
        return Letter(subject, "\n\n".join(parts))


def _hello(user: User, at: datetime) -> str:
    hour, name = timezone.localtime(at).hour, {"name": user.get_short_name()}
    if hour < 12:
        return _("Good morning, %(name)s.") % name
    return (_("Good afternoon, %(name)s.") if hour < 18 else _("Good evening, %(name)s.")) % name


def _count(people: int, things: int) -> str:
    """The true count: people before things, as Today has it."""
    if people:
        words = ngettext(
            "%(number)s person is waiting to hear from you.", "%(number)s people are waiting to hear from you.", people
        )
        return words % {"number": people}
    if things:
        words = ngettext("%(number)s thing is waiting for you.", "%(number)s things are waiting for you.", things)
        return words % {"number": things}
    return ""


def _part(title: str, lines: Iterator[str], after: str = "") -> str:
    """A title and its lines; nothing without lines."""
    found = list(lines)
    return "\n".join([title, "", *found, *([after] if after else [])]) if found else ""


def _line(words: str, link: str = "") -> str:
    text = f"- {Truncator(one_line(words)).chars(LONGEST)}"
    return f"{text}\n  {link}" if link else text


def _link(name: str, *keys: int) -> str:
    return settings.SITE_URL + reverse(name, args=keys)


def _appointments(user: User, day: date) -> Iterator[str]:
    start, end = day_start(day, user.zone), day_start(day + timedelta(days=1), user.zone)
    rows = Appointment.objects.booked().filter(user=user, starts_at__gte=start, starts_at__lt=end)
    for row in rows.for_list().order_by("starts_at", "id")[:MOST]:
        since, until = (date_format(timezone.localtime(moment), "H:i") for moment in (row.starts_at, row.ends_at))
        whom = f"{row.person}, {row.organisation}" if row.organisation else str(row.person)
        yield _line(
            f"{since}–{until} {whom}: {row.subject} ({row.get_kind_display()})", _link("crm:appointment", row.pk)
        )


def _follow_ups(rows: list[FollowUp], at: datetime) -> Iterator[str]:
    for row in rows:
        why = rules.sentence(row, at)
        whom = str(row.person or row.organisation or row.deal or row.lead or "")
        # A sentence often says whom it is about; then no name stands before it.
        name = "" if whom in why else whom
        yield _line(": ".join(filter(None, [name, f"{row.note}. {why}" if row.note else why])), _about(row))


def _about(row: FollowUp) -> str:
    """Where one does it: at the hand-off, the lead or the deal that it is about, else at the person or organisation."""
    if row.hand_off_id:
        return _link("crm:hand-off", row.hand_off_id)
    if row.subject_kind == SubjectKind.APPOINTMENT:
        return _link("crm:appointment", row.subject_id)
    places = (
        ("crm:deal", row.deal_id),
        ("crm:lead", row.lead_id),
        ("crm:person", row.person_id),
        ("crm:organisation", row.organisation_id),
    )
    return next((_link(name, key) for name, key in places if key), "")


def _others(number: int) -> str:
    words = ngettext("And %(number)d more on Today.", "And %(number)d more on Today.", number)
    return words % {"number": number} if number > 0 else ""


def _promises(user: User, day: date, said: Said) -> Iterator[str]:
    told = [key for kind, key in said if kind == SubjectKind.PROMISE]
    for promise in Promise.objects.due(day).filter(owner=user).exclude(pk__in=told).for_list()[:MOST]:
        ours, theirs = _("You promised %(name)s: %(what)s"), _("%(name)s promised: %(what)s")
        words = ours if promise.side == PromiseSide.OURS else theirs
        yield _line(words % {"name": promise.person, "what": promise.text}, _link("crm:person", promise.person_id))


def _hand_offs(user: User, said: Said, at: datetime) -> Iterator[str]:
    """Those that `user` is to answer, and the questions about their own."""
    told = [key for kind, key in said if kind == SubjectKind.HAND_OFF]
    to_answer = Q(to_user=user, is_asked=False) | Q(from_user=user, is_asked=True)
    rows = HandOff.objects.waiting().for_page().filter(to_answer).exclude(pk__in=told)
    for row in rows.order_by("answer_due_at", "id")[:MOST]:
        values: dict[str, object] = {
            "lead": row.lead,
            "name": row.from_user if row.to_user_id == user.pk else row.to_user,
        }
        if row.to_user_id == user.pk:
            values["due"] = say_moment(row.answer_due_at, at)
            words = _("%(lead)s, from %(name)s: please answer by %(due)s")
        else:
            words = _("%(name)s asks you something about %(lead)s")
        yield _line(words % values, _link("crm:hand-off", row.pk))


def _half_hour(user: User, day: date, at: datetime) -> str:
    block = _block(user, day, at)
    if block is None or block.ended_at is not None:
        return ""
    items = block.items.filter(done_at=None, left_out_at=None).select_related("content").prefetch_related("people")
    answers = proposals.answers(items, at, by=user)
    may_be_done = [item for item in items if not isinstance(answers[item.pk], pacing.Never)]
    title = _("Your half hour: %(time)s, %(minutes)d minutes") % {
        "time": time_format(block.starts_at, "H:i"),
        "minutes": block.planned_minutes,
    }
    return _part(title, (_item(item, at) for item in may_be_done[:MOST]))


def _item(item: ProspectingItem, at: datetime) -> str:
    return _line(". ".join(filter(None, [proposals.title(item), proposals.sentence(item, at)])))


def _block(user: User, day: date, at: datetime) -> ProspectingBlock | None:
    """The half hour of the day. On a day of their plan it is proposed now, if it was not yet: the digest may be earlier than the plan's own hour."""
    plan = prospecting.plan_of(user)
    if plan.is_on and day.weekday() in plan.days:
        try:
            return prospecting.propose(user=user, day=day, at=at)
        except (
            DatabaseError
        ):  # The rest of the day is told all the same; whoever proposes each morning logs what is wrong.
            return None
    return ProspectingBlock.objects.filter(user=user, day=day).first()


def _unread(user: User) -> Iterator[str]:
    number = Notice.objects.filter(user=user).unread().count()
    if number:
        words = ngettext(
            "%(number)d notice that you have not read.", "%(number)d notices that you have not read.", number
        )
        yield words % {"number": number}


def _foot(user: User) -> str:
    why = _("You get this mail on working days at %(time)s, when there is something to do.")
    said = why % {"time": time_format(user.digest_at, "H:i")}
    return f"-- \n{said} {_('Another hour, or no mail:')}\n{_link('crm:preferences')}"
