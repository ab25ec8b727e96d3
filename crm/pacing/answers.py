"""What the guard can say: nothing stands in the way, not yet, or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Allowed:
    """Nothing stands in the way."""


@dataclass(frozen=True)
class TooSoon:
    """Not before `until`, an aware moment; `why` is a sentence for the reader. Somebody with a reason may pass."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Never:
    """They asked us not to; `why` says who noted it and when. Nobody passes but by lifting the wish itself."""

    why: str


Answer = Allowed | TooSoon | Never
