"""The receiver of forwarded mail as strangers meet it: it takes in mail for its own addresses and for nobody else, and not more than it can hold."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from crm.management.commands import receive_mail
from tests.mail import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def port(settings: Any) -> Iterator[int]:
    settings.MAIL_IN_DOMAIN = "kring.example"
    where = ("127.0.0.1", free_port())
    with receive_mail.listening(where, must=True) as listener:
        listener.open()
        yield where[1]


def call(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.settimeout(30)
    return line


def heard(line: socket.socket, until: bytes = b"\r\n") -> bytes:
    said = b""
    while not said.endswith(until) and (part := line.recv(4096)):
        said += part
    return said


def test_nothing_is_passed_on_to_anybody_else(port: int) -> None:
    with closing(call(port)) as line:
        heard(line)
        for said in (b"HELO there", b"MAIL FROM:<eve@elsewhere.example>"):
            line.sendall(said + b"\r\n")
            assert heard(line).startswith(b"250")
        for address in (b"all@elsewhere.example", b"@kring.example", b"no-such-key@kring.example", b"a\x00b@kring.example",
                        b"all%elsewhere.example@kring.example", b"\xff@kring.example", b"<", b""):  # fmt: skip
            line.sendall(b"RCPT TO:<" + address + b">\r\n")
            assert heard(line)[:1] in (b"4", b"5"), address
        line.sendall(b"DATA\r\n")
        assert heard(line).startswith(b"503"), "there is nobody to whom it goes"


def test_too_many_at_once_are_asked_to_come_back_and_those_who_wait_keep_their_line(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive_mail, "MOST_LINES", 2)
    first, second = call(port), call(port)
    assert heard(first).startswith(b"220")
    assert heard(second).startswith(b"220")
    with closing(call(port)) as third:
        assert heard(third).startswith(b"421")
        with suppress(ConnectionResetError):
            assert third.recv(1) == b"", "and its line is closed"
    first.sendall(b"QUIT\r\n")
    assert heard(first).startswith(b"221")
    assert first.recv(1) == b""
    first.close()
    with closing(call(port)) as fourth:
        assert heard(fourth).startswith(b"220")
    second.sendall(b"NOOP\r\n")
    assert heard(second).startswith(b"250")
    second.close()


def test_what_is_announced_as_too_large_is_not_taken(port: int) -> None:
    with closing(call(port)) as line:
        heard(line)
        line.sendall(b"EHLO there\r\n")
        heard(line, until=b"250 HELP\r\n")
        line.sendall(b"MAIL FROM:<eve@elsewhere.example> SIZE=99999999999\r\n")
        assert heard(line).startswith(b"552")
