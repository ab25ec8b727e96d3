"""Mail that waits to be sent. The row is the truth; the queue only nudges."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.leads import Lead
from crm.models.people import Person


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, at: datetime) -> OutgoingMailQuerySet:
        """Not sent, and its moment (the first, or the next after a failure) has come."""
        return self.filter(sent_at__isnull=True, try_at__lte=at)


class OutgoingMail(models.Model):
    """One mail to one address. `try_at` is when to send it (again); a worker claims it by moving that moment on."""

    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="mails")
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="mails")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("written"))
    try_at = models.DateTimeField(_("to be sent at"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    failure = models.TextField(_("what went wrong"), blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        indexes = [models.Index(fields=["try_at"], condition=models.Q(sent_at__isnull=True), name="outgoing_mail_due")]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"
