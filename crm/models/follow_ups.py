"""The next thing to do for someone, with a date, an owner and a why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Floor, Greatest, Least, Log
from django.utils.translation import gettext_lazy as _

from crm.models.deals import Deal
from crm.models.hand_offs import HandOff
from crm.models.leads import Lead
from crm.models.organisations import Organisation, Tier
from crm.models.people import Person


class Rule(models.TextChoices):
    """What makes a follow-up. An empty rule is a follow-up made by hand. The SQL of each rule stands in `crm.rules`."""

    FIRST_ANSWER = "first_answer", _("first answer due")
    UNTOUCHED = "untouched", _("lead untouched")
    HAND_OFF = "hand_off", _("hand-off unanswered")
    NO_NEXT_STEP = "no_next_step", _("deal without a next step")
    NEXT_STEP = "next_step", _("next step due")
    BUYERS_DATE = "buyers_date", _("buyer's date passed")
    SILENCE = "silence", _("silence in a deal")
    OUR_PROMISE = "our_promise", _("our promise due")
    THEIR_PROMISE = "their_promise", _("their promise due")
    REFERRAL_PROMISE = "referral_promise", _("referral promise due")
    KEEP_IN_TOUCH = "keep_in_touch", _("keep in touch")
    ASK_REFERRAL = "ask_referral", _("a good moment to ask for a referral")
    THANK_REFERRER = "thank_referrer", _("thank who introduced somebody")
    TELL_REFERRER = "tell_referrer", _("tell who introduced somebody how it went")
    COME_BACK = "come_back", _("time to come back after a no")
    NURTURE = "nurture", _("time to come back to who was not ready")
    CHECK_IN = "check_in", _("first check-in after an order")
    RE_ORDER = "re_order", _("usual moment to order again")
    JOURNEY = "journey", _("journey interview missing")
    LAWFUL_BASIS = "lawful_basis", _("lawful basis to be reviewed")
    APPOINTMENT = "appointment", _("appointment is over")
    OPEN_QUESTION = "open_question", _("question to ask")


PROMISES = (Rule.OUR_PROMISE, Rule.THEIR_PROMISE)


class SubjectKind(models.TextChoices):
    """The noun whose state is the cause of a follow-up, a finding or an event."""

    LEAD = "lead", _("lead")
    HAND_OFF = "hand_off", _("hand-off")
    DEAL = "deal", _("deal")
    PROMISE = "promise", _("promise")
    REFERRAL = "referral", _("referral")
    PERSON = "person", _("person")
    ORGANISATION = "organisation", _("organisation")
    CONVERSATION = "conversation", _("conversation")
    FOLLOW_UP = "follow_up", _("follow-up")
    IMPORT = "import", _("import")
    USER = "user", _("user")
    ATTEMPT = "attempt", _("attempt")
    MERGE = "merge", _("merge")
    MAILBOX = "mailbox", _("mailbox")
    MAIL = "mail", _("mail")
    REGISTER = "register", _("register")
    PACING = "pacing", _("pacing")
    DO_NOT_CONTACT = "peace", _("wish to be left in peace")
    APPOINTMENT = "appointment", _("appointment")
    BOOKING_LINK = "booking_link", _("booking link")
    FORM = "form", _("form")
    SUBMISSION = "submission", _("submission")
    CONTENT = "content", _("piece of content")
    HOOK = "hook", _("webhook")
    ASSIGNMENT = "assignment", _("rule of assignment")
    TEAM = "team", _("team")
    ABSENCE = "absence", _("absence")
    SCORECARD = "scorecard", _("scorecard")
    REASON = "reason", _("reason to decline")
    ALTERNATIVE = "alternative", _("alternative")
    CALENDAR = "calendar", _("calendar")
    OVERRIDE = "override", _("override")
    BULK_ACT = "bulk_act", _("act on many")
    RULE = "rule", _("rule")
    BLOCK = "block", _("prospecting block")


class Outcome(models.TextChoices):
    DONE = "done", _("done")
    NOT_NEEDED = "not_needed", _("not needed")
    CAUSE_GONE = "cause_gone", _("no longer needed")


PROMISED = 3
"""The last of the ranks that were promised to somebody; see `FollowUp.rank`."""

ORDER = ("place", "-points", "show_at", "id")
"""How follow-ups are ranked: columns of `FollowUpQuerySet.with_places`."""


WEIGHTS = {4: 40, 5: 30, 6: 10}
"""Points of a rank: agreed or asked, made by hand, good to do. Those after it have none."""

CLOSENESS = {Tier.A: 15, Tier.B: 8, Tier.C: 4}
WORTH = 1000
"""An amount from which points begin; currencies are taken as alike, since only powers of ten matter."""

MOST_LATE = 14
"""Points for being late, at most: what has waited a fortnight is no more urgent after a month."""


def _points(at: datetime) -> Combinable:
    """What a follow-up weighs, as `FollowUpQuerySet.ranked` explains."""
    weight = Case(*(When(rank__lte=rank, then=points) for rank, points in WEIGHTS.items()), default=0)
    closeness = Case(*(When(person__tier=tier, then=points) for tier, points in CLOSENESS.items()), default=0)
    amount = Coalesce("deal__buyer_amount", "deal__seller_amount", Value(Decimal(0)))
    worth = Floor(Log(Decimal(10), Greatest(amount, Value(Decimal(WORTH))) / WORTH) * 10)
    late = Func(
        Value(at, models.DateTimeField()),
        F("show_at"),
        template="floor(extract(epoch FROM %(expressions)s) / 86400)",
        arg_joiner=" - ",
        output_field=models.IntegerField(),
    )
    return (
        weight
        + closeness
        + Cast(worth, models.IntegerField())
        + Cast(Least(Greatest(late, Value(0)), Value(MOST_LATE)), models.IntegerField())
    )


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def open(self) -> FollowUpQuerySet:
        return self.filter(closed_at__isnull=True)

    def due(self, at: datetime) -> FollowUpQuerySet:
        """Open, and its moment (or the moment it was put off to) has come."""
        return self.open().filter(show_at__lte=at)

    def with_places(self, at: datetime) -> FollowUpQuerySet:
        """With `place` and `points`, by which `ORDER` ranks."""
        return self.annotate(
            place=Least(F("rank"), Value(PROMISED + 1), output_field=models.IntegerField()), points=_points(at)
        )

    def ranked(self, at: datetime) -> FollowUpQuerySet:
        """What was promised to somebody first, by its kind: a running clock, a promise, a hand-off or an appointment. Then by points:

        - what was agreed or asked 40, made by hand 30, good to do 10 or none;
        - what the deal is worth (what the buyer said, else what we think): ten for each power of ten above a thousand, so 10,000 is 10 and 100,000
          is 20;
        - somebody of tier A 15, B 8, C 4;
        - one for each whole day that it is late, 14 at most.

        So an order that is due again from a large customer passes a small next step, and nothing passes what somebody waits for. Points also say
        which goes first of two promises; of two with as many, the one that waits longest. Give the end of the reader's day as `at`, so that the
        order stays as it is all day.
        """
        return self.with_places(at).order_by(*ORDER)

    def for_today(self) -> FollowUpQuerySet:
        return self.select_related("person", "organisation", "lead", "deal", "owner", "on_behalf_of")


class FollowUp(models.Model):
    """The next thing to do for someone. At most one is open for each rule and subject.

    `cause` names the state of affairs that the rule saw (such as the due date); one closed by hand stays quiet until its cause is a new one.
    `show_at` is `due_at`, or later when somebody put it off; a refresh moves `due_at` and never undoes a putting off of the same cause.
    """

    rule = models.CharField(_("rule"), max_length=20, choices=Rule, blank=True)
    subject_kind = models.CharField(max_length=12, choices=SubjectKind)
    subject_id = models.BigIntegerField()
    cause = models.CharField(max_length=100, blank=True)
    why = models.JSONField(
        _("why"), default=dict, help_text=_("The values from which the sentence of its rule is made.")
    )
    note = models.CharField(_("what to do"), max_length=300, blank=True)
    rank = models.PositiveSmallIntegerField(default=5)

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups"
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups")
    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups")
    hand_off = models.ForeignKey(HandOff, on_delete=models.CASCADE, null=True, blank=True, related_name="follow_ups")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follow_ups", verbose_name=_("owner")
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("in the place of"),
        help_text=_("Whose work it is, while they are away or since they left."),
    )
    due_at = models.DateTimeField(_("due"))
    show_at = models.DateTimeField(_("shown from"))
    put_off_until = models.DateTimeField(_("put off until"), null=True, blank=True)
    created_at = models.DateTimeField(_("made on"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject_kind", "subject_id"],
                condition=Q(closed_at__isnull=True) & ~Q(rule=""),
                name="follow_up_one_open_per_rule_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="follow_up_outcome_dated",
            ),
            models.CheckConstraint(condition=~Q(rule="") | ~Q(note=""), name="follow_up_by_hand_says_what"),
            models.CheckConstraint(
                condition=~Q(outcome__in=[Outcome.DONE, Outcome.NOT_NEEDED]) | Q(closed_by__isnull=False),
                name="follow_up_closed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(show_at__gte=F("due_at")) | Q(put_off_until__isnull=False), name="follow_up_shown_when_due"
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True) | ~Q(on_behalf_of=F("owner")),
                name="follow_up_on_behalf_of_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "rank", "show_at", "id"], condition=Q(closed_at__isnull=True), name="follow_up_today"
            ),
            models.Index(fields=["rule", "subject_kind", "subject_id", "-closed_at"], name="follow_up_by_subject"),
            models.Index(fields=["person"], condition=Q(closed_at__isnull=True), name="follow_up_open_by_person"),
            models.Index(fields=["rule"], condition=Q(closed_at__isnull=True), name="follow_up_open_by_rule"),
        ]

    def __str__(self) -> str:
        return self.note or self.get_rule_display()

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
