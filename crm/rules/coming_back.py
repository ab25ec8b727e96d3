"""Rules about coming back: to whom we said no for now, and to who was not ready."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, days_between, read_day, say_day, who


def _come_back(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    day = read_day(why["day"])
    assert day
    values = {
        "who": who(follow_up),
        "day": say_day(day, at),
        "reason": why.get("reason_nl" if (get_language() or "").startswith("nl") else "reason_en") or why["reason"],
    }
    return _("We said no to %(who)s (“%(reason)s”) and would look again from %(day)s. That day has come.") % values


def _nurture(follow_up: FollowUp, at: datetime) -> str:
    day = read_day(follow_up.why["day"])
    assert day
    values = {"who": who(follow_up), "day": say_day(day, at)}
    return _("It was too early for %(who)s; you agreed to come back from %(day)s. That day has come.") % values


def _come_back_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    day = read_day(follow_up.why["day"])
    assert day
    return None if days_between(day, at) < 7 else Badge(_("time to come back"), "waiting")


COME_BACK = FollowUpRule(
    # Nurture and decline may carry a day on which to come back (product.md, capability C).
    key=Rule.COME_BACK,
    about=gettext_lazy("We declined a lead with a day on which to look again, and that day has come."),
    causes="""
        SELECT 'lead' AS subject_kind, l.id AS subject_id, 'declined ' || l.come_back_on AS cause,
               l.owner_id, l.come_back_on AS due_on, NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('day', l.come_back_on, 'reason', l.decline_reason,
                                  'reason_en', coalesce(r.label_en, ''), 'reason_nl', coalesce(r.label_nl, '')) AS why,
               l.person_id, l.organisation_id, l.id AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_lead l
          LEFT JOIN crm_declinereason r ON r.code = l.decline_reason
         WHERE l.status = 'declined' AND l.owner_id IS NOT NULL AND l.come_back_on <= %(latest_today)s
    """,
    sentence=_come_back,
    badge=_come_back_badge,
)

NURTURE = FollowUpRule(
    key=Rule.NURTURE,
    about=gettext_lazy("It was too early for a lead, and the day on which to come back has come."),
    causes="""
        SELECT 'lead' AS subject_kind, l.id AS subject_id, 'nurture ' || l.nurture_until AS cause,
               l.owner_id, l.nurture_until AS due_on, NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('day', l.nurture_until) AS why,
               l.person_id, l.organisation_id, l.id AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_lead l
         WHERE l.status = 'nurture' AND l.owner_id IS NOT NULL AND l.nurture_until <= %(latest_today)s
    """,
    sentence=_nurture,
    badge=_come_back_badge,
)
