"""The fields of a form, made from what it asks: plain values in, and a Django field for each. No database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from crm import notation
from crm.refusal import Refused

MOST = {"name": 150, "email": 254, "phone": 40, "organisation": 200, "job": 150, "postcode": 20, "message": 5000}
"""Letters of each field."""
MOST_ANSWER = 500
NEAR = ("BE", "NL", "LU", "DE", "FR", "GB")
"""The countries that stand first."""
NO_COUNTRY = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})
"""Two letters that name something else."""
REPLIES = (("yes", gettext_lazy("Yes")), ("partly", gettext_lazy("Partly")), ("no", gettext_lazy("No")))
MOST_RADIOS = 7
"""A longer choice is a list that opens."""


@dataclass(frozen=True)
class Asked:
    """One thing that a form asks: its name in the form, its kind, and how. Of a question its `key`, how it is answered, and of a choice the
    `options`."""

    name: str
    kind: str
    label: str
    is_required: bool = False
    key: str = ""
    answered_by: str = ""
    options: tuple[str, ...] = ()


def countries(language: str) -> list[tuple[str, str]]:
    """Codes and names of countries, those near us first, for a choice."""
    names = _names(language)
    near = [(code, names[code]) for code in NEAR]
    rest = sorted(
        ((code, name) for code, name in names.items() if code not in NEAR), key=lambda pair: pair[1].casefold()
    )
    return near + rest


def field_for(asked: Asked) -> forms.Field:
    """The field in which this is answered, in the language that is spoken now."""
    if asked.key:
        return _answer(asked)
    if asked.kind == "email":
        return _with(forms.EmailField(max_length=MOST["email"]), autocomplete="email")
    if asked.kind == "phone":
        number = _with(PhoneField(max_length=MOST["phone"]), autocomplete="tel")
        number.help_text = _("With its country code, such as +32 15 12 34 56.")
        number.widget.input_type = "tel"
        return number
    if asked.kind == "country":
        choices = [("", ""), *countries(get_language() or "en")]
        return _with(CountryField(choices=choices, required=False), autocomplete="country")
    if asked.kind == "message":
        return forms.CharField(max_length=MOST["message"], widget=forms.Textarea(attrs={"rows": 5}))
    words = {"name": "name", "organisation": "organization", "job": "organization-title", "postcode": "postal-code"}
    return _with(forms.CharField(max_length=MOST[asked.kind]), autocomplete=words[asked.kind])


def _answer(asked: Asked) -> forms.Field:
    if asked.answered_by == "yes_no":
        return forms.ChoiceField(choices=REPLIES, widget=forms.RadioSelect)
    if asked.answered_by == "scale":
        made = forms.ChoiceField(
            choices=[(str(number), str(number)) for number in range(1, 6)], widget=forms.RadioSelect
        )
        made.help_text = _("From 1, not at all, to 5, fully.")
        return made
    if asked.answered_by == "choice":
        options = [(label, label) for label in asked.options]
        if len(options) > MOST_RADIOS:
            return forms.ChoiceField(choices=[("", ""), *options])
        return forms.ChoiceField(choices=options, widget=forms.RadioSelect)
    if asked.answered_by == "number":
        return NumberField(max_digits=14, decimal_places=2)
    return forms.CharField(max_length=MOST_ANSWER, widget=forms.Textarea(attrs={"rows": 3}))


class PhoneField(forms.CharField):
    """A telephone number, kept as it was typed."""

    def clean(self, value: Any) -> str:
        said: str = super().clean(value)
        try:
            if said:
                notation.parse_phone(said)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return said


class NumberField(forms.DecimalField):
    """A number, kept as scoring reads it: with a point, and no more digits than it has."""

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        if number is None:
            return ""
        text = f"{number:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class CountryField(forms.ChoiceField):
    """A country by its code; its name in one of our languages is read, too, since a plain form has a line for it."""

    def to_python(self, value: Any) -> str:
        said = str(value or "").strip()
        return _codes().get(said.casefold(), said) if len(said) <= 60 else said


def _with(made: Any, **attrs: str) -> Any:
    made.widget.attrs |= attrs
    return made


@lru_cache(maxsize=4)
def _names(language: str) -> dict[str, str]:
    names = Locale.parse(language).territories
    return {
        code: str(name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    }


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """The code of a country by its code or name in any case."""
    codes = {name.casefold(): code for language in ("nl", "en") for code, name in _names(language).items()}
    return codes | {code.casefold(): code for code in _names("en")}
