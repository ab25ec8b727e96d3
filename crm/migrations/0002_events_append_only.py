"""The database itself refuses to change or delete what happened. Links to people may move when two records are merged."""

from __future__ import annotations

from django.db import migrations

REFUSE = """
CREATE FUNCTION crm_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_append_only
    BEFORE DELETE OR UPDATE OF kind, at, by_id, subject_kind, subject_id, old, new ON crm_event
    FOR EACH ROW EXECUTE FUNCTION crm_event_append_only();
"""
ALLOW = """
DROP TRIGGER event_append_only ON crm_event;
DROP FUNCTION crm_event_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_nouns")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
