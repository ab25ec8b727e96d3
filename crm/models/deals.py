"""Possible orders and their places.

open ──win──▶ won          stages (rows of a pipeline) are places of an *open* deal; won and lost are ends and keep the last stage.
  └───lose──▶ lost         An end cannot be left or entered twice.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.models.contact import Contacted
from crm.models.leads import Lead
from crm.models.organisations import Organisation
from crm.models.people import Person
from crm.models.plain import plain_column


class Pipeline(models.Model):
    """The ordered stages that deals of one kind pass."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """One place in a pipeline. `usual_days` is how long a deal usually stands here, until history says better;
    `contact_days` how many days usually lie between two replies of the buyer."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="stages")
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    usual_days = models.PositiveSmallIntegerField(_("usual days here"), default=14)
    probability = models.PositiveSmallIntegerField(_("usual chance to win, %"), default=20)
    contact_days = models.PositiveSmallIntegerField(
        _("usual days between two replies"), default=7, help_text=_("Until enough won deals say better.")
    )
    learned_contact_days = models.PositiveSmallIntegerField(
        _("the same, as won deals had it"), null=True, blank=True, editable=False
    )
    learned_from = models.PositiveIntegerField(_("won deals that say so"), default=0, editable=False)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["pipeline", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "name"], name="stage_name_once_per_pipeline"),
            models.CheckConstraint(condition=Q(probability__lt=100), name="stage_probability_below_certain"),
            models.CheckConstraint(condition=Q(usual_days__gte=1), name="stage_usual_days_positive"),
            models.CheckConstraint(
                condition=Q(contact_days__gte=1)
                & (Q(learned_contact_days__isnull=True) | Q(learned_contact_days__gte=1)),
                name="stage_contact_days_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DealState(models.TextChoices):
    OPEN = "open", _("open")
    WON = "won", _("won")
    LOST = "lost", _("lost")


CURRENCIES = ("EUR", "GBP", "USD", "CHF", "DKK", "NOK", "SEK", "PLN")
"""What a form offers; a deal from a file may be in any other."""


class LostReason(models.TextChoices):
    PRICE = "price", _("Price")
    TIMING = "timing", _("Not the right moment")
    OTHER_SUPPLIER = "other_supplier", _("They chose somebody else")
    NO_DECISION = "no_decision", _("They decided to do nothing")
    NO_BUDGET = "no_budget", _("The budget went away")
    NO_MATCH = "no_match", _("We did not fit each other")
    OTHER = "other", _("Something else")


class DealQuerySet(models.QuerySet["Deal"]):
    def open(self) -> DealQuerySet:
        return self.filter(state=DealState.OPEN)

    def won(self) -> DealQuerySet:
        return self.filter(state=DealState.WON)

    def stepless(self, today: date) -> DealQuerySet:
        """Open without a next step that lies in the future."""
        return self.open().filter(Q(next_step_on__isnull=True) | Q(next_step_on__lt=today))

    def with_amount(self) -> DealQuerySet:
        """Adds `amount`: what the buyer said, else what the seller thinks, else nothing."""
        return self.annotate(amount=Coalesce("buyer_amount", "seller_amount"))

    def totals(self, *by: str) -> models.QuerySet[Deal, dict[str, Any]]:
        """For each currency (and each value of `by`): `number`, what buyers and what sellers say, and `worth`, the buyer's word before ours.

        Amounts of two currencies are never added up. Select by sub-queries, not by joins that repeat a deal.
        """
        return (
            self.order_by()
            .values(*by, "currency")
            .annotate(
                number=Count("pk"),
                buyer=Sum("buyer_amount"),
                seller=Sum("seller_amount"),
                worth=Sum(Coalesce("buyer_amount", "seller_amount")),
            )
            .order_by(*by, "-number", "currency")
        )

    def for_list(self) -> DealQuerySet:
        return self.select_related("person", "organisation", "owner", "stage__pipeline")

    def for_page(self) -> DealQuerySet:
        return self.select_related(
            "person",
            "organisation",
            "owner",
            "sdr",
            "stage__pipeline",
            "lead",
            "lead__assessment__scorecard",
        )


class Deal(Contacted):
    """A possible order. What the buyer said stands beside what the seller thinks; amounts are in `currency`, chances in percent."""

    name = models.CharField(_("name"), max_length=200)
    plain_name = plain_column("name")
    lead = models.OneToOneField(Lead, on_delete=models.PROTECT, null=True, blank=True, related_name="deal")
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deals",
        verbose_name=_("organisation"),
    )
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="deals", verbose_name=_("person")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deals",
        verbose_name=_("account manager"),
    )
    sdr = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deals_qualified",
        verbose_name=_("SDR"),
    )
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="deals", verbose_name=_("stage"))
    state = models.CharField(_("state"), max_length=4, choices=DealState, default=DealState.OPEN)
    product = models.CharField(_("product"), max_length=150, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")

    buyer_amount = models.DecimalField(
        _("amount the buyer named"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    buyer_date = models.DateField(_("date the buyer named"), null=True, blank=True)
    buyer_words = models.TextField(_("in the buyer's words"), blank=True)
    seller_amount = models.DecimalField(_("amount we expect"), max_digits=14, decimal_places=2, null=True, blank=True)
    seller_date = models.DateField(_("date we expect"), null=True, blank=True)
    seller_probability = models.PositiveSmallIntegerField(_("chance we give it, %"), null=True, blank=True)

    next_step = models.CharField(_("next step"), max_length=300, blank=True)
    next_step_on = models.DateField(_("next step on"), null=True, blank=True)

    opened_at = models.DateTimeField(_("opened"))
    won_at = models.DateTimeField(_("won"), null=True, blank=True)
    lost_at = models.DateTimeField(_("lost"), null=True, blank=True)
    lost_reason = models.CharField(_("reason"), max_length=14, choices=LostReason, blank=True)
    lost_note = models.TextField(_("what we learned"), blank=True)
    external_id = models.CharField(_("id in an imported file"), max_length=100, blank=True)

    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = _("deal")
        verbose_name_plural = _("deals")
        constraints = [
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="deal_external_id_once"),
            models.CheckConstraint(
                condition=Q(state="open", won_at__isnull=True, lost_at__isnull=True)
                | Q(state="won", won_at__isnull=False, lost_at__isnull=True)
                | Q(state="lost", won_at__isnull=True, lost_at__isnull=False),
                name="deal_end_dated",
            ),
            models.CheckConstraint(condition=~Q(state="lost") | ~Q(lost_reason=""), name="deal_lost_has_reason"),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(next_step_on__isnull=False) | ~Q(external_id=""),
                name="deal_open_has_next_step",
            ),
            models.CheckConstraint(
                condition=Q(seller_probability__isnull=True) | Q(seller_probability__lte=100),
                name="deal_probability_percent",
            ),
            models.CheckConstraint(
                condition=Q(buyer_amount__isnull=True) | Q(buyer_amount__gte=0), name="deal_buyer_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(seller_amount__isnull=True) | Q(seller_amount__gte=0), name="deal_seller_amount_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["stage", "next_step_on", "id"], condition=Q(state="open"), name="deal_board"),
            models.Index(F("opened_at").desc(), F("id").desc(), name="deal_by_opened"),
            models.Index(F("won_at").desc(), F("id").desc(), condition=Q(state="won"), name="deal_by_won"),
            models.Index(fields=["owner", "state"], name="deal_by_owner_state"),
            GinIndex(OpClass("plain_name", name="gin_trgm_ops"), name="deal_plain_name_trgm"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state == DealState.OPEN

    @property
    def closed_at(self) -> datetime | None:
        """When it was won or lost; `None` while open."""
        return self.won_at or self.lost_at


class StageChange(models.Model):
    """One move of one deal: from where to where, when and by whom. The first row of a deal comes from nowhere."""

    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="stage_changes")
    from_stage = models.ForeignKey(Stage, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to_stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+")
    to_state = models.CharField(max_length=4, choices=DealState, default=DealState.OPEN)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("stage change")
        verbose_name_plural = _("stage changes")
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["deal", "at"], name="stage_change_by_deal")]

    def __str__(self) -> str:
        return f"{self.deal}: {self.to_stage}"
