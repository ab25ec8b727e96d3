"""Who may see or change a row. Fetching and permission are one call: outsiders get 404, colleagues who may read but not write get 403.

Everyone who works in the organisation reads. The owner of a row, the owner's team mates, managers and administrators write; a row without an
owner may be written by everyone, so that it finds one. This is the only module of the web that may say `.objects`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import F, Model, Q, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm import events, unsubscribing
from crm.models import (
    Acquaintance,
    Attachment,
    Attempt,
    BulkAct,
    CaptureForm,
    Content,
    Conversation,
    Deal,
    DoNotContact,
    EmailAddress,
    Event,
    Finding,
    FollowUp,
    HandOff,
    HealthReading,
    ImportRun,
    Lead,
    Mailbox,
    MailExclusion,
    MailMessage,
    MailTemplate,
    Merge,
    Mergeable,
    Organisation,
    OutgoingMail,
    Person,
    PhoneNumber,
    Pipeline,
    Position,
    PossibleDuplicate,
    Promise,
    Referral,
    Register,
    RegisterEntry,
    Role,
    SavedView,
    Stage,
    Team,
    User,
)
from crm.models.advocacy import ReferralQuerySet
from crm.models.conversations import PromiseQuerySet
from crm.models.deals import DealQuerySet
from crm.models.do_not_contact import DoNotContactQuerySet
from crm.models.events import EventQuerySet
from crm.models.follow_ups import FollowUpQuerySet
from crm.models.health import FindingQuerySet
from crm.models.leads import HandOffQuerySet, LeadQuerySet
from crm.models.merges import PossibleDuplicateQuerySet
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


class MergedAway(Http404):
    """The row became part of another: whoever reads is led there, whoever writes is told."""

    def __init__(self, kind: Mergeable, gone: int, kept: int) -> None:
        super().__init__(f"{kind} {gone} is part of {kept}")
        self.kind, self.gone, self.kept = kind, gone, kept


def _row(request: Request, rows: QuerySet[M], pk: int, write: bool, owner: Callable[[M], User | None]) -> M:
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


def lead(request: Request, pk: int, *, write: bool = False) -> Lead:
    return _row(request, Lead.objects.for_page(), pk, write, lambda row: row.owner)


def hand_off(request: Request, pk: int, *, write: bool = False) -> HandOff:
    """Written (accepted, rejected) by whom it is offered to, their team mates and managers."""
    return _row(request, HandOff.objects.for_page(), pk, write, lambda row: row.to_user)


def deal(request: Request, pk: int, *, write: bool = False) -> Deal:
    return _row(request, Deal.objects.for_page(), pk, write, lambda row: row.owner)


def person(request: Request, pk: int, *, write: bool = False) -> Person:
    return _row(
        request,
        Person.objects.select_related("owner", "introduced_by", "advocate", "last_contact__by", "last_reply__by"),
        pk,
        write,
        lambda row: row.owner,
    )


def organisation(request: Request, pk: int, *, write: bool = False) -> Organisation:
    return _row(request, Organisation.objects.for_page(), pk, write, lambda row: row.owner)


def conversation(request: Request, pk: int, *, write: bool = False) -> Conversation:
    """One that somebody keeps private may be changed by nobody else; a screen shows others that it was, and not what was said."""
    rows = Conversation.objects.select_related("by", "lead", "deal", "organisation", "private_to")
    row = _row(request, rows, pk, write, lambda row: row.by)
    if write and not row.is_open_to(request.user):
        raise PermissionDenied(
            _("%(name)s keeps this conversation private, so only they can change it.") % {"name": row.private_to}
        )
    return row


def attempt(request: Request, pk: int, *, write: bool = False) -> Attempt:
    return _row(
        request, Attempt.objects.select_related("person__owner", "lead", "deal", "by"), pk, write, lambda row: row.by
    )


def history(row: Model) -> EventQuerySet:
    """What happened to this row itself, newest first."""
    return Event.objects.filter(subject_kind=events.SUBJECTS[type(row)], subject_id=row.pk).for_timeline()


def promise(request: Request, pk: int, *, write: bool = False) -> Promise:
    return _row(
        request, Promise.objects.select_related("person", "owner", "lead", "deal"), pk, write, lambda row: row.owner
    )


def follow_up(request: Request, pk: int, *, write: bool = False) -> FollowUp:
    return _row(request, FollowUp.objects.for_today(), pk, write, lambda row: row.owner)


def referral(request: Request, pk: int, *, write: bool = False) -> Referral:
    return _row(request, Referral.objects.for_page(), pk, write, lambda row: row.owner)


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


def saved_views(request: Request) -> QuerySet[SavedView]:
    """Their own, and what others share."""
    return SavedView.objects.filter(Q(owner=request.user) | Q(is_shared=True)).select_related("owner")


def bulk_acts(request: Request) -> QuerySet[BulkAct]:
    """What they did themselves; everybody's for those who lead."""
    rows = BulkAct.objects.select_related("by").defer("changes")
    return rows if request.user.is_leading else rows.filter(by=request.user)


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


def deal_owners(deal: Deal) -> QuerySet[User]:
    """Those who may be chosen as its owner: the sellers, and the present one whatever they are."""
    sells = Q(is_active=True, role__in=(Role.ACCOUNT_MANAGER, Role.MANAGER))
    return everyone().filter(sells | Q(pk=deal.owner_id))


def email_address(request: Request, pk: int) -> EmailAddress:
    """To be changed by who may write its person."""
    return _row(request, EmailAddress.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def phone_number(request: Request, pk: int) -> PhoneNumber:
    """To be changed by who may write its person."""
    return _row(request, PhoneNumber.objects.select_related("person__owner"), pk, True, lambda row: row.person.owner)


def phone_numbers() -> QuerySet[PhoneNumber]:
    return PhoneNumber.objects.all()


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


def possible_duplicate(pk: int) -> PossibleDuplicate:
    """Whether both of the two may be written is asked of their rows."""
    return get_object_or_404(PossibleDuplicate.objects.select_related("dismissed_by"), pk=pk)


def possible_duplicates(user: User | None = None) -> PossibleDuplicateQuerySet:
    """Those that wait; with a user those of which this user owns at least one."""
    rows = PossibleDuplicate.objects.waiting()
    if user is None:
        return rows
    people, organisations = (
        Person.objects.filter(owner=user).values("pk"),
        Organisation.objects.filter(owner=user).values("pk"),
    )
    return rows.filter(
        Q(kind=Mergeable.PERSON) & (Q(first_id__in=people) | Q(second_id__in=people))
        | Q(kind=Mergeable.ORGANISATION) & (Q(first_id__in=organisations) | Q(second_id__in=organisations))
    )


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


def merges() -> QuerySet[Merge]:
    return Merge.objects.select_related("by", "undone_by").defer("gone", "moved", "dropped", "changed")


def acquaintances(person: Person) -> QuerySet[Acquaintance]:
    """Those whom this person is noted to know, from either side. Changed by who may write the person on whose page it is done."""
    known = Acquaintance.objects.filter(Q(person=person) | Q(other=person))
    return known.select_related("person", "other").order_by("at", "id")


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


def people_to_write() -> PersonQuerySet:
    """With what a mail to them asks: their addresses, and who owns them."""
    return Person.objects.select_related("owner__team").prefetch_related("email_addresses")


def workplaces(people: list[Person]) -> dict[int, str]:
    """Where each of them works now, by their keys."""
    jobs = Position.objects.current().filter(person__in=people).select_related("organisation")
    return {job.person_id: str(job.organisation) for job in reversed(jobs)}


def mail_message(request: Request, pk: int) -> MailMessage:
    """A message that was taken in; one whose conversation is private to a colleague is a 404."""
    row = get_object_or_404(
        MailMessage.objects.select_related("conversation__by", "conversation__lead", "conversation__deal"),
        pk=pk,
        conversation__isnull=False,
    )
    if row.conversation is None or not row.conversation.is_open_to(request.user):
        raise Http404
    return row


def mail_messages(user: User) -> QuerySet[MailMessage]:
    """Those that this user may read."""
    is_open = Q(conversation__private_to=None) | Q(conversation__private_to=user)
    return MailMessage.objects.filter(is_open, conversation__isnull=False).select_related("conversation")


def attachment(request: Request, pk: int) -> Attachment:
    """A file that came with a message, for whoever may read that message."""
    row = get_object_or_404(Attachment.objects.select_related("message__conversation"), pk=pk, content__isnull=False)
    conversation = row.message.conversation
    if conversation is None or not conversation.is_open_to(request.user):
        raise Http404
    return row


def outgoing(request: Request, pk: int) -> OutgoingMail:
    """A mail of ours, to be decided on by who wrote it, their team and those who lead."""
    rows = OutgoingMail.objects.select_related("by__team", "person", "conversation")
    return _row(request, rows, pk, True, lambda row: row.by)


def sending_mailboxes(user: User) -> QuerySet[Mailbox]:
    """Through which this user's mail may go: their own first, then those that are shared."""
    rows = Mailbox.objects.filter(Q(owner=user) | Q(owner=None), is_active=True).exclude(smtp_host="")
    return rows.order_by(F("owner").asc(nulls_last=True), "address")


def mail_templates(user: User) -> QuerySet[MailTemplate]:
    """One's own and everybody's, by name."""
    return MailTemplate.objects.filter(Q(owner=user) | Q(owner=None)).order_by("name", "pk")


def mail_template(request: Request, pk: int) -> MailTemplate:
    """To be changed by its owner; everybody's by those who lead. That of a colleague is a 404."""
    row = get_object_or_404(mail_templates(request.user), pk=pk)
    if row.owner is None and not request.user.is_leading:
        raise PermissionDenied(_("Templates for everybody are kept by managers and administrators."))
    return row


def person_of_link(token: str) -> Person:
    """Whom a link to unsubscribe names; one that we never made is a 404."""
    person = unsubscribing.whose(token)
    if person is None:
        raise Http404
    return person


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


def wishes() -> DoNotContactQuerySet:
    return DoNotContact.objects.all()


def register(pk: int) -> Register:
    return get_object_or_404(Register, pk=pk)


def registers() -> QuerySet[Register]:
    return Register.objects.select_related("by")


def register_entries() -> QuerySet[RegisterEntry]:
    return RegisterEntry.objects.all()


def mailboxes(user: User) -> QuerySet[Mailbox]:
    """One's own, and for those who lead the shared ones."""
    own = Q(owner=user)
    rows = Mailbox.objects.filter(own | Q(owner=None) if user.is_leading else own)
    return rows.select_related("owner").order_by("address", "pk")


def mailbox(request: Request, pk: int) -> Mailbox:
    """For its owner alone, whoever leads: it is their mail. A shared one for those who lead."""
    row = get_object_or_404(Mailbox.objects.select_related("owner"), pk=pk)
    _must_be_mine(request.user, row.owner_id)
    return row


def messages_of(box: Mailbox) -> QuerySet[MailMessage]:
    """What was fetched from this mailbox first, without what stands in it."""
    return MailMessage.objects.filter(mailbox=box).only("key", "state", "reason", "taken_at", "mailbox")


def message_of(box: Mailbox, pk: int) -> MailMessage:
    return get_object_or_404(messages_of(box), pk=pk)


def mail_exclusions(user: User | None) -> QuerySet[MailExclusion]:
    """What stays out for this user, or for everybody."""
    return MailExclusion.objects.filter(user=user).order_by("pattern", "pk")


def mail_exclusion(request: Request, pk: int) -> MailExclusion:
    """To be lifted by whose it is; everybody's by those who lead."""
    row = get_object_or_404(MailExclusion, pk=pk)
    _must_be_mine(request.user, row.user_id)
    return row


def absence(person: Person, pk: int) -> MailMessage:
    """An absence message of this person."""
    rows = MailMessage.objects.filter(conversation__people=person, away_until__isnull=False)
    return get_object_or_404(rows.defer("raw", "text", "quoted", "html"), pk=pk)


def _must_be_mine(user: User, owner_id: int | None) -> None:
    if not (user.is_leading if owner_id is None else owner_id == user.pk):
        raise PermissionDenied
