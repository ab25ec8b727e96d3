"""The public forms through which leads arrive, what they ask, what was sent by them; and the addresses at which programs post."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.models.content import Content
from crm.models.users import Language, Team
from qualification.models import Reply

CONFIRM_WITHIN = timedelta(hours=48)
"""How long the link of a double opt-in is valid."""


class OwnerRule(models.TextChoices):
    """Who gets what arrives."""

    RULES = "rules", _("by the rules of assignment")
    TEAM = "team", _("by turns within a team")
    USER = "user", _("always the same SDR")
    NOBODY = "nobody", _("nobody: whoever takes it")


class GivenBecause(models.TextChoices):
    """Why Kring gave a lead to this SDR. Not the same as the rule of the form: who is always to get it may be away, or full."""

    USER = OwnerRule.USER.value, OwnerRule.USER.label
    STAND_IN = "stand_in", _("stands in for a colleague")
    KNOWN = "known", _("knows them already")
    TEAM = OwnerRule.TEAM.value, OwnerRule.TEAM.label
    RULES = OwnerRule.RULES.value, OwnerRule.RULES.label
    TURNS = "turns", _("by turns")


class CaptureForm(models.Model):
    """A public form at /f/<slug>/ through which a lead arrives. Its words stand in `FormText`, what it asks in `FormField`."""

    slug = models.SlugField(_("address"), unique=True)
    title = models.CharField(_("name"), max_length=150, help_text=_("For ourselves."))
    language = models.CharField(
        _("language"),
        max_length=2,
        choices=settings.LANGUAGES,
        default="en",
        help_text=_("In which it opens when the browser asks for none that it has."),
    )
    origin = models.CharField(_("origin of its leads"), max_length=50, default="website")
    content = models.ForeignKey(
        Content,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="forms",
        verbose_name=_("piece of content it stands at"),
    )
    owner_rule = models.CharField(_("who gets its leads"), max_length=6, choices=OwnerRule, default=OwnerRule.RULES)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("SDR who gets its leads"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("team")
    )
    is_double_opt_in = models.BooleanField(
        _("asks to confirm by mail"),
        default=False,
        help_text=_("Their message counts only when they press the link in a mail, within 48 hours."),
    )
    least_seconds = models.PositiveSmallIntegerField(
        _("least seconds to fill it in"), default=2, help_text=_("Whoever is faster is a machine.")
    )
    sites = ArrayField(
        models.CharField(max_length=253),
        verbose_name=_("sites that may show it"),
        default=list,
        blank=True,
        help_text=_(
            "Such as https://www.example.com: where it may stand in a frame, and from where a page may post to it."
        ),
    )
    is_active = models.BooleanField(_("open"), default=True)

    class Meta:
        verbose_name = _("form")
        verbose_name_plural = _("forms")
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(condition=Q(owner_rule__in=OwnerRule.values), name="form_owner_rule_known"),
        ]

    def __str__(self) -> str:
        return self.title


class FormText(models.Model):
    """The words of a form in one language. A form speaks the languages of which it has a text."""

    form = models.ForeignKey(CaptureForm, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=Language)
    title = models.CharField(_("title"), max_length=150)
    intro = models.TextField(_("introduction"), blank=True)
    consent = models.TextField(
        _("consent"), blank=True, help_text=_("What they agree to, by a tick. Kept word for word with each message.")
    )
    thank_you = models.TextField(_("thank-you text"), blank=True)
    button = models.CharField(_("words on the button"), max_length=50, blank=True)

    class Meta:
        verbose_name = _("text of a form")
        verbose_name_plural = _("texts of forms")
        ordering = ["form", "language"]
        constraints = [
            models.UniqueConstraint(fields=["form", "language"], name="form_text_once_per_language"),
            models.CheckConstraint(condition=~Q(title=""), name="form_text_has_title"),
        ]

    def __str__(self) -> str:
        return f"{self.form} ({self.language})"


class FieldKind(models.TextChoices):
    """What a form may ask. Name and e-mail address are always asked."""

    NAME = "name", _("name")
    EMAIL = "email", _("e-mail address")
    PHONE = "phone", _("phone number")
    ORGANISATION = "organisation", _("organisation")
    JOB = "job", _("what they do there")
    POSTCODE = "postcode", _("postcode")
    COUNTRY = "country", _("country")
    MESSAGE = "message", _("message")
    QUESTION = "question", _("question of a scorecard")


class FormField(models.Model):
    """One thing that a form asks. A question of a scorecard is remembered by its key, so that it follows the version in use; one that the version
    in use does not ask prospects any more is left out."""

    form = models.ForeignKey(CaptureForm, on_delete=models.CASCADE, related_name="form_fields")
    kind = models.CharField(_("what"), max_length=12, choices=FieldKind)
    criterion_key = models.CharField(max_length=32, blank=True)
    label_en = models.CharField(_("asked in English"), max_length=200, blank=True)
    label_nl = models.CharField(_("asked in Dutch"), max_length=200, blank=True)
    is_required = models.BooleanField(_("must be filled in"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("field of a form")
        verbose_name_plural = _("fields of forms")
        ordering = ["form", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["form", "kind", "criterion_key"], name="form_field_once"),
            models.CheckConstraint(condition=Q(kind__in=FieldKind.values), name="form_field_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=FieldKind.QUESTION) & ~Q(criterion_key="")
                | (~Q(kind=FieldKind.QUESTION) & Q(criterion_key="")),
                name="form_field_question_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form}: {self.get_kind_display()}"


class SubmissionState(models.TextChoices):
    WAITING = "waiting", _("waits for their confirmation")
    TAKEN = "taken", _("taken in")
    REFUSED = "refused", _("refused, to be looked at")
    DROPPED = "dropped", _("looked at and dropped")
    EXPIRED = "expired", _("never confirmed")


class RefusedBecause(models.TextChoices):
    TRAP = "trap", _("filled in a field that people do not see")
    TOO_FAST = "too_fast", _("filled in faster than anybody can")
    TOO_MANY = "too_many", _("many messages from one connection")
    TOO_LARGE = "too_large", _("more text than a person writes")
    NOT_ALLOWED = "site", _("posted from a site that is not on the list")


class SubmissionQuerySet(models.QuerySet["FormSubmission"]):
    def overdue(self, at: datetime) -> SubmissionQuerySet:
        """Those whose confirmation can come no more."""
        return self.filter(state=SubmissionState.WAITING, confirm_by__lte=at)

    def to_review(self) -> SubmissionQuerySet:
        return self.filter(state=SubmissionState.REFUSED)


class FormSubmission(models.Model):
    """What somebody sent by a form, as they sent it, with the words that they agreed to. Once for each `message_id`; never silently dropped."""

    form = models.ForeignKey(CaptureForm, on_delete=models.CASCADE, related_name="submissions")
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=SubmissionState)
    because = models.CharField(_("why refused"), max_length=10, choices=RefusedBecause, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language)
    values = models.JSONField(
        _("what was sent"),
        default=dict,
        help_text=_("By the kind of field; answers to questions by the key of their criterion under `answers`."),
    )
    reading = models.JSONField(_("what they had read"), default=dict, blank=True)
    consent = models.TextField(_("what they agreed to"), blank=True)
    consented_at = models.DateTimeField(_("agreed on"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"))
    confirm_by = models.DateTimeField(_("to be confirmed by"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    lead = models.ForeignKey("crm.Lead", on_delete=models.SET_NULL, null=True, blank=True, related_name="submissions")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided on"), null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SubmissionState.values), name="submission_state_known"),
            models.CheckConstraint(
                condition=~Q(state=SubmissionState.REFUSED) | ~Q(because=""), name="submission_refused_because"
            ),
            models.CheckConstraint(
                condition=~Q(state=SubmissionState.WAITING) | Q(confirm_by__isnull=False),
                name="submission_waits_until",
            ),
            models.CheckConstraint(
                condition=Q(consent="") | Q(consented_at__isnull=False), name="submission_consent_dated"
            ),
        ]
        indexes = [
            models.Index(
                F("received_at").desc(), F("id").desc(), condition=Q(state="refused"), name="submission_to_review"
            ),
            models.Index(fields=["form", "-received_at"], name="submission_by_form"),
            models.Index(fields=["confirm_by"], condition=Q(state="waiting"), name="submission_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.received_at:%Y-%m-%d %H:%M}"

    @property
    def replies(self) -> list[tuple[str, str]]:
        """What they answered to our questions, in the words in which they were asked."""
        asked = self.values.get("questions", {})
        said = {reply.value: str(reply.label) for reply in Reply}
        return [
            (asked.get(key, key), said.get(answer, answer)) for key, answer in self.values.get("answers", {}).items()
        ]


class InboundHook(models.Model):
    """An address at which a program of ours posts leads, signed with a secret that only it and we know (kept sealed, `crm.sealed`)."""

    slug = models.SlugField(_("address"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=100)
    sealed_secret = models.TextField(editable=False)
    origin = models.CharField(_("origin of its leads"), max_length=50)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.ENGLISH)
    owner_rule = models.CharField(_("who gets its leads"), max_length=6, choices=OwnerRule, default=OwnerRule.RULES)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(_("open"), default=True)
    created_at = models.DateTimeField(_("made on"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(owner_rule__in=OwnerRule.values), name="hook_owner_rule_known"),
        ]

    def __str__(self) -> str:
        return self.name


class HookDelivery(models.Model):
    """One message posted by a program, remembered once by its idempotency key; the same key with another text is refused."""

    hook = models.ForeignKey(InboundHook, on_delete=models.CASCADE, related_name="deliveries")
    key = models.CharField(_("idempotency key"), max_length=255)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of what was posted."))
    received_at = models.DateTimeField(_("received"))
    lead = models.ForeignKey("crm.Lead", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    refusal = models.CharField(_("why refused"), max_length=500, blank=True)
    body = models.JSONField(_("what was posted"), default=dict, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["hook", "key"], name="hook_delivery_once")]
        indexes = [models.Index(fields=["hook", "-received_at"], name="hook_delivery_latest")]

    def __str__(self) -> str:
        return f"{self.hook} {self.key}"


class AssignmentRule(models.Model):
    """Who gets a lead like this: the first rule in order whose every condition holds. An empty condition always holds; without a rule that fits,
    a lead goes by turns to all SDRs."""

    position = models.PositiveSmallIntegerField(_("position"), default=0)
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True)
    sector = models.CharField(_("sector"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    origin = models.CharField(_("origin"), max_length=50, blank=True)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="assignment_rules", verbose_name=_("team")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="assignment_rules",
        verbose_name=_("SDR"),
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("rule of assignment")
        verbose_name_plural = _("rules of assignment")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(team__isnull=False, user__isnull=True) | Q(team__isnull=True, user__isnull=False),
                name="assignment_rule_team_or_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.team or self.user}"
