"""Registers of people who do not want to be called or mailed: which there are, how old each is, a newer file, and away with one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings as kring
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crm import do_not_contact
from crm.channels import register_file
from crm.channels.csv_file import Unreadable
from crm.models import Register, Scope
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page, takes_up_to

LARGEST = 64 * 1024 * 1024
"""Four million numbers."""

COUNTRIES = (("BE", gettext_lazy("Belgium")), ("NL", gettext_lazy("the Netherlands")))


class RegisterForm(KringForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or text, with or without names above the columns. Kring finds the column."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("A register of this name is replaced by the file."),
        max_length=100,
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("What it forbids"), choices=Scope.choices, widget=forms.RadioSelect, initial=Scope.CALL
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Numbers without a country code are of"),
        choices=[("", gettext_lazy("the country of this installation")), *COUNTRIES],
        required=False,
    )
    source = forms.CharField(label=gettext_lazy("Where it comes from"), max_length=200, required=False)
    allowed_days = forms.IntegerField(
        label=gettext_lazy("Days it may be old"),
        help_text=gettext_lazy("Then Kring asks for a newer file."),
        min_value=1,
        max_value=366,
        initial=31,
    )


class RemoveForm(KringForm):
    why = forms.CharField(label=gettext_lazy("Why it no longer holds"), max_length=300)


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    at = timezone.now()
    rows = [
        {"row": row, "days": row.days_old(at), "is_old": row.is_old(at)}
        for row in access.registers().order_by("loaded_at", "pk")
    ]
    return render_page(request, "crm/registers.html", {"registers": rows})


@takes_up_to(LARGEST + 1024 * 1024)
@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def load(request: Request) -> HttpResponse:
    """A new register, or (`?again=`) a newer file of one that is there."""
    form = RegisterForm(request.POST or None, request.FILES or None, initial=_again(request))
    loaded = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        scope = data["scope"]
        rows = register_file.read(
            data["file"].file,
            numbers=scope != Scope.MAIL,
            addresses=scope != Scope.CALL,
            country=data["country"] or kring.COUNTRY,
        )
        try:
            if data["file"].size > LARGEST:
                raise Refused(_("This file is larger than %(most)d MB.") % {"most": LARGEST // 1024 // 1024})
            loaded = do_not_contact.load_register(
                name=data["name"],
                scope=scope,
                source=data["source"],
                allowed_days=data["allowed_days"],
                country=data["country"],
                rows=rows,
                by=request.user,
                at=timezone.now(),
            )
        except (Refused, Unreadable) as refusal:
            form.refuse(refusal)
        else:
            number = loaded.register.entries_count
            told = ngettext("%(number)s entry is kept.", "%(number)s entries are kept.", number)
            messages.success(request, told % {"number": intcomma(number)})
            if not loaded.refused:
                return redirect("crm:registers")
    return render_page(request, "crm/register_load.html", {"form": form, "loaded": loaded})


@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def remove(request: Request, pk: int) -> HttpResponse:
    register = access.register(pk)
    form = RemoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            why = form.cleaned_data["why"]
            do_not_contact.remove_register(register=register, by=request.user, at=timezone.now(), why=why)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Removed. Who stands on no other list may be contacted again."))
            return redirect("crm:registers")
    return render_page(request, "crm/register_remove.html", {"register": register, "form": form})


def _again(request: Request) -> dict[str, Any]:
    again = request.GET.get("again", "")
    if not (again.isascii() and again.isdecimal() and len(again) < 19):
        return {}
    register: Register = access.register(int(again))
    return {name: getattr(register, name) for name in ("name", "scope", "source", "allowed_days")}
