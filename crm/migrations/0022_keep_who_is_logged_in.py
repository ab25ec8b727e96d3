"""A session names the backend by which somebody logged in. Ours took the place of the one before, so the sessions of before name ours: nobody has to
log in again for the upgrade."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations

BEFORE = "allauth.account.auth_backends.AuthenticationBackend"
NOW = "crm.web.accounts.Backend"


def rename(apps: Any, old: str, new: str) -> None:
    store = SessionStore()
    for session in apps.get_model("sessions", "Session").objects.iterator():
        values = store.decode(session.session_data)
        if values.get(BACKEND_SESSION_KEY) == old:
            session.session_data = store.encode(values | {BACKEND_SESSION_KEY: new})
            session.save(update_fields=["session_data"])


def forward(apps: Any, schema_editor: Any) -> None:
    rename(apps, BEFORE, NOW)


def backward(apps: Any, schema_editor: Any) -> None:
    rename(apps, NOW, BEFORE)


class Migration(migrations.Migration):
    dependencies = [("crm", "0021_keep_what_is_told_only_by_mail"), ("sessions", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
