"""What came from outside for a lead: each message once, and how its sender found us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.content import Content
from crm.models.leads import Channel, Lead


class ReceivedMessage(models.Model):
    """One message from outside, remembered once by its sender's own id, and the lead to which it belongs: the one that it began, or the open one
    of somebody who wrote again."""

    channel = models.CharField(_("way in"), max_length=10, choices=Channel)
    external_id = models.CharField(_("the sender's own id of it"), max_length=300)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="received_messages")
    is_first = models.BooleanField(_("began the lead"))
    message = models.TextField(_("message"), blank=True)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("received message")
        verbose_name_plural = _("received messages")
        ordering = ["received_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="received_message_once"),
            models.UniqueConstraint(fields=["lead"], condition=Q(is_first=True), name="received_message_one_first"),
            models.CheckConstraint(condition=~Q(external_id=""), name="received_message_has_id"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.external_id}"


class LeadTouch(models.Model):
    """How somebody found us before they wrote: the first visit and the last one, kept apart. What stands here came from a browser and is hearsay."""

    class Which(models.TextChoices):
        FIRST = "first", _("first touch")
        LAST = "last", _("last touch")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="found_by")
    which = models.CharField(max_length=5, choices=Which)
    at = models.DateTimeField(_("at"))
    content = models.ForeignKey(Content, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    page = models.CharField(_("page"), max_length=300, blank=True)
    referrer = models.CharField(_("came from"), max_length=253, blank=True, help_text=_("The host only."))
    utm_source = models.CharField(max_length=100, blank=True)
    utm_medium = models.CharField(max_length=100, blank=True)
    utm_campaign = models.CharField(max_length=100, blank=True)
    utm_term = models.CharField(max_length=100, blank=True)
    utm_content = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = _("first or last touch")
        verbose_name_plural = _("first and last touches")
        constraints = [
            models.UniqueConstraint(fields=["lead", "which"], name="lead_touch_once"),
            models.CheckConstraint(condition=Q(which__in=["first", "last"]), name="lead_touch_which_known"),
        ]

    def __str__(self) -> str:
        return f"{self.lead}: {self.which}"
