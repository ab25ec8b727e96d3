"""The one domain app: nouns, judgement, verbs and doors of Kring."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = _("Kring")
    default_auto_field = "django.db.models.BigAutoField"
