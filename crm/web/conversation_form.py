"""What is asked about a conversation: the form in which one is logged, and the one in which it is put right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import logbook
from crm.models import Conversation, ConversationKind, Deal, Direction, Lead, Organisation, Person
from crm.web import access, mentioning
from crm.web.forms import KringForm

PROMISES = ("", "_2", "_3", "_4")
"""So many promises of each side may be noted at once."""


class SaidForm(KringForm):
    """What took place and what was said. Only how and when are asked for; the rest is for those who heard something worth keeping."""

    people: forms.ModelMultipleChoiceField[Person] = forms.ModelMultipleChoiceField(
        label=gettext_lazy("With whom?"), queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How?"),
        choices=ConversationKind.choices,
        initial=ConversationKind.CALL,
        widget=forms.RadioSelect,
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Who spoke?"), choices=Direction.choices, initial=Direction.BOTH, widget=forms.RadioSelect
    )
    when = forms.DateTimeField(label=gettext_lazy("When?"))
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), required=False, min_value=0, max_value=1440)
    summary = forms.CharField(
        label=gettext_lazy("What was said?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )
    learned = forms.CharField(
        label=gettext_lazy("What did I learn?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    quote = forms.CharField(
        label=gettext_lazy("In their own words"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_information = forms.BooleanField(
        label=gettext_lazy("I sent them information"),
        help_text=gettext_lazy("They get the time to read it before we come back."),
        required=False,
    )
    has_learning = forms.BooleanField(label=gettext_lazy("We learned something"), required=False)
    has_gain = forms.BooleanField(label=gettext_lazy("They gained something"), required=False)
    has_next_step = forms.BooleanField(label=gettext_lazy("A next step is agreed by both"), required=False)

    is_journey_interview = forms.BooleanField(
        label=gettext_lazy("We spoke of how they came to buy"),
        help_text=gettext_lazy("What they looked for, whom they asked, what made them decide."),
        required=False,
    )

    SAID: tuple[str, ...] = (
        *("kind", "direction", "when", "minutes", "summary", "learned", "quote"),
        *("is_information", "is_journey_interview", "has_learning", "has_gain", "has_next_step"),
    )

    def __init__(self, *args: Any, people: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mentioning.offer(self, "summary")
        field: Any = self.fields["people"]
        field.queryset = access.people().filter(pk__in=[person.pk for person in people])
        field.choices = [(person.pk, str(person)) for person in people]

    def said(self) -> dict[str, Any]:
        """The values that the verbs take."""
        values = {name: self.cleaned_data[name] for name in self.SAID}
        return values | {"people": list(self.cleaned_data["people"])}


class ConversationForm(SaidForm):
    """A new one, with what was promised and agreed, and who was there whom Kring does not know yet."""

    new_name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=200)
    new_email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    next_step = forms.CharField(label=gettext_lazy("Next step"), required=False, max_length=300)
    next_step_on = forms.DateField(label=gettext_lazy("On"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for side, label in (("ours", _("We promised")), ("theirs", _("They promised"))):
            for number in PROMISES:
                self.fields[f"{side}{number}"] = forms.CharField(label=label, required=False, max_length=300)
                self.fields[f"{side}{number}_due"] = forms.DateField(label=_("By"), required=False)
                self.fields[f"{side}{number}_not_before"] = forms.DateField(label=_("Not before"), required=False)
        self.make_native()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self._promises():
            text, due, rest = cleaned.get(name), cleaned.get(f"{name}_due"), cleaned.get(f"{name}_not_before")
            if text and not due and f"{name}_due" not in self.errors:
                self.add_error(f"{name}_due", _("By which day?"))
            if (due or rest) and not text and name not in self.errors:
                self.add_error(name, _("Say what was promised."))
        if cleaned.get("next_step_on") and not cleaned.get("next_step") and "next_step" not in self.errors:
            self.add_error("next_step", _("Say what you agreed to do next."))
        if cleaned.get("next_step") and not cleaned.get("next_step_on") and "next_step_on" not in self.errors:
            self.add_error("next_step_on", _("On which day?"))
        if cleaned.get("new_email") and not cleaned.get("new_name") and "new_name" not in self.errors:
            self.add_error("new_name", _("What are they called?"))
        return cleaned

    @staticmethod
    def _promises(side: str = "") -> list[str]:
        return [f"{each}{number}" for each in ([side] if side else ["ours", "theirs"]) for number in PROMISES]

    def _rows(self, numbers: tuple[str, ...]) -> list[tuple[Any, Any, Any]]:
        return [
            (self[f"{side}{number}"], self[f"{side}{number}_due"], self[f"{side}{number}_not_before"])
            for number in numbers
            for side in ("ours", "theirs")
        ]

    @property
    def first_promises(self) -> list[tuple[Any, Any, Any]]:
        """One row for each side: what, by when, not before."""
        return self._rows(PROMISES[:1])

    @property
    def more_promises(self) -> list[tuple[Any, Any, Any]]:
        """Further rows, for who promised more."""
        return self._rows(PROMISES[1:])

    @property
    def has_promise(self) -> bool:
        """Whether something was filled in about promises, right or wrong: then that part stands open."""
        return self._has(PROMISES)

    @property
    def has_more_promises(self) -> bool:
        return self._has(PROMISES[1:])

    def _has(self, numbers: tuple[str, ...]) -> bool:
        filled = self.data if self.is_bound else self.initial
        return any(
            filled.get(f"{side}{number}{part}")
            for side in ("ours", "theirs")
            for number in numbers
            for part in ("", "_due", "_not_before")
        )

    @property
    def has_newcomer(self) -> bool:
        filled = self.data if self.is_bound else self.initial
        return any(filled.get(name) for name in ("named", "new_name", "new_email"))

    def promised(self, side: str) -> list[logbook.Promised]:
        said = self.cleaned_data
        return [
            logbook.Promised(said[name], said[f"{name}_due"], said[f"{name}_not_before"])
            for name in self._promises(side)
            if said[name]
        ]

    def said(self) -> dict[str, Any]:
        """The values that `logbook.write` takes."""
        cleaned = self.cleaned_data
        return super().said() | {
            "newcomer": logbook.Newcomer(cleaned["new_name"], cleaned["new_email"]) if cleaned["new_name"] else None,
            "next_step": cleaned["next_step"],
            "next_step_on": cleaned["next_step_on"],
            "ours": self.promised("ours"),
            "theirs": self.promised("theirs"),
        }


class ChangeForm(SaidForm):
    """One that exists: what was said, and where it belongs. `seen` is what it was made from."""

    lead: forms.ModelChoiceField[Lead] = forms.ModelChoiceField(
        label=gettext_lazy("Lead"), queryset=None, required=False, empty_label=gettext_lazy("of no lead")
    )
    deal: forms.ModelChoiceField[Deal] = forms.ModelChoiceField(
        label=gettext_lazy("Deal"), queryset=None, required=False, empty_label=gettext_lazy("of no deal")
    )
    organisation: forms.ModelChoiceField[Organisation] = forms.ModelChoiceField(
        label=gettext_lazy("Organisation"), queryset=None, required=False, empty_label=gettext_lazy("of none")
    )
    is_automatic = forms.BooleanField(
        label=gettext_lazy("A machine wrote this"),
        help_text=gettext_lazy("Such as an absence message: then it is no contact."),
        required=False,
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    SAID = (*SaidForm.SAID, "lead", "deal", "organisation", "is_automatic")

    def __init__(self, *args: Any, places: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in places.items():
            field: Any = self.fields[name]
            field.queryset = rows
        if isinstance(field := self.fields["lead"], forms.ModelChoiceField):
            field.label_from_instance = _lead_in_words  # type: ignore[assignment, method-assign]

    @staticmethod
    def start(row: Conversation, seen: str) -> dict[str, Any]:
        plain = ("kind", "direction", "minutes", "summary", "learned", "quote", "is_information", "is_automatic")
        values: dict[str, Any] = {name: getattr(row, name) for name in plain}
        values |= {
            name: getattr(row, name) for name in ("is_journey_interview", "has_learning", "has_gain", "has_next_step")
        }
        values |= {name: getattr(row, f"{name}_id") for name in ("lead", "deal", "organisation")}
        return values | {
            "when": timezone.localtime(row.at),
            "people": [person.pk for person in row.people.all()],
            "seen": seen,
        }


def _lead_in_words(lead: Any) -> str:
    day = date_format(timezone.localtime(lead.received_at), "j F Y")
    who = lead.person or lead.organisation or lead
    return _("%(who)s, received %(day)s") % {"who": who, "day": day}
