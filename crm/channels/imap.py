"""Read a mailbox on an IMAP server: log in, look at folders, fetch one message at a time, wait for news. Plain values, no database.

The server is somebody else's program. Certificates are verified, every answer has a time limit and a size limit, nothing is changed on it (folders
are opened to be read only), and whatever goes wrong is one `CannotRead` that names the trouble in our own words.
"""

from __future__ import annotations

import imaplib
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from time import mktime
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

ANSWER_WITHIN = 20
"""Seconds that a server may take for one answer."""
LARGEST = 25 * 1024 * 1024
"""Bytes of a message; what is larger is not fetched."""
HEADER = 64 * 1024
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.I)
SENT_NAMES = {
    "sent", "sent items", "sent messages", "sent mail", "verzonden", "verzonden items", "verzonden berichten",
    "envoyés", "éléments envoyés", "messages envoyés", "gesendet",
}  # fmt: skip
"""What Sent folders are called on servers that do not mark them."""


class Trouble(TextChoices):
    """What keeps us from reading, as a sentence that says what to do."""

    PASSWORD = (
        "password",
        _(
            "The server does not accept this user name and password. Many providers want a password made for other programs: an app password."
        ),
    )
    HOST = "host", _("There is no server of this name. Check how it is written.")
    CERTIFICATE = (
        "certificate",
        _("The server cannot prove that it is the one you named: its certificate is not trusted. Check the name."),
    )
    SECURITY = (
        "security",
        _("The server does not speak this way of security on this port. Choose another port or another security."),
    )
    NO_ANSWER = "no_answer", _("The server does not answer. Check its name and port; it may also be away for a while.")
    BROKE_OFF = "broke_off", _("The server broke off the conversation. Kring tries again by itself.")
    FOLDER = "folder", _("A folder that Kring should read is not there any more. Choose the folders again.")
    SERVER = "server", _("The server refused to go on.")
    SEALED = (
        "sealed",
        _("The password cannot be read any more, since the key of this Kring was changed. Type it again."),
    )


class CannotRead(Exception):
    """The mailbox cannot be read now: why, and what the server said, shortened to harmless letters."""

    def __init__(self, trouble: Trouble, said: str = "") -> None:
        self.trouble = trouble
        self.said = harmless(said)
        super().__init__(f"{trouble.value}: {self.said}" if self.said else trouble.value)


@dataclass(frozen=True)
class Account:
    """Where a mailbox is and who logs in. Its password never shows when it is printed."""

    host: str
    port: int
    security: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.host}:{self.port})"


@dataclass(frozen=True)
class Folder:
    name: str
    is_sent: bool = False


@dataclass(frozen=True)
class Found:
    """A message on the server, before it is fetched."""

    uid: int
    size: int
    received_at: datetime | None


def harmless(text: str) -> str:
    """At most 120 plain letters of what a server said."""
    return " ".join(re.sub(r"[^\x20-\x7e]", " ", text).split())[:120]


def is_host(name: str) -> bool:
    """Whether this is a plain name of a host, or a plain address: no port, path, user or blank."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(HOST.fullmatch(name))
    return True


def is_loopback(name: str) -> bool:
    """Whether this host is the machine itself, where nothing travels by wire."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


@contextmanager
def _troubles() -> Iterator[None]:
    """What the libraries raise, in our words."""
    try:
        yield
    except MailboxLoginError as error:
        said = _words(error.command_result[1])
        away = "UNAVAILABLE" in said or "INUSE" in said
        raise CannotRead(Trouble.SERVER if away else Trouble.PASSWORD, said) from error
    except ImapToolsError as error:
        raise CannotRead(Trouble.SERVER, _words(getattr(error, "command_result", ("", []))[1])) from error
    except ssl.SSLCertVerificationError as error:
        raise CannotRead(Trouble.CERTIFICATE, error.verify_message) from error
    except ssl.SSLError as error:
        raise CannotRead(Trouble.SECURITY) from error
    except socket.gaierror as error:
        raise CannotRead(Trouble.HOST) from error
    except imaplib.IMAP4.abort as error:
        raise CannotRead(Trouble.BROKE_OFF, str(error)) from error
    except imaplib.IMAP4.error as error:
        tls = "TLS" in str(error)
        raise CannotRead(Trouble.SECURITY if tls else Trouble.SERVER, str(error)) from error
    except (ConnectionResetError, BrokenPipeError, EOFError) as error:
        raise CannotRead(Trouble.BROKE_OFF) from error
    except OSError as error:  # Refused, timed out, no way to it.
        raise CannotRead(Trouble.NO_ANSWER) from error
    except (ValueError, IndexError, TypeError, AttributeError) as error:  # An answer that no server should give.
        raise CannotRead(Trouble.SERVER, str(error)) from error


class Session:
    """One conversation with a server, logged in."""

    def __init__(self, box: BaseMailBox) -> None:
        self.box = box
        # Many servers say what they can only to whom they have let in.
        _typ, said = box.client.capability()
        self.offers_idle = b"IDLE" in b" ".join(line for line in said if line).upper().split()

    @_troubles()
    def folders(self) -> list[Folder]:
        """The folders that can hold mail; INBOX first, then the one for sent mail, then by name."""
        found = []
        for entry in islice(self.box.folder.list(), 500):
            flags = {flag.lower() for flag in entry.flags}
            if "\\noselect" not in flags and "\\nonexistent" not in flags and 0 < len(entry.name) <= 200:
                last = entry.name.rpartition(entry.delim)[2] if entry.delim and entry.delim != "NIL" else entry.name
                found.append((entry.name, "\\sent" in flags, last.lower() in SENT_NAMES))
        marked = any(by_flag for _name, by_flag, _by_name in found)
        folders = [Folder(name, by_flag if marked else by_name) for name, by_flag, by_name in found]
        return sorted(folders, key=lambda one: (one.name.upper() != "INBOX", not one.is_sent, one.name.lower()))

    @_troubles()
    def open(self, folder: str) -> int:
        """The folder is open to be read only; the number of its numbering (UIDVALIDITY)."""
        try:
            self.box.folder.set(folder, readonly=True)
        except MailboxFolderSelectError as error:
            raise CannotRead(Trouble.FOLDER, folder) from error
        _typ, said = self.box.client.response("UIDVALIDITY")
        return int(said[0]) if said and said[0] else 0

    @_troubles()
    def uids(self, *, after: int, since: date) -> list[int]:
        """Numbers of the messages that came after this number, received on this day or later, in order. A server counts days in a time zone of its
        own, so a few of the day before may be among them."""
        since -= timedelta(days=1)
        day = f"{since.day:02}-{MONTHS[since.month - 1]}-{since.year}"
        _typ, said = self._ok(self.box.client.uid("SEARCH", "UID", f"{after + 1}:*", "SINCE", day))
        # “7:*” of a folder that ends at 5 is its last message.
        return sorted({uid for part in said if part for uid in map(int, part.split()) if uid > after})

    @_troubles()
    def look(self, uids: Sequence[int]) -> list[Found]:
        """How large these messages are, and when they came. One that is gone meanwhile is not among them."""
        if not uids:
            return []
        wanted = ",".join(map(str, uids))
        _typ, said = self._ok(self.box.client.uid("FETCH", wanted, "(UID RFC822.SIZE INTERNALDATE)"))
        found = {}
        for line in said:
            if not isinstance(line, bytes):
                continue
            uid, size = re.search(rb"UID (\d+)", line), re.search(rb"RFC822\.SIZE (\d+)", line)
            if uid and size and int(uid[1]) in uids:
                found[int(uid[1])] = Found(int(uid[1]), int(size[1]), _internal_date(line))
        return [found[uid] for uid in uids if uid in found]

    @_troubles()
    def fetch(self, uid: int) -> bytes | None:
        """The bytes of a message, which stays unread; `None` when it is gone."""
        return self._body(uid, "BODY.PEEK[]")

    @_troubles()
    def header(self, uid: int) -> bytes | None:
        """The first lines of a message that is too large to be fetched."""
        return self._body(uid, f"BODY.PEEK[HEADER]<0.{HEADER}>")

    @_troubles()
    def wait(self, seconds: float) -> bool:
        """Whether the server has news within this time (IDLE)."""
        self.box.idle.start()
        lines = self.box.idle.poll(timeout=seconds)
        # What comes while the server is told that we are done is news, too.
        _result, late = self.box.idle.stop()
        return any(b"EXISTS" in line for line in (*lines, *late) if isinstance(line, bytes))

    def _body(self, uid: int, part: str) -> bytes | None:
        _typ, said = self._ok(self.box.client.uid("FETCH", str(uid), f"(UID {part})"))
        for answer in said:
            if isinstance(answer, tuple):
                return bytes(answer[1])
        if any(isinstance(line, bytes) and b"BODY[" in line for line in said):
            return b""  # Written without a length: an empty one.
        return None

    def _ok(self, answer: tuple[str, list[Any]]) -> tuple[str, list[Any]]:
        if answer[0] != "OK":
            raise CannotRead(Trouble.SERVER, _words(answer[1]))
        return answer


@contextmanager
def session(account: Account, *, answer_within: float = ANSWER_WITHIN) -> Iterator[Session]:
    """Logged in; logged out afterwards, whatever happened. Raises `CannotRead`, for what goes wrong in between too."""
    with _troubles():
        box = _connect(account, answer_within)
    try:
        with _troubles():
            _limit(box.client)
            _login(box, account)
            opened = Session(box)
        yield opened
    finally:
        _leave(box)


def try_out(account: Account, *, within: float = 10) -> tuple[list[Folder], bool]:
    """What a new account offers: its folders, and whether it says at once when mail arrives. Raises `CannotRead`, after this many seconds at the
    latest, however slowly a server speaks."""
    found: list[tuple[list[Folder], bool]] = []
    wrong: list[CannotRead] = []

    def visit() -> None:
        try:
            with session(account, answer_within=within) as opened:
                found.append((opened.folders(), opened.offers_idle))
        except CannotRead as error:
            wrong.append(error)

    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    visitor.join(within)
    if wrong:
        raise wrong[0]
    if not found:
        raise CannotRead(Trouble.NO_ANSWER)
    return found[0]


def _words(said: Any) -> str:
    """What a server answered, as text."""
    lines = said if isinstance(said, list | tuple) else [said]
    return " ".join(line.decode(errors="replace") if isinstance(line, bytes) else str(line) for line in lines)


def _connect(account: Account, answer_within: float) -> BaseMailBox:
    if not is_host(account.host):
        raise CannotRead(Trouble.HOST)
    if account.security == "tls":
        return MailBox(account.host, account.port, timeout=answer_within, ssl_context=ssl.create_default_context())
    if account.security == "starttls":
        return MailBoxStartTls(
            account.host, account.port, timeout=answer_within, ssl_context=ssl.create_default_context()
        )
    if not is_loopback(account.host):
        raise CannotRead(Trouble.SECURITY)
    return MailBoxUnencrypted(account.host, account.port, timeout=answer_within)


def _login(box: BaseMailBox, account: Account) -> None:
    if account.username.isascii() and account.password.isascii():
        box.login(account.username, account.password, initial_folder=None)
        return
    try:
        box.login_utf8(account.username, account.password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise CannotRead(Trouble.PASSWORD) from error


def _limit(client: imaplib.IMAP4) -> None:
    """No answer with a length beyond our limit is read into memory, whatever the server announced before."""
    read = client.read

    def bounded(size: int) -> bytes:
        if size > LARGEST + HEADER:
            raise imaplib.IMAP4.abort("an answer that is too long")
        return read(size)

    client.read = bounded  # type: ignore[method-assign]


def _leave(box: BaseMailBox) -> None:
    with suppress(Exception):
        box.client.sock.settimeout(2)
        box.logout()
    with suppress(Exception):
        box.client.shutdown()


def _internal_date(line: bytes) -> datetime | None:
    try:
        local = imaplib.Internaldate2tuple(line)
        return datetime.fromtimestamp(mktime(local), UTC) if local else None
    except (ValueError, OverflowError, OSError):
        return None
