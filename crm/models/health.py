"""What the pipeline's health check measured and noticed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.deals import Deal
from crm.models.follow_ups import SubjectKind
from crm.models.leads import Lead


class HealthReading(models.Model):
    """One metric measured at one moment. The readings of one moment share `taken_at`; history is never rewritten."""

    metric = models.CharField(_("metric"), max_length=40)
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=4, null=True)
    taken_at = models.DateTimeField(_("read at"))

    class Meta:
        verbose_name = _("health reading")
        verbose_name_plural = _("health readings")
        constraints = [models.UniqueConstraint(fields=["metric", "taken_at"], name="health_reading_once")]
        indexes = [models.Index(fields=["-taken_at"], name="health_reading_by_time")]

    def __str__(self) -> str:
        return f"{self.metric} {self.taken_at:%Y-%m-%d}: {self.value}"


class FindingKind(models.TextChoices):
    """What the check looks for. Sentence, SQL and cure of each kind stand in `crm.health`."""

    NO_NEXT_STEP = "no_next_step", _("no next step")
    STEP_PASSED = "step_passed", _("next step passed")
    BUYER_DATE_PASSED = "buyer_date_passed", _("buyer's date passed")
    SILENT = "silent", _("no word from them")
    WON_BEFORE_LEAD = "won_before_lead", _("won before first contact")
    NO_AMOUNT = "no_amount", _("no amount")


class FindingQuerySet(models.QuerySet["Finding"]):
    def open(self) -> FindingQuerySet:
        return self.filter(cleared_at__isnull=True)

    def for_list(self) -> FindingQuerySet:
        return self.select_related("deal__owner", "deal__organisation", "deal__person", "lead")


class Finding(models.Model):
    """Something the health check noticed: what kind, about what, why, and since when. Cleared by a later check when its cause is gone."""

    kind = models.CharField(_("kind"), max_length=20, choices=FindingKind)
    subject_kind = models.CharField(max_length=12, choices=SubjectKind)
    subject_id = models.BigIntegerField()
    why = models.JSONField(_("why"), default=dict)
    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, null=True, blank=True, related_name="findings")
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, blank=True, related_name="findings")
    since = models.DateTimeField(_("since"))
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_kind", "subject_id"],
                condition=Q(cleared_at__isnull=True),
                name="finding_one_open_per_subject",
            )
        ]
        indexes = [models.Index(fields=["kind", "since"], condition=Q(cleared_at__isnull=True), name="finding_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subject_kind} {self.subject_id}"
