"""Locks that PostgreSQL holds until the end of the transaction: of a row on which a verb decides, and by name where no row exists yet."""

from __future__ import annotations

from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def row(rows: QuerySet[M], pk: int) -> M:
    """The row of `rows` as it is now, held until the transaction ends. Needs an open transaction; raises `DoesNotExist`.

    It is locked by itself and then read with what it is joined to. Both in one statement would, after waiting for somebody else, join the new
    row with the others as they were before: a row that changed its owner or stage meanwhile would be missing.
    """
    rows.model._default_manager.select_for_update(no_key=True).values_list("pk", flat=True).get(pk=pk)
    return rows.get(pk=pk)


def hold(*words: object) -> None:
    """Wait for, and hold until the transaction ends, the lock that these words name. Needs an open transaction.

    Two different names may share a lock (the name is hashed to 64 bits); that costs a wait and never correctness.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["\x1f".join(map(str, words))])


def share_if_free(*words: object) -> bool:
    """Hold the lock that these words name together with others who share it, unless somebody holds it alone (`hold`): whether it is shared now.
    Whoever wants it alone waits until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(%s, 0))", ["\x1f".join(map(str, words))]
        )
        return bool(cursor.fetchone()[0])
