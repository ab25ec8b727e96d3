"""Scorecards and their use: the questions, and one set of answers with evidence.

Nothing here knows whom an assessment is about; whoever owns the subject (a lead) keeps the link to its assessment.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Side(models.TextChoices):
    OURS = "ours", _("ours")
    THEIRS = "theirs", _("theirs")


class Reply(models.TextChoices):
    """What an answer says. Not answering is *unknown*, which is not the same as *no*."""

    YES = "yes", _("Yes")
    PARTLY = "partly", _("Partly")
    NO = "no", _("No")
    UNKNOWN = "unknown", _("Not known yet")


class ScorecardQuerySet(models.QuerySet["Scorecard"]):
    def current(self) -> ScorecardQuerySet:
        """The newest version of each scorecard that is in use, oldest scorecard first."""
        return self.filter(is_active=True).order_by("name", "-version").distinct("name")


class Scorecard(models.Model):
    """One version of a written definition of a customer. Answers keep the version that they were given on."""

    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(_("version"), default=1)
    description = models.TextField(_("description"), blank=True)
    threshold_ours = models.PositiveSmallIntegerField(_("we say yes from"), default=60)
    threshold_theirs = models.PositiveSmallIntegerField(_("they say yes from"), default=60)
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("made on"), db_default=Now(), editable=False)

    objects = ScorecardQuerySet.as_manager()

    class Meta:
        verbose_name = _("scorecard")
        verbose_name_plural = _("scorecards")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="scorecard_version_once"),
            models.CheckConstraint(
                condition=Q(threshold_ours__gte=1, threshold_ours__lte=100)
                & Q(threshold_theirs__gte=1, threshold_theirs__lte=100),
                name="scorecard_threshold_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Criterion(models.Model):
    """One question of a scorecard, asked about their fit for us (ours) or our fit for them (theirs)."""

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="criteria")
    side = models.CharField(_("side"), max_length=6, choices=Side)
    question = models.CharField(_("question"), max_length=200)
    help_text = models.CharField(_("what to look for"), max_length=300, blank=True)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    is_must = models.BooleanField(_("must have"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        ordering = ["scorecard", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(side__in=Side.values), name="criterion_side_known"),
            models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=100), name="criterion_weight_positive"),
        ]

    def __str__(self) -> str:
        return self.question


class Assessment(models.Model):
    """One use of a scorecard version."""

    scorecard = models.ForeignKey(Scorecard, on_delete=models.PROTECT, related_name="assessments")
    created_at = models.DateTimeField(_("begun on"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return f"{self.scorecard} #{self.pk}"


class Answer(models.Model):
    """A reply to one criterion within one assessment, with the evidence for it."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="answers")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="answers")
    reply = models.CharField(_("reply"), max_length=7, choices=Reply, default=Reply.UNKNOWN)
    evidence = models.CharField(_("evidence"), max_length=500, blank=True)
    answered_at = models.DateTimeField(_("answered on"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["assessment", "criterion"], name="answer_once_per_criterion"),
            models.CheckConstraint(condition=Q(reply__in=Reply.values), name="answer_reply_known"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.get_reply_display()}"
