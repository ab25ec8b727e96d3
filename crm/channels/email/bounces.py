"""Mail of ours that could not be delivered: to whom, for good or for now, and why.

Most servers say so in the form of RFC 3464; Exim, qmail and older Exchange say it in words. A bounce can be forged by anybody: whoever marks an
address by it checks that `original_id` is a mail that was sent to that address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_string
from email.message import Message

from crm.channels.email.headers import LENIENT, Headers, addresses, key
from crm.channels.email.mail import Bounce
from crm.channels.email.parts import Parts, text_of, within
from crm.channels.email.wording import one_line

LONGEST_WHY = 300
MOST_BLOCKS = 100
LONGEST_NOTICE = 20_000

_SENDERS = re.compile(
    r"(?:mailer-?daemon|postmaster|mail-?daemon|mdaemon|microsoftexchange[\w.-]*|mail-delivery-subsystem|bounces?)@",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"undeliver|undelivered|delivery (?:status notification|failure|has failed|failed|incomplete|delayed)|failure notice|mail delivery|returned mail"
    r"|mail system error|could not be delivered|message delayed|non[- ]?delivery|onbestelbaar|niet[- ]bezorg|kan niet worden bezorgd"
    r"|bezorging (?:is )?(?:mislukt|vertraagd)"
    r"|retour(?:bericht)?:",
    re.IGNORECASE,
)
_SAYS_SO = re.compile(
    r"could(?:n't| not) be delivered|cannot be delivered|delivery (?:has failed|to the following|failed|is delayed|status)"
    r"|wasn't able to deliver|unable to deliver|was not able to deliver"
    r"|following address(?:es|\(es\))? (?:failed|had permanent)|permanent (?:fatal )?error|unrecoverable error"
    r"|undeliverable|delayed|did not reach|niet (?:worden )?(?:bezorgd|afgeleverd)"
    r"|kan niet worden bezorgd|kon niet worden|is mislukt|onbestelbaar",
    re.IGNORECASE,
)
_FOR_NOW = re.compile(
    r"\bdelay(?:ed)?\b|temporar|will (?:be retried|keep trying|retry|continue)|still (?:being )?(?:retried|trying)"
    r"|no action is required|vertraagd|tijdelijk"
    r"|nogmaals geprobeerd|mailbox (?:is )?full|over quota|quota exceeded",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ID = re.compile(r"^[\s>]{0,8}message-id:\s{0,4}<([^<>\s]{1,900})>", re.IGNORECASE | re.MULTILINE)
_COPY = re.compile(
    r"(?im)^\s{0,8}(?:-{2,} ?(?:below this line is a copy|this is a copy of|original message"
    r"|the header of the original|included is a copy|undelivered)|diagnostic information for admin|received: ).*$"
)

Failure = tuple[str, bool, str]
"""Recipient, whether for good, and why."""


def bounce(headers: Headers, parts: Parts, text: str) -> Bounce | None:
    """The first recipient whom the mail did not reach, one for good before one for now. None when this is no such notice."""
    failed = list(_reported(parts)) or list(_told(headers, text[:LONGEST_NOTICE]))
    if not failed:
        return None
    recipient, is_permanent, why = next((one for one in failed if one[1]), failed[0])
    return Bounce(recipient, is_permanent, one_line(why, LONGEST_WHY), _original_id(parts, text))


def _reported(parts: Parts) -> Iterator[Failure]:
    """What the parts for machines say of each recipient (RFC 3464)."""
    for report in parts.reports:
        for block in list(_blocks(report))[:MOST_BLOCKS]:
            yield from _failure(block)


def _failure(block: Message) -> Iterator[Failure]:
    """What one block says of one recipient; nothing of one whom the mail reached."""
    said = Headers(block)
    action = said.first("action").lower()
    status = _CODE.search(said.first("status"))
    if action in ("delivered", "relayed", "expanded") or (not action and (status is None or status[1] == "2")):
        return
    recipient = _recipient(said.first("final-recipient")) or _recipient(said.first("original-recipient"))
    if recipient:
        diagnosis = said.first("diagnostic-code")
        why = diagnosis.partition(";")[2] or diagnosis or said.first("status") or action
        yield (
            recipient,
            action != "delayed" and (status[1] == "5" if status else action.startswith("failed")),
            why.strip(),
        )


def _blocks(report: Message) -> list[Message]:
    return within(report) or _written_blocks(text_of(report))


def _written_blocks(text: str) -> list[Message]:
    return [message_from_string(block, policy=LENIENT) for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def _recipient(value: str) -> str:
    """As in "rfc822; jan@example.com"."""
    found = addresses([value.rpartition(";")[2].strip().strip("<>")])
    return found[0].address if found else ""


def _told(headers: Headers, text: str) -> Iterator[Failure]:
    """What a notice says in words, when it comes from a mail system."""
    named = addresses(headers.every("x-failed-recipients"))
    sender = next(iter(addresses(headers.every("from"))), None)
    is_of_system = (sender is not None and bool(_SENDERS.match(sender.address))) or headers.first("return-path") == "<>"
    says_so = bool(_SUBJECTS.search(headers.line("subject", 300))) and bool(_SAYS_SO.search(text))
    is_qmail = "this is the qmail-send program" in text.lower()
    if not named and not (is_of_system and says_so) and not is_qmail:
        return
    if blocks := [block for block in _written_blocks(text)[:MOST_BLOCKS] if "final-recipient" in block]:
        for block in blocks:  # A report whose parts were lost on the way.
            yield from _failure(block)
        return
    notice = _COPY.split(text, maxsplit=1)[0]
    begin = 0
    told = _SAYS_SO.search(notice)
    if told is not None and not named:
        begin = told.end()
    own = {address.address for header in ("from", "to", "reply-to") for address in addresses(headers.every(header))}
    found = (
        [address.address for address in named]
        or [m[0].lower().rstrip(".") for m in _ADDRESS.finditer(notice, begin)]
        or [m[0].lower().rstrip(".") for m in _ADDRESS.finditer(notice)]
    )
    for recipient in dict.fromkeys(found):
        if recipient in own:
            continue
        yield recipient, *_judged(notice, recipient)
        if not named:
            return


def _judged(notice: str, recipient: str) -> tuple[bool, str]:
    """Whether it is for good, and the words that say why: those after the address."""
    _, _, after = notice.lower().partition(recipient)
    words = notice[len(notice) - len(after) :] if after and len(notice.lower()) == len(notice) else notice
    lines = [line.strip(" <>():;-*\t") for line in words.split("\n")]
    why = " ".join(line for line in lines if line)[: LONGEST_WHY * 2]
    code = _CODE.search(why) or _REPLY.search(why)
    if code is not None and code[1] in "45":
        return code[1] == "5", why
    return not _FOR_NOW.search(notice), why


def _original_id(parts: Parts, text: str) -> str:
    """The key of the mail that came back, from its headers or its copy."""
    for message in parts.enclosed:
        if found := key(Headers(message).first("message-id")):
            return found
    for returned in (*parts.returned, text):
        if match := _ID.search(returned):
            return key(match[1])
    return ""
