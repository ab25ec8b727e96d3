"""A search looks at many names: keep each one plain in a column instead of computing it whenever it is looked at."""

from __future__ import annotations

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models

import crm.models.plain


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0006_index_leads_by_qualified"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="deal",
            name="deal_name_plain_trgm",
        ),
        migrations.RemoveIndex(
            model_name="organisation",
            name="organisation_name_plain_trgm",
        ),
        migrations.RemoveIndex(
            model_name="person",
            name="person_name_plain_trgm",
        ),
        migrations.AddField(
            model_name="deal",
            name="plain_name",
            field=models.GeneratedField(
                db_persist=True, expression=crm.models.plain.Plain("name"), output_field=models.TextField()
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="plain_name",
            field=models.GeneratedField(
                db_persist=True, expression=crm.models.plain.Plain("name"), output_field=models.TextField()
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="plain_name",
            field=models.GeneratedField(
                db_persist=True,
                expression=crm.models.plain.Plain(
                    django.db.models.functions.text.Trim(
                        models.Func(
                            django.db.models.functions.text.Concat(
                                models.F("given_name"),
                                models.Value(" "),
                                models.F("particle"),
                                models.Value(" "),
                                models.F("family_name"),
                            ),
                            models.Value(" +"),
                            models.Value(" "),
                            models.Value("g"),
                            function="REGEXP_REPLACE",
                        )
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("plain_name", name="gin_trgm_ops"), name="deal_plain_name_trgm"
            ),
        ),
        migrations.AddIndex(
            model_name="organisation",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("plain_name", name="gin_trgm_ops"),
                name="organisation_plain_name_trgm",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("plain_name", name="gin_trgm_ops"),
                name="person_plain_name_trgm",
            ),
        ),
    ]
