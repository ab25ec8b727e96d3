"""A draft is a version that is not in use and by which nobody was assessed; only a draft is edited. What its verbs share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, User
from crm.notation import one_line
from crm.refusal import Refused
from qualification import versions
from qualification.models import Scorecard


def is_draft(scorecard: Scorecard) -> bool:
    """Whether it may be edited: not in use, and nobody was assessed by it."""
    return not scorecard.is_active and not versions.is_used(scorecard)


def held(pk: int) -> Scorecard:
    """The draft as it is now, held: no assessment begins on it until the transaction ends."""
    scorecard = Scorecard.objects.select_for_update().filter(pk=pk).first()
    if scorecard is None:
        raise Refused(_("This version is not there any more."))
    if scorecard.is_active:
        raise Refused(_("This version is in use. Make a new version, and edit that."))
    if versions.is_used(scorecard):
        raise Refused(_("Leads were assessed by this version and keep it. Make a new version, and edit that."))
    return scorecard


def must_be_free(name: str) -> None:
    """Held, so that two who choose the same name at once do not both get it."""
    locks.hold("scorecard", name)
    if Scorecard.objects.filter(name=name).exists():
        raise Refused(_("There is a scorecard of this name already. Make a new version of it, or choose another name."))


def line(text: str, most: int) -> str:
    """The words on one line. Refuses more than can be kept."""
    kept = one_line(text)
    if len(kept) > most:
        raise Refused(_("“%(start)s…” is too long: at most %(most)d characters.") % {"start": kept[:30], "most": most})
    return kept


def record(
    scorecard: Scorecard, act: str, by: User, at: datetime, old: dict[str, Any] | None = None, **new: Any
) -> None:
    """The event stands on the scorecard, with what was done to it."""
    events.record(
        EventKind.SCORECARD_CHANGED,
        subject=scorecard,
        by=by,
        at=at,
        old=old,
        new={"act": act, "scorecard": str(scorecard), **new},
    )
