"""The data of the bench: made in the database by statements over all rows at once, seeded, the same for the same size.

A firm of five years: leads, three conversations for each, and people, organisations, deals, promises, referrals and events in proportion. Few are
in hand; most are history, as in life. The finished database is kept as a template: each run works on a copy, so runs do not spoil each other.
"""

# ruff: noqa: E501 - a statement reads as a table, one column beside the other

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from crm import follow_ups, readings
from crm.demo import cast, words
from crm.models import Role, Team, User
from embedded import Places, postgres

RUN = "kring_bench"
"""The copy on which a run works."""

SELLERS_FOR = 4000
"""So many leads for each SDR, and for each account manager, in five years: three a working day."""


def ensure(places: Places, size: int, *, tell: Callable[[str], None]) -> str:
    """The name of a template database of that size, which exists afterwards. What the same migrations and builder made is used again."""
    name = f"bench_{size}"
    mark = _mark(size)
    if _comment(places, name) == mark:
        tell(f"Using the data made earlier ({size:,} leads).")
        return name
    tell(f"Making the data ({size:,} leads); it is kept for the next run …")
    postgres.drop_database(places, name)
    postgres.create_database(places, name)
    with_database(name)
    begun = time.monotonic()
    call_command("migrate", verbosity=0, interactive=False)
    fill(size, tell)
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE {name} IS '{mark}'")
    connections.close_all()
    tell(f"Made in {time.monotonic() - begun:.0f} s.")
    return name


def copy(places: Places, template: str) -> None:
    """The database of the run is a fresh copy of the template, with its statistics."""
    postgres.drop_database(places, RUN)
    with_database("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{RUN}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        cursor.execute("CHECKPOINT")
    with_database(RUN)


def drop(places: Places) -> None:
    """The copy of this run is gone; the template stays."""
    with_database("postgres")
    postgres.drop_database(places, RUN)


def with_database(name: str) -> None:
    """From here on this process works on that database."""
    connections.close_all()
    connection.settings_dict["NAME"] = name


def _mark(size: int) -> str:
    """What the data depends on. Another builder or another migration makes it anew."""
    migrations = sorted(MigrationLoader(None).graph.nodes)
    source = Path(__file__).read_bytes() + Path(words.__file__).read_bytes() + Path(cast.__file__).read_bytes()
    return hashlib.sha256(repr((size, migrations)).encode() + source).hexdigest()[:32]


def _comment(places: Places, name: str) -> str:
    with_database("postgres")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
        row = cursor.fetchone()
    return str(row[0]) if row and row[0] else ""


# ---- The rows ------------------------------------------------------------------------------------------------------


def fill(size: int, tell: Callable[[str], None]) -> None:
    """Everything, as of now. Needs an empty, migrated database."""
    at = datetime.now().astimezone()
    house = cast.make(at - timedelta(days=1900), {})
    sdrs, account_managers = _sellers(size, [house.noor, house.fleur], [house.joris, house.els], at)
    parameters: dict[str, Any] = {
        "at": at,
        "n": size,
        "people": size * 9 // 10,
        "organisations": size * 6 // 10,
        "sdrs": [user.pk for user in sdrs],
        "ams": [user.pk for user in account_managers],
        "contents": [content.pk for content in house.content.values()],
        "criteria": [criterion.pk for criterion in house.criteria],
        "stages": [stage.pk for stage in house.stages],
        "scorecard": house.scorecard.pk,
        "given": [*words.FLEMISH_GIVEN, *words.DUTCH_GIVEN],
        "families": [*words.FLEMISH_FAMILY, *words.DUTCH_FAMILY],
        "patterns": [pattern for pattern, _sector in words.COMPANIES],
        "sectors": [sector for _pattern, sector in words.COMPANIES],
        "cities": [*words.FLEMISH_CITIES, *words.DUTCH_CITIES],
        "messages": [text.replace("{n}", "14").replace("{city}", "Gent") for text in words.MESSAGES["nl"]],
        "summaries": list(words.SUMMARIES),
        "learned": list(words.LEARNED),
        "quotes": list(words.QUOTES["nl"]),
        "steps": list(words.NEXT_STEPS),
        "promises": [*words.OUR_PROMISES, *words.THEIR_PROMISES],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SELECT setseed(0.1911)")
        for title, statement in STATEMENTS:
            begun = time.monotonic()
            # A percent sign that names no parameter is SQL's own (the rest of a division).
            cursor.execute(re.sub(r"%(?!\()", "%%", statement), parameters)
            tell(
                f"  {title:<38} {cursor.rowcount if cursor.rowcount >= 0 else '':>9}  {time.monotonic() - begun:5.1f} s"
            )
        cursor.execute("SET session_replication_role = DEFAULT")
        _set_sequences(cursor)
        cursor.execute("VACUUM (FULL) crm_lead, crm_person, crm_organisation, crm_deal")
        cursor.execute("VACUUM (ANALYZE)")
    begun = time.monotonic()
    report = follow_ups.refresh(at=at)
    assert not report.failed, report.failed
    readings.take(at=at - timedelta(days=1))
    readings.take(at=at)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    tell(f"  {'follow-ups and health':<38} {report.made:>9}  {time.monotonic() - begun:5.1f} s")


def _sellers(size: int, sdrs: list[User], account_managers: list[User], at: datetime) -> tuple[list[User], list[User]]:
    """As many of both as so many leads need, in teams of ten."""
    number = max(2, size // SELLERS_FOR)
    hashed = make_password("only the people of the demo log in")
    teams = Team.objects.bulk_create(Team(name=f"Team {index + 1}", country="BE") for index in range(number // 5 + 1))
    fresh = [
        User(
            email=f"{role.value}{index}@kring.example",
            name=f"{words.FLEMISH_GIVEN[index % 30]} {words.DUTCH_FAMILY[index % 24]} {index}",
            role=role,
            team=teams[index % len(teams)],
            password=hashed,
            date_joined=at - timedelta(days=1900),
        )
        for role in (Role.SDR, Role.ACCOUNT_MANAGER)
        for index in range(2, number)
    ]
    made = User.objects.bulk_create(fresh)
    return (
        sdrs + [user for user in made if user.role == Role.SDR],
        account_managers + [user for user in made if user.role == Role.ACCOUNT_MANAGER],
    )


def _set_sequences(cursor: Any) -> None:
    """Rows were given their numbers here; the next one goes on from there."""
    cursor.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id' AND is_identity = 'YES'"
    )
    for (table,) in cursor.fetchall():
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce((SELECT max(id) FROM {table}), 0) + 1, false)"
        )


def _pick(array: str) -> str:
    return f"(%({array})s::{_TYPES.get(array, 'text')}[])[1 + floor(random() * cardinality(%({array})s::{_TYPES.get(array, 'text')}[]))::int]"


_TYPES = dict.fromkeys(("sdrs", "ams", "contents", "criteria", "stages"), "bigint")

# `bench_lead` is each lead's fate; everything else is read off it. A lead, its hand-off, its assessment and its deal share one number.
STATEMENTS: tuple[tuple[str, str], ...] = (
    (
        "fates",
        f"""
        CREATE UNLOGGED TABLE bench_lead AS
        SELECT i AS id, 1 + (i - 1) % %(people)s AS person, 1 + (((i - 1) % %(people)s) * 7919) % %(organisations)s AS organisation,
               received, sdr, am, origin, content, age, luck, luck2, conversations,
               CASE
                   WHEN age < 1.5 THEN CASE WHEN luck < 0.7 THEN 'new' ELSE 'working' END
                   WHEN age < 25 THEN CASE WHEN luck < 0.50 THEN 'working' WHEN luck < 0.65 THEN 'qualified'
                        WHEN luck < 0.68 AND age < 4 THEN 'handed_off' WHEN luck < 0.75 THEN 'accepted' WHEN luck < 0.88 THEN 'declined' ELSE 'nurture' END
                   WHEN luck < 0.38 THEN 'accepted' WHEN luck < 0.84 THEN 'declined' WHEN luck < 0.995 THEN 'nurture' ELSE 'working'
               END AS status
          FROM (
               SELECT i, luck, luck2, conversations, sdr, am, origin, content,
                      %(at)s - make_interval(secs => (1.0 - (i - luck2) / %(n)s) * 1825 * 86400) AS received,
                      (1.0 - (i - luck2) / %(n)s) * 1825 AS age
                 FROM (SELECT i, random() AS luck, random() AS luck2, floor(random() * 5)::int AS conversations,
                              {_pick("sdrs")} AS sdr, {_pick("ams")} AS am,
                              (ARRAY['search','search','search','newsletter','webinar','social media','fair','partner','referral','unknown',''])[1 + floor(random() * 11)::int] AS origin,
                              CASE WHEN random() < 0.7 THEN {_pick("contents")} END AS content
                         FROM generate_series(1, %(n)s) i) dice
               ) aged
        """,
    ),
    (
        "organisations",
        f"""
        INSERT INTO crm_organisation (id, name, domain, kvk_number, vat_number, sector, city, country, external_id, created_at)
        SELECT i, replace((%(patterns)s::text[])[k], '{{}}', family) || CASE WHEN luck < 0.6 THEN ' ' || city ELSE '' END,
               'firm' || i || '.example', '', '', (%(sectors)s::text[])[k], city, CASE WHEN luck < 0.65 THEN 'BE' ELSE 'NL' END, '',
               %(at)s - make_interval(days => (1825 * luck)::int)
          FROM (SELECT i, 1 + floor(random() * cardinality(%(patterns)s::text[]))::int AS k, {_pick("families")} AS family,
                       {_pick("cities")} AS city, random() AS luck
                  FROM generate_series(1, %(organisations)s) i) dice
        """,
    ),
    (
        "people",
        f"""
        INSERT INTO crm_person (id, given_name, particle, family_name, language, interests, tier, note, external_id, created_at, owner_id, last_contact_at)
        SELECT d.i, given, coalesce(substring(family FROM '^((?:[a-z'']+ )+)'), ''), regexp_replace(family, '^(?:[a-z'']+ )+', '') || other,
               CASE WHEN d.luck < 0.7 THEN 'nl' ELSE 'en' END, '{{}}', '', '', '', l.received, NULL, NULL
          FROM (SELECT i, {_pick("given")} AS given, {_pick("families")} AS family, random() AS luck,
                       CASE WHEN random() < 0.2 THEN '-' || regexp_replace({_pick("families")}, '^(?:[a-z'']+ )+', '') ELSE '' END AS other
                  FROM generate_series(1, %(people)s) i) d
          JOIN bench_lead l ON l.id = d.i
        """,
    ),
    ("tidy particles", "UPDATE crm_person SET particle = rtrim(particle) WHERE particle <> ''"),
    (
        "positions",
        """
        INSERT INTO crm_position (person_id, organisation_id, title, is_main, started_on)
        SELECT p, 1 + ((p - 1) * 7919) % %(organisations)s, (ARRAY['zaakvoerder','planner','owner','operations manager'])[1 + p % 4], true, NULL
          FROM generate_series(1, %(people)s) p
        """,
    ),
    (
        "e-mail addresses",
        """
        INSERT INTO crm_emailaddress (person_id, address, is_preferred)
        SELECT p, 'p' || p || '@firm' || 1 + ((p - 1) * 7919) % %(organisations)s || '.example', true FROM generate_series(1, %(people)s) p
        """,
    ),
    (
        "phone numbers",
        """
        INSERT INTO crm_phonenumber (person_id, number, is_preferred)
        SELECT p, '+3247' || lpad(p::text, 7, '0'), true FROM generate_series(1, %(people)s) p WHERE p % 5 < 3
        """,
    ),
    (
        "assessments",
        """
        INSERT INTO qualification_assessment (id, scorecard_id, created_at)
        SELECT id, %(scorecard)s, received FROM bench_lead
         WHERE status IN ('qualified', 'handed_off', 'accepted') OR (status <> 'new' AND luck2 < 0.4)
        """,
    ),
    (
        "answers",
        """
        INSERT INTO qualification_answer (assessment_id, criterion_id, value, evidence, answered_at)
        SELECT l.id, c.id, CASE WHEN l.status IN ('qualified', 'handed_off', 'accepted') THEN 'yes' WHEN c.place % 2 = 0 THEN 'yes' ELSE 'no' END,
               'they said so', l.received + interval '1 day'
          FROM bench_lead l
          JOIN qualification_assessment a ON a.id = l.id
         CROSS JOIN unnest(%(criteria)s::bigint[]) WITH ORDINALITY AS c(id, place)
         WHERE l.status IN ('qualified', 'handed_off', 'accepted') OR c.place < 4
        """,
    ),
    (
        "leads",
        f"""
        INSERT INTO crm_lead (id, channel, external_id, origin, message, received_at, status, answer_due_at, answered_at, answered_by_id, verdict,
                              verdict_at, verdict_by_id, qualified_at, nurture_until, decline_reason, decline_note, come_back_on, assessment_id,
                              content_id, form_id, owner_id, organisation_id, person_id)
        SELECT l.id, 'form', 'bench-' || l.id, origin, {_pick("messages")}, received, status, received + interval '1 hour',
               CASE WHEN status <> 'new' THEN received + make_interval(mins => 5 + (luck2 * 110)::int) END, CASE WHEN status <> 'new' THEN sdr END,
               CASE WHEN status IN ('new', 'working') THEN 'undecided' WHEN status IN ('nurture', 'declined') THEN status ELSE 'qualified' END,
               CASE WHEN status NOT IN ('new', 'working') THEN least(received + interval '3 days', %(at)s) END,
               CASE WHEN status NOT IN ('new', 'working') THEN sdr END,
               CASE WHEN status IN ('qualified', 'handed_off', 'accepted') THEN least(received + interval '3 days', %(at)s) END,
               CASE WHEN status = 'nurture' THEN (%(at)s + make_interval(days => CASE WHEN luck2 < 0.02 THEN -3 ELSE 5 + (luck2 * 250)::int END))::date END,
               CASE WHEN status = 'declined' THEN (ARRAY['no_need','too_small','no_budget','not_now','no_match','no_reply'])[1 + floor(luck2 * 6)::int] ELSE '' END,
               '', CASE WHEN status = 'declined' AND luck2 BETWEEN 0.5 AND 0.55 THEN (%(at)s + make_interval(days => (luck * 300)::int))::date END,
               a.id, content, NULL, CASE WHEN status = 'new' AND luck2 < 0.6 THEN NULL ELSE sdr END, organisation, person
          FROM bench_lead l
          LEFT JOIN qualification_assessment a ON a.id = l.id
         ORDER BY l.id
        """,
    ),
    (
        "hand-offs",
        """
        INSERT INTO crm_handoff (id, lead_id, from_user_id, to_user_id, note, state, submitted_at, answer_due_at, answered_at, reject_reason)
        SELECT id, id, sdr, am, 'Both want it.', CASE status WHEN 'accepted' THEN 'accepted' ELSE 'submitted' END,
               least(received + interval '3 days', %(at)s - interval '1 hour'), received + interval '4 days',
               CASE status WHEN 'accepted' THEN least(received + interval '4 days', %(at)s) END, ''
          FROM bench_lead WHERE status IN ('accepted', 'handed_off')
        """,
    ),
    (
        "deals",
        f"""
        INSERT INTO crm_deal (id, name, state, product, currency, buyer_amount, buyer_date, buyer_words, seller_amount, seller_date, seller_probability,
                              next_step, next_step_on, opened_at, won_at, lost_at, lost_reason, lost_note, external_id, owner_id, sdr_id, lead_id,
                              organisation_id, person_id, stage_id)
        SELECT id, product, state, product, 'EUR', CASE WHEN luck2 < 0.75 THEN amount END,
               CASE WHEN luck2 < 0.75 THEN (opened + make_interval(days => 30 + (luck2 * 90)::int))::date END, '',
               round(amount * 1.15), (opened + make_interval(days => 20 + (luck2 * 80)::int))::date, 10 + (luck2 * 70)::int,
               CASE state WHEN 'open' THEN {_pick("steps")} ELSE '' END,
               CASE state WHEN 'open' THEN (%(at)s + make_interval(days => -2 + (luck2 * 16)::int))::date END, opened,
               CASE state WHEN 'won' THEN ended END, CASE state WHEN 'lost' THEN ended END,
               CASE state WHEN 'lost' THEN (ARRAY['price','timing','other_supplier','no_decision'])[1 + floor(luck2 * 4)::int] ELSE '' END, '', '',
               am, sdr, id, organisation, person,
               CASE state WHEN 'won' THEN (%(stages)s::bigint[])[4] ELSE (%(stages)s::bigint[])[1 + floor(random() * 4)::int] END
          FROM (
               SELECT l.*, least(received + interval '4 days', %(at)s) AS opened,
                      least(received + make_interval(days => 20 + (luck2 * 60)::int), %(at)s - interval '1 hour') AS ended,
                      (1500 + random() * 28000)::int AS amount, (ARRAY['Workshop','Planning suite','Coaching','Second shift'])[1 + floor(random() * 4)::int] AS product,
                      CASE WHEN age < 30 OR (age < 120 AND luck2 < 0.55) OR (age < 600 AND luck2 < 0.02) THEN 'open'
                           WHEN random() < 0.46 THEN 'won' ELSE 'lost' END AS state
                 FROM bench_lead l WHERE status = 'accepted'
               ) fate
        """,
    ),
    (
        "stage changes",
        """
        INSERT INTO crm_stagechange (deal_id, from_stage_id, to_stage_id, to_state, at, by_id)
        SELECT d.id, CASE WHEN step > 1 THEN (%(stages)s::bigint[])[step - 1] END, (%(stages)s::bigint[])[step], 'open',
               least(d.opened_at + make_interval(days => 9 * (step - 1)), coalesce(d.won_at, d.lost_at, %(at)s)), d.owner_id
          FROM crm_deal d
         CROSS JOIN LATERAL generate_series(1, array_position(%(stages)s::bigint[], d.stage_id)) step
        UNION ALL
        SELECT id, stage_id, stage_id, state, coalesce(won_at, lost_at), owner_id FROM crm_deal WHERE state <> 'open'
        """,
    ),
    (
        "conversations",
        f"""
        INSERT INTO crm_conversation (id, kind, direction, at, minutes, summary, learned, quote, has_learning, has_gain, has_next_step, by_id,
                                      deal_id, lead_id, organisation_id)
        SELECT row_number() OVER (ORDER BY at, id), kind, CASE kind WHEN 'email' THEN (ARRAY['outgoing','incoming','both'])[1 + floor(luck * 3)::int] ELSE 'both' END,
               at, CASE kind WHEN 'email' THEN NULL ELSE 5 + (luck * 50)::int END, summary, CASE WHEN luck < 0.5 THEN learned ELSE '' END,
               CASE WHEN luck < 0.3 THEN quote ELSE '' END, luck < 0.5, luck BETWEEN 0.3 AND 0.6, luck < 0.6,
               CASE WHEN deal IS NULL THEN sdr ELSE am END, deal, id, organisation
          FROM (
               SELECT l.id, l.sdr, l.am, l.organisation, random() AS luck, (ARRAY['call','call','email','video','visit'])[1 + floor(random() * 5)::int] AS kind,
                      {_pick("summaries")} AS summary, {_pick("learned")} AS learned, {_pick("quotes")} AS quote,
                      CASE WHEN l.status = 'accepted' AND number > 1 THEN l.id END AS deal,
                      least(l.received + make_interval(mins => 20) + (CASE l.status WHEN 'accepted' THEN interval '75 days' ELSE interval '12 days' END)
                            * ((number - 1 + random() * 0.8) / (l.conversations + 1)), %(at)s - make_interval(secs => random() * 36000)) AS at
                 FROM bench_lead l
                CROSS JOIN LATERAL generate_series(1, CASE l.status WHEN 'new' THEN 0 ELSE l.conversations + 1 END) number
               ) said
        """,
    ),
    (
        "conversations with customers",
        f"""
        INSERT INTO crm_conversation (id, kind, direction, at, minutes, summary, learned, quote, has_learning, has_gain, has_next_step, by_id, organisation_id)
        SELECT (SELECT max(id) FROM crm_conversation) + row_number() OVER (ORDER BY d.id), 'call', 'both',
               %(at)s - make_interval(secs => random() * 50 * 86400), 12, {_pick("summaries")}, '', '', false, true, false, d.owner_id, d.organisation_id
          FROM crm_deal d WHERE d.state = 'won' AND d.won_at > %(at)s - interval '400 days'
        """,
    ),
    (
        "who was there",
        """
        INSERT INTO crm_conversation_people (conversation_id, person_id)
        SELECT c.id, l.person FROM crm_conversation c JOIN bench_lead l ON l.id = c.lead_id
        UNION ALL
        SELECT c.id, s.person_id FROM crm_conversation c
         CROSS JOIN LATERAL (SELECT person_id FROM crm_position s WHERE s.organisation_id = c.organisation_id LIMIT 1) s
         WHERE c.lead_id IS NULL
        """,
    ),
    (
        "customers",
        """
        UPDATE crm_organisation o SET customer_since = w.first, owner_id = w.owner
          FROM (SELECT organisation_id, min(won_at) AS first, min(owner_id) AS owner FROM crm_deal WHERE state = 'won' GROUP BY 1) w
         WHERE o.id = w.organisation_id
        """,
    ),
    (
        "tiers",
        """
        UPDATE crm_person p SET owner_id = d.owner_id, tier = (ARRAY['A','B','B','C'])[1 + d.id % 4]
          FROM crm_deal d WHERE d.person_id = p.id AND d.state = 'won' AND d.won_at > %(at)s - interval '400 days'
        """,
    ),
    (
        "last contacts of leads",
        """
        UPDATE crm_lead l SET last_contact_at = c.latest, last_contact_id = c.last, last_reply_at = c.reply, last_reply_id = c.last_reply
          FROM (SELECT c.lead_id AS of, max(c.at) AS latest, (array_agg(c.id ORDER BY c.at DESC, c.id DESC))[1] AS last,
                       max(c.at) FILTER (WHERE c.direction <> 'outgoing') AS reply,
                       (array_agg(c.id ORDER BY c.at DESC, c.id DESC) FILTER (WHERE c.direction <> 'outgoing'))[1] AS last_reply
                  FROM crm_conversation c GROUP BY 1) c
         WHERE c.of = l.id
        """,
    ),
    (
        "last contacts of deals",
        """
        UPDATE crm_deal d
           SET last_contact_at = l.last_contact_at, last_contact_id = l.last_contact_id, last_reply_at = l.last_reply_at, last_reply_id = l.last_reply_id
          FROM crm_lead l WHERE l.id = d.lead_id
        """,
    ),
    (
        "last contacts of organisations",
        """
        UPDATE crm_organisation o SET last_contact_at = c.latest, last_contact_id = c.last, last_reply_at = c.reply, last_reply_id = c.last_reply
          FROM (SELECT c.organisation_id AS of, max(c.at) AS latest, (array_agg(c.id ORDER BY c.at DESC, c.id DESC))[1] AS last,
                       max(c.at) FILTER (WHERE c.direction <> 'outgoing') AS reply,
                       (array_agg(c.id ORDER BY c.at DESC, c.id DESC) FILTER (WHERE c.direction <> 'outgoing'))[1] AS last_reply
                  FROM crm_conversation c GROUP BY 1) c
         WHERE c.of = o.id
        """,
    ),
    (
        "last contacts of people",
        """
        UPDATE crm_person p SET last_contact_at = c.latest, last_contact_id = c.last, last_reply_at = c.reply, last_reply_id = c.last_reply
          FROM (SELECT x.person_id AS of, max(c.at) AS latest, (array_agg(c.id ORDER BY c.at DESC, c.id DESC))[1] AS last,
                       max(c.at) FILTER (WHERE c.direction <> 'outgoing') AS reply,
                       (array_agg(c.id ORDER BY c.at DESC, c.id DESC) FILTER (WHERE c.direction <> 'outgoing'))[1] AS last_reply
                  FROM crm_conversation c JOIN crm_conversation_people x ON x.conversation_id = c.id GROUP BY 1) c
         WHERE c.of = p.id
        """,
    ),
    (
        "promises",
        f"""
        INSERT INTO crm_promise (side, text, made_at, due_on, state, resolved_at, conversation_id, deal_id, lead_id, owner_id, person_id)
        SELECT (ARRAY['ours','theirs'])[1 + (c.id % 2)::int], {_pick("promises")}, c.at, due, state, CASE state WHEN 'open' THEN NULL ELSE least(c.at + interval '5 days', %(at)s) END,
               c.id, c.deal_id, c.lead_id, c.by_id, l.person
          FROM (SELECT c.*, (c.at + interval '6 days')::date AS due,
                       CASE WHEN c.at > %(at)s - interval '9 days' THEN 'open' WHEN random() < 0.9 THEN 'kept' ELSE 'broken' END AS state
                  FROM crm_conversation c WHERE c.id % 10 = 0 AND c.lead_id IS NOT NULL) c
          JOIN bench_lead l ON l.id = c.lead_id
        """,
    ),
    (
        "referrals",
        """
        INSERT INTO crm_referral (referrer_id, deal_id, owner_id, state, whom, asked_at, promised_at, due_on, introduced_id, introduced_at, thanked_at)
        SELECT person_id, id, owner_id, fate, 'a friend', won_at, CASE WHEN fate = 'promised' THEN won_at END,
               CASE WHEN fate = 'promised' THEN (%(at)s + make_interval(days => -10 + (id % 40)::int))::date END,
               CASE WHEN fate IN ('introduced', 'won', 'lost', 'thanked') THEN 1 + person_id % %(people)s END,
               CASE WHEN fate IN ('introduced', 'won', 'lost', 'thanked') THEN won_at + interval '10 days' END,
               CASE WHEN fate = 'thanked' THEN won_at + interval '90 days' END
          FROM (SELECT d.*, (ARRAY['asked','promised','introduced','won','lost','thanked','thanked','refused','lapsed','thanked'])[1 + (d.id % 10)::int] AS fate
                  FROM crm_deal d WHERE d.state = 'won' AND d.id % 7 = 0 AND d.won_at > %(at)s - interval '900 days') d
        """,
    ),
    (
        "advocates",
        """
        INSERT INTO crm_advocate (person_id, since, evidence)
        SELECT referrer_id, min(asked_at), '' FROM crm_referral WHERE state NOT IN ('asked', 'refused') GROUP BY 1
        """,
    ),
    (
        "touches",
        f"""
        INSERT INTO crm_touch (person_id, content_id, at)
        SELECT l.person, {_pick("contents")}, l.received - make_interval(secs => random() * 200 * 86400) FROM bench_lead l, generate_series(1, 2)
        """,
    ),
    (
        "follow-ups of the past",
        """
        INSERT INTO crm_followup (rule, subject_kind, subject_id, cause, why, note, rank, due_at, show_at, created_at, closed_at, outcome,
                                  owner_id, lead_id, organisation_id, person_id)
        SELECT 'first_answer', 'lead', id, 'bench', '{}', '', 1, received, received, received, received + interval '2 hours', 'cause_gone',
               sdr, id, organisation, person
          FROM bench_lead WHERE status <> 'new'
        """,
    ),
    (
        "events",
        """
        INSERT INTO crm_event (kind, at, by_id, subject_kind, subject_id, old, new, person_id, organisation_id, lead_id, deal_id)
        SELECT kind, at, by, subject_kind, subject, NULL, new, person, organisation, lead, deal FROM (
            SELECT 'person.made' AS kind, received AS at, NULL::bigint AS by, 'person' AS subject_kind, person::bigint AS subject,
                   '{"name": "somebody"}'::jsonb AS new, person::bigint, organisation::bigint, NULL::bigint AS lead, NULL::bigint AS deal
              FROM bench_lead WHERE id <= %(people)s
            UNION ALL
            SELECT 'organisation.made', created_at, NULL, 'organisation', id, '{"name": "a firm"}', NULL, id, NULL, NULL FROM crm_organisation
            UNION ALL
            SELECT 'lead.received', received, NULL, 'lead', id, jsonb_build_object('channel', 'form', 'origin', origin), person, organisation, id, NULL
              FROM bench_lead
            UNION ALL
            SELECT kind, received + after, sdr, 'lead', id, '{"owner": "somebody"}', person, organisation, id, NULL
              FROM bench_lead, (VALUES ('lead.taken', interval '10 minutes'), ('lead.answered', interval '20 minutes')) AS k(kind, after)
             WHERE status <> 'new'
            UNION ALL
            SELECT CASE status WHEN 'declined' THEN 'lead.declined' WHEN 'nurture' THEN 'lead.nurtured' ELSE 'lead.qualified' END,
                   least(received + interval '3 days', %(at)s), sdr, 'lead', id, jsonb_build_object('verdict', status), person, organisation, id, NULL
              FROM bench_lead WHERE status NOT IN ('new', 'working')
            UNION ALL
            SELECT 'hand_off.submitted', h.submitted_at, l.sdr, 'hand_off', h.id, '{"to": "somebody"}', l.person, l.organisation, l.id, NULL
              FROM crm_handoff h JOIN bench_lead l ON l.id = h.lead_id
            UNION ALL
            SELECT 'hand_off.accepted', h.answered_at, l.am, 'hand_off', h.id, '{"by": "somebody"}', l.person, l.organisation, l.id, NULL
              FROM crm_handoff h JOIN bench_lead l ON l.id = h.lead_id WHERE h.state = 'accepted'
            UNION ALL
            SELECT 'deal.opened', opened_at, owner_id, 'deal', id, jsonb_build_object('name', name), person_id, organisation_id, lead_id, id FROM crm_deal
            UNION ALL
            SELECT CASE WHEN s.to_state = 'open' THEN 'deal.moved' ELSE 'deal.' || s.to_state END, s.at, s.by_id, 'deal', d.id, '{"stage": "somewhere"}',
                   d.person_id, d.organisation_id, d.lead_id, d.id
              FROM crm_stagechange s JOIN crm_deal d ON d.id = s.deal_id WHERE s.from_stage_id IS NOT NULL
            UNION ALL
            SELECT 'conversation.logged', c.at, c.by_id, 'conversation', c.id, jsonb_build_object('kind', c.kind, 'direction', c.direction),
                   x.person_id, c.organisation_id, c.lead_id, c.deal_id
              FROM crm_conversation c JOIN crm_conversation_people x ON x.conversation_id = c.id
        ) everything
         ORDER BY at
        """,
    ),
    ("fates forgotten", "DROP TABLE bench_lead"),
)
