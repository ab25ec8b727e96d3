from django.db import migrations

from crm.ready_reasons import READY


def begin(apps, schema_editor):
    """The eight ready-made reasons, which until now stood in the code; leads remember them by these codes."""
    reasons = apps.get_model("crm", "DeclineReason")
    reasons.objects.bulk_create(
        [
            reasons(
                code=each.code.value,
                label_en=each.label_en,
                label_nl=each.label_nl,
                text_en=each.text_en,
                text_nl=each.text_nl,
                position=position,
            )
            for position, each in enumerate(READY)
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0015_redirect_and_time_hand_offs"),
    ]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
