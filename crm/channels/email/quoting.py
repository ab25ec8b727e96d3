"""What a mail adds, apart from what it repeats and from how it is signed."""

from __future__ import annotations

from dataclasses import dataclass

from crm.channels.email.mail import Address


@dataclass(frozen=True)
class Said:
    text: str
    quoted: str = ""
    signature: str = ""


def split(plain: str, *, sender: Address | None = None) -> Said:
    """Quoted lines and the line that announces them go to `quoted`."""
    lines = plain.split("\n")
    own = [line for line in lines if not line.startswith(">")]
    quoted = [line for line in lines if line.startswith(">")]
    return Said("\n".join(own).strip(), "\n".join(quoted).strip())
