"""The rule that guards the relationship: how long a silence may last with those whom we want to stay close to."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from crm.models import FollowUp, Rule, Tier
from crm.rules.definition import Badge, FollowUpRule, days_between, read_day, say_day, who

IDEAL_DAYS = {Tier.A: 30, Tier.B: 60, Tier.C: 120}
LATEST_DAYS = {Tier.A: 45, Tier.B: 90, Tier.C: 180}
"""Days of silence after which it is good to be in touch, and at which it has become too long. A month for the closest is the old habit of account
managers; each further circle is spoken with half as often, and half as much again is as long as a silence may last."""


def _keep_in_touch(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    last, tier = read_day(why["last"]), Tier(why["tier"])
    values = {"who": who(follow_up), "tier": tier.value, "ideal": IDEAL_DAYS[tier]}
    if last is None:
        return (
            _("You have never been in touch with %(who)s. In tier %(tier)s you like to speak every %(ideal)s days.")
            % values
        )
    values |= {"last": say_day(last, at), "days": days_between(last, at)}
    return (
        _(
            "You were last in touch with %(who)s on %(last)s, %(days)s days ago. In tier %(tier)s you like to speak every %(ideal)s days."
        )
        % values
    )


def _keep_in_touch_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    last, tier = read_day(follow_up.why["last"]), Tier(follow_up.why["tier"])
    if last is None:
        return Badge(_("never in touch"), "waiting")
    if days_between(last, at) > LATEST_DAYS[tier]:
        return Badge(_("silent too long"), "late")
    return None


def _days(table: dict[Tier, int]) -> list[int]:
    return [table[tier] for tier in (Tier.A, Tier.B, Tier.C)]


KEEP_IN_TOUCH = FollowUpRule(
    # Counted from the real last contact, whoever had it. Not while a step is agreed (an open deal with a day to come) or something else is open
    # for that person: one reason to call is enough. Judged last for that reason.
    key=Rule.KEEP_IN_TOUCH,
    causes="""
        SELECT 'person' AS subject_kind, p.id AS subject_id,
               p.tier || ' ' || coalesce(t.last::text, 'never') AS cause,
               p.owner_id, coalesce(t.last + t.ideal, t.known) AS due_on, NULL::timestamptz AS due_at,
               CASE WHEN t.last + t.latest < o.today THEN 6 ELSE 7 END AS rank,
               jsonb_build_object('tier', p.tier, 'last', t.last) AS why,
               p.id AS person_id, NULL::bigint AS organisation_id,
               NULL::bigint AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_person p
          JOIN owner o ON o.id = p.owner_id
         CROSS JOIN LATERAL (
               SELECT (p.last_contact_at AT TIME ZONE o.zone)::date AS last, (p.created_at AT TIME ZONE o.zone)::date AS known,
                      (%(ideal)s::int[])[strpos('ABC', p.tier)] AS ideal, (%(latest)s::int[])[strpos('ABC', p.tier)] AS latest
               ) t
         WHERE p.tier IN ('A', 'B', 'C')
           AND (p.last_contact_at IS NULL OR p.last_contact_at < %(at)s - make_interval(days => (%(ideal)s::int[])[1] - 2))
           AND coalesce(t.last + t.ideal, t.known) <= o.today
           AND NOT EXISTS (SELECT FROM crm_deal d
                            WHERE d.person_id = p.id AND d.state = 'open' AND d.next_step_on > o.today)
           AND NOT EXISTS (SELECT FROM crm_followup f
                            WHERE f.person_id = p.id AND f.closed_at IS NULL AND f.rule <> 'keep_in_touch')
    """,
    sentence=_keep_in_touch,
    badge=_keep_in_touch_badge,
    parameters={"ideal": _days(IDEAL_DAYS), "latest": _days(LATEST_DAYS)},
)
