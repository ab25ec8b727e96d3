"""Both embedded servers of one folder together. One process at a time starts or stops them; a second one waits and then finds them running."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from embedded import postgres, valkey
from embedded.places import Places


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    places.folder.mkdir(parents=True, exist_ok=True)
    with (places.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(places: Places, *, database: bool = True, broker: bool = True, durable: bool = True) -> None:
    """Afterwards the servers asked for answer."""
    with _alone(places):
        if database:
            postgres.start(places, durable=durable)
        if broker:
            valkey.start(places, durable=durable)


def missing(places: Places, *, database: bool = True, broker: bool = True) -> list[str]:
    """Those of the servers asked for that no longer run, by the names of their programs."""
    return [
        name
        for name, wanted, find in (("PostgreSQL", database, postgres.find), ("Valkey", broker, valkey.find))
        if wanted and find(places) is None
    ]


def stop(places: Places, *, database: bool = True, broker: bool = True) -> None:
    """Afterwards the servers named do not run; what they kept is on disk."""
    with _alone(places):
        if broker:
            valkey.stop(places)
        if database:
            postgres.stop(places)
