"""Files that are taken in: the list, a new one, its preview, its progress and its result. For managers and administrators."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import imports
from crm.channels.import_map import FIELDS
from crm.models import ImportKind, ImportRun, ImportState
from crm.refusal import Refused
from crm.reports import harmless
from crm.web import access, keyset, nudge
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page, takes_up_to

SHOWN = 50
"""Refused values on the page; the download has them all."""

LONGEST_MAP = 64 * 1024

EXAMPLE = """\
kind = "leads"
external_id = "id"

[columns]
received_at = "date"
person_name = "name"
email = "email"
organisation = "company"
origin = "source"

[dates]
formats = ["%Y-%m-%d"]
"""


class NewImportForm(KringForm):
    file = forms.FileField(
        label=gettext_lazy("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"})
    )
    map_file = forms.FileField(
        label=gettext_lazy("Map as a file"),
        help_text=gettext_lazy("Instead of the text below."),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".toml"}),
    )
    map_text = forms.CharField(
        label=gettext_lazy("Map"),
        help_text=gettext_lazy("Which column of the file is which field of Kring."),
        required=False,
        max_length=LONGEST_MAP,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "font-monospace"}),
    )

    def clean_map_file(self) -> str:
        file = self.cleaned_data["map_file"]
        if file is None:
            return ""
        if file.size > LONGEST_MAP:
            raise ValidationError(_("A map is a short text; this file is too large to be one."))
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValidationError(_("This file is not a text in UTF-8.")) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["map"] = cleaned.get("map_file") or cleaned.get("map_text") or ""
        if not cleaned["map"].strip() and "map_file" not in self.errors:
            self.add_error("map_text", _("Give a map, as a file or as a text."))
        return cleaned


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    page = keyset.page(access.imports().defer("content", "map_text"), order=("-created_at", "-id"), at=request.GET)
    return render_page(request, "crm/imports.html", {"page": page}, parts=("imports",))


@takes_up_to(imports.LARGEST + 1024 * 1024)
@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def new(request: Request) -> HttpResponse:
    """`?like=` takes the map of an earlier import, since the next file of a source looks like the last."""
    form = NewImportForm(request.POST or None, request.FILES or None, initial={"map_text": _map_to_start_from(request)})
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = imports.upload(
                file=file, file_name=file.name, map_text=form.cleaned_data["map"], by=request.user, at=timezone.now()
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect("crm:import", run.pk)
    kinds = [(ImportKind(kind).label, kind, fields) for kind, fields in FIELDS.items()]
    return render_page(request, "crm/import_new.html", {"form": form, "kinds": kinds})


def _map_to_start_from(request: Request) -> str:
    like = request.GET.get("like", "")
    if like.isascii() and like.isdecimal() and len(like) < 19:
        return access.import_run(request, int(like)).map_text
    return EXAMPLE


@require_safe
@access.leading_only
def run(request: Request, pk: int) -> HttpResponse:
    """Preview, progress or result. While it runs the page asks again every second."""
    return render_page(request, "crm/import.html", _context(access.import_run(request, pk)), parts=("run",))


def _context(row: ImportRun) -> dict[str, Any]:
    waits = row.state in (ImportState.UPLOADED, ImportState.FAILED)
    return {
        "run": row,
        "waits": waits,
        "preview": imports.preview(row) if waits else None,
        "is_stuck": imports.is_stuck(row, at=timezone.now()),
        "refused": row.refused.all()[:SHOWN] if row.rows_refused else [],
        "shown": SHOWN,
        "seconds": (row.finished_at - row.claimed_at).total_seconds() if row.finished_at and row.claimed_at else None,
    }


@require_POST
@access.leading_only
def start(request: Request, pk: int) -> HttpResponse:
    """Ask for the run. Asked twice it runs once; one whose worker is gone runs again."""
    row = access.import_run(request, pk)
    if imports.request(run=row, by=request.user, at=timezone.now()):
        nudge.run_import(row.pk)
    else:
        messages.info(request, _("This import runs already, or has run."))
    to = reverse("crm:import", args=[pk])
    return redirect_or_part(
        request, to, "crm/import.html", lambda: _context(access.import_run(request, pk)), parts=("run",)
    )


class _Echo:
    """What a CSV writer writes to when each line is to be sent at once."""

    def write(self, line: str) -> str:
        return line


@require_safe
@access.leading_only
def refused(request: Request, pk: int) -> StreamingHttpResponse:
    """Every refused value, as a CSV file that spreadsheets open with the right letters and without running anything."""
    row = access.import_run(request, pk)
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\N{ZERO WIDTH NO-BREAK SPACE}" + writer.writerow(["line", "column", "value", "reason"])
        for value in row.refused.iterator(chunk_size=2000):
            yield writer.writerow([value.line, harmless(value.column), harmless(value.value), harmless(value.reason)])

    name = f"refused-{row.pk}.csv"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
