"""A program posts at /in/<slug>/ without login or cookies: signed it is a lead, once; unsigned it leaves no trace. The rest is for administrators."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from crm import sealed
from crm.channels.webhook import MOST_BYTES
from crm.models import HookDelivery, InboundHook, Lead, OwnerRule, User
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
SAID = {"email": "ann@notelaar.example", "name": "Ann De Wit", "message": "I began a trial."}


@pytest.fixture
def hook() -> InboundHook:
    return make.hook("trial", name="Trial accounts")


def post(
    hook: InboundHook,
    said: Any = None,
    key: str = "msg_1",
    at: datetime | None = None,
    secret: str = "",
    headers: dict[str, str] | None = None,
) -> Any:
    body = said if isinstance(said, str) else json.dumps(SAID if said is None else said)
    at = at or datetime.now(UTC)
    signature = Webhook(secret or sealed.unseal(hook.sealed_secret)).sign(key, at, body)
    signed = {"webhook-id": key, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    return Client(enforce_csrf_checks=True).post(
        f"/in/{hook.slug}/", body, content_type="application/json", headers=signed | (headers or {})
    )


def test_a_signed_message_is_a_lead_and_replayed_it_has_the_same_answer(hook: InboundHook) -> None:
    first, again = post(hook), post(hook)
    lead = Lead.objects.get()
    assert (first.status_code, first.json()) == (201, {"lead": lead.pk, "is_new": True})
    assert (again.status_code, again.json()) == (201, first.json())
    assert not first.cookies
    assert HookDelivery.objects.count() == 1
    wrote_again = post(hook, {**SAID, "message": "And what does it cost?"}, key="msg_2")
    assert (wrote_again.status_code, wrote_again.json()) == (200, {"lead": lead.pk, "is_new": False})


def test_the_same_id_with_another_text_is_a_conflict(hook: InboundHook) -> None:
    post(hook)
    answer = post(hook, {**SAID, "message": "Something else"})
    assert answer.status_code == 409
    assert "another message" in answer.json()["error"]
    assert Lead.objects.count() == 1


def test_whoever_does_not_sign_or_comes_late_is_refused_and_nothing_is_kept(hook: InboundHook) -> None:
    other = sealed.unseal(make.hook("other").sealed_secret)
    now = datetime.now(UTC)
    signature = post_headers(hook, now)
    tries = [
        post(hook, secret=other),
        post(hook, at=now - timedelta(minutes=6)),
        post(hook, at=now + timedelta(minutes=6)),
        post(hook, headers={"webhook-id": "msg_9"}),
        post(hook, headers={"webhook-signature": "v1"}),
        post(hook, headers={"webhook-signature": "v1,%%%"}),
        post(hook, headers={"webhook-timestamp": "nan"}),
        Client().post("/in/trial/", json.dumps(SAID), content_type="application/json"),
        Client().post("/in/trial/", b"\xff\xfe", content_type="application/json", headers=signature),
    ]
    assert [answer.status_code for answer in tries] == [401] * len(tries)
    assert "error" in tries[0].json()
    assert not HookDelivery.objects.exists()
    assert not Lead.objects.exists()


def test_a_secret_that_cannot_be_read_any_more_is_said_and_not_blamed_on_the_sender(hook: InboundHook) -> None:
    secret = sealed.unseal(hook.sealed_secret)
    InboundHook.objects.update(sealed_secret="sealed with another key")
    assert post(hook, secret=secret).status_code == 503


def post_headers(hook: InboundHook, at: datetime) -> dict[str, str]:
    signature = Webhook(sealed.unseal(hook.sealed_secret)).sign("msg_1", at, json.dumps(SAID))
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_what_is_signed_and_wrong_is_answered_in_words_and_kept(
    hook: InboundHook, admin_user: User, login: Login
) -> None:
    answers = {
        "msg_1": post(hook, "{not json"),
        "msg_2": post(hook, {"name": "<b>Ann</b>"}, key="msg_2"),
        "msg_3": post(hook, {**SAID, "phone": "abc"}, key="msg_3"),
    }
    assert [answer.status_code for answer in answers.values()] == [400, 422, 422]
    assert answers["msg_2"].json() == {"error": "email: This field is needed."}
    assert not Lead.objects.exists()
    text = login(admin_user).get(f"/settings/hooks/{hook.pk}/").text
    assert "email: This field is needed." in text
    assert "&lt;b&gt;Ann" in text
    assert "<b>Ann" not in text


def test_what_is_too_large_is_not_read(hook: InboundHook) -> None:
    answer = post(hook, {**SAID, "message": "x" * MOST_BYTES})
    assert answer.status_code == 413
    assert "64 KB" in answer.json()["error"]
    assert not HookDelivery.objects.exists()


def test_a_closed_or_unknown_address_is_not_there_and_only_post_is_taken(
    hook: InboundHook, admin_user: User, login: Login
) -> None:
    client = login(admin_user)
    client.post(f"/settings/hooks/{hook.pk}/close/")
    assert post(hook).status_code == 404
    assert Client().post("/in/nowhere/").json() == {"error": "There is no webhook at this address."}
    assert Client().get("/in/trial/").status_code == 405
    client.post(f"/settings/hooks/{hook.pk}/reopen/")
    assert post(hook).status_code == 201


def test_an_administrator_makes_one_and_sees_its_secret_once(admin_user: User, sdr: User, login: Login) -> None:
    client = login(admin_user)
    said = {"name": "Trial accounts", "slug": "", "origin": "trial", "language": "en", "owner_rule": OwnerRule.USER}
    refused = client.post("/settings/hooks/new/", said)
    assert "Choose the SDR who gets its leads." in refused.text
    made = client.post("/settings/hooks/new/", said | {"owner": sdr.pk})
    hook = InboundHook.objects.get()
    secret = sealed.unseal(hook.sealed_secret)
    assert secret in made.text
    assert "no-store" in made.headers["Cache-Control"]
    page = client.get(f"/settings/hooks/{hook.pk}/").text
    assert secret not in page
    assert "/in/trial-accounts/" in page
    assert post(hook).status_code == 201
    assert Lead.objects.get().owner == sdr

    renewed = client.post(f"/settings/hooks/{hook.pk}/renew/").text
    fresh = re.search(r"whsec_[A-Za-z0-9+/=]{44}", renewed)
    assert fresh
    assert post(hook, key="msg_2", secret=secret).status_code == 401
    assert post(hook, key="msg_2", secret=fresh[0]).status_code == 200
    client.post(f"/settings/hooks/{hook.pk}/change/", said | {"owner_rule": OwnerRule.NOBODY, "name": "Trials"})
    hook.refresh_from_db()
    assert (hook.name, hook.owner, hook.slug) == ("Trials", None, "trial-accounts")


def test_a_page_of_deliveries_takes_as_many_queries_for_twenty_as_for_one(
    hook: InboundHook, admin_user: User, login: Login, django_assert_max_num_queries: Any
) -> None:
    lead = make.lead()
    HookDelivery.objects.bulk_create(
        HookDelivery(hook=hook, key=f"k{number}", digest="d", received_at=timezone.now(), lead=lead, body={"text": "x"})
        for number in range(30)
    )
    client = login(admin_user)
    client.get(f"/settings/hooks/{hook.pk}/")
    with django_assert_max_num_queries(7):
        text = client.get(f"/settings/hooks/{hook.pk}/").text
    assert text.count("k29") == 1
    with django_assert_max_num_queries(6):
        assert "Trial accounts" in client.get("/settings/hooks/").text
