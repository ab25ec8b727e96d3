"""Whom the rows of a file are about: users, content, organisations and people that Kring knows, and new ones where it knows none.

Each is found by one statement over all rows. A person is known by e-mail address, an organisation by its domain (never by a free-mail domain)
and then by its name, content by its id, a seller by id, address or name; a seller whom nobody knows becomes an inactive user without a login.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.imports.staging import STAYED, Said, execute, fetch, number, remember, weigh
from crm.models import EventKind, Role, User
from crm.refusal import Refused

MOST_NEW_USERS = 1000
"""More unknown sellers than this in one column is a wrong map, not a team."""


def users(roles: dict[str, Role]) -> None:
    """Each column of `roles` gets a `<column>_id`; a new user has the role of the first column that names them."""
    names = " UNION ".join(
        f"SELECT DISTINCT {column} AS value FROM staged WHERE {column} IS NOT NULL" for column in roles
    )
    execute(
        f"""
        CREATE TEMPORARY TABLE staged_user ON COMMIT DROP AS
        SELECT v.value, (
            SELECT u.id FROM crm_user u
            WHERE u.external_id = v.value OR u.email = lower(v.value) OR lower(u.name) = lower(v.value)
            ORDER BY u.external_id = v.value DESC, COALESCE(u.email = lower(v.value), false) DESC, u.is_active DESC, u.id LIMIT 1
        ) AS user_id
        FROM ({names}) v
        """
    )
    weigh("staged_user")
    unknown = number("SELECT count(*) FROM staged_user WHERE user_id IS NULL")
    if unknown > MOST_NEW_USERS:
        sentence = ngettext(
            "The file names %(count)d seller whom Kring does not know. Is the right column mapped to %(columns)s?",
            "The file names %(count)d sellers whom Kring does not know. Is the right column mapped to %(columns)s?",
            unknown,
        )
        raise Refused(sentence % {"count": unknown, "columns": _(" or ").join(roles)})
    if unknown:
        _add_users(roles)
    for column in roles:
        execute(f"UPDATE staged s SET {column}_id = u.user_id FROM staged_user u WHERE u.value = s.{column}")


def _add_users(roles: dict[str, Role]) -> None:
    named = " UNION ALL ".join(
        f"SELECT {column} AS value, {rank} AS rank, line FROM staged WHERE {column} IS NOT NULL"
        for rank, column in enumerate(roles)
    )
    found = fetch(
        f"""
        SELECT v.value, min(n.rank) FROM staged_user v JOIN ({named}) n USING (value)
        WHERE v.user_id IS NULL GROUP BY v.value ORDER BY min(n.line), v.value
        """
    )
    by_rank = list(roles.values())
    sellers = [
        User(name=value.partition("@")[0], role=by_rank[rank], external_id=value, is_active=False)
        for value, rank in found
    ]
    for seller in sellers:
        seller.set_unusable_password()
    User.objects.bulk_create(sellers)
    execute(
        "UPDATE staged_user v SET user_id = u.id FROM crm_user u WHERE v.user_id IS NULL AND u.external_id = v.value"
    )


def content() -> None:
    """`content_id` of each row: the piece with this id, a new page when there is none."""
    execute(
        """
        INSERT INTO crm_content (kind, title, url, topic, external_id)
        SELECT DISTINCT 'page', s.content, CASE WHEN s.content ~ '^https?://' THEN s.content ELSE '' END, '', s.content
        FROM staged s WHERE s.content IS NOT NULL AND NOT EXISTS (SELECT 1 FROM crm_content c WHERE c.external_id = s.content)
        ON CONFLICT DO NOTHING
        """
    )
    execute(
        "UPDATE staged s SET content_id = c.id FROM crm_content c WHERE s.content IS NOT NULL AND c.external_id = s.content"
    )


BY_DOMAIN = "UPDATE staged s SET organisation_id = o.id FROM crm_organisation o WHERE s.organisation_id IS NULL AND o.domain = s.domain"
BY_MAIL = """
UPDATE staged s SET organisation_id = o.id FROM crm_organisation o
WHERE s.organisation_id IS NULL AND s.domain IS NULL AND o.domain = s.mail_domain
"""
BY_MERGED = f"""
UPDATE staged s SET organisation_id = f.id FROM ({STAYED.format(kind="organisation", table="crm_organisation")}) f
WHERE s.organisation_id IS NULL AND f.gone->>'domain' <> '' AND f.gone->>'domain' = COALESCE(s.domain, s.mail_domain)
"""
BY_NAME = """
UPDATE staged s SET organisation_id = o.id
FROM (
    SELECT DISTINCT ON (lower(name)) lower(name) AS name, id, domain FROM crm_organisation
    WHERE lower(name) IN (SELECT lower(organisation) FROM staged WHERE organisation_id IS NULL AND organisation IS NOT NULL)
    ORDER BY lower(name), id
) o
WHERE s.organisation_id IS NULL AND o.name = lower(s.organisation) AND (s.domain IS NULL OR o.domain = '')
"""
BY_NEW_DOMAIN = """
UPDATE staged s SET organisation_id = f.id FROM staged_organisation f WHERE s.organisation_id IS NULL AND f.domain = s.domain
"""
BY_NEW_NAME = """
UPDATE staged s SET organisation_id = f.id
FROM (SELECT DISTINCT ON (lower(name)) lower(name) AS name, id, domain FROM staged_organisation ORDER BY lower(name), id) f
WHERE s.organisation_id IS NULL AND f.name = lower(s.organisation) AND (s.domain IS NULL OR f.domain = '')
"""


def organisations(said: Said) -> None:
    """`organisation_id` of each row that tells a company. Needs the columns organisation, domain and mail_domain.

    A domain of an e-mail address makes no organisation by itself, and names a new one only when the file gives it to that one alone.
    """
    for statement in (BY_DOMAIN, BY_MAIL, BY_MERGED, BY_NAME):
        execute(statement)
    _add_organisations(
        said,
        """
        SELECT DISTINCT ON (s.domain) COALESCE(s.organisation, s.domain) AS name, s.domain
        FROM staged s WHERE s.organisation_id IS NULL AND s.domain IS NOT NULL ORDER BY s.domain, s.organisation IS NULL, s.line
        """,
    )
    execute(BY_NEW_DOMAIN)
    execute(BY_NEW_NAME)
    _add_organisations(
        said,
        """
        WITH named AS (
            SELECT lower(s.organisation) AS key, min(s.mail_domain) AS domain, count(DISTINCT s.mail_domain) AS domains, min(s.line) AS line
            FROM staged s WHERE s.organisation_id IS NULL AND s.organisation IS NOT NULL GROUP BY 1
        ), shared AS (
            SELECT mail_domain AS domain FROM staged WHERE organisation IS NOT NULL AND mail_domain IS NOT NULL
            GROUP BY 1 HAVING count(DISTINCT lower(organisation)) > 1
        )
        SELECT s.organisation AS name, CASE
            WHEN n.domains = 1 AND NOT EXISTS (SELECT 1 FROM shared h WHERE h.domain = n.domain)
                AND NOT EXISTS (SELECT 1 FROM crm_organisation o WHERE o.domain = n.domain) THEN n.domain ELSE '' END AS domain
        FROM named n JOIN staged s ON s.line = n.line
        """,
    )
    execute(BY_NEW_NAME)


def _add_organisations(said: Said, found: str) -> None:
    execute("DROP TABLE IF EXISTS pg_temp.staged_organisation")
    execute(
        f"""
        CREATE TEMPORARY TABLE staged_organisation ON COMMIT DROP AS
        SELECT nextval(pg_get_serial_sequence('crm_organisation', 'id')) AS id, f.name, f.domain FROM ({found}) f
        """
    )
    weigh("staged_organisation")
    execute(
        """
        INSERT INTO crm_organisation (id, name, domain, kvk_number, vat_number, sector, city, country, external_id)
        SELECT id, name, domain, '', '', '', '', '', '' FROM staged_organisation
        """
    )
    remember(
        EventKind.ORGANISATION_MADE,
        said,
        subject=("organisation", "f.id"),
        organisation="f.id",
        new="jsonb_build_object('name', f.name, 'domain', f.domain)",
        rows="staged_organisation f",
    )


PERSON_BY_EMAIL = """
UPDATE staged s SET person_id = e.person_id
FROM (
    SELECT DISTINCT ON (address) address, person_id FROM crm_emailaddress
    WHERE address IN (SELECT email FROM staged WHERE email IS NOT NULL) ORDER BY address, id
) e
WHERE s.person_id IS NULL AND e.address = s.email
"""
PERSON_OF_LEAD = """
UPDATE staged s SET person_id = l.person_id FROM crm_lead l
WHERE s.person_id IS NULL AND NOT s.is_new AND l.id = s.lead_id AND l.person_id IS NOT NULL
"""
PERSON_BY_PHONE = """
UPDATE staged s SET person_id = n.person_id
FROM (
    SELECT DISTINCT ON (number, name) number, lower(p.full_name) AS name, person_id
    FROM crm_phonenumber JOIN crm_person p ON p.id = person_id
    WHERE number IN (SELECT phone FROM staged WHERE person_id IS NULL AND email IS NULL AND phone IS NOT NULL)
    ORDER BY number, name, crm_phonenumber.id
) n
WHERE s.person_id IS NULL AND s.email IS NULL AND n.number = s.phone AND n.name = lower(concat_ws(' ', s.given_name, s.particle, s.family_name))
"""
NEW_PEOPLE = """
CREATE TEMPORARY TABLE staged_person ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('crm_person', 'id')) AS id, f.key, f.line
FROM (
    SELECT DISTINCT ON (key) key, line FROM (
        SELECT s.line, COALESCE(
            s.email, s.phone || ' ' || lower(concat_ws(' ', s.given_name, s.particle, s.family_name)), 'line ' || s.line
        ) AS key
        FROM staged s WHERE s.person_id IS NULL AND (s.given_name IS NOT NULL OR s.family_name IS NOT NULL)
    ) k ORDER BY key, line
) f
"""
ADD_PEOPLE = """
INSERT INTO crm_person (id, given_name, particle, family_name, language, interests, tier, note, external_id)
SELECT f.id, COALESCE(s.given_name, ''), COALESCE(s.particle, ''), COALESCE(s.family_name, ''), '', '{}', '', '', ''
FROM staged_person f JOIN staged s ON s.line = f.line
"""
PERSON_BY_KEY = """
UPDATE staged s SET person_id = f.id FROM staged_person f
WHERE s.person_id IS NULL AND f.key = COALESCE(
    s.email, s.phone || ' ' || lower(concat_ws(' ', s.given_name, s.particle, s.family_name)), 'line ' || s.line
)
"""


def people_of_leads(said: Said) -> None:
    """`person_id` of each row that names somebody, with e-mail address, phone number and position added where they are new."""
    for statement in (PERSON_BY_EMAIL, PERSON_OF_LEAD, PERSON_BY_PHONE, NEW_PEOPLE):
        execute(statement)
    execute("CREATE UNIQUE INDEX ON staged_person (id)")
    weigh("staged_person")
    execute(ADD_PEOPLE)
    execute(PERSON_BY_KEY)
    remember(
        EventKind.PERSON_MADE,
        said,
        subject=("person", "f.id"),
        person="f.id",
        organisation="s.organisation_id",
        new="jsonb_build_object('name', concat_ws(' ', s.given_name, s.particle, s.family_name))",
        rows="staged_person f JOIN staged s ON s.line = f.line",
    )
    is_new = "EXISTS (SELECT 1 FROM staged_person f WHERE f.id = a.person_id)"
    add_addresses(said, "SELECT person_id, email AS value, line AS rank FROM staged WHERE email IS NOT NULL", is_new)
    add_phones(said, "SELECT person_id, phone AS value, line AS rank FROM staged WHERE phone IS NOT NULL", is_new)
    add_positions(said, is_new)


def add_addresses(said: Said, found: str, is_new: str) -> None:
    _add_ways(said, "crm_emailaddress", "address", "email", found, is_new)


def add_phones(said: Said, found: str, is_new: str) -> None:
    _add_ways(said, "crm_phonenumber", "number", "phone", found, is_new)


def _add_ways(said: Said, table: str, column: str, word: str, found: str, is_new: str) -> None:
    """Add what people can newly be reached at; the first is preferred. People who were known have it in their history (alias `a`)."""
    execute(
        f"""
        WITH f AS (
            SELECT person_id, value, row_number() OVER (PARTITION BY person_id ORDER BY min(rank), value) AS place
            FROM ({found}) v WHERE person_id IS NOT NULL GROUP BY person_id, value
        ), a AS (
            INSERT INTO {table} (person_id, {column}, is_preferred)
            SELECT f.person_id, f.value, f.place = 1 AND NOT EXISTS (SELECT 1 FROM {table} w WHERE w.person_id = f.person_id)
            FROM f ORDER BY f.person_id, f.place ON CONFLICT DO NOTHING
            RETURNING person_id, {column} AS value
        )
        INSERT INTO crm_event (kind, at, by_id, subject_kind, subject_id, person_id, new)
        SELECT '{EventKind.PERSON_CHANGED.value}', %(at)s::timestamptz, %(by)s::bigint, 'person', a.person_id, a.person_id,
            jsonb_build_object('{word}', a.value)
        FROM a WHERE NOT {is_new}
        """,
        {"at": said.at, "by": said.by_id},
    )


def add_positions(said: Said, is_new: str, title: str = "''") -> None:
    """A current position for each person and organisation of a row that had none; it is the main one when there was no other."""
    execute(
        f"""
        WITH a AS (
            INSERT INTO crm_position (person_id, organisation_id, title, is_main)
            SELECT s.person_id, s.organisation_id, s.title,
                NOT EXISTS (SELECT 1 FROM crm_position p WHERE p.person_id = s.person_id AND p.ended_on IS NULL)
                AND row_number() OVER (PARTITION BY s.person_id ORDER BY s.line) = 1
            FROM (
                SELECT DISTINCT ON (person_id, organisation_id) person_id, organisation_id, {title} AS title, line
                FROM staged WHERE person_id IS NOT NULL AND organisation_id IS NOT NULL ORDER BY person_id, organisation_id, line
            ) s
            WHERE NOT EXISTS (
                SELECT 1 FROM crm_position p WHERE p.person_id = s.person_id AND p.organisation_id = s.organisation_id AND p.ended_on IS NULL
            )
            ON CONFLICT DO NOTHING RETURNING person_id, organisation_id
        )
        INSERT INTO crm_event (kind, at, by_id, subject_kind, subject_id, person_id, organisation_id, new)
        SELECT '{EventKind.PERSON_CHANGED.value}', %(at)s::timestamptz, %(by)s::bigint, 'person', a.person_id, a.person_id, a.organisation_id,
            jsonb_build_object('organisation', o.name)
        FROM a JOIN crm_organisation o ON o.id = a.organisation_id WHERE NOT {is_new}
        """,
        {"at": said.at, "by": said.by_id},
    )
