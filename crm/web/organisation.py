"""One company: a page, and its data."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import validate_domain_name
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import notation, people
from crm.free_mail import company_domain
from crm.models import Organisation, User
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page
from crm.web.person import last_words
from crm.web.person_edit import owners
from crm.web.timelines import shown_timeline

EACH = 8
"""People, leads and deals that the page shows of each."""


@require_safe
def organisation(request: Request, pk: int) -> HttpResponse:
    row = access.organisation(request, pk)
    colleagues = access.people_at(row)
    now_there = colleagues.order_by().values("pk")
    past = access.positions().filter(organisation=row, ended_on__isnull=False).exclude(person__in=now_there)
    return render_page(
        request,
        "crm/organisation.html",
        {
            "organisation": row,
            "people": colleagues.for_list()[:EACH],
            "more_people": colleagues.count() - EACH,
            "past": past.select_related("person").order_by("-ended_on", "id")[:EACH],
            "last_words": last_words(row, request.user),
            "promises": access.promises().open().filter(person__in=now_there).for_list()[:EACH],
            "follow_ups": access.follow_ups()
            .open()
            .filter(Q(organisation=row) | Q(person__in=now_there))
            .for_today()
            .order_by("show_at", "id")[:EACH],
            "leads": access.leads()
            .filter(organisation=row)
            .select_related("owner", "person")
            .order_by("-received_at", "-id")[:EACH],
            "deals": access.deals().filter(organisation=row).for_list().order_by("state", "-opened_at", "-id")[:EACH],
            "referrals": access.referrals()
            .filter(Q(referrer__in=now_there) | Q(introduced__in=now_there) | Q(deal__organisation=row))
            .for_list()
            .order_by("-asked_at", "-id")[:EACH],
            "may_write": access.may_write(request.user, row.owner),
        }
        | shown_timeline(request, organisation=row),
        parts=("timeline",),
    )


class OrganisationForm(KringForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    domain = forms.CharField(
        label=gettext_lazy("Domain"),
        help_text=gettext_lazy("As in their e-mail addresses. Mail from it is recognised as theirs."),
        max_length=253,
        required=False,
    )
    sector = forms.CharField(label=gettext_lazy("Sector"), max_length=100, required=False)
    city = forms.CharField(label=gettext_lazy("City"), max_length=100, required=False)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Two letters, such as BE or NL."),
        max_length=2,
        required=False,
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        help_text=gettext_lazy("For finding it in lists, with commas between."),
        max_length=500,
        required=False,
    )
    kvk_number = forms.CharField(
        label=gettext_lazy("KvK number"),
        help_text=gettext_lazy("Eight digits, leading zeros included."),
        max_length=20,
        required=False,
    )
    vat_number = forms.CharField(
        label=gettext_lazy("VAT number"),
        help_text=gettext_lazy("Such as BE0428759497, or without its country when that is filled in."),
        max_length=30,
        required=False,
    )
    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("Owner"), queryset=None, required=False, empty_label=gettext_lazy("nobody")
    )

    def __init__(self, *args: Any, owners: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]

    def clean_domain(self) -> str:
        text = re.sub(r"^[a-z]+://", "", str(self.cleaned_data["domain"]).strip().lower()).partition("/")[0]
        if not text:
            return ""
        domain = company_domain(text)
        if not domain:
            raise forms.ValidationError(
                _("Everybody can have an address there, so it says nothing about one organisation.")
            )
        try:
            validate_domain_name(domain)
        except forms.ValidationError:
            raise forms.ValidationError(
                _("“%(domain)s” is not a domain, such as notelaar.be.") % {"domain": text}
            ) from None
        return domain

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).upper()
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise forms.ValidationError(_("Write the two letters of the country, such as BE or NL."))
        return country

    def clean_tags(self) -> list[str]:
        return self.parsed("tags", lambda text: people.words(text.split(",")))

    def clean_kvk_number(self) -> str:
        return self.parsed("kvk_number", notation.parse_kvk)

    def clean_vat_number(self) -> str:
        country = self.cleaned_data.get("country", "")
        return self.parsed("vat_number", lambda text: notation.parse_vat(text, country))


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    form = OrganisationForm(request.POST or None, owners=access.users(), initial={"owner": request.user.pk})
    if request.method == "POST" and form.is_valid():
        try:
            row = people.add_organisation(by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": row})
            return redirect("crm:organisation", row.pk)
    return render_page(request, "crm/organisation_edit.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    row = access.organisation(request, pk, write=True)
    form = OrganisationForm(request.POST or None, owners=owners(row.owner), initial=_values(row))
    if request.method == "POST" and form.is_valid():
        try:
            people.change_organisation(organisation=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("crm:organisation", pk)
    return render_page(request, "crm/organisation_edit.html", {"form": form, "organisation": row})


def _values(row: Organisation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in people.ORGANISATION_FIELDS} | {"tags": ", ".join(row.tags)}
