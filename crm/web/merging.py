"""Make two rows one by hand, and take that back: choose the other one, compare, pick per field; the merges of late, with until when each can be
undone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import merging, search
from crm.models import Merge, Mergeable, Organisation, Person
from crm.models.merges import UNDO_WITHIN
from crm.refusal import Refused
from crm.web import access, keyset, query
from crm.web.page import Request, page_of, render_page

Row = Person | Organisation

SHOWN = 10
"""How many one can choose from; who is not among them is found by writing more of the name."""


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: Request, pk: int) -> HttpResponse:
    return _merge(request, access.person(request, pk, write=True))


@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: Request, pk: int) -> HttpResponse:
    return _merge(request, access.organisation(request, pk, write=True))


def _merge(request: Request, keep: Row) -> HttpResponse:
    """`?with=` names the other one. Without it they are chosen by name or address; a POST makes the two one."""
    key = query.number(request.GET.get("with"))
    if key is None or key == keep.pk:
        return render_page(request, "crm/merge_choose.html", _choice(request, keep), parts=("found",))
    fetch: Any = access.person if isinstance(keep, Person) else access.organisation
    gone: Row = fetch(request, key, write=True)
    if request.method != "POST":
        return render_page(request, "crm/merge.html", compared(request, keep, gone) | {"nav": "people"})
    choices = {
        choice.name: request.POST[choice.name]
        for choice in merging.comparison(keep, gone)
        if not choice.is_both and request.POST.get(choice.name) in ("keep", "gone")
    }
    try:
        done = merging.merge(keep=keep, gone=gone, choices=choices, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(page_of(keep))
    messages.success(request, _merged(done))
    return redirect(page_of(keep))


def compared(request: Request, keep: Row, gone: Row) -> dict[str, Any]:
    """What the page that lays two side by side shows."""
    kind = Mergeable.PERSON if isinstance(keep, Person) else Mergeable.ORGANISATION
    return {
        "keep": keep,
        "gone": gone,
        "kind": kind.value,
        "keep_ways": _ways(keep),
        "gone_ways": _ways(gone),
        "choices": merging.comparison(keep, gone),
        "keep_counts": list(merging.counts(keep, kind)),
        "gone_counts": list(merging.counts(gone, kind)),
        "may_merge": all(access.may_write(request.user, row.owner) for row in (keep, gone)),
        "act": reverse(f"crm:{kind}-merge", args=[keep.pk]) + f"?with={gone.pk}",
        "swapped": reverse(f"crm:{kind}-merge", args=[gone.pk]) + f"?with={keep.pk}",
        "days": UNDO_WITHIN.days,
    }


def _ways(row: Row) -> list[str]:
    """How they are reached and where they work, or what is known of the company by number."""
    if isinstance(row, Person):
        jobs = row.positions.current().select_related("organisation")
        return [
            *(str(job) for job in jobs),
            *(email.address for email in row.email_addresses.all()),
            *(phone.readable for phone in row.phone_numbers.all()),
        ]
    return [str(one) for one in access.people_at(row)[:SHOWN]]


def _choice(request: Request, keep: Row) -> dict[str, Any]:
    typed = search.clean(request.GET.get("named", ""))
    rows: Any = access.people().for_list() if isinstance(keep, Person) else access.organisations().for_page()
    found: list[Row] = []
    if typed:
        named = _named(keep, rows, typed)
        found = list(named.exclude(pk=keep.pk)[:SHOWN])
    kind = Mergeable.PERSON if isinstance(keep, Person) else Mergeable.ORGANISATION
    return {
        "keep": keep,
        "kind": kind.value,
        "typed": typed,
        "found": found,
        "may_merge": {row.pk for row in found if access.may_write(request.user, row.owner)},
        "act": reverse(f"crm:{kind}-merge", args=[keep.pk]),
        "nav": "people",
    }


def _named(keep: Row, rows: Any, typed: str) -> Any:
    if isinstance(keep, Person):
        if "@" in typed:
            return rows.filter(email_addresses__address__startswith=typed.lower()).distinct()
        return search.people_named(rows, typed)
    return search.organisations_named(rows, typed)


# ---- Merges of late, and the way back ----------------------------------------------------------------------------------


@require_safe
def index(request: Request) -> HttpResponse:
    now = timezone.now()
    page = keyset.page(access.merges(), order=("-at", "-id"), at=request.GET)
    merged = [{"row": row, "until": row.at + UNDO_WITHIN, "may_undo": row.may_be_undone(now)} for row in page]
    return render_page(request, "crm/merges.html", {"page": page, "merged": merged, "nav": "people"}, parts=("merges",))


@require_POST
def undo(request: Request, pk: int) -> HttpResponse:
    row = access.merge(request, pk)
    try:
        undone = merging.undo(merge=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("crm:merges")
    messages.success(request, _("%(back)s and %(kept)s are two again.") % {"back": undone.back, "kept": undone.kept})
    if undone.unchanged:
        messages.info(
            request,
            _("Somebody changed this of %(kept)s after the merge, so it stays: %(fields)s.")
            % {"kept": undone.kept, "fields": ", ".join(undone.unchanged)},
        )
    return redirect(page_of(undone.back))


def _merged(done: Merge) -> SafeString:
    return format_html(
        '{} <a href="{}">{}</a>',
        _("%(name)s is part of this one now.") % {"name": done.gone_name},
        reverse("crm:merges"),
        _("Undo"),
    )
