"""How far an import is, for other connections to see: the import itself is one transaction, so nobody sees its rows before it ends.

The counters go out through a connection of their own. They are news, not truth: one that cannot be written is left out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

EVERY = 0.5
"""Seconds between two pieces of news."""

OnProgress = Callable[[int, int], None]
"""Told how many rows are read, and of how many. When all are read, the statements over all rows begin."""

logger = logging.getLogger(__name__)


class Progress:
    """Tells of one run. Use as a context, which closes the connection."""

    def __init__(self, run_id: int, on_progress: OnProgress | None) -> None:
        self._run_id = run_id
        self._on_progress = on_progress
        self._aside: BaseDatabaseWrapper | None = connections[DEFAULT_DB_ALIAS].copy()
        self._last = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._aside is not None:
            self._aside.close()

    def begun(self, at: datetime) -> None:
        """The run is claimed by this process, visible to all."""
        self._write(
            "UPDATE crm_importrun SET state = 'running', claimed_at = %s, failure = '', rows_read = 0 WHERE id = %s AND state <> 'done'",
            [at, self._run_id],
        )

    def told(self, read: int, total: int, *, now: bool = False) -> None:
        moment = time.monotonic()
        if not now and moment - self._last < EVERY:
            return
        self._last = moment
        if self._on_progress is not None:
            self._on_progress(read, total)
        self._write(
            "UPDATE crm_importrun SET rows_read = %s, rows_total = %s WHERE id = %s AND state = 'running'",
            [read, total, self._run_id],
        )

    def _write(self, sql: str, params: Sequence[datetime | int]) -> None:
        if self._aside is None:
            return
        try:
            with self._aside.cursor() as cursor:
                cursor.execute(sql, params)
        except DatabaseError as error:
            logger.warning("The progress of import %s is not told: %s", self._run_id, error)
            self._aside.close()
            self._aside = None
