"""Whom we leave in peace: what people asked of us, what registers say, and how fast we may come back to everybody else."""

from __future__ import annotations

from datetime import datetime, time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.models.people import Person, PhoneNumber


class Scope(models.TextChoices):
    """What is not to be done."""

    CALL = "call", _("do not call")
    MAIL = "mail", _("do not mail")
    CONTACT = "contact", _("do not contact at all")


class DoNotContactQuerySet(models.QuerySet["DoNotContact"]):
    def standing(self) -> DoNotContactQuerySet:
        """Those that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)


class DoNotContact(models.Model):
    """One wish to be left in peace, of a person, or for one number or one address whoever has it; with its reason, source and date.

    Lifting it keeps the row, with who did so and why.
    """

    scope = models.CharField(_("what"), max_length=7, choices=Scope)
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, blank=True, related_name="do_not_contact", verbose_name=_("who")
    )
    number = models.CharField(_("number"), max_length=16, blank=True)
    address = models.EmailField(_("address"), blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    source = models.CharField(_("how we know"), max_length=200)
    since = models.DateField(_("since"))
    made_at = models.DateTimeField(_("noted on"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    lifted_at = models.DateTimeField(_("lifted on"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lifted_why = models.CharField(_("why it was lifted"), max_length=300, blank=True)

    objects = DoNotContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("wish to be left in peace")
        verbose_name_plural = _("wishes to be left in peace")
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="do_not_contact_scope_known"),
            models.CheckConstraint(
                condition=Q(person__isnull=False, number="", address="")
                | (Q(person__isnull=True, address="") & ~Q(number=""))
                | (Q(person__isnull=True, number="") & ~Q(address="")),
                name="do_not_contact_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="do_not_contact_address_lower"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_why="") | (Q(lifted_at__isnull=False) & ~Q(lifted_why="")),
                name="do_not_contact_lifted_with_why",
            ),
            models.UniqueConstraint(
                fields=["scope", "person", "number", "address"],
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="do_not_contact_once",
            ),
        ]
        indexes = [
            models.Index(fields=["person"], condition=Q(lifted_at__isnull=True), name="do_not_contact_person"),
            models.Index(
                fields=["number"], condition=Q(lifted_at__isnull=True) & ~Q(number=""), name="do_not_contact_number"
            ),
            models.Index(
                fields=["address"], condition=Q(lifted_at__isnull=True) & ~Q(address=""), name="do_not_contact_address"
            ),
            models.Index(F("made_at").desc(), F("id").desc(), name="do_not_contact_by_made"),
        ]

    def __str__(self) -> str:
        return f"{self.person or self.number or self.address}: {self.get_scope_display()}"

    @property
    def readable(self) -> str:
        """The number as people write it, or the address; empty for a wish about a person."""
        return PhoneNumber(number=self.number).readable if self.number else self.address


class Register(models.Model):
    """A list of numbers or addresses that a file brought, such as a national do-not-call-me register. Loading it again replaces its entries.

    One that is older than `allowed_days` still refuses what it holds, and warns that it may lack who signed up since.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    scope = models.CharField(_("what it forbids"), max_length=7, choices=Scope, default=Scope.CALL)
    source = models.CharField(_("where it comes from"), max_length=200, blank=True)
    allowed_days = models.PositiveSmallIntegerField(
        _("days it may be old"), default=31, help_text=_("Then Kring asks for a newer file.")
    )
    loaded_at = models.DateTimeField(_("loaded on"))
    entries_count = models.PositiveIntegerField(_("entries"), default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("register")
        verbose_name_plural = _("registers")
        constraints = [models.CheckConstraint(condition=Q(scope__in=Scope.values), name="register_scope_known")]

    def __str__(self) -> str:
        return self.name

    def days_old(self, at: datetime) -> int:
        return (at - self.loaded_at).days

    def is_old(self, at: datetime) -> bool:
        return self.days_old(at) > self.allowed_days


class RegisterEntry(models.Model):
    """One telephone number (E.164) or one address (lower case) of a register."""

    register = models.ForeignKey(Register, on_delete=models.CASCADE, related_name="entries")
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["value", "register"], name="register_entry_once")]

    def __str__(self) -> str:
        return self.value

    @property
    def readable(self) -> str:
        return PhoneNumber(number=self.value).readable


def after_attempts() -> list[int]:
    return [2, 4, 7, 14]


class PacingPolicy(models.Model):
    """How fast we may come back to somebody: one row, whose numbers an administrator sets. Days are working days."""

    information_days = models.PositiveSmallIntegerField(
        _("after we sent information"),
        default=3,
        help_text=_("Working days. Who asked for something to read reads it first."),
    )
    attempt_days = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("after tries without an answer"),
        default=after_attempts,
        help_text=_(
            "Working days after the first try, the second, and so on; the last number holds for all that follow."
        ),
    )
    colleague_days = models.PositiveSmallIntegerField(
        _("between two colleagues"),
        default=2,
        help_text=_("Days in which one person hears from one of us only, unless they wrote."),
    )
    quiet_from = models.TimeField(_("quiet from"), default=time(20), help_text=_("In their own time zone, for calls."))
    quiet_until = models.TimeField(_("quiet until"), default=time(8))
    keeps_holidays = models.BooleanField(_("no calls on Sundays and public holidays of their country"), default=True)
    changed_at = models.DateTimeField(_("changed on"), null=True, blank=True)

    class Meta:
        verbose_name = _("pacing")
        verbose_name_plural = _("pacing")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="pacing_policy_is_one"),
            models.CheckConstraint(condition=~Q(quiet_from=F("quiet_until")), name="pacing_policy_quiet_hours"),
        ]

    def __str__(self) -> str:
        return str(_("pacing"))

    @classmethod
    def current(cls) -> PacingPolicy:
        """The numbers that hold now; the defaults when nobody has set them."""
        return cls._default_manager.filter(pk=1).first() or cls(pk=1)
