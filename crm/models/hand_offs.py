"""Hand-offs: what the SDR offers, what the account manager asks back, and what became of it.

submitted ──accept──▶ accepted (a deal)      A question that is open stops the clock and changes no state.
    ├──────reject──▶ rejected (the lead is the SDR's again)
    └────redirect──▶ moved (a new one waits for somebody else)
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from crm.models.leads import Lead


class RejectReason(models.TextChoices):
    """Why an account manager gives a lead back."""

    NO_FIT = "no_fit", _("They do not fit us after all")
    TOO_EARLY = "too_early", _("Too early: they do not want it yet")
    INCOMPLETE = "incomplete", _("I know too little to begin")
    NO_ROOM = "no_room", _("I have no room for it")
    OTHER_COLLEAGUE = "colleague", _("Better with a colleague")
    OTHER = "other", _("Something else")


class HandOffState(models.TextChoices):
    SUBMITTED = "submitted", _("waiting for an answer")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")
    MOVED = "moved", _("given to a colleague")


class HandOffQuerySet(models.QuerySet["HandOff"]):
    def waiting(self) -> HandOffQuerySet:
        return self.filter(state=HandOffState.SUBMITTED)

    def asked(self) -> HandOffQuerySet:
        """Those that wait for the answer to a question, while their clock stands still."""
        return self.waiting().filter(Exists(HandOffQuestion.objects.filter(hand_off=OuterRef("pk")).open()))

    def overdue(self, at: datetime) -> HandOffQuerySet:
        """Not answered in time, and it was not for want of an answer to a question."""
        open_questions = HandOffQuestion.objects.filter(hand_off=OuterRef("pk")).open()
        return self.waiting().filter(answer_due_at__lt=at).exclude(Exists(open_questions))

    def for_page(self) -> HandOffQuerySet:
        """With everything a row of a list shows; `is_asked`: a question about it is open."""
        open_questions = HandOffQuestion.objects.filter(hand_off=OuterRef("pk")).open()
        return self.annotate(is_asked=Exists(open_questions)).select_related(
            "lead__person",
            "lead__organisation",
            "lead__owner",
            "lead__content",
            "lead__assessment__scorecard",
            "from_user__team",
            "to_user__team",
        )


class HandOff(models.Model):
    """The SDR offers a qualified lead to an account manager, who accepts it or rejects it with a reason.

    submitted ──▶ accepted | rejected | moved (a manager gave it to somebody else, by a hand-off of its own). `answer_minutes` is the working time
    that the answer took, by the calendar of that day and without the time in which a question was open; empty when nobody counted.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="hand_offs")
    from_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="hand_offs_given")
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="hand_offs_received",
        verbose_name=_("account manager"),
    )
    note = models.TextField(_("your line"), blank=True)
    state = models.CharField(_("state"), max_length=9, choices=HandOffState, default=HandOffState.SUBMITTED)
    submitted_at = models.DateTimeField(_("submitted"))
    answer_due_at = models.DateTimeField(_("answer by"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answer_minutes = models.PositiveIntegerField(_("working minutes to the answer"), null=True, blank=True)
    reject_kind = models.CharField(_("why not"), max_length=10, choices=RejectReason, blank=True, db_default="")
    reject_reason = models.TextField(_("reason"), blank=True)
    escalated_at = models.DateTimeField(_("told to those who lead"), null=True, blank=True)

    objects = HandOffQuerySet.as_manager()

    class Meta:
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], condition=Q(state=HandOffState.SUBMITTED), name="hand_off_one_waiting_per_lead"
            ),
            models.UniqueConstraint(
                fields=["lead"], condition=Q(state=HandOffState.ACCEPTED), name="hand_off_one_accepted_per_lead"
            ),
            models.CheckConstraint(
                condition=Q(state=HandOffState.SUBMITTED, answered_at__isnull=True)
                | (~Q(state=HandOffState.SUBMITTED) & Q(answered_at__isnull=False)),
                name="hand_off_answer_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state=HandOffState.REJECTED) | ~Q(reject_reason=""), name="hand_off_rejected_has_reason"
            ),
            models.CheckConstraint(condition=Q(state__in=HandOffState.values), name="hand_off_state_known"),
            models.CheckConstraint(
                condition=Q(reject_kind="") | Q(reject_kind__in=RejectReason.values), name="hand_off_reject_kind_known"
            ),
        ]
        indexes = [
            models.Index(fields=["to_user", "answer_due_at"], condition=Q(state="submitted"), name="hand_off_waiting"),
            models.Index(fields=["-submitted_at", "-id"], name="hand_off_by_submitted"),
        ]

    def __str__(self) -> str:
        return f"{self.lead} → {self.to_user}"


class HandOffQuestionQuerySet(models.QuerySet["HandOffQuestion"]):
    def open(self) -> HandOffQuestionQuerySet:
        return self.filter(answered_at__isnull=True)


class HandOffQuestion(models.Model):
    """What the account manager asks back before an answer. While it is open the clock of the hand-off stands still."""

    hand_off = models.ForeignKey(HandOff, on_delete=models.CASCADE, related_name="questions")
    question = models.TextField(_("question"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"))
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = HandOffQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question about a hand-off")
        verbose_name_plural = _("questions about hand-offs")
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hand_off"], condition=Q(answered_at__isnull=True), name="hand_off_one_open_question"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer="") | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="hand_off_question_answer_dated",
            ),
            models.CheckConstraint(condition=~Q(question=""), name="hand_off_question_says_what"),
        ]

    def __str__(self) -> str:
        return self.question
