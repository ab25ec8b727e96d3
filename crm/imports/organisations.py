"""Organisations from the staging table. One that Kring knows by its domain, KvK number or name is taken over, not made again."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.channels.import_map import ImportMap
from crm.imports import recognition, staging
from crm.imports.staging import Change, Columns, Said, execute, remember
from crm.models import EventKind, Role

COLUMNS: Columns = {
    "name": "text",
    "domain": "text",
    "kvk_number": "text",
    "vat_number": "text",
    "sector": "text",
    "city": "text",
    "country": "text",
    "owner": "text",
}
FOUND: Columns = {"owner_id": "bigint"}
KEY, TABLE = "organisation_id", "crm_organisation"

TAKE_OVER = """
UPDATE staged s SET organisation_id = f.id, is_new = false
FROM (
    SELECT DISTINCT ON (o.id) o.id, n.line FROM staged n JOIN crm_organisation o ON {same}
    WHERE n.is_new AND o.external_id = '' AND NOT EXISTS (SELECT 1 FROM staged k WHERE NOT k.is_new AND k.organisation_id = o.id)
    ORDER BY o.id, n.line
) f
WHERE f.line = s.line
"""
SAME = (
    "o.domain = n.domain",
    "o.kvk_number <> '' AND o.kvk_number = n.kvk_number",
    "lower(o.name) = lower(n.name) AND (n.domain IS NULL OR o.domain = '') AND (n.kvk_number IS NULL OR o.kvk_number = '')",
)
SAME_AS_MERGED = (
    "f.gone->>'domain' <> '' AND f.gone->>'domain' = s.domain",
    "f.gone->>'kvk_number' <> '' AND f.gone->>'kvk_number' = s.kvk_number",
)
KEEPS_ITS_DOMAIN = """
UPDATE staged s SET domain = NULL FROM crm_organisation o, crm_merge m
WHERE NOT s.is_new AND o.id = s.organisation_id AND o.domain <> '' AND s.domain <> o.domain
    AND m.kind = 'organisation' AND m.undone_at IS NULL AND m.gone->>'domain' = s.domain
"""
"""An organisation keeps the domain that was chosen when two were merged, whatever the file still says of the other."""
DOMAIN_TAKEN = """
s.domain IS NOT NULL AND (
    EXISTS (SELECT 1 FROM crm_organisation o WHERE o.domain = s.domain AND o.id <> s.organisation_id)
    OR EXISTS (SELECT 1 FROM staged e WHERE e.domain = s.domain AND e.line < s.line)
)
"""
INSERT = """
INSERT INTO crm_organisation (id, name, domain, kvk_number, vat_number, sector, city, country, owner_id, external_id)
SELECT s.organisation_id, s.name, COALESCE(s.domain, ''), COALESCE(s.kvk_number, ''), COALESCE(s.vat_number, ''), COALESCE(s.sector, ''),
    COALESCE(s.city, ''), COALESCE(s.country, ''), s.owner_id, s.external_id
FROM staged s WHERE s.is_new ORDER BY s.line
"""
CHANGES = (
    *(
        Change(name, name, f"s.{name}")
        for name in ("name", "domain", "kvk_number", "vat_number", "sector", "city", "country", "external_id")
    ),
    Change("owner", "owner_id", "s.owner_id", staging.USER_SHOWN),
)


def find(said: Said, plan: ImportMap) -> None:
    """Each row knows its organisation and owner; a domain that is another's refuses the row."""
    staging.match_known(KEY, TABLE)
    staging.match_merged(KEY, TABLE, "organisation")
    for same in SAME:
        execute(TAKE_OVER.format(same=same))
    for same in SAME_AS_MERGED:
        staging.match_merged(KEY, TABLE, "organisation", same)
    execute(KEEPS_ITS_DOMAIN)
    staging.refuse(
        DOMAIN_TAKEN,
        column=plan.columns.get("domain", ""),
        value="s.domain",
        reason=_("Another organisation has this domain already."),
    )
    recognition.users({"owner": Role.ACCOUNT_MANAGER})


def write(said: Said) -> tuple[int, int]:
    """Make and change the organisations; how many of each."""
    changed = staging.change(TABLE, KEY, CHANGES)
    remember(
        EventKind.ORGANISATION_CHANGED,
        said,
        subject=("organisation", "c.id"),
        organisation="c.id",
        old="c.old",
        new="c.new",
        rows="changed c",
    )
    made = execute(INSERT)
    remember(
        EventKind.ORGANISATION_MADE,
        said,
        subject=("organisation", "s.organisation_id"),
        organisation="s.organisation_id",
        new="jsonb_build_object('name', s.name, 'domain', COALESCE(s.domain, ''))",
        rows="staged s WHERE s.is_new",
    )
    return made, changed
