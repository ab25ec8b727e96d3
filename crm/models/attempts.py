"""Tries to reach somebody. A try without an answer is no conversation and moves no last contact; it only makes us wait longer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.contact import ConversationKind
from crm.models.conversations import Conversation
from crm.models.deals import Deal
from crm.models.leads import Lead
from crm.models.people import Person


class AttemptOutcome(models.TextChoices):
    """How a try ended. Empty: nobody has said so yet."""

    NO_ANSWER = "no_answer", _("no answer")
    VOICEMAIL = "voicemail", _("left a message")
    BUSY = "busy", _("busy")
    WRONG_NUMBER = "wrong", _("wrong number")
    SPOKE = "spoke", _("we spoke")


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def unanswered(self) -> AttemptQuerySet:
        """Those that did not become a conversation: pacing counts them."""
        return self.exclude(outcome=AttemptOutcome.SPOKE)


class Attempt(models.Model):
    """One try to reach a person, by whom and at which number. One that was answered names the conversation that came of it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="attempts", verbose_name=_("whom"))
    kind = models.CharField(_("how"), max_length=5, choices=ConversationKind, default=ConversationKind.CALL)
    number = models.CharField(_("number"), max_length=16, blank=True)
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempts")
    deal = models.ForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempts")
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempts"
    )
    outcome = models.CharField(_("how it ended"), max_length=9, choices=AttemptOutcome, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    conversation = models.OneToOneField(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempt"
    )

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="") | Q(outcome__in=AttemptOutcome.values), name="attempt_outcome_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=ConversationKind.values), name="attempt_kind_known"),
        ]
        indexes = [models.Index("person", F("at").desc(), name="attempt_by_person")]

    def __str__(self) -> str:
        return f"{self.person} {self.at:%Y-%m-%d %H:%M}"
