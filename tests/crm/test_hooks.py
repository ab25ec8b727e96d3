"""What a program posts is taken in once, when it is signed and of the right shape; what is not is kept with the reason."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from crm import hooks
from crm.channels import webhook
from crm.channels.webhook import Posted
from crm.models import (
    Channel,
    Event,
    EventKind,
    HookDelivery,
    InboundHook,
    Lead,
    OwnerRule,
    Person,
    Touch,
    User,
)
from crm.refusal import Refused
from tests import make

AT = make.AT
TERMS: dict[str, Any] = {"name": "Trial accounts", "origin": "trial", "language": "nl", "owner_rule": OwnerRule.NOBODY}


def hook(slug: str = "trial", **terms: Any) -> InboundHook:
    return hooks.make(slug=slug, by=None, at=AT, **TERMS | terms)[0]


def posted(key: str = "msg_1", **said: Any) -> Posted:
    text = json.dumps({"email": "ann@notelaar.example", "name": "Ann De Wit", **said})
    return Posted(key, text, f"digest of {text}"[-64:])


def deliver(at: InboundHook, message: Posted) -> hooks.Delivered:
    return hooks.deliver(hook=at, posted=message, at=AT)


@pytest.mark.django_db
def test_a_message_is_a_lead_with_what_the_program_said(sdr: User) -> None:
    guide = make.content("Guide", url="https://kring.example/guide")
    card = make.scorecard()
    pain = card.criteria.all()[0]
    card.criteria.filter(pk=pain.pk).update(asks_prospect=True)
    message = posted(
        organisation="Notelaar", job="Owner", country="be", message="I began a trial.", phone="+32 15 12 34 56",
        content="http://www.kring.example/guide/?x=1", answers={pain.key: "yes"},
    )  # fmt: skip
    delivered = deliver(hook(owner_rule=OwnerRule.RULES), message)
    lead = Lead.objects.get()
    assert (delivered.delivery.lead, delivered.is_new, delivered.delivery.refusal) == (lead, True, "")
    assert (lead.channel, lead.origin, lead.message, lead.owner) == (Channel.WEBHOOK, "trial", "I began a trial.", sdr)
    assert lead.person is not None
    assert (str(lead.person), lead.person.language, lead.content) == ("Ann De Wit", "nl", guide)
    assert Touch.objects.get().content == guide
    assert lead.assessment is not None
    answer = lead.assessment.answers.get()
    assert (answer.is_theirs, answer.evidence) == (True, "sent by the webhook “Trial accounts”")
    assert InboundHook.objects.get().last_used_at == AT


@pytest.mark.django_db
def test_the_same_message_again_is_one_lead_with_the_same_outcome_and_another_text_under_its_key_is_none() -> None:
    there = hook()
    outcomes = [deliver(there, posted()) for _time in range(3)]
    assert len({(each.delivery.pk, each.is_new) for each in outcomes}) == 1
    for _time in range(2):
        other = deliver(there, posted(message="Something else"))
        assert other.is_other
        assert "another message" in other.delivery.refusal
    assert (Lead.objects.count(), HookDelivery.objects.count()) == (1, 2)
    again = deliver(there, posted("msg_2", message="And what does it cost?"))
    assert (again.is_new, again.delivery.lead) == (False, outcomes[0].delivery.lead)
    assert deliver(hook("other", name="Other"), posted()).delivery.lead == outcomes[0].delivery.lead


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"email": "nonsense"}, "email: This is no e-mail address."),
        ({"email": 7}, "email: Text of at most 254 characters."),
        ({"name": "x" * 151}, "name: Text of at most 150"),
        ({"name": "a\0b"}, "name: Text"),
        ({"name": "\ud800"}, "name: Text"),
        ({"country": "Belgium"}, "country: Text of at most 2"),
        ({"country": "1?"}, "country: The two letters"),
        ({"language": "xx"}, "language: One of: en, nl."),
        ({"answers": ["yes"]}, "answers: An object"),
        ({"answers": {"x": 1}}, "answers: An object"),
        ({"shoe": "41"}, "shoe: There is no such field."),
        ({"a\0b": "41"}, "a?b: There is no such field."),
        ({"\ud800": "41"}, "?: There is no such field."),
        ({"phone": "abc"}, "abc"),
    ],
)
def test_what_cannot_be_taken_in_is_kept_with_the_reason(said: dict[str, Any], wrong: str) -> None:
    delivered = deliver(hook(), posted(**said))
    assert wrong in delivered.delivery.refusal
    assert delivered.delivery.body["text"]
    assert not Lead.objects.exists()
    assert not Person.objects.exists()
    assert deliver(InboundHook.objects.get(), posted(**said)).delivery == delivered.delivery


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "{", "[" * 20_000, "NaN", '{"email": NaN}', "9" * 5000, "a\0b"])
def test_what_is_no_json_is_kept_too(text: str) -> None:
    delivered = deliver(hook(), Posted("msg_1", text, "d"))
    assert not delivered.is_readable
    assert "not JSON" in delivered.delivery.refusal
    assert deliver(InboundHook.objects.get(), Posted("m" * 300, "{}", "d")).delivery.refusal.startswith("webhook-id")


@pytest.mark.django_db
def test_json_of_another_kind_misses_the_address() -> None:
    assert "Send one JSON object." in deliver(hook(), Posted("msg_1", "[]", "d")).delivery.refusal
    assert (
        "email: This field is needed."
        in deliver(InboundHook.objects.get(), Posted("msg_2", "{}", "d")).delivery.refusal
    )


@pytest.mark.django_db(transaction=True)
def test_a_message_replayed_at_the_same_moment_is_one_lead() -> None:
    there, barrier = hook(), Barrier(4)

    def run(_number: int) -> tuple[int, bool]:
        try:
            barrier.wait(timeout=10)
            delivered = deliver(there, posted())
            return delivered.delivery.pk, delivered.is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(run, range(4)))) == 1
    assert (Lead.objects.count(), HookDelivery.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_a_webhook_is_made_changed_renewed_closed_and_opened_with_an_event_each(admin_user: User, sdr: User) -> None:
    there, secret = hooks.make(slug="", by=admin_user, at=AT, **TERMS)
    assert (there.slug, secret[:6]) == ("trial-accounts", "whsec_")
    assert secret not in there.sealed_secret
    for _time in range(2):
        hooks.change(hook=there, by=admin_user, at=AT, **TERMS | {"owner_rule": OwnerRule.USER, "owner": sdr})
    assert hooks.renew_secret(hook=there, by=admin_user, at=AT) != secret
    for act in (hooks.close, hooks.close, hooks.reopen):
        act(hook=there, by=admin_user, at=AT)
    there.refresh_from_db()
    assert (there.owner, there.is_active) == (sdr, True)
    assert Event.objects.filter(kind=EventKind.HOOK_CHANGED, by=admin_user).count() == 5
    assert not any("whsec" in json.dumps([event.old, event.new]) for event in Event.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "terms",
    [
        {"name": " "},
        {"origin": ""},
        {"language": "xx"},
        {"owner_rule": "boss"},
        {"owner_rule": OwnerRule.USER},
        {"owner_rule": OwnerRule.TEAM},
        {"slug": "trial"},
        {"slug": "!", "name": "!"},
    ],
)
def test_it_refuses_what_cannot_be_in_words(terms: dict[str, Any]) -> None:
    hook()
    with pytest.raises(Refused):
        hooks.make(by=None, at=AT, **{"slug": "new", **TERMS} | terms)
    assert InboundHook.objects.count() == 1


def test_a_secret_is_one_of_standard_webhooks() -> None:
    assert len(webhook.new_secret()) == len("whsec_") + 44
    assert webhook.new_secret() != webhook.new_secret()
