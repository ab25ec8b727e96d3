"""Leads from the staging table: known ones brought up to date, new ones made, with their people, organisations, content and owners.

A lead from a file has no response clock. Its status is the file's as long as nobody has given a verdict in Kring.
"""

from __future__ import annotations

from crm.imports import recognition, staging
from crm.imports.staging import Change, Columns, Said, execute, remember
from crm.models import EventKind, Role

COLUMNS: Columns = {
    "received_at": "timestamptz",
    "given_name": "text",
    "particle": "text",
    "family_name": "text",
    "email": "text",
    "phone": "text",
    "organisation": "text",
    "domain": "text",
    "mail_domain": "text",
    "content": "text",
    "origin": "text",
    "owner": "text",
    "status": "text",
    "decline_reason": "text",
    "nurture_until": "date",
    "message": "text",
}
FOUND: Columns = {"person_id": "bigint", "organisation_id": "bigint", "content_id": "bigint", "owner_id": "bigint"}
KEY, TABLE = "lead_id", "crm_lead"

VERDICT = "CASE WHEN s.status IN ('qualified', 'declined', 'nurture') THEN s.status END"
OPEN_TO_THE_FILE = "t.verdict = 'undecided' AND t.status IN ('new', 'working')"

INSERT = f"""
INSERT INTO crm_lead (
    id, channel, external_id, origin, person_id, organisation_id, content_id, message, received_at, owner_id, status,
    verdict, verdict_at, qualified_at, nurture_until, decline_reason, decline_note
)
SELECT s.lead_id, 'file', s.external_id, COALESCE(s.origin, ''), s.person_id, s.organisation_id, s.content_id, COALESCE(s.message, ''),
    COALESCE(s.received_at, %(at)s::timestamptz), s.owner_id, COALESCE(s.status, 'new'),
    COALESCE({VERDICT}, 'undecided'), CASE WHEN {VERDICT} IS NOT NULL THEN COALESCE(s.received_at, %(at)s::timestamptz) END,
    CASE WHEN s.status = 'qualified' THEN COALESCE(s.received_at, %(at)s::timestamptz) END,
    CASE WHEN s.status = 'nurture' THEN s.nurture_until END,
    CASE WHEN s.status = 'declined' THEN s.decline_reason ELSE '' END, ''
FROM staged s WHERE s.is_new ORDER BY s.line
"""
TOUCHES = """
INSERT INTO crm_touch (person_id, content_id, at)
SELECT DISTINCT s.person_id, s.content_id, COALESCE(s.received_at, %(at)s::timestamptz) FROM staged s
WHERE s.is_new AND s.person_id IS NOT NULL AND s.content_id IS NOT NULL
ON CONFLICT DO NOTHING
"""
CHANGES = (
    Change("received_at", "received_at", "s.received_at"),
    Change("origin", "origin", "s.origin"),
    Change("message", "message", "s.message"),
    Change("content", "content_id", "s.content_id", staging.CONTENT_SHOWN),
    Change("owner", "owner_id", "s.owner_id", staging.USER_SHOWN),
    Change("organisation", "organisation_id", "s.organisation_id", staging.ORGANISATION_SHOWN),
    Change("person", "person_id", "s.person_id", staging.PERSON_SHOWN),
    Change("status", "status", "s.status", when=OPEN_TO_THE_FILE),
    Change("verdict", "verdict", VERDICT, when=OPEN_TO_THE_FILE),
    Change(
        "verdict_at",
        "verdict_at",
        f"CASE WHEN {VERDICT} IS NOT NULL THEN %(at)s::timestamptz END",
        when=OPEN_TO_THE_FILE,
    ),
    Change(
        "qualified_at",
        "qualified_at",
        "CASE WHEN s.status = 'qualified' THEN %(at)s::timestamptz END",
        when=OPEN_TO_THE_FILE,
    ),
    Change(
        "decline_reason",
        "decline_reason",
        "CASE WHEN s.status = 'declined' THEN s.decline_reason END",
        when=OPEN_TO_THE_FILE,
    ),
    Change(
        "nurture_until",
        "nurture_until",
        "CASE WHEN s.status = 'nurture' THEN s.nurture_until END",
        when=OPEN_TO_THE_FILE,
    ),
)


def find(said: Said) -> None:
    """Each row knows its lead, person, organisation, content and owner."""
    staging.match_known(KEY, TABLE, also="AND t.channel = 'file'")
    recognition.users({"owner": Role.SDR})
    recognition.content()
    recognition.organisations(said)
    recognition.people_of_leads(said)


def write(said: Said) -> tuple[int, int]:
    """Make and change the leads; how many of each."""
    changed = staging.change(TABLE, KEY, CHANGES, {"at": said.at})
    remember(
        EventKind.IMPORT_RUN,
        said,
        subject=("lead", "c.id"),
        lead="c.id",
        person="l.person_id",
        organisation="l.organisation_id",
        old="c.old",
        new="c.new",
        rows="changed c JOIN crm_lead l ON l.id = c.id",
    )
    made = execute(INSERT, {"at": said.at})
    execute(TOUCHES, {"at": said.at})
    remember(
        EventKind.LEAD_RECEIVED,
        said,
        subject=("lead", "s.lead_id"),
        at="COALESCE(s.received_at, %(at)s::timestamptz)",
        lead="s.lead_id",
        person="s.person_id",
        organisation="s.organisation_id",
        new="jsonb_build_object('channel', 'file', 'origin', COALESCE(s.origin, ''), 'content', s.content)",
        rows="staged s WHERE s.is_new",
    )
    return made, changed
