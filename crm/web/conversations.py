"""Log a conversation in a few seconds, with what was promised on both sides and the next step that was agreed, and look at one again."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import conversations, logbook, search
from crm.models import Conversation, ConversationKind, Deal, Direction, Lead, Organisation, Person
from crm.models.conversations import PromiseQuerySet
from crm.refusal import Refused
from crm.web import access, nudge, query
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

COLLEAGUES = 12
"""People of the organisation who are offered as having been there, too."""
CHOICES = 20
"""People who are offered when none was named."""

KIND_ICONS = {
    ConversationKind.CALL: "phone",
    ConversationKind.EMAIL: "mail",
    ConversationKind.VIDEO: "video",
    ConversationKind.VISIT: "map-pin",
    ConversationKind.CHAT: "message",
    ConversationKind.EVENT: "users",
}


class About:
    """Whom and what a conversation concerns, as the address says: `?person=`, `?lead=`, `?deal=` or `?organisation=`; to be written by the user."""

    def __init__(self, request: Request) -> None:
        self.deal: Deal | None = self._row(request, "deal", access.deal)
        self.lead: Lead | None = self._row(request, "lead", access.lead)
        source = self.deal or self.lead
        self.person: Person | None = self._row(request, "person", access.person, write=False)
        self.organisation: Organisation | None = self._row(request, "organisation", access.organisation, write=False)
        # Who may write the deal or lead may note whom of its people they spoke to; about anybody else who may write that person.
        if self.person is not None and not access.is_around(self.person, source):
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

    @property
    def page(self) -> str:
        """Where to go afterwards."""
        for name in ("deal", "lead", "person", "organisation"):
            if row := getattr(self, name):
                return reverse(f"crm:{name}", args=[row.pk])
        return reverse("crm:people")


class ConversationForm(KringForm):
    """Only how and when are asked for; the rest is for those who heard something worth keeping."""

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
        label=gettext_lazy("What was said?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    learned = forms.CharField(
        label=gettext_lazy("What did I learn?"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    quote = forms.CharField(
        label=gettext_lazy("In their own words"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    has_learning = forms.BooleanField(label=gettext_lazy("We learned something"), required=False)
    has_gain = forms.BooleanField(label=gettext_lazy("They gained something"), required=False)
    has_next_step = forms.BooleanField(label=gettext_lazy("A next step is agreed by both"), required=False)
    next_step = forms.CharField(label=gettext_lazy("Next step"), required=False, max_length=300)
    next_step_on = forms.DateField(label=gettext_lazy("On"), required=False)
    ours = forms.CharField(label=gettext_lazy("We promised"), required=False, max_length=300)
    ours_due = forms.DateField(label=gettext_lazy("By"), required=False)
    ours_not_before = forms.DateField(label=gettext_lazy("Not before"), required=False)
    theirs = forms.CharField(label=gettext_lazy("They promised"), required=False, max_length=300)
    theirs_due = forms.DateField(label=gettext_lazy("By"), required=False)
    theirs_not_before = forms.DateField(label=gettext_lazy("Not before"), required=False)

    def __init__(self, *args: Any, people: list[Person], deal: Deal | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = [person.pk for person in people]
        self.fields["people"].queryset = access.people().filter(pk__in=keys)  # type: ignore[attr-defined]
        self.fields["people"].choices = [(person.pk, str(person)) for person in people]  # type: ignore[attr-defined]
        if not (deal and deal.is_open):
            del self.fields["next_step"], self.fields["next_step_on"]
        self.fields["summary"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for side in ("ours", "theirs"):
            text, due, rest = cleaned.get(side), cleaned.get(f"{side}_due"), cleaned.get(f"{side}_not_before")
            if text and not due and f"{side}_due" not in self.errors:
                self.add_error(f"{side}_due", _("By which day?"))
            if (due or rest) and not text and side not in self.errors:
                self.add_error(side, _("Say what was promised."))
        return cleaned

    @property
    def has_promise(self) -> bool:
        """Whether something was filled in about promises, right or wrong: then that part stands open."""
        return self.is_bound and any(
            self.data.get(f"{side}{part}") for side in ("ours", "theirs") for part in ("", "_due")
        )

    def promised(self, side: str) -> logbook.Promised | None:
        said = self.cleaned_data
        if not said[side]:
            return None
        return logbook.Promised(said[side], said[f"{side}_due"], said[f"{side}_not_before"])

    def said(self) -> dict[str, Any]:
        """The values that `logbook.write` takes."""
        plain = ("kind", "direction", "when", "minutes", "summary", "learned", "quote")
        values = {name: self.cleaned_data[name] for name in plain}
        values |= {name: self.cleaned_data[name] for name in ("has_learning", "has_gain", "has_next_step")}
        step: date | None = self.cleaned_data.get("next_step_on")
        return values | {
            "people": list(self.cleaned_data["people"]),
            "next_step": self.cleaned_data.get("next_step", ""),
            "next_step_on": step,
            "ours": self.promised("ours"),
            "theirs": self.promised("theirs"),
        }


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    about = About(request)
    if not about:
        return _choose(request)
    people = about.people()
    start = {"when": timezone.localtime(), "people": [about.person.pk] if about.person else []}
    kind = request.GET.get("kind")
    if kind in ConversationKind.values:
        start["kind"] = kind
    form = ConversationForm(request.POST or None, people=people, deal=about.deal, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            logbook.write(
                **form.said(),
                lead=about.lead,
                deal=about.deal,
                organisation=about.organisation,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            nudge.follow_ups()
            messages.success(request, _("Logged. It stands on the timeline."))
            return redirect(about.page)
    return render_page(
        request,
        "crm/conversation_new.html",
        {
            "form": form,
            "about": about,
            "people": people,
            "promises": about.promises(people),
            "icons": KIND_ICONS,
            "nav": "deals" if about.deal else "leads" if about.lead else "people",
        },
    )


def _choose(request: Request) -> HttpResponse:
    """Nobody is named yet: the people of this name; without a name, those of ours with whom we spoke last."""
    named = search.clean(request.GET.get("named", ""))
    rows = access.people().for_list()
    if named:
        found = search.people_named(rows, named)[:CHOICES]
    else:
        found = rows.filter(owner=request.user, last_contact_at__isnull=False).order_by("-last_contact_at", "-id")[:8]
    return render_page(
        request, "crm/conversation_choose.html", {"found": found, "named": named, "nav": "people"}, parts=("choices",)
    )


@require_safe
def conversation(request: Request, pk: int) -> HttpResponse:
    row = access.conversation(request, pk)
    return render_page(
        request,
        "crm/conversation.html",
        {
            "conversation": row,
            "people": row.people.all(),
            "promises": access.promises().filter(conversation=row).for_list(),
            "icon": KIND_ICONS[ConversationKind(row.kind)],
            "may_write": access.may_write(request.user, row.by),
            "nav": "people",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, pk: int) -> HttpResponse:
    """The page asks; the form on it acts."""
    row = access.conversation(request, pk, write=True)
    there = _page_of(row)
    if request.method == "POST":
        conversations.delete(conversation=row, by=request.user, at=timezone.now())
        nudge.follow_ups()
        messages.success(request, _("Removed. Last contact is what the other conversations say."))
        return redirect(there)
    return render_page(
        request,
        "crm/conversation_delete.html",
        {"conversation": row, "people": row.people.all(), "nav": "people"},
    )


def _page_of(row: Conversation) -> str:
    if person := row.people.first():
        return reverse("crm:person", args=[person.pk])
    for name in ("deal", "lead", "organisation"):
        if found := getattr(row, name):
            return reverse(f"crm:{name}", args=[found.pk])
    return reverse("crm:people")
