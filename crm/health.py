"""What the pipeline's health check looks for: one SELECT, one sentence and one cure for each kind of finding. Reads only; `crm.readings` writes.

A deal whose next step lies in the future is in good hands, however long they have been silent: what both agreed beats every clock here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.clock import is_working_day, organisation_calendar
from crm.models import Finding, FindingKind
from crm.rules.deals import ALLOWED, SILENCE, USUAL
from crm.rules.owners import NO_TEAM
from crm.rules.settings import Set, effective, kept, number_cte

STEP_DAYS = 3
"""Working days that an agreed step may slip before it counts: a long weekend is no reason to worry anybody."""


@dataclass(frozen=True)
class Check:
    """One kind of finding.

    `causes` is a SELECT of subject_kind, subject_id, why (jsonb), deal_id, lead_id and since, at most one row for each subject; it may use the
    parameters `at`, `today` and `zone` (the organisation's), and those in `parameters`. `cure` names what to do, `cure_url` the screen where it is
    done, for the deal.
    """

    kind: FindingKind
    causes: str
    sentence: Callable[[Mapping[str, Any], datetime], str]
    cure: str | Promise
    cure_url: str = "crm:deal"
    parameters: Callable[[date], Mapping[str, Any]] = field(default=lambda today: {})


def organisation_today(at: datetime) -> date:
    """The organisation's own day at that moment."""
    return at.astimezone(organisation_calendar().zone).date()


def working_days_back(today: date, count: int) -> date:
    """The latest day after which more than `count` working days have passed by `today`, today included when it is one."""
    calendar, day, left = organisation_calendar(), today, count
    while left or not is_working_day(day, calendar):
        left -= is_working_day(day, calendar)
        day -= timedelta(days=1)
    return day - timedelta(days=1)


def _day(value: str, at: datetime) -> str:
    day = (
        datetime.fromisoformat(value).date()
        if "T" not in value
        else timezone.localtime(datetime.fromisoformat(value)).date()
    )
    return date_format(day, "j F" if day.year == timezone.localtime(at).year else "j F Y")


def _passed(value: str, at: datetime) -> int:
    day = datetime.fromisoformat(value)
    return (timezone.localtime(at).date() - (timezone.localtime(day).date() if day.tzinfo else day.date())).days


def _no_next_step(why: Mapping[str, Any], at: datetime) -> str:
    return _("Open since %(day)s, and nothing is agreed with them.") % {"day": _day(why["opened"], at)}


def _step_passed(why: Mapping[str, Any], at: datetime) -> str:
    days = _passed(why["day"], at)
    values = {"step": why["step"], "day": _day(why["day"], at), "days": days}
    return (
        ngettext(
            "The next step was for %(day)s, %(days)s day ago: %(step)s",
            "The next step was for %(day)s, %(days)s days ago: %(step)s",
            days,
        )
        % values
    )


def _buyer_date_passed(why: Mapping[str, Any], at: datetime) -> str:
    values = {"day": _day(why["day"], at), "ours": _day(why["ours"], at) if why["ours"] else ""}
    if why["ours"]:
        return _("Their own date was %(day)s and has passed. Ask them again before you trust ours (%(ours)s).") % values
    return _("Their own date was %(day)s and has passed. Ask them again.") % values


def _silent(why: Mapping[str, Any], at: datetime) -> str:
    days = _passed(why["since"], at)
    if not why["ever"]:
        return ngettext(
            "They have never said a word in the %(days)s day since it opened; usual in “%(stage)s” is %(usual)s.",
            "They have never said a word in the %(days)s days since it opened; usual in “%(stage)s” is %(usual)s.",
            days,
        ) % {"days": days, "stage": why["stage"], "usual": why["usual"]}
    return ngettext(
        "No word from them in %(days)s day; usual in “%(stage)s” is %(usual)s.",
        "No word from them in %(days)s days; usual in “%(stage)s” is %(usual)s.",
        days,
    ) % {"days": days, "stage": why["stage"], "usual": why["usual"]}


def _won_before_lead(why: Mapping[str, Any], at: datetime) -> str:
    values = {"won": _day(why["won"], at), "received": _day(why["received"], at)}
    return _("Won on %(won)s, though we only heard of them on %(received)s. One of the two dates is wrong.") % values


def _no_amount(why: Mapping[str, Any], at: datetime) -> str:
    return _("It stands in “%(stage)s” and nobody has named an amount, they nor we.") % {"stage": why["stage"]}


# How long a silence may last is the rule's to say, for each team, so that a finding and a follow-up never contradict each other.
SILENCE_NUMBERS = number_cte(SILENCE, {})[0]


def _silence_numbers() -> dict[str, Any]:
    now = kept()
    try:
        numbers = effective(SILENCE, now)
    except (
        ValueError
    ):  # The rule itself is shown as failing; the other checks go on, and this one by the usual numbers.
        numbers = dict.fromkeys((NO_TEAM, *now.teams), Set(True, SILENCE.defaults()))
    return number_cte(SILENCE, numbers)[1]


CHECKS: dict[FindingKind, Check] = {
    check.kind: check
    for check in (
        Check(
            FindingKind.NO_NEXT_STEP,
            """
            SELECT 'deal' AS subject_kind, d.id AS subject_id, jsonb_build_object('opened', d.opened_at) AS why,
                   d.id AS deal_id, d.lead_id, d.opened_at AS since
              FROM crm_deal d
             WHERE d.state = 'open' AND d.next_step_on IS NULL AND d.opened_at <= %(at)s
            """,
            _no_next_step,
            gettext_lazy("Agree a next step"),
        ),
        Check(
            FindingKind.STEP_PASSED,
            """
            SELECT 'deal', d.id, jsonb_build_object('day', d.next_step_on, 'step', d.next_step),
                   d.id, d.lead_id, d.next_step_on::timestamp AT TIME ZONE %(zone)s
              FROM crm_deal d
             WHERE d.state = 'open' AND d.next_step_on <= %(step_limit)s
            """,
            _step_passed,
            gettext_lazy("Agree a new day"),
            parameters=lambda today: {"step_limit": working_days_back(today, STEP_DAYS)},
        ),
        Check(
            FindingKind.BUYER_DATE_PASSED,
            """
            SELECT 'deal', d.id, jsonb_build_object('day', d.buyer_date, 'ours', d.seller_date),
                   d.id, d.lead_id, d.buyer_date::timestamp AT TIME ZONE %(zone)s
              FROM crm_deal d
             WHERE d.state = 'open' AND d.buyer_date < %(today)s
            """,
            _buyer_date_passed,
            gettext_lazy("Ask for their date"),
        ),
        Check(
            FindingKind.SILENT,
            f"""
            WITH {SILENCE_NUMBERS}
            SELECT 'deal', d.id,
                   jsonb_build_object('since', coalesce(d.last_reply_at, d.opened_at), 'ever', d.last_reply_at IS NOT NULL,
                                      'stage', s.name, 'usual', {USUAL}),
                   d.id, d.lead_id, coalesce(d.last_reply_at, d.opened_at)
              FROM crm_deal d
              JOIN crm_stage s ON s.id = d.stage_id
              LEFT JOIN crm_user u ON u.id = d.owner_id
              JOIN number n ON n.team = coalesce(u.team_id, {NO_TEAM})
             WHERE d.state = 'open' AND (d.next_step_on IS NULL OR d.next_step_on <= %(today)s)
               AND NOT EXISTS (SELECT FROM crm_appointment m
                                WHERE (m.deal_id = d.id OR m.lead_id = d.lead_id OR m.person_id = d.person_id)
                                  AND m.state = 'booked' AND m.starts_at > %(at)s)
               AND (coalesce(d.last_reply_at, d.opened_at) AT TIME ZONE %(zone)s)::date + {ALLOWED} <= %(today)s
            """,
            _silent,
            gettext_lazy("Call or write"),
            parameters=lambda today: _silence_numbers(),
        ),
        Check(
            FindingKind.WON_BEFORE_LEAD,
            """
            SELECT 'deal', d.id, jsonb_build_object('won', d.won_at, 'received', l.received_at), d.id, d.lead_id, d.won_at
              FROM crm_deal d
              JOIN crm_lead l ON l.id = d.lead_id
             WHERE d.state = 'won' AND d.won_at < l.received_at
               AND (d.won_at AT TIME ZONE %(zone)s)::date < (l.received_at AT TIME ZONE %(zone)s)::date
            """,
            _won_before_lead,
            gettext_lazy("Check the dates"),
        ),
        Check(
            FindingKind.NO_AMOUNT,
            """
            SELECT 'deal', d.id, jsonb_build_object('stage', s.name), d.id, d.lead_id, d.opened_at
              FROM crm_deal d
              JOIN crm_stage s ON s.id = d.stage_id
             WHERE d.state = 'open' AND d.buyer_amount IS NULL AND d.seller_amount IS NULL AND d.opened_at <= %(at)s
               AND s.position > (SELECT min(f.position) FROM crm_stage f WHERE f.pipeline_id = s.pipeline_id)
            """,
            _no_amount,
            gettext_lazy("Ask what it is worth to them"),
        ),
    )
}
"""In the order in which they are shown: what is most surely a deal in trouble comes first."""


def causes() -> str:
    """All checks as one SELECT, with the kind before the columns of each."""
    return "\nUNION ALL\n".join(
        f"SELECT '{check.kind.value}' AS kind, c.* FROM ({check.causes}) AS c(subject_kind, subject_id, why, deal_id, lead_id, since)"
        for check in CHECKS.values()
    )


def parameters(at: datetime) -> dict[str, Any]:
    """What the checks count with at that moment."""
    today = organisation_today(at)
    values: dict[str, Any] = {"at": at, "today": today, "zone": settings.TIME_ZONE}
    for check in CHECKS.values():
        values.update(check.parameters(today))
    return values


def sentence(finding: Finding, at: datetime) -> str:
    """Why it is a finding, in the language and time zone that are active."""
    return CHECKS[FindingKind(finding.kind)].sentence(finding.why, at)
