"""What colleagues are told: in the page, by mail, and each working morning in a digest."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.follow_ups import SubjectKind
from crm.models.outbox import OutgoingMail


class NoticeKind(models.TextChoices):
    """What a colleague may be told of. The sentences stand in `crm.notice_words`."""

    ASSIGNMENT = "assignment", _("a lead is given to me")
    RETURNED = "returned", _("a lead went back to the pool")
    MENTION = "mention", _("a colleague mentions me")
    HAND_OFF = "hand_off", _("a hand-off to me, or an answer to mine")
    OVERDUE = "overdue", _("a hand-off waits too long in my team")
    APPOINTMENT = "appointment", _("an appointment of mine is made, moved or cancelled")
    PROMISE_KEPT = "promise_kept", _("they kept a promise that I watch")
    IMPORT = "import", _("a file of mine is taken in")
    MAIL_HELD = "mail_held", _("a mail of mine is held back")
    RULE_FAILS = "rule_fails", _("a rule of the follow-ups fails")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at__isnull=True, is_shown=True)

    def shown(self) -> NoticeQuerySet:
        return self.filter(is_shown=True)

    def newest(self) -> NoticeQuerySet:
        return self.order_by("-at", "-id")


class Notice(models.Model):
    """One thing that one colleague is told in the page. The sentence is made when shown, from `values`; `path` leads to what it is about.

    Notices of one kind about one subject stand together. `key`, when it is given, is what makes a notice the same one again for this colleague.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("what"), max_length=12, choices=NoticeKind)
    values = models.JSONField(_("values"), default=dict)
    path = models.CharField(_("where"), max_length=300)
    subject_kind = models.CharField(max_length=12, choices=SubjectKind, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    key = models.CharField(max_length=100, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("when"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    is_shown = models.BooleanField(
        _("shown"), default=True, help_text=_("Otherwise it is kept only so that the same thing is not mailed twice.")
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], condition=~Q(key=""), name="notice_key_once"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
            models.CheckConstraint(condition=Q(path__startswith="/"), name="notice_leads_into_kring"),
        ]
        indexes = [
            models.Index("user", models.F("at").desc(), models.F("id").desc(), name="notice_by_user"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.user}"

    @property
    def is_read(self) -> bool:
        return self.read_at is not None


class NoticePreference(models.Model):
    """How one colleague likes to hear of one kind of thing. Without a row: in the page and by mail, as `crm.notices` has it by default."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_preferences")
    kind = models.CharField(_("what"), max_length=12, choices=NoticeKind)
    in_page = models.BooleanField(_("in the page"), default=True)
    by_mail = models.BooleanField(_("by mail"), default=True)

    class Meta:
        verbose_name = _("preference of notices")
        verbose_name_plural = _("preferences of notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notice_preference_once"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_preference_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_kind_display()}"


class Digest(models.Model):
    """The morning's digest of one colleague and one day of theirs: whoever makes the row is the one who sends it, and it is made once.

    `mail` is empty when there was nothing to tell that morning.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests")
    day = models.DateField(_("day"))
    claimed_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("claimed"))
    mail = models.OneToOneField(OutgoingMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="digest")

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"
