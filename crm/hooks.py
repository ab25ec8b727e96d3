"""Addresses at which programs of ours post leads: make one, renew its secret, close it, and take in what is posted, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm import capture, events, locks, sealed, touches
from crm.channels import reading_along, webhook
from crm.channels.webhook import Posted, Unreadable
from crm.models import Channel, EventKind, HookDelivery, InboundHook, OwnerRule, ReceivedMessage, Team, User
from crm.models.users import Language
from crm.notation import one_line
from crm.refusal import Refused


@dataclass(frozen=True)
class Delivered:
    """What became of one message: `is_new` when it began a lead, `is_other` when its key was used for another text before, and not `is_readable` when
    it is no JSON at all."""

    delivery: HookDelivery
    is_new: bool = False
    is_other: bool = False
    is_readable: bool = True


@transaction.atomic
def make(*, name: str, slug: str, by: User | None, at: datetime, **terms: Any) -> tuple[InboundHook, str]:
    """The address is open; returns it with its secret, which nobody is shown again. Refuses what `change` refuses, and an address that is taken."""
    secret = webhook.new_secret()
    hook = InboundHook(slug=slugify(slug or name)[:64], sealed_secret=sealed.seal(secret), created_at=at)
    if not hook.slug:
        raise Refused(_("Write the last part of its address, in letters and digits."))
    for field, value in _terms(name=name, **terms).items():
        setattr(hook, field, value)
    try:
        with transaction.atomic():
            hook.save(force_insert=True)
    except IntegrityError:
        raise Refused(_("There is a webhook at /in/%(slug)s/ already.") % {"slug": hook.slug}) from None
    _record(hook, by, at, new={"is_active": True})
    return hook, secret


@transaction.atomic
def change(*, hook: InboundHook, by: User | None, at: datetime, **terms: Any) -> InboundHook:
    """Its name, the origin and language of its leads, and who gets them are these (`name`, `origin`, `language`, `owner_rule`, `owner`, `team`).
    Refuses one without a name or origin, and a rule that names nobody."""
    held = locks.row(InboundHook.objects.all(), hook.pk)
    fields = _terms(**terms)
    old = {name: events.readable(getattr(held, name)) for name in fields}
    new = {name: events.readable(value) for name, value in fields.items()}
    if old != new:
        for name, value in fields.items():
            setattr(held, name, value)
        held.save(update_fields=list(fields))
        changed = {name for name in fields if old[name] != new[name]}
        _record(held, by, at, old={name: old[name] for name in changed}, new={name: new[name] for name in changed})
    return held


@transaction.atomic
def renew_secret(*, hook: InboundHook, by: User | None, at: datetime) -> str:
    """The address has this secret, and what is signed with the one before is refused from now on."""
    held, secret = locks.row(InboundHook.objects.all(), hook.pk), webhook.new_secret()
    held.sealed_secret = sealed.seal(secret)
    held.save(update_fields=["sealed_secret"])
    _record(held, by, at, new={"is_secret_new": True})
    return secret


@transaction.atomic
def close(*, hook: InboundHook, by: User | None, at: datetime) -> InboundHook:
    """Nothing is taken in here any more; what came stays. Twice is once."""
    return _open(hook, False, by, at)


@transaction.atomic
def reopen(*, hook: InboundHook, by: User | None, at: datetime) -> InboundHook:
    """The address takes in messages again, with the secret that it had. Twice is once."""
    return _open(hook, True, by, at)


@transaction.atomic
def deliver(*, hook: InboundHook, posted: Posted, at: datetime) -> Delivered:
    """The signed message is a lead, or stands on the one that its sender has open (`capture.receive`); what cannot be taken in is kept with the
    reason. The same message again, also at the same moment, changes nothing and has the same outcome. Another text under a key that was used is
    kept beside it and is no lead."""
    locks.hold("hook", hook.pk, posted.key)
    deliveries = HookDelivery.objects.select_related("lead").filter(hook=hook)
    before = deliveries.filter(key=posted.key[:250]).first()
    if before is not None and before.digest != posted.digest:
        other = _("This webhook-id was used for another message. Give each message an id of its own.")
        key = f"{posted.key[:200]} {posted.digest[:16]}"
        delivery = deliveries.filter(key=key).first() or _keep(hook, key, posted, at, refusal=other)
        return Delivered(delivery, is_other=True)
    try:
        message = webhook.read(posted)
    except Unreadable as unreadable:
        refused = before or _keep(hook, posted.key, posted, at, refusal=str(unreadable))
        return Delivered(refused, is_readable=unreadable.is_json)
    own_id = f"{hook.pk}:{posted.key}"
    if before is None:
        before = _take(hook, posted, message, own_id, at)
    first = ReceivedMessage.objects.filter(channel=Channel.WEBHOOK, external_id=own_id, is_first=True)
    return Delivered(before, is_new=first.exists())


def _take(hook: InboundHook, posted: Posted, message: webhook.Message, own_id: str, at: datetime) -> HookDelivery:
    where = reading_along.address(message.content) if message.content else ""
    arrival = capture.Arrival(
        channel=Channel.WEBHOOK,
        external_id=own_id,
        name=message.name,
        email=message.email,
        phone=message.phone,
        organisation=message.organisation,
        job=message.job,
        postcode=message.postcode,
        country=message.country,
        message=message.message,
        language=message.language or hook.language,
        origin=hook.origin,
        answers=message.answers,
        content=touches.pieces_at({where}).get(where) if where else None,
        hook=hook,
        owner_rule=OwnerRule(hook.owner_rule),
        owner=hook.owner,
        team=hook.team,
    )
    try:
        received = capture.receive(arrival, at=at)
    except Refused as refusal:
        return _keep(hook, posted.key, posted, at, refusal=str(refusal))
    return _keep(hook, posted.key, posted, at, lead=received.lead)


def _keep(hook: InboundHook, key: str, posted: Posted, at: datetime, **outcome: Any) -> HookDelivery:
    outcome["refusal"] = outcome.get("refusal", "")[:500]
    InboundHook.objects.filter(pk=hook.pk).update(last_used_at=at)
    return HookDelivery.objects.create(
        hook=hook,
        key=key[:250],
        digest=posted.digest,
        received_at=at,
        body={"text": posted.text.replace("\0", "")},
        **outcome,
    )


def _terms(
    *,
    name: str,
    origin: str,
    language: str,
    owner_rule: str,
    owner: User | None = None,
    team: Team | None = None,
) -> dict[str, Any]:
    name, origin = one_line(name), one_line(origin)
    if not name or len(name) > 100:
        raise Refused(_("Give the webhook a name of at most a hundred characters."))
    if not origin or len(origin) > 50:
        raise Refused(_("Write the origin of its leads in at most fifty characters."))
    if language not in Language.values or owner_rule not in OwnerRule.values:
        raise Refused(_("Choose one of the possibilities that are offered."))
    if owner_rule == OwnerRule.USER and (owner is None or not owner.is_active):
        raise Refused(_("Choose the SDR who gets its leads."))
    if owner_rule == OwnerRule.TEAM and team is None:
        raise Refused(_("Choose the team that gets its leads."))
    return {
        "name": name,
        "origin": origin,
        "language": language,
        "owner_rule": owner_rule,
        "owner": owner if owner_rule == OwnerRule.USER else None,
        "team": team if owner_rule == OwnerRule.TEAM else None,
    }


def _open(hook: InboundHook, is_active: bool, by: User | None, at: datetime) -> InboundHook:
    held = locks.row(InboundHook.objects.all(), hook.pk)
    if held.is_active != is_active:
        held.is_active = is_active
        held.save(update_fields=["is_active"])
        _record(held, by, at, old={"is_active": not is_active}, new={"is_active": is_active})
    return held


def _record(
    hook: InboundHook, by: User | None, at: datetime, *, new: dict[str, Any], old: dict[str, Any] | None = None
) -> None:
    events.record(EventKind.HOOK_CHANGED, subject=hook, by=by, at=at, old=old, new={"hook": str(hook), **new})
