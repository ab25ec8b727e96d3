"""Hand a letter to a mail server, in plain text and without anything that reports back who read it. Plain values in; what goes wrong comes out as
`NotSent`."""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.policy import compat32
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

TIMEOUT = 15
"""Seconds that a mail server gets for each answer."""
LONGEST_LINE = 900
"""RFC 5322 allows 998."""
PERMANENT = 500
"""From this reply code on a mail server means never, and not later (RFC 5321, 4.2.1)."""


class NotSent(Exception):
    """No server took the letter, as far as we know. `is_final` says that asking again is no use, since they know of no such address;
    `is_uncertain` that the line broke while the letter was being given, so that it may have been taken all the same."""

    def __init__(self, reason: str, *, is_final: bool = False, is_uncertain: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.is_uncertain = is_uncertain


@dataclass(frozen=True)
class Server:
    """A mail server and who we are to it. `security` is `tls`, `starttls` or `none`."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: str = "tls"


@dataclass(frozen=True)
class Letter:
    """One mail to one address. Ids are without their angle brackets; `unsubscribe` is an address of ours that ends such mail with one click.
    `calendar` is an invitation (iCalendar) with its method, which goes along."""

    sender: str
    to: str
    subject: str
    text: str
    message_id: str
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    unsubscribe: str = ""
    calendar: str = ""
    calendar_method: str = ""


def sender(name: str, address: str) -> str:
    """A name and an address as a header has them."""
    return formataddr((name, address))


def domain(header: str) -> str:
    """The domain of an address as a header has it; where there is none, that of this machine."""
    return parseaddr(header)[1].rpartition("@")[2] or "localhost"


def send(letter: Letter, server: Server | None = None) -> None:
    """The server (default: that of this installation) has taken the letter. Raises `NotSent`."""
    connection = _connection(server)
    is_given = False
    try:
        mail = _Mail(
            letter.subject,
            letter.text,
            from_email=letter.sender,
            to=[letter.to],
            reply_to=[letter.reply_to] if letter.reply_to else None,
            headers=_headers(letter),
            connection=connection,
        )
        if letter.calendar:
            _enclose(mail, letter)
        connection.open()
        is_given = True
        mail.send()
    except SMTPRecipientsRefused as refused:
        codes = [code for code, _said in refused.recipients.values()]
        said = "; ".join(_readable(code, words) for code, words in refused.recipients.values())
        raise NotSent(said, is_final=all(code >= PERMANENT for code in codes)) from refused
    except SMTPResponseException as refused:
        raise NotSent(_readable(refused.smtp_code, refused.smtp_error)) from refused
    except ValueError as error:  # An address or a header that no mail can have.
        raise NotSent(str(error) or type(error).__name__) from error
    except (SMTPException, OSError, ssl.SSLError) as error:
        raise NotSent(str(error) or type(error).__name__, is_uncertain=is_given) from error
    finally:  # What a server says to our goodbye changes nothing about what it took.
        with suppress(SMTPException, OSError):
            connection.close()


def try_out(server: Server, *, within: float = 10) -> None:
    """The server lets us in. Raises `NotSent`, after this many seconds at the latest, however slowly a server speaks."""
    found: list[NotSent | None] = []

    def visit() -> None:
        try:
            _visit(server)
            found.append(None)
        except NotSent as error:
            found.append(error)

    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    visitor.join(within)
    if not found:
        raise NotSent("no answer in time")
    if found[0] is not None:
        raise found[0]


def _visit(server: Server) -> None:
    connection = _connection(server)
    try:
        connection.open()
        connection.close()
    except SMTPResponseException as refused:
        raise NotSent(_readable(refused.smtp_code, refused.smtp_error)) from refused
    except (SMTPException, OSError, ssl.SSLError, ValueError) as error:
        raise NotSent(str(error) or type(error).__name__) from error
    finally:  # One that failed half-way is left open.
        with suppress(SMTPException, OSError):
            connection.close()


def _enclose(mail: EmailMultiAlternatives, letter: Letter) -> None:
    """The invitation, as another form of the text (where Outlook, Gmail and Apple Mail look for it) and as a file for other programs."""
    mail.attach_alternative(letter.calendar, f"text/calendar; method={letter.calendar_method}")
    file = MIMEBase("application", "ics", name="invite.ics")
    file.set_payload(letter.calendar.encode())
    encode_base64(file)
    file.add_header("Content-Disposition", "attachment", filename="invite.ics")
    mail.attach(file)


class _Mail(EmailMultiAlternatives):
    """With lines that break between ids only: a long id alone would leave nothing on the line of its header's name, which not everybody reads."""

    def message(self, *args: Any, **kwargs: Any) -> Any:
        message = super().message(*args, **kwargs)
        message.policy = compat32.clone(max_line_length=LONGEST_LINE)
        return message


def _connection(server: Server | None) -> BaseEmailBackend:
    if server is None:
        ours: BaseEmailBackend = get_connection()
        return ours
    connection: BaseEmailBackend = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_ssl=server.security == "tls",
        use_tls=server.security == "starttls",
        timeout=TIMEOUT,
    )
    return connection


def _headers(letter: Letter) -> dict[str, str]:
    headers = {"Message-ID": f"<{letter.message_id}>"}
    if letter.in_reply_to:
        headers["In-Reply-To"] = f"<{letter.in_reply_to}>"
    if letter.references:
        headers["References"] = " ".join(f"<{reference}>" for reference in letter.references)
    if letter.unsubscribe:  # RFC 8058
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _readable(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
