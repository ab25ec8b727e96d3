"""Whose mail is whose: messages, what they bring, our own mails, mailboxes, templates, and what stays out."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm.models import Attachment, Mailbox, MailExclusion, MailMessage, MailTemplate, OutgoingMail, Person, User
from crm.models.outbox import OutgoingMailQuerySet
from crm.models.people import PersonQuerySet
from crm.web.access.rights import must_be_mine
from crm.web.access.rows import fetch
from crm.web.page import Request


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
    """A mail of ours, to be decided on by who wrote it, their team and those who lead; one that Kring wrote by those who lead. Nobody decides on the
    digest of a colleague."""
    rows = OutgoingMail.objects.filter(digest__isnull=True).select_related("by__team", "person", "conversation")
    row = fetch(request, rows, pk, True, lambda row: row.by)
    if row.by is None and not request.user.is_leading:
        raise PermissionDenied
    return row


def outgoing_mail() -> OutgoingMailQuerySet:
    return OutgoingMail.objects.all()


def sending_mailboxes(user: User) -> QuerySet[Mailbox]:
    """Through which this user's mail may go: their own first, then those that are shared."""
    rows = Mailbox.objects.filter(Q(owner=user) | Q(owner=None), is_active=True).exclude(smtp_host="")
    return rows.order_by(F("owner").asc(nulls_last=True), "address")


def people_to_write() -> PersonQuerySet:
    """With what a mail to them asks: their addresses, and who owns them."""
    return Person.objects.select_related("owner__team").prefetch_related("email_addresses")


def mail_template(request: Request, pk: int) -> MailTemplate:
    """To be changed by its owner; everybody's by those who lead. That of a colleague is a 404."""
    row = get_object_or_404(mail_templates(request.user), pk=pk)
    if row.owner is None and not request.user.is_leading:
        raise PermissionDenied(_("Templates for everybody are kept by managers and administrators."))
    return row


def mail_templates(user: User) -> QuerySet[MailTemplate]:
    """One's own and everybody's, by name."""
    return MailTemplate.objects.filter(Q(owner=user) | Q(owner=None)).order_by("name", "pk")


def mailbox(request: Request, pk: int) -> Mailbox:
    """For its owner alone, whoever leads: it is their mail. A shared one for those who lead."""
    row = get_object_or_404(Mailbox.objects.select_related("owner"), pk=pk)
    must_be_mine(request.user, row.owner_id)
    return row


def mailboxes(user: User) -> QuerySet[Mailbox]:
    """One's own, and for those who lead the shared ones."""
    own = Q(owner=user)
    rows = Mailbox.objects.filter(own | Q(owner=None) if user.is_leading else own)
    return rows.select_related("owner").order_by("address", "pk")


def message_of(box: Mailbox, pk: int) -> MailMessage:
    return get_object_or_404(messages_of(box), pk=pk)


def messages_of(box: Mailbox) -> QuerySet[MailMessage]:
    """What was fetched from this mailbox first, without what stands in it."""
    return MailMessage.objects.filter(mailbox=box).only("key", "state", "reason", "taken_at", "mailbox")


def mail_exclusion(request: Request, pk: int) -> MailExclusion:
    """To be lifted by whose it is; everybody's by those who lead."""
    row = get_object_or_404(MailExclusion, pk=pk)
    must_be_mine(request.user, row.user_id)
    return row


def mail_exclusions(user: User | None) -> QuerySet[MailExclusion]:
    """What stays out for this user, or for everybody."""
    return MailExclusion.objects.filter(user=user).order_by("pattern", "pk")


def absence(person: Person, pk: int) -> MailMessage:
    """An absence message of this person."""
    rows = MailMessage.objects.filter(conversation__people=person, away_until__isnull=False)
    return get_object_or_404(rows.defer("raw", "text", "quoted", "html"), pk=pk)
