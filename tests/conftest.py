"""What every test stands on: real PostgreSQL and Valkey (started when first needed, on data of their own), no network but this machine's,
and the cast."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import translation

from crm.models import Role, Team, User
from embedded import servers
from tests.running import browser, live_stack, new_page, page, phone, stack_db

# Fixtures that live in a module of their own.
__all__ = ["browser", "live_stack", "new_page", "page", "phone", "stack_db"]


LIVE = {"live_stack", "browser", "page", "new_page", "phone", "stack_db"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """When several processes share the tests (`make test`), one of them has the running program and the browser, and one the tests that start servers
    of their own: neither is started twice."""
    for item in items:
        if LIVE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("live"))
        elif item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def running_servers() -> Iterator[None]:
    """PostgreSQL and Valkey answer. The last run that uses them stops them at its end; their files stay for a quick next start."""
    database, broker = settings.EMBEDDED_DATABASE, settings.EMBEDDED_REDIS
    with (settings.VAR / "in-use").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        servers.start(settings.EMBEDDED, database=database, broker=broker, durable=False)
        yield
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        connections.close_all()
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


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Each test begins in the language of the installation, whatever a reader in the one before it spoke."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


# ---- The cast ------------------------------------------------------------------------------------------------------

PASSWORD = "a calm evening by the canal"


@pytest.fixture
def team(db: None) -> Team:
    """The team of the owner: the SDR, the account manager and the teammate."""
    return Team.objects.create(name="Gent", country="BE")


@pytest.fixture
def other_team(db: None) -> Team:
    return Team.objects.create(name="Utrecht", country="NL")


def _member(name: str, role: Role, team: Team | None) -> User:
    address = f"{name.split()[0].lower()}@kring.test"
    return User.objects.create_user(address, PASSWORD, name=name, role=role, team=team)


@pytest.fixture
def sdr(team: Team) -> User:
    """Sofie, who owns the lead of the story."""
    return _member("Sofie Peeters", Role.SDR, team)


@pytest.fixture
def account_manager(team: Team) -> User:
    """Arjan, to whom leads are handed off."""
    return _member("Arjan van der Meer", Role.ACCOUNT_MANAGER, team)


@pytest.fixture
def teammate(team: Team) -> User:
    """Tine, an SDR on the team of the owner: she may write what Sofie and Arjan own."""
    return _member("Tine Claes", Role.SDR, team)


@pytest.fixture
def outsider(other_team: Team) -> User:
    """Otto, an SDR of another team: he reads and may not write. Somebody who is not logged in at all is plain `client`."""
    return _member("Otto de Wit", Role.SDR, other_team)


@pytest.fixture
def manager(db: None) -> User:
    """Mieke, who leads everybody and is on no team."""
    return _member("Mieke Janssens", Role.MANAGER, None)


@pytest.fixture
def admin_user(db: None) -> User:
    """Anna, who configures."""
    return _member("Anna Willems", Role.ADMIN, None)


@pytest.fixture
def login() -> Callable[[User], Client]:
    """`login(sdr)` is a client of its own in which Sofie is logged in."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in
