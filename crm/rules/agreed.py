"""Rules about what was agreed: the next step of a deal, a promise, and the promise of an introduction."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, days_between, read_day, say_day, who

# ---- Next step -----------------------------------------------------------------------------------------------------


def _next_step(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    day = read_day(why["day"])
    if day is None:
        return _("This deal has no next step. Agree on one with them, with a date.")
    values = {"day": say_day(day, at), "step": why["step"]}
    if why["step"]:
        return _("Agreed for %(day)s: %(step)s") % values
    return _("A next step was agreed for %(day)s.") % values


def day_badge(today: str, after: str, days: int) -> Badge:
    """`today` on the day itself, afterwards `after` with how %(late)s it is."""
    if days <= 0:
        return Badge(today, "waiting")
    late = ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}
    return Badge(after % {"late": late}, "late")


def _next_step_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    day = read_day(follow_up.why["day"])
    if day is None:
        return Badge(_("no next step"), "late")
    return day_badge(_("next step today"), _("next step, %(late)s"), days_between(day, at))


NEXT_STEP = FollowUpRule(
    # An open deal always has a dated next step (product.md, capability G); one from an old file may lack it, and is asked for.
    key=Rule.NEXT_STEP,
    causes="""
        SELECT 'deal' AS subject_kind, d.id AS subject_id, coalesce(d.next_step_on::text, 'none') AS cause,
               d.owner_id, d.next_step_on AS due_on, d.opened_at AS due_at, 4 AS rank,
               jsonb_build_object('day', d.next_step_on, 'step', d.next_step) AS why,
               d.person_id, d.organisation_id, d.lead_id, d.id AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_deal d
         WHERE d.state = 'open' AND d.owner_id IS NOT NULL
           AND (d.next_step_on <= %(latest_today)s OR (d.next_step_on IS NULL AND d.opened_at <= %(at)s))
    """,
    sentence=_next_step,
    badge=_next_step_badge,
)


# ---- Promise -------------------------------------------------------------------------------------------------------


def _promise(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    made, due, not_before = read_day(why["made"]), read_day(why["due"]), read_day(why["not_before"])
    assert made
    assert due
    values = {
        "who": who(follow_up),
        "made": say_day(made, at),
        "due": say_day(due, at),
        "text": why["text"],
        "not_before": say_day(not_before, at) if not_before else "",
    }
    if why["side"] == "ours":
        return _("On %(made)s we promised %(who)s, by %(due)s: %(text)s") % values
    if not_before and not_before > due:
        return (
            _("On %(made)s %(who)s promised: %(text)s. You would not ask before %(not_before)s; that day has come.")
            % values
        )
    return _("On %(made)s %(who)s promised, by %(due)s: %(text)s") % values


def _promise_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    due = read_day(follow_up.why["due"])
    assert due
    if follow_up.why["side"] == "ours":
        return day_badge(_("our promise, due today"), _("our promise, %(late)s"), days_between(due, at))
    return day_badge(_("promise of theirs, due today"), _("promise of theirs, %(late)s"), days_between(due, at))


PROMISE = FollowUpRule(
    # Nothing promised is forgotten, on either side (product.md, belief 7). Who wrote it down watches it, else whoever knows them.
    key=Rule.PROMISE,
    causes="""
        SELECT 'promise' AS subject_kind, p.id AS subject_id,
               p.due_on || coalesce(' not before ' || p.not_before, '') AS cause,
               coalesce(p.owner_id, d.owner_id, l.owner_id, o.owner_id) AS owner_id,
               greatest(p.due_on, p.not_before) AS due_on, NULL::timestamptz AS due_at, 2 AS rank,
               jsonb_build_object('side', p.side, 'text', p.text, 'made', (p.made_at AT TIME ZONE %(zone)s)::date,
                                  'due', p.due_on, 'not_before', p.not_before) AS why,
               p.person_id, coalesce(d.organisation_id, l.organisation_id) AS organisation_id,
               p.lead_id, p.deal_id, NULL::bigint AS hand_off_id
          FROM crm_promise p
          JOIN crm_person o ON o.id = p.person_id
          LEFT JOIN crm_deal d ON d.id = p.deal_id
          LEFT JOIN crm_lead l ON l.id = p.lead_id
         WHERE p.state = 'open' AND p.due_on <= %(latest_today)s
    """,
    sentence=_promise,
    badge=_promise_badge,
)


# ---- Promise of an introduction ------------------------------------------------------------------------------------


def _referral_promise(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    made, due, not_before = read_day(why["made"]), read_day(why["due"]), read_day(why["not_before"])
    assert due
    values = {
        "who": who(follow_up),
        "made": say_day(made or due, at),
        "due": say_day(due, at),
        "whom": why["whom"] or _("somebody"),
        "not_before": say_day(not_before, at) if not_before else "",
    }
    if not_before:
        return (
            _("On %(made)s %(who)s promised to introduce %(whom)s, but not before %(not_before)s. That day has come.")
            % values
        )
    return _("On %(made)s %(who)s promised to introduce %(whom)s, by %(due)s. Nobody has heard of it since.") % values


def _referral_promise_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    due = read_day(follow_up.why["due"])
    assert due
    return day_badge(_("promise of theirs, due today"), _("promise of theirs, %(late)s"), days_between(due, at))


REFERRAL_PROMISE = FollowUpRule(
    # The oldest tale in sales: promised "after her holiday", and nobody called (product.md, belief 7). The verb dates a promise 14 days ahead
    # when they named no day.
    key=Rule.REFERRAL_PROMISE,
    causes="""
        SELECT 'referral' AS subject_kind, r.id AS subject_id,
               r.due_on || coalesce(' not before ' || r.not_before, '') AS cause,
               coalesce(r.owner_id, d.owner_id, p.owner_id) AS owner_id,
               greatest(r.due_on, r.not_before) AS due_on, NULL::timestamptz AS due_at, 2 AS rank,
               jsonb_build_object('whom', r.whom, 'made', (r.promised_at AT TIME ZONE %(zone)s)::date,
                                  'due', r.due_on, 'not_before', r.not_before) AS why,
               r.referrer_id AS person_id, d.organisation_id, NULL::bigint AS lead_id, r.deal_id, NULL::bigint AS hand_off_id
          FROM crm_referral r
          JOIN crm_person p ON p.id = r.referrer_id
          LEFT JOIN crm_deal d ON d.id = r.deal_id
         WHERE r.state = 'promised' AND r.due_on <= %(latest_today)s
    """,
    sentence=_referral_promise,
    badge=_referral_promise_badge,
)
