"""Forms in the look of Kring: label, hint, field and what is wrong with it, tied together for eyes and screen readers.

`KringRenderer` is the project's FORM_RENDERER, so every form (ours, the scorecard's, the account pages') looks this way
without doing anything; `{{ form }}` writes all fields and `{{ form.name.as_field_group }}` one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext as _

from crm.refusal import Refused

T = TypeVar("T")
CHECKS = (forms.CheckboxInput,)
LISTS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


class KringBoundField(BoundField):
    """A field that wears the style sheet's classes."""

    @property
    def is_list(self) -> bool:
        return isinstance(self.field.widget, LISTS)

    @property
    def is_check(self) -> bool:
        return isinstance(self.field.widget, CHECKS)

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        if widget.is_hidden:
            return attrs
        own = str(attrs.get("class", widget.attrs.get("class", "")))
        classes = [*own.split(), *_classes(widget)]
        if self.form.is_bound and self.errors:
            classes.append("is-invalid")
        attrs["class"] = " ".join(dict.fromkeys(classes))
        return attrs


class KringRenderer(TemplatesSetting):
    form_template_name = "crm/forms/form.html"
    field_template_name = "crm/forms/field.html"
    bound_field_class = KringBoundField


class DateInput(forms.DateInput):
    """The browser's own date field, which wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class DateTimeInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


def within_reason(value: date) -> None:
    """A day with which can be reckoned: what lies at the end of the calendar has no day after it."""
    if not 1900 <= value.year <= 2200:
        raise ValidationError(_("Choose a day between the years 1900 and 2200."))


NATIVE: dict[type[forms.Widget], Callable[[], forms.Widget]] = {
    forms.DateInput: DateInput,
    forms.TimeInput: TimeInput,
    forms.DateTimeInput: DateTimeInput,
}


class _Kring:
    """Dates and times by the browser's own fields, and a verb's refusal shown where the form is."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.make_native()

    def make_native(self) -> None:
        """Fields that a form adds by itself call for this once more."""
        for field in self.fields.values():
            if isinstance(field, forms.DateField | forms.DateTimeField) and within_reason not in field.validators:
                field.validators.append(within_reason)
            native = NATIVE.get(type(field.widget))
            if native is not None:
                attrs = field.widget.attrs
                field.widget = native()
                field.widget.attrs.update(attrs)
                field.widget.is_required = field.required

    def parsed(self, name: str, parse: Callable[[Any], T]) -> T:
        """What `parse` makes of the cleaned field; what it refuses is said at that field."""
        try:
            return parse(self.cleaned_data[name])  # type: ignore[attr-defined]
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal

    def refuse(self, refusal: Exception) -> None:
        """Show what a verb refused, above the fields. The form is invalid from then on."""
        self.add_error(None, str(refusal))  # type: ignore[attr-defined]


class KringForm(_Kring, forms.Form):
    """A form of a screen. Give `prefix` where a page shows more than one, so that ids stay unique."""


class KringModelForm(_Kring, forms.ModelForm):
    """A form over one row, for settings; acts on nouns go through verbs."""


def _classes(widget: forms.Widget) -> list[str]:
    if isinstance(widget, CHECKS + LISTS):
        return ["form-check-input"]
    if isinstance(widget, forms.Select):
        return ["form-select"]
    return ["form-control"]
