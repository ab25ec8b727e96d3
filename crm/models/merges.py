"""Two rows that are one: pairs that look alike, and merges that can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

UNDO_WITHIN = timedelta(days=30)
"""How long a merge can be undone, to the second."""


class Mergeable(models.TextChoices):
    """The nouns of which two rows can be one."""

    PERSON = "person", _("person")
    ORGANISATION = "organisation", _("organisation")


class DuplicateReason(models.TextChoices):
    """Why two rows look alike."""

    EMAIL = "email", _("the same e-mail address")
    PHONE = "phone", _("the same phone number")
    VAT = "vat", _("the same VAT number")
    KVK = "kvk", _("the same KvK number")
    NAME = "name", _("a like name at the same domain")


class PossibleDuplicateQuerySet(models.QuerySet["PossibleDuplicate"]):
    def waiting(self) -> PossibleDuplicateQuerySet:
        """Those about which nobody has decided."""
        return self.filter(dismissed_at__isnull=True)


class PossibleDuplicate(models.Model):
    """Two people, or two organisations, that look alike, the older one first. *Not the same* is remembered, also when the reasons change.

    The two are named by their keys, without a constraint: one that was merged away comes back with its key when the merge is undone.
    """

    kind = models.CharField(max_length=12, choices=Mergeable)
    first_id = models.BigIntegerField()
    second_id = models.BigIntegerField()
    reasons = ArrayField(models.CharField(max_length=5, choices=DuplicateReason), verbose_name=_("why"))
    likeness = models.FloatField(_("likeness"), help_text=_("From 0 to 1; the surest pairs come first."))
    found_at = models.DateTimeField(_("found on"))
    dismissed_at = models.DateTimeField(_("not the same, since"), null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = PossibleDuplicateQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["kind", "first_id", "second_id"], name="possible_duplicate_once"),
            models.CheckConstraint(condition=Q(first_id__lt=F("second_id")), name="possible_duplicate_in_order"),
            models.CheckConstraint(condition=Q(kind__in=Mergeable.values), name="possible_duplicate_kind_known"),
        ]
        indexes = [
            models.Index(
                "kind",
                F("likeness").desc(),
                "id",
                condition=Q(dismissed_at__isnull=True),
                name="possible_duplicate_waiting",
            ),
            models.Index(fields=["kind", "second_id"], name="possible_duplicate_by_second"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_id} ~ {self.second_id}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> MergeQuerySet:
        """Those that were not undone."""
        return self.filter(undone_at__isnull=True)

    def stayed(self, kind: str, gone_id: int) -> int | None:
        """The key of the row that this one became part of, at the end of the chain; `None` when it was not merged away."""
        key = gone_id
        while (
            kept := self.standing().filter(kind=kind, gone_id=key).values_list("kept_id", flat=True).first()
        ) is not None:
            key = kept
        return None if key == gone_id else key

    def stayed_with(self, kind: str, **column: str) -> int | None:
        """The key of the row that one with this value became part of; of several the one that was merged last."""
        gone = self.standing().filter(kind=kind, **{f"gone__{name}": value for name, value in column.items()})
        last = gone.order_by("-at", "-id").first()
        return self.stayed(kind, last.gone_id) if last else None


class Merge(models.Model):
    """One row became part of another. What is needed to undo it exactly is kept here, and the old key leads to the row that stayed.

    `gone` holds the columns of the row that went; `moved` the keys of the rows that pointed at it (`{"crm.Lead.person": [3, 4]}`); `dropped` the
    columns of rows that had to go since the row that stayed had the same already; `changed` the fields of the row that stayed, as
    `{"name": [before, after]}`.
    """

    kind = models.CharField(max_length=12, choices=Mergeable)
    gone_id = models.BigIntegerField()
    kept_id = models.BigIntegerField()
    gone_name = models.CharField(_("merged"), max_length=240)
    gone_external_id = models.CharField(max_length=100, blank=True)
    gone = models.JSONField()
    moved = models.JSONField(default=dict)
    dropped = models.JSONField(default=list)
    changed = models.JSONField(default=dict)
    at = models.DateTimeField(_("merged on"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(_("undone on"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "gone_id"], condition=Q(undone_at__isnull=True), name="merge_gone_once"
            ),
            models.CheckConstraint(condition=~Q(gone_id=F("kept_id")), name="merge_not_with_self"),
            models.CheckConstraint(condition=Q(kind__in=Mergeable.values), name="merge_kind_known"),
        ]
        indexes = [
            models.Index(fields=["kind", "kept_id"], name="merge_by_kept"),
            models.Index(
                fields=["kind", "gone_external_id"], condition=~Q(gone_external_id=""), name="merge_by_external_id"
            ),
            models.Index(F("at").desc(), F("id").desc(), name="merge_by_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.gone_id} → {self.kept_id}"

    def may_be_undone(self, at: datetime) -> bool:
        return self.undone_at is None and at <= self.at + UNDO_WITHIN
