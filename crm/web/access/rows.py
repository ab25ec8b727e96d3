"""One row with its permission: outsiders get 404, colleagues who may read but not write get 403."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm import submissions, unsubscribing
from crm.models import (
    Alternative,
    Attempt,
    BulkAct,
    CaptureForm,
    Content,
    Conversation,
    Deal,
    DeclineReason,
    DoNotContact,
    EmailAddress,
    FollowUp,
    FormField,
    FormSubmission,
    HandOff,
    ImportRun,
    InboundHook,
    Lead,
    Merge,
    Mergeable,
    Organisation,
    Person,
    PhoneNumber,
    Position,
    PossibleDuplicate,
    Promise,
    Referral,
    Register,
    SavedView,
    Stage,
    User,
)
from crm.web.access.rights import must_write, writable
from crm.web.access.selections import saved_views
from crm.web.page import Request
from qualification.models import Criterion, Scorecard

M = TypeVar("M", bound=Model)


class MergedAway(Http404):
    """The row became part of another: whoever reads is led there, whoever writes is told."""

    def __init__(self, kind: Mergeable, gone: int, kept: int) -> None:
        super().__init__(f"{kind} {gone} is part of {kept}")
        self.kind, self.gone, self.kept = kind, gone, kept


def fetch(request: Request, rows: QuerySet[M], pk: int, write: bool, owner: Callable[[M], User | None]) -> M:
    """This row, as every function here finds it; with `write` only for who may change what `owner` of it owns."""
    try:
        row = get_object_or_404(rows, pk=pk)
    except Http404:
        kinds: dict[Any, Mergeable] = {Person: Mergeable.PERSON, Organisation: Mergeable.ORGANISATION}
        kind = kinds.get(rows.model)
        if kind is not None and (kept := Merge.objects.stayed(kind, pk)):
            raise MergedAway(kind, pk, kept) from None
        raise
    if write:
        must_write(request.user, owner(row))
    return row


def person(request: Request, pk: int, *, write: bool = False) -> Person:
    return fetch(
        request,
        Person.objects.select_related("owner", "introduced_by", "advocate", "last_contact__by", "last_reply__by"),
        pk,
        write,
        lambda row: row.owner,
    )


def organisation(request: Request, pk: int, *, write: bool = False) -> Organisation:
    return fetch(request, Organisation.objects.for_page(), pk, write, lambda row: row.owner)


def position(request: Request, pk: int) -> Position:
    """To be changed by who may write its person."""
    return fetch(
        request,
        Position.objects.select_related("person__owner", "organisation"),
        pk,
        True,
        lambda row: row.person.owner,
    )


def email_address(request: Request, pk: int) -> EmailAddress:
    """To be changed by who may write its person."""
    return fetch(request, EmailAddress.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def phone_number(request: Request, pk: int) -> PhoneNumber:
    """To be changed by who may write its person."""
    return fetch(request, PhoneNumber.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def person_of_link(token: str) -> Person:
    """Whom a link to unsubscribe names; one that we never made is a 404."""
    person = unsubscribing.whose(token)
    if person is None:
        raise Http404
    return person


def lead(request: Request, pk: int, *, write: bool = False) -> Lead:
    return fetch(request, Lead.objects.for_page(), pk, write, lambda row: row.owner)


def hand_off(request: Request, pk: int, *, write: bool = False) -> HandOff:
    """Written (accepted, rejected) by whom it is offered to, their team mates and managers."""
    return fetch(request, HandOff.objects.for_page(), pk, write, lambda row: row.to_user)


def given_hand_off(request: Request, pk: int) -> HandOff:
    """To be answered for by whoever gave it, their team mates and those who lead."""
    return fetch(request, HandOff.objects.for_page(), pk, True, lambda row: row.from_user)


def deal(request: Request, pk: int, *, write: bool = False) -> Deal:
    return fetch(request, Deal.objects.for_page(), pk, write, lambda row: row.owner)


def conversation(request: Request, pk: int, *, write: bool = False) -> Conversation:
    """One that somebody keeps private may be changed by nobody else; a screen shows others that it was, and not what was said."""
    rows = Conversation.objects.select_related("by", "lead", "deal", "organisation", "private_to")
    row = fetch(request, rows, pk, write, lambda row: row.by)
    if write and not row.is_open_to(request.user):
        raise PermissionDenied(
            _("%(name)s keeps this conversation private, so only they can change it.") % {"name": row.private_to}
        )
    return row


def attempt(request: Request, pk: int, *, write: bool = False) -> Attempt:
    return fetch(
        request, Attempt.objects.select_related("person__owner", "lead", "deal", "by"), pk, write, lambda row: row.by
    )


def promise(request: Request, pk: int, *, write: bool = False) -> Promise:
    return fetch(
        request, Promise.objects.select_related("person", "owner", "lead", "deal"), pk, write, lambda row: row.owner
    )


def follow_up(request: Request, pk: int, *, write: bool = False) -> FollowUp:
    """Written by who does it, and by whose work it is when they do it in the place of another."""
    row = fetch(request, FollowUp.objects.for_today(), pk, False, lambda row: row.owner)
    if write and row.on_behalf_of != request.user:
        must_write(request.user, row.owner)
    return row


def referral(request: Request, pk: int, *, write: bool = False) -> Referral:
    return fetch(request, Referral.objects.for_page(), pk, write, lambda row: row.owner)


def saved_view(request: Request, pk: int, *, write: bool = False) -> SavedView:
    """Written by its owner alone. A private one of somebody else is not there, whoever asks."""
    row = get_object_or_404(saved_views(request), pk=pk)
    if write and row.owner_id != request.user.pk:
        raise PermissionDenied
    return row


def bulk_act(request: Request, pk: int) -> BulkAct:
    """To be taken back by who did it and by those who lead."""
    row = get_object_or_404(BulkAct.objects.select_related("by"), pk=pk)
    if row.by_id != request.user.pk and not request.user.is_leading:
        raise PermissionDenied
    return row


def import_run(request: Request, pk: int) -> ImportRun:
    """Imports are for managers and administrators; the views say so."""
    return get_object_or_404(ImportRun.objects.defer("content").select_related("by"), pk=pk)


def capture_form(slug: str) -> CaptureForm:
    """A public form that is open; a closed or unknown one is a 404 for everybody."""
    return get_object_or_404(
        CaptureForm.objects.select_related("content", "owner", "owner__team", "team").prefetch_related("texts"),
        slug=slug,
        is_active=True,
    )


def form_to_edit(pk: int) -> CaptureForm:
    """Forms are set up by administrators; the views say so."""
    return get_object_or_404(
        CaptureForm.objects.select_related("content", "owner", "team").prefetch_related("texts"), pk=pk
    )


def form_field(pk: int) -> FormField:
    return get_object_or_404(FormField.objects.select_related("form"), pk=pk)


def submission(pk: int) -> FormSubmission:
    """What somebody sent by a form. Refused ones are looked at by those who lead; the views say so."""
    return get_object_or_404(FormSubmission.objects.select_related("form", "lead"), pk=pk)


def submission_of_link(token: str) -> FormSubmission:
    """The one that our link to confirm names; anything else is not there."""
    found = submissions.of_token(token)
    if found is None:
        raise Http404
    return found


def content(pk: int) -> Content:
    return get_object_or_404(Content, pk=pk)


def hook(pk: int) -> InboundHook:
    """The views say that webhooks are for administrators."""
    return get_object_or_404(InboundHook.objects.select_related("owner", "team"), pk=pk)


def open_hook(slug: str) -> InboundHook | None:
    """An address at which programs may post, for whoever can sign with its secret."""
    return InboundHook.objects.select_related("owner", "owner__team", "team").filter(slug=slug, is_active=True).first()


def decline_reason(pk: int) -> DeclineReason:
    return get_object_or_404(DeclineReason, pk=pk)


def alternative(pk: int) -> Alternative:
    return get_object_or_404(Alternative.objects.select_related("content"), pk=pk)


def stage(pk: int) -> Stage:
    return get_object_or_404(Stage.objects.select_related("pipeline"), pk=pk)


def scorecard(pk: int) -> Scorecard:
    """Any version; the views say that scorecards are for those who lead."""
    return get_object_or_404(Scorecard, pk=pk)


def criterion(pk: int) -> Criterion:
    return get_object_or_404(Criterion.objects.select_related("scorecard"), pk=pk)


def possible_duplicate(pk: int) -> PossibleDuplicate:
    """Whether both of the two may be written is asked of their rows."""
    return get_object_or_404(PossibleDuplicate.objects.select_related("dismissed_by"), pk=pk)


def merge(request: Request, pk: int) -> Merge:
    """To be undone by who may write the row that stayed."""
    row = get_object_or_404(Merge, pk=pk)
    kept = (
        (Person if row.kind == Mergeable.PERSON else Organisation)
        .objects.select_related("owner")
        .filter(pk=row.kept_id)
    )
    if (stayed := kept.first()) is not None:
        must_write(request.user, stayed.owner)
    return row


def wish(request: Request, pk: int) -> DoNotContact:
    """To be lifted by who may write its person, or somebody who has its number or address; of a number that nobody has, by those who lead."""
    row = get_object_or_404(DoNotContact.objects.select_related("person__owner", "by"), pk=pk)
    if row.person is not None:
        must_write(request.user, row.person.owner)
    elif not request.user.is_leading:
        having = Person.objects.filter(
            Q(phone_numbers__number=row.number) if row.number else Q(email_addresses__address=row.address)
        )
        if not writable(request.user, having).exists():
            raise PermissionDenied
    return row


def register(pk: int) -> Register:
    return get_object_or_404(Register, pk=pk)
