"""The words by which lists select people and organisations, the same for a filter, a column and a file: their ring, their country, whether they
are left in peace. Each is a selection of the database and asks about all rows at once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext_lazy as _

Rows = TypeVar("Rows", bound=QuerySet[Any])


class Ring(models.TextChoices):
    """How near somebody stands to us; the nearest that holds."""

    ADVOCATE = "advocate", _("advocate")
    CUSTOMER = "customer", _("customer")
    PROSPECT = "prospect", _("prospect")
    KNOWN = "known", _("known")


def _all(noun: str) -> QuerySet[Any]:
    """The rows of a noun that stands on the ones selected here, and so cannot be imported."""
    return apps.get_model("crm", noun)._default_manager.order_by()


def _jobs() -> QuerySet[Any]:
    return _all("Position").filter(person=OuterRef("pk"), ended_on__isnull=True)


def _rings() -> dict[Ring, Q]:
    """What makes somebody of each ring, nearest first; who is of none is known."""
    about = {"person": OuterRef("pk")}
    return {
        Ring.ADVOCATE: Q(Exists(_all("Advocate").filter(**about))),
        Ring.CUSTOMER: Q(Exists(_jobs().filter(organisation__customer_since__isnull=False))),
        Ring.PROSPECT: Exists(_all("Lead").filter(**about)) | Exists(_all("Deal").filter(**about)),
    }


def _barred(scope: str) -> Q:
    scopes = {scope, "contact"}
    wishes = _all("DoNotContact").filter(lifted_at__isnull=True, scope__in=scopes)
    who = Q(Exists(wishes.filter(person=OuterRef("pk"))))
    for noun, value, of in (("PhoneNumber", "number", "call"), ("EmailAddress", "address", "mail")):
        if scope != of:
            continue
        listed = _all("RegisterEntry").filter(value=OuterRef(value), register__scope__in=scopes)
        points = _all(noun).filter(
            Q(**{f"{value}__in": wishes.exclude(**{value: ""}).values(value)}) | Q(Exists(listed))
        )
        who |= Q(pk__in=points.values("person"))
    return who


def filled(rows: Rows, *columns: str) -> Rows:
    """With `<column>_or_none`: nothing where the text is empty, so that an order can put those last."""
    return rows.annotate(**{f"{name}_or_none": NullIf(name, Value("")) for name in columns})


class ContactedWords(QuerySet[Any]):
    """Words that people and organisations share."""

    def never_contacted(self) -> Any:
        return self.filter(last_contact_at__isnull=True)

    def not_contacted_since(self, moment: datetime) -> Any:
        """Whose last contact lies before `moment`; never is before anything."""
        return self.filter(Q(last_contact_at__lt=moment) | Q(last_contact_at__isnull=True))

    def possibly_twice(self) -> Any:
        """Those that look like another row, while nobody has said that they are not."""
        pairs = _all("PossibleDuplicate").filter(kind=self.model._meta.model_name, dismissed_at__isnull=True)
        return self.filter(Q(pk__in=pairs.values("first_id")) | Q(pk__in=pairs.values("second_id")))


class PersonWords(ContactedWords):
    def in_ring(self, ring: Ring | str) -> Any:
        rows = self
        for nearer, holds in _rings().items():
            if nearer == ring:
                return rows.filter(holds)
            rows = rows.filter(~holds)
        return rows

    def with_ring(self) -> Any:
        """Adds `ring`."""
        whens = [When(holds, then=Value(ring.value)) for ring, holds in _rings().items()]
        return self.annotate(
            ring=Case(*whens, default=Value(Ring.KNOWN.value), output_field=models.CharField(max_length=8))
        )

    def with_country(self) -> Any:
        """Adds `country_here`: their own country, else that of the organisation of their main job; None when neither is known."""
        work = _jobs().order_by("-is_main", "id").values("organisation__country")[:1]
        return self.annotate(
            country_here=Coalesce(NullIf("country", Value("")), NullIf(Subquery(work), Value(""))),
        )

    def in_country(self, code: str) -> Any:
        """Those of whom `with_country` would say this country; looked up for all at once, and not person by person."""
        jobs = _all("Position").filter(ended_on__isnull=True)
        main = jobs.order_by("person", "-is_main", "id").distinct("person").values("pk")
        there = jobs.filter(pk__in=main, organisation__country=code).values("person")
        return self.filter(Q(country=code) | Q(country="", pk__in=there))

    def with_next_follow_up(self) -> Any:
        """Adds `next_follow_up_at`: when the first thing to do for them is shown; None when there is none."""
        waiting = _all("FollowUp").filter(person=OuterRef("pk"), closed_at__isnull=True)
        return self.annotate(next_follow_up_at=Subquery(waiting.order_by("show_at").values("show_at")[:1]))

    def barred(self, scope: str) -> Any:
        """Whom we leave in peace, by a wish that stands or a register: they themselves or, for `call` and `mail`, a number or address they have."""
        return self.filter(_barred(scope))

    def not_barred(self, scope: str) -> Any:
        """All others."""
        return self.filter(~_barred(scope))

    def not_before_after(self, today: date) -> Any:
        """Who asked to be left alone until a day that is still to come."""
        return self.filter(not_before__gt=today)

    def unconfirmed(self) -> Any:
        """With a number or address that a stranger's message gave and nobody has confirmed."""
        about = {"person": OuterRef("pk"), "is_confirmed": False}
        return self.filter(Exists(_all("EmailAddress").filter(**about)) | Exists(_all("PhoneNumber").filter(**about)))


class OrganisationWords(ContactedWords):
    def with_people(self) -> Any:
        """Adds `people_here`: how many hold a position there now."""
        here = _all("Position").filter(organisation=OuterRef("pk"), ended_on__isnull=True).values("organisation")
        number = Subquery(here.annotate(number=models.Count("pk")).values("number"))
        return self.annotate(people_here=Coalesce(number, Value(0)))
