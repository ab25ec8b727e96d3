"""What was said, and what was promised."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.contact import ConversationKind, Direction
from crm.models.deals import Deal
from crm.models.leads import Lead
from crm.models.organisations import Organisation
from crm.models.people import Person


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of_value(self) -> ConversationQuerySet:
        """Did we learn something, did they gain something, was a next step agreed: any of the three."""
        return self.filter(Q(has_learning=True) | Q(has_gain=True) | Q(has_next_step=True))

    def contacts(self) -> ConversationQuerySet:
        """Those that count as contact: people wrote or spoke, and no machine."""
        return self.filter(is_automatic=False)

    def open_to(self, user: Any) -> ConversationQuerySet:
        """Those of which this user may read what was said."""
        return self.filter(Q(private_to=None) | Q(private_to=user))

    def for_timeline(self) -> ConversationQuerySet:
        return self.select_related("by").prefetch_related("people")


class Conversation(models.Model):
    """Something said both ways, or sent one way."""

    people = models.ManyToManyField(Person, related_name="conversations", verbose_name=_("with"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations")
    deal = models.ForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations")
    kind = models.CharField(_("how"), max_length=5, choices=ConversationKind, default=ConversationKind.CALL)
    direction = models.CharField(_("direction"), max_length=8, choices=Direction, default=Direction.BOTH)
    at = models.DateTimeField(_("when"))
    minutes = models.PositiveSmallIntegerField(_("minutes"), null=True, blank=True)
    summary = models.TextField(_("what was said"), blank=True)
    learned = models.TextField(_("what I learned"), blank=True)
    quote = models.TextField(_("in their words"), blank=True)
    subject = models.CharField(_("subject"), max_length=300, blank=True, db_default="")
    is_information = models.BooleanField(_("we sent information"), default=False, db_default=False)
    is_automatic = models.BooleanField(
        _("automatic"),
        default=False,
        db_default=False,
        help_text=_("Written by a machine, such as an absence message: no contact and no reply."),
    )
    is_journey_interview = models.BooleanField(
        _("we spoke of how they came to buy"),
        default=False,
        db_default=False,
        help_text=_("A journey interview: what they searched, whom they asked, what made them decide."),
    )
    has_learning = models.BooleanField(_("we learned something"), default=False)
    has_gain = models.BooleanField(_("they gained something"), default=False)
    has_next_step = models.BooleanField(_("a next step is agreed by both"), default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    private_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="private_conversations",
        verbose_name=_("only for"),
        help_text=_("Colleagues see that there was contact, and not what was said."),
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ConversationKind.values), name="conversation_kind_known"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="conversation_direction_known"),
        ]
        indexes = [
            models.Index(F("at").desc(), F("id").desc(), name="conversation_by_at"),
            models.Index(fields=["lead", "-at"], name="conversation_by_lead"),
            models.Index(fields=["deal", "-at"], name="conversation_by_deal"),
            models.Index(fields=["organisation", "-at"], name="conversation_by_organisation"),
            models.Index(
                fields=["organisation"], condition=Q(is_journey_interview=True), name="conversation_journey_interview"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"

    def is_open_to(self, user: Any) -> bool:
        """Whether this user may read what was said; everybody may know that it was."""
        return self.private_to_id is None or self.private_to_id == user.pk

    @property
    def is_of_value(self) -> bool:
        return self.has_learning or self.has_gain or self.has_next_step


REOPEN_WITHIN = timedelta(days=7)
"""How long a promise that was settled can be opened again: long enough for a slip of the hand, too short to rewrite a quarter."""


class PromiseSide(models.TextChoices):
    OURS = "ours", _("ours")
    THEIRS = "theirs", _("theirs")


class PromiseState(models.TextChoices):
    OPEN = "open", _("open")
    KEPT = "kept", _("kept")
    BROKEN = "broken", _("broken")


class PromiseQuerySet(models.QuerySet["Promise"]):
    def open(self) -> PromiseQuerySet:
        return self.filter(state=PromiseState.OPEN)

    def due(self, today: date) -> PromiseQuerySet:
        """Open, due by `today`, and not held back by a *not before*."""
        return self.open().filter(due_on__lte=today).filter(Q(not_before__isnull=True) | Q(not_before__lte=today))

    def late(self, today: date) -> PromiseQuerySet:
        """Open, and its day has passed."""
        return self.open().filter(due_on__lt=today)

    def settled(self) -> PromiseQuerySet:
        """Kept or broken."""
        return self.exclude(state=PromiseState.OPEN)

    def for_list(self) -> PromiseQuerySet:
        return self.select_related("person", "owner", "deal", "lead").order_by("due_on", "id")


class Promise(models.Model):
    """What one side said it would do, by when. Open until kept or broken; a move changes its date and leaves an Event."""

    side = models.CharField(_("whose promise"), max_length=6, choices=PromiseSide)
    text = models.CharField(_("what was promised"), max_length=300)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="promises", verbose_name=_("with"))
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="promises")
    deal = models.ForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="promises")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="promises"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="promises",
        verbose_name=_("who watches it"),
    )
    made_at = models.DateTimeField(_("made"))
    due_on = models.DateField(_("by"))
    not_before = models.DateField(_("not before"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=6, choices=PromiseState, default=PromiseState.OPEN)
    resolved_at = models.DateTimeField(_("kept or broken on"), null=True, blank=True)

    objects = PromiseQuerySet.as_manager()

    class Meta:
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        constraints = [
            models.CheckConstraint(condition=Q(side__in=PromiseSide.values), name="promise_side_known"),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True) | (~Q(state="open") & Q(resolved_at__isnull=False)),
                name="promise_resolution_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "due_on", "id"], condition=Q(state="open"), name="promise_open"),
            models.Index(fields=["person", "due_on"], name="promise_by_person"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_open(self) -> bool:
        return self.state == PromiseState.OPEN

    def may_reopen(self, at: datetime) -> bool:
        """Whether it was settled lately enough to be opened again."""
        return self.resolved_at is not None and at - self.resolved_at <= REOPEN_WITHIN
