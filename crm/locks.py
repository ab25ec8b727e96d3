"""Named locks that PostgreSQL holds until the end of the transaction: for the rare moments in which no row exists yet to lock."""

from __future__ import annotations

from django.db import connection


def hold(*words: object) -> None:
    """Wait for, and hold until the transaction ends, the lock that these words name. Needs an open transaction.

    Two different names may share a lock (the name is hashed to 64 bits); that costs a wait and never correctness.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["\x1f".join(map(str, words))])
