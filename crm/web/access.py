"""Who may see or change a row. Fetching and permission are one call: outsiders get 404, colleagues who may read but not write get 403.

Everyone who works in the organisation reads. The owner of a row, the owner's team mates, managers and administrators write; a row without an
owner may be written by everyone, so that it finds one. This is the only module of the web that may say `.objects`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm.models import (
    CaptureForm,
    Content,
    Conversation,
    Deal,
    EmailAddress,
    Finding,
    FollowUp,
    HandOff,
    HealthReading,
    ImportRun,
    Lead,
    Organisation,
    OutgoingMail,
    Person,
    PhoneNumber,
    Pipeline,
    Position,
    Promise,
    Referral,
    Role,
    Stage,
    Team,
    User,
)
from crm.models.advocacy import ReferralQuerySet
from crm.models.conversations import PromiseQuerySet
from crm.models.deals import DealQuerySet
from crm.models.follow_ups import FollowUpQuerySet
from crm.models.health import FindingQuerySet
from crm.models.leads import HandOffQuerySet, LeadQuerySet
from crm.models.organisations import OrganisationQuerySet
from crm.models.outbox import OutgoingMailQuerySet
from crm.models.people import PersonQuerySet, PositionQuerySet
from crm.web.page import Request
from qualification.models import Criterion, Scorecard

M = TypeVar("M", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])
View = Callable[..., HttpResponseBase]


def may_write(user: User, owner: User | None) -> bool:
    """Whether `user` may change what `owner` owns. Reads `owner.team_id`."""
    if user.is_leading or owner is None or owner.pk == user.pk:
        return True
    return user.team_id is not None and user.team_id == owner.team_id


def writable(user: User, rows: Rows) -> Rows:
    """Those of `rows` (of a noun with an owner) that `user` may change: the same rule, as a selection."""
    if user.is_leading:
        return rows
    mine = Q(owner=user) | Q(owner=None)
    return rows.filter(mine | Q(owner__team=user.team_id) if user.team_id else mine)


def must_write(user: User, owner: User | None) -> None:
    if not may_write(user, owner):
        raise PermissionDenied


def roles(*allowed: Role, refusal: Any = "") -> Callable[[View], View]:
    """A view for these roles only; others get 403, with the sentence that says why."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.role not in allowed:
                raise PermissionDenied(refusal)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


leading_only = roles(
    Role.MANAGER,
    Role.ADMIN,
    refusal=_("This part of Kring is for managers and administrators. Ask one of them for what you need."),
)
admin_only = roles(
    Role.ADMIN, refusal=_("This part of Kring is for administrators. Ask one of them for what you need.")
)


def _row(request: Request, rows: QuerySet[M], pk: int, write: bool, owner: Callable[[M], User | None]) -> M:
    row = get_object_or_404(rows, pk=pk)
    if write:
        must_write(request.user, owner(row))
    return row


def lead(request: Request, pk: int, *, write: bool = False) -> Lead:
    return _row(request, Lead.objects.for_page(), pk, write, lambda row: row.owner)


def hand_off(request: Request, pk: int, *, write: bool = False) -> HandOff:
    """Written (accepted, rejected) by whom it is offered to, their team mates and managers."""
    return _row(request, HandOff.objects.for_page(), pk, write, lambda row: row.to_user)


def deal(request: Request, pk: int, *, write: bool = False) -> Deal:
    return _row(request, Deal.objects.for_page(), pk, write, lambda row: row.owner)


def person(request: Request, pk: int, *, write: bool = False) -> Person:
    return _row(
        request, Person.objects.select_related("owner", "introduced_by", "advocate"), pk, write, lambda row: row.owner
    )


def organisation(request: Request, pk: int, *, write: bool = False) -> Organisation:
    return _row(request, Organisation.objects.for_page(), pk, write, lambda row: row.owner)


def conversation(request: Request, pk: int, *, write: bool = False) -> Conversation:
    return _row(
        request,
        Conversation.objects.select_related("by", "lead", "deal", "organisation"),
        pk,
        write,
        lambda row: row.by,
    )


def promise(request: Request, pk: int, *, write: bool = False) -> Promise:
    return _row(
        request, Promise.objects.select_related("person", "owner", "lead", "deal"), pk, write, lambda row: row.owner
    )


def follow_up(request: Request, pk: int, *, write: bool = False) -> FollowUp:
    return _row(request, FollowUp.objects.for_today(), pk, write, lambda row: row.owner)


def referral(request: Request, pk: int, *, write: bool = False) -> Referral:
    return _row(request, Referral.objects.for_page(), pk, write, lambda row: row.owner)


def import_run(request: Request, pk: int) -> ImportRun:
    """Imports are for managers and administrators; the views say so."""
    return get_object_or_404(ImportRun.objects.defer("content").select_related("by"), pk=pk)


def capture_form(slug: str) -> CaptureForm:
    """A public form that is open; a closed or unknown one is a 404 for everybody."""
    return get_object_or_404(
        CaptureForm.objects.select_related("content", "owner", "owner__team"), slug=slug, is_active=True
    )


def stage(pk: int) -> Stage:
    return get_object_or_404(Stage.objects.select_related("pipeline"), pk=pk)


def criterion(pk: int) -> Criterion:
    return get_object_or_404(Criterion.objects.select_related("scorecard"), pk=pk)


# Selections: every colleague reads, so they begin with all rows; a screen narrows them with the words of the QuerySet.


def leads() -> LeadQuerySet:
    return Lead.objects.all()


def hand_offs() -> HandOffQuerySet:
    return HandOff.objects.all()


def deals() -> DealQuerySet:
    return Deal.objects.all()


def people() -> PersonQuerySet:
    return Person.objects.all()


def positions() -> PositionQuerySet:
    return Position.objects.all()


def organisations() -> OrganisationQuerySet:
    return Organisation.objects.all()


def promises() -> PromiseQuerySet:
    return Promise.objects.all()


def follow_ups() -> FollowUpQuerySet:
    return FollowUp.objects.all()


def referrals() -> ReferralQuerySet:
    return Referral.objects.all()


def findings() -> FindingQuerySet:
    return Finding.objects.all()


def readings() -> QuerySet[HealthReading]:
    return HealthReading.objects.all()


def imports() -> QuerySet[ImportRun]:
    return ImportRun.objects.defer("content").select_related("by")


def scorecards() -> QuerySet[Scorecard]:
    """The newest version of each that is in use."""
    return Scorecard.objects.current()


def contents() -> QuerySet[Content]:
    return Content.objects.all()


def pipelines() -> QuerySet[Pipeline]:
    return Pipeline.objects.all()


def stages() -> QuerySet[Stage]:
    return Stage.objects.select_related("pipeline")


def teams() -> QuerySet[Team]:
    return Team.objects.all()


def users() -> QuerySet[User]:
    return User.objects.active().select_related("team").order_by("name", "id")


def everyone() -> QuerySet[User]:
    """Those who have left or cannot log in included: their names stand on what they did."""
    return User.objects.select_related("team").order_by("name", "id")


def sellers() -> QuerySet[User]:
    """Those who may own a deal."""
    return users().filter(role__in=(Role.ACCOUNT_MANAGER, Role.MANAGER))


def email_address(request: Request, pk: int) -> EmailAddress:
    """To be changed by who may write its person."""
    return _row(request, EmailAddress.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def phone_number(request: Request, pk: int) -> PhoneNumber:
    """To be changed by who may write its person."""
    return _row(request, PhoneNumber.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def position(request: Request, pk: int) -> Position:
    """To be changed by who may write its person."""
    return _row(
        request,
        Position.objects.select_related("person__owner", "organisation"),
        pk,
        True,
        lambda row: row.person.owner,
    )


def capture_forms() -> QuerySet[CaptureForm]:
    return CaptureForm.objects.select_related("owner", "content")


def outgoing_mail() -> OutgoingMailQuerySet:
    return OutgoingMail.objects.all()


def people_at(organisation: Organisation | None) -> PersonQuerySet:
    """Those who hold a position there now, by name."""
    jobs = Position.objects.current().filter(organisation=organisation).order_by()
    return Person.objects.filter(pk__in=jobs.values("person")).order_by("family_name", "given_name", "id")


def people_around(person: Person | None, organisation: Organisation | None) -> PersonQuerySet:
    """This person, and those who hold a position at the organisation now, by name."""
    rows = Person.objects.filter(pk=person.pk) if person else Person.objects.none()
    if organisation is not None:
        rows = rows | Person.objects.filter(pk__in=people_at(organisation).order_by().values("pk"))
    return rows.order_by("family_name", "given_name", "id")


def is_around(person: Person, source: Lead | Deal | None) -> bool:
    """Whether this person belongs to the lead or deal: it is about them, or they work at its organisation."""
    return source is not None and people_around(source.person, source.organisation).filter(pk=person.pk).exists()


def account_managers() -> QuerySet[User]:
    return User.objects.account_managers().select_related("team")
