"""Tell a colleague once, in their own language and by their own clock, of what somebody else did or what Kring saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm import events, notice_words, outbox
from crm.models import Notice, NoticeKind, NoticePreference, Role, User


class Ways(NamedTuple):
    """How somebody hears of a thing."""

    in_page: bool
    by_mail: bool


IN_PAGE, BOTH = Ways(in_page=True, by_mail=False), Ways(in_page=True, by_mail=True)
DEFAULTS = MappingProxyType(
    {
        # What waits for an act of theirs comes by mail, too; what is merely good to know waits in the page.
        NoticeKind.ASSIGNMENT: BOTH,
        NoticeKind.RETURNED: BOTH,
        NoticeKind.MENTION: BOTH,
        NoticeKind.HAND_OFF: BOTH,
        NoticeKind.OVERDUE: BOTH,
        NoticeKind.APPOINTMENT: BOTH,
        NoticeKind.PROMISE_KEPT: IN_PAGE,
        NoticeKind.IMPORT: IN_PAGE,
        NoticeKind.MAIL_HELD: BOTH,
        NoticeKind.RULE_FAILS: BOTH,
    }
)
"""How somebody hears of each kind who chose nothing else."""


@transaction.atomic
def tell(
    *,
    user: User,
    kind: NoticeKind,
    values: dict[str, Any],
    path: str,
    at: datetime,
    by: User | None = None,
    subject: Model | None = None,
    key: str = "",
) -> None:
    """The colleague finds it among their notices, or has a mail about it on the way, or both, as they chose for this kind of thing.

    `values` are plain: names, words, numbers and moments, as `crm.notice_words` asks for them; `by` joins them by name. `path` is the page that it
    leads to. With a `key` the same thing is told once, whatever happens between. Nobody is told of what they did themselves (`by`), and nobody who
    cannot log in.
    """
    if not user.is_active or (by is not None and by.pk == user.pk):
        return
    ways = _ways(user, kind)
    if not any(ways):
        return
    values = json.loads(json.dumps(values | {"by": str(by) if by else ""}, cls=DjangoJSONEncoder))
    if not _note(user, kind, ways, values=values, path=path, at=at, by=by, subject=subject, key=key):
        return
    if ways.by_mail and user.email:
        _mail(user, kind, values, path, at)


def tell_those_who_lead(*, about: User | None, **told: Any) -> None:
    """The managers of this colleague's team are told; where there is none, all managers, and where there is none at all, the administrators.
    `told` is what `tell` takes."""
    for user in leading(about):
        tell(user=user, **told)


def leading(about: User | None) -> Iterable[User]:
    """Who leads the work of this colleague."""
    active = list(User.objects.active().filter(role__in=(Role.MANAGER, Role.ADMIN)).order_by("name", "id"))
    managers = [user for user in active if user.role == Role.MANAGER]
    same_team = [user for user in managers if about is not None and about.team_id and user.team_id == about.team_id]
    return same_team or managers or active


def _ways(user: User, kind: NoticeKind) -> Ways:
    chosen = NoticePreference.objects.filter(user=user, kind=kind).values_list("in_page", "by_mail").first()
    return Ways(*chosen) if chosen else DEFAULTS[kind]


def _note(
    user: User,
    kind: NoticeKind,
    ways: Ways,
    *,
    values: dict[str, Any],
    path: str,
    at: datetime,
    by: User | None,
    subject: Model | None,
    key: str,
) -> bool:
    """Whether it is told for the first time. One with a key leaves a row also when it is not to be shown, so that it is known to have been told."""
    if not (ways.in_page or key):
        return True
    fields = {
        "kind": kind,
        "values": values,
        "path": path,
        "subject_kind": events.subject_kind(subject) if subject else "",
        "subject_id": subject.pk if subject else None,
        "by": by,
        "at": at,
        "is_shown": ways.in_page,
        "read_at": None if ways.in_page else at,
    }
    if not key:
        Notice.objects.create(user=user, **fields)
        return True
    return Notice.objects.get_or_create(user=user, key=key, defaults=fields)[1]


def _mail(user: User, kind: NoticeKind, values: dict[str, Any], path: str, at: datetime) -> None:
    assert user.email
    with translation.override(user.language), timezone.override(user.zone):
        words = notice_words.words(kind, values, at)
        foot = _("You get this mail because it is your work in Kring.")
    body = "\n\n".join(filter(None, [words.text.strip(), f"{settings.SITE_URL}{path}", f"-- \n{foot}"]))
    outbox.put(to=user.email, subject=words.title, body=body, by=None, at=at)
