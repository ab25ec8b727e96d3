"""Fill the links to the last conversation and the last reply, which stood there as moments only."""

from __future__ import annotations

from typing import Any

from django.db import migrations

FILL = """
WITH said AS (
    SELECT x.{key} AS id, c.id AS conversation, c.at, c.direction
      FROM crm_conversation c {join}
     WHERE x.{key} IS NOT NULL
),
last AS (SELECT DISTINCT ON (id) id, conversation FROM said ORDER BY id, at DESC, conversation DESC),
reply AS (SELECT DISTINCT ON (id) id, conversation FROM said WHERE direction <> 'outgoing' ORDER BY id, at DESC, conversation DESC)
UPDATE {table} t
   SET last_contact_id = last.conversation, last_reply_id = reply.conversation
  FROM last LEFT JOIN reply USING (id)
 WHERE t.id = last.id
"""
ITSELF = "JOIN crm_conversation x ON x.id = c.id"
ON_DEAL = """
JOIN LATERAL (
    SELECT c.deal_id AS deal UNION SELECT d.id FROM crm_deal d WHERE d.lead_id = c.lead_id
) x ON true
"""
TABLES = (
    ("crm_person", "person_id", "JOIN crm_conversation_people x ON x.conversation_id = c.id"),
    ("crm_organisation", "organisation_id", ITSELF),
    ("crm_lead", "lead_id", ITSELF),
    ("crm_deal", "deal", ON_DEAL),
)


def fill(apps: Any, schema_editor: Any) -> None:
    for table, key, join in TABLES:
        schema_editor.execute(FILL.format(table=table, key=key, join=join))


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_complete_the_record")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
