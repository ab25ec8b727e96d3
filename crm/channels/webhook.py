"""What a program posts: signed as Standard Webhooks has it (https://www.standardwebhooks.com), in JSON of one shape. Plain values, no database.

`webhook-id` names the message for ever: it is the idempotency key, and it is signed together with the text and the moment.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from standardwebhooks import Webhook, WebhookVerificationError

MOST_BYTES = 64 * 1024
LONGEST_KEY = 180
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
WORDS = {
    "name": 150, "email": 254, "phone": 40, "organisation": 200, "job": 150, "postcode": 20, "country": 2, "language": 2,
    "message": 10_000, "content": 500,
}  # fmt: skip
"""The fields that are words, and how many letters each has at most."""
LANGUAGES = ("en", "nl")
MOST_ANSWERS, LONGEST_ANSWER = 50, 500


class Unsigned(Exception):
    """Not signed with the secret of this address, or too long ago: whoever sent it has no business here."""


class Unreadable(Exception):
    """Signed, but not what we take. `is_json` when it is JSON of another shape; `errors` say what is wrong with which field."""

    def __init__(self, errors: Mapping[str, str], *, is_json: bool = True) -> None:
        self.errors, self.is_json = dict(errors), is_json
        super().__init__(" ".join(f"{name}: {error}" if name else error for name, error in self.errors.items()))


@dataclass(frozen=True)
class Posted:
    """A signed message, not read yet: its key, its text and the hash of its bytes."""

    key: str
    text: str
    digest: str


@dataclass(frozen=True)
class Message:
    """What the program tells of one person."""

    email: str
    name: str = ""
    phone: str = ""
    organisation: str = ""
    job: str = ""
    postcode: str = ""
    country: str = ""
    language: str = ""
    message: str = ""
    content: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(body: bytes, headers: Mapping[str, str], secret: str) -> Posted:
    """The message, when it is signed with this secret and was sent within five minutes of now; else `Unsigned`. The clock is that of this machine."""
    given = {name: headers.get(name, "") for name in HEADERS}
    try:
        Webhook(secret).verify(body, given, json_parse=False)
        text = body.decode()
    except (
        WebhookVerificationError,
        ValueError,
    ) as error:  # Also what is no base64, no UTF-8, or no list of signatures.
        raise Unsigned from error
    return Posted(given["webhook-id"], text, hashlib.sha256(body).hexdigest())


def read(posted: Posted) -> Message:
    """What the text says. Raises `Unreadable`, with everything that is wrong at once."""
    if len(posted.key) > LONGEST_KEY:
        raise Unreadable({"webhook-id": _("At most %(number)d characters.") % {"number": LONGEST_KEY}})
    try:
        said = json.loads(posted.text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable({"": _("This is not JSON.")}, is_json=False) from None
    if not isinstance(said, dict):
        raise Unreadable({"": _("Send one JSON object.")})
    errors = {name: wrong for name, value in said.items() if (wrong := _wrong(name, value))}
    if "email" not in said:
        errors["email"] = _("This field is needed.")
    if errors:
        raise Unreadable({_readable(name): error for name, error in list(errors.items())[:20]})
    words = {name: value.strip() for name, value in said.items() if name in WORDS}
    return Message(**words, answers=said.get("answers", {}))


def _wrong(name: str, value: Any) -> str:
    """What is wrong with this field, or nothing."""
    if name == "answers":
        is_right = isinstance(value, dict) and len(value) <= MOST_ANSWERS
        if is_right and all(_is_text(key, 32) and _is_text(answer, LONGEST_ANSWER) for key, answer in value.items()):
            return ""
        return _("An object of at most %(number)d answers in text, by the key of the question.") % {
            "number": MOST_ANSWERS
        }
    if name not in WORDS:
        return _("There is no such field.")
    if not _is_text(value, WORDS[name]):
        return _("Text of at most %(number)d characters.") % {"number": WORDS[name]}
    if name == "language" and value not in LANGUAGES:
        return _("One of: %(choices)s.") % {"choices": ", ".join(LANGUAGES)}
    if name == "country" and value and not (len(value) == 2 and value.isascii() and value.isalpha()):
        return _("The two letters of a country, such as BE or NL.")
    if name == "email":
        try:
            validate_email(value.strip())
        except ValidationError:
            return _("This is no e-mail address.")
    return ""


def _readable(name: str) -> str:
    """The name of a field as far as a database can keep it: it may be one that nobody knows."""
    return name[:50].encode("utf-8", "replace").decode().replace("\0", "?")


def _is_text(value: Any, most: int) -> bool:
    """A text of so many letters that a database can keep."""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
