"""What colleagues do with their notices: read one, read all, and choose how they like to hear of each kind. The oldest go by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from crm.models import Notice, NoticeKind, NoticePreference, User
from crm.notices.telling import DEFAULTS, Ways

KEPT = timedelta(days=90)


def read(*, notice: Notice, at: datetime) -> None:
    """The notice is read. Reading it again changes nothing."""
    Notice.objects.unread().filter(pk=notice.pk).update(read_at=at)


def read_all(*, user: User, up_to: int | None = None, at: datetime) -> int:
    """Every notice of theirs is read; with `up_to`, each that came no later than the one with that key, so that what arrived while they looked stays
    unread. How many there were."""
    rows = Notice.objects.unread().filter(user=user)
    return (rows if up_to is None else rows.filter(pk__lte=up_to)).update(read_at=at)


def chosen(user: User) -> dict[NoticeKind, Ways]:
    """How they hear of each kind: as they chose, else by default."""
    rows = NoticePreference.objects.filter(user=user).values_list("kind", "in_page", "by_mail")
    return {**DEFAULTS, **{NoticeKind(kind): Ways(in_page, by_mail) for kind, in_page, by_mail in rows}}


@transaction.atomic
def choose(*, user: User, ways: Mapping[NoticeKind, Ways]) -> None:
    """From now on they hear of these kinds so. What is as it is by default leaves no row, and follows the default when that changes."""
    NoticePreference.objects.filter(user=user, kind__in=ways).delete()
    NoticePreference.objects.bulk_create(
        [
            NoticePreference(user=user, kind=kind, in_page=way.in_page, by_mail=way.by_mail)
            for kind, way in ways.items()
            if way != DEFAULTS[kind]
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["in_page", "by_mail"],
    )


def forget_old(*, at: datetime) -> int:
    """What was told three months ago is gone; how many were."""
    return Notice.objects.filter(at__lt=at - KEPT).delete()[0]
