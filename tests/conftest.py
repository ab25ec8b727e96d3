"""What every test stands on: real PostgreSQL and Valkey (started when first needed, on data of their own), no network but this machine's,
and the cast."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from embedded import servers


@pytest.fixture(scope="session")
def running_servers() -> Iterator[None]:
    """PostgreSQL and Valkey answer. They are stopped at the end, their files stay for a quick next start."""
    database, broker = settings.EMBEDDED_DATABASE, settings.EMBEDDED_REDIS
    servers.start(settings.EMBEDDED, database=database, broker=broker, durable=False)
    yield
    servers.stop(settings.EMBEDDED, database=database, broker=broker)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(running_servers: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django asks for this before it makes the test database."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # A Unix socket.
    try:
        return address[0] in {"localhost", ""} or ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """A test that reaches for another machine fails with its address."""

    class Guarded(socket.socket):
        def connect(self, address: Any) -> None:
            self._refuse(address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            self._refuse(address)
            return super().connect_ex(address)

        def _refuse(self, address: Any) -> None:
            if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address):
                raise AssertionError(f"A test reached for {address!r}; tests use this machine only.")

    genuine = socket.socket
    socket.socket = Guarded  # type: ignore[misc]
    yield
    socket.socket = genuine  # type: ignore[misc]
