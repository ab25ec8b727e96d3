"""Qualified work of the last weeks, counted on every look at the dashboard, without reading every lead."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # An index that is built beside the work of others cannot be part of a transaction.

    dependencies = [("crm", "0005_search_plainly")]

    operations = [
        AddIndexConcurrently(
            model_name="lead",
            index=models.Index(
                fields=["qualified_at"], condition=models.Q(("qualified_at__isnull", False)), name="lead_by_qualified"
            ),
        ),
    ]
