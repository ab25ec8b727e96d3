"""What people make of the lists: views that they keep and share, and acts on many rows at once that can be taken back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ListScreen(models.TextChoices):
    PEOPLE = "people", _("people")
    ORGANISATIONS = "organisations", _("organisations")


class SavedView(models.Model):
    """A list as somebody likes to see it: filters, columns and order, as the query of its address.

    Shared ones are seen by all and changed by their owner.
    """

    screen = models.CharField(max_length=13, choices=ListScreen)
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(_("query"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="views")
    is_shared = models.BooleanField(_("shared with everybody"), default=False)
    created_at = models.DateTimeField(_("made on"))

    class Meta:
        verbose_name = _("view")
        verbose_name_plural = _("views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "screen", "name"], name="saved_view_name_once_per_owner"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_a_name"),
        ]
        indexes = [models.Index(fields=["screen", "is_shared", "name"], name="saved_view_by_screen")]

    def __str__(self) -> str:
        return self.name


class BulkAct(models.Model):
    """One act on many rows: what was done, and for each row what stood there before, so that it can be taken back."""

    screen = models.CharField(max_length=13, choices=ListScreen)
    act = models.CharField(_("what"), max_length=20)
    value = models.JSONField(_("to what"))
    changes = models.JSONField(help_text=_("For each changed row its key, and its value before and after."))
    number = models.PositiveIntegerField(_("rows"))
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_acts")
    undone_at = models.DateTimeField(_("taken back on"), null=True, blank=True)

    class Meta:
        verbose_name = _("act on many")
        verbose_name_plural = _("acts on many")
        indexes = [models.Index("by", F("at").desc(), name="bulk_act_by_user")]

    def __str__(self) -> str:
        return f"{self.act} · {self.number}"
