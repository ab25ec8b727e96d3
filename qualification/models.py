"""Scorecards and their use: the questions, what their answers are worth, and one set of answers with evidence.

Nothing here knows whom an assessment is about; whoever owns the subject (a lead) keeps the link to its assessment.
"""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Side(models.TextChoices):
    OURS = "ours", _("ours")
    THEIRS = "theirs", _("theirs")


class CriterionKind(models.TextChoices):
    """How a criterion is answered, and so what its answers are worth."""

    YES_NO = "yes_no", _("yes, partly or no")
    SCALE = "scale", _("a scale from 1 to 5")
    CHOICE = "choice", _("one of a list, each with points")
    NUMBER = "number", _("a number, with points from so many on")
    TEXT = "text", _("words, which never score")


class Reply(models.TextChoices):
    """What an answer to a *yes, partly or no* says. Not answering is *unknown*, which is not the same as *no*."""

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


def new_key() -> str:
    return uuid4().hex


class Criterion(models.Model):
    """One question of a scorecard, asked about their fit for us (ours) or our fit for them (theirs).

    `key` stays the same from one version of its scorecard to the next: it is what a form that asks this question remembers.
    """

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="criteria")
    key = models.CharField(max_length=32, default=new_key, editable=False)
    side = models.CharField(_("side"), max_length=6, choices=Side)
    kind = models.CharField(_("answered by"), max_length=6, choices=CriterionKind, default=CriterionKind.YES_NO)
    question = models.CharField(_("question"), max_length=200)
    help_text = models.CharField(_("what to look for"), max_length=300, blank=True)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1, help_text=_("Nothing for words."))
    is_must = models.BooleanField(_("must have"), default=False)
    must_from = models.PositiveSmallIntegerField(
        _("met from"), default=100, help_text=_("The percentage of its points from which a must-have is met.")
    )
    asks_prospect = models.BooleanField(_("ask the prospect"), default=False)
    prospect_question = models.CharField(
        _("asked so"), max_length=200, blank=True, help_text=_("As it stands on a form; empty: as the question itself.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        ordering = ["scorecard", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "key"], name="criterion_key_once"),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="criterion_side_known"),
            models.CheckConstraint(condition=Q(kind__in=CriterionKind.values), name="criterion_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=CriterionKind.TEXT, weight=0, is_must=False)
                | (~Q(kind=CriterionKind.TEXT) & Q(weight__gte=1, weight__lte=100)),
                name="criterion_weight_positive",
            ),
            models.CheckConstraint(condition=Q(must_from__gte=1, must_from__lte=100), name="criterion_must_percent"),
        ]

    def __str__(self) -> str:
        return self.question


class Option(models.Model):
    """One answer of a choice with its points, or one band of a number: from `at_least` on it earns these points.

    Points are worth what they are beside the most that this criterion can earn. A number below its lowest band earns nothing.
    """

    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="options")
    label = models.CharField(_("answer"), max_length=100, blank=True)
    at_least = models.DecimalField(_("from"), max_digits=14, decimal_places=2, null=True, blank=True)
    points = models.PositiveSmallIntegerField(_("points"), default=0)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("possible answer")
        verbose_name_plural = _("possible answers")
        ordering = ["criterion", "at_least", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["criterion", "label"], condition=Q(at_least__isnull=True), name="option_label_once"
            ),
            models.UniqueConstraint(fields=["criterion", "at_least"], name="option_band_once"),
            models.CheckConstraint(condition=~Q(label="") | Q(at_least__isnull=False), name="option_says_what"),
            models.CheckConstraint(condition=Q(points__lte=100), name="option_points_percent"),
        ]

    def __str__(self) -> str:
        return self.label or str(self.at_least)


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
    """What was answered to one criterion within one assessment, with the evidence for it.

    `value` is as the kind of its criterion has it: a `Reply`; 1 to 5; the label of an option; a decimal number with a point; words. Empty, and for
    a `Reply` also *unknown*, is not known yet.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="answers")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="answers")
    value = models.CharField(_("answer"), max_length=500, blank=True)
    evidence = models.CharField(_("evidence"), max_length=500, blank=True)
    is_theirs = models.BooleanField(_("answered by the prospect"), default=False, db_default=False)
    answered_at = models.DateTimeField(_("answered on"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["assessment", "criterion"], name="answer_once_per_criterion"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.value}"
