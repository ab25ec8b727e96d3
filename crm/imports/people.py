"""People from the staging table, with up to three addresses and numbers each and their position at an organisation.

A person whom Kring knows by e-mail address and who has no id of a file yet is taken over, not made again.
"""

from __future__ import annotations

from crm.channels.import_map import ImportMap
from crm.imports import recognition, staging
from crm.imports.staging import Change, Columns, Said, execute, remember
from crm.models import EventKind, Role

COLUMNS: Columns = {
    "given_name": "text",
    "particle": "text",
    "family_name": "text",
    "email": "text",
    "emails": "text[]",
    "phones": "text[]",
    "organisation": "text",
    "domain": "text",
    "mail_domain": "text",
    "title": "text",
    "language": "text",
    "interests": "text[]",
    "tier": "text",
    "note": "text",
    "owner": "text",
}
FOUND: Columns = {"organisation_id": "bigint", "owner_id": "bigint"}
KEY, TABLE = "person_id", "crm_person"

TAKE_OVER = """
UPDATE staged s SET person_id = f.person_id, is_new = false
FROM (
    SELECT DISTINCT ON (person_id) person_id, line FROM (
        SELECT DISTINCT ON (n.line) n.line, e.person_id
        FROM staged n JOIN crm_emailaddress e ON e.address = ANY (n.emails) JOIN crm_person p ON p.id = e.person_id
        WHERE n.is_new AND p.external_id = '' AND NOT EXISTS (SELECT 1 FROM staged k WHERE NOT k.is_new AND k.person_id = p.id)
        ORDER BY n.line, e.id
    ) m ORDER BY person_id, line
) f
WHERE f.line = s.line
"""
INSERT = """
INSERT INTO crm_person (id, given_name, particle, family_name, language, interests, tier, note, owner_id, external_id)
SELECT s.person_id, COALESCE(s.given_name, ''), COALESCE(s.particle, ''), COALESCE(s.family_name, ''), COALESCE(s.language, ''),
    COALESCE(s.interests, '{}'), COALESCE(s.tier, ''), COALESCE(s.note, ''), s.owner_id, s.external_id
FROM staged s WHERE s.is_new ORDER BY s.line
"""
CHANGES = (
    *(
        Change(name, name, f"s.{name}")
        for name in ("given_name", "particle", "family_name", "language", "tier", "note", "external_id")
    ),
    Change("interests", "interests", "s.interests::varchar(50)[]"),
    Change("owner", "owner_id", "s.owner_id", staging.USER_SHOWN),
)
MORE_CHANGED = """
SELECT count(*) FROM staged s WHERE NOT s.is_new AND NOT EXISTS (SELECT 1 FROM changed c WHERE c.id = s.person_id) AND (
    EXISTS (SELECT 1 FROM unnest(s.emails) v WHERE NOT EXISTS (
        SELECT 1 FROM crm_emailaddress e WHERE e.person_id = s.person_id AND e.address = v))
    OR EXISTS (SELECT 1 FROM unnest(s.phones) v WHERE NOT EXISTS (
        SELECT 1 FROM crm_phonenumber n WHERE n.person_id = s.person_id AND n.number = v))
    OR (s.organisation_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM crm_position p WHERE p.person_id = s.person_id AND p.organisation_id = s.organisation_id AND p.ended_on IS NULL
            AND (s.title IS NULL OR p.title = s.title)))
)
"""
NEW_TITLES = f"""
WITH a AS (
    UPDATE crm_position p SET title = s.title FROM staged s
    WHERE s.title IS NOT NULL AND p.person_id = s.person_id AND p.organisation_id = s.organisation_id AND p.ended_on IS NULL
        AND p.title <> s.title
    RETURNING p.person_id, p.organisation_id, p.title
)
INSERT INTO crm_event (kind, at, by_id, subject_kind, subject_id, person_id, organisation_id, new)
SELECT '{EventKind.PERSON_CHANGED.value}', %(at)s::timestamptz, %(by)s::bigint, 'person', a.person_id, a.person_id, a.organisation_id,
    jsonb_build_object('title', a.title)
FROM a
"""


def find(said: Said, plan: ImportMap) -> None:
    """Each row knows its person, organisation and owner."""
    staging.match_known(KEY, TABLE)
    staging.match_merged(KEY, TABLE, "person")
    execute(TAKE_OVER)
    recognition.users({"owner": Role.ACCOUNT_MANAGER})
    recognition.organisations(said)


def write(said: Said) -> tuple[int, int]:
    """Make and change the people; how many of each. A new address, number or position is a change too."""
    changed = staging.change(TABLE, KEY, CHANGES)
    changed += staging.number(MORE_CHANGED)
    remember(
        EventKind.PERSON_CHANGED,
        said,
        subject=("person", "c.id"),
        person="c.id",
        old="c.old",
        new="c.new",
        rows="changed c",
    )
    made = execute(INSERT)
    remember(
        EventKind.PERSON_MADE,
        said,
        subject=("person", "s.person_id"),
        person="s.person_id",
        organisation="s.organisation_id",
        new="jsonb_build_object('name', concat_ws(' ', s.given_name, s.particle, s.family_name))",
        rows="staged s WHERE s.is_new",
    )
    is_new = "EXISTS (SELECT 1 FROM staged s WHERE s.is_new AND s.person_id = a.person_id)"
    ways = "SELECT s.person_id, v.value, s.line * 10 + v.place AS rank FROM staged s, unnest(s.{}) WITH ORDINALITY v (value, place)"
    recognition.add_addresses(said, ways.format("emails"), is_new)
    recognition.add_phones(said, ways.format("phones"), is_new)
    execute(NEW_TITLES, {"at": said.at, "by": said.by_id})
    recognition.add_positions(said, is_new, "COALESCE(title, '')")
    return made, changed
