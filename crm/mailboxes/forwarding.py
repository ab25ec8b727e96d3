"""An address of one's own at Kring: what is sent or forwarded to it is taken in without any mailbox being connected."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import transaction

from crm.models import User

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that look like others: somebody may type it from a screen."""
LENGTH = 20


def forwarding_address(*, user: User) -> str:
    """The user's address here, or nothing as long as they have none. Whoever knows it can send mail in their name, so it is a secret."""
    return f"{user.forward_key}@{settings.MAIL_IN_DOMAIN}" if user.forward_key and settings.MAIL_IN_DOMAIN else ""


@transaction.atomic
def renew_forwarding(*, user: User) -> str:
    """The user has an address here, another one than before; mail to that one is refused from now on."""
    user.forward_key = "".join(secrets.choice(ALPHABET) for _letter in range(LENGTH))
    user.save(update_fields=["forward_key"])
    return f"{user.forward_key}@{settings.MAIL_IN_DOMAIN}"


def user_at(address: str) -> User | None:
    """Whose address this is: a colleague who can log in, or nobody."""
    key, _at, domain = address.strip().strip("<>").lower().rpartition("@")
    if not key or not settings.MAIL_IN_DOMAIN or domain != settings.MAIL_IN_DOMAIN:
        return None
    return User.objects.active().filter(forward_key=key).first()
