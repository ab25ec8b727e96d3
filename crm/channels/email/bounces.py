"""Mail that could not be delivered: to whom, for good or for now, and why."""

from __future__ import annotations

from crm.channels.email.headers import Headers
from crm.channels.email.mail import Bounce
from crm.channels.email.parts import Parts


def bounce(headers: Headers, parts: Parts, text: str) -> Bounce | None:
    """What a delivery report says."""
    return None
