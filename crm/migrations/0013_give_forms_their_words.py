from django.db import migrations

# What a form said until now it says in one language; what it asked are five fields; its owner, when it had one, still gets its leads.
TEXTS = """
INSERT INTO crm_formtext (form_id, language, title, intro, consent, thank_you, button)
SELECT id, language, title, intro, '', thank_you, '' FROM crm_captureform
"""
FIELDS = """
INSERT INTO crm_formfield (form_id, kind, criterion_key, label_en, label_nl, is_required, position)
SELECT f.id, k.kind, '', '', '', k.position < 2, k.position
  FROM crm_captureform f
 CROSS JOIN (VALUES ('name', 0), ('email', 1), ('organisation', 2), ('phone', 3), ('message', 4)) AS k(kind, position)
"""
OWNERS = "UPDATE crm_captureform SET owner_rule = CASE WHEN owner_id IS NULL THEN 'nobody' ELSE 'user' END"
WORDS_BACK = """
UPDATE crm_captureform f SET intro = t.intro, thank_you = t.thank_you
  FROM crm_formtext t WHERE t.form_id = f.id AND t.language = f.language
"""
MESSAGES = """
INSERT INTO crm_receivedmessage (channel, external_id, lead_id, is_first, message, received_at)
SELECT channel, external_id, id, true, '', received_at FROM crm_lead WHERE external_id <> ''
"""
GIVEN = """
UPDATE crm_lead l
   SET assigned_at = coalesce(
       (SELECT max(e.at) FROM crm_event e WHERE e.lead_id = l.id AND e.kind IN ('lead.taken', 'lead.assigned')), l.received_at)
 WHERE owner_id IS NOT NULL
"""


class Migration(migrations.Migration):

    dependencies = [
        ("crm", "0012_qualify_book_and_hand_off"),
    ]

    operations = [
        migrations.RunSQL(TEXTS, WORDS_BACK),
        migrations.RunSQL(FIELDS, migrations.RunSQL.noop),
        migrations.RunSQL(OWNERS, migrations.RunSQL.noop),
        migrations.RunSQL(MESSAGES, "DELETE FROM crm_receivedmessage"),
        migrations.RunSQL(GIVEN, migrations.RunSQL.noop),
    ]
