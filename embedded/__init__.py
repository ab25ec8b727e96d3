"""Real servers without an installation: PostgreSQL and Valkey from Python wheels, with their data in one folder. Used by
`manage.py up` and by the tests when no server is named; imports nothing of ours."""

from __future__ import annotations

from embedded.places import Places

__all__ = ["Places"]
