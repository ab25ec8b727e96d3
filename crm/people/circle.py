"""Who knows whom: noted by hand, once for both."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import Acquaintance, EventKind, Person, User
from crm.refusal import Refused


@transaction.atomic
def introduce(*, person: Person, other: Person, by: User | None, at: datetime, how: str = "") -> Acquaintance:
    """These two know each other, and how; saying it again changes how. Refuses one and the same person, and a story instead of a few words."""
    how = " ".join(how.split())
    if person.pk == other.pk:
        raise Refused(_("Everybody knows themselves. Choose somebody else."))
    if len(how) > 200:
        raise Refused(_("Say how they know each other in a few words."))
    first, second = sorted((person, other), key=lambda one: one.pk)
    locks.hold("acquaintance", first.pk, second.pk)
    known = Acquaintance.objects.filter(Q(person=first, other=second) | Q(person=second, other=first)).first()
    if known is not None and (known.how == how or not how):
        return known
    if known is None:
        known = Acquaintance.objects.create(person=first, other=second, how=how, by=by, at=at)
    else:
        known.how = how
        known.save(update_fields=["how"])
    for one, friend in ((person, other), (other, person)):
        events.record(EventKind.PERSON_CHANGED, subject=one, by=by, at=at, new={"knows": _said(friend, how)})
    return known


@transaction.atomic
def forget_acquaintance(*, acquaintance: Acquaintance, by: User | None, at: datetime) -> None:
    """It is not noted any more that these two know each other. Forgetting it twice forgets it once."""
    one, other, how = acquaintance.person, acquaintance.other, acquaintance.how
    if Acquaintance.objects.filter(pk=acquaintance.pk).delete()[0]:
        for who, friend in ((one, other), (other, one)):
            events.record(EventKind.PERSON_CHANGED, subject=who, by=by, at=at, old={"knows": _said(friend, how)})


def _said(friend: Person, how: str) -> str:
    return f"{friend} ({how})" if how else str(friend)
