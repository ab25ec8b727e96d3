from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("crm", "0013_give_forms_their_words"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="captureform",
            name="intro",
        ),
        migrations.RemoveField(
            model_name="captureform",
            name="thank_you",
        ),
    ]
