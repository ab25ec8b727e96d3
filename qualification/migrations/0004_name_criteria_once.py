from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("qualification", "0003_keep_keys_of_criteria"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="criterion",
            constraint=models.UniqueConstraint(fields=("scorecard", "key"), name="criterion_key_once"),
        ),
    ]
