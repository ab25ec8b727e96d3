"""Mail that waits to be sent. The row is the truth; the queue only nudges."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.leads import Lead
from crm.models.people import Person


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, at: datetime) -> OutgoingMailQuerySet:
        """Waiting, and its moment (the first, or the next after a failure) has come."""
        return self.waiting().filter(try_at__lte=at)

    def waiting(self) -> OutgoingMailQuerySet:
        """Neither sent, nor held back, nor cancelled."""
        return self.filter(sent_at__isnull=True, held_at__isnull=True, cancelled_at__isnull=True)

    def for_list(self) -> OutgoingMailQuerySet:
        return self.select_related("person", "by", "conversation").defer("body")


class OutgoingMail(models.Model):
    """One mail to one address. `try_at` is when to send it (again); a worker claims it by moving that moment on."""

    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="mails")
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="mails")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    deal = models.ForeignKey("crm.Deal", on_delete=models.SET_NULL, null=True, blank=True, related_name="mails")
    mailbox = models.ForeignKey(
        "crm.Mailbox",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="outgoing",
        help_text=_("Sent through its server; empty: through that of this installation."),
    )
    template = models.ForeignKey("crm.MailTemplate", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    conversation = models.OneToOneField(
        "crm.Conversation", on_delete=models.SET_NULL, null=True, blank=True, related_name="outgoing_mail"
    )
    message_id = models.CharField(max_length=255, blank=True)
    in_reply_to = models.CharField(max_length=255, blank=True)
    references = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    is_information = models.BooleanField(_("sends information"), default=False)
    is_to_several = models.BooleanField(
        _("to several"), default=False, help_text=_("Carries a way to unsubscribe with one click (RFC 8058).")
    )
    calendar = models.TextField(_("invitation"), blank=True, db_default="", help_text=_("iCalendar, as it goes along."))
    calendar_method = models.CharField(max_length=10, blank=True, db_default="")
    override = models.CharField(_("why it is sent in spite of pacing"), max_length=300, blank=True)
    held_at = models.DateTimeField(_("held back"), null=True, blank=True)
    held_why = models.CharField(_("why it was held back"), max_length=300, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    created_at = models.DateTimeField(_("written"))
    try_at = models.DateTimeField(_("to be sent at"))
    not_after = models.DateTimeField(
        _("not to be sent after"),
        null=True,
        blank=True,
        help_text=_("Such as a digest, which is worth nothing the next day."),
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    failure = models.TextField(_("what went wrong"), blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(held_at__isnull=True, held_why="")
                | (models.Q(held_at__isnull=False) & ~models.Q(held_why="")),
                name="outgoing_mail_held_with_why",
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=~models.Q(message_id=""), name="outgoing_mail_message_id_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["try_at"],
                condition=models.Q(sent_at__isnull=True, held_at__isnull=True, cancelled_at__isnull=True),
                name="outgoing_mail_due",
            ),
            models.Index(fields=["person", "-created_at"], name="outgoing_mail_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"
