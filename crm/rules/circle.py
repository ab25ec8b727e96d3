"""Rules of the circle: a good moment to ask for an introduction, and thanks and news for whoever gave one."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Rule
from crm.rules.definition import (
    Badge,
    FollowUpRule,
    Number,
    day_badge,
    days_between,
    near_people,
    read_day,
    say_day,
    who,
)

OUR_CHOICE = gettext_lazy("Our own choice; set what suits your customers.")

# ---- Ask for an introduction ---------------------------------------------------------------------------------------


def _ask(follow_up: FollowUp, at: datetime) -> str:
    return f"{_moment(follow_up, at)} {_last_asked(follow_up, at)}"


def _moment(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    on = read_day(why["on"])
    assert on
    values = {"who": who(follow_up), "on": say_day(on, at), "what": why["what"]}
    match why["moment"]:
        case "gain":
            return _("%(who)s was helped on %(on)s: they gained something when you spoke.") % values
        case "promise":
            return _("On %(on)s we kept our promise to %(who)s: “%(what)s”.") % values
        case "order":
            return _("%(who)s ordered on %(on)s.") % values
        case "their_order":
            return _("%(what)s, where %(who)s works, ordered on %(on)s.") % values
        case _advocate:
            return _("%(who)s has spoken well of us since %(on)s.") % values


def _last_asked(follow_up: FollowUp, at: datetime) -> str:
    asked = read_day(follow_up.why["asked"])
    if asked is None:
        return _("They have never been asked whom they would call in your place.")
    return _("They have not been asked for an introduction for %(days)s days.") % {"days": days_between(asked, at)}


def _ask_badge(_follow_up: FollowUp, _at: datetime) -> Badge | None:
    return Badge(_("a good moment to ask"), "calm")


ASK_REFERRAL = FollowUpRule(
    # Who may be asked is what `advocacy.may_be_asked` says, and who would rather not is not asked again by Kring. Of a whole company that ordered
    # only those who ever answered us count: nobody is glad of people they never heard of. A moment that somebody put off stays a good one until
    # they come back to it.
    key=Rule.ASK_REFERRAL,
    about=gettext_lazy("Somebody was just helped or is happy, and has not been asked for an introduction for a while."),
    causes=f"""
        WITH earliest AS (
            SELECT least(%(at)s - (max(n.days) + 1) * interval '1 day',
                         (SELECT min((f.why ->> 'on')::date - 1)::timestamptz FROM crm_followup f
                           WHERE f.rule = 'ask_referral' AND f.closed_at IS NULL AND f.put_off_until IS NOT NULL)) AS at
              FROM number n
        ),
        sale AS (
            SELECT d.id, d.person_id, d.organisation_id, d.won_at, d.owner_id FROM crm_deal d
             WHERE d.state = 'won' AND d.won_at > (SELECT at FROM earliest)
        ),
        moment AS (
            SELECT w.person_id, c.at, 'gain' AS kind, '' AS what, c.by_id AS owner_id, NULL::bigint AS deal_id
              FROM crm_conversation c
              JOIN crm_conversation_people w ON w.conversation_id = c.id
             WHERE c.at > (SELECT at FROM earliest) AND c.has_gain AND NOT c.is_automatic AND c.private_to_id IS NULL
            UNION ALL
            SELECT p.person_id, p.resolved_at, 'promise', p.text, p.owner_id, NULL
              FROM crm_promise p
             WHERE p.state = 'kept' AND p.side = 'ours' AND p.resolved_at > (SELECT at FROM earliest)
            UNION ALL
            SELECT s.person_id, s.won_at, 'order', '', s.owner_id, s.id FROM sale s WHERE s.person_id IS NOT NULL
            UNION ALL
            SELECT j.person_id, s.won_at, 'their_order', g.name, s.owner_id, s.id
              FROM sale s
              JOIN crm_organisation g ON g.id = s.organisation_id
              JOIN crm_position j ON j.organisation_id = g.id AND j.ended_on IS NULL AND j.person_id IS DISTINCT FROM s.person_id
              JOIN crm_person p ON p.id = j.person_id AND p.last_reply_at IS NOT NULL
            UNION ALL
            SELECT a.person_id, a.since, 'advocate', '', NULL, NULL FROM crm_advocate a WHERE a.since > (SELECT at FROM earliest)
        ),
        latest AS (
            SELECT DISTINCT ON (m.person_id) m.* FROM moment m
             WHERE m.at <= %(at)s AND {near_people("m.person_id")}
             ORDER BY m.person_id, m.at DESC, m.kind, m.deal_id
        )
        SELECT 'person' AS subject_kind, t.id AS subject_id, t.cause, t.owner_id, t.day AS due_on, t.not_before,
               NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('moment', t.kind, 'on', t.day, 'what', t.what, 'asked', t.asked) AS why,
               t.id AS person_id, NULL::bigint AS organisation_id, NULL::bigint AS lead_id, t.deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT p.id, p.not_before, o.id AS owner_id, o.today, n.days, n.between_asks, l.kind, l.what, l.deal_id, r.waits,
                       (l.at AT TIME ZONE o.zone)::date AS day, (r.asked_at AT TIME ZONE o.zone)::date AS asked,
                       l.kind || ' ' || (l.at AT TIME ZONE o.zone)::date AS cause
                  FROM latest l
                  JOIN crm_person p ON p.id = l.person_id
                  JOIN owner o ON o.id = coalesce(p.owner_id, l.owner_id)
                  JOIN number n ON n.team = o.team
                  LEFT JOIN (SELECT referrer_id, max(asked_at) AS asked_at,
                                    bool_or(state IN ('asked', 'promised', 'refused')) AS waits
                               FROM crm_referral GROUP BY referrer_id) r ON r.referrer_id = p.id
                OFFSET 0) t
         WHERE (t.today - t.day <= t.days
                OR EXISTS (SELECT FROM crm_followup f
                            WHERE f.rule = 'ask_referral' AND f.subject_kind = 'person' AND f.subject_id = t.id AND f.closed_at IS NULL
                              AND f.cause = t.cause AND f.put_off_until > %(at)s - t.days * interval '1 day'))
           AND t.waits IS NOT TRUE AND (t.asked IS NULL OR t.today - t.asked >= t.between_asks)
           AND (EXISTS (SELECT FROM crm_advocate a WHERE a.person_id = t.id)
                OR EXISTS (SELECT FROM crm_deal d WHERE d.person_id = t.id AND d.state = 'won')
                OR EXISTS (SELECT FROM crm_position j JOIN crm_organisation g ON g.id = j.organisation_id
                            WHERE j.person_id = t.id AND j.ended_on IS NULL AND g.customer_since IS NOT NULL))
           AND NOT EXISTS (SELECT FROM crm_donotcontact w
                            WHERE w.person_id = t.id AND w.scope = 'contact' AND w.lifted_at IS NULL)
    """,
    sentence=_ask,
    badge=_ask_badge,
    numbers=(
        Number("days", gettext_lazy("A moment is good for"), 14, gettext_lazy("days"), source=OUR_CHOICE),
        Number(
            "between_asks",
            gettext_lazy("Not asked in the last"),
            90,
            gettext_lazy("days"),
            source=gettext_lazy("Our own choice: once a quarter is often enough to be asked for a favour."),
        ),
    ),
    holds_back=True,
)


# ---- Thank them, and tell them how it went -------------------------------------------------------------------------


def _due(follow_up: FollowUp) -> date:
    return timezone.localtime(follow_up.due_at).date()


def _thank(follow_up: FollowUp, at: datetime) -> str:
    introduced = read_day(follow_up.why["introduced"])
    assert introduced
    values = {"who": who(follow_up), "whom": follow_up.why["whom"], "introduced": say_day(introduced, at)}
    return _("%(who)s introduced %(whom)s on %(introduced)s, and nobody has thanked them yet.") % values


def _thank_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    return day_badge(_("thanks, due today"), _("thanks, %(late)s"), days_between(_due(follow_up), at))


THANK_REFERRER = FollowUpRule(
    # A word of ours after the introduction is taken as thanks: whoever speaks with who did us a favour says so. What they wrote is none. Once it is
    # known what came of it they hear that, with thanks, and are not written to twice.
    key=Rule.THANK_REFERRER,
    about=gettext_lazy("Somebody introduced us to a person, and has heard nothing of us since."),
    causes="""
        SELECT 'referral' AS subject_kind, r.id AS subject_id, 'introduced ' || (r.introduced_at AT TIME ZONE 'UTC') AS cause, o.id AS owner_id,
               (r.introduced_at AT TIME ZONE o.zone)::date AS due_on, n.days AS working_days, p.not_before, NULL::timestamptz AS due_at, 4 AS rank,
               jsonb_build_object('whom', i.full_name, 'introduced', (r.introduced_at AT TIME ZONE o.zone)::date) AS why,
               p.id AS person_id, NULL::bigint AS organisation_id, r.lead_id, r.deal_id, NULL::bigint AS hand_off_id
          FROM crm_referral r
          JOIN crm_person p ON p.id = r.referrer_id
          JOIN crm_person i ON i.id = r.introduced_id
          JOIN owner o ON o.id = coalesce(r.owner_id, p.owner_id)
          JOIN number n ON n.team = o.team
         WHERE r.state IN ('introduced', 'met') AND r.introduced_at <= %(at)s
           AND NOT EXISTS (SELECT FROM crm_conversation_people w JOIN crm_conversation c ON c.id = w.conversation_id
                            WHERE w.person_id = r.referrer_id AND c.at > r.introduced_at AND c.direction <> 'incoming' AND NOT c.is_automatic)
           AND NOT EXISTS (SELECT FROM crm_donotcontact w
                            WHERE w.person_id = r.referrer_id AND w.scope = 'contact' AND w.lifted_at IS NULL)
    """,
    sentence=_thank,
    badge=_thank_badge,
    numbers=(
        Number("days", gettext_lazy("Thank them within"), 2, gettext_lazy("working days"), most=60, source=OUR_CHOICE),
    ),
    counts_working_days=True,
    holds_back=True,
)


def _tell(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    on = read_day(why["on"])
    assert on
    values = {"who": who(follow_up), "whom": why["whom"], "on": say_day(on, at)}
    if why["outcome"] == "won":
        return (
            _("%(whom)s, whom %(who)s introduced, ordered on %(on)s. Tell them how it went, and thank them.") % values
        )
    return (
        _(
            "With %(whom)s, whom %(who)s introduced, it came to no order, as was clear on %(on)s. Tell them, and thank them."
        )
        % values
    )


def _tell_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    return day_badge(
        _("tell how it went, due today"), _("tell how it went, %(late)s"), days_between(_due(follow_up), at)
    )


TELL_REFERRER = FollowUpRule(
    # The outcome is that of the deal, else that of the lead; of a referral that somebody closed by hand, the day on which they did.
    key=Rule.TELL_REFERRER,
    about=gettext_lazy("It is known what came of an introduction, and whoever gave it has not heard yet."),
    causes="""
        SELECT 'referral' AS subject_kind, t.id AS subject_id, t.state || ' ' || t.day AS cause, t.owner_id, t.day AS due_on,
               t.days AS working_days, t.not_before, NULL::timestamptz AS due_at, 4 AS rank,
               jsonb_build_object('outcome', t.state, 'on', t.day, 'whom', t.whom) AS why,
               t.referrer_id AS person_id, NULL::bigint AS organisation_id, t.lead_id, t.deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT r.id, r.state, r.referrer_id, r.lead_id, r.deal_id, o.id AS owner_id, n.days, p.not_before, i.full_name AS whom,
                       (coalesce(d.won_at, d.lost_at, CASE WHEN l.status = 'declined' THEN l.verdict_at END,
                                 (SELECT max(e.at) FROM crm_event e
                                   WHERE e.subject_kind = 'referral' AND e.subject_id = r.id AND e.kind = 'referral.moved'),
                                 r.introduced_at) AT TIME ZONE o.zone)::date AS day
                  FROM crm_referral r
                  JOIN crm_person p ON p.id = r.referrer_id
                  JOIN crm_person i ON i.id = r.introduced_id
                  JOIN owner o ON o.id = coalesce(r.owner_id, p.owner_id)
                  JOIN number n ON n.team = o.team
                  LEFT JOIN crm_lead l ON l.id = r.lead_id
                  LEFT JOIN crm_deal d ON d.lead_id = r.lead_id
                 WHERE r.state IN ('won', 'lost') AND r.thanked_at IS NULL
                OFFSET 0) t
         WHERE NOT EXISTS (SELECT FROM crm_donotcontact w
                            WHERE w.person_id = t.referrer_id AND w.scope = 'contact' AND w.lifted_at IS NULL)
    """,
    sentence=_tell,
    badge=_tell_badge,
    numbers=(
        Number("days", gettext_lazy("Tell them within"), 5, gettext_lazy("working days"), most=60, source=OUR_CHOICE),
    ),
    counts_working_days=True,
    holds_back=True,
)
