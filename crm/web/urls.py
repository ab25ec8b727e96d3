"""The table of contents of the site: one line per screen or act."""

from __future__ import annotations

from django.urls import path

from crm.web import accounts, offline, preferences, status

app_name = "crm"

urlpatterns = [
    path("home/", accounts.home, name="home"),
    path("me/", preferences.preferences, name="preferences"),
    path("language/", preferences.language, name="language"),
    path("offline/", offline.offline, name="offline"),
    path("service-worker.js", offline.service_worker, name="service-worker"),
    path("healthz", status.healthz, name="healthz"),
    path("readyz", status.readyz, name="readyz"),
]
