"""Companies: a name, a domain, their numbers, and whether they ordered."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now, Upper
from django.utils.translation import gettext_lazy as _
from stdnum import exceptions as stdnum_errors
from stdnum.eu import vat

from crm.models.contact import Contacted
from crm.models.plain import plain_column
from crm.models.selections import OrganisationWords

NO_WORDS = models.Value([], output_field=ArrayField(models.CharField(max_length=50)))
"""The default of a column of words, for rows that one statement writes many of."""


class Tier(models.TextChoices):
    """How close we want to stay. The intervals of each tier stand with the keep-in-touch rule."""

    A = "A", _("A · closest")
    B = "B", _("B · close")
    C = "C", _("C · in sight")


validate_kvk = RegexValidator(r"^[0-9]{8}$", _("A KvK number has eight digits, leading zeros included."))
"""KvK numbers carry no check digit, so their form is all that can be checked."""


def validate_vat(value: str) -> None:
    try:
        vat.validate(value)
    except stdnum_errors.ValidationError as error:
        raise ValidationError(
            _("“%(value)s” is not a European VAT number, such as BE0428759497."), params={"value": value}
        ) from error


class OrganisationQuerySet(OrganisationWords, models.QuerySet["Organisation"]):
    def customers(self) -> OrganisationQuerySet:
        """Those that have ordered at least once."""
        return self.filter(customer_since__isnull=False)

    def for_page(self) -> OrganisationQuerySet:
        return self.select_related("owner", "owner__team", "last_contact__by", "last_reply__by")


class Organisation(Contacted):
    """A company. Known by its domain when mail or a form arrives; a customer from its first order on."""

    name = models.CharField(_("name"), max_length=200)
    plain_name = plain_column("name")
    domain = models.CharField(
        _("domain"), max_length=253, blank=True, help_text=_("As in their e-mail addresses, without www.")
    )
    kvk_number = models.CharField(_("KvK number"), max_length=8, blank=True, validators=[validate_kvk])
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True, validators=[validate_vat])
    sector = models.CharField(_("sector"), max_length=100, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True, db_default="")
    country = models.CharField(_("country"), max_length=2, blank=True)
    tags = ArrayField(
        models.CharField(max_length=50), verbose_name=_("tags"), default=list, db_default=NO_WORDS, blank=True
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="organisations",
        verbose_name=_("owner"),
    )
    customer_since: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("customer since"), null=True, blank=True, editable=False
    )
    external_id = models.CharField(_("id in an imported file"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("made on"), db_default=Now(), editable=False)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=~Q(domain=""), name="organisation_domain_once"),
            models.CheckConstraint(condition=Q(domain=Lower("domain")), name="organisation_domain_lower"),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="organisation_external_id_once"
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="organisation_by_name"),
            models.Index(fields=["kvk_number"], condition=~Q(kvk_number=""), name="organisation_by_kvk"),
            models.Index(fields=["vat_number"], condition=~Q(vat_number=""), name="organisation_by_vat"),
            models.Index(F("last_contact_at").asc(nulls_first=True), "id", name="organisation_by_last_contact"),
            GinIndex(fields=["tags"], name="organisation_tags"),
            models.Index(
                F("customer_since").desc(), condition=Q(customer_since__isnull=False), name="organisation_customers"
            ),
            models.Index(Upper("name"), name="organisation_by_upper_name"),
            GinIndex(OpClass("plain_name", name="gin_trgm_ops"), name="organisation_plain_name_trgm"),
        ]

    def __str__(self) -> str:
        return self.name
