"""Whom a message is from and to: which of its addresses are ours, who of those outside is known, and what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from crm.channels.email import ReadMail
from crm.models import (
    Deal,
    Direction,
    EmailAddress,
    Lead,
    Mailbox,
    MailExclusion,
    MailMessage,
    Person,
    User,
)


@dataclass(frozen=True)
class Parties:
    """`outside` are the addresses with which it connects us: of who wrote to us, or of those to whom we wrote. `by` is the colleague."""

    direction: Direction
    outside: tuple[str, ...]
    by: User | None


def parties(mail: ReadMail, *, mailbox: Mailbox | None, user: User | None) -> Parties:
    """Outgoing when the sender is one of us: an address of a colleague, or of a connected mailbox. It is by the colleague who wrote it, or to whom
    it was written first; else by whose mailbox it came in."""
    sender = mail.sender.address if mail.sender else ""
    recipients = tuple(dict.fromkeys(one.address for one in (*mail.to, *mail.cc, *mail.bcc)))
    ours = _colleagues({sender, *recipients})
    if mailbox is not None:
        ours.setdefault(mailbox.address, mailbox.owner)
    if user is not None and user.email:
        ours.setdefault(user.email, user)
    whose = user or (mailbox.owner if mailbox else None)
    if sender in ours:
        outside = tuple(address for address in recipients if address not in ours and not is_forwarding(address))
        return Parties(Direction.OUTGOING, outside, ours[sender] or whose)
    # Who only got a copy of what somebody else wrote has not spoken with us.
    reader = whose or next((ours[address] for address in recipients if ours.get(address)), None)
    return Parties(Direction.INCOMING, (sender,) if sender else (), reader)


def is_forwarding(address: str) -> bool:
    """An address at which Kring itself takes mail in."""
    return bool(settings.MAIL_IN_DOMAIN) and address.rpartition("@")[2] == settings.MAIL_IN_DOMAIN


def _colleagues(addresses: set[str]) -> dict[str, User | None]:
    """Those of the addresses that are ours, with whose they are; a shared one is nobody's."""
    found: dict[str, User | None] = {
        box.address: box.owner
        for box in Mailbox.objects.filter(address__in=addresses).select_related("owner").order_by("-pk")
    }
    return found | {user.email: user for user in User.objects.active().filter(email__in=addresses) if user.email}


def known(addresses: Iterable[str]) -> list[Person]:
    """The people at these addresses, in the order of the addresses; of two who share one, the one known longest."""
    wanted = list(addresses)
    found: dict[str, Person] = {}
    for row in EmailAddress.objects.filter(address__in=wanted).select_related("person").order_by("pk"):
        found.setdefault(row.address, row.person)
    return list({found[address].pk: found[address] for address in wanted if address in found}.values())


def is_excluded(addresses: Iterable[str], *, users: Iterable[User | None]) -> bool:
    """Whether one of these addresses, or its domain or one above it, is kept out by everybody or by one of these users."""
    patterns: set[str] = set()
    for address in addresses:
        domain = address.rpartition("@")[2].split(".")
        patterns |= {address, *(".".join(domain[start:]) for start in range(len(domain)))}
    whose = Q(user=None) | Q(user__in=[user for user in users if user is not None])
    return MailExclusion.objects.filter(whose, pattern__in=patterns).exists()


def thread_of(mail: ReadMail) -> str:
    """The key of the first message of its thread, as we know it: that of the nearest message before it that is here, else as it says."""
    before = list(dict.fromkeys(filter(None, (mail.in_reply_to, *reversed(mail.references)))))
    threads = dict(MailMessage.objects.filter(key__in=before).exclude(thread="").values_list("key", "thread"))
    return next((threads[key] for key in before if key in threads), mail.thread)


def about(people: list[Person], thread: str) -> tuple[Lead | None, Deal | None]:
    """What the thread was about with one of these people; else their one open deal or lead in hand, when there is exactly one."""
    earlier = (
        MailMessage.objects.filter(thread=thread, conversation__people__in=people)
        .filter(Q(conversation__lead__isnull=False) | Q(conversation__deal__isnull=False))
        .select_related("conversation__lead", "conversation__deal__lead")
        .order_by("-sent_at", "-pk")
        .first()
    )
    if earlier is not None and earlier.conversation is not None:
        return earlier.conversation.lead, earlier.conversation.deal
    deals = list(Deal.objects.open().filter(person__in=people).select_related("lead").order_by("pk")[:2])
    leads = list(Lead.objects.in_hand().filter(person__in=people).order_by("pk")[:2])
    if len(deals) + len(leads) != 1:
        return None, None
    return (None, deals[0]) if deals else (leads[0], None)
