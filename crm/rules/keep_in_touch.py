"""The rule that guards the relationship: how long a silence may last with those whom we want to stay close to."""

from __future__ import annotations

from datetime import datetime

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Rule, Tier
from crm.rules.definition import Badge, FollowUpRule, Number, days_between, near_people, read_day, say_day, who

IDEAL_DAYS = {Tier.A: 30, Tier.B: 60, Tier.C: 120}
LATEST_DAYS = {Tier.A: 45, Tier.B: 90, Tier.C: 180}
"""Days of silence after which it is good to be in touch, and at which it has become too long. A month for the closest is the old habit of account
managers; each further circle is spoken with half as often, and half as much again is as long as a silence may last."""

IDEAL, LATEST = gettext_lazy("Tier {tier}: good to speak every"), gettext_lazy("Tier {tier}: silent too long after")


def _keep_in_touch(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    last, tier = read_day(why["last"]), Tier(why["tier"])
    values = {"who": who(follow_up), "tier": tier.value, "ideal": why["ideal"]}
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
    last = read_day(follow_up.why["last"])
    if last is None:
        return Badge(_("never in touch"), "waiting")
    if days_between(last, at) > follow_up.why["latest"]:
        return Badge(_("silent too long"), "late")
    return None


KEEP_IN_TOUCH = FollowUpRule(
    # Counted from the real last contact, whoever had it. Not while a step is agreed (an open deal with a day to come, or an appointment), nor while
    # something else is open for that person: one reason to call is enough, and a review of what we keep of them is none. Judged last for that
    # reason. Whoever asked to be left in peace is, and "contact me after" holds.
    key=Rule.KEEP_IN_TOUCH,
    about=gettext_lazy("It has been quiet for a while with somebody whom you want to stay close to."),
    causes=f"""
        SELECT 'person' AS subject_kind, t.id AS subject_id, t.tier || ' ' || coalesce(t.last::text, 'never') AS cause,
               t.owner_id, t.day AS due_on, NULL::timestamptz AS due_at,
               CASE WHEN t.last + t.latest < t.today THEN 6 ELSE 7 END AS rank,
               jsonb_build_object('tier', t.tier, 'last', t.last, 'ideal', t.ideal, 'latest', t.latest) AS why,
               t.id AS person_id, NULL::bigint AS organisation_id,
               NULL::bigint AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT p.*, greatest(coalesce(p.last + p.ideal, p.known), p.not_before) AS day
                  FROM (SELECT p.id, p.owner_id, p.tier, p.not_before, o.today,
                               (p.last_contact_at AT TIME ZONE o.zone)::date AS last, (p.created_at AT TIME ZONE o.zone)::date AS known,
                               CASE p.tier WHEN 'A' THEN n.ideal_a WHEN 'B' THEN n.ideal_b ELSE n.ideal_c END AS ideal,
                               CASE p.tier WHEN 'A' THEN n.latest_a WHEN 'B' THEN n.latest_b ELSE n.latest_c END AS latest
                          FROM crm_person p
                          JOIN owner o ON o.id = p.owner_id
                          JOIN number n ON n.team = o.team
                         WHERE p.tier IN ('A', 'B', 'C')
                           AND (p.last_contact_at IS NULL OR p.last_contact_at < %(at)s)
                           AND {near_people("p.id")}
                        OFFSET 0) p  -- Each day is worked out once, and not again at every mention.
               ) t
         WHERE t.day <= t.today
           AND NOT EXISTS (SELECT FROM crm_deal d
                            WHERE d.person_id = t.id AND d.state = 'open' AND d.next_step_on > t.today)
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.person_id = t.id AND m.state = 'booked' AND m.starts_at > %(at)s)
           AND NOT EXISTS (SELECT FROM crm_donotcontact w
                            WHERE w.person_id = t.id AND w.scope = 'contact' AND w.lifted_at IS NULL)
           AND NOT EXISTS (SELECT FROM crm_followup f
                            WHERE f.person_id = t.id AND f.closed_at IS NULL
                              AND f.rule NOT IN ('keep_in_touch', 'lawful_basis'))
    """,
    sentence=_keep_in_touch,
    badge=_keep_in_touch_badge,
    reads_widely=True,
    numbers=tuple(
        Number(f"{key}_{tier.lower()}", format_lazy(label, tier=tier.value), days[tier], gettext_lazy("days"))
        for tier in (Tier.A, Tier.B, Tier.C)
        for key, label, days in (("ideal", IDEAL, IDEAL_DAYS), ("latest", LATEST, LATEST_DAYS))
    ),
    ascending=(("ideal_a", "latest_a"), ("ideal_b", "latest_b"), ("ideal_c", "latest_c")),
)
