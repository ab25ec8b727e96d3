"""People, the jobs they hold, and how to reach them."""

from __future__ import annotations

import phonenumbers
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Prefetch, Q, Value
from django.db.models.expressions import Expression
from django.db.models.functions import Concat, Lower, Now, Trim, Upper
from django.utils.translation import gettext_lazy as _

from crm.models.contact import Contacted, ConversationKind
from crm.models.organisations import NO_WORDS, Organisation, Tier
from crm.models.plain import plain_column
from crm.models.selections import PersonWords
from crm.models.users import Language, validate_time_zone
from crm.notation import Name


class Salutation(models.TextChoices):
    """How a letter addresses them; empty means by their given name."""

    MR = "mr", _("Mr")
    MS = "ms", _("Ms")


class LawfulBasis(models.TextChoices):
    """Why we may keep and use somebody's data: the six grounds of article 6(1) of the General Data Protection Regulation (EU) 2016/679."""

    CONSENT = "consent", _("They agreed to it")
    CONTRACT = "contract", _("A contract with them, or on the way to one")
    LEGAL = "legal", _("The law asks it of us")
    VITAL = "vital", _("Somebody's life depends on it")
    PUBLIC = "public", _("A task in the public interest")
    INTEREST = "interest", _("Our legitimate interest, weighed against theirs")


class ContactPointKind(models.TextChoices):
    WORK = "work", _("work")
    MOBILE = "mobile", _("mobile")
    PRIVATE = "private", _("private")
    OTHER = "other", _("other")


class PersonQuerySet(PersonWords, models.QuerySet["Person"]):
    def for_list(self) -> PersonQuerySet:
        """With the current positions and addresses that a row of a list shows."""
        return self.select_related("owner").prefetch_related(
            Prefetch(
                "positions",
                queryset=Position.objects.current().select_related("organisation"),
                to_attr="current_positions",
            ),
            "email_addresses",
            "phone_numbers",
        )

    def advocates(self) -> PersonQuerySet:
        return self.filter(advocate__isnull=False)


def _full_name() -> Expression:
    """Given name, particle and family name with one space between those that are filled in."""
    return Trim(
        models.Func(
            Concat(F("given_name"), Value(" "), F("particle"), Value(" "), F("family_name")),
            Value(" +"),
            Value(" "),
            Value("g"),
            function="REGEXP_REPLACE",
        )
    )


class Person(Contacted):
    """A human. A person may hold several positions over time and belongs to no single organisation."""

    given_name = models.CharField(_("given name"), max_length=100, blank=True)
    particle = models.CharField(
        _("particle"), max_length=30, blank=True, help_text=_("Such as van der or de; it does not count when sorting.")
    )
    family_name = models.CharField(_("family name"), max_length=100, blank=True)
    full_name = models.GeneratedField(
        expression=_full_name(), output_field=models.CharField(max_length=240), db_persist=True
    )
    plain_name = plain_column(_full_name())
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True)
    interests = ArrayField(models.CharField(max_length=50), verbose_name=_("talk about"), default=list, blank=True)
    tags = ArrayField(
        models.CharField(max_length=50), verbose_name=_("tags"), default=list, db_default=NO_WORDS, blank=True
    )
    salutation = models.CharField(_("addressed as"), max_length=2, choices=Salutation, blank=True, db_default="")
    preferred_channel = models.CharField(
        _("is reached best by"), max_length=5, choices=ConversationKind, blank=True, db_default=""
    )
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        db_default="",
        help_text=_("Empty: that of the organisation where they work."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        db_default="",
        validators=[validate_time_zone],
        help_text=_("Empty: that of their country."),
    )
    not_before = models.DateField(_("not before"), null=True, blank=True)
    not_before_why = models.CharField(_("why not before"), max_length=200, blank=True, db_default="")
    lawful_basis = models.CharField(_("lawful basis"), max_length=8, choices=LawfulBasis, blank=True, db_default="")
    basis_source = models.CharField(_("where that is written"), max_length=200, blank=True, db_default="")
    basis_since = models.DateField(_("since"), null=True, blank=True)
    basis_review_on = models.DateField(_("to be reviewed on"), null=True, blank=True)
    tier = models.CharField(_("tier"), max_length=1, choices=Tier, blank=True)
    note = models.TextField(_("note"), blank=True)
    introduced_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="introduced",
        verbose_name=_("introduced by"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="people",
        verbose_name=_("owner"),
    )
    external_id = models.CharField(_("id in an imported file"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("made on"), db_default=Now(), editable=False)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(condition=~Q(given_name="") | ~Q(family_name=""), name="person_has_a_name"),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="person_external_id_once"
            ),
            models.CheckConstraint(condition=~Q(introduced_by=F("id")), name="person_not_introduced_by_self"),
        ]
        indexes = [
            models.Index(F("last_contact_at").asc(nulls_first=True), "id", name="person_by_last_contact"),
            models.Index(fields=["family_name", "given_name", "id"], name="person_by_name"),
            models.Index(fields=["owner", "tier"], name="person_by_owner_tier"),
            models.Index(
                fields=["basis_review_on"], condition=Q(basis_review_on__isnull=False), name="person_basis_to_review"
            ),
            GinIndex(OpClass("plain_name", name="gin_trgm_ops"), name="person_plain_name_trgm"),
            GinIndex(fields=["tags"], name="person_tags"),
            GinIndex(fields=["interests"], name="person_interests"),
        ]

    def __str__(self) -> str:
        return self.full_name or " ".join(part for part in (self.given_name, self.particle, self.family_name) if part)

    @property
    def name(self) -> Name:
        return Name(self.given_name, self.particle, self.family_name)

    @property
    def surname(self) -> str:
        """As it stands behind *mevrouw*: *Van der Meulen*."""
        return self.name.surname


class PositionQuerySet(models.QuerySet["Position"]):
    def current(self) -> PositionQuerySet:
        """Jobs held now, main one first."""
        return self.filter(ended_on__isnull=True).order_by("-is_main", "id")


class Position(models.Model):
    """The job that a person holds, or held, at an organisation."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="positions")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="positions")
    title = models.CharField(_("title"), max_length=150, blank=True)
    is_main = models.BooleanField(_("main position"), default=True)
    started_on = models.DateField(_("since"), null=True, blank=True)
    ended_on = models.DateField(_("until"), null=True, blank=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation"], condition=Q(ended_on__isnull=True), name="position_current_once"
            ),
            models.CheckConstraint(
                condition=Q(started_on__isnull=True) | Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="position_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.organisation}" if self.title else str(self.organisation)


class EmailAddress(models.Model):
    """An address at which a person reads mail, in lower case. Two people may share one; recognition takes the one known longest."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="email_addresses")
    address = models.EmailField(_("address"))
    kind = models.CharField(
        _("kind"), max_length=7, choices=ContactPointKind, default=ContactPointKind.WORK, db_default="work"
    )
    is_preferred = models.BooleanField(_("preferred"), default=False)
    is_confirmed = models.BooleanField(
        _("confirmed"), default=True, db_default=True, help_text=_("Not yet when a stranger's message gave it.")
    )
    bounced_at = models.DateTimeField(_("mail came back"), null=True, blank=True)
    bounce_why = models.CharField(_("why it came back"), max_length=300, blank=True, db_default="")

    class Meta:
        verbose_name = _("e-mail address")
        verbose_name_plural = _("e-mail addresses")
        ordering = ["-is_preferred", "id"]
        constraints = [
            models.UniqueConstraint(fields=["address", "person"], name="email_address_once_per_person"),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="email_address_lower"),
        ]
        indexes = [
            GinIndex(OpClass(Upper("address"), name="gin_trgm_ops"), name="email_address_trgm"),
            models.Index(
                models.Func(F("address"), Value("@"), Value(2), function="SPLIT_PART"), name="email_address_by_domain"
            ),
        ]

    def __str__(self) -> str:
        return self.address


class PhoneNumber(models.Model):
    """A telephone number in E.164 notation, such as +3215123456."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="phone_numbers")
    number = models.CharField(_("number"), max_length=16)
    kind = models.CharField(
        _("kind"), max_length=7, choices=ContactPointKind, default=ContactPointKind.WORK, db_default="work"
    )
    is_preferred = models.BooleanField(_("preferred"), default=False)
    is_confirmed = models.BooleanField(
        _("confirmed"), default=True, db_default=True, help_text=_("Not yet when a stranger's message gave it.")
    )

    class Meta:
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")
        ordering = ["-is_preferred", "id"]
        constraints = [
            models.UniqueConstraint(fields=["number", "person"], name="phone_number_once_per_person"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{5,14}$"), name="phone_number_e164"),
        ]
        indexes = [GinIndex(OpClass("number", name="gin_trgm_ops"), name="phone_number_trgm")]

    def __str__(self) -> str:
        return self.number

    @property
    def readable(self) -> str:
        """As people write it: +32 15 12 34 56."""
        try:
            number = phonenumbers.parse(self.number, None)
        except phonenumbers.NumberParseException:
            return self.number
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


class Acquaintance(models.Model):
    """Two people know each other, and how. Written once for both: whoever is `person` and whoever is `other` means nothing."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acquaintances")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acquaintances_of")
    how = models.CharField(_("how they know each other"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("noted on"))

    class Meta:
        verbose_name = _("acquaintance")
        verbose_name_plural = _("acquaintances")
        constraints = [
            models.UniqueConstraint(fields=["person", "other"], name="acquaintance_once"),
            models.CheckConstraint(condition=~Q(person=F("other")), name="acquaintance_not_of_self"),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.other}"
