"""Fetch something from an address that somebody typed, without becoming a way into the network that Kring itself stands in.

The name is resolved here and the connection goes to the address that was looked at, so a name that points elsewhere a moment later gains nothing. The
same holds for each redirection. Time and size are limited, and whatever goes wrong is one `CannotFetch` that names the trouble in our own words.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from crm.channels.imap import harmless, is_host, is_loopback

WITHIN = 30.0
"""Seconds for everything together: looking up the name, asking, and reading the answer."""
LARGEST = 10 * 1024 * 1024
MOST_REDIRECTIONS = 4
LONGEST_URL = 2000
REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
GLOBAL = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given to anybody (RFC 4291). What lies outside leads into somebody's own network, or stands for an address of IPv4."""


class Trouble(TextChoices):
    """What keeps us from reading, as a sentence that says what to do."""

    ADDRESS = "address", _("This is no address of a calendar. Copy it again; it begins with https://.")
    PRIVATE = (
        "private",
        _("This address lies within a private network, where Kring does not look. An administrator can allow it."),
    )
    HOST = "host", _("There is no server of this name. Check how the address is written.")
    CERTIFICATE = (
        "certificate",
        _("The server cannot prove that it is the one you named: its certificate is not trusted. Check the address."),
    )
    NO_ANSWER = "no_answer", _("The server does not answer. Check the address; it may also be away for a while.")
    PASSWORD = (
        "password",
        _(
            "The server does not accept this user name and password. Many providers want a password made for other programs: an app password."
        ),
    )
    GONE = "gone", _("There is no calendar at this address, or not any more. Copy the address again.")
    NO_CALENDAR = "no_calendar", _("What is at this address is no calendar. Copy the address in iCal format (ICS).")
    UNREADABLE = "unreadable", _("Something in this calendar cannot be read.")
    TOO_LARGE = "too_large", _("This calendar is too large to be read.")
    REDIRECTIONS = "redirections", _("This address leads on and on to others. Copy the last of them.")
    SERVER = "server", _("The server refused to go on. Kring tries again by itself.")
    SEALED = (
        "sealed",
        _("The address or password cannot be read any more, since the key of this Kring was changed. Type it again."),
    )


class CannotFetch(Exception):
    """It cannot be fetched now: why, and what was said, shortened to harmless letters."""

    def __init__(self, trouble: Trouble, said: str = "") -> None:
        self.trouble = trouble
        self.said = harmless(said)
        super().__init__(f"{trouble.value}: {self.said}" if self.said else trouble.value)


@dataclass(frozen=True)
class Answer:
    """What a server said; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str


@dataclass(frozen=True)
class Login:
    """Who asks. The password never shows when it is printed."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username})"

    @property
    def header(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    login: Login | None = None,
    is_private_allowed: bool = False,
    within: float = WITHIN,
) -> Answer:
    """The answer of the server behind this address, and behind those that it leads on to. Raises `CannotFetch`."""
    until = time.monotonic() + within
    for _hop in range(MOST_REDIRECTIONS + 1):
        answer = _asked(url, method, dict(headers or {}), body, login, is_private_allowed, until)
        onward = answer.headers.get("location", "")
        if answer.status not in REDIRECTIONS or not onward:
            return answer
        if urlsplit(urljoin(url, onward)).netloc != urlsplit(url).netloc:
            login = None  # Who has nothing to do with it needs no password.
        url = urljoin(url, onward)
    raise CannotFetch(Trouble.REDIRECTIONS)


def checked(url: str, *, is_private_allowed: bool = False) -> str:
    """The address as it is kept: https, with a host and without a password in it. Raises `CannotFetch` for any other."""
    url = url.strip()
    if url.lower().startswith(("webcal://", "webcals://")):
        url = "https://" + url.partition("://")[2]
    return urlunsplit(_split(url, is_private_allowed))


def _split(url: str, is_private_allowed: bool) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError as error:
        raise CannotFetch(Trouble.ADDRESS) from error
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url or not is_host(host) or port == 0:
        raise CannotFetch(Trouble.ADDRESS)
    if "@" in parts.netloc:
        raise CannotFetch(Trouble.ADDRESS)
    # Without encryption only this machine itself is asked, and only where that is allowed.
    if parts.scheme != "https" and not (parts.scheme == "http" and is_private_allowed and is_loopback(host)):
        raise CannotFetch(Trouble.ADDRESS)
    return parts._replace(fragment="")


def _asked(
    url: str,
    method: str,
    headers: dict[str, str],
    body: bytes,
    login: Login | None,
    is_private_allowed: bool,
    until: float,
) -> Answer:
    parts = _split(url, is_private_allowed)
    host, is_secure = (parts.hostname or "").encode("idna").decode(), parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    path = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe="/?&=%:;,+$!*'()@~#[]")
    if login is not None:
        headers["Authorization"] = login.header
    headers = {"User-Agent": "Kring", "Accept-Encoding": "identity", **headers}
    connection = HTTPSConnection(host, port) if is_secure else HTTPConnection(host, port)
    guard: threading.Timer | None = None
    try:
        connection.sock = _connected(host, port, is_secure, is_private_allowed, until)
        # Each answer has its own limit; a server that speaks a letter at a time meets this one.
        guard = threading.Timer(max(until - time.monotonic(), 0.1), _cut, [connection.sock])
        guard.daemon = True
        guard.start()
        connection.request(method, path, body=body or None, headers=headers)
        response = connection.getresponse()
        content = _read(response, until)
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, content, url)
    except ssl.SSLCertVerificationError as error:
        raise CannotFetch(Trouble.CERTIFICATE, error.verify_message) from error
    except socket.gaierror as error:
        raise CannotFetch(Trouble.HOST) from error
    except (HTTPException, OSError, ssl.SSLError) as error:
        raise CannotFetch(Trouble.NO_ANSWER) from error
    except ValueError as error:  # A header or a host that none can be.
        raise CannotFetch(Trouble.ADDRESS) from error
    finally:
        if guard is not None:
            guard.cancel()
        connection.close()


def _connected(host: str, port: int, is_secure: bool, is_private_allowed: bool, until: float) -> socket.socket:
    """A connection to an address of this host that may be asked: all its addresses are looked at before one is used."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = list(dict.fromkeys(found))
    if not is_private_allowed and not all(is_public(address) for address in addresses):
        raise CannotFetch(Trouble.PRIVATE)
    wrong: OSError = OSError("no address")
    for address in addresses[:3]:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            plain = socket.create_connection((address, port), timeout=min(left, 10))
        except OSError as error:
            wrong = error
            continue
        if not is_secure:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
    raise wrong


def is_public(address: str) -> bool:
    """Whether everybody on the internet may know this address: no loopback, private, link-local or reserved one, in whatever clothes."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if ip not in GLOBAL or ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast


def _read(response: HTTPResponse, until: float) -> bytes:
    content = b""
    while chunk := response.read(65536):
        content += chunk
        if len(content) > LARGEST:
            raise CannotFetch(Trouble.TOO_LARGE)
        if time.monotonic() > until:
            raise CannotFetch(Trouble.NO_ANSWER)
    return content


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
