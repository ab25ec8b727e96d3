"""The addresses of the whole site. The screens are listed in `crm/web/urls.py`."""

from __future__ import annotations

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path, re_path

# Only what we offer of allauth's pages: nobody signs up or manages addresses here. `inactive` is where it sends an account that is closed.
accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]

urlpatterns = [
    path("", include("crm.web.urls")),
    path("accounts/", include(accounts)),
    path("admin/", admin.site.urls),
]

handler403 = "crm.web.errors.forbidden"
handler404 = "crm.web.errors.not_found"
handler429 = "crm.web.errors.too_many_requests"
handler500 = "crm.web.errors.server_error"
