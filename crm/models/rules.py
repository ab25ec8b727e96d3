"""What administrators set of the rules, how each rule fared, and what changed since the rules last looked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.follow_ups import Rule, SubjectKind
from crm.models.users import Team


class RuleSetting(models.Model):
    """Whether a rule is at work and with which numbers, for one team; without a team for everybody whose team says nothing else.

    `numbers` holds only what differs from the rule's own defaults, as whole numbers by the keys that `crm.rules` declares.
    """

    rule = models.CharField(_("rule"), max_length=20, choices=Rule)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="rule_settings", verbose_name=_("team")
    )
    is_on = models.BooleanField(_("at work"), default=True)
    numbers = models.JSONField(_("numbers"), default=dict, blank=True)

    class Meta:
        verbose_name = _("setting of a rule")
        verbose_name_plural = _("settings of rules")
        constraints = [
            models.UniqueConstraint(fields=["rule", "team"], nulls_distinct=False, name="rule_setting_once"),
            models.CheckConstraint(condition=Q(rule__in=Rule.values), name="rule_setting_rule_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()} · {self.team or _('everybody')}"


class RuleRun(models.Model):
    """How one rule fared the last time that it looked at everything, and since when it fails if it does."""

    rule = models.CharField(_("rule"), max_length=20, choices=Rule, unique=True)
    ran_at = models.DateTimeField(_("last looked"))
    made = models.PositiveIntegerField(_("made"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    closed = models.PositiveIntegerField(_("closed"), default=0)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), default=0)
    failing_since = models.DateTimeField(_("fails since"), null=True, blank=True)
    error = models.TextField(_("what went wrong"), blank=True)

    class Meta:
        verbose_name = _("run of a rule")
        verbose_name_plural = _("runs of rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(failing_since__isnull=True, error="") | (Q(failing_since__isnull=False) & ~Q(error="")),
                name="rule_run_failure_says_what",
            ),
            models.CheckConstraint(condition=Q(rule__in=Rule.values), name="rule_run_rule_known"),
        ]

    def __str__(self) -> str:
        return self.get_rule_display()


class Touched(models.Model):
    """Whom and what a verb touched since the rules last looked. Written by the database for each event (a trigger), in the same transaction; taken
    away by the refresh that looked, in the transaction of that refresh: whatever is killed, nothing is overlooked."""

    subject_kind = models.CharField(max_length=12, choices=SubjectKind)
    subject_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    organisation_id = models.BigIntegerField(null=True)
    lead_id = models.BigIntegerField(null=True)
    deal_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("touched")
        verbose_name_plural = _("touched")

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"
