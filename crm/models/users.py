"""The people who work with Kring, their teams, and when they work."""

from __future__ import annotations

from datetime import date, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.clock import MONDAY_TO_FRIDAY, WorkCalendar, zone_named


class Role(models.TextChoices):
    SDR = "sdr", _("SDR")
    ACCOUNT_MANAGER = "account_manager", _("Account manager")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    DUTCH = "nl", _("Dutch")


NO_WORDS = models.Value([], output_field=ArrayField(models.CharField(max_length=100)))
"""The default of a column of words, for rows that one statement writes many of."""


def working_week() -> list[int]:
    return list(MONDAY_TO_FRIDAY)


def organisation_time_zone() -> str:
    return settings.TIME_ZONE


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(
            _("“%(value)s” is not a time zone. Use a name such as Europe/Brussels."), params={"value": value}
        )


class Team(models.Model):
    """A group of users who work for each other: a member may write what a team mate owns."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    country = models.CharField(_("country of its holidays"), max_length=2, default="BE")
    working_days = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("working days"),
        default=working_week,
        help_text=_("Monday is 0."),
    )
    work_start = models.TimeField(_("working day starts"), default=time(9))
    work_end = models.TimeField(_("working day ends"), default=time(17, 30))
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=organisation_time_zone, validators=[validate_time_zone]
    )
    closed_days = ArrayField(
        models.DateField(),
        verbose_name=_("days closed besides"),
        default=list,
        blank=True,
        help_text=_("Besides the public holidays of its country."),
    )
    first_answer_minutes = models.PositiveSmallIntegerField(
        _("working minutes to the first answer"), default=60, help_text=_("An hour, as Harvard Business Review found.")
    )
    hand_off_hours = models.PositiveSmallIntegerField(_("working hours to answer a hand-off"), default=4)
    untouched_days = models.PositiveSmallIntegerField(_("days until an untouched lead returns"), default=7)
    office_address = models.CharField(_("address of the office"), max_length=200, blank=True)
    office_postcode = models.CharField(_("postcode of the office"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(work_end__gt=F("work_start")), name="team_day_ends_after_start"),
            models.CheckConstraint(
                condition=Q(first_answer_minutes__gte=1, hand_off_hours__gte=1, untouched_days__gte=1),
                name="team_clocks_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def calendar(self) -> WorkCalendar:
        """When the team works."""
        return WorkCalendar(
            self.time_zone,
            self.country,
            tuple(self.working_days) or MONDAY_TO_FRIDAY,
            self.work_start,
            self.work_end,
            frozenset(self.closed_days),
        )


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields.setdefault("role", Role.ADMIN)
        fields.setdefault("name", email.partition("@")[0])
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def active(self) -> models.QuerySet[User]:
        """Those who can log in and may be given work."""
        return self.filter(is_active=True)

    def account_managers(self) -> models.QuerySet[User]:
        """Those to whom a lead can be handed off, by name."""
        return self.active().filter(role=Role.ACCOUNT_MANAGER).order_by("name", "id")


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who works with Kring. Sellers known only from an imported file are inactive users without an e-mail address and cannot log in."""

    email = models.EmailField(_("e-mail address"), null=True, blank=True, unique=True)
    name = models.CharField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.SDR)
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.ENGLISH)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=organisation_time_zone, validators=[validate_time_zone]
    )
    working_days = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("working days"),
        default=working_week,
        help_text=_("Monday is 0."),
    )
    work_start = models.TimeField(_("working day starts"), default=time(9))
    work_end = models.TimeField(_("working day ends"), default=time(17, 30))
    takes_leads = models.BooleanField(_("gets leads by turns"), default=True, db_default=True)
    lead_capacity = models.PositiveSmallIntegerField(_("new leads in 30 days, at most"), default=30, db_default=30)
    sectors = ArrayField(
        models.CharField(max_length=100),
        verbose_name=_("sectors they know"),
        default=list,
        db_default=NO_WORDS,
        blank=True,
    )
    interests = ArrayField(
        models.CharField(max_length=50),
        verbose_name=_("likes to talk about"),
        default=list,
        db_default=NO_WORDS,
        blank=True,
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        _("breathing space around appointments, in minutes"), default=15, db_default=15
    )
    most_appointments = models.PositiveSmallIntegerField(_("appointments a day, at most"), default=4, db_default=4)
    notice_hours = models.PositiveSmallIntegerField(_("hours of notice before an appointment"), default=4, db_default=4)
    most_follow_ups = models.PositiveSmallIntegerField(_("follow-ups a day, at most"), default=12, db_default=12)
    gets_digest = models.BooleanField(_("a mail each working morning"), default=True, db_default=True)
    digest_at = models.TimeField(_("at what time"), default=time(8), db_default=time(8))
    feed_key = models.CharField(
        _("key of the calendar feed"), max_length=64, null=True, blank=True, unique=True, editable=False
    )
    mail_signature = models.TextField(_("signature under mail"), blank=True)
    forward_key = models.CharField(
        _("key of the forwarding address"), max_length=32, null=True, blank=True, unique=True, editable=False
    )
    external_id = models.CharField(_("id in an imported file"), max_length=100, blank=True)
    is_active = models.BooleanField(_("can log in"), default=True)
    date_joined = models.DateTimeField(_("joined on"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    unread_notices: list[int] = []  # noqa: RUF012 - filled by the login (`crm.web.accounts`), for the bell of every page.

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="user_external_id_once"),
            models.CheckConstraint(condition=Q(is_active=False) | Q(email__isnull=False), name="user_active_has_email"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=Q(work_end__gt=F("work_start")), name="user_day_ends_after_start"),
            models.CheckConstraint(
                condition=Q(most_appointments__gte=1, most_appointments__lte=50, buffer_minutes__lte=240),
                name="user_agenda_possible",
            ),
            models.CheckConstraint(
                condition=Q(most_follow_ups__gte=1, most_follow_ups__lte=50), name="user_follow_ups_possible"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self).partition(" ")[0]

    @property
    def is_staff(self) -> bool:
        """Whether the configuration pages under /admin/ open."""
        return self.is_active and (self.role == Role.ADMIN or self.is_superuser)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    @property
    def is_leading(self) -> bool:
        """Managers and administrators: they see the whole pipeline and may write every row."""
        return self.role in (Role.MANAGER, Role.ADMIN)

    @cached_property
    def in_place_of(self) -> frozenset[int]:
        """The keys of the colleagues whose work they do today, since those are away and chose them as stand-in, or chose one of whom they do it."""
        away = Absence.objects.on(timezone.localdate()).filter(user__is_active=True, stand_in__isnull=False)
        pairs = list(away.values_list("user", "stand_in"))
        found: set[int] = {self.pk}
        while more := {user for user, stand_in in pairs if stand_in in found} - found:
            found |= more
        return frozenset(found - {self.pk})

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.time_zone)

    @property
    def calendar(self) -> WorkCalendar:
        """When this user works; holidays are those of the team's country, else of the organisation's. Reads `team`."""
        team = self.team if self.team_id else None
        return WorkCalendar(
            self.time_zone,
            team.country if team else settings.COUNTRY,
            tuple(self.working_days) or MONDAY_TO_FRIDAY,
            self.work_start,
            self.work_end,
            frozenset(team.closed_days) if team else frozenset(),
        )


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def on(self, day: date) -> AbsenceQuerySet:
        return self.filter(starts_on__lte=day, ends_on__gte=day)

    def upcoming(self, day: date) -> AbsenceQuerySet:
        """Those that are not over yet on `day`, the next one first."""
        return self.filter(ends_on__gte=day).order_by("starts_on", "id")


class Absence(models.Model):
    """Whole days on which somebody does not work besides their weekends and holidays, first and last included. Nobody gives them new work then."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absences")
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    why = models.CharField(_("why"), max_length=200, blank=True, help_text=_("Colleagues can read it."))
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stands_in",
        verbose_name=_("stand-in"),
    )

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["starts_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="absence_ends_after_start"),
            models.CheckConstraint(
                condition=Q(stand_in__isnull=True) | ~Q(stand_in=F("user")), name="absence_stand_in_is_another"
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_on"], name="absence_by_user")]

    def __str__(self) -> str:
        return f"{self.user} {self.starts_on} – {self.ends_on}"
