"""Rules of customers: the first check-in after an order, the usual moment to order again, and the interview that nobody held yet."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, Number, days_between, near_organisations, read_day, say_day, who

OUR_CHOICE = gettext_lazy("Our own choice; set what suits your customers.")
UNTIL = gettext_lazy("No longer asked after")

# ---- First check-in after an order ---------------------------------------------------------------------------------


def _check_in(follow_up: FollowUp, at: datetime) -> str:
    ordered = read_day(follow_up.why["ordered"])
    assert ordered
    values = {"who": who(follow_up), "what": follow_up.why["what"], "ordered": say_day(ordered, at)}
    return (
        _("%(who)s ordered “%(what)s” on %(ordered)s, and nobody has spoken with them since. Ask how it is going.")
        % values
    )


def _check_in_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    ordered = read_day(follow_up.why["ordered"])
    assert ordered
    days = days_between(ordered, at)
    return Badge(ngettext("ordered %(days)d day ago", "ordered %(days)d days ago", days) % {"days": days}, "calm")


CHECK_IN = FollowUpRule(
    # Of several orders the last one counts: who ordered again was spoken with. What was said on the day of the order belongs to that order. After
    # a while it is no first check-in any more, and staying in touch is a rule of its own, unless somebody put it off until then.
    key=Rule.CHECK_IN,
    about=gettext_lazy("Somebody ordered, and nobody has asked yet how it is going."),
    causes="""
        SELECT 'deal' AS subject_kind, t.id AS subject_id, 'ordered ' || t.day AS cause, t.owner_id, t.day + t.days AS due_on, t.not_before,
               NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('ordered', t.day, 'what', t.name) AS why,
               t.person_id, t.organisation_id, NULL::bigint AS lead_id, t.id AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT d.id, d.name, d.person_id, d.organisation_id, o.id AS owner_id, o.zone, o.today, n.days, n.until, p.not_before,
                       (d.won_at AT TIME ZONE o.zone)::date AS day,
                       greatest(d.last_reply_at, p.last_reply_at, CASE WHEN p.id IS NULL THEN g.last_reply_at END) AS replied_at
                  FROM (SELECT d.*, row_number() OVER (PARTITION BY d.person_id, CASE WHEN d.person_id IS NULL THEN d.organisation_id END
                                                       ORDER BY d.won_at DESC, d.id DESC) AS nth
                          FROM crm_deal d
                         WHERE d.state = 'won' AND d.won_at <= %(at)s
                           AND d.won_at > least(%(at)s - ((SELECT max(until) FROM number) + 1) * interval '1 day',
                                                (SELECT min((f.why ->> 'ordered')::date - 1)::timestamptz FROM crm_followup f
                                                  WHERE f.rule = 'check_in' AND f.closed_at IS NULL AND f.put_off_until IS NOT NULL))
                           AND (d.person_id IS NOT NULL OR d.organisation_id IS NOT NULL)) d
                  LEFT JOIN crm_person p ON p.id = d.person_id
                  LEFT JOIN crm_organisation g ON g.id = d.organisation_id
                  JOIN owner o ON o.id = coalesce(d.owner_id, p.owner_id, g.owner_id)
                  JOIN number n ON n.team = o.team
                 WHERE d.nth = 1
                OFFSET 0) t
         WHERE t.today >= t.day + t.days
           AND (t.replied_at IS NULL OR (t.replied_at AT TIME ZONE t.zone)::date <= t.day)
           AND (t.today <= t.day + t.until
                OR EXISTS (SELECT FROM crm_followup f
                            WHERE f.rule = 'check_in' AND f.subject_kind = 'deal' AND f.subject_id = t.id AND f.closed_at IS NULL
                              AND f.put_off_until > %(at)s - t.days * interval '1 day'))
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.ends_at > %(at)s AND m.person_id = t.person_id)
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.ends_at > %(at)s AND m.deal_id = t.id)
           AND NOT EXISTS (SELECT FROM crm_donotcontact w
                            WHERE w.person_id = t.person_id AND w.scope = 'contact' AND w.lifted_at IS NULL)
    """,
    sentence=_check_in,
    badge=_check_in_badge,
    numbers=(
        Number(
            "days",
            gettext_lazy("After the order, ask how it is going after"),
            14,
            gettext_lazy("days"),
            source=gettext_lazy("Our own choice: long enough to have begun, soon enough to put something right."),
        ),
        Number("until", UNTIL, 90, gettext_lazy("days"), source=OUR_CHOICE),
    ),
    ascending=(("days", "until"),),
    holds_back=True,
)


# ---- The usual moment to order again -------------------------------------------------------------------------------


def _re_order(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    last = read_day(why["last"])
    assert last
    values = {
        "organisation": follow_up.organisation,
        "orders": why["orders"],
        "median": why["median"],
        "last": say_day(last, at),
        "days": days_between(last, at),
    }
    return (
        _(
            "%(organisation)s ordered %(orders)s times, mostly %(median)s days apart. Their last order was on %(last)s, %(days)s days ago."
        )
        % values
    )


def _re_order_badge(_follow_up: FollowUp, _at: datetime) -> Badge | None:
    return Badge(_("usual moment to order again"), "calm")


RE_ORDER = FollowUpRule(
    # Counted in days on which they ordered: two orders of one day are one moment. Whom to speak with is who ordered last, if they work there still
    # and may be spoken with; what that order was worth says what the next may be. Long after the moment it is a customer to win back, which is
    # other work.
    key=Rule.RE_ORDER,
    about=gettext_lazy("A customer usually orders again after a while, and that while has passed."),
    causes=f"""
        SELECT 'organisation' AS subject_kind, t.id AS subject_id, 'last order ' || t.last AS cause, t.owner_id, t.last + t.median AS due_on,
               NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('orders', t.orders, 'median', t.median, 'last', t.last) AS why,
               t.person_id, t.id AS organisation_id, NULL::bigint AS lead_id, t.deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT g.id, u.deal_id, u.orders, u.last, u.median, o.id AS owner_id, o.today, n.orders AS least, n.until,
                       (SELECT l.person_id FROM crm_position l
                         WHERE l.organisation_id = g.id AND l.person_id = u.person_id AND l.ended_on IS NULL
                           AND NOT EXISTS (SELECT FROM crm_donotcontact w
                                            WHERE w.person_id = l.person_id AND w.scope = 'contact' AND w.lifted_at IS NULL)) AS person_id
                  FROM (SELECT b.organisation_id, count(*) AS orders, max(b.day) AS last,
                               ceil(percentile_cont(0.5) WITHIN GROUP (ORDER BY b.since_before))::int AS median,
                               (array_agg(b.person_id ORDER BY b.day DESC))[1] AS person_id,
                               (array_agg(b.owner_id ORDER BY b.day DESC))[1] AS owner_id,
                               (array_agg(b.id ORDER BY b.day DESC))[1] AS deal_id
                          FROM (SELECT a.*, a.day - lag(a.day) OVER (PARTITION BY a.organisation_id ORDER BY a.day) AS since_before
                                  FROM (SELECT DISTINCT ON (d.organisation_id, (d.won_at AT TIME ZONE %(zone)s)::date)
                                               d.organisation_id, (d.won_at AT TIME ZONE %(zone)s)::date AS day, d.id, d.person_id, d.owner_id
                                          FROM crm_deal d
                                         WHERE d.state = 'won' AND d.won_at <= %(at)s AND d.organisation_id IS NOT NULL
                                           AND {near_organisations("d.organisation_id")}
                                         ORDER BY d.organisation_id, (d.won_at AT TIME ZONE %(zone)s)::date, d.won_at DESC, d.id DESC) a) b
                         GROUP BY b.organisation_id
                        HAVING count(*) >= 2) u
                  JOIN crm_organisation g ON g.id = u.organisation_id
                  JOIN owner o ON o.id = coalesce(g.owner_id, u.owner_id)
                  JOIN number n ON n.team = o.team
                OFFSET 0) t
         WHERE t.orders >= t.least AND t.today BETWEEN t.last + t.median AND t.last + t.median + t.until
           AND NOT EXISTS (SELECT FROM crm_deal d WHERE d.organisation_id = t.id AND d.state = 'open')
    """,
    sentence=_re_order,
    badge=_re_order_badge,
    numbers=(
        Number(
            "orders",
            gettext_lazy("At least"),
            3,
            gettext_lazy("orders"),
            least=2,
            most=50,
            source=gettext_lazy("Our own choice: before the third order there is no habit to go by."),
        ),
        Number("until", UNTIL, 365, gettext_lazy("days"), source=OUR_CHOICE),
    ),
)


# ---- The journey interview -----------------------------------------------------------------------------------------


def _journey(follow_up: FollowUp, at: datetime) -> str:
    since = read_day(follow_up.why["since"])
    assert since
    values = {"organisation": follow_up.organisation, "since": say_day(since, at), "person": follow_up.person}
    if follow_up.person is None:
        return (
            _("%(organisation)s has been a customer since %(since)s, and nobody has asked yet how they came to buy.")
            % values
        )
    return (
        _(
            "%(organisation)s has been a customer since %(since)s, and nobody has asked yet how they came to buy. %(person)s may like to tell."
        )
        % values
    )


def _journey_badge(_follow_up: FollowUp, _at: datetime) -> Badge | None:
    return Badge(_("journey interview"), "calm")


JOURNEY = FollowUpRule(
    # Asked of somebody in tier A who works there, else of whoever we speak with; of them the one with whom we spoke last. An interview noted at
    # another organisation where they work, too, says nothing about this one.
    key=Rule.JOURNEY,
    about=gettext_lazy("A customer who matters has never been asked how they came to buy."),
    causes=f"""
        WITH customer AS (
            SELECT g.id, g.owner_id, g.customer_since FROM crm_organisation g
             WHERE g.customer_since IS NOT NULL AND {near_organisations("g.id")}
        ),
        interviewed AS (
            SELECT c.organisation_id FROM crm_conversation c WHERE c.is_journey_interview AND c.organisation_id IS NOT NULL
            UNION
            SELECT j.organisation_id
              FROM crm_conversation c
              JOIN crm_conversation_people w ON w.conversation_id = c.id
              JOIN crm_position j ON j.person_id = w.person_id AND j.ended_on IS NULL
             WHERE c.is_journey_interview AND c.organisation_id IS NULL
        ),
        closest AS (
            SELECT DISTINCT j.organisation_id
              FROM customer g
              JOIN crm_position j ON j.organisation_id = g.id AND j.ended_on IS NULL
              JOIN crm_person p ON p.id = j.person_id
             WHERE p.tier = 'A'
        ),
        there AS (
            SELECT DISTINCT ON (j.organisation_id) j.organisation_id, p.id, p.owner_id
              FROM customer g
              JOIN crm_position j ON j.organisation_id = g.id AND j.ended_on IS NULL
              JOIN crm_person p ON p.id = j.person_id
             WHERE NOT EXISTS (SELECT FROM crm_donotcontact w
                                WHERE w.person_id = p.id AND w.scope = 'contact' AND w.lifted_at IS NULL)
             ORDER BY j.organisation_id, p.tier = 'A' DESC, p.last_contact_at DESC NULLS LAST, p.id
        )
        SELECT 'organisation' AS subject_kind, t.id AS subject_id, 'customer since ' || t.since AS cause, t.owner_id, t.since + t.days AS due_on,
               NULL::timestamptz AS due_at, 7 AS rank, jsonb_build_object('since', t.since) AS why,
               t.person_id, t.id AS organisation_id, NULL::bigint AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT g.id, there.id AS person_id, o.id AS owner_id, o.today, n.days, n.orders AS least, coalesce(s.orders, 0) AS orders,
                       closest.organisation_id IS NOT NULL AS is_close,
                       (g.customer_since AT TIME ZONE o.zone)::date AS since
                  FROM customer g
                  LEFT JOIN there ON there.organisation_id = g.id
                  LEFT JOIN closest ON closest.organisation_id = g.id
                  LEFT JOIN (SELECT d.organisation_id, count(*) AS orders,
                                    (array_agg(d.owner_id ORDER BY d.won_at DESC, d.id DESC) FILTER (WHERE d.owner_id IS NOT NULL))[1] AS owner_id
                               FROM customer g JOIN crm_deal d ON d.organisation_id = g.id AND d.state = 'won'
                              GROUP BY d.organisation_id) s ON s.organisation_id = g.id
                  JOIN owner o ON o.id = coalesce(g.owner_id, there.owner_id, s.owner_id)
                  JOIN number n ON n.team = o.team
                 WHERE NOT EXISTS (SELECT FROM interviewed i WHERE i.organisation_id = g.id)
                OFFSET 0) t
         WHERE t.today >= t.since + t.days AND (t.is_close OR t.orders >= t.least)
    """,
    sentence=_journey,
    badge=_journey_badge,
    numbers=(
        Number("days", gettext_lazy("A customer for at least"), 30, gettext_lazy("days"), source=OUR_CHOICE),
        Number(
            "orders",
            gettext_lazy("Without anybody in tier A, only from"),
            2,
            gettext_lazy("orders"),
            most=50,
            source=gettext_lazy("Our own choice: who came back has a story to tell."),
        ),
    ),
    reads_widely=True,
)
