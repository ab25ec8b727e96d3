"""A form as it is shown: what it asks in a language. Reads only."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy

from crm.channels.web_fields import Asked
from crm.models import CaptureForm, FieldKind, FormField
from crm.models.users import Language
from qualification.models import Criterion, CriterionKind, Scorecard

LABELS = {
    FieldKind.NAME: gettext_lazy("Your name"),
    FieldKind.EMAIL: gettext_lazy("Your e-mail address"),
    FieldKind.PHONE: gettext_lazy("Your phone number"),
    FieldKind.ORGANISATION: gettext_lazy("Your organisation"),
    FieldKind.JOB: gettext_lazy("What do you do there?"),
    FieldKind.POSTCODE: gettext_lazy("Your postcode"),
    FieldKind.COUNTRY: gettext_lazy("Your country"),
    FieldKind.MESSAGE: gettext_lazy("What would you like to know?"),
}
"""How a form asks when nobody wrote other words."""


def questions() -> QuerySet[Criterion]:
    """What the scorecards in use ask prospects, in their order."""
    return (
        Criterion.objects.filter(scorecard__in=list(Scorecard.objects.current()), asks_prospect=True)
        .select_related("scorecard")
        .order_by("scorecard__name", "position", "id")
    )


def asked(form: CaptureForm, language: str) -> list[Asked]:
    """What the form asks in that language, in order. A question that is asked no more is left out."""
    fields = list(form.form_fields.order_by("position", "id"))
    keys = [field.criterion_key for field in fields if field.criterion_key]
    known = {row.key: row for row in questions().filter(key__in=keys).prefetch_related("options")} if keys else {}
    with translation.override(language):
        shown = [_asked(field, known.get(field.criterion_key), language) for field in fields]
    return [one for one in shown if one is not None]


def _asked(field: FormField, criterion: Criterion | None, language: str) -> Asked | None:
    own = field.label_nl if language == Language.DUTCH else field.label_en
    if field.kind != FieldKind.QUESTION:
        return Asked(field.kind, field.kind, own or str(LABELS[FieldKind(field.kind)]), field.is_required)
    if criterion is None:
        return None
    options: tuple[str, ...] = ()
    if criterion.kind == CriterionKind.CHOICE:
        options = tuple(
            option.label for option in sorted(criterion.options.all(), key=lambda row: (row.position, row.pk))
        )
    return Asked(
        f"question-{criterion.key}",
        field.kind,
        own or criterion.prospect_question or criterion.question,
        field.is_required,
        key=criterion.key,
        answered_by=criterion.kind,
        options=options,
    )
