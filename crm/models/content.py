"""Our knowledge, and who met it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.people import Person


class ContentKind(models.TextChoices):
    ARTICLE = "article", _("article")
    VIDEO = "video", _("video")
    WEBINAR = "webinar", _("webinar")
    WHITE_PAPER = "white_paper", _("white paper")
    EVENT = "event", _("event")
    PAGE = "page", _("page")


class Content(models.Model):
    """A piece of our knowledge that somebody can meet."""

    kind = models.CharField(_("kind"), max_length=12, choices=ContentKind, default=ContentKind.PAGE)
    title = models.CharField(_("title"), max_length=200)
    url = models.URLField(_("address"), blank=True)
    topic = models.CharField(_("topic"), max_length=100, blank=True)
    happens_on = models.DateField(
        _("takes place on"),
        null=True,
        blank=True,
        help_text=_("Of a webinar or an event: readers can be invited to it."),
    )
    is_active = models.BooleanField(_("in use"), default=True, db_default=True)
    external_id = models.CharField(_("id in an imported file"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("piece of content")
        verbose_name_plural = _("content")
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ContentKind.values), name="content_kind_known"),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="content_external_id_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Touch(models.Model):
    """One person meeting one piece of content at one moment."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="touches")
    content = models.ForeignKey(Content, on_delete=models.CASCADE, related_name="touches")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        constraints = [models.UniqueConstraint(fields=["person", "content", "at"], name="touch_once")]
        indexes = [models.Index(fields=["person", "at"], name="touch_by_person")]

    def __str__(self) -> str:
        return f"{self.person} · {self.content}"
