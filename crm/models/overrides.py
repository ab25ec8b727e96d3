"""Where somebody went past a gate, with the reason that they gave."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.appointments import Appointment
from crm.models.deals import Deal
from crm.models.leads import Lead


class Gate(models.TextChoices):
    """What asks for two yeses first."""

    VERDICT = "verdict", _("verdict against the advice")
    VISIT = "visit", _("visit before qualified")
    DEAL = "deal", _("deal before qualified")


class Override(models.Model):
    """A gate was passed all the same. What came of it is read from the lead, the deal and the appointment."""

    gate = models.CharField(_("gate"), max_length=7, choices=Gate)
    why = models.CharField(_("why"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="overrides")
    at = models.DateTimeField(_("when"))
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides")
    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides"
    )

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        constraints = [
            models.CheckConstraint(condition=~Q(why=""), name="override_has_why"),
            models.CheckConstraint(condition=Q(gate__in=Gate.values), name="override_gate_known"),
            models.CheckConstraint(
                condition=Q(lead__isnull=False) | Q(deal__isnull=False) | Q(appointment__isnull=False),
                name="override_about_something",
            ),
        ]
        indexes = [models.Index(F("at").desc(), F("id").desc(), name="override_by_at")]

    def __str__(self) -> str:
        return f"{self.get_gate_display()}: {self.why}"
