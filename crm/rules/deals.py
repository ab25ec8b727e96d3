"""Rules about open deals: the next step that is due, and the one that is missing."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, day_badge, days_between, read_day, say_day

# ---- Next step -----------------------------------------------------------------------------------------------------


def _next_step(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    day = read_day(why["day"])
    assert day
    values = {"day": say_day(day, at), "step": why["step"]}
    if why["step"]:
        return _("Agreed for %(day)s: %(step)s") % values
    return _("A next step was agreed for %(day)s.") % values


def _next_step_badge(follow_up: FollowUp, at: datetime) -> Badge:
    day = read_day(follow_up.why["day"])
    assert day
    return day_badge(_("next step today"), _("next step, %(late)s"), days_between(day, at))


NEXT_STEP = FollowUpRule(
    key=Rule.NEXT_STEP,
    about=gettext_lazy("The day of the next step that was agreed in an open deal has come."),
    causes="""
        SELECT 'deal' AS subject_kind, d.id AS subject_id, d.next_step_on::text AS cause,
               d.owner_id, d.next_step_on AS due_on, NULL::timestamptz AS due_at, 4 AS rank,
               jsonb_build_object('day', d.next_step_on, 'step', d.next_step) AS why,
               d.person_id, d.organisation_id, d.lead_id, d.id AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_deal d
         WHERE d.state = 'open' AND d.owner_id IS NOT NULL AND d.next_step_on <= %(latest_today)s
    """,
    sentence=_next_step,
    badge=_next_step_badge,
)


# ---- No next step --------------------------------------------------------------------------------------------------


def _no_next_step(follow_up: FollowUp, at: datetime) -> str:
    return _("This deal has no next step. Agree on one with them, with a date.")


def _no_next_step_badge(follow_up: FollowUp, at: datetime) -> Badge:
    return Badge(_("no next step"), "late")


NO_NEXT_STEP = FollowUpRule(
    # An open deal always has a dated next step (product.md, capability G); one from an old file may lack it, and is asked for.
    key=Rule.NO_NEXT_STEP,
    about=gettext_lazy("An open deal has no next step with a date."),
    causes="""
        SELECT 'deal' AS subject_kind, d.id AS subject_id, 'none' AS cause,
               d.owner_id, NULL::date AS due_on, d.opened_at AS due_at, 4 AS rank, jsonb_build_object() AS why,
               d.person_id, d.organisation_id, d.lead_id, d.id AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_deal d
         WHERE d.state = 'open' AND d.owner_id IS NOT NULL AND d.next_step_on IS NULL AND d.opened_at <= %(at)s
    """,
    sentence=_no_next_step,
    badge=_no_next_step_badge,
)
