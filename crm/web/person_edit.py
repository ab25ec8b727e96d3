"""Adding somebody, and editing who they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import people, search
from crm.models import ContactPointKind, ConversationKind, Language, LawfulBasis, Person, Salutation, Tier, User
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page
from crm.web.person_acts import somebody

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
    salutation = forms.ChoiceField(
        label=gettext_lazy("Addressed as"), help_text=gettext_lazy("Empty: by their given name."), required=False
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    preferred_channel = forms.ChoiceField(label=gettext_lazy("Is reached best by"), required=False)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Two letters, such as BE or NL. Empty: that of where they work."),
        max_length=2,
        required=False,
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Such as Europe/Lisbon. Empty: that of their country."),
        max_length=64,
        required=False,
    )
    interests = forms.CharField(
        label=gettext_lazy("Talk about"),
        help_text=gettext_lazy("What they care about, with commas between: sailing, two-shift teams."),
        max_length=500,
        required=False,
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        help_text=gettext_lazy("For finding them in lists, with commas between."),
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
    lawful_basis = forms.ChoiceField(
        label=gettext_lazy("Why we may keep this"),
        help_text=gettext_lazy("The ground in the privacy law (article 6 of the GDPR)."),
        required=False,
    )
    basis_source = forms.CharField(
        label=gettext_lazy("Where that is written"),
        help_text=gettext_lazy("Such as: form on the site, contract of 3 May."),
        max_length=200,
        required=False,
    )
    basis_since = forms.DateField(label=gettext_lazy("Since"), required=False)
    basis_review_on = forms.DateField(
        label=gettext_lazy("To be reviewed on"), help_text=gettext_lazy("Empty: a year later."), required=False
    )

    def __init__(self, *args: Any, person: Person, owners: Any, **kwargs: Any) -> None:
        self.person = person
        initial = {name: getattr(person, name) for name in people.PERSON_FIELDS if name in self.base_fields}
        initial |= {name: ", ".join(initial[name]) for name in ("interests", "tags")}
        initial["introduced_by"] = str(person.introduced_by or "")
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]
        _offer_choices(self)
        for name, choices in (
            ("salutation", Salutation.choices),
            ("preferred_channel", ConversationKind.choices),
            ("lawful_basis", LawfulBasis.choices),
        ):
            self.fields[name].choices = [("", _("not known")), *choices]  # type: ignore[attr-defined]

    def clean_tags(self) -> list[str]:
        return self.parsed("tags", lambda text: people.words(text.split(",")))

    def clean_interests(self) -> list[str]:
        return self.parsed("interests", lambda text: people.words(text.split(",")))

    def clean_introduced_by(self) -> Person | None:
        text = search.clean(self.cleaned_data["introduced_by"])
        if not text:
            return None
        if text == str(self.person.introduced_by or ""):
            return self.person.introduced_by
        return self.parsed("introduced_by", lambda typed: somebody(search.clean(typed), but=self.person))


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
            "positions": who.positions.select_related("organisation").order_by(
                F("ended_on").desc(nulls_first=True), "-is_main", "id"
            ),
            "kinds": ContactPointKind.choices,
        },
    )


def owners(present: User | None) -> Any:
    """Those who may be chosen as owner: whoever can log in, and the present one even when they have left."""
    return access.everyone().filter(Q(is_active=True) | Q(pk=present.pk if present else None))
