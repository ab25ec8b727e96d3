"""A cache in Redis that costs nobody a page: what cannot be kept there for a while is kept in this process. Counts of attempts (logins, public
forms) are then those of one process, which is laxer than those of all and better than none."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

logger = logging.getLogger(__name__)

PATIENCE = 20
"""Seconds in which a broker that did not answer is not asked again, so that pages do not wait for it one after the other."""


class PlainSerializer:
    """JSON: whoever can write into the broker must not be able to run something here, as a pickle would."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _or_here(name: str) -> Callable[..., Any]:
    there, here = getattr(RedisCache, name), getattr(LocMemCache, name)

    def asked(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= SharedCache.away_until:
            try:
                return there(self, *args, **kwargs)
            except (RedisError, OSError) as error:
                SharedCache.away_until = time.monotonic() + PATIENCE
                logger.warning("The broker is away (%s); attempts are counted by each process for a while", error)
        return here(self.here, *args, **kwargs)

    asked.__name__ = name
    return asked


class SharedCache(RedisCache):
    """Django's Redis cache with plain values, which falls back on the memory of this process while Redis is away."""

    away_until: ClassVar[float] = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {"serializer": PlainSerializer, **params.get("OPTIONS", {})}})
        self.here = LocMemCache("kring-away", {})

    add = _or_here("add")
    get = _or_here("get")
    set = _or_here("set")
    touch = _or_here("touch")
    delete = _or_here("delete")
    has_key = _or_here("has_key")
    incr = _or_here("incr")
    get_many = _or_here("get_many")
    set_many = _or_here("set_many")
    delete_many = _or_here("delete_many")

    def clear_here(self) -> None:
        """What this process has kept for the broker is forgotten."""
        self.here.clear()

    def clear(self) -> None:
        """Only our own keys go: the errands of the workers are in the same database."""
        client = self._cache.get_client(None, write=True)
        keys = list(client.scan_iter(match=f"{self.key_prefix}:*"))
        if keys:
            client.delete(*keys)
        self.clear_here()
