"""Connect a mailbox, change how it is reached, pause it, and let go of it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import events, locks, sealed
from crm.channels import imap, smtp
from crm.channels.imap import CannotRead, Folder, Trouble
from crm.models import EventKind, Mailbox, MailFolder, MailMessage, MailSecurity, MessageState, User
from crm.notation import parse_email
from crm.refusal import Refused

FARTHEST_BACK = timedelta(days=90)
MOST_FOLDERS = 20
SERVERS = frozenset({"username", "imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security"})
"""Where the password goes. Who changes one of these types it again: else it could be sent to a server of their own."""


class NotConnected(Refused):
    """The servers were tried and one of them said no; `said` is what it said, shortened to harmless letters, or nothing."""

    def __init__(self, message: Any, said: str = "") -> None:
        self.said = said
        super().__init__(message)


def connect(
    *,
    owner: User | None,
    address: str,
    password: str,
    by: User,
    at: datetime,
    reads_since: date,
    imap_host: str,
    imap_port: int = 993,
    imap_security: str = MailSecurity.TLS,
    smtp_host: str = "",
    smtp_port: int = 465,
    smtp_security: str = MailSecurity.TLS,
    username: str = "",
) -> Mailbox:
    """The mailbox is read from now on, INBOX and what it sent; its password is kept sealed. Shared when it has no owner.

    The servers are asked first, within ten seconds each: `NotConnected` when one cannot be reached, cannot be trusted or does not let us in.
    Refuses a name that is none of a host, a way without encryption to any machine but this one, a day longer ago than ninety days, and a mailbox
    that is connected already.
    """
    box = Mailbox(
        owner=owner,
        address=parse_email(address),
        username=username.strip() or address.strip(),
        imap_host=imap_host.strip().lower(),
        imap_port=imap_port,
        imap_security=imap_security,
        smtp_host=smtp_host.strip().lower(),
        smtp_port=smtp_port,
        smtp_security=smtp_security,
        reads_since=reads_since,
        created_at=at,
    )
    _must_be_possible(box, password, at)
    if Mailbox.objects.filter(owner=owner, address=box.address).exists():
        raise Refused(_("%(address)s is connected already.") % {"address": box.address})
    found, box.offers_idle = _tried(box, password)
    box.folders = _usual(found)
    box.sealed_password = sealed.seal(password)
    try:
        with transaction.atomic():
            box.save()
            _record(EventKind.MAILBOX_CONNECTED, box, by, at)
    except IntegrityError:
        raise Refused(_("%(address)s is connected already.") % {"address": box.address}) from None
    return box


def change(*, mailbox: Mailbox, by: User, at: datetime, password: str = "", **fields: Any) -> Mailbox:
    """The mailbox is reached in this way from now on; the servers were asked first when anything about them changed, or the password. An earlier
    day has the mail since then read, too; what was taken in already is not taken in again.

    Refuses what `connect` refuses, and other servers or another user name without the password. Raises `TypeError` for a field that is none.
    """
    if unknown := fields.keys() - SERVERS - {"reads_since"}:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))}")
    fields = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    was = {name: getattr(mailbox, name) for name in fields}
    for name, value in fields.items():
        setattr(mailbox, name, value.lower() if name.endswith("_host") else value)
    elsewhere = any(getattr(mailbox, name) != was[name] for name in fields if name in SERVERS)
    if elsewhere and not password:
        raise Refused(_("Type the password again, since you changed where it is sent to."))
    _must_be_possible(mailbox, password, at, is_new_day=mailbox.reads_since != was.get("reads_since"))
    if password:
        _found, mailbox.offers_idle = _tried(mailbox, password)
        mailbox.sealed_password = sealed.seal(password)
    with transaction.atomic():
        locks.row(Mailbox.objects.all(), mailbox.pk)
        saved = [*fields, *(["sealed_password", "offers_idle"] if password else [])]
        if password:
            mailbox.failure, mailbox.failing_since, mailbox.claimed_until = "", None, None
            saved += ["failure", "failing_since", "claimed_until"]
        mailbox.save(update_fields=saved)
        if "reads_since" in was and mailbox.reads_since < was["reads_since"]:
            MailFolder.objects.filter(mailbox=mailbox).update(last_uid=0)
        if elsewhere:
            _record(EventKind.MAILBOX_CONNECTED, mailbox, by, at)
    return mailbox


def folders(mailbox: Mailbox) -> list[Folder]:
    """The folders that the server has now. Raises `NotConnected` when it does not say."""
    try:
        return imap.try_out(account(mailbox))[0]
    except CannotRead as error:
        raise _no(error) from error


@transaction.atomic
def choose_folders(*, mailbox: Mailbox, names: Sequence[str]) -> Mailbox:
    """These folders are read from now on. Refuses none, more than twenty, and a name that no folder can have."""
    names = list(dict.fromkeys(names))
    if not names:
        raise Refused(_("Choose at least one folder."))
    if len(names) > MOST_FOLDERS:
        raise Refused(_("Choose at most %(number)d folders.") % {"number": MOST_FOLDERS})
    if any(not name or len(name) > 200 or not name.isprintable() for name in names):
        raise Refused(_("This folder has a name that Kring cannot read."))
    mailbox.folders = names
    if mailbox.failure.partition(":")[0] == Trouble.FOLDER:
        mailbox.failure, mailbox.failing_since, mailbox.claimed_until = "", None, None
    mailbox.save(update_fields=["folders", "failure", "failing_since", "claimed_until"])
    return mailbox


@transaction.atomic
def pause(*, mailbox: Mailbox, by: User, at: datetime) -> None:
    """Nothing is read until it is taken up again; what came meanwhile is read then."""
    if Mailbox.objects.filter(pk=mailbox.pk, is_active=True).update(is_active=False):
        _record(EventKind.MAILBOX_DISCONNECTED, mailbox, by, at)


@transaction.atomic
def resume(*, mailbox: Mailbox, by: User, at: datetime) -> None:
    """A paused mailbox is read again, at once."""
    resumed = Mailbox.objects.filter(pk=mailbox.pk, is_active=False).update(
        is_active=True, claimed_until=None, failure="", failing_since=None
    )
    if resumed:
        _record(EventKind.MAILBOX_CONNECTED, mailbox, by, at)


@transaction.atomic
def disconnect(*, mailbox: Mailbox, by: User, at: datetime) -> None:
    """The mailbox and its password are gone, and nothing is read any more. Conversations that came from it stay; the bytes of messages that could
    not be read go. Twice is once."""
    if not Mailbox.objects.select_for_update(of=("self",)).filter(pk=mailbox.pk).exists():
        return
    MailMessage.objects.filter(mailbox=mailbox, state=MessageState.FAILED).update(state=MessageState.REFUSED, raw=None)
    _record(EventKind.MAILBOX_DISCONNECTED, mailbox, by, at)
    mailbox.delete()


def account(mailbox: Mailbox) -> imap.Account:
    """Where the mailbox is, with its password. Raises `CannotRead` when that was sealed with another key."""
    try:
        password = sealed.unseal(mailbox.sealed_password)
    except sealed.CannotOpen as error:
        raise CannotRead(Trouble.SEALED) from error
    return _account(mailbox, password)


def _account(box: Mailbox, password: str) -> imap.Account:
    return imap.Account(box.imap_host, box.imap_port, box.imap_security, box.username, password)


def _must_be_possible(box: Mailbox, password: str, at: datetime, *, is_new_day: bool = True) -> None:
    servers = [(box.imap_host, box.imap_security)]
    if box.smtp_host:
        servers.append((box.smtp_host, box.smtp_security))
    for host, security in servers:
        if not imap.is_host(host):
            raise Refused(_("Write the name of a server, such as imap.example.com, and nothing else."))
        if security not in MailSecurity.values:
            raise Refused(_("Choose how the connection is secured."))
        if security == MailSecurity.NONE and not imap.is_loopback(host):
            raise Refused(_("Without encryption everybody on the way could read the password. Choose TLS or STARTTLS."))
    if not all(1 <= port <= 65535 for port in (box.imap_port, box.smtp_port)):
        raise Refused(_("A port is a number from 1 to 65535."))
    if any(not text.isprintable() or len(text) > 254 for text in (box.username, password)):
        raise Refused(_("A user name or password cannot hold line breaks, and neither is longer than 254 characters."))
    today = at.date()
    if is_new_day and not today - FARTHEST_BACK - timedelta(days=1) <= box.reads_since <= today + timedelta(days=1):
        raise Refused(_("Choose a day within the last ninety days."))


def _tried(box: Mailbox, password: str) -> tuple[list[Folder], bool]:
    try:
        found = imap.try_out(_account(box, password))
    except CannotRead as error:
        raise _no(error) from error
    if box.smtp_host:
        try:
            smtp.try_out(smtp.Server(box.smtp_host, box.smtp_port, box.username, password, box.smtp_security))
        except smtp.NotSent as error:
            raise NotConnected(
                _(
                    "Mail can be read, but the server for sending does not let us in. Check its name, port and security."
                ),
                imap.harmless(str(error)),
            ) from error
    return found


def _no(error: CannotRead) -> NotConnected:
    return NotConnected(error.trouble.label, error.said)


def _usual(found: Sequence[Folder]) -> list[str]:
    """What was sent first: a notice that a mail came back is only believed when that mail is known."""
    sent = [folder.name for folder in found if folder.is_sent][:1]
    return [*sent, "INBOX"]


def _record(kind: EventKind, box: Mailbox, by: User, at: datetime) -> None:
    whose = str(box.owner) if box.owner else None
    events.record(kind, subject=box, by=by, at=at, new={"address": box.address, "owner": whose})
