"""Real mail servers for tests, on this machine only: two IMAP servers (pymap from its wheel, Dovecot where it is installed), and aiosmtpd for
what is sent. A test that takes `imap_server` runs against both."""

from __future__ import annotations

import asyncio
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "een-rustig-wachtwoord"
_numbers = count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def letter(
    *,
    sender: str = "Luc Maes <luc@maes.example>",
    to: str = "sofie@kring.test",
    subject: str = "About the workshop",
    text: str = "Does the second week of December suit you?",
    key: str = "",
    at: datetime | None = None,
    **headers: str,
) -> bytes:
    """One mail as a server hands it over."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{key or f'letter-{next(_numbers)}-{time.time_ns()}@maes.example'}>"
    mail["Date"] = at or datetime.now(UTC)
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


@dataclass
class ImapServer:
    """A running IMAP server with one account; `port` speaks plainly (and STARTTLS), `tls_port` TLS from the first byte where it is offered."""

    name: str
    port: int
    username: str
    process: subprocess.Popen[bytes]
    certificate: Path
    tls_port: int = 0
    host: str = "127.0.0.1"

    @contextmanager
    def session(self) -> Iterator[imaplib.IMAP4]:
        session = imaplib.IMAP4(self.host, self.port, timeout=10)
        try:
            session.login(self.username, PASSWORD)
            yield session
        finally:
            session.logout()

    def deliver(self, *raws: bytes, folder: str = "INBOX", at: datetime | None = None) -> None:
        """These mails lie in the folder now, as if they had just come in."""
        when = imaplib.Time2Internaldate(at or datetime.now(UTC))
        with self.session() as session:
            for raw in raws:
                typ, said = session.append(folder, "", when, raw)
                assert typ == "OK", said

    def make_folder(self, name: str) -> None:
        with self.session() as session:
            assert session.create(f'"{name}"')[0] == "OK"

    def renumber(self, folder: str) -> None:
        """The folder is another one of the same name: its messages are gone, and its numbering begins anew."""
        with self.session() as session:
            assert session.delete(folder)[0] == "OK"
            time.sleep(1.1)  # Dovecot numbers by the second.
            assert session.create(folder)[0] == "OK"

    def empty(self) -> None:
        with self.session() as session:
            session.select("INBOX")
            session.store("1:*", "+FLAGS", "\\Deleted")
            session.expunge()
            session.close()
            for line in session.list()[1]:
                name = line.decode().rpartition(" ")[2].strip('"') if isinstance(line, bytes) else ""
                if name.upper() not in ("INBOX", ""):
                    session.delete(name)

    def unread(self) -> int:
        with self.session() as session:
            session.select("INBOX", readonly=True)
            return len(session.search(None, "UNSEEN")[1][0].split())


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        assert process.poll() is None, f"The mail server ended:\n{log.read_text()}"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                if probe.recv(4) == b"* OK":
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"The mail server does not answer:\n{log.read_text()}")


@contextmanager
def pymap(folder: Path) -> Iterator[ImapServer]:
    """pymap with its mail in memory, in a process of its own."""
    certificate, key = _certificate(folder)
    port, log = free_port(), folder / "pymap.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from pymap.main import main; main()",
             "--host", "127.0.0.1", "--port", str(port), "--cert", str(certificate), "--key", str(key),
             "--no-service", "admin", "--no-service", "managesieve",
             "dict", "--demo-user", "sofie", "--demo-password", PASSWORD],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _await(port, process, log)
        yield ImapServer("pymap", port, "sofie", process, certificate)
    finally:
        process.terminate()
        process.wait(10)


DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = kring-test-{port}
log_path = {folder}/log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = plain login
auth_failure_delay = 0
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Verstuurd {{
    auto = create
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@contextmanager
def dovecot(folder: Path) -> Iterator[ImapServer]:
    """Dovecot with a configuration and a folder of its own, beside whatever runs on the machine. Its socket paths must be short, so they lie in
    a temporary folder."""
    program = shutil.which("dovecot") or shutil.which("/usr/sbin/dovecot")
    if program is None:
        pytest.skip("Dovecot is not installed. On Debian and Ubuntu: apt-get install dovecot-imapd")
    certificate, key = _certificate(folder)
    own = Path(tempfile.mkdtemp(prefix="dovecot-"))
    is_root = os.getuid() == 0
    me = pwd.getpwuid(os.getuid())
    user = pwd.getpwnam("nobody") if is_root else me
    (own / "mail").mkdir()
    own.chmod(0o755)
    os.chown(own / "mail", user.pw_uid, user.pw_gid)
    port, tls_port = free_port(), free_port()
    (own / "conf").write_text(
        DOVECOT.format(
            folder=own, port=port, tls_port=tls_port, certificate=certificate, key=key, password=PASSWORD,
            internal="dovecot" if is_root else me.pw_name, login="dovenull" if is_root else me.pw_name,
            group="dovecot" if is_root else grp.getgrgid(me.pw_gid).gr_name, uid=user.pw_uid, gid=user.pw_gid,
        )
    )  # fmt: skip
    (own / "log").touch()
    process = subprocess.Popen([program, "-F", "-c", str(own / "conf")])
    try:
        _await(port, process, own / "log")
        yield ImapServer("dovecot", port, "sofie", process, certificate, tls_port)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(own, ignore_errors=True)


@pytest.fixture(scope="session", params=["pymap", "dovecot"])
def _imap_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    start = {"pymap": pymap, "dovecot": dovecot}[request.param]
    with start(tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
def imap_server(_imap_server: ImapServer) -> ImapServer:
    """An IMAP server with an empty account: pymap, and once more Dovecot."""
    if _imap_server.name == "dovecot":
        _imap_server.username = f"sofie{next(_numbers)}"
    else:
        _imap_server.empty()
    return _imap_server


@pytest.fixture(scope="session")
def _own_pymap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    with pymap(tmp_path_factory.mktemp("pymap-alone")) as server:
        yield server


@pytest.fixture
def one_imap_server(_own_pymap: ImapServer) -> ImapServer:
    """An empty pymap, for what is the same whichever server it is."""
    _own_pymap.empty()
    return _own_pymap


@dataclass
class SmtpServer:
    """A mail server that takes everything from whoever knows the password, and remembers it. While it `is_slow`, it does not say so."""

    port: int
    host: str = "127.0.0.1"
    received: list[Envelope] = field(default_factory=list)
    refuses_with: str = ""
    is_slow: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.refuses_with:
            return self.refuses_with
        self.received.append(envelope)
        while self.is_slow:
            await asyncio.sleep(0.05)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server on this machine."""
    taker = SmtpServer(free_port())
    controller = Controller(
        taker, hostname=taker.host, port=taker.port, authenticator=taker.authenticate, auth_require_tls=False
    )
    controller.start()
    yield taker
    controller.stop()
