"""Who could be approached in each way, by the user whose half hour it is: one statement for each way, the likeliest first.

Each gives whom (`person_id`), by which channel we would reach them, the lead and the piece of content that it is about, and the values that say
why. All leave out who cannot be reached by that channel, who waits in a follow-up that is shown by the end of the day, who was approached in a half
hour in the last `DONE_DAYS` or stands in one of that day, and whom this user left out in the last `LEFT_OUT_DAYS`. A follow-up of this user that the
thing would do with it (`DONE_IN`) keeps nobody out, or who has just been helped could not be asked; nor does a review of what we keep of them. How
soon and whether at all somebody may be contacted is for `crm.pacing` to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from crm.clock import day_start
from crm.models import User, Way
from crm.models.prospecting import DONE_IN

MOST = 200
"""So many of each way are judged; more than a half hour ever holds, even when most of them may not be contacted yet."""

ASKED_DAYS = 90
"""We ask the same person for a referral once in so many days."""

HAPPY_DAYS = 365
"""So long a word of thanks says that somebody is happy."""

RECENT_DAYS = 180
"""A good contact is one with whom we spoke in so many days; who went quiet is one with whom we did not."""

READ_DAYS, LEAST_PIECES, INVITE_DAYS = 30, 2, 45
"""A reader read so many pieces in so many days; we invite to what takes place in the next so many."""

DONE_DAYS, LEFT_OUT_DAYS = 30, 7


@dataclass(frozen=True)
class Candidate:
    """One person whom `user` could approach in this way."""

    way: Way
    person: int
    channel: str
    lead: int | None
    content: int | None
    why: Mapping[str, Any]


REACH = """
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM crm_phonenumber n WHERE n.person_id = p.id) AS by_phone,
           EXISTS (SELECT FROM crm_emailaddress e WHERE e.person_id = p.id AND e.bounced_at IS NULL) AS by_mail
) reach
CROSS JOIN LATERAL (
    SELECT CASE WHEN reach.by_mail AND (p.preferred_channel = 'email' OR NOT reach.by_phone) THEN 'email' ELSE 'call' END AS channel
) how
LEFT JOIN LATERAL (
    SELECT o.id, o.name, o.customer_since FROM crm_position j JOIN crm_organisation o ON o.id = j.organisation_id
    WHERE j.person_id = p.id AND j.ended_on IS NULL ORDER BY j.is_main DESC, j.id LIMIT 1
) work ON true
"""

FREE = """
(reach.by_phone OR reach.by_mail)
AND NOT EXISTS (
    SELECT FROM crm_followup f WHERE f.person_id = p.id AND f.closed_at IS NULL AND f.show_at < %(tomorrow)s
    AND f.rule <> 'lawful_basis' AND NOT (f.rule = ANY(%(done_with_it)s) AND f.owner_id = %(user)s)
)
AND NOT EXISTS (
    SELECT FROM crm_prospectingitem_people ip
    JOIN crm_prospectingitem i ON i.id = ip.prospectingitem_id JOIN crm_prospectingblock b ON b.id = i.block_id
    WHERE ip.person_id = p.id AND (
        i.done_at > %(done_since)s
        OR b.user_id = %(user)s AND i.left_out_at > %(left_out_since)s
        OR b.day = %(day)s AND i.left_out_at IS NULL
    )
)
"""

ASKING = """
LEFT JOIN LATERAL (
    SELECT max(r.asked_at) AS at, bool_or(r.state IN ('asked', 'promised', 'refused')) AS is_closed
    FROM crm_referral r WHERE r.referrer_id = p.id
) asked ON true
LEFT JOIN LATERAL (SELECT count(*) AS number FROM crm_deal d WHERE d.person_id = p.id AND d.state = 'won') orders ON true
"""

MAY_ASK = """
NOT COALESCE(asked.is_closed, false) AND (asked.at IS NULL OR asked.at <= %(asked_before)s)
"""
"""Never while a question is open, and never again when they would rather not."""

ASK_CUSTOMER = f"""
SELECT p.id, how.channel, NULL::bigint, NULL::bigint, jsonb_build_object(
    'orders', orders.number, 'happy_since', (happy.at AT TIME ZONE %(zone)s)::date, 'asked_on', (asked.at AT TIME ZONE %(zone)s)::date)
FROM crm_person p {REACH} {ASKING}
CROSS JOIN LATERAL (
    SELECT GREATEST(
        (SELECT max(c.at) FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
         WHERE cp.person_id = p.id AND c.has_gain AND c.direction <> 'outgoing' AND NOT c.is_automatic
           AND (c.private_to_id IS NULL OR c.private_to_id = %(user)s)
           AND c.at > %(happy_since)s AND c.at <= %(at)s),
        (SELECT a.since FROM crm_advocate a WHERE a.person_id = p.id)
    ) AS at
) happy
WHERE p.id IN (
    SELECT own.id FROM crm_person own WHERE own.owner_id = %(user)s
    UNION SELECT d.person_id FROM crm_deal d WHERE d.owner_id = %(user)s AND d.state = 'won'
)
AND happy.at IS NOT NULL
AND (orders.number > 0 OR work.customer_since IS NOT NULL OR EXISTS (SELECT FROM crm_advocate a WHERE a.person_id = p.id))
AND {MAY_ASK} AND {FREE}
ORDER BY happy.at DESC, p.id LIMIT %(most)s
"""
"""Happy customers: who gained something from us in the last year, or recommends us, and has a reason to (`advocacy.may_be_asked`)."""

IN_MY_PLACE = f"""
SELECT p.id, how.channel, NULL::bigint, NULL::bigint, jsonb_build_object(
    'orders', orders.number, 'was', known.was, 'replied_on', (p.last_reply_at AT TIME ZONE %(zone)s)::date,
    'asked_on', (asked.at AT TIME ZONE %(zone)s)::date)
FROM (
    SELECT DISTINCT ON (one.person_id) one.person_id, one.was FROM (
        SELECT d.person_id, CASE d.state WHEN 'won' THEN '' ELSE 'lost' END AS was, COALESCE(d.won_at, d.lost_at) AS at
        FROM crm_deal d WHERE d.owner_id = %(user)s AND d.state <> 'open'
        UNION ALL
        SELECT l.person_id, l.status, l.verdict_at
        FROM crm_lead l WHERE l.owner_id = %(user)s AND l.status IN ('nurture', 'declined')
    ) one WHERE one.person_id IS NOT NULL
    ORDER BY one.person_id, one.at DESC NULLS LAST, one.was
) known
JOIN crm_person p ON p.id = known.person_id {REACH} {ASKING}
WHERE p.last_reply_at > %(recently)s
AND NOT EXISTS (SELECT FROM crm_deal d WHERE d.person_id = p.id AND d.state = 'open')
AND {MAY_ASK} AND {FREE}
ORDER BY p.last_reply_at DESC, p.id LIMIT %(most)s
"""
"""Good contacts with whom nothing runs: they ordered, or did not and parted kindly (they still speak with us), or are not ready."""

INTRODUCTION = f"""
SELECT found.id, found.channel, found.lead_id, NULL::bigint, jsonb_build_object(
    'whom', found.whom, 'organisation', found.organisation, 'how', found.how, 'link', found.link,
    'replied_on', (found.replied_at AT TIME ZONE %(zone)s)::date)
FROM (
    SELECT DISTINCT ON (p.id) p.id, how.channel, wanted.lead_id, wanted.whom, wanted.organisation, link.how, link.link,
           p.last_reply_at AS replied_at
    FROM (
        SELECT l.id AS lead_id, l.received_at, q.id AS person_id, q.full_name AS whom, COALESCE(o.name, '') AS organisation, o.id AS organisation_id
        FROM crm_lead l
        JOIN crm_person q ON q.id = l.person_id
        LEFT JOIN crm_organisation o ON o.id = l.organisation_id
        WHERE l.owner_id = %(user)s AND l.status IN ('new', 'working', 'nurture', 'declined')
          AND o.customer_since IS NULL AND (q.last_reply_at IS NULL OR q.last_reply_at < %(quiet_since)s)
          AND (l.status <> 'declined' OR l.come_back_on IS NOT NULL)
    ) wanted
    JOIN LATERAL (
        SELECT a.other_id AS person_id, a.how, 'knows' AS link, 1 AS place FROM crm_acquaintance a WHERE a.person_id = wanted.person_id
        UNION ALL
        SELECT a.person_id, a.how, 'knows', 1 FROM crm_acquaintance a WHERE a.other_id = wanted.person_id
        UNION ALL
        SELECT q.introduced_by_id, '', 'knows', 2 FROM crm_person q WHERE q.id = wanted.person_id AND q.introduced_by_id IS NOT NULL
        UNION ALL
        SELECT j.person_id, '', 'colleague', 3 FROM crm_position j
        WHERE j.organisation_id = wanted.organisation_id AND j.ended_on IS NULL AND j.person_id <> wanted.person_id
    ) link ON true
    JOIN crm_person p ON p.id = link.person_id {REACH}
    WHERE p.last_reply_at > %(well_known_since)s AND {FREE}
    ORDER BY p.id, link.place, wanted.received_at DESC, wanted.lead_id
) found
ORDER BY found.replied_at DESC, found.id LIMIT %(most)s
"""
"""Somebody who spoke with us this year knows, introduced or works with somebody behind a lead of ours that is quiet."""

REVIVE = f"""
SELECT p.id, how.channel, lead.id, NULL::bigint, jsonb_build_object(
    'organisation', work.name, 'last_contact', (p.last_contact_at AT TIME ZONE %(zone)s)::date, 'was', COALESCE(lead.status, ''))
FROM crm_person p {REACH}
LEFT JOIN LATERAL (
    SELECT l.id, l.status, l.owner_id, l.come_back_on, l.nurture_until FROM crm_lead l
    WHERE l.person_id = p.id ORDER BY l.received_at DESC, l.id DESC LIMIT 1
) lead ON true
WHERE p.id IN (
    SELECT own.id FROM crm_person own WHERE own.owner_id = %(user)s
    UNION SELECT l.person_id FROM crm_lead l WHERE l.owner_id = %(user)s AND l.status IN ('nurture', 'declined')
)
AND p.last_contact_at < %(recently)s
AND work.customer_since IS NULL
AND (lead.id IS NULL OR lead.status = 'nurture' AND (lead.nurture_until IS NULL OR lead.nurture_until <= %(day)s)
     OR lead.status = 'declined' AND lead.come_back_on <= %(day)s)
AND (lead.owner_id IS NULL OR lead.owner_id = %(user)s)
AND NOT EXISTS (SELECT FROM crm_deal d WHERE d.person_id = p.id AND d.state IN ('open', 'won'))
AND {FREE}
ORDER BY p.last_contact_at, p.id LIMIT %(most)s
"""
"""Who went quiet and was not ready, or belongs to this user: the oldest last contact first. A no without a day to come back stays a no."""

INVITE = f"""
SELECT p.id, 'email', NULL::bigint, piece.id, jsonb_build_object('topic', piece.topic, 'on', piece.happens_on, 'pieces', met.number)
FROM crm_content piece
JOIN LATERAL (
    SELECT t.person_id, count(DISTINCT t.content_id) AS number FROM crm_touch t JOIN crm_content c ON c.id = t.content_id
    WHERE t.at > %(read_since)s AND t.at <= %(at)s AND (piece.topic = '' OR upper(c.topic) = upper(piece.topic))
    GROUP BY t.person_id HAVING count(DISTINCT t.content_id) >= %(least_pieces)s
) met ON true
JOIN crm_person p ON p.id = met.person_id {REACH}
WHERE piece.is_active AND piece.kind IN ('webinar', 'event') AND piece.happens_on > %(day)s AND piece.happens_on <= %(invite_until)s
AND (p.owner_id = %(user)s OR EXISTS (SELECT FROM crm_lead l WHERE l.person_id = p.id AND l.owner_id = %(user)s))
AND NOT EXISTS (SELECT FROM crm_touch t WHERE t.person_id = p.id AND t.content_id = piece.id)
AND reach.by_mail AND {FREE}
ORDER BY piece.happens_on, piece.id, met.number DESC, p.id LIMIT %(most)s
"""
"""Readers of this user who met several pieces on the topic of what takes place soon, and not that itself."""

OUTBOUND = f"""
SELECT p.id, 'call', lead.id, NULL::bigint, jsonb_build_object(
    'organisation', work.name, 'since', (COALESCE(lead.received_at, p.created_at) AT TIME ZONE %(zone)s)::date)
FROM crm_person p {REACH}
LEFT JOIN LATERAL (
    SELECT l.id, l.received_at, l.status, l.owner_id, l.clock_due_at FROM crm_lead l
    WHERE l.person_id = p.id ORDER BY l.received_at DESC, l.id DESC LIMIT 1
) lead ON true
WHERE p.id IN (
    SELECT own.id FROM crm_person own WHERE own.owner_id = %(user)s AND own.last_contact_at IS NULL
    UNION SELECT l.person_id FROM crm_lead l WHERE l.owner_id = %(user)s AND l.status IN ('new', 'working') AND l.last_contact_at IS NULL
)
AND p.last_contact_at IS NULL
AND (lead.id IS NULL OR lead.status IN ('new', 'working') AND lead.owner_id = %(user)s AND lead.clock_due_at IS NULL)
AND NOT EXISTS (SELECT FROM crm_attempt a WHERE a.person_id = p.id)
AND EXISTS (
    SELECT FROM crm_phonenumber n WHERE n.person_id = p.id
    AND NOT EXISTS (SELECT FROM crm_registerentry e WHERE e.value = n.number)
)
AND NOT EXISTS (SELECT FROM crm_donotcontact w WHERE w.person_id = p.id AND w.lifted_at IS NULL AND w.scope IN ('call', 'contact'))
AND {FREE}
ORDER BY COALESCE(lead.received_at, p.created_at), p.id LIMIT %(most)s
"""
"""Who has a telephone and never heard from us, and does not wait for an answer. Whole files stand in registers, so those are left out here."""

STATEMENTS: dict[Way, str] = {
    Way.ASK_CUSTOMER: ASK_CUSTOMER,
    Way.IN_MY_PLACE: IN_MY_PLACE,
    Way.INTRODUCTION: INTRODUCTION,
    Way.REVIVE: REVIVE,
    Way.INVITE: INVITE,
    Way.OUTBOUND: OUTBOUND,
}


def found(way: Way, user: User, *, day: date, at: datetime) -> list[Candidate]:
    """The candidates of one way, the likeliest first: one statement."""
    parameters: dict[str, Any] = {
        "user": user.pk,
        "day": day,
        "at": at,
        "tomorrow": day_start(day + timedelta(days=1), user.zone),
        "zone": user.zone.key,
        "most": MOST,
        "done_with_it": [str(rule) for rule, ways in DONE_IN.items() if way in ways],
        "done_since": at - timedelta(days=DONE_DAYS),
        "left_out_since": at - timedelta(days=LEFT_OUT_DAYS),
        "asked_before": at - timedelta(days=ASKED_DAYS),
        "happy_since": at - timedelta(days=HAPPY_DAYS),
        "recently": at - timedelta(days=RECENT_DAYS),
        "quiet_since": at - timedelta(days=60),
        "well_known_since": at - timedelta(days=365),
        "read_since": at - timedelta(days=READ_DAYS),
        "least_pieces": LEAST_PIECES,
        "invite_until": day + timedelta(days=INVITE_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS[way], parameters)
        return [
            Candidate(way, person, channel, lead, content, _read(why))
            for person, channel, lead, content, why in cursor.fetchall()
        ]


def _read(why: str | dict[str, Any]) -> dict[str, Any]:
    """Without what is not known."""
    values = json.loads(why) if isinstance(why, str) else why
    return {name: value for name, value in values.items() if value not in (None, "")}
