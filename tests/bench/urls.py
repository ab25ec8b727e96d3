"""The whole site, and the two floors. Mounted by the settings of the bench only."""

from __future__ import annotations

from django.urls import include, path

from tests.bench import floors

urlpatterns = [
    path("bench/empty/", floors.empty),
    path("bench/rows/", floors.rows),
    path("", include("config.urls")),
]

handler403 = "crm.web.errors.forbidden"
handler404 = "crm.web.errors.not_found"
handler500 = "crm.web.errors.server_error"
