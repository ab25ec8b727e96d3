from django.db import migrations

# The same question in two versions of a scorecard is the same criterion.
KEYS = """
UPDATE qualification_criterion c
   SET key = md5(s.name || '|' || c.question || '|' || n.number)
  FROM qualification_scorecard s,
       (SELECT id, row_number() OVER (PARTITION BY scorecard_id, question ORDER BY position, id) AS number FROM qualification_criterion) n
 WHERE s.id = c.scorecard_id AND n.id = c.id
"""
UNKNOWN = "UPDATE qualification_answer SET value = '' WHERE value = 'unknown'"
KNOWN_BEFORE = "UPDATE qualification_answer SET value = 'unknown' WHERE value = ''"


class Migration(migrations.Migration):

    dependencies = [
        ("qualification", "0002_answer_in_more_ways"),
    ]

    operations = [
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RunSQL(UNKNOWN, KNOWN_BEFORE),
    ]
