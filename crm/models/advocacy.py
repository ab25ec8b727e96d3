"""Those who recommend us, and each recommendation with its life.

asked ──▶ promised ──▶ introduced ──▶ met ──▶ won ──▶ thanked
  │           │             │          └──────▶ lost ──▶ thanked
  └─▶ refused └─▶ lapsed    └─(straight to won or lost as well)

Lost goes back to introduced when the lead is taken up again, and on to won when an order comes after all.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.models.deals import Deal
from crm.models.leads import Lead
from crm.models.people import Person


class Advocate(models.Model):
    """A person at a customer who recommends us, since when and why we think so."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="advocate")
    since = models.DateTimeField(_("since"))
    evidence = models.CharField(_("what shows it"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("advocate")
        verbose_name_plural = _("advocates")

    def __str__(self) -> str:
        return str(self.person)


class ReferralState(models.TextChoices):
    ASKED = "asked", _("asked")
    PROMISED = "promised", _("promised")
    INTRODUCED = "introduced", _("introduced")
    MET = "met", _("met")
    WON = "won", _("won")
    LOST = "lost", _("not won")
    THANKED = "thanked", _("thanked")
    REFUSED = "refused", _("rather not")
    LAPSED = "lapsed", _("came to nothing")


REFERRAL_MOVES: dict[str, frozenset[str]] = {
    ReferralState.ASKED: frozenset({ReferralState.PROMISED, ReferralState.INTRODUCED, ReferralState.REFUSED}),
    ReferralState.PROMISED: frozenset({ReferralState.INTRODUCED, ReferralState.LAPSED}),
    ReferralState.INTRODUCED: frozenset({ReferralState.MET, ReferralState.WON, ReferralState.LOST}),
    ReferralState.MET: frozenset({ReferralState.WON, ReferralState.LOST}),
    ReferralState.WON: frozenset({ReferralState.THANKED}),
    ReferralState.LOST: frozenset({ReferralState.INTRODUCED, ReferralState.WON, ReferralState.THANKED}),
    ReferralState.THANKED: frozenset(),
    ReferralState.REFUSED: frozenset(),
    ReferralState.LAPSED: frozenset(),
}
"""From which state a referral may go where."""


class ReferralQuerySet(models.QuerySet["Referral"]):
    def promised(self) -> ReferralQuerySet:
        return self.filter(state=ReferralState.PROMISED)

    def late(self, today: date) -> ReferralQuerySet:
        """Promised, the date has passed, and no *not before* holds it back."""
        return self.promised().filter(due_on__lt=today).filter(Q(not_before__isnull=True) | Q(not_before__lte=today))

    def for_list(self) -> ReferralQuerySet:
        return self.select_related("referrer", "owner", "deal__organisation", "introduced", "lead", "lead__deal")

    def for_page(self) -> ReferralQuerySet:
        return self.for_list().select_related("owner__team", "lead__owner")

    def revenue(self, *by: str) -> models.QuerySet[Referral, dict[str, Any]]:
        """For each currency (and each value of `by`): `won`, how many orders came of these referrals, and `worth`, their amounts.

        A referral has at most one lead and a lead at most one deal, so no order is counted twice.
        """
        return (
            self.order_by()
            .filter(lead__deal__state="won")
            .annotate(currency=F("lead__deal__currency"))
            .values(*by, "currency")
            .annotate(
                won=Count("lead__deal"),
                worth=Sum(Coalesce("lead__deal__buyer_amount", "lead__deal__seller_amount")),
            )
            .order_by(*by, "-won", "currency")
        )


class Referral(models.Model):
    """One recommendation by one person, from the asking to the thanking."""

    referrer = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="referrals_given", verbose_name=_("who recommends us")
    )
    deal = models.ForeignKey(
        Deal,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="referrals",
        verbose_name=_("asked after this order"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="referrals"
    )
    state = models.CharField(_("state"), max_length=10, choices=ReferralState, default=ReferralState.ASKED)
    whom = models.CharField(_("whom they have in mind"), max_length=200, blank=True)
    asked_at = models.DateTimeField(_("asked"))
    promised_at = models.DateTimeField(_("promised"), null=True, blank=True)
    due_on = models.DateField(_("by"), null=True, blank=True)
    not_before = models.DateField(_("not before"), null=True, blank=True)
    introduced = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals_received"
    )
    introduced_at = models.DateTimeField(_("introduced"), null=True, blank=True)
    lead = models.OneToOneField(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="referral")
    thanked_at = models.DateTimeField(_("thanked"), null=True, blank=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(
                condition=Q(introduced__isnull=True) | ~Q(introduced=F("referrer")), name="referral_not_of_self"
            ),
            models.CheckConstraint(
                condition=~Q(state=ReferralState.PROMISED) | Q(due_on__isnull=False), name="referral_promise_dated"
            ),
            models.CheckConstraint(condition=Q(state__in=ReferralState.values), name="referral_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["introduced", "met", "won", "lost", "thanked"])
                | Q(introduced__isnull=False, introduced_at__isnull=False),
                name="referral_introduced_whom",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="referral_by_state"),
            models.Index(fields=["referrer", "-asked_at"], name="referral_by_referrer"),
        ]

    def __str__(self) -> str:
        return str(
            _("%(referrer)s: %(whom)s")
            % {"referrer": self.referrer, "whom": self.introduced or self.whom or self.get_state_display()}
        )

    def is_late(self, today: date) -> bool:
        """As `ReferralQuerySet.late` says it of rows."""
        return (
            self.state == ReferralState.PROMISED
            and self.due_on is not None
            and self.due_on < today
            and (self.not_before is None or self.not_before <= today)
        )
