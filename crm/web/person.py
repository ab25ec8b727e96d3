"""One person: who they are, what is promised, what to do next and all that was said. Nothing here is a form but the editing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import people, search, timeline
from crm.models import Language, Person, Tier, User
from crm.refusal import Refused
from crm.web import access, nudge
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

EACH = 8
"""Leads, deals, referrals and follow-ups that the page shows of each."""


@require_safe
def person(request: Request, pk: int) -> HttpResponse:
    who = access.person(request, pk)
    promises = list(access.promises().open().filter(person=who).for_list())
    positions = list(who.positions.select_related("organisation").order_by("ended_on", "-is_main", "id"))
    return render_page(
        request,
        "crm/person.html",
        {
            "person": who,
            "advocate": getattr(who, "advocate", None),
            "positions": positions,
            "current": [position for position in positions if position.ended_on is None],
            "emails": list(who.email_addresses.all()),
            "phones": list(who.phone_numbers.all()),
            "ours": [promise for promise in promises if promise.side == "ours"],
            "theirs": [promise for promise in promises if promise.side == "theirs"],
            "follow_ups": access.follow_ups().open().filter(person=who).for_today().ranked()[:EACH],
            "leads": access.leads().filter(person=who).select_related("owner").order_by("-received_at", "-id")[:EACH],
            "deals": access.deals().filter(person=who).for_list().order_by("state", "-opened_at", "-id")[:EACH],
            "referrals": access.referrals()
            .filter(Q(referrer=who) | Q(introduced=who))
            .for_list()
            .order_by("-asked_at", "-id")[:EACH],
            "entries": timeline.of(reader=request.user, person=who, before=timeline.moment(request.GET.get("before"))),
            "may_write": access.may_write(request.user, who.owner),
        },
    )


# ---- New -----------------------------------------------------------------------------------------------------------


class NewPersonForm(KringForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("As they write it themselves, such as Peter van der Meulen."),
        max_length=220,
    )
    email = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254, required=False)
    is_shared = forms.BooleanField(label=gettext_lazy("Two people share this address"), required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)
    organisation = forms.CharField(
        label=gettext_lazy("Organisation"),
        help_text=gettext_lazy("One that we do not know yet is added."),
        max_length=200,
        required=False,
    )
    title = forms.CharField(label=gettext_lazy("What they do there"), max_length=150, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    tier = forms.ChoiceField(label=gettext_lazy("Tier"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_choices(self)
        self.fields["email"].widget.attrs |= {"type": "email", "autocomplete": "off", "inputmode": "email"}
        self.fields["phone"].widget.attrs |= {"type": "tel", "autocomplete": "off"}
        self.known: Person | None = None
        if not self.is_bound or not self.data.get("is_shared"):
            self.fields["is_shared"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        address = cleaned.get("email", "")
        self.known = people.with_email(address) if address and not cleaned.get("is_shared") else None
        if self.known is not None:
            self.fields["is_shared"].widget = forms.CheckboxInput()
            self.add_error("email", _("%(name)s is known at this address already.") % {"name": self.known})
        return cleaned


def _offer_choices(form: forms.Form) -> None:
    nothing = [("", _("not known"))]
    form.fields["language"].choices = [*nothing, *Language.choices]  # type: ignore[attr-defined]
    form.fields["tier"].choices = [("", _("none")), *Tier.choices]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    form = NewPersonForm(
        request.POST or None,
        initial={name: search.clean(request.GET.get(name, ""))[:200] for name in ("name", "organisation")},
    )
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        del fields["is_shared"]
        try:
            who = people.add(**fields, owner=request.user, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            nudge.follow_ups()
            messages.success(request, _("%(name)s is added.") % {"name": who})
            return redirect("crm:person", who.pk)
    return render_page(request, "crm/person_new.html", {"form": form})


# ---- Edit ----------------------------------------------------------------------------------------------------------


class PersonForm(KringForm):
    given_name = forms.CharField(label=gettext_lazy("Given name"), max_length=100, required=False)
    particle = forms.CharField(
        label=gettext_lazy("Particle"),
        help_text=gettext_lazy("Such as van der or de; it does not count when sorting."),
        max_length=30,
        required=False,
    )
    family_name = forms.CharField(label=gettext_lazy("Family name"), max_length=100, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    interests = forms.CharField(
        label=gettext_lazy("Talk about"),
        help_text=gettext_lazy("What they care about, with commas between: sailing, two-shift teams."),
        max_length=500,
        required=False,
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("Tier"), help_text=gettext_lazy("How close we want to stay."), required=False
    )
    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("Owner"), queryset=None, required=False, empty_label=gettext_lazy("nobody")
    )
    introduced_by = forms.CharField(
        label=gettext_lazy("Introduced by"),
        help_text=gettext_lazy("Their name or e-mail address."),
        max_length=254,
        required=False,
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, person: Person, owners: Any, **kwargs: Any) -> None:
        self.person = person
        initial = {name: getattr(person, name) for name in people.PERSON_FIELDS if name in self.base_fields}
        initial |= {"interests": ", ".join(person.interests), "introduced_by": str(person.introduced_by or "")}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]
        _offer_choices(self)

    def clean_interests(self) -> list[str]:
        words = [" ".join(word.split()) for word in self.cleaned_data["interests"].split(",")]
        if any(len(word) > 50 for word in words):
            raise forms.ValidationError(_("Keep each to fifty characters, with commas between."))
        return [word for word in dict.fromkeys(words) if word]

    def clean_introduced_by(self) -> Person | None:
        text = search.clean(self.cleaned_data["introduced_by"])
        if not text:
            return None
        if text == str(self.person.introduced_by or ""):
            return self.person.introduced_by
        if "@" in text and (known := people.with_email(text)):
            return known
        found = list(access.people().filter(full_name__iexact=text).exclude(pk=self.person.pk)[:2])
        if not found:
            found = list(search.people_named(access.people().exclude(pk=self.person.pk), text)[:2])
        if not found:
            raise forms.ValidationError(_("We know nobody of that name. Add them first."))
        if len(found) > 1:
            raise forms.ValidationError(_("We know several people like that. Write their e-mail address instead."))
        return found[0]


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    who = access.person(request, pk, write=True)
    form = PersonForm(request.POST or None, person=who, owners=owners(who.owner))
    if request.method == "POST" and form.is_valid():
        try:
            people.change(person=who, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            nudge.follow_ups()
            messages.success(request, _("Saved."))
            return redirect("crm:person", pk)
    return render_page(
        request,
        "crm/person_edit.html",
        {
            "person": who,
            "form": form,
            "emails": who.email_addresses.all(),
            "phones": who.phone_numbers.all(),
            "positions": who.positions.current().select_related("organisation"),
        },
    )


def owners(present: User | None) -> Any:
    """Those who may be chosen as owner: whoever can log in, and the present one even when they have left."""
    return access.everyone().filter(Q(is_active=True) | Q(pk=present.pk if present else None))
