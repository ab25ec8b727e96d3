"""What a good no is made of: the reasons for one, and what we offer instead."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.models.content import Content
from crm.ready_reasons import ReadyReason

__all__ = ["Alternative", "AlternativeKind", "DeclineReason", "ReadyReason"]


class DeclineReason(models.Model):
    """Why we say no, with the text that says it kindly. The list is an organisation's own; a reason that was ever used is closed and not removed.

    A lead keeps the `code`, which never changes. The texts are templates with the placeholders of `crm.wording`, between greeting and closing.
    """

    code = models.SlugField(_("code"), max_length=30, unique=True)
    label_en = models.CharField(_("reason in English"), max_length=100)
    label_nl = models.CharField(_("reason in Dutch"), max_length=100)
    text_en = models.TextField(_("text in English"), blank=True)
    text_nl = models.TextField(_("text in Dutch"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("reason to decline")
        verbose_name_plural = _("reasons to decline")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(label_en="") & ~Q(label_nl=""), name="decline_reason_says_what"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The reason in the language that is active."""
        return self.label_nl if (get_language() or "").startswith("nl") else self.label_en


class AlternativeKind(models.TextChoices):
    CONTENT = "content", _("something to read or watch")
    COLLEAGUE = "colleague", _("a colleague company")
    OFFERING = "offering", _("something they can buy by themselves")


class Alternative(models.Model):
    """What we offer to whom we decline: the sentences stand in the message, in the language of the person."""

    kind = models.CharField(_("kind"), max_length=9, choices=AlternativeKind)
    name = models.CharField(_("name"), max_length=150)
    url = models.URLField(_("address"), blank=True)
    content = models.ForeignKey(
        Content, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("piece of content")
    )
    text_en = models.TextField(_("sentences in English"), blank=True)
    text_nl = models.TextField(_("sentences in Dutch"), blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("alternative")
        verbose_name_plural = _("alternatives")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="alternative_name_once"),
            models.CheckConstraint(condition=Q(kind__in=AlternativeKind.values), name="alternative_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name
