"""Rules about promises: ours, theirs, and that of an introduction."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, day_badge, days_between, read_day, say_day, who

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


# Nothing promised is forgotten, on either side (product.md, belief 7). Who wrote it down watches it, else whoever knows them.
CAUSES = """
    SELECT 'promise' AS subject_kind, p.id AS subject_id,
           p.due_on || coalesce(' not before ' || p.not_before, '') AS cause,
           coalesce(p.owner_id, d.owner_id, l.owner_id, o.owner_id) AS owner_id,
           p.due_on, p.not_before, NULL::timestamptz AS due_at, 2 AS rank,
           jsonb_build_object('side', p.side, 'text', p.text, 'made', (p.made_at AT TIME ZONE %(zone)s)::date,
                              'due', p.due_on, 'not_before', p.not_before) AS why,
           p.person_id, coalesce(d.organisation_id, l.organisation_id) AS organisation_id,
           p.lead_id, p.deal_id, NULL::bigint AS hand_off_id
      FROM crm_promise p
      JOIN crm_person o ON o.id = p.person_id
      LEFT JOIN crm_deal d ON d.id = p.deal_id
      LEFT JOIN crm_lead l ON l.id = p.lead_id
     WHERE p.state = 'open' AND p.side = %(side)s AND p.due_on <= %(latest_today)s
"""

OUR_PROMISE = FollowUpRule(
    key=Rule.OUR_PROMISE,
    about=gettext_lazy("Something that we promised them is due."),
    causes=CAUSES,
    sentence=_promise,
    badge=_promise_badge,
    parameters={"side": "ours"},
    holds_back=True,
)

THEIR_PROMISE = FollowUpRule(
    key=Rule.THEIR_PROMISE,
    about=gettext_lazy("Something that they promised us is due, and the day before which we would not ask has passed."),
    causes=CAUSES,
    sentence=_promise,
    badge=_promise_badge,
    parameters={"side": "theirs"},
    holds_back=True,
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
    about=gettext_lazy(
        "Somebody promised to introduce us, and the day has come: the one that they named, else 14 days after the promise, and never before the "
        "day before which we would not ask."
    ),
    causes="""
        SELECT 'referral' AS subject_kind, r.id AS subject_id,
               r.due_on || coalesce(' not before ' || r.not_before, '') AS cause,
               coalesce(r.owner_id, d.owner_id, p.owner_id) AS owner_id,
               r.due_on, r.not_before, NULL::timestamptz AS due_at, 2 AS rank,
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
    holds_back=True,
)
