"""Leads, and how they were judged before they were judged anew.

new ──take──▶ working ──verdict──▶ qualified ──submit──▶ handed_off ──accept──▶ accepted (a deal; the end)
               ▲  │                   │                       │
               │  ├──▶ nurture ◀──────┤                       │
               │  └──▶ declined ◀─────┘                       │
               └────── re-open / rejected by the AM ──────────┘
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils.translation import gettext_lazy as _

from crm.models.contact import Contacted
from crm.models.content import Content
from crm.models.declining import Alternative
from crm.models.forms import CaptureForm
from crm.models.organisations import Organisation
from crm.models.people import Person
from qualification.models import Assessment

if TYPE_CHECKING:
    from crm.models.users import User


class LeadStatus(models.TextChoices):
    NEW = "new", _("new")
    WORKING = "working", _("being qualified")
    QUALIFIED = "qualified", _("qualified")
    HANDED_OFF = "handed_off", _("handed off")
    ACCEPTED = "accepted", _("accepted")
    NURTURE = "nurture", _("nurtured")
    DECLINED = "declined", _("declined")


LEAD_MOVES: dict[str, frozenset[str]] = {
    LeadStatus.NEW: frozenset({LeadStatus.WORKING}),
    LeadStatus.WORKING: frozenset({LeadStatus.QUALIFIED, LeadStatus.NURTURE, LeadStatus.DECLINED}),
    LeadStatus.QUALIFIED: frozenset({LeadStatus.HANDED_OFF, LeadStatus.NURTURE, LeadStatus.DECLINED}),
    LeadStatus.HANDED_OFF: frozenset({LeadStatus.ACCEPTED, LeadStatus.WORKING}),
    LeadStatus.ACCEPTED: frozenset(),
    LeadStatus.NURTURE: frozenset({LeadStatus.WORKING}),
    LeadStatus.DECLINED: frozenset({LeadStatus.WORKING}),
}
"""From which status a lead may go where. `ACCEPTED` is terminal."""

STEPS = ("qualified", "handed_off", "deals", "won", "advocates")
"""How far a lead can come after it arrived; it is counted in every step that it reached."""

IN_HAND = (LeadStatus.NEW, LeadStatus.WORKING, LeadStatus.QUALIFIED)
"""Statuses in which the SDR has something to do."""


class Channel(models.TextChoices):
    """The way in by which a message reached us."""

    FORM = "form", _("form")
    FILE = "file", _("file")
    REFERRAL = "referral", _("referral")
    BY_HAND = "by_hand", _("entered by hand")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class Verdict(models.TextChoices):
    UNDECIDED = "undecided", _("undecided")
    QUALIFIED = "qualified", _("qualified")
    DECLINED = "declined", _("declined")
    NURTURE = "nurture", _("nurture")


# One step in the index for each origin, instead of a look at every lead.
ORIGINS = """
WITH RECURSIVE known AS (
    (SELECT origin FROM crm_lead ORDER BY origin LIMIT 1)
    UNION ALL
    SELECT (SELECT l.origin FROM crm_lead l WHERE l.origin > known.origin ORDER BY l.origin LIMIT 1) FROM known WHERE known.origin IS NOT NULL
)
SELECT origin FROM known WHERE origin <> ''
"""


class LeadQuerySet(models.QuerySet["Lead"]):
    @staticmethod
    def origins() -> list[str]:
        """Every origin that any lead has, in order; the empty one, which is *not recorded*, is not among them."""
        with connection.cursor() as cursor:
            cursor.execute(ORIGINS)
            return [origin for (origin,) in cursor.fetchall()]

    def in_hand(self) -> LeadQuerySet:
        """New, being qualified or qualified: the SDR's own work."""
        return self.filter(status__in=IN_HAND)

    def reached(self, step: str) -> LeadQuerySet:
        """Those that ever came so far, as the funnel of `crm.reports` counts them: one of `STEPS`."""
        offered = Lead.objects.filter(pk=OuterRef("pk"), hand_offs__isnull=False)
        return {
            "qualified": self.filter(Q(qualified_at__isnull=False) | Q(verdict=Verdict.QUALIFIED)),
            "handed_off": self.filter(Q(status__in=(LeadStatus.HANDED_OFF, LeadStatus.ACCEPTED)) | Exists(offered)),
            "deals": self.filter(deal__isnull=False),
            "won": self.filter(deal__state="won"),
            "advocates": self.filter(deal__state="won", person__advocate__isnull=False),
        }[step]

    def unanswered(self) -> LeadQuerySet:
        """The response clock runs: due to be answered and not answered yet."""
        return self.in_hand().filter(clock_due_at__isnull=False)

    def late(self, at: datetime) -> LeadQuerySet:
        return self.in_hand().filter(clock_due_at__lt=at)

    def waiting_for(self, user: User) -> LeadQuerySet:
        """New leads that `user` may be expected to take: their own and those of nobody; every new lead for whoever leads."""
        waiting = self.filter(status=LeadStatus.NEW)
        return waiting if user.is_leading else waiting.filter(Q(owner=user) | Q(owner__isnull=True))

    def for_list(self) -> LeadQuerySet:
        """With everything a row of the inbox shows."""
        return self.select_related("person", "organisation", "owner", "content")

    def for_page(self) -> LeadQuerySet:
        return self.select_related(
            "person",
            "organisation",
            "owner",
            "content",
            "form",
            "assessment__scorecard",
            "alternative",
            "evaluated_by",
            "referral__referrer",
            "deal",
        )


class Lead(Contacted):
    """One enquiry, or one prospect being worked before there is a deal."""

    channel = models.CharField(_("way in"), max_length=10, choices=Channel)
    external_id = models.CharField(_("the sender's own id of it"), max_length=200, blank=True)
    origin = models.CharField(
        _("origin"),
        max_length=50,
        blank=True,
        help_text=_("Empty when nobody recorded it, which is not the same as unknown."),
    )
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name=_("organisation"),
    )
    content = models.ForeignKey(
        Content, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("came through")
    )
    form = models.ForeignKey(
        CaptureForm, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("form")
    )
    message = models.TextField(_("message"), blank=True)
    received_at = models.DateTimeField(_("received"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name=_("SDR"),
    )
    status = models.CharField(_("status"), max_length=10, choices=LeadStatus, default=LeadStatus.NEW)

    answer_due_at = models.DateTimeField(
        _("first answer due"),
        null=True,
        blank=True,
        help_text=_("Empty: no response clock runs, as for leads from an old file."),
    )
    answered_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    clock_due_at = models.GeneratedField(
        expression=Case(When(answered_at__isnull=True, status__in=IN_HAND, then=F("answer_due_at")), default=None),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
        verbose_name=_("response clock runs until"),
        help_text=_(
            "When the first answer is due, for as long as it is due; computed by the database for the order of the inbox."
        ),
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    assessment = models.OneToOneField(Assessment, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict, default=Verdict.UNDECIDED)
    verdict_at = models.DateTimeField(_("verdict on"), null=True, blank=True)
    verdict_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    qualified_at = models.DateTimeField(_("first qualified"), null=True, blank=True)
    nurture_until = models.DateField(_("nurture until"), null=True, blank=True)
    decline_reason = models.CharField(
        _("reason"), max_length=30, blank=True, help_text=_("The code of a reason in the list of reasons.")
    )
    decline_note = models.TextField(_("in our own words"), blank=True)
    come_back_on = models.DateField(_("come back on"), null=True, blank=True)
    alternative = models.ForeignKey(
        Alternative,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name=_("alternative"),
    )
    verdict_why = models.CharField(_("why against the advice"), max_length=300, blank=True, db_default="")
    open_question = models.CharField(_("what we need to know first"), max_length=300, blank=True, db_default="")
    open_question_on = models.DateField(_("to be asked on"), null=True, blank=True)
    would_decide_same = models.BooleanField(_("we would decide the same"), null=True, blank=True)
    evaluation = models.CharField(_("looking back"), max_length=300, blank=True, db_default="")
    evaluated_at = models.DateTimeField(_("looked back on"), null=True, blank=True)
    evaluated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    distance_km = models.PositiveIntegerField(
        _("kilometres there"), null=True, blank=True, help_text=_("One way, from the office of the team.")
    )
    assigned_at = models.DateTimeField(_("given to its SDR on"), null=True, blank=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "external_id"], condition=~Q(external_id=""), name="lead_message_once"
            ),
            models.CheckConstraint(condition=Q(status__in=LeadStatus.values), name="lead_status_known"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="lead_verdict_known"),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.DECLINED) | ~Q(decline_reason=""), name="lead_declined_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.NURTURE) | Q(nurture_until__isnull=False), name="lead_nurture_has_date"
            ),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.UNDECIDED) | Q(verdict_at__isnull=False), name="lead_verdict_dated"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[LeadStatus.QUALIFIED, LeadStatus.HANDED_OFF]) | Q(verdict=Verdict.QUALIFIED),
                name="lead_handed_off_is_qualified",
            ),
            models.CheckConstraint(
                condition=~Q(status=LeadStatus.DECLINED) | Q(verdict=Verdict.DECLINED), name="lead_declined_by_verdict"
            ),
            models.CheckConstraint(
                condition=Q(open_question="", open_question_on__isnull=True)
                | (~Q(open_question="") & Q(open_question_on__isnull=False)),
                name="lead_open_question_dated",
            ),
            models.CheckConstraint(
                condition=Q(evaluated_at__isnull=True, would_decide_same__isnull=True)
                | Q(evaluated_at__isnull=False, would_decide_same__isnull=False),
                name="lead_evaluation_says_what",
            ),
        ]
        indexes = [
            models.Index(F("received_at").desc(), F("id").desc(), name="lead_by_received"),
            models.Index(
                F("clock_due_at").asc(nulls_last=True),
                F("received_at").desc(),
                F("id").desc(),
                condition=Q(status__in=["new", "working", "qualified"]),
                name="lead_inbox",
            ),
            models.Index(fields=["owner", "status"], name="lead_by_owner_status"),
            models.Index(fields=["origin", "-received_at"], name="lead_by_origin"),
            models.Index(fields=["status", "-received_at"], name="lead_by_status"),
            models.Index(fields=["qualified_at"], condition=Q(qualified_at__isnull=False), name="lead_by_qualified"),
            models.Index(fields=["owner", "-assigned_at"], name="lead_by_assigned"),
            models.Index(fields=["assigned_at"], condition=Q(status="new"), name="lead_untouched"),
            models.Index(
                F("verdict_at").desc(), F("id").desc(), condition=Q(verdict="declined"), name="lead_declined_latest"
            ),
        ]

    def __str__(self) -> str:
        return str(self.person or self.organisation or self.external_id or _("Lead %(number)s") % {"number": self.pk})

    @property
    def is_in_hand(self) -> bool:
        return self.status in IN_HAND

    def is_late(self, at: datetime) -> bool:
        """Whether the first answer should have gone out by `at` and has not."""
        return (
            self.is_in_hand and self.answered_at is None and self.answer_due_at is not None and self.answer_due_at < at
        )

    def may_move_to(self, status: str) -> bool:
        return status in LEAD_MOVES[self.status]


class PastAssessment(models.Model):
    """How a lead was judged before it was judged anew: the answers as they were then, and the verdict that stood on them."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="past_assessments")
    assessment = models.OneToOneField(Assessment, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    verdict_at = models.DateTimeField(_("verdict on"), null=True, blank=True)
    verdict_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    score_ours = models.PositiveSmallIntegerField(_("our score"))
    score_theirs = models.PositiveSmallIntegerField(_("their score"))
    replaced_at = models.DateTimeField(_("judged anew on"))
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("earlier assessment")
        verbose_name_plural = _("earlier assessments")
        ordering = ["-replaced_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="past_assessment_verdict_known"),
            models.CheckConstraint(
                condition=Q(score_ours__lte=100, score_theirs__lte=100), name="past_assessment_score_percent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lead} {self.replaced_at:%Y-%m-%d}"
