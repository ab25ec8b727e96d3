"""People at one domain are found by an index: on arrival each new address is compared with those beside it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0010_say_more_of_attempts_and_promises")]
    operations = [
        migrations.AddIndex(
            model_name="emailaddress",
            index=models.Index(
                models.Func(models.F("address"), models.Value("@"), models.Value(2), function="SPLIT_PART"),
                name="email_address_by_domain",
            ),
        ),
    ]
