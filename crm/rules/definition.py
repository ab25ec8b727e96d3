"""What a rule is: one statement that finds causes, and the sentence that explains one. Reads only; `crm.follow_ups` does the writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise as LazyWords
from django.utils.translation import ngettext

from crm.models import FollowUp, Rule

StrOrPromise = str | LazyWords
"""Words that may be translated when they are shown."""

Why = Mapping[str, Any]
"""The values of one cause as JSON keeps them: dates as ISO text, names and words; never a database key."""


@dataclass(frozen=True)
class Badge:
    """The few words beside a name, and how urgent they look: `late`, `waiting` or `calm`."""

    text: str
    tone: str


@dataclass(frozen=True)
class Number:
    """A number that a rule counts with, which administrators may set for each team: whole, from `least` to `most`, in `unit`.

    `source` says where the default comes from, for whoever wonders; it is shown.
    """

    key: str
    label: StrOrPromise
    default: int
    unit: StrOrPromise
    least: int = 1
    most: int = 730
    source: StrOrPromise = ""


@dataclass(frozen=True)
class FollowUpRule:
    """One rule.

    `causes` is a SELECT of subject_kind, subject_id, cause, owner_id, due_on (a day, moved to the next working morning of who does the work) or
    due_at (a moment, kept as it is), rank, why (jsonb), person_id, organisation_id, lead_id, deal_id and hand_off_id: at most one row for each
    subject. With `counts_working_days` it also gives working_days, to be added to due_on; with `holds_back` also not_before, a day before which it
    is not shown. Days not reached yet may be among its rows; they are left out.

    It may read

    - `owner` (id: whose work it is; doer: who does it now; team, calendar, zone, start, today: the day of who does it),
    - `number` (team, is_on and a column for each of `numbers`): join it by `number.team = owner.team`,
    - the parameters `at`, `latest_today`, `zone`, `leading` (who gets what is nobody's) and those in `parameters`.

    A refresh of a few leaves out every cause that is not near them. A statement that would first read much narrows what it begins with by
    `near_people` or `near_organisations` of this module.

    Whatever else it reads must belong to the person, organisation, lead or deal that it names, or stand one step from them
    (`crm.follow_ups.touched`), so that a refresh of what was touched sees it. `reads_widely`: it looks at so many rows that reading each table
    once is quicker than searching it for each of them. `ascending` are pairs of numbers of which the first may not be more than the second. `about`
    is the rule in one sentence, for the page on which it is set.
    """

    key: Rule
    about: StrOrPromise
    causes: str
    sentence: Callable[[FollowUp, datetime], str]
    badge: Callable[[FollowUp, datetime], Badge | None]
    numbers: tuple[Number, ...] = ()
    ascending: tuple[tuple[str, str], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    counts_working_days: bool = False
    holds_back: bool = False
    reads_widely: bool = False

    def defaults(self) -> dict[str, int]:
        return {number.key: number.default for number in self.numbers}


def near_people(column: str) -> str:
    """A condition that holds of every person near what was touched, and of those who have to do with a deal near it; in a complete refresh of all."""
    return f"""(NOT %(is_near)s OR {column} = ANY(%(near_people)s::bigint[] || ARRAY(
                SELECT d.person_id FROM crm_deal d WHERE d.id = ANY(%(near_deals)s)
                UNION
                SELECT j.person_id FROM crm_deal d JOIN crm_position j ON j.organisation_id = d.organisation_id
                 WHERE d.id = ANY(%(near_deals)s))))"""


def near_organisations(column: str) -> str:
    """The same of organisations: those where people near it work or worked, and those of deals near it."""
    return f"""(NOT %(is_near)s OR {column} = ANY(%(near_organisations)s::bigint[] || ARRAY(
                SELECT j.organisation_id FROM crm_position j WHERE j.person_id = ANY(%(near_people)s)
                UNION
                SELECT d.organisation_id FROM crm_deal d WHERE d.id = ANY(%(near_deals)s))))"""


def read_day(value: str | None) -> date | None:
    """A day as it stands in a `why`; `None` when there is none."""
    return date.fromisoformat(value) if value else None


def read_moment(value: str | None) -> datetime | None:
    """A moment as it stands in a `why`; `None` when there is none."""
    return datetime.fromisoformat(value) if value else None


def say_day(day: date, at: datetime) -> str:
    """The day in the reader's language: "21 August", or "21 August 2024" in another year."""
    return date_format(day, "j F" if day.year == timezone.localtime(at).year else "j F Y")


def say_moment(moment: datetime, at: datetime) -> str:
    """The moment in the reader's language and zone: "11:00" today, "21 August, 11:00" on another day."""
    local = timezone.localtime(moment)
    hour = date_format(local, "H:i")
    return hour if local.date() == timezone.localtime(at).date() else f"{say_day(local.date(), at)}, {hour}"


def days_between(day: date, at: datetime) -> int:
    """Whole days from `day` to the reader's today; negative when it is still to come."""
    return (timezone.localtime(at).date() - day).days


def day_badge(today: str, after: str, days: int) -> Badge:
    """`today` on the day itself, afterwards `after` with how %(late)s it is."""
    if days <= 0:
        return Badge(today, "waiting")
    late = ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}
    return Badge(after % {"late": late}, "late")


def who(follow_up: FollowUp) -> str:
    """Whom it is about: the person, else the organisation, else the deal."""
    return str(follow_up.person or follow_up.organisation or follow_up.deal or follow_up.lead or "")
