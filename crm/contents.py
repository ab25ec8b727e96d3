"""Keep the list of our knowledge: the pieces that somebody can meet, by kind, topic and address. One that is taken out of use keeps its readers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.channels import reading_along
from crm.models import Content, ContentKind, EventKind, User
from crm.notation import one_line
from crm.refusal import Refused

is_url = URLValidator(schemes=("http", "https"))


@transaction.atomic
def save(
    *,
    title: str,
    kind: str,
    by: User | None,
    at: datetime,
    topic: str = "",
    url: str = "",
    happens_on: date | None = None,
    piece: Content | None = None,
) -> Content:
    """The piece is in the list (a new one without `piece`), with this title, kind, topic and address; visitors who read that address met it. A
    webinar or an event may have a day on which it takes place.

    Saved as it is already, nothing changes. Refuses a piece without a title, a kind or an address that is none, words that are too long, a day for
    what takes place on none, and an address at which another piece in use stands: one reader would count for both.
    """
    title, topic, url = one_line(title), one_line(topic), one_line(url)
    if not title:
        raise Refused(_("Give the piece a title."))
    if len(title) > 200 or len(topic) > 100 or len(url) > 200:
        raise Refused(_("This is longer than we can keep. Write it shorter."))
    if kind not in ContentKind.values:
        raise Refused(_("Choose what kind of piece it is."))
    if happens_on is not None and kind not in (ContentKind.WEBINAR, ContentKind.EVENT):
        raise Refused(_("Only a webinar or an event takes place on a day."))
    if url:
        try:
            is_url(url)
        except ValidationError:
            raise Refused(_("Write its address in full, such as https://www.example.com/guide.")) from None
    locks.hold("content addresses")
    held = locks.row(Content.objects.all(), piece.pk) if piece else Content()
    if (piece is None or held.is_active) and (other := _at(url, but=held)):
        raise Refused(_("“%(title)s” stands at this address already.") % {"title": other})
    fields = {"title": title, "kind": kind, "topic": topic, "url": url, "happens_on": happens_on}
    old = {name: getattr(held, name) for name in fields} if piece else {}
    changed = {name: value for name, value in fields.items() if old.get(name) != value}
    if piece is None or changed:
        for name, value in fields.items():
            setattr(held, name, value)
        held.save(update_fields=list(fields) if piece else None)
        _record(held, by, at, old={name: old[name] for name in changed if name in old}, new=changed)
    return held


@transaction.atomic
def retire(*, piece: Content, by: User | None, at: datetime) -> Content:
    """The piece is offered nowhere any more; who met it and who came through it stays known. Twice is once."""
    return _set_use(piece, False, by, at)


@transaction.atomic
def restore(*, piece: Content, by: User | None, at: datetime) -> Content:
    """The piece is in use again. Refuses one at whose address another stands by now. Twice is once."""
    locks.hold("content addresses")
    if other := _at(piece.url, but=piece):
        raise Refused(_("“%(title)s” stands at this address already.") % {"title": other})
    return _set_use(piece, True, by, at)


def _set_use(piece: Content, is_active: bool, by: User | None, at: datetime) -> Content:
    held = locks.row(Content.objects.all(), piece.pk)
    if held.is_active != is_active:
        held.is_active = is_active
        held.save(update_fields=["is_active"])
        _record(held, by, at, old={"is_active": not is_active}, new={"is_active": is_active})
    return held


def _at(url: str, *, but: Content) -> Content | None:
    """Another piece in use at this address, however it is written."""
    where = reading_along.address(url) if url else ""
    if not where:
        return None
    others = Content.objects.filter(is_active=True).exclude(url="").exclude(pk=but.pk).order_by("pk")
    return next((other for other in others if reading_along.address(other.url) == where), None)


def _record(piece: Content, by: User | None, at: datetime, *, old: dict[str, Any], new: dict[str, Any]) -> None:
    events.record(EventKind.CONTENT_CHANGED, subject=piece, by=by, at=at, old=old, new={"piece": str(piece), **new})
