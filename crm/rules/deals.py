"""Rules about open deals: the next step that is due or missing, a date of theirs that has passed, and silence."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, Number, day_badge, days_between, read_day, say_day

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


# ---- The buyer's date has passed -----------------------------------------------------------------------------------


def _buyers_date(follow_up: FollowUp, at: datetime) -> str:
    day, ours = read_day(follow_up.why["day"]), read_day(follow_up.why["ours"])
    assert day
    values = {"day": say_day(day, at), "ours": say_day(ours, at) if ours else ""}
    if ours:
        return (
            _("Their own date was %(day)s and has passed. Ask them again before you trust yours (%(ours)s).") % values
        )
    return _("Their own date was %(day)s and has passed. Ask them which day it is now.") % values


def _buyers_date_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    day = read_day(follow_up.why["day"])
    assert day
    days = days_between(day, at)
    if days < LONG_PASSED:
        return None
    return Badge(
        ngettext("their date, %(count)d day ago", "their date, %(count)d days ago", days) % {"count": days}, "late"
    )


LONG_PASSED = 14
"""Days after which a date of theirs that nobody asked about any more is worth a word beside the name."""

BUYERS_DATE = FollowUpRule(
    # What the buyer said stands beside what the seller thinks (product.md, belief 6), and the older it gets the less the second is worth.
    key=Rule.BUYERS_DATE,
    about=gettext_lazy("The date that the buyer named has passed, and the deal is still open: ask them again."),
    causes="""
        SELECT 'deal' AS subject_kind, d.id AS subject_id, 'theirs ' || d.buyer_date AS cause,
               d.owner_id, d.buyer_date + 1 AS due_on, NULL::timestamptz AS due_at, 4 AS rank,
               jsonb_build_object('day', d.buyer_date, 'ours', d.seller_date) AS why,
               d.person_id, d.organisation_id, d.lead_id, d.id AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_deal d
         WHERE d.state = 'open' AND d.owner_id IS NOT NULL AND d.buyer_date < %(latest_today)s
    """,
    sentence=_buyers_date,
    badge=_buyers_date_badge,
)


# ---- Silence -------------------------------------------------------------------------------------------------------


def _silence(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    last = read_day(why["last"] or why["opened"])
    assert last
    days = days_between(last, at)
    values = {"day": say_day(last, at), "days": days, "stage": why["stage"], "usual": why["usual"]}
    if why["last"]:
        text = ngettext(
            "You last heard from them on %(day)s, %(days)s day ago; usual in “%(stage)s” is %(usual)s. Nothing is agreed for later.",
            "You last heard from them on %(day)s, %(days)s days ago; usual in “%(stage)s” is %(usual)s. Nothing is agreed for later.",
            days,
        )
    else:
        text = ngettext(
            "They have not said a word since it opened on %(day)s, %(days)s day ago; usual in “%(stage)s” is %(usual)s.",
            "They have not said a word since it opened on %(day)s, %(days)s days ago; usual in “%(stage)s” is %(usual)s.",
            days,
        )
    if why["learned_from"]:
        values["deals"] = why["learned_from"]
        text = " ".join([text, _("That is what %(deals)s won deals show.")])
    return text % values


def _silence_badge(follow_up: FollowUp, at: datetime) -> Badge:
    why = follow_up.why
    last = read_day(why["last"] or why["opened"])
    assert last
    days = days_between(last, at)
    text = ngettext("quiet for %(count)d day", "quiet for %(count)d days", days) % {"count": days}
    return Badge(text, "late" if days > 2 * why["allowed"] else "waiting")


IS_LEARNED = "(s.learned_contact_days IS NOT NULL AND s.learned_from >= n.learned_from)"
USUAL = f"CASE WHEN {IS_LEARNED} THEN s.learned_contact_days ELSE s.contact_days END"
"""Days that usually lie between two replies in stage `s`, counted with the numbers `n` of a team: as won deals had it, else as the stage says."""

ALLOWED = f"ceil(({USUAL}) * n.percent / 100.0)::int"
"""Days of silence after which it is no longer usual."""

SILENCE = FollowUpRule(
    # What both agreed beats every clock: a step or an appointment to come is no silence. Counted from their last word, or from when somebody did
    # what this rule asked: whoever tried and heard nothing tries again after as long.
    key=Rule.SILENCE,
    about=gettext_lazy(
        "They have been silent in an open deal for longer than is usual in its stage, and nothing is agreed for later. What is usual is learned "
        "from won deals when there are enough, and else set with the stage."
    ),
    causes=f"""
        SELECT 'deal' AS subject_kind, t.id AS subject_id, 'silent since ' || t.day AS cause,
               t.owner_id, t.day + t.allowed AS due_on, NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('last', t.last, 'opened', t.opened, 'stage', t.stage, 'usual', t.usual, 'allowed', t.allowed,
                                  'learned_from', t.learned) AS why,
               t.person_id, t.organisation_id, t.lead_id, t.id AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT d.id, d.owner_id, d.person_id, d.organisation_id, d.lead_id, o.today, s.name AS stage,
                       (d.last_reply_at AT TIME ZONE o.zone)::date AS last, (d.opened_at AT TIME ZONE o.zone)::date AS opened,
                       {USUAL} AS usual, {ALLOWED} AS allowed, CASE WHEN {IS_LEARNED} THEN s.learned_from END AS learned,
                       (greatest(coalesce(d.last_reply_at, d.opened_at), tried.at) AT TIME ZONE o.zone)::date AS day
                  FROM crm_deal d
                  JOIN crm_stage s ON s.id = d.stage_id
                  JOIN owner o ON o.id = d.owner_id
                  JOIN number n ON n.team = o.team
                  LEFT JOIN (SELECT f.subject_id, max(f.closed_at) AS at FROM crm_followup f
                              WHERE f.rule = 'silence' AND f.subject_kind = 'deal' AND f.outcome = 'done' GROUP BY f.subject_id) tried
                         ON tried.subject_id = d.id
                 WHERE d.state = 'open' AND coalesce(d.last_reply_at, d.opened_at) <= %(at)s
                   AND (d.next_step_on IS NULL OR d.next_step_on <= o.today)) t
         WHERE t.day + t.allowed <= t.today
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.starts_at > %(at)s AND m.deal_id = t.id)
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.starts_at > %(at)s AND m.lead_id = t.lead_id)
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.starts_at > %(at)s AND m.person_id = t.person_id)
    """,
    sentence=_silence,
    badge=_silence_badge,
    reads_widely=True,
    numbers=(
        Number(
            "percent",
            gettext_lazy("Silent too long after this share of what is usual"),
            150,
            gettext_lazy("%"),
            least=100,
            most=500,
            source=gettext_lazy("Half as long again as usual: by then most of those who go on have replied."),
        ),
        Number(
            "learned_from",
            gettext_lazy("Learn what is usual once there are"),
            30,
            gettext_lazy("won deals"),
            least=5,
            most=1000,
            source=gettext_lazy("With fewer, chance speaks louder than habit."),
        ),
    ),
)
