"""Keep the lists of which a good no is made: why we decline, with the words that say it kindly, and what we offer instead.

A reason keeps its code for ever, since leads remember it; one that was ever used is closed and not removed. A text that cannot be filled in is never
kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm import events, locks, wording
from crm.models import Alternative, AlternativeKind, Content, DeclineReason, EventKind, Lead, User
from crm.notation import one_line
from crm.refusal import Refused

LONGEST_CODE = 30
LONGEST_LABEL = 100
LONGEST_NAME = 150


@transaction.atomic
def save_reason(
    *,
    label_en: str,
    label_nl: str,
    text_en: str = "",
    text_nl: str = "",
    is_active: bool = True,
    reason: DeclineReason | None = None,
    by: User,
    at: datetime,
) -> DeclineReason:
    """The reason stands in the list so; a new one at its end, with a code of its own that never changes. Refuses one without a name in both
    languages, a text with a placeholder that does not exist, and closing the last one that is in use."""
    fields: dict[str, Any] = {
        "label_en": _name(label_en, LONGEST_LABEL, _("Name the reason in both languages.")),
        "label_nl": _name(label_nl, LONGEST_LABEL, _("Name the reason in both languages.")),
        "text_en": _text(text_en),
        "text_nl": _text(text_nl),
        "is_active": is_active,
    }
    locks.hold("reasons to decline")
    if reason is None:
        last = DeclineReason.objects.aggregate(last=Max("position"))["last"]
        reason = DeclineReason(code=_code(fields["label_en"]), position=0 if last is None else last + 1)
    elif not is_active:
        _must_leave_one(reason)
    return _keep(reason, fields, EventKind.REASON_CHANGED, by, at)


@transaction.atomic
def move_reason(*, reason: DeclineReason, up: bool, by: User, at: datetime) -> None:
    """The reason stands one place higher, or lower, in the list. At the end of the list nothing changes."""
    locks.hold("reasons to decline")
    rows = list(DeclineReason.objects.all())
    here = next((index for index, row in enumerate(rows) if row.pk == reason.pk), None)
    there = None if here is None else here - 1 if up else here + 1
    if here is None or there is None or not 0 <= there < len(rows):
        return
    rows[here], rows[there] = rows[there], rows[here]
    for position, row in enumerate(rows):
        row.position = position
    DeclineReason.objects.bulk_update(rows, ["position"])
    events.record(
        EventKind.REASON_CHANGED,
        subject=reason,
        by=by,
        at=at,
        old={"position": here + 1},
        new={"position": there + 1, "name": str(reason)},
    )


@transaction.atomic
def remove_reason(*, reason: DeclineReason, by: User, at: datetime) -> None:
    """The reason is gone. Refuses one that a lead was ever declined for, which is closed instead, and the last one that is in use."""
    locks.hold("reasons to decline")
    if Lead.objects.filter(decline_reason=reason.code).exists():
        raise Refused(_("Leads were declined for this reason, so it stays. Close it instead: then nobody chooses it."))
    _must_leave_one(reason)
    events.record(EventKind.REASON_CHANGED, subject=reason, by=by, at=at, old={"name": str(reason)}, new={})
    DeclineReason.objects.filter(pk=reason.pk).delete()


@transaction.atomic
def save_alternative(
    *,
    kind: AlternativeKind | str,
    name: str,
    url: str = "",
    content: Content | None = None,
    text_en: str = "",
    text_nl: str = "",
    is_active: bool = True,
    alternative: Alternative | None = None,
    by: User,
    at: datetime,
) -> Alternative:
    """The alternative can be offered so (a new one without `alternative`). Refuses one without a name or with the name of another, a kind that is
    none, a piece of content on something else, and a text with a placeholder that does not exist."""
    if kind not in AlternativeKind.values:
        raise Refused(_("Choose what kind of alternative it is."))
    if content is not None and kind != AlternativeKind.CONTENT:
        raise Refused(_("Only something to read or watch can be a piece of content."))
    fields = {
        "kind": kind,
        "name": _name(name, LONGEST_NAME, _("Give the alternative a name.")),
        "url": url.strip(),
        "content": content,
        "text_en": _text(text_en),
        "text_nl": _text(text_nl),
        "is_active": is_active,
    }
    try:
        with transaction.atomic():
            return _keep(alternative or Alternative(), fields, EventKind.ALTERNATIVE_CHANGED, by, at)
    except IntegrityError as clash:
        raise Refused(_("There is an alternative of this name already. Choose another name.")) from clash


@transaction.atomic
def remove_alternative(*, alternative: Alternative, by: User, at: datetime) -> None:
    """The alternative is gone. Refuses one that was ever offered, which is closed instead."""
    if Lead.objects.filter(alternative=alternative).exists():
        raise Refused(_("This was offered to somebody, so it stays. Close it instead: then nobody chooses it."))
    events.record(
        EventKind.ALTERNATIVE_CHANGED, subject=alternative, by=by, at=at, old={"name": str(alternative)}, new={}
    )
    Alternative.objects.filter(pk=alternative.pk).delete()


def _keep(row: Any, fields: dict[str, Any], kind: EventKind, by: User, at: datetime) -> Any:
    """The row has these values now; what really changed is remembered."""
    is_new = row.pk is None
    old = {} if is_new else {name: getattr(row, name) for name in fields}
    changed = {name: value for name, value in fields.items() if is_new or value != old[name]}
    if not changed:
        return row
    for name, value in changed.items():
        setattr(row, name, value)
    row.save()
    events.record(
        kind,
        subject=row,
        by=by,
        at=at,
        old={name: events.readable(old[name]) for name in changed if not is_new},
        new={name: events.readable(value) for name, value in changed.items()},
    )
    return row


def _must_leave_one(reason: DeclineReason) -> None:
    if not DeclineReason.objects.filter(is_active=True).exclude(pk=reason.pk).exists():
        raise Refused(_("This is the last reason in use. Without one nobody could decline, so add another first."))


def _code(label: str) -> str:
    """A code that no other reason has."""
    start = slugify(label).replace("-", "_")[: LONGEST_CODE - 3].strip("_") or "reason"
    taken = set(DeclineReason.objects.filter(code__startswith=start).values_list("code", flat=True))
    number, code = 2, start
    while code in taken:
        code, number = f"{start}_{number}", number + 1
    return code


def _name(text: str, longest: int, missing: str) -> str:
    name = one_line(text)
    if not name:
        raise Refused(missing)
    if len(name) > longest:
        raise Refused(_("Say it in at most %(count)s characters.") % {"count": longest})
    return name


def _text(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > wording.MOST_BODY:
        raise Refused(_("A text has at most %(most)d characters.") % {"most": wording.MOST_BODY})
    wording.check(text)
    return text
