"""The half hour: what somebody plans for it, one day of it, and the small things that fit in it."""

from __future__ import annotations

from datetime import time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.advocacy import Referral
from crm.models.content import Content
from crm.models.conversations import Conversation
from crm.models.follow_ups import Rule
from crm.models.leads import Lead
from crm.models.people import Person
from crm.models.users import working_week


class Way(models.TextChoices):
    """A way of prospecting."""

    ASK_CUSTOMER = "ask_customer", _("ask a customer for a referral")
    IN_MY_PLACE = "in_my_place", _("ask whom they would call in my place")
    INTRODUCTION = "introduction", _("an introduction through somebody we know")
    REVIVE = "revive", _("revive who went quiet")
    INVITE = "invite", _("invite readers to a webinar")
    OUTBOUND = "outbound", _("call somebody new")


DONE_IN: dict[Rule, tuple[Way, ...]] = {
    Rule.ASK_REFERRAL: (Way.ASK_CUSTOMER, Way.IN_MY_PLACE),
    Rule.KEEP_IN_TOUCH: (Way.ASK_CUSTOMER, Way.IN_MY_PLACE, Way.INTRODUCTION, Way.REVIVE, Way.OUTBOUND),
}
"""Follow-ups that a thing of the half hour does with it, by its way: whoever asks for a referral asks, and whoever speaks with somebody keeps in
touch. Such a follow-up stands in nobody's way to be proposed, is not on Today while the thing is open in the half hour, and is done with the thing.
An invitation to several at once is neither."""


def all_ways() -> list[str]:
    return list(Way.values)


class ProspectingPlan(models.Model):
    """When a seller likes to prospect, for how long, and how. `days` are weekday numbers, Monday 0."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prospecting_plan")
    is_on = models.BooleanField(_("plan my half hour"), default=True)
    days = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("days"), default=working_week)
    starts_at = models.TimeField(_("starts at"), default=time(9))
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=30, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    ways = ArrayField(
        models.CharField(max_length=12, choices=Way), verbose_name=_("ways that I like"), default=all_ways
    )

    class Meta:
        verbose_name = _("prospecting plan")
        verbose_name_plural = _("prospecting plans")
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=5, minutes__lte=120), name="prospecting_plan_minutes"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class ProspectingBlock(models.Model):
    """The half hour of one user on one day of theirs: what was planned, and the seconds really spent.

    proposed ──start──▶ running ──pause / the page closes──▶ paused ──start──▶ running …   ──end──▶ ended (may be started again the same day)

    `measured_seconds` grows by what the page tells while it is open (`beat_at` is the last time it did); `corrected_minutes` is what its user made
    of it afterwards, and is marked as such.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prospecting_blocks")
    day = models.DateField(_("day"))
    starts_at = models.TimeField(_("starts at"))
    planned_minutes = models.PositiveSmallIntegerField(_("minutes planned"))
    proposed_at = models.DateTimeField(_("proposed"))
    started_at = models.DateTimeField(_("first started"), null=True, blank=True)
    is_running = models.BooleanField(_("running"), default=False)
    beat_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    measured_seconds = models.PositiveIntegerField(_("seconds measured"), default=0)
    corrected_minutes = models.PositiveSmallIntegerField(_("minutes as corrected"), null=True, blank=True)
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("prospecting block")
        verbose_name_plural = _("prospecting blocks")
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="prospecting_block_once_a_day"),
            models.CheckConstraint(
                condition=Q(is_running=False)
                | Q(started_at__isnull=False, beat_at__isnull=False, ended_at__isnull=True),
                name="prospecting_block_running_began",
            ),
            models.CheckConstraint(
                condition=Q(corrected_minutes__isnull=True, corrected_at__isnull=True)
                | Q(corrected_minutes__isnull=False, corrected_at__isnull=False, corrected_minutes__lte=720),
                name="prospecting_block_correction_dated",
            ),
        ]
        indexes = [models.Index("user", F("day").desc(), name="prospecting_block_by_user")]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"

    @property
    def is_corrected(self) -> bool:
        return self.corrected_minutes is not None

    @property
    def minutes(self) -> int:
        """Minutes spent: as corrected, else as measured, rounded to the nearest."""
        return self.corrected_minutes if self.corrected_minutes is not None else (self.measured_seconds + 30) // 60


class ProspectingItem(models.Model):
    """One small thing that is proposed for a block: a way, whom it is about (several readers for an invitation), and the values that say why.

    open ──▶ done | left out. What stays open when the day is over is neither, and is not taken along by itself. `seconds` is the part of the block
    that it took; `conversation` and `referral` are what came of it at once.
    """

    block = models.ForeignKey(ProspectingBlock, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(_("position"))
    way = models.CharField(_("way"), max_length=12, choices=Way)
    people = models.ManyToManyField(Person, related_name="prospecting_items", verbose_name=_("with"))
    content = models.ForeignKey(
        Content, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("invited to")
    )
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    why = models.JSONField(_("why"), default=dict)
    estimated_minutes = models.PositiveSmallIntegerField(_("minutes expected"), default=5)
    seconds = models.PositiveIntegerField(_("seconds it took"), default=0)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    left_out_at = models.DateTimeField(_("left out"), null=True, blank=True)
    left_out_why = models.CharField(_("why left out"), max_length=200, blank=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="prospecting_items"
    )
    referral = models.ForeignKey(
        Referral, on_delete=models.SET_NULL, null=True, blank=True, related_name="prospecting_items"
    )

    class Meta:
        verbose_name = _("thing for the half hour")
        verbose_name_plural = _("things for the half hour")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(way__in=Way.values), name="prospecting_item_way_known"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(left_out_at__isnull=True), name="prospecting_item_one_end"
            ),
        ]
        indexes = [models.Index(fields=["way", "done_at"], name="prospecting_item_by_way")]

    def __str__(self) -> str:
        return self.get_way_display()

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.left_out_at is None
