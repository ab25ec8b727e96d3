"""The people who work with Kring, their teams, and when they work."""

from __future__ import annotations

from datetime import time
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
from django.utils.translation import gettext_lazy as _

from crm.clock import MONDAY_TO_FRIDAY, WorkCalendar


class Role(models.TextChoices):
    SDR = "sdr", _("SDR")
    ACCOUNT_MANAGER = "account_manager", _("Account manager")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    DUTCH = "nl", _("Dutch")


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

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="user_external_id_once"),
            models.CheckConstraint(condition=Q(is_active=False) | Q(email__isnull=False), name="user_active_has_email"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=Q(work_end__gt=F("work_start")), name="user_day_ends_after_start"),
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

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def calendar(self) -> WorkCalendar:
        """When this user works; holidays are those of the team's country, else of the organisation's. Reads `team`."""
        country = self.team.country if self.team_id and self.team else settings.COUNTRY
        return WorkCalendar(
            self.time_zone, country, tuple(self.working_days) or MONDAY_TO_FRIDAY, self.work_start, self.work_end
        )
