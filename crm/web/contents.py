"""Our knowledge on the settings: which pieces there are, who met them, what they brought; and the script that remembers what a visitor read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings as kring
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import contents
from crm.models import Content, ContentKind, Role
from crm.refusal import Refused
from crm.web import access, keyset
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class ContentForm(KringForm):
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=ContentKind)
    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "topics", "autocomplete": "off"}),
    )
    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=200,
        required=False,
        assume_scheme="https",
        help_text=gettext_lazy(
            "Where it stands on our site. Who read that page and then writes to us, met this piece."
        ),
    )
    happens_on = forms.DateField(
        label=gettext_lazy("Takes place on"),
        required=False,
        help_text=gettext_lazy("Of a webinar or an event: readers can be invited to it in the half hour."),
    )


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    kind = request.GET.get("kind", "")
    rows = access.contents()
    if kind in ContentKind.values:
        rows = rows.filter(kind=kind)
    page = keyset.page(rows, order=("-is_active", "title", "id"), at=request.GET)
    return render_page(
        request,
        "crm/contents.html",
        {
            "page": page,
            "rows": _counted(page.rows),
            "kinds": ContentKind.choices,
            "kind": kind,
            "is_admin": request.user.role == Role.ADMIN,
            "script": kring.SITE_URL + reverse("crm:read-along"),
            "nav": "settings",
        },
        parts=("contents",),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, access.content(pk))


@require_POST
@access.admin_only
def retire(request: Request, pk: int) -> HttpResponse:
    piece = contents.retire(piece=access.content(pk), by=request.user, at=timezone.now())
    messages.success(request, _("“%(title)s” is out of use. Who met it stays known.") % {"title": piece})
    return redirect("crm:contents")


@require_POST
@access.admin_only
def restore(request: Request, pk: int) -> HttpResponse:
    try:
        piece = contents.restore(piece=access.content(pk), by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("“%(title)s” is in use again.") % {"title": piece})
    return redirect("crm:contents")


def _edit(request: Request, piece: Content | None) -> HttpResponse:
    initial = {name: getattr(piece, name) for name in ContentForm.base_fields} if piece else {}
    form = ContentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = contents.save(piece=piece, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("“%(title)s” is saved.") % {"title": saved})
            return redirect("crm:contents")
    topics = access.contents().exclude(topic="").order_by("topic").values_list("topic", flat=True).distinct()[:100]
    return render_page(request, "crm/content.html", {"form": form, "piece": piece, "topics": topics, "nav": "settings"})


def _counted(rows: list[Content]) -> list[dict[str, Any]]:
    """Each piece with how many people met it, and how many leads came through it. Two queries, whatever their number."""
    keys = [row.pk for row in rows]
    readers = dict(
        access.touches().filter(content__in=keys).values_list("content").annotate(Count("person", distinct=True))
    )
    leads = dict(access.leads().filter(content__in=keys).order_by().values_list("content").annotate(Count("pk")))
    return [{"row": row, "readers": readers.get(row.pk, 0), "leads": leads.get(row.pk, 0)} for row in rows]
