"""Webhooks on the settings: make one, see what came in, renew its secret, close it. A secret is shown once, to whoever made it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings as kring
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import capture_forms, hooks
from crm.channels.webhook import LANGUAGES, MOST_BYTES, WORDS
from crm.models import InboundHook, OwnerRule, Team, User
from crm.models.users import Language
from crm.refusal import Refused
from crm.web import access, keyset
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class HookForm(KringForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Such as the program that posts here.")
    )
    slug = forms.SlugField(
        label=gettext_lazy("Last part of its address"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Empty: made from the name. It stays as it is."),
    )
    origin = forms.CharField(
        label=gettext_lazy("Origin of its leads"),
        max_length=50,
        widget=forms.TextInput(attrs={"list": "origins", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=Language.choices,
        help_text=gettext_lazy("Of people of whom the message says none, and of our answers to the program."),
    )
    owner_rule = forms.ChoiceField(label=gettext_lazy("Who gets its leads"), choices=OwnerRule.choices)
    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("SDR"), queryset=None, required=False
    )
    team: forms.ModelChoiceField[Team] = forms.ModelChoiceField(
        label=gettext_lazy("Team"), queryset=None, required=False
    )

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = access.users().order_by("name", "id")  # type: ignore[attr-defined]
        self.fields["team"].queryset = access.teams()  # type: ignore[attr-defined]
        if not is_new:
            del self.fields["slug"]


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    rows = access.hooks().order_by("-is_active", "name", "id")
    return render_page(request, "crm/hooks.html", {"hooks": rows, "site": kring.SITE_URL, "nav": "settings"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    form = HookForm(request.POST or None, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            hook, secret = hooks.make(by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _secret(request, hook, secret)
    return render_page(request, "crm/hook_edit.html", _form(form))


@require_safe
@access.admin_only
def hook(request: Request, pk: int) -> HttpResponse:
    row = access.hook(pk)
    page = keyset.page(access.deliveries(row), order=("-received_at", "-id"), at=request.GET, size=25)
    return render_page(request, "crm/hook.html", {"hook": row, "page": page, **_example(row)}, parts=("deliveries",))


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    row = access.hook(pk)
    initial = {name: getattr(row, name) for name in HookForm.base_fields}
    form = HookForm(request.POST or None, initial=initial, is_new=False)
    if request.method == "POST" and form.is_valid():
        try:
            hooks.change(hook=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The webhook is changed."))
            return redirect("crm:hook", pk)
    return render_page(request, "crm/hook_edit.html", {**_form(form), "hook": row})


@never_cache
@require_POST
@access.admin_only
def renew(request: Request, pk: int) -> HttpResponse:
    row = access.hook(pk)
    return _secret(request, row, hooks.renew_secret(hook=row, by=request.user, at=timezone.now()))


@require_POST
@access.admin_only
def close(request: Request, pk: int) -> HttpResponse:
    hooks.close(hook=access.hook(pk), by=request.user, at=timezone.now())
    messages.success(request, _("Closed. What is posted there is refused."))
    return redirect("crm:hook", pk)


@require_POST
@access.admin_only
def reopen(request: Request, pk: int) -> HttpResponse:
    hooks.reopen(hook=access.hook(pk), by=request.user, at=timezone.now())
    messages.success(request, _("Open again, with the secret that it had."))
    return redirect("crm:hook", pk)


def _form(form: HookForm) -> dict[str, Any]:
    return {"form": form, "origins": access.leads().origins(), "nav": "settings"}


def _secret(request: Request, row: InboundHook, secret: str) -> HttpResponse:
    """The one page that shows it. No redirect: it stands in no session and no address."""
    return render_page(request, "crm/hook_secret.html", {"hook": row, "secret": secret, **_example(row)})


def _example(row: InboundHook) -> dict[str, Any]:
    return {
        "address": kring.SITE_URL + reverse("crm:inbound", args=[row.slug]),
        "fields": [(name, most) for name, most in WORDS.items() if name not in ("language", "country")],
        "languages": ", ".join(LANGUAGES),
        "questions": capture_forms.questions(),
        "most_kilobytes": MOST_BYTES // 1024,
        "nav": "settings",
    }
