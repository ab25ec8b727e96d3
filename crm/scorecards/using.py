"""Begin a scorecard, put a version in use, take it out of use, and make the next."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import locks
from crm.models import User
from crm.refusal import Refused
from crm.scorecards import drafts
from qualification import ready_made, versions
from qualification.models import CriterionKind, Scorecard, Side


@transaction.atomic
def begin(*, by: User, at: datetime, name: str = "", ready: str = "") -> Scorecard:
    """There is a first draft: a ready-made one in the active language, or an empty one of this name. Refuses a name that another has."""
    template = ready_made.READY.get(ready)
    if ready and template is None:
        raise Refused(_("Choose one of the ready-made scorecards."))
    name = drafts.line(_(template.name) if template else name, 100)
    if not name:
        raise Refused(_("Give the scorecard a name."))
    drafts.must_be_free(name)
    scorecard = ready_made.make(template) if template else Scorecard.objects.create(name=name, is_active=False)
    drafts.record(scorecard, "begun", by, at)
    return scorecard


@transaction.atomic
def new_version(*, scorecard: Scorecard, by: User, at: datetime) -> Scorecard:
    """There is a draft of its next version, with the same questions; the version in use stays in use. A draft that there is already is that one."""
    locks.hold("scorecard", scorecard.name)
    newest = Scorecard.objects.filter(name=scorecard.name).latest("version")
    if drafts.is_draft(newest):
        return newest
    fresh = versions.begin(scorecard)
    drafts.record(fresh, "begun", by, at, from_version=scorecard.version)
    return fresh


@transaction.atomic
def publish(*, scorecard: Scorecard, by: User, at: datetime) -> Scorecard:
    """This version is in use, and no other of its name; leads whose assessment began on another keep that. Refuses one that asks a side nothing that
    scores, since that side could never say yes."""
    scorecard = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    scoring = set(scorecard.criteria.exclude(kind=CriterionKind.TEXT).values_list("side", flat=True))
    if Side.OURS not in scoring:
        raise Refused(_("Ask at least one question that scores about whether we want them."))
    if Side.THEIRS not in scoring:
        raise Refused(_("Ask at least one question that scores about whether they want us."))
    Scorecard.objects.filter(name=scorecard.name, is_active=True).exclude(pk=scorecard.pk).update(is_active=False)
    if not scorecard.is_active:
        scorecard.is_active = True
        scorecard.save(update_fields=["is_active"])
        drafts.record(scorecard, "published", by, at)
    return scorecard


@transaction.atomic
def retire(*, scorecard: Scorecard, by: User, at: datetime) -> Scorecard:
    """No assessment begins on this version any more; those that did go on with it. Twice is once."""
    scorecard = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    if scorecard.is_active:
        scorecard.is_active = False
        scorecard.save(update_fields=["is_active"])
        drafts.record(scorecard, "retired", by, at)
    return scorecard


@transaction.atomic
def discard(*, scorecard: Scorecard, by: User, at: datetime) -> None:
    """The draft is gone, with its questions. Refuses any other version."""
    scorecard = drafts.held(scorecard.pk)
    drafts.record(scorecard, "discarded", by, at)
    scorecard.delete()
