"""What a conversation concerns and what is asked about it: the form in which one is logged, and the one in which it is put right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import logbook, search
from crm.models import Attempt, Conversation, ConversationKind, Deal, Direction, Lead, Organisation, Person
from crm.models.conversations import PromiseQuerySet
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request

COLLEAGUES = 12
"""People of the organisation who are offered as having been there, too."""
FOUND = 8
"""People who are offered when a name was typed."""
PRESENT = 50
"""People who may be named in one conversation."""
PROMISES = ("", "_2", "_3", "_4")
"""So many promises of each side may be noted at once."""

KIND_ICONS = {
    ConversationKind.CALL: "phone",
    ConversationKind.EMAIL: "mail",
    ConversationKind.VIDEO: "video",
    ConversationKind.VISIT: "map-pin",
    ConversationKind.CHAT: "message",
    ConversationKind.EVENT: "users",
}


class About:
    """Whom and what a conversation concerns, as the address says: `?person=`, `?lead=`, `?deal=`, `?organisation=` or `?attempt=` (the call that was
    answered); to be written by the user."""

    def __init__(self, request: Request) -> None:
        self.attempt: Attempt | None = self._row(request, "attempt", access.attempt)
        self.deal: Deal | None = self._row(request, "deal", access.deal)
        self.lead: Lead | None = self._row(request, "lead", access.lead)
        self.person: Person | None = self._row(request, "person", access.person, write=False)
        self.organisation: Organisation | None = self._row(request, "organisation", access.organisation, write=False)
        if self.attempt is not None:
            # Whoever made the call was allowed to, and may say what came of it.
            self.deal, self.lead, self.person = self.attempt.deal, self.attempt.lead, self.attempt.person
        source = self.deal or self.lead
        # Who may write the deal or lead may note whom of its people they spoke to; about anybody else who may write that person.
        if self.attempt is None and self.person is not None and not access.is_around(self.person, source):
            access.must_write(request.user, self.person.owner)
        if self.organisation is not None and not self._is_known_place(source):
            access.must_write(request.user, self.organisation.owner)
        if self.person is None and source is not None:
            self.person = source.person
        if self.organisation is None and source is not None:
            self.organisation = source.organisation
        if self.organisation is None and self.person is not None:
            job = access.positions().current().filter(person=self.person).select_related("organisation").first()
            self.organisation = job.organisation if job else None

    @staticmethod
    def _row(request: Request, name: str, fetch: Any, *, write: bool = True) -> Any:
        pk = query.number(request.GET.get(name))
        return None if pk is None else fetch(request, pk, write=write)

    def _is_known_place(self, source: Deal | Lead | None) -> bool:
        """Whether the organisation is that of the deal or lead, or where the person works."""
        assert self.organisation is not None
        if source is not None and source.organisation == self.organisation:
            return True
        return (
            self.person is not None and self.person.positions.current().filter(organisation=self.organisation).exists()
        )

    def __bool__(self) -> bool:
        return any((self.deal, self.lead, self.person, self.organisation))

    def people(self) -> list[Person]:
        """Who may have been there: the one it is about, then the colleagues."""
        colleagues = list(access.people_at(self.organisation)[:COLLEAGUES]) if self.organisation else []
        first = [self.person] if self.person else []
        return first + [person for person in colleagues if person != self.person]

    def promises(self, people: list[Person]) -> PromiseQuerySet:
        return access.promises().open().filter(person__in=people).for_list()

    def start(self, kind: str | None) -> dict[str, Any]:
        """What the form says at first: now, or when the call began and how long it took."""
        now = timezone.localtime()
        start: dict[str, Any] = {"when": now, "people": [self.person.pk] if self.person else []}
        if self.attempt is not None:
            start["when"] = timezone.localtime(self.attempt.at)
            start["minutes"] = max(1, round((now - self.attempt.at).total_seconds() / 60)) if self.is_fresh else None
        elif kind in ConversationKind.values:
            start["kind"] = kind
        return start

    @property
    def is_fresh(self) -> bool:
        """Whether the call began so lately that the time since then is how long it took."""
        return self.attempt is not None and (timezone.now() - self.attempt.at).total_seconds() < 2 * 60 * 60

    @property
    def page(self) -> str:
        """Where to go afterwards."""
        for name in ("deal", "lead", "person", "organisation"):
            if row := getattr(self, name):
                return reverse(f"crm:{name}", args=[row.pk])
        return reverse("crm:people")


class Present:
    """Who is offered as having been there: those whom the page names, those who were ticked, and those whose name or address was typed."""

    def __init__(self, request: Request, around: list[Person]) -> None:
        ours = access.writable(request.user, access.people())
        self.post = request.POST
        keys = {key for text in request.POST.getlist("people")[:PRESENT] if (key := query.number(text))}
        known_before = {person.pk for person in around}
        self.ticked = [*around, *ours.filter(pk__in=keys - known_before).order_by("pk")]
        self.named = search.clean(request.POST.get("named", ""))
        known = {person.pk for person in self.ticked}
        if not self.named:
            found: list[Person] = []
        elif "@" in self.named:
            found = list(ours.filter(email_addresses__address=self.named.lower()).distinct().order_by("pk")[:FOUND])
        else:
            found = list(search.people_named(ours, self.named)[:FOUND])
        self.found = [person for person in found if person.pk not in known]
        self.people = [*self.ticked, *self.found]
        self.is_unfinished = "find" not in self.post and self._is_unfinished(keys - known_before)
        self.is_looking = "find" in self.post or self.is_unfinished

    def _is_unfinished(self, others: set[int]) -> bool:
        """A name was typed and nobody ticked or added for it: who presses Enter there looks for somebody and is not done yet."""
        return bool(self.named) and not others and not self.post.get("new_name")

    def typed(self) -> dict[str, Any]:
        """All that stands in the form, for a page that only looks for somebody and judges nothing."""
        ticked = set(self.post.getlist("people"))
        return {name: self.post.get(name) for name in self.post} | {
            "people": [person.pk for person in self.ticked if str(person.pk) in ticked]
        }


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

    SAID: tuple[str, ...] = (
        *("kind", "direction", "when", "minutes", "summary", "learned", "quote"),
        *("is_information", "has_learning", "has_gain", "has_next_step"),
    )

    def __init__(self, *args: Any, people: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        values |= {name: getattr(row, name) for name in ("has_learning", "has_gain", "has_next_step")}
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
