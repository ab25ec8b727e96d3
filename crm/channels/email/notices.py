"""Whether a mail was written by a machine: an automatic reply, a mailing list, a notice."""

from __future__ import annotations

import re

from crm.channels.email.headers import Headers
from crm.channels.email.mail import Address

_SUBJECT = re.compile(r"(?i)^\s*(automatic reply|automatisch antwoord|out of office|afwezig)")


def is_automatic(headers: Headers, subject: str, sender: Address | None) -> bool:
    submitted = headers.first("auto-submitted").lower()
    return bool(submitted and not submitted.startswith("no")) or bool(_SUBJECT.match(subject))


def is_list(headers: Headers) -> bool:
    return "list-id" in headers or headers.first("precedence").lower() in ("bulk", "list")
