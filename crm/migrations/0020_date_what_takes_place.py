from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0019_note_what_verbs_touch"),
    ]

    operations = [
        migrations.AddField(
            model_name="content",
            name="happens_on",
            field=models.DateField(
                blank=True,
                help_text="Of a webinar or an event: readers can be invited to it.",
                null=True,
                verbose_name="takes place on",
            ),
        ),
    ]
