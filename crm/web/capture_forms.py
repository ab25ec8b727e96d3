"""The settings screens of the public forms: which there are, and one form with what it asks, its words, its terms and how to put it on a site."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import capture_forms
from crm.models import Role
from crm.models.users import Language
from crm.refusal import Refused
from crm.web import access
from crm.web.capture_form_editor import WordsForm, editor, terms_form
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

COUNTED = timedelta(days=30)
PARTS = ("fields", "preview")


class NewForm(KringForm):
    title = forms.CharField(label=gettext_lazy("Name"), max_length=150, help_text=gettext_lazy("For ourselves."))
    slug = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=50,
        help_text=gettext_lazy("What stands behind /f/ in its address, such as “contact”. It stays as it is."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=Language)
    heading = forms.CharField(
        label=gettext_lazy("Title"), max_length=150, help_text=gettext_lazy("What visitors read above it.")
    )


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    """Every form, with what came by it of late and what waits to be looked at."""
    since = timezone.now() - COUNTED
    recent = access.submissions().filter(received_at__gte=since).exclude(state="refused")
    taken = dict(recent.order_by().values_list("form").annotate(Count("pk")))
    refused = dict(access.submissions().to_review().order_by().values_list("form").annotate(Count("pk")))
    rows = access.capture_forms().prefetch_related("texts").order_by("-is_active", "title", "pk")
    return render_page(
        request,
        "crm/capture_forms.html",
        {
            "forms": [
                {"row": row, "messages": taken.get(row.pk, 0), "refused": refused.get(row.pk, 0)} for row in rows
            ],
            "to_review": sum(refused.values()),
            "is_admin": request.user.role == Role.ADMIN,
            "nav": "settings",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        terms = capture_forms.Terms(said["title"], language=said["language"])
        try:
            made = capture_forms.make(
                slug=said["slug"],
                terms=terms,
                words=capture_forms.Words(said["heading"]),
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The form is open. Choose what it asks, and put it on your site."))
            return redirect("crm:capture-form", made.pk)
    return render_page(request, "crm/capture_form_new.html", {"form": form, "nav": "settings"})


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    """The whole form; a POST changes its terms."""
    row = access.form_to_edit(pk)
    form = terms_form(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            capture_forms.change(
                form=row, terms=capture_forms.Terms(**form.cleaned_data), by=request.user, at=timezone.now()
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("crm:capture-form", row.pk)
    return render_page(request, "crm/capture_form.html", editor(request, row, terms=form), parts=PARTS)


@require_POST
@access.admin_only
def words(request: Request, pk: int, language: str) -> HttpResponse:
    """What the form says in one language is saved; or, with `preview`, shown as it would be."""
    row = access.form_to_edit(pk)
    if language not in Language.values:
        raise Http404
    form = WordsForm(request.POST, language=language)
    is_valid = form.is_valid()
    if "preview" not in request.POST and is_valid:
        try:
            capture_forms.set_words(
                form=row,
                language=language,
                words=capture_forms.Words(**form.cleaned_data),
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('crm:capture-form', args=[row.pk])}?lang={language}")
    return render_page(request, "crm/capture_form.html", editor(request, row, words=form), parts=PARTS)


@require_POST
@access.admin_only
def remove_words(request: Request, pk: int, language: str) -> HttpResponse:
    row = access.form_to_edit(pk)
    try:
        capture_forms.remove_words(form=row, language=language, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("crm:capture-form", row.pk)


@require_POST
@access.admin_only
def close(request: Request, pk: int) -> HttpResponse:
    row = capture_forms.close(form=access.form_to_edit(pk), by=request.user, at=timezone.now())
    messages.success(request, _("“%(form)s” is closed. What was sent by it stays.") % {"form": row})
    return redirect("crm:capture-form", row.pk)


@require_POST
@access.admin_only
def reopen(request: Request, pk: int) -> HttpResponse:
    row = capture_forms.reopen(form=access.form_to_edit(pk), by=request.user, at=timezone.now())
    messages.success(request, _("“%(form)s” is open again.") % {"form": row})
    return redirect("crm:capture-form", row.pk)
