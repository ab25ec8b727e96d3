"""Secrets that we must be able to read again, such as the password of a mailbox: sealed before they are stored, with the key of this installation.

Who has the database alone has nothing. Who changes `KRING_SECRET_KEY` without keeping the old one in `KRING_OLD_SECRET_KEYS` has to type them again.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotOpen(Exception):
    """What was sealed was sealed with another key."""


def seal(text: str) -> str:
    """The text as nobody can read it without the key; twice the same text is sealed differently."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed, with the present key or an old one. Raises `CannotOpen`."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"kring.sealed").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
