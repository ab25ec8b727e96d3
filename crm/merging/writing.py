"""Let one row become part of another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm import conversations, duplicates, events, locks
from crm.merging import fields, relations, rows
from crm.merging.relations import Log
from crm.models import (
    Acquaintance,
    EmailAddress,
    EventKind,
    Merge,
    Mergeable,
    Organisation,
    Person,
    PhoneNumber,
    Position,
    PossibleDuplicate,
    Referral,
    User,
)
from crm.refusal import Refused

MERGED = {Mergeable.PERSON: EventKind.PERSON_MERGED, Mergeable.ORGANISATION: EventKind.ORGANISATION_MERGED}


@transaction.atomic
def merge(
    *,
    keep: Person | Organisation,
    gone: Person | Organisation,
    by: User | None,
    at: datetime,
    choices: Mapping[str, str] | None = None,
) -> Merge:
    """The two are one: `keep` has of each field its own value, or that of `gone` where it had none or `choices` says so (`{"tier": "gone"}`), and
    the tags and notes of both. Everything that pointed at `gone` points at it, `gone` is no more, its key leads here, and last contact is true.

    What both had (an address, a job, an open follow-up) is there once; what would say that somebody knows themselves goes. Refuses two rows that
    are one already, two of different kinds, and to do this while a file is taken in.
    """
    kind = kind_of(keep)
    if kind_of(gone) is not kind or keep.pk == gone.pk:
        raise Refused(_("Choose two that are not the same row already."))
    may_begin()
    keep, gone = _held(kind, keep.pk, gone.pk)
    gone_columns, kept_before = rows.columns_of(type(gone), gone.pk), rows.columns_of(type(keep), keep.pk)
    assert gone_columns is not None
    assert kept_before is not None
    values = fields.chosen(keep, gone, choices or {})
    if isinstance(keep, Person) and not (values["given_name"] or values["family_name"]):
        raise Refused(_("A person needs a name."))

    log = Log()
    _unique_ones_later(keep, values)
    if isinstance(keep, Person):
        _prepare_person(keep.pk, gone.pk, log)
    else:
        _prepare_organisation(keep.pk, gone.pk, log)
    _pairs(kind, keep.pk, gone.pk, log)
    for link in relations.links(type(keep), kind):
        relations.move(link, gone=gone.pk, keep=keep.pk, log=log)
    going = type(gone)._base_manager.filter(pk=gone.pk)
    going._raw_delete(going.db)
    type(keep)._base_manager.filter(pk=keep.pk).update(
        **{name: values[name] for name in fields.PASSED_ON & values.keys()}
    )
    kept_after = rows.columns_of(type(keep), keep.pk)
    assert kept_after is not None
    made = Merge.objects.create(
        kind=kind,
        gone_id=gone.pk,
        kept_id=keep.pk,
        gone_name=str(gone)[:240],
        gone_external_id=gone.external_id,
        gone=gone_columns,
        moved=log.moved,
        dropped=log.rows,
        changed={
            name: [before, kept_after[name]] for name, before in kept_before.items() if before != kept_after[name]
        },
        at=at,
        by=by,
    )
    look_again(kind, [keep.pk], at)
    keep.refresh_from_db()
    events.record(MERGED[kind], subject=keep, by=by, at=at, new={"name": str(gone), "id": gone.pk, "merge": made.pk})
    return made


@transaction.atomic
def gather() -> None:
    """What was written at the very moment of a merge, where the database watches no link, points at the row that stayed."""
    for kind, model in rows.MODELS.items():
        gone = Merge.objects.standing().filter(kind=kind).values("gone_id")
        for link in relations.links(model, kind):
            if link.is_watched:
                continue
            of_kind = {"subject_kind": link.kind} if link.kind else {}
            stray = link.model._base_manager.filter(**{f"{link.name}__in": gone}, **of_kind)
            for pk, key in stray.values_list("pk", link.name):
                relations.point(link, [pk], Merge.objects.stayed(kind, key) or key)


def kind_of(row: Person | Organisation) -> Mergeable:
    return Mergeable.PERSON if isinstance(row, Person) else Mergeable.ORGANISATION


def may_begin() -> None:
    """Refuses while an import runs: it has looked up its people already, and would write for one who is gone by then."""
    if not locks.share_if_free("imports"):
        raise Refused(_("A file is being taken in just now. Please try again when that is done."))


def look_again(kind: Mergeable, keys: list[int], at: datetime) -> None:
    """Last contact and the possible duplicates of these rows are what the other rows say."""
    if kind == Mergeable.PERSON:
        conversations.recompute(people=keys)
        duplicates.look(people=keys, at=at)
    else:
        conversations.recompute(organisations=keys)
        duplicates.look(organisations=keys, at=at)


def _held(kind: Mergeable, keep: int, gone: int) -> tuple[Any, Any]:
    """Both as they are now; until the end of the transaction nobody adds anything that points at them. Locked in the order of their keys."""
    found = {
        row.pk: row
        for row in rows.MODELS[kind]._base_manager.select_for_update().filter(pk__in=(keep, gone)).order_by("pk")
    }
    if len(found) != 2:
        raise Refused(_("One of the two is not here any more: somebody merged it meanwhile. Look at the page again."))
    return found[keep], found[gone]


def _unique_ones_later(keep: Person | Organisation, values: dict[str, Any]) -> None:
    now = {name: value for name, value in values.items() if name not in fields.PASSED_ON}
    type(keep)._base_manager.filter(pk=keep.pk).update(**now)


# ---- What people and organisations ask for before everything else moves -----------------------------------------------


def _prepare_person(keep: int, gone: int, log: Log) -> None:
    for model, name in ((EmailAddress, "address"), (PhoneNumber, "number")):
        has_preferred = model._default_manager.filter(person=keep, is_preferred=True).exists()
        mine = {getattr(point, name): point for point in model._default_manager.filter(person=keep)}
        for point in model._default_manager.filter(person=gone).order_by("pk"):
            same = mine.get(getattr(point, name))
            if same is not None and point.is_confirmed and not same.is_confirmed:
                log.change(model, same.pk, is_confirmed=True)
            if point.is_preferred and has_preferred and same is None:
                log.change(model, point.pk, is_preferred=False)
            elif point.is_preferred and same is not None and not has_preferred:
                log.change(model, same.pk, is_preferred=True)
    jobs = {job.organisation_id: job for job in Position.objects.current().filter(person=keep)}
    _jobs({job.organisation_id: job for job in Position.objects.current().filter(person=gone)}, jobs, log)
    if any(job.is_main for job in jobs.values()):
        for job in Position.objects.current().filter(person=gone, is_main=True):
            if job.organisation_id not in jobs:
                log.change(Position, job.pk, is_main=False)
    for known in Acquaintance.objects.filter(Q(person=gone) | Q(other=gone)):
        friend = known.other_id if known.person_id == gone else known.person_id
        if (
            friend == keep
            or Acquaintance.objects.filter(Q(person=keep, other=friend) | Q(person=friend, other=keep)).exists()
        ):
            log.drop(Acquaintance, known.pk)
    # Who recommends themselves recommends nobody; one that has come no further may still be about somebody else.
    between = Referral.objects.filter(Q(referrer=keep, introduced=gone) | Q(referrer=gone, introduced=keep))
    for referral in between.filter(introduced_at__isnull=True):
        log.change(Referral, referral.pk, introduced=None)


def _prepare_organisation(keep: int, gone: int, log: Log) -> None:
    mine = {job.person_id: job for job in Position.objects.filter(organisation=keep, ended_on__isnull=True)}
    _jobs({job.person_id: job for job in Position.objects.filter(organisation=gone, ended_on__isnull=True)}, mine, log)


def _jobs(gone: dict[int, Position], keep: dict[int, Position], log: Log) -> None:
    """A job that both rows have stands once, with what either says of it."""
    for key, job in gone.items():
        same = keep.get(key)
        if same is None:
            continue
        values: dict[str, Any] = {}
        if job.title and not same.title:
            values["title"] = job.title
        if job.started_on and (same.started_on is None or job.started_on < same.started_on):
            values["started_on"] = job.started_on
        if job.is_main and not same.is_main and not any(other.is_main for other in keep.values()):
            values["is_main"] = True
        if values:
            log.change(Position, same.pk, **values)
        log.drop(Position, job.pk)


def _pairs(kind: Mergeable, keep: int, gone: int, log: Log) -> None:
    """What was said not to be the same as the row that goes is not the same as the one that stays either."""
    for pair in PossibleDuplicate.objects.filter(Q(first_id=gone) | Q(second_id=gone), kind=kind).order_by("pk"):
        other = pair.second_id if pair.first_id == gone else pair.first_id
        log.drop(PossibleDuplicate, pair.pk)
        if pair.dismissed_at is None or other == keep:
            continue
        said = {"dismissed_at": pair.dismissed_at, "dismissed_by_id": pair.dismissed_by_id}
        first, second = sorted((keep, other))
        known = PossibleDuplicate.objects.filter(kind=kind, first_id=first, second_id=second).first()
        if known is None:
            log.add(
                PossibleDuplicate(
                    kind=kind,
                    first_id=first,
                    second_id=second,
                    reasons=pair.reasons,
                    likeness=pair.likeness,
                    found_at=pair.found_at,
                    **said,
                )
            )
        elif known.dismissed_at is None:
            log.change(PossibleDuplicate, known.pk, **said)
