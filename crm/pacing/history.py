"""What happened between us and somebody, as far as it decides how soon we may come back: one statement for any number of people.

Their last word is the last reply (`Conversation` incoming or both ways, no machine's) or a form they filled in; whatever we did before it no
longer counts. Tries are attempts without an answer, and outgoing calls that were logged by hand; a wrong number disturbed somebody else and
counts for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from crm.models import User


@dataclass(frozen=True)
class History:
    """`tries` since their last word and the latest of them, when we sent information since, and who of our colleagues was in touch lately."""

    tries: int = 0
    tried_at: datetime | None = None
    informed_at: datetime | None = None
    colleague: str = ""
    colleague_at: datetime | None = None


HISTORY = """
SELECT person.id, tries.number, tries.at, informed.at, COALESCE(colleague.name, ''), other.at
FROM crm_person person
CROSS JOIN LATERAL (
    SELECT GREATEST(
        (SELECT max(c.at) FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
         WHERE cp.person_id = person.id AND c.direction IN ('both', 'incoming') AND NOT c.is_automatic AND c.at <= %(at)s),
        form.at
    ) AS at,
    GREATEST(
        (SELECT max(c.at) FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
         WHERE cp.person_id = person.id AND (c.direction = 'incoming' OR c.direction = 'both' AND c.by_id = %(me)s)
           AND NOT c.is_automatic AND c.at <= %(at)s),
        form.at
    ) AS to_me_at
    FROM (SELECT max(lead.received_at) AS at FROM crm_lead lead
          WHERE lead.person_id = person.id AND lead.channel = 'form' AND lead.received_at <= %(at)s) form
) word
CROSS JOIN LATERAL (
    SELECT count(*) AS number, max(one.at) AS at FROM (
        SELECT a.at FROM crm_attempt a WHERE a.person_id = person.id AND a.outcome NOT IN ('spoke', 'wrong')
        UNION ALL
        SELECT c.at FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
        WHERE cp.person_id = person.id AND c.direction = 'outgoing' AND c.kind = 'call' AND NOT c.is_automatic
          AND NOT EXISTS (SELECT FROM crm_attempt a WHERE a.conversation_id = c.id)
    ) one WHERE one.at > COALESCE(word.at, '-infinity') AND one.at <= %(at)s
) tries
CROSS JOIN LATERAL (
    SELECT max(one.at) AS at FROM (
        SELECT c.at FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
        WHERE cp.person_id = person.id AND c.direction = 'outgoing' AND c.is_information
        UNION ALL
        SELECT m.sent_at FROM crm_outgoingmail m WHERE m.person_id = person.id AND m.is_information AND m.sent_at IS NOT NULL
    ) one WHERE one.at > COALESCE(word.at, '-infinity') AND one.at <= %(at)s
) informed
LEFT JOIN LATERAL (
    SELECT one.at, one.by_id FROM (
        SELECT c.at, c.by_id FROM crm_conversation_people cp JOIN crm_conversation c ON c.id = cp.conversation_id
        WHERE cp.person_id = person.id AND c.direction <> 'incoming' AND NOT c.is_automatic AND c.by_id <> %(me)s
        UNION ALL
        SELECT a.at, a.by_id FROM crm_attempt a WHERE a.person_id = person.id AND a.outcome <> 'wrong' AND a.by_id <> %(me)s
    ) one WHERE one.at > COALESCE(word.to_me_at, '-infinity') AND one.at > %(lately)s AND one.at <= %(at)s
    ORDER BY one.at DESC LIMIT 1
) other ON true
LEFT JOIN crm_user colleague ON colleague.id = other.by_id
WHERE person.id = ANY(%(people)s)
"""


def histories(people: Sequence[int], at: datetime, *, by: User | None, colleague_days: int) -> dict[int, History]:
    """The history of each of these people up to `at`. When nobody in particular asks (`by` is None) nobody is their colleague."""
    with connection.cursor() as cursor:
        cursor.execute(
            HISTORY,
            {
                "people": list(people),
                "at": at,
                "me": by.pk if by else None,
                "lately": at - timedelta(days=colleague_days),
            },
        )
        return {
            person: History(tries, tried_at, informed_at, colleague, colleague_at)
            for person, tries, tried_at, informed_at, colleague, colleague_at in cursor.fetchall()
        }
