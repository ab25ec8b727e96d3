"""What a forwarded mail says it was."""

from __future__ import annotations

from crm.channels.email.mail import Forwarded
from crm.channels.email.parts import Parts


def forwarded(subject: str, text: str, parts: Parts) -> Forwarded | None:
    """The mail within this mail."""
    return None
