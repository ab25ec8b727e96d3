"""The written definition of a customer: answers in, advice out. This app knows no person and no lead."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualificationConfig(AppConfig):
    name = "qualification"
    verbose_name = _("Qualification")
    default_auto_field = "django.db.models.BigAutoField"
