"""The table of contents of the site: one line per screen or act."""

from __future__ import annotations

from django.urls import path

from crm.web import status

app_name = "crm"

urlpatterns = [
    path("healthz", status.healthz, name="healthz"),
    path("readyz", status.readyz, name="readyz"),
]
