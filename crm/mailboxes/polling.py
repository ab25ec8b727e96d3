"""Look into a mailbox and take in what is new: one message in one transaction, together with the mark how far the folder was read.

Whoever dies in between has changed nothing about the message at hand, and the next worker begins with it. A message that cannot be taken in is
put aside with its bytes and the next one follows. A server that is away is asked again later, ever less often, until it answers.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm import correspondence, enquiries
from crm.channels import email, imap
from crm.channels.imap import CannotRead, Found, Session, Trouble
from crm.mailboxes.connecting import account
from crm.models import Mailbox, MailFolder, MessagePlace

CLAIM = timedelta(minutes=2)
"""A worker that has not said for so long that it still reads is taken for dead."""
RENEW = timedelta(seconds=30)
AT_MOST = timedelta(seconds=45)
"""After this time others have their turn; what is left follows."""
LONGEST_BACKOFF = timedelta(minutes=30)
AT_ONCE = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Polled:
    """What came of one look: how many messages were settled, and whether some still wait."""

    number: int = 0
    has_more: bool = False


def due(*, at: datetime) -> list[int]:
    """The mailboxes to look into now."""
    return list(Mailbox.objects.due(at).order_by("checked_at", "pk").values_list("pk", flat=True))


def look_now(*, mailbox: Mailbox) -> None:
    """One that is asked less often, since its server was away, is due again."""
    Mailbox.objects.filter(pk=mailbox.pk).exclude(failure="").update(claimed_until=None)


def watchable() -> list[tuple[int, str]]:
    """The mailboxes whose server says at once when mail arrives, with a mark that changes with how they are reached."""
    boxes = Mailbox.objects.filter(is_active=True, offers_idle=True, failure="").order_by("pk")
    return [
        (box.pk, hashlib.sha256(f"{box.imap_host}:{box.imap_port}:{box.sealed_password}".encode()).hexdigest())
        for box in boxes
    ]


def poll(*, mailbox_id: int, at: datetime) -> Polled:
    """Every new message of the mailbox's folders since the day it is read from is settled, in order, or as many as there is time for.

    Nothing happens when it is paused, gone, or in other hands. What goes wrong with the server stands in the row, with since when, until it goes
    well again.
    """
    turn = _Turn(mailbox_id, at)
    if not turn.claim():
        return Polled()
    try:
        box = Mailbox.objects.select_related("owner", "lead_team").get(pk=mailbox_id)
        try:
            with imap.session(account(box)) as session:
                box.offers_idle = session.offers_idle
                has_more = _read_all(session, box, turn)
        except CannotRead as trouble:
            log.warning("mailbox %s cannot be read: %s", mailbox_id, trouble.trouble.value)
            _failed(box, trouble, turn)
            return Polled(turn.number)
        _went_well(box, turn)
        return Polled(turn.number, has_more)
    except BaseException:
        turn.release()
        raise


@dataclass
class _Turn:
    """The time that this worker has with the mailbox, and its claim on it."""

    mailbox_id: int
    at: datetime
    begun: float = field(default_factory=time.monotonic)
    until: datetime | None = None
    number: int = 0

    @property
    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.begun)

    @property
    def is_over(self) -> bool:
        """No time left, or somebody else took the mailbox, paused it, or let it go."""
        return self.now - self.at > AT_MOST or not self._renewed()

    def claim(self) -> bool:
        self.until = self.now + CLAIM
        return bool(Mailbox.objects.due(self.at).filter(pk=self.mailbox_id).update(claimed_until=self.until))

    def release(self) -> None:
        Mailbox.objects.filter(pk=self.mailbox_id, claimed_until=self.until).update(claimed_until=None)

    def _renewed(self) -> bool:
        if self.until is not None and self.until - self.now > CLAIM - RENEW:
            return True
        until = self.now + CLAIM
        mine = Mailbox.objects.filter(pk=self.mailbox_id, is_active=True, claimed_until=self.until)
        if not mine.update(claimed_until=until):
            return False
        self.until = until
        return True


def _read_all(session: Session, box: Mailbox, turn: _Turn) -> bool:
    """Every folder; whether something is left. One that is not there any more does not keep us from the others."""
    has_more, missing = False, None
    for name in box.folders:
        try:
            has_more = _read(session, box, name, turn) or has_more
        except CannotRead as trouble:
            if trouble.trouble != Trouble.FOLDER:
                raise
            missing = trouble
    if missing is not None:
        raise missing
    return has_more


def _read(session: Session, box: Mailbox, name: str, turn: _Turn) -> bool:
    """One folder; whether something is left of it."""
    if turn.is_over:
        return True
    folder = _folder(box, name, session.open(name))
    uids = session.uids(after=folder.last_uid, since=box.reads_since)
    places = MessagePlace.objects.filter(folder=folder, uid_validity=folder.uid_validity, uid__in=uids)
    known = set(places.values_list("uid", flat=True))
    uids = [uid for uid in uids if uid not in known]
    for start in range(0, len(uids), AT_ONCE):
        for found in session.look(uids[start : start + AT_ONCE]):
            if turn.is_over:
                return True
            if found.received_at is None or timezone.localdate(found.received_at) >= box.reads_since:
                _take(session, box, folder, found, turn)
    return False


def _folder(box: Mailbox, name: str, validity: int) -> MailFolder:
    """How far it was read. With another numbering it is read anew; what was taken in from it is known by its key."""
    folder, _new = MailFolder.objects.get_or_create(mailbox=box, name=name, defaults={"uid_validity": validity})
    if folder.uid_validity != validity:
        folder.uid_validity, folder.last_uid = validity, 0
        folder.save(update_fields=["uid_validity", "last_uid"])
    return folder


def _take(session: Session, box: Mailbox, folder: MailFolder, found: Found, turn: _Turn) -> None:
    """This message is settled, in whatever way, and the folder is read up to it: both or neither."""
    place = correspondence.Place(folder, folder.uid_validity, found.uid)
    at = turn.now
    if found.size > imap.LARGEST:
        key = _key(session.header(found.uid), found, at)
        with transaction.atomic():
            correspondence.refuse(key=key, reason=_too_large(box), mailbox=box, place=place, at=at)
            _read_up_to(folder, found.uid)
        turn.number += 1
        return
    raw = session.fetch(found.uid)
    if raw is None:
        return  # Moved or thrown away meanwhile.
    reason = ""
    # Two that come at once by two ways may stand in each other's light; the second try sees what the first left.
    for _attempt in range(2):
        try:
            with transaction.atomic():
                enquiries.take_in(raw=raw, received_at=found.received_at, at=at, mailbox=box, place=place)
                _read_up_to(folder, found.uid)
            turn.number += 1
            return
        except DatabaseError as error:
            reason = type(error).__name__
        except Exception as error:  # Whatever it is, it says nothing about the messages behind this one.
            reason = type(error).__name__
            break
    log.error("a message of mailbox %s could not be taken in: %s", box.pk, reason)
    with transaction.atomic():
        correspondence.keep_failed(raw=raw, reason=reason, mailbox=box, place=place, at=at)
        _read_up_to(folder, found.uid)
    turn.number += 1


def _read_up_to(folder: MailFolder, uid: int) -> None:
    MailFolder.objects.filter(pk=folder.pk, uid_validity=folder.uid_validity, last_uid__lt=uid).update(last_uid=uid)


def _key(header: bytes | None, found: Found, at: datetime) -> str:
    try:
        return email.read(header or b"", received_at=found.received_at or at).key
    except email.Unreadable:
        return "sha256:" + hashlib.sha256(header or str(found).encode()).hexdigest()


def _too_large(box: Mailbox) -> str:
    with translation.override(box.owner.language if box.owner else None):
        return _("This message is larger than %(size)d MB.") % {"size": imap.LARGEST // 1024 // 1024}


def _failed(box: Mailbox, trouble: CannotRead, turn: _Turn) -> None:
    """The row says what is wrong and since when; the longer it lasts, the longer until the next look."""
    now = turn.now
    since = box.failing_since or now
    pause = min(max((now - since) / 2, timedelta(minutes=1)), LONGEST_BACKOFF)
    _say(box, turn, checked_at=now, failure=str(trouble), failing_since=since, claimed_until=now + pause)


def _went_well(box: Mailbox, turn: _Turn) -> None:
    if box.failure:
        log.info("mailbox %s can be read again", box.pk)
    _say(
        box,
        turn,
        checked_at=turn.now,
        failure="",
        failing_since=None,
        claimed_until=None,
        offers_idle=box.offers_idle,
    )


def _say(box: Mailbox, turn: _Turn, **values: object) -> None:
    """Only as long as the mailbox is still in our hands."""
    Mailbox.objects.filter(pk=box.pk, claimed_until=turn.until).update(**values)
