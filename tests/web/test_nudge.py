"""After each act the workers are told once that there is something to look at, and a broker that is away keeps nobody waiting."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from crm import tasks
from crm.models import Person, Touched, User
from tests import make

Login = Callable[[User], Client]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the follow-ups were asked to be looked at."""
    found: list[str] = []
    monkeypatch.setattr(tasks, "nudge_follow_ups", lambda: found.append("asked"))
    return found


def test_each_act_asks_once_and_what_is_refused_or_only_read_does_not(
    login: Login, sdr: User, outsider: User, asked: list[str]
) -> None:
    lead = make.lead()
    assert login(sdr).get(f"/leads/{lead.pk}/").status_code == 200
    assert asked == []
    assert login(sdr).post(f"/leads/{lead.pk}/take/").status_code == 302
    assert asked == ["asked"]
    assert login(outsider).post(f"/leads/{lead.pk}/take/").status_code == 403
    assert login(sdr).post("/leads/99999999/take/").status_code == 404
    assert asked == ["asked"]


@pytest.fixture
def hanging_broker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that takes the call and never says a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(20)
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        monkeypatch.setitem(tasks._hangs, "until", 0.0)
        yield


def test_a_broker_that_hangs_is_asked_once_and_then_left_alone_for_a_while(
    login: Login,
    sdr: User,
    hanging_broker: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(
        tasks.send_mail, "apply_async", lambda *_args, **_options: pytest.fail("It was sent somewhere.")
    )
    client, lead = login(sdr), make.lead()
    Touched.objects.all().delete()
    with caplog.at_level(logging.WARNING, "crm.tasks"), django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/leads/{lead.pk}/answer/", {"subject": "Dates", "message": "In May."})
    assert answer.status_code == 302
    assert Person.objects.get(leads=lead).last_contact_at is not None
    assert Touched.objects.exists()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, said
    assert "a moment ago" not in said[0]
    assert "a moment ago" in said[1]
    assert tasks._hangs["until"] > time.monotonic()
