"""The addresses of the whole site. The screens are listed in `crm/web/urls.py`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("crm.web.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]

handler403 = "crm.web.errors.forbidden"
handler404 = "crm.web.errors.not_found"
handler500 = "crm.web.errors.server_error"
